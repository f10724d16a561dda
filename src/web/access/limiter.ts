import type { Clock } from '../../platform/clock.ts';

interface Failures {
  count: number;
  lastAtMs: number;
}

/** So many tries are free; each further failure doubles the wait. */
const FREE_TRIES = 5;
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 5 * 60_000;
const FORGOTTEN_AFTER_MS = 15 * 60_000;
/** From everywhere together, in a minute. */
const MOST_PER_MINUTE = 60;
const MOST_KEPT = 10_000;

/** Slows down who guesses passwords: by where they come from, and all of them together. */
export class SignInLimiter {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();
  #minute = { startMs: Number.NEGATIVE_INFINITY, failures: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long somebody from there has to wait before the next try, in ms; 0: not at all. */
  waitMs(from: string): number {
    const nowMs = this.#clock.nowMs();
    const minuteLeftMs = this.#minute.startMs + 60_000 - nowMs;
    const ofAllMs = this.#minute.failures >= MOST_PER_MINUTE ? minuteLeftMs : 0;
    const known = this.#failures.get(from);
    if (known === undefined || known.count < FREE_TRIES) return Math.max(0, ofAllMs);
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (known.count - FREE_TRIES));
    return Math.max(0, ofAllMs, known.lastAtMs + waitMs - nowMs);
  }

  /** Noted before the password is looked at, so that tries at the same moment count as well; a success takes it back. */
  noteTry(from: string): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#minute.startMs >= 60_000) this.#minute = { startMs: nowMs, failures: 0 };
    this.#minute.failures += 1;
    const known = this.#failures.get(from);
    const isOld = known === undefined || nowMs - known.lastAtMs > FORGOTTEN_AFTER_MS;
    this.#failures.delete(from);
    this.#failures.set(from, { count: isOld ? 1 : known.count + 1, lastAtMs: nowMs });
    const oldest = this.#failures.keys().next().value;
    if (this.#failures.size > MOST_KEPT && oldest !== undefined) this.#failures.delete(oldest);
  }

  noteSuccess(from: string): void {
    this.#failures.delete(from);
    this.#minute.failures = Math.max(0, this.#minute.failures - 1);
  }
}
