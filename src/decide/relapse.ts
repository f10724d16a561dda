import type { LegId } from '../domain/ids.ts';
import type { Input } from '../domain/inputs.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { requiredHealthMs } from './desk.ts';
import { type Flap, failedAgain, steady } from './flap.ts';
import type { LegState } from './leg.ts';
import type { StationState } from './state.ts';

/** One fault of an encoder is found within this on every server: a trip delay and what lines differ by. */
const TOGETHER_MS = 10_000;

/**
 * The relay has changed the leg that it plays. A failure counts against the leg that it left, so that its return waits
 * longer, and against the same source on every server where it failed with it: one encoder feeds them all.
 */
export function afterOnAir(
  state: StationState,
  input: Input & { kind: 'on-air' },
  policy: StationPolicy,
): StationState {
  const desk = state.desks.get(policy.self);
  if (desk === undefined) return state;
  const left = input.from === null ? undefined : state.legs.get(input.from);
  const onAir = input.leg === null ? null : (state.legs.get(input.leg)?.leg.source ?? null);
  const desks = new Map(state.desks);
  desks.set(policy.self, { ...desk, onAir, lastSwitchAtMs: input.atMs });
  if (input.trigger === 'fault' && left !== undefined && input.from !== input.leg) {
    for (const leg of state.legs.values()) {
      const { server, source } = leg.leg;
      const of = desks.get(server);
      if (of === undefined || source !== left.leg.source) continue;
      const flap = of.flaps.get(source);
      if (leg !== left && !failsWith(left, leg, flap)) continue;
      const counted = failedAgain(flap ?? steady, input.atMs, policy.flap);
      desks.set(server, { ...of, flaps: new Map(of.flaps).set(source, counted) });
    }
  }
  return { ...state, desks };
}

/**
 * Its newest fault began with that of the leg that was left, and was not counted yet. It may be over: the relay leaves a
 * leg when the fault is about to be played, half a minute later after a return with the first words.
 */
function failsWith(left: LegState, leg: LegState, counted: Flap | undefined): boolean {
  if (left.failedAtMs === null || leg.failedAtMs === null) return false;
  if (counted !== undefined && leg.failedAtMs <= counted.atMs) return false;
  return Math.abs(leg.failedAtMs - left.failedAtMs) <= TOGETHER_MS;
}

/** How long a leg has to be good before the relay goes back to it: the restore delay and its hold-down, in ms. */
export function requiredLegHealthMs(
  state: StationState,
  id: LegId,
  nowMs: number,
  policy: StationPolicy,
): number {
  const leg = state.legs.get(id)?.leg;
  const desk = leg === undefined ? undefined : state.desks.get(leg.server);
  if (leg === undefined || desk === undefined) return policy.silence.restoreMs;
  return requiredHealthMs(desk, leg.source, nowMs, policy);
}
