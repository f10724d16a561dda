import type { Lease } from '../domain/failover.ts';

/** As `wiring/failover-start.ts` has it of the usual length. */
const LEASE_MS = 15_000;
const STEP_DOWN_MS = 14_000;
const RENEW_MS = 2_000;

/** The lease as the cluster keeps it: one holder, a new epoch for each, gone when it is given back or not renewed. */
export class SimLease {
  #held: { readonly holder: string; readonly epoch: number; readonly renewedMs: number } | null = null;
  #epoch = 0;

  /** What an agent that reaches the cluster learns when it asks for the lease or renews it. */
  seek(agent: string, nowMs: number): Lease {
    const held = this.#held;
    // One of its own that lapsed is taken anew, under an epoch of its own.
    const isLapsed =
      held !== null && nowMs - held.renewedMs >= (held.holder === agent ? STEP_DOWN_MS : LEASE_MS);
    if (held === null || isLapsed) {
      this.#epoch += 1;
      this.#held = { holder: agent, epoch: this.#epoch, renewedMs: nowMs };
    } else if (held.holder === agent && nowMs - held.renewedMs >= RENEW_MS) {
      this.#held = { ...held, renewedMs: nowMs };
    }
    return this.look(agent, nowMs);
  }

  /** An agent that reaches the cluster lets the lease be; others may have it at once. */
  yield(agent: string): void {
    if (this.#held?.holder === agent) this.#held = null;
  }

  look(agent: string, nowMs: number): Lease {
    if (this.#held === null || nowMs - this.#held.renewedMs >= LEASE_MS)
      return { is: 'lost', detail: 'nobody holds the lease yet' };
    const { holder, epoch, renewedMs } = this.#held;
    return holder === agent
      ? { is: 'ours', epoch, stepDownAtMs: renewedMs + STEP_DOWN_MS }
      : { is: 'theirs', holder };
  }

  /** Whether an agent may still believe that it holds the lease. */
  isHeldBy(agent: string, nowMs: number): boolean {
    return this.#held?.holder === agent && nowMs - this.#held.renewedMs < LEASE_MS;
  }
}
