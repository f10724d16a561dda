import type { LegCondition } from '../domain/conditions.ts';
import type { LegId } from '../domain/ids.ts';
import type { LevelReading } from '../domain/readings.ts';

/** In `steps`: nothing was heard in this step. Everything else is the loudest channel's RMS in whole dBFS, -127 to 0. */
export const NOT_HEARD = -128;
/** A second has ten steps of 100 ms; a thinned row has one step for each second. */
const STEPS_OF_A_SECOND = 10;

/** Levels of one leg over one stretch of time. */
export interface LevelRow {
  readonly leg: LegId;
  /** When it begins, in ms since 1970. */
  readonly unixMs: number;
  readonly spanS: number;
  readonly steps: Int8Array;
  /** How much of it was sound to the meter, at the threshold that was set then. */
  readonly audibleMs: number;
  /** The highest in it; null for digital silence or where nothing was heard. */
  readonly truePeakDbtp: number | null;
  readonly momentaryLufs: number | null;
  /** The worst condition of the leg in it. */
  readonly condition: LegCondition['is'];
}

export function stepOf(rmsDbfs: readonly number[]): number {
  const loudest = Math.max(...rmsDbfs, -127);
  return Math.min(0, Math.max(-127, Math.round(loudest)));
}

type RowBegun = { -readonly [Key in keyof LevelRow]: LevelRow[Key] };

/** Adds up the blocks of each leg (100 ms) to seconds of the wall clock. A row that was handed on is never touched again. */
export class LevelCollector {
  readonly #legs = new Map<LegId, { row: RowBegun; heardToMs: number }>();
  readonly #done: (row: LevelRow) => void;

  constructor(done: (row: LevelRow) => void) {
    this.#done = done;
  }

  /**
   * `endUnixMs`: when the last sample of the block was on air. What a reconnect's burst repeats is passed over, by the monotonic
   * clock: what the one on the wall shows again is none of it.
   */
  take(leg: LegId, reading: LevelReading, endUnixMs: number, condition: LegCondition['is']): void {
    const before = this.#legs.get(leg);
    if (before !== undefined && reading.atMs <= before.heardToMs) return;
    const middleUnixMs = endUnixMs - reading.durationMs / 2;
    const secondUnixMs = Math.floor(middleUnixMs / 1000) * 1000;
    let row = before?.row;
    if (row === undefined || row.unixMs !== secondUnixMs) {
      if (row !== undefined) this.#done(row);
      row = emptyRow(leg, secondUnixMs, condition);
    }
    const index = Math.min(STEPS_OF_A_SECOND - 1, Math.floor((middleUnixMs - secondUnixMs) / 100));
    row.steps[index] = Math.max(row.steps[index] ?? NOT_HEARD, stepOf(reading.rmsDbfs));
    row.audibleMs = Math.min(1000, row.audibleMs + Math.round(reading.audibleMs));
    row.truePeakDbtp = higher(row.truePeakDbtp, reading.truePeakDbtp);
    row.momentaryLufs = higher(row.momentaryLufs, reading.momentaryLufs);
    row.condition = worse(row.condition, condition);
    this.#legs.set(leg, { row, heardToMs: reading.atMs });
  }

