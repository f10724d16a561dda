import type { Clock } from '../../platform/clock.ts';

/** A studio of sixty pages behind one address asks some 100 times a second. */
const REQUESTS_PER_SECOND = 200;
const MOST_AT_ONCE = 1_000;
/** What a wrong token costs of it: so many guesses get through in a second as make no difference. */
export const WRONG_TOKEN_COST = 100;
const MOST_KEPT = 10_000;

interface Bucket {
  left: number;
  atMs: number;
}

/** How much one address, or one IPv6 line, may ask for: a bucket that fills again by itself. */
export class RequestLimiter {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes what a request costs; false when there is not so much left. */
  take(from: string, cost = 1): boolean {
    const bucket = this.#bucketOf(from);
    if (bucket.left < cost) return false;
    bucket.left -= cost;
    return true;
  }

  /** Takes it in any case: what has happened already is paid for by what comes next. */
  charge(from: string, cost: number): void {
    const bucket = this.#bucketOf(from);
    bucket.left = Math.max(-MOST_AT_ONCE, bucket.left - cost);
  }

  #bucketOf(from: string): Bucket {
    const nowMs = this.#clock.nowMs();
    const known = this.#buckets.get(from) ?? { left: MOST_AT_ONCE, atMs: nowMs };
    const filled = ((nowMs - known.atMs) / 1000) * REQUESTS_PER_SECOND;
    known.left = Math.min(MOST_AT_ONCE, known.left + filled);
    known.atMs = nowMs;
    // The newest last, so that what is forgotten is what has been full for longest.
    this.#buckets.delete(from);
    this.#buckets.set(from, known);
    const oldest = this.#buckets.keys().next().value;
    if (this.#buckets.size > MOST_KEPT && oldest !== undefined) this.#buckets.delete(oldest);
    return known;
  }
}
