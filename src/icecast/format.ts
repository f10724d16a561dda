import type { FormatKind } from '../domain/icecast.ts';

/** Names that ffmpeg's `-f` takes for reading. */
export type Demuxer = 'mp3' | 'aac' | 'ogg' | 'matroska' | 'flac' | 'mpegts';

export interface StreamFormat {
  readonly kind: FormatKind;
  readonly demuxer: Demuxer;
}

const FORMATS: ReadonlyMap<string, StreamFormat> = new Map<string, StreamFormat>([
  ...generic('mp3', 'audio/mpeg', 'audio/mp3', 'audio/mpeg3', 'audio/x-mpeg', 'audio/x-mp3', 'audio/mpg'),
  ...generic('aac', 'audio/aac', 'audio/aacp', 'audio/x-aac', 'audio/x-aacp', 'audio/x-hx-aac-adts'),
  ...generic('flac', 'audio/flac', 'audio/x-flac'),
  ...generic('mpegts', 'video/mp2t', 'audio/mp2t'),
  ...ogg(
    'application/ogg',
    'application/x-ogg',
    'audio/ogg',
    'video/ogg',
    'audio/x-ogg',
    'audio/vorbis',
    'audio/opus',
  ),
  ...ebml('audio/webm', 'video/webm', 'audio/x-matroska', 'video/x-matroska', 'audio/matroska'),
]);

/** How to read sound of this content type; null when it is none we know (`text/html`). */
export function formatOf(contentType: string): StreamFormat | null {
  return FORMATS.get(essence(contentType)) ?? null;
}

/** How Icecast itself sorts a content type: only these two families have a format of their own there. */
export function formatKindOf(contentType: string): FormatKind {
  const type = essence(contentType);
  if (['application/ogg', 'application/x-ogg', 'audio/ogg', 'video/ogg'].includes(type)) return 'ogg';
  if (['audio/webm', 'video/webm', 'audio/x-matroska', 'video/x-matroska'].includes(type)) return 'ebml';
  return 'generic';
}

/** True when a type says that there is no sound here: a web page, a playlist, a picture. */
export function isCertainlyNotAudio(contentType: string): boolean {
  const type = essence(contentType);
  if (/^(text|image|font|multipart|message|model)\//.test(type)) return true;
  if (/mpegurl|scpls|pls\+xml|xspf|dash\+xml/.test(type)) return true;
  return /^application\/(.*\+)?(json|xml|xhtml|javascript|pdf|zip|html)$/.test(type);
}

/** What the first bytes of a body say it is, for servers that don't say; null when they say nothing. */
export function sniffContentType(bytes: Buffer): string | null {
  const text = bytes.subarray(0, 64).toString('latin1').trimStart().toLowerCase();
  if (/^(<!doctype|<html|<head|<body|<\?xml)/.test(text)) return 'text/html';
  if (text.startsWith('#extm3u') || text.startsWith('[playlist]')) return 'audio/x-mpegurl';
  if (bytes.subarray(0, 4).toString('latin1') === 'OggS') return 'application/ogg';
  if (bytes.subarray(0, 4).toString('latin1') === 'fLaC') return 'audio/flac';
  if (bytes.subarray(0, 4).equals(Buffer.from([0x1a, 0x45, 0xdf, 0xa3]))) return 'audio/webm';
  if (bytes.subarray(0, 3).toString('latin1') === 'ID3') return 'audio/mpeg';
  return sniffFrameSync(bytes);
}

/** A burst begins anywhere in a frame, so the first sync word may come late. ADTS has layer 0, MPEG audio never. */
function sniffFrameSync(bytes: Buffer): string | null {
  for (let at = 0; at + 1 < bytes.length; at += 1) {
    const second = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xff || (second & 0xe0) !== 0xe0) continue;
    if ((second & 0xf6) === 0xf0) return 'audio/aac';
    if ((second & 0x06) !== 0 && (second & 0x18) !== 0x08) return 'audio/mpeg';
  }
  return null;
}

function essence(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase();
}

function generic(demuxer: Demuxer, ...types: string[]): [string, StreamFormat][] {
  return types.map((type) => [type, { kind: 'generic', demuxer }]);
}

function ogg(...types: string[]): [string, StreamFormat][] {
  return types.map((type) => [type, { kind: formatKindOf(type), demuxer: 'ogg' }]);
}

function ebml(...types: string[]): [string, StreamFormat][] {
  return types.map((type) => [type, { kind: formatKindOf(type), demuxer: 'matroska' }]);
}
