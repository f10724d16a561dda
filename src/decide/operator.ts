import type { StationEvent } from '../domain/events.ts';
import type { SourceName } from '../domain/ids.ts';
import type { Input } from '../domain/inputs.ts';
import { askedText } from '../domain/lengths.ts';
import type { Hold, HoldOrder, OrderId } from '../domain/operator.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { afterSwitch } from './choice.ts';
import { type Desk, isVerified, misfit, mountToLeave } from './desk.ts';
import type { Legs } from './leg.ts';
import type { StationState } from './state.ts';

/** What an operator's request made of the desk. A refused one changes nothing and says why. */
export interface Answer {
  readonly desk: Desk;
  readonly events: readonly StationEvent[];
}

export function obey(
  desk: Desk,
  legs: Legs,
  { request, atMs: nowMs, unixMs }: Input & { kind: 'operator' },
  acting: boolean,
  policy: StationPolicy,
): Answer {
  const { server } = desk;
  const { author } = request;
  const refuse = (detail: string): Answer => ({
    desk,
    events: [{ kind: 'refused', atMs: nowMs, server, detail, author }],
  });
  if (!acting) return refuse(`another agent is at work on ${server}: ask that one`);
  // Two that were asked within a second, or a clock that was put back, leave the newer word the newer.
  const unixSeconds = Math.max(Math.floor(unixMs / 1000), (desk.order?.unixSeconds ?? 0) + 1);
  const ordered = { ...desk, order: { unixSeconds, by: policy.self, author } };
  if (request.do === 'release') {
    if (desk.hold === null) return refuse('there is no hold to release');
    return { desk: { ...ordered, hold: null }, events: [holdEvent(desk, 'released', author, nowMs)] };
  }
  const untilMs = nowMs + request.forMs;
  if (request.do === 'hold')
    return underHold(ordered, legs, { author, untilMs, source: null }, nowMs, policy);
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
  return underHold(ordered, legs, { author, untilMs, source: request.source }, nowMs, policy);
}

/**
 * What an operator asked of another agent goes for this one too, when it is newer than what this one knows: whoever stands
 * in obeys the holds of the agent that is gone, and that one what its deputy was asked meanwhile. Null: it is no news.
 */
export function follow(
  desk: Desk,
  legs: Legs,
  order: HoldOrder,
  acting: boolean,
  nowMs: number,
  policy: StationPolicy,
): Answer | null {
  const { unixSeconds, by, author } = order;
  if (desk.order !== null && !isNewer(order, desk.order)) return null;
  const ordered = { ...desk, order: { unixSeconds, by, author } };
  if (order.hold === null || order.hold.untilMs <= nowMs) {
    const events = desk.hold === null ? [] : [holdEvent(desk, `released at ${by}`, author, nowMs)];
    return { desk: { ...ordered, hold: null }, events };
  }
  // A source that this agent's config doesn't know can't be put on: nothing is touched all the same.
  const isKnown = legs.some((leg) => leg.leg.source === order.hold?.source);
  const hold: Hold = { author, untilMs: order.hold.untilMs, source: isKnown ? order.hold.source : null };
  const answer = underHold(ordered, legs, hold, nowMs, policy, ` at ${by}`);
  // Who only watches puts nothing on; it knows what is.
  return acting ? answer : { ...answer, events: answer.events.filter(({ kind }) => kind !== 'switched') };
}

/** The newest word of an operator on each server, for the other agents. */
export function ordersOf(state: StationState): readonly HoldOrder[] {
  return [...state.desks.values()].flatMap(({ server, order, hold }) =>
    order === null ? [] : { ...order, server, hold },
  );
}

/** Ends a hold whose time is over. */
export function expireHold(desk: Desk, nowMs: number): Answer {
  if (desk.hold === null || nowMs < desk.hold.untilMs) return { desk, events: [] };
  return { desk: { ...desk, hold: null }, events: [holdEvent(desk, 'expired', desk.hold.author, nowMs)] };
}

/** The desk from now on under a hold, with the source on the air that was forced. */
function underHold(
  desk: Desk,
  legs: Legs,
  hold: Hold,
  nowMs: number,
  policy: StationPolicy,
  where = '',
): Answer {
  const { author, source, untilMs } = hold;
  const { onAir } = desk;
  const what = source === null ? 'held' : `forced to ${source}`;
  const held = holdEvent(desk, `${what} for ${askedText(untilMs - nowMs)}${where}`, author, nowMs);
  // In relay mode the relay goes there by itself when it sees the hold.
  if (source === null || onAir === null || onAir === source || policy.mode === 'relay')
    return { desk: { ...desk, hold }, events: [held] };
  const moved = afterSwitch(desk, legs, source, 'operator', nowMs, policy);
  return {
    desk: { ...moved, hold },
    events: [held, switchedEvent(desk, onAir, source, author, where, nowMs)],
  };
}

function switchedEvent(
  { server }: Desk,
  from: SourceName,
  to: SourceName,
  author: string,
  where: string,
  atMs: number,
): StationEvent {
  const because = `${author} asked for it${where}`;
  return { kind: 'switched', atMs, server, from, to, trigger: 'operator', because };
}

function isNewer(one: OrderId, other: OrderId): boolean {
  return one.unixSeconds > other.unixSeconds || (one.unixSeconds === other.unixSeconds && one.by > other.by);
}

function holdEvent(desk: Desk, detail: string, author: string, atMs: number): StationEvent {
  return { kind: 'hold-changed', atMs, server: desk.server, detail, author };
}
