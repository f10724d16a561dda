import type {
  FailoverCommand,
  FailoverEvent,
  FailoverInput,
  FailoverPolicy,
  Lease,
} from '../../domain/failover.ts';
import type { ServerName } from '../../domain/ids.ts';
import { failedAgain } from '../flap.ts';
import { failoverAlerts } from './alerts.ts';
import { amissIn, wishOf } from './choice.ts';
import { contestNow, disputeNow } from './contest.ts';
import { triedAnew } from './cut-off.ts';
import {
  forgetSamples,
  isProbeDue,
  judged,
  type ServerSight,
  withEar,
  withHeard,
  withProbe,
} from './health.ts';
import { BENCHED_MS } from './lease-rule.ts';
import { endListeners } from './leaving.ts';
import { followOrder, obeyFailover } from './operator.ts';
import { published, WRITE_AGAIN_MS } from './published.ts';
import { type FailoverState, flapOf, homeAt, publishedServer } from './state.ts';
import { verdictOn } from './verdict.ts';
import { mayWrite } from './writer.ts';

/** What one input led to. */
export interface FailoverStep {
  readonly state: FailoverState;
  readonly commands: readonly FailoverCommand[];
  readonly events: readonly FailoverEvent[];
}

/** The whole DNS decision: pure, and the same in the agent, in the simulator and in the tests. */
export function failoverStep(
  before: FailoverState,
  input: FailoverInput,
  policy: FailoverPolicy,
): FailoverStep {
  const taken = take(before, input, policy);
  // Sound comes ten times a second and server; the decision is made on what it adds up to.
  if (input.kind === 'heard') return taken;
  const seen = judgeAll(taken.state, input.atMs, policy);
  const tried = triedAnew(seen.state, policy);
  const ordered = order(tried.state, input.atMs, policy);
  const ended = endListeners(ordered.state, input.atMs);
  const told = failoverAlerts(ended.state, input.atMs, policy);
  const due = input.kind === 'tick' ? dueProbes(told.state, input.atMs, policy) : [];
  return {
    state: told.state,
    commands: [...tried.commands, ...ordered.commands, ...ended.commands, ...due],
    events: [...taken.events, ...seen.events, ...ordered.events, ...ended.events, ...told.events],
  };
}

const quietly = (state: FailoverState): FailoverStep => ({ state, commands: [], events: [] });

function take(state: FailoverState, input: FailoverInput, policy: FailoverPolicy): FailoverStep {
  const { atMs } = input;
  switch (input.kind) {
    case 'tick':
      return quietly(state);
    case 'probe':
      return quietly(sighted(state, input.server, (sight) => withProbe(sight, input.station, input, policy)));
    case 'ear':
      return quietly(
        sighted(state, input.server, (sight) => withEar(sight, input.station, input.ear, atMs, policy)),
      );
    case 'heard':
      return quietly(
        sighted(state, input.server, (sight) => withHeard(sight, input.station, input.block, policy)),
      );
    case 'colleague':
      if (!input.seen) return quietly(state);
      return quietly({ ...state, colleagueSeenMs: new Map(state.colleagueSeenMs).set(input.server, atMs) });
    case 'observation':
      return followOrder(
        {
          ...state,
          observations: new Map(state.observations).set(input.observation.agent, input.observation),
        },
        input.observation.order,
        atMs,
        policy,
      );
    case 'lease':
      return quietly({
        ...state,
        lease: input.lease,
        leaseSinceMs: leaseSinceMs(state, input.lease, atMs),
        noLeaseSinceMs: input.lease.is === 'lost' ? (state.noLeaseSinceMs ?? atMs) : null,
      });
    case 'record':
    case 'record-unread':
    case 'authorities':
    case 'published':
      return published(state, input, policy);
    case 'operator':
      return obeyFailover(state, input, policy);
    case 'heard-order':
      return followOrder(state, input.order, atMs, policy);
    case 'gap':
      return quietly({
        ...state,
        sights: new Map([...state.sights].map(([server, sight]) => [server, forgetSamples(sight, atMs)])),
        startedAtMs: atMs,
      });
  }
}

