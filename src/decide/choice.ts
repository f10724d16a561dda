import type { LegCondition } from '../domain/conditions.ts';
import type { SwitchTrigger } from '../domain/events.ts';
import type { SourceName } from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';
import {
  awayFrom,
  carriedByIcecast,
  type Desk,
  isVerified,
  misfit,
  mountToLeave,
  requiredHealthMs,
} from './desk.ts';
import { failedAgain, steady } from './flap.ts';
import type { LegState, Legs } from './leg.ts';

/** What should be on air on one server from now on. */
export type Choice =
  | { readonly do: 'stay' }
  | { readonly do: 'wait' }
  | { readonly do: 'take-over'; readonly source: SourceName; readonly because: string }
  | {
      readonly do: 'switch';
      readonly to: SourceName;
      readonly trigger: SwitchTrigger;
      readonly because: string;
    };

/** Connecting, decoding and proving positions may take this long at a start, before silence can begin to be timed. In ms. */
const START_MS = 8000;

const STAY: Choice = { do: 'stay' };

/**
 * The next choice for one server. Unknown never switches, a hold or a planned silence never switches, and with nothing
 * better we stay.
 */
export function choose(
  desk: Desk,
  legs: Legs,
  remembered: SourceName | null,
  nowMs: number,
  policy: StationPolicy,
  isSilencePlanned = false,
): Choice {
  if (desk.onAir === null) return takeOver(desk, legs, remembered, nowMs, policy);
  if (desk.hold !== null || isSilencePlanned) return STAY;
  const current = legs.find((leg) => leg.leg.source === desk.onAir);
  if (current === undefined) return STAY;
  switch (current.condition.is) {
    case 'unknown':
      return STAY;
    case 'faulty':
      return leave(desk, legs, current, current.condition, nowMs, policy);
    case 'audible':
      return comeBack(desk, legs, current, nowMs, policy);
  }
}

/**
 * The first choice after a start is what is heard already, so that a restart moves nobody: what we remember, or
 * else the first audible source. A leg that is still unknown is waited for.
 */
function takeOver(
  desk: Desk,
  legs: Legs,
  remembered: SourceName | null,
  nowMs: number,
  policy: StationPolicy,
): Choice {
  const waitedLongEnough = nowMs - desk.startedAtMs >= policy.silence.tripMs + START_MS;
  // Where an operator put listeners on another agent's page, this one may never have seen it on air.
  const forced = legs.find((leg) => leg.leg.source === desk.hold?.source);
  const last = forced ?? legs.find((leg) => leg.leg.source === remembered);
  const inOrder = last === undefined ? legs : [last, ...legs];
  if (desk.hold !== null && last !== undefined)
    return {
      do: 'take-over',
      source: last.leg.source,
      because: last === forced ? `${desk.hold.author} asked for it` : 'it was on air, and a hold is in force',
    };
  for (const leg of inOrder) {
    const { source } = leg.leg;
    if (leg.condition.is === 'faulty') continue;
    if (leg.condition.is === 'unknown') {
      if (!waitedLongEnough) return { do: 'wait' };
      return { do: 'take-over', source, because: 'nothing is known of it yet, so nothing is moved' };
    }
    const because =
      leg === last ? 'it was on air before this agent started' : 'first audible source in order';
    return { do: 'take-over', source, because };
  }
  const first = inOrder[0];
  if (first === undefined) return { do: 'wait' };
  return { do: 'take-over', source: first.leg.source, because: 'nothing is audible, so nothing is moved' };
}

/** The leg on air is dead: go now, whatever the dwell, to the best leg that is proven to sound. */
function leave(
  desk: Desk,
  legs: Legs,
  current: LegState,
  why: LegCondition & { is: 'faulty' },
  nowMs: number,
  policy: StationPolicy,
): Choice {
  const able = legs.filter(
    (leg) =>
      leg !== current &&
      isVerified(leg.condition, nowMs, policy) &&
      misfit(mountToLeave(current), leg.view) === null,
  );
  const target = able.find((leg) => !desk.onProbation.has(leg.leg.source)) ?? able[0];
  if (target === undefined) return STAY;
  const forS = ((nowMs - why.sinceMs) / 1000).toFixed(1);
  return {
    do: 'switch',
    to: target.leg.source,
    trigger: 'fault',
    because: `${current.leg.mount} is ${why.fault} for ${forS} s (${why.detail}); ${target.leg.mount} is audible`,
  };
}

