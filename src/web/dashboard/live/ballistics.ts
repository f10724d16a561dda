import type { ChannelLevels } from '../../../domain/levels.ts';

/** A peak mark stands for this long before it falls. */
const HOLD_MS = 2_000;
/** The peak bar falls as a peak programme meter's does: 20 dB in 1.7 s. */
const FALL_DB_PER_MS = 20 / 1_700;
/** The figure of the true peak is the highest of the last 3 s. */
const TRUE_PEAK_MS = 3_000;

/** One channel of sound, as the eye is to see it. Levels in dB; NaN: not known. */
export interface Needle {
  readonly levels: ChannelLevels;
  readonly peak: readonly [number, number];
  readonly hold: readonly [number, number];
  readonly heldAtMs: readonly [number, number];
  readonly truePeakDbtp: number;
  readonly truePeakAtMs: number;
  readonly atMs: number;
}

export function moved(before: Needle | null, levels: ChannelLevels, atMs: number): Needle {
  const passedMs = before === null ? 0 : atMs - before.atMs;
  const peakOf = (side: 0 | 1) => fallen(before?.peak[side], levels.peakDbfs[side], passedMs);
  const holdOf = (side: 0 | 1): readonly [number, number] => {
    const now = levels.peakDbfs[side];
    const held = before?.hold[side] ?? Number.NaN;
    const heldAtMs = before?.heldAtMs[side] ?? atMs;
    if (Number.isNaN(now)) return [Number.NaN, atMs];
    if (Number.isNaN(held) || now >= held) return [now, atMs];
    return atMs - heldAtMs <= HOLD_MS ? [held, heldAtMs] : [fallen(held, now, passedMs), heldAtMs];
  };
  const [leftHold, leftAtMs] = holdOf(0);
  const [rightHold, rightAtMs] = holdOf(1);
  const isHigher =
    before === null ||
    !(levels.truePeakDbtp < before.truePeakDbtp) ||
    atMs - before.truePeakAtMs > TRUE_PEAK_MS;
  return {
    levels,
    peak: [peakOf(0), peakOf(1)],
    hold: [leftHold, rightHold],
    heldAtMs: [leftAtMs, rightAtMs],
    truePeakDbtp: isHigher ? levels.truePeakDbtp : before.truePeakDbtp,
    truePeakAtMs: isHigher ? atMs : before.truePeakAtMs,
    atMs,
  };
}

/** Up at once, down slowly; from digital silence nothing falls. */
function fallen(before: number | undefined, now: number, passedMs: number): number {
  if (before === undefined || !Number.isFinite(before) || Number.isNaN(now)) return now;
  return Math.max(now, before - passedMs * FALL_DB_PER_MS);
}

export const FLOOR_DB = -60;

/** Where a level stands on a scale from -60 to 0 dB, 0 to 1. */
export function place(db: number): number {
  return Number.isNaN(db) ? 0 : Math.min(1, Math.max(0, 1 - db / FLOOR_DB));
}
