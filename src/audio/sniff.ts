import type { Container } from './decode-stream.ts';

/** As far into a file as the first frame of MPEG audio is looked for; some begin with rests of a cut. */
export const SNIFF_BYTES = 64 * 1024;

const startsWith = (bytes: Buffer, text: string, at = 0): boolean =>
  bytes.toString('latin1', at, at + text.length) === text;

const EBML = Buffer.from([0x1a, 0x45, 0xdf, 0xa3]);

/** What the bytes are, whatever the file is called; null when it is nothing that is decoded here. */
export function sniffContainer(bytes: Buffer): Container | null {
  if (['RIFF', 'RF64', 'BW64'].some((word) => startsWith(bytes, word)) && startsWith(bytes, 'WAVE', 8))
    return 'wav';
  if (startsWith(bytes, 'fLaC')) return 'flac';
  if (startsWith(bytes, 'OggS')) return 'ogg';
  if (startsWith(bytes, 'ftyp', 4)) return 'mov';
  if (bytes.subarray(0, EBML.length).equals(EBML)) return 'matroska';
  return sniffFrames(bytes);
}

const ID3_HEAD_BYTES = 10;

/** How long the ID3 tag at the beginning is, with its pictures; what the file is stands behind it. */
export function id3Bytes(head: Buffer): number {
  if (head.length < ID3_HEAD_BYTES || !startsWith(head, 'ID3')) return 0;
  const sizeBytes = [6, 7, 8, 9].reduce((size, at) => size * 128 + ((head[at] ?? 0) & 0x7f), 0);
  const hasFooter = ((head[5] ?? 0) & 0x10) !== 0;
  return ID3_HEAD_BYTES + sizeBytes + (hasFooter ? ID3_HEAD_BYTES : 0);
}

const HEAD_BYTES = 6;
/** A header by chance is common in any bytes, three in the right distances aren't. */
const FRAMES_THAT_PROVE = 3;

function sniffFrames(bytes: Buffer): 'mp3' | 'aac' | null {
  for (
    let at = bytes.indexOf(0xff);
    at >= 0 && at + HEAD_BYTES <= bytes.length;
    at = bytes.indexOf(0xff, at + 1)
  ) {
    if (isChain(bytes, at, adtsFrameBytes)) return 'aac';
    if (isChain(bytes, at, mpegFrameBytes)) return 'mp3';
  }
  return null;
}

/** Frames one behind the other; fewer prove it where the file is over before there could be more. */
function isChain(bytes: Buffer, start: number, frameBytes: (head: Buffer) => number): boolean {
  let at = start;
  for (let frames = 0; frames < FRAMES_THAT_PROVE; frames += 1) {
    if (frames > 0 && at === bytes.length) return true;
    const length = frameBytes(bytes.subarray(at, at + HEAD_BYTES));
    if (length === 0) return false;
    at += length;
  }
  return true;
}

/** Zero when it is no header. */
function adtsFrameBytes(head: Buffer): number {
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0, sixth = 0] = head;
  if (head.length < HEAD_BYTES || first !== 0xff || (second & 0xf6) !== 0xf0) return 0;
  const rateIndex = (third >> 2) & 0x0f;
  const length = ((fourth & 0x03) << 11) | (fifth << 3) | (sixth >> 5);
  return rateIndex <= 12 && length > 7 ? length : 0;
}

const KBPS_MPEG1: Readonly<Record<number, readonly number[]>> = {
  3: [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
};
const KBPS_MPEG2_LAYER1 = [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
const KBPS_MPEG2_OTHERS = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const RATES_HZ = [44_100, 48_000, 32_000];
/** Of the two bits that say the version: 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5. */
const RATE_DIVISOR: Readonly<Record<number, number>> = { 3: 1, 2: 2, 0: 4 };

/** Zero when it is no header, or one of the free format, which nobody uses. */
function mpegFrameBytes(head: Buffer): number {
  const [first = 0, second = 0, third = 0] = head;
  if (head.length < HEAD_BYTES || first !== 0xff || (second & 0xe0) !== 0xe0) return 0;
  const version = (second >> 3) & 0x03;
  const layer = (second >> 1) & 0x03;
  const divisor = RATE_DIVISOR[version];
  const rateHz = RATES_HZ[(third >> 2) & 0x03];
  if (divisor === undefined || rateHz === undefined) return 0;
  const table =
    version === 3
      ? KBPS_MPEG1[layer]
      : layer === 3
        ? KBPS_MPEG2_LAYER1
        : layer > 0
          ? KBPS_MPEG2_OTHERS
          : undefined;
  const kbps = table?.[third >> 4] ?? 0;
  if (kbps === 0) return 0;
  const padding = (third >> 1) & 0x01;
  const bytesPerSecond = kbps * 125;
  const perSecond = rateHz / divisor;
  if (layer === 3) return (Math.floor((96 * bytesPerSecond) / perSecond) + padding) * 4;
  const samples = layer === 1 && version !== 3 ? 576 : 1152;
  return Math.floor((samples * bytesPerSecond) / perSecond) + padding;
}

/** What a file says of itself at its beginning. */
export interface SaidLength {
  readonly bytes: number;
  readonly bytesPerSecond: number;
}

const CHUNK_HEAD_BYTES = 8;
const IN_DS64 = 0xffff_ffff;
/** Who writes into a pipe can't know how much it will be, and puts nothing there, or close to the most that would go. */
const isGuessed = (size: number): boolean => size === 0 || [0x7fff, 0xffff].includes(size >>> 16);

/** How long a WAV is by its own header, up to the end of its sound; null when that isn't said. */
export function wavLength(head: Buffer): SaidLength | null {
  if (sniffContainer(head) !== 'wav') return null;
  let large: number | null = null;
  let bytesPerSecond = 0;
  for (let at = 12; at + 2 * CHUNK_HEAD_BYTES <= head.length; ) {
    const start = at + CHUNK_HEAD_BYTES;
    const size = head.readUInt32LE(at + 4);
    const hasMore = start + 2 * CHUNK_HEAD_BYTES <= head.length;
    if (startsWith(head, 'fmt ', at) && hasMore) bytesPerSecond = head.readUInt32LE(start + 8);
    if (startsWith(head, 'ds64', at) && hasMore) large = Number(head.readBigUInt64LE(start + 8));
    if (startsWith(head, 'data', at)) {
      const known = size === IN_DS64 && large ? large : isGuessed(size) ? 0 : size;
      return known > 0 && bytesPerSecond > 0 ? { bytes: start + known, bytesPerSecond } : null;
    }
    at = start + size + (size % 2);
  }
  return null;
}
