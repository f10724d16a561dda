import type { ChannelLevels, LevelChannel } from '../../domain/levels.ts';

/**
 * The binary frames of `/api/v1/levels`, as docs/api.md describes them. Little-endian. A head of 8 bytes (u8 kind = 1,
 * u8 station's index in the hello, u16 number of channels, u32 sequence), then 16 bytes for each channel: seven i16 in
 * hundredths of a decibel (RMS left and right, sample peak left and right, true peak, momentary and short-term
 * loudness), u8 condition, u8 gain reduction in tenths of a decibel.
 */
export const FRAMES_PER_SECOND = 20;
export const HEAD_BYTES = 8;
export const CHANNEL_BYTES = 16;
const KIND_LEVELS = 1;

/** i16 for what isn't known, and for digital silence. */
const UNKNOWN = -32_768;
const SILENCE = -32_767;
const NO_REDUCTION = 255;
const CONDITIONS = ['unknown', 'audible', 'faulty'] as const;

/** The first message: which stations there are, and which channels stand in their frames. */
export interface LevelsHello {
  readonly version: 1;
  readonly framesPerSecond: number;
  readonly stations: readonly { readonly station: string; readonly channels: readonly LevelChannel[] }[];
}

export interface LevelsFrame {
  /** Index in the hello. */
  readonly station: number;
  /** Grows by one with each frame of a station, so that lost frames can be counted; modulo 2^32. */
  readonly sequence: number;
  readonly channels: readonly ChannelLevels[];
}

export function encodeFrame({ station, sequence, channels }: LevelsFrame): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + channels.length * CHANNEL_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, KIND_LEVELS);
  view.setUint8(1, station);
  view.setUint16(2, channels.length, true);
  view.setUint32(4, sequence >>> 0, true);
  let at = HEAD_BYTES;
  for (const channel of channels) {
    view.setInt16(at, hundredths(channel.rmsDbfs[0]), true);
    view.setInt16(at + 2, hundredths(channel.rmsDbfs[1]), true);
    view.setInt16(at + 4, hundredths(channel.peakDbfs[0]), true);
    view.setInt16(at + 6, hundredths(channel.peakDbfs[1]), true);
    view.setInt16(at + 8, hundredths(channel.truePeakDbtp), true);
    view.setInt16(at + 10, hundredths(channel.momentaryLufs), true);
    view.setInt16(at + 12, hundredths(channel.shortTermLufs), true);
    view.setUint8(at + 14, CONDITIONS.indexOf(channel.condition));
    view.setUint8(at + 15, tenths(channel.gainReductionDb));
    at += CHANNEL_BYTES;
  }
  return bytes;
}

/** Null for a message that is no frame of this version. */
export function decodeFrame(message: ArrayBuffer): LevelsFrame | null {
  const view = new DataView(message);
  if (view.byteLength < HEAD_BYTES || view.getUint8(0) !== KIND_LEVELS) return null;
  const count = view.getUint16(2, true);
  if (view.byteLength !== HEAD_BYTES + count * CHANNEL_BYTES) return null;
  const channels = Array.from({ length: count }, (_, index): ChannelLevels => {
    const at = HEAD_BYTES + index * CHANNEL_BYTES;
    const db = (offset: number) => decibels(view.getInt16(at + offset, true));
    const reduction = view.getUint8(at + 15);
    return {
      rmsDbfs: [db(0), db(2)],
      peakDbfs: [db(4), db(6)],
      truePeakDbtp: db(8),
      momentaryLufs: db(10),
      shortTermLufs: db(12),
      condition: CONDITIONS[view.getUint8(at + 14)] ?? 'unknown',
      gainReductionDb: reduction === NO_REDUCTION ? Number.NaN : reduction / 10,
    };
  });
  return { station: view.getUint8(1), sequence: view.getUint32(4, true), channels };
}

export function hundredths(db: number): number {
  if (Number.isNaN(db)) return UNKNOWN;
  if (db === Number.NEGATIVE_INFINITY) return SILENCE;
  return Math.max(SILENCE + 1, Math.min(32_767, Math.round(db * 100)));
}

export function decibels(value: number): number {
  if (value === UNKNOWN) return Number.NaN;
  return value === SILENCE ? Number.NEGATIVE_INFINITY : value / 100;
}

function tenths(db: number): number {
  return Number.isNaN(db) ? NO_REDUCTION : Math.max(0, Math.min(NO_REDUCTION - 1, Math.round(db * 10)));
}
