import type { Random } from './random.ts';

export interface BackoffPolicy {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Doubling waits with ±10 % jitter, so that agents that failed together don't come back together. */
export class Backoff {
  readonly #policy: BackoffPolicy;
  readonly #random: Random;
  #failures = 0;

  constructor(policy: BackoffPolicy, random: Random) {
    this.#policy = policy;
    this.#random = random;
  }

  /** The next wait in ms. */
  nextMs(): number {
    const plainMs = Math.min(this.#policy.maxMs, this.#policy.firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return plainMs * (0.9 + 0.2 * this.#random.next());
  }

  /** Call when the thing has worked long enough to be trusted again. */
  succeeded(): void {
    this.#failures = 0;
  }
}
