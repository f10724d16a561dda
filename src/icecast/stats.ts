import type { AudioInfo } from '../domain/icecast.ts';
import { type Mount, mount } from '../domain/ids.ts';
import { children, countOf, textOf, type XmlElement } from './xml.ts';

/** What changes slowly about a mount. */
export interface MountStats {
  readonly mount: Mount;
  /** Null: unlimited. */
  readonly maxListeners: number | null;
  readonly contentType: string;
  readonly audio: AudioInfo;
  readonly listeners: number;
  readonly slowListeners: number;
  readonly totalBytesRead: number | null;
  readonly title: string | null;
}

/** The whole server, as `/admin/stats` tells it. */
export interface ServerStats {
  /** `Icecast 2.4.4`. */
  readonly serverId: string;
  readonly clients: number;
  readonly listeners: number;
  readonly sources: number;
  readonly startedAt: string | null;
  /** What time it was for the server, in whole seconds, as HTTP writes it. */
  readonly date: string | null;
  readonly mounts: readonly MountStats[];
}

export const NO_AUDIO_INFO: AudioInfo = {
  sampleRateHz: null,
  channels: null,
  bitrateKbps: null,
};

export function parseStats(icestats: XmlElement, date: string | null): ServerStats {
  return {
    serverId: textOf(icestats, 'server_id') ?? '',
    clients: countOf(icestats, 'clients') ?? 0,
    listeners: countOf(icestats, 'listeners') ?? 0,
    sources: countOf(icestats, 'sources') ?? 0,
    startedAt: textOf(icestats, 'server_start_iso8601'),
    date,
    mounts: children(icestats, 'source').flatMap((source) => {
      const name = textOf(source, '@mount');
      return name === null ? [] : [mountStats(mount(name), source)];
    }),
  };
}

function mountStats(name: Mount, source: XmlElement): MountStats {
  return {
    mount: name,
    maxListeners: countOf(source, 'max_listeners'),
    contentType: textOf(source, 'server_type') ?? '',
    audio: audioInfoOf(source),
    listeners: countOf(source, 'listeners') ?? 0,
    slowListeners: countOf(source, 'slow_listeners') ?? 0,
    totalBytesRead: countOf(source, 'total_bytes_read'),
    title: textOf(source, 'title'),
  };
}

/**
 * What the encoder said of itself (`ice-audio-info`), which has no fixed form, or for Ogg what Icecast read from the
 * stream. Many encoders (ffmpeg with MP3) say nothing.
 */
function audioInfoOf(source: XmlElement): AudioInfo {
  const said = new Map<string, string>();
  for (const part of (textOf(source, 'audio_info') ?? '').split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0) said.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim());
  }
  const first = (...names: string[]): number | null => {
    for (const name of names) {
      const value = Number(textOf(source, name) ?? said.get(name) ?? '');
      if (Number.isFinite(value) && value > 0) return value;
    }
    return null;
  };
  const bitsPerSecond = first('audio_bitrate');
  return {
    sampleRateHz: first('audio_samplerate', 'ice-samplerate', 'samplerate'),
    channels: first('audio_channels', 'ice-channels', 'channels'),
    bitrateKbps: first('ice-bitrate', 'bitrate') ?? (bitsPerSecond === null ? null : bitsPerSecond / 1000),
  };
}
