import type { LegId } from '../domain/ids.ts';
import type { Input } from '../domain/inputs.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { type LegState, withGap, withLink, withLook, withPulse, withReading } from './leg.ts';
import { type Answer, follow, obey } from './operator.ts';
import { asExpected } from './planned-silence.ts';
import { afterOnAir } from './relapse.ts';
import { Round, type Step } from './round.ts';
import { withServerGap, withServerLook } from './server.ts';
import { legsOn, type StationState, updateLeg, withEntry } from './state.ts';
import { withMoveResult } from './sweep.ts';

/**
 * The one decision of the house: what was learned goes in, what is to be done and what happened come out. Pure: the
 * same inputs give the same steps, in production, in the simulator and in replay.
 */
export function step(state: StationState, input: Input, policy: StationPolicy): Step {
  switch (input.kind) {
    case 'link':
      return quietly(updateLeg(state, input.leg, (leg) => withLink(leg, input.link)));
    case 'pulse':
      return quietly(updateLeg(state, input.leg, (leg) => withPulse(leg, input.pulse)));
    case 'levels':
      return quietly(
        updateLeg(state, input.leg, (leg) =>
          withReading(leg, asExpected(input.reading, leg.sensor, state.silence)),
        ),
      );
    case 'tick':
      return new Round(state, policy, input.atMs).run();
    case 'look':
      return new Round(afterLook(state, input, policy), policy, input.atMs).run();
    case 'on-air':
      return new Round(afterOnAir(state, input, policy), policy, input.atMs).run();
    case 'planned-silence': {
      const { fromMs, untilMs, says } = input;
      return quietly({ ...state, silence: { fromMs, untilMs, says } });
    }
    case 'gap':
      return quietly(afterGap(state, input.atMs));
    case 'result':
      return afterResult(state, input, policy);
    case 'operator':
      return afterRequest(state, input, policy);
    case 'heard-order':
      return afterHeardOrder(state, input, policy);
    case 'stop':
      return new Round({ ...state, stopping: true }, policy, input.atMs).finish();
  }
}

const NOTHING = { commands: [], events: [] } as const;

function quietly(state: StationState): Step {
  return { state, ...NOTHING };
}

/** Nothing that was measured before or across the gap speaks of the mounts. */
function afterGap(state: StationState, atMs: number): StationState {
  const legs = new Map(state.legs);
  for (const [id, leg] of legs) legs.set(id, withGap(leg, atMs));
  const servers = new Map(state.servers);
  for (const [name, server] of servers) servers.set(name, withServerGap(server, atMs));
  return { ...state, legs, servers };
}

function afterLook(
  state: StationState,
  input: Input & { kind: 'look' },
  policy: StationPolicy,
): StationState {
  const server = state.servers.get(input.server);
  if (server === undefined) return state;
  const { look } = input;
  const servers = withEntry(state.servers, input.server, withServerLook(server, look, policy.station));
  if (!look.ok) return { ...state, servers };
  const legs = new Map<LegId, LegState>();
  for (const [id, leg] of state.legs)
    legs.set(id, leg.leg.server === input.server ? withLook(leg, look, policy) : leg);
  return { ...state, servers, legs };
}

/** The result, and at once the monitor that the move carried away connects anew, so that the mount is heard again. */
function afterResult(state: StationState, input: Input & { kind: 'result' }, policy: StationPolicy): Step {
  for (const [server, desk] of state.desks) {
    const answered = withMoveResult(desk, input.command, input.outcome);
    if (answered === null) continue;
    const round = new Round(
      { ...state, desks: withEntry(state.desks, server, answered.desk) },
      policy,
      input.atMs,
    );
    const { from, to } = answered;
    const { is, detail } = input.outcome;
    const text = is === 'done' ? detail : `${is}: ${detail}`;
    round.events.push({ kind: 'moved', atMs: input.atMs, server, from, to, detail: text });
    for (const leg of legsOn(state, server, policy)) {
      if (leg.leg.mount === from)
        round.reconnect(leg, 'its listeners were moved, and this monitor with them');
    }
    return round.result();
  }
  return quietly(state);
}

function afterRequest(state: StationState, input: Input & { kind: 'operator' }, policy: StationPolicy): Step {
  const { request } = input;
  const desk = state.desks.get(request.server);
  const server = state.servers.get(request.server);
  if (desk === undefined || server === undefined) return quietly(state);
  const legs = legsOn(state, request.server, policy);
  return afterAnswer(state, obey(desk, legs, input, server.role !== 'watching', policy), input.atMs, policy);
}

function afterHeardOrder(
  state: StationState,
  { order, atMs }: Input & { kind: 'heard-order' },
  policy: StationPolicy,
): Step {
  const desk = state.desks.get(order.server);
  const server = state.servers.get(order.server);
  if (desk === undefined || server === undefined) return quietly(state);
  const legs = legsOn(state, order.server, policy);
  const answer = follow(desk, legs, order, server.role !== 'watching', atMs, policy);
  return answer === null ? quietly(state) : afterAnswer(state, answer, atMs, policy);
}

function afterAnswer(
  state: StationState,
  { desk, events }: Answer,
  atMs: number,
  policy: StationPolicy,
): Step {
  const round = new Round({ ...state, desks: withEntry(state.desks, desk.server, desk) }, policy, atMs);
  round.events.push(...events);
  return round.run();
}