  /** Hands on what has been added up so far. */
  flush(): void {
    for (const { row } of this.#legs.values()) this.#done(row);
    this.#legs.clear();
  }
}

function emptyRow(leg: LegId, unixMs: number, condition: LegCondition['is']): RowBegun {
  const steps = new Int8Array(STEPS_OF_A_SECOND).fill(NOT_HEARD);
  return { leg, unixMs, spanS: 1, steps, audibleMs: 0, truePeakDbtp: null, momentaryLufs: null, condition };
}

function higher(known: number | null, level: number | null): number | null {
  if (level === null || !Number.isFinite(level)) return known;
  const rounded = Math.round(level * 10) / 10;
  return known === null ? rounded : Math.max(known, rounded);
}

const RANK: Readonly<Record<LegCondition['is'], number>> = { audible: 0, unknown: 1, faulty: 2 };

function worse(one: LegCondition['is'], other: LegCondition['is']): LegCondition['is'] {
  return RANK[one] >= RANK[other] ? one : other;
}

/** The loudest step of each second of a row. */
export function secondsOf({ spanS, steps }: LevelRow): readonly number[] {
  if (spanS > 1) return Array.from({ length: spanS }, (_, index) => steps[index] ?? NOT_HEARD);
  return [Math.max(...steps, NOT_HEARD)];
}

/** Rows of one leg in order, put together to rows of `spanS`; each starts at a whole multiple of it. */
export function thinned(rows: readonly LevelRow[], spanS: number): LevelRow[] {
  const merged = new Map<number, LevelRow>();
  for (const row of rows) {
    const unixMs = Math.floor(row.unixMs / (spanS * 1000)) * spanS * 1000;
    const known = merged.get(unixMs) ?? {
      ...row,
      unixMs,
      spanS,
      steps: new Int8Array(spanS).fill(NOT_HEARD),
      audibleMs: 0,
    };
    const steps = Int8Array.from(known.steps);
    const first = Math.round((row.unixMs - unixMs) / 1000);
    for (const [index, level] of secondsOf(row).entries())
      steps[first + index] = Math.max(steps[first + index] ?? NOT_HEARD, level);
    merged.set(unixMs, {
      ...known,
      steps,
      audibleMs: known.audibleMs + row.audibleMs,
      truePeakDbtp: higher(known.truePeakDbtp, row.truePeakDbtp),
      momentaryLufs: higher(known.momentaryLufs, row.momentaryLufs),
      condition: worse(known.condition, row.condition),
    });
  }
  return [...merged.values()];
}

export interface LevelQuery {
  readonly leg: LegId;
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
}

/** The loudest moment of a stretch; null where nothing was heard in it, or digital silence. */
export interface LoudestPoint {
  readonly unixMs: number;
  readonly momentaryLufs: number | null;
}

/** Short-term loudness is that of the last 3 s. */
export const SHORT_TERM_MS = 3_000;

export interface LoudnessQuery {
  readonly leg: LegId;
  /** When the newest step ends. */
  readonly toUnixMs: number;
  /** Whole seconds. */
  readonly stepMs: number;
  readonly steps: number;
}

/** The oldest first. */
export interface LoudnessSteps {
  /** NaN where nothing was heard, -Infinity for digital silence. */
  readonly lufs: Float32Array;
  /** The worst of each step; null where nothing was written. */
  readonly conditions: readonly (LegCondition['is'] | null)[];
}

/**
 * Rows of seconds as a chart of short-term loudness, nearly: it is the mean power of the loudest 400 ms of each of the three
 * seconds before.
 */
export function loudnessSteps(rows: Iterable<LevelRow>, query: LoudnessQuery): LoudnessSteps {
  const { toUnixMs, stepMs, steps } = query;
  const fromUnixMs = toUnixMs - steps * stepMs;
  const seconds = SHORT_TERM_MS / 1000;
  const powers = new Float64Array(seconds + (steps * stepMs) / 1000).fill(Number.NaN);
  const conditions = new Array<LegCondition['is'] | null>(steps).fill(null);
  for (const row of rows) {
    powers[Math.floor((row.unixMs - fromUnixMs) / 1000) + seconds] = powerOf(row);
    const step = Math.floor((row.unixMs - fromUnixMs) / stepMs);
    const known = conditions[step];
    if (known !== undefined) conditions[step] = known === null ? row.condition : worse(known, row.condition);
  }
  const lufs = Float32Array.from({ length: steps }, (_, step) => {
    const end = ((step + 1) * stepMs) / 1000 + seconds;
    const heard = powers.subarray(end - seconds, end).filter((power) => !Number.isNaN(power));
    return 10 * Math.log10(heard.reduce((sum, power) => sum + power, 0) / heard.length);
  });
  return { lufs, conditions };
}

function powerOf({ momentaryLufs, steps }: LevelRow): number {
  if (momentaryLufs !== null) return 10 ** (momentaryLufs / 10);
  return steps.some((level) => level !== NOT_HEARD) ? 0 : Number.NaN;
}
