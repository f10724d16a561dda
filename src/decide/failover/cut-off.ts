import type { FailoverPolicy } from '../../domain/failover.ts';
import type { ServerName } from '../../domain/ids.ts';
import { hasFailedSince } from './health.ts';
import { type FailoverState, publishedServer } from './state.ts';
import type { FailoverStep } from './step.ts';

/** The DNS could not be reached from here: what failed as well may be no worse than our own line. */
export interface CutOff {
  /** When the DNS was reached again; null while it is not. */
  readonly backAtMs: number | null;
  /** Whether the server that the name points to was tried anew after that. */
  readonly isTried: boolean;
}

/**
 * A DNS that is reached only now and then must not hold an escape up again and again: whoever was cut off once since the
 * server was found ill, and back, has to see it fail once after that and not after each time.
 */
export function cutOffNow(state: FailoverState): CutOff {
  const { cutOff } = state;
  const current = publishedServer(state);
  const verdict = current === null ? undefined : state.verdicts.get(current);
  const wasBack =
    verdict?.is === 'ill' &&
    cutOff !== null &&
    cutOff.backAtMs !== null &&
    cutOff.backAtMs >= verdict.sinceMs;
  return wasBack ? cutOff : { backAtMs: null, isTried: false };
}

export function reachedAgain({ cutOff }: FailoverState, atMs: number): CutOff | null {
  return cutOff !== null && cutOff.backAtMs === null ? { backAtMs: atMs, isTried: false } : cutOff;
}

/**
 * Whether a server may be ill only because this agent was cut off: it has not failed since. In a cluster one agent's
 * line makes nobody ill, as most have to agree.
 */
export function mayBeOurLine(state: FailoverState, server: ServerName, policy: FailoverPolicy): boolean {
  const { cutOff, sights } = state;
  if (policy.mode === 'cluster' || cutOff === null) return false;
  const sight = sights.get(server);
  return cutOff.backAtMs === null || sight === undefined || !hasFailedSince(sight, cutOff.backAtMs);
}

/** What is to be left is tried at once when the DNS is reached again, beside a try that may hang since before. */
export function triedAnew(state: FailoverState, policy: FailoverPolicy): FailoverStep {
  const { cutOff } = state;
  const untried: FailoverStep = { state, commands: [], events: [] };
  const server = publishedServer(state);
  if (server === null || cutOff === null || cutOff.backAtMs === null || cutOff.isTried) return untried;
  if (state.verdicts.get(server)?.is !== 'ill' || !mayBeOurLine(state, server, policy)) return untried;
  return {
    ...untried,
    state: { ...state, cutOff: { ...cutOff, isTried: true } },
    commands: policy.stations.map((station) => ({ kind: 'probe', server, station, isAnew: true })),
  };
}