/** Under a new epoch it is another. */
function leaseSinceMs(
  { lease: before, leaseSinceMs: sinceMs }: FailoverState,
  lease: Lease,
  atMs: number,
): number | null {
  if (lease.is !== 'ours') return null;
  return before.is === 'ours' && before.epoch === lease.epoch ? sinceMs : atMs;
}

function sighted(
  state: FailoverState,
  server: ServerName,
  change: (sight: ServerSight) => ServerSight,
): FailoverState {
  const sight = state.sights.get(server);
  return sight === undefined ? state : { ...state, sights: new Map(state.sights).set(server, change(sight)) };
}

function judgeAll(state: FailoverState, nowMs: number, policy: FailoverPolicy): FailoverStep {
  const events: FailoverEvent[] = [];
  const sights = new Map<ServerName, ServerSight>();
  for (const [server, sight] of state.sights) {
    const next = judged(sight, nowMs, policy);
    sights.set(server, next);
    if (next.health.is !== sight.health.is)
      events.push({ kind: 'health-changed', atMs: nowMs, server, from: sight.health, to: next.health });
  }
  const seen = { ...state, sights };
  const verdicts = new Map(policy.servers.map((server) => [server, verdictOn(seen, server, nowMs, policy)]));
  const flaps = new Map(state.flaps);
  for (const [server, { is }] of verdicts) {
    // A server that keeps failing is gone back to ever later, whether or not listeners were on it; one that stayed dead
    // while this agent knew nothing of it has failed once.
    if (is === 'ill' && state.verdicts.get(server)?.known === 'well')
      flaps.set(server, failedAgain(flapOf(state, server), nowMs, policy.flap));
  }
  const hold = state.hold !== null && nowMs >= state.hold.untilMs ? null : state.hold;
  if (hold === null && state.hold !== null)
    events.push({ kind: 'dns-hold-changed', atMs: nowMs, detail: 'expired', author: state.hold.author });
  const after = { ...seen, verdicts, flaps, hold };
  const disputed = { contest: contestNow(after, nowMs, policy), dispute: disputeNow(after) };
  return { state: { ...after, ...disputed }, commands: [], events };
}

/** Orders the one publication that is wanted now, if this agent may write. */
function order(state: FailoverState, nowMs: number, policy: FailoverPolicy): FailoverStep {
  if (state.publishing !== null) return quietly(state);
  if (state.writeFailed !== null && nowMs - state.writeFailed.atMs < WRITE_AGAIN_MS) return quietly(state);
  const wish = wishOf(state, nowMs, policy);
  if (wish.is === 'stay') return quietly(withoutOldFailure(state, nowMs));
  const right = mayWrite(state, nowMs, policy);
  if (!right.may) return quietly(state);
  const from = publishedServer(state);
  const { to, trigger, because } = wish;
  return {
    state: {
      ...state,
      publishing: { server: to, epoch: right.epoch, from, trigger, because, sinceMs: nowMs },
    },
    commands: [
      {
        kind: 'publish',
        server: to,
        epoch: right.epoch,
        expectedEpoch: state.record?.epoch ?? null,
        because,
        deadlineMs: Math.min(right.untilMs, nowMs + policy.writeWithinMs),
      },
    ],
    events: [{ kind: 'dns-moving', atMs: nowMs, from, to, trigger, because, ...homeAt(to, policy) }],
  };
}

/** A write that nobody wants any more has not failed: the next one is another. */
function withoutOldFailure(state: FailoverState, nowMs: number): FailoverState {
  const { writeFailed } = state;
  const isOver = writeFailed !== null && amissIn(state) === null && nowMs - writeFailed.atMs >= BENCHED_MS;
  return isOver ? { ...state, writeFailed: null } : state;
}

function dueProbes(state: FailoverState, nowMs: number, policy: FailoverPolicy): FailoverCommand[] {
  return [...state.sights].flatMap(([server, sight]) =>
    policy.stations
      .filter((station) => isProbeDue(sight, station, nowMs, policy))
      .map((station) => ({ kind: 'probe' as const, server, station, isAnew: false })),
  );
}
