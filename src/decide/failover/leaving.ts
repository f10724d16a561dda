import type { FailoverCommand, FailoverEvent, FailoverPolicy } from '../../domain/failover.ts';
import type { ServerName } from '../../domain/ids.ts';
import { type FailoverState, type Publishing, publishedServer } from './state.ts';
import type { FailoverStep } from './step.ts';

/** A server that was left because it failed. */
export interface Leaving {
  readonly server: ServerName;
  /** When its listeners are ended next, and how long after that the time after next would be. */
  readonly atMs: number;
  readonly gapMs: number;
  /** How often they have been ended. */
  readonly times: number;
  readonly because: string;
}

/**
 * Whose resolver still has the old answer comes back to the server that was left. Each ending waits twice as long as the
 * one before: so few of them outlast resolvers that keep answers for many minutes, and a player that never asks for the
 * name again is let be after the last.
 */
const MOST_TIMES = 7;
const LEAST_GAP_MS = 5_000;

/** What is being left once a publication is done: what is sick, and not what the name points to again. */
export function leftBy(
  { leaving, verdicts }: FailoverState,
  { server, from, because }: Publishing,
  nowMs: number,
  policy: FailoverPolicy,
): readonly Leaving[] {
  const others = leaving.filter((one) => one.server !== server && one.server !== from);
  const afterMs = policy.endListenersAfterMs;
  if (from === null || afterMs === null || verdicts.get(from)?.is !== 'ill') return others;
  const gapMs = Math.max(LEAST_GAP_MS, afterMs);
  return [...others, { server: from, atMs: nowMs + afterMs, gapMs, times: 0, because }];
}

/** Players that are still on a server that was left have to be ended to come back by name. */
export function endListeners(state: FailoverState, nowMs: number): FailoverStep {
  if (state.leaving.length === 0) return { state, commands: [], events: [] };
  const { sights, verdicts } = state;
  const current = publishedServer(state);
  const isBetterElsewhere = current !== null && verdicts.get(current)?.is === 'well';
  const commands: FailoverCommand[] = [];
  const events: FailoverEvent[] = [];
  const leaving = state.leaving.flatMap((one) => {
    const { server, because } = one;
    const health = sights.get(server)?.health;
    // Where the name points to again, listeners belong.
    if (current === server) return [];
    // Who takes no connections has no listeners to end, and may come back to life without sound.
    const isGone = health?.is === 'ill' && (health.illness === 'connect' || health.illness === 'resolve');
    // It may be heard again; and after a start, or when it stood still, this agent does not know yet.
    const isIll = verdicts.get(server)?.is === 'ill';
    if (nowMs < one.atMs || !isIll || isGone || !isBetterElsewhere) return [one];
    commands.push({ kind: 'end-listeners', server, because });
    events.push({ kind: 'listeners-ended', atMs: nowMs, server, because });
    const times = one.times + 1;
    return times < MOST_TIMES ? [{ ...one, times, atMs: nowMs + one.gapMs, gapMs: 2 * one.gapMs }] : [];
  });
  return { state: { ...state, leaving }, commands, events };
}
