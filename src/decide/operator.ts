import type { StationEvent } from '../domain/events.ts';
import type { Hold, OperatorRequest } from '../domain/operator.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { afterSwitch } from './choice.ts';
import { type Desk, isVerified, misfit, mountToLeave } from './desk.ts';
import type { Legs } from './leg.ts';

/** What an operator's request made of the desk. A refused one changes nothing and says why. */
export interface Answer {
  readonly desk: Desk;
  readonly events: readonly StationEvent[];
}

export function obey(
  desk: Desk,
  legs: Legs,
  request: OperatorRequest,
  acting: boolean,
  nowMs: number,
  policy: StationPolicy,
): Answer {
  const { server } = desk;
  const { author } = request;
  const refuse = (detail: string): Answer => ({
    desk,
    events: [{ kind: 'refused', atMs: nowMs, server, detail, author }],
  });
  if (!acting) return refuse(`another agent is at work on ${server}: ask that one`);
  if (request.do === 'release') {
    if (desk.hold === null) return refuse('there is no hold to release');
    return { desk: { ...desk, hold: null }, events: [holdEvent(desk, 'released', author, nowMs)] };
  }
  const untilMs = nowMs + request.forMs;
  const forText = `for ${Math.round(request.forMs / 60_000)} min`;
  if (request.do === 'hold') {
    const hold: Hold = { author, untilMs, source: null };
    return { desk: { ...desk, hold }, events: [holdEvent(desk, `held ${forText}`, author, nowMs)] };
  }
  const target = legs.find((leg) => leg.leg.source === request.source);
  const current = legs.find((leg) => leg.leg.source === desk.onAir);
  if (target === undefined) return refuse(`there is no source ${request.source}`);
  if (policy.mode === 'guard') {
    if (current === undefined) return refuse('this agent has only just started');
    const unfit = misfit(mountToLeave(current), target.view);
    if (unfit !== null) return refuse(unfit.detail);
  }
  if (!request.override && !isVerified(target.condition, nowMs, policy)) {
    return refuse(`${target.leg.mount} is not audible on ${server} now; override to go there all the same`);
  }
  const hold: Hold = { author, untilMs, source: request.source };
  const held = holdEvent(desk, `forced to ${request.source} ${forText}`, author, nowMs);
  // In relay mode the relay goes there by itself when it sees the hold.
  if (desk.onAir === null || desk.onAir === request.source || policy.mode === 'relay') {
    return { desk: { ...desk, hold }, events: [held] };
  }
  const moved = afterSwitch(desk, legs, request.source, 'operator', nowMs, policy);
  const switched: StationEvent = {
    kind: 'switched',
    atMs: nowMs,
    server,
    from: desk.onAir,
    to: request.source,
    trigger: 'operator',
    because: `${author} asked for it`,
  };
  return { desk: { ...moved, hold }, events: [held, switched] };
}

/** Ends a hold whose time is over. */
export function expireHold(desk: Desk, nowMs: number): Answer {
  if (desk.hold === null || nowMs < desk.hold.untilMs) return { desk, events: [] };
  return { desk: { ...desk, hold: null }, events: [holdEvent(desk, 'expired', desk.hold.author, nowMs)] };
}

/** Ends a hold of an agent that no longer acts on the server. */
export function dropHold(desk: Desk, nowMs: number): Answer {
  if (desk.hold === null) return { desk, events: [] };
  const { author } = desk.hold;
  return {
    desk: { ...desk, hold: null },
    events: [holdEvent(desk, 'ended as its own agent is back', author, nowMs)],
  };
}

function holdEvent(desk: Desk, detail: string, author: string, atMs: number): StationEvent {
  return { kind: 'hold-changed', atMs, server: desk.server, detail, author };
}
