import type { Lease } from '../domain/failover.ts';

const LEASE_MS = 15_000;
const STEP_DOWN_MS = 11_000;
const RENEW_MS = 2_000;

/** The lease as the cluster keeps it: one holder, a new epoch for each, gone when it is not renewed. */
export class SimLease {
  #held: { readonly holder: string; readonly epoch: number; readonly renewedMs: number } | null = null;
  #epoch = 0;

  /** What an agent that reaches the cluster learns when it asks for the lease or renews it. */
  seek(agent: string, nowMs: number): Lease {
    if (this.#held === null || nowMs - this.#held.renewedMs >= LEASE_MS) {
      this.#epoch += 1;
      this.#held = { holder: agent, epoch: this.#epoch, renewedMs: nowMs };
    }
    const { holder, epoch, renewedMs } = this.#held;
    if (holder !== agent) return { is: 'theirs', holder };
    if (nowMs - renewedMs >= RENEW_MS) this.#held = { holder, epoch, renewedMs: nowMs };
    return { is: 'ours', epoch, stepDownAtMs: this.#held.renewedMs + STEP_DOWN_MS };
  }

  /** Whether an agent may still believe that it holds the lease. */
  isHeldBy(agent: string, nowMs: number): boolean {
    return this.#held?.holder === agent && nowMs - this.#held.renewedMs < LEASE_MS;
  }
}
