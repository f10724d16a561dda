/** How the playout's speed follows its distance from the live edge. */
export interface Pace {
  /** Frames of the leg per frame that is played. */
  readonly rate: number;
  readonly correcting: boolean;
}

export const STEADY: Pace = { rate: 1, correcting: false };

/** The most that is done to the tempo: 0.4 %, seven hundredths of a semitone. */
const MOST = 0.004;
/** Errors under this are jitter of the network's, and left alone. */
const START_MS = 40;
const STOP_MS = 4;
/** An error of this is worked off at full speed. */
const FULL_AT_MS = 1_000;
const LEAST = 0.0004;
/** The tempo itself changes this slowly, per second, so that no step is heard. */
const SLEW_PER_S = 0.001;

/** `lateMs`: how much further behind the live edge than wanted. Late is played faster, early slower, never dropped. */
export function nextPace(pace: Pace, lateMs: number, passedMs: number): Pace {
  const correcting = Math.abs(lateMs) > (pace.correcting ? STOP_MS : START_MS);
  const wanted = correcting
    ? Math.sign(lateMs) * Math.min(MOST, Math.max(LEAST, (MOST * Math.abs(lateMs)) / FULL_AT_MS))
    : 0;
  const step = (SLEW_PER_S * passedMs) / 1_000;
  const now = pace.rate - 1;
  const next = now + Math.max(-step, Math.min(step, wanted - now));
  // Exactly 1 costs nothing and changes no sample.
  return { rate: Math.abs(next) < 1e-9 ? 1 : 1 + next, correcting };
}
