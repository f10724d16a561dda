import type { FailoverPolicy, PublishedRecord } from '../../domain/failover.ts';
import type { ServerName } from '../../domain/ids.ts';
import { holdDownAt } from '../flap.ts';
import {
  type Contest,
  type Dispute,
  type FailoverState,
  flapOf,
  type Publishing,
  publishedServer,
} from './state.ts';

/** Somebody sent listeners from a server that is well, as seen from here, to one that is ill. */
export function disagrees({ verdicts }: FailoverState, from: ServerName, to: ServerName): boolean {
  return from !== to && verdicts.get(from)?.is === 'well' && verdicts.get(to)?.is === 'ill';
}

/**
 * A contest is there only while two sites cannot see each other: it is over when the server that the name was taken to is
 * heard again, for longer when it was lost again and again, and at the latest when its time is up. A server that dies
 * meanwhile looks just like one that is cut off: the time grows by what its agent shows in the DNS, and by nothing else.
 */
export function contestNow(state: FailoverState, nowMs: number, policy: FailoverPolicy): Contest | null {
  const { contest, record, verdicts } = state;
  if (contest === null || nowMs >= contest.untilMs) return null;
  if (record?.record.is !== 'server') return contest;
  const { server } = record.record;
  const verdict = verdicts.get(server);
  if (verdict?.is !== 'well') return contest;
  const isOver = nowMs - verdict.sinceMs >= holdDownAt(flapOf(state, server), nowMs, policy.flap);
  return isOver ? null : contest;
}

/** How often who undid a move writes its own anew, and for how long another takes that for a sign of its life. */
const shownEveryMs = ({ contestedMs }: FailoverPolicy): number => 0.4 * contestedMs;
const believedForMs = ({ contestedMs }: FailoverPolicy): number => 0.5 * contestedMs;

/** What was read is another's word: how long it keeps this agent from undoing it, and whether this one disagrees. */
export function contestedBy(
  state: FailoverState,
  record: PublishedRecord,
  atMs: number,
  policy: FailoverPolicy,
): Pick<FailoverState, 'contest' | 'dispute'> {
  if (record.is !== 'server') return { contest: state.contest, dispute: null };
  const { server } = record;
  const before = publishedServer(state);
  const contest = contestAfter(state, server, atMs, policy);
  if (before === server) return { contest, dispute: state.dispute };
  // Who has to leave it alone undoes nothing: by then the other may be dead.
  const isTheirs = before !== null && contest === null && disagrees(state, before, server);
  return { contest, dispute: isTheirs ? 'theirs' : null };
}

function contestAfter(
  state: FailoverState,
  server: ServerName,
  atMs: number,
  policy: FailoverPolicy,
): Contest | null {
  const { contest, wrote, verdicts } = state;
  if (wrote !== null && disagrees(state, wrote.server, server))
    return { untilMs: wrote.atMs + policy.contestedMs };
  const stands = publishedServer(state) === server;
  // Somebody sees sound there, and says so again.
  if (contest === null || !stands || verdicts.get(server)?.is !== 'ill') return contest;
  return { untilMs: Math.max(contest.untilMs, atMs + believedForMs(policy)) };
}

/** Whoever undoes a move has to show from time to time that it is there still. */
export function disputeAfter(
  { dispute }: FailoverState,
  { trigger }: Publishing,
  atMs: number,
): Dispute | null {
  const isSign = dispute !== null && dispute !== 'theirs' && trigger === 'repair';
  const isUndoing = dispute === 'theirs' && trigger === 'fault';
  return isSign || isUndoing ? { shownAtMs: atMs } : null;
}

/** There is nothing to disagree on, and nobody to show oneself to, once all are seen to be well. */
export function disputeNow({ dispute, verdicts }: FailoverState): Dispute | null {
  const isAnyIll = [...verdicts.values()].some(({ is }) => is === 'ill');
  return isAnyIll ? dispute : null;
}

/** Whether those who cannot see this agent are due to see in the DNS that it is there. */
export function isSignDue({ dispute }: FailoverState, nowMs: number, policy: FailoverPolicy): boolean {
  return dispute !== null && dispute !== 'theirs' && nowMs - dispute.shownAtMs >= shownEveryMs(policy);
}
