/** How loud a stretch of sound is: short-term loudness (EBU Tech 3341, 3 s) and the highest peak in and after it. */
export interface Loudness {
  readonly lufs: number;
  readonly truePeakDbtp: number;
}

interface Mark {
  readonly ms: number;
  lufs: number;
  truePeakDbtp: number;
}

const MARK_EVERY_MS = 500;
const MOST_MARKS = 300;
/** Short-term loudness looks this far back. */
const WINDOW_MS = 3_000;
const NEAR_MS = 2_000;

/** A leg's loudness over the time that may still be played. */
export class LoudnessLine {
  #marks: Mark[] = [];

  note(ms: number, lufs: number, truePeakDbtp: number): void {
    const last = this.#marks.at(-1);
    if (last === undefined || ms - last.ms >= MARK_EVERY_MS) {
      this.#marks.push({ ms, lufs, truePeakDbtp });
      if (this.#marks.length > 2 * MOST_MARKS) this.#marks = this.#marks.slice(-MOST_MARKS);
      return;
    }
    last.lufs = lufs;
    last.truePeakDbtp = Math.max(last.truePeakDbtp, truePeakDbtp);
  }

  /** Of the last three seconds before a moment. */
  before(ms: number): Loudness | null {
    return this.#near(ms);
  }

  /** Of the first three seconds from a moment on, or of what there is of them. */
  from(ms: number): Loudness | null {
    return this.#near(ms + WINDOW_MS);
  }

  #near(ms: number): Loudness | null {
    const mark = this.#marks.findLast((one) => one.ms <= ms);
    if (mark === undefined || ms - mark.ms > NEAR_MS + WINDOW_MS) return null;
    const truePeakDbtp = Math.max(
      ...this.#marks.filter((one) => one.ms >= mark.ms - WINDOW_MS).map((one) => one.truePeakDbtp),
    );
    return { lufs: mark.lufs, truePeakDbtp };
  }
}

/** Programmes are brought together by at most this; the rest is as their makers wanted it. */
const MOST_GAIN_DB = 6;
/** What is quieter is a pause or the end of a fade and says nothing of how loud the programme is. */
const LEAST_LUFS = -45;
const CEILING_DBTP = -1;

/**
 * The gain at which sound of another programme begins so that it is about as loud as what it follows, in dB. Never so
 * much that its peaks would be cut off.
 */
export function matchingGainDb(leaving: Loudness | null, joining: Loudness | null): number {
  if (leaving === null || joining === null) return 0;
  if (!(leaving.lufs > LEAST_LUFS) || !(joining.lufs > LEAST_LUFS)) return 0;
  const wantedDb = leaving.lufs - joining.lufs;
  const headroomDb = Math.max(0, CEILING_DBTP - joining.truePeakDbtp);
  return Math.max(-MOST_GAIN_DB, Math.min(MOST_GAIN_DB, headroomDb, wantedDb));
}
