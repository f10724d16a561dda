import type { FailoverPolicy } from '../../domain/failover.ts';
import type { ServerName } from '../../domain/ids.ts';
import { holdDownAt } from '../flap.ts';
import { type Contest, type FailoverState, flapOf } from './state.ts';

/** Somebody sent listeners from a server that is well, as seen from here, to one that is ill. */
export function disagrees({ verdicts }: FailoverState, from: ServerName, to: ServerName): boolean {
  return from !== to && verdicts.get(from)?.is === 'well' && verdicts.get(to)?.is === 'ill';
}

/**
 * A contest is there only while two sites cannot see each other: it is over when the server that the name was taken to is
 * heard again, for longer when it was lost again and again, and at the latest when its time is up. It never grows, since a
 * server that dies meanwhile looks just like one that is cut off.
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
