import type { FailoverPolicy } from '../../domain/failover.ts';
import type { FailoverState } from './state.ts';

/** The DNS is read every 5 s: two readings that failed, and a little. */
const REACHES_MS = 12_000;
/** After a write of its own that failed an agent lets another try for so long. */
export const BENCHED_MS = 10_000;

/** What to do about the lease; `as-it-is` while a write that may need it is under way. */
export type LeaseWish = 'seek' | 'yield' | 'as-it-is';

/** Whether this agent could write now, had it the right to. The others are told. */
export function reachesDns({ readAtMs, writeFailed }: FailoverState, nowMs: number): boolean {
  const isBenched =
    writeFailed !== null && writeFailed.by === 'provider' && nowMs - writeFailed.atMs < BENCHED_MS;
  return readAtMs !== null && nowMs - readAtMs <= REACHES_MS && !isBenched;
}

/**
 * The right to write is of no use to an agent that cannot reach the DNS, and it would keep the others from it. The one
 * beside the server that the name points to would go down with it, and nobody could write until its lease has ended.
 */
export function leaseWish(state: FailoverState, nowMs: number, policy: FailoverPolicy): LeaseWish {
  if (state.publishing !== null) return 'as-it-is';
  const record = state.record?.record;
  const isBesideIt = record?.is === 'server' && record.server === policy.self;
  const isReplaceable = [...state.observations.values()].some(
    ({ agent, heardAtMs, reachesDns: reaches }) =>
      agent !== policy.self && reaches && nowMs - heardAtMs <= policy.freshMs,
  );
  return reachesDns(state, nowMs) && !(isBesideIt && isReplaceable) ? 'seek' : 'yield';
}
