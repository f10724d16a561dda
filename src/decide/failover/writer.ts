import type { FailoverPolicy } from '../../domain/failover.ts';
import type { ServerName } from '../../domain/ids.ts';
import type { FailoverState } from './state.ts';

export type MayWrite =
  | { readonly may: true; readonly epoch: number; readonly untilMs: number }
  | { readonly may: false; readonly because: string };

const no = (because: string): MayWrite => ({ may: false, because });

/** Who writes: the holder of the lease, or without a cluster the one whom the rule names. */
export function mayWrite(state: FailoverState, nowMs: number, policy: FailoverPolicy): MayWrite {
  const right = policy.mode === 'cluster' ? byLease(state, nowMs) : byRule(state, nowMs, policy);
  if (!right.may) return right;
  const standing = state.record?.epoch ?? 0;
  if (policy.mode === 'cluster' && right.epoch < standing) {
    return no(`the DNS holds epoch ${standing}, and ours is ${right.epoch}`);
  }
  return right;
}

function byLease({ lease, leaseSinceMs, lookedAtMs }: FailoverState, nowMs: number): MayWrite {
  switch (lease.is) {
    case 'lost':
      return no(`no lease: ${lease.detail}`);
    case 'theirs':
      return no(`${lease.holder} holds the lease`);
    case 'ours':
      if (nowMs >= lease.stepDownAtMs) return no('our lease has run out');
      // Whoever had it before may have given it away because of what it wrote.
      if ((lookedAtMs ?? Number.NEGATIVE_INFINITY) < (leaseSinceMs ?? nowMs))
        return no('what stands in the DNS has not been looked at since the lease is ours');
      return { may: true, epoch: lease.epoch, untilMs: lease.stepDownAtMs };
  }
}

/**
 * Alone, the agent beside the server next in preference writes, as it outlives the one that listeners are on; the
 * others only when those before them are gone with their servers. In a partition both sides think so: whoever finds its
 * write undone leaves the name alone for a while, so that each moves it once and they do not take turns.
 */
function byRule(state: FailoverState, nowMs: number, policy: FailoverPolicy): MayWrite {
  if (state.contest !== null) {
    const seconds = Math.round((state.contest.untilMs - nowMs) / 1000);
    return no(`another agent undid our last write; this one leaves the name alone for ${seconds} s`);
  }
  const [first, ...others] = policy.servers;
  const order = first === undefined ? others : [...others.slice(0, 1), first, ...others.slice(1)];
  for (const server of order) {
    if (server === policy.self) {
      return { may: true, epoch: (state.record?.epoch ?? 0) + 1, untilMs: nowMs + policy.writeWithinMs };
    }
    if (!isGone(state, server, nowMs, policy)) return no(`the agent beside ${server} writes`);
  }
  return no('this agent stands beside none of the servers');
}

/** A colleague is gone when its server gives nobody sound, or when it itself shows no life on a server that answers. */
function isGone(state: FailoverState, server: ServerName, nowMs: number, policy: FailoverPolicy): boolean {
  if (state.verdicts.get(server)?.is === 'ill') return true;
  const seenMs = state.colleagueSeenMs.get(server);
  // Before this agent has looked for as long as it takes to miss somebody, nobody is missing.
  return nowMs - Math.max(seenMs ?? state.startedAtMs, state.startedAtMs) >= policy.colleagueMs;
}