/** The leg on air is fine, but a better one has been good for its whole restore delay. */
function comeBack(desk: Desk, legs: Legs, current: LegState, nowMs: number, policy: StationPolicy): Choice {
  if (desk.lastSwitchAtMs !== null && nowMs - desk.lastSwitchAtMs < policy.dwellMs) return STAY;
  for (const leg of legs) {
    if (leg === current) return STAY;
    if (leg.condition.is !== 'audible' || !isVerified(leg.condition, nowMs, policy)) continue;
    const goodMs = nowMs - leg.condition.sinceMs;
    const requiredMs = requiredHealthMs(desk, leg.leg.source, nowMs, policy);
    if (goodMs < requiredMs || misfit(mountToLeave(current), leg.view) !== null) continue;
    return {
      do: 'switch',
      to: leg.leg.source,
      trigger: 'return',
      because: `${leg.leg.mount} has been audible for ${(goodMs / 1000).toFixed(1)} s (asked: ${(requiredMs / 1000).toFixed(0)} s)`,
    };
  }
  return STAY;
}

/** The last act before this agent ends: nobody will bring listeners back later, so a source that sounds gets them now. */
export function lastChoice(desk: Desk, legs: Legs, nowMs: number, policy: StationPolicy): Choice {
  if (desk.onAir === null || desk.hold !== null) return STAY;
  const current = legs.find((leg) => leg.leg.source === desk.onAir);
  const best = legs.find((leg) => isVerified(leg.condition, nowMs, policy));
  if (current === undefined || best === undefined || best === current) return STAY;
  if (legs.indexOf(best) > legs.indexOf(current) && current.condition.is !== 'faulty') return STAY;
  if (misfit(mountToLeave(current), best.view) !== null) return STAY;
  return {
    do: 'switch',
    to: best.leg.source,
    trigger: 'stopping',
    because: `this agent stops and ${best.leg.mount} is audible`,
  };
}

/** The desk once it is known what is on air; sources before it in the order failed, and may still hold listeners. */
export function afterTakeOver(
  desk: Desk,
  legs: Legs,
  source: SourceName,
  rememberedAway: readonly SourceName[],
  nowMs: number,
): Desk {
  const rank = legs.findIndex((leg) => leg.leg.source === source);
  const failed = legs.slice(0, rank).filter((leg) => leg.condition.is === 'faulty');
  const away = [...rememberedAway, ...failed.map((leg) => leg.leg.source)].filter(
    (other) => other !== source,
  );
  return { ...desk, onAir: source, away: awayFrom(away, nowMs) };
}

/** The desk after a switch from what is on air to `to`. */
export function afterSwitch(
  desk: Desk,
  legs: Legs,
  to: SourceName,
  trigger: SwitchTrigger,
  nowMs: number,
  policy: StationPolicy,
): Desk {
  const { onAir } = desk;
  if (onAir === null) return desk;
  const left = [onAir, ...carriedByIcecast(legs, onAir, nowMs)];
  const away = [...desk.away.map((entry) => entry.source), ...left].filter((source) => source !== to);
  const flaps = new Map(desk.flaps);
  if (trigger === 'fault') flaps.set(onAir, failedAgain(flaps.get(onAir) ?? steady, nowMs, policy.flap));
  // Moves go elsewhere from now on: what failed before is no reason to wait.
  const sweeps = new Map([...desk.sweeps].map(([from, sweep]) => [from, { ...sweep, failures: 0 }]));
  return {
    ...desk,
    onAir: to,
    lastSwitchAtMs: nowMs,
    away: awayFrom(away, nowMs),
    flaps,
    sweeps,
  };
}
