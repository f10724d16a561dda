import type { MeterSummary } from '../../audio/programme-meter.ts';

/** Something wrong with the sound, from when to when; null while it lasts at the end. */
export interface Fault {
  readonly kind: string;
  readonly startSeconds: number;
  readonly endSeconds: number | null;
  readonly evidence: Readonly<Record<string, number>>;
}

/** What was measured of a file or a live mount. Silence is -Infinity, what has no meaning here is NaN. */
export interface Measurement {
  readonly summary: MeterSummary;
  readonly faults: readonly Fault[];
  /** Both sides are the same nearly all the time: no fault, but worth knowing. */
  readonly isMono: boolean;
}

/** By what silence and the faults are judged; the same as the agent's, unless told otherwise. */
export interface Judgement {
  readonly thresholdDbfs: number;
  readonly tripMs: number;
  readonly preset: 'talk' | 'music' | 'classical';
  readonly targetLufs: number | null;
}

export const JUDGEMENT: Judgement = {
  thresholdDbfs: -50,
  tripMs: 5_000,
  preset: 'music',
  targetLufs: null,
};
