import { PCM_FRAMES_PER_MS, PCM_RATE_HZ } from '../audio/decode-command.ts';
import type { LegCondition } from '../domain/conditions.ts';
import type { RelayTrigger } from '../domain/events.ts';
import type { LegId } from '../domain/ids.ts';
import { offsetAt, type Relation, type Same } from './alignment.ts';
import { type Leaving, REACH_FRAMES, whereToLeave } from './leaving.ts';
import type { TakeSight } from './take.ts';
import type { Verdicts } from './verdicts.ts';

/** One leg as the choice sees it. */
export interface LegSight {
  readonly leg: LegId;
  readonly condition: LegCondition;
  readonly verdicts: Verdicts;
  /** The newest last. */
  readonly takes: readonly TakeSight[];
  /** How long it has to be good before it is gone back to: the restore delay, and what flapping adds to it. */
  readonly requiredHealthMs: number;
}

export interface ChoicePolicy {
  readonly dwellMs: number;
  /** At the start an unknown leg of higher rank is waited for this long. */
  readonly startWithinMs: number;
  /** A return keeps the first words up to this latency; past it, it goes to the usual distance from the live edge. */
  readonly mostLatencyMs: number;
  readonly sameFadeMs: number;
  readonly differentFadeMs: number;
}

/** Everything that the choice of a leg rests on, at one moment. */
export interface Situation {
  readonly nowMs: number;
  readonly startedAtMs: number;
  readonly lastSwitchAtMs: number | null;
  /** In order of preference. */
  readonly legs: readonly LegSight[];
  /** Null: nothing is on air but the noise floor. */
  readonly onAir: { readonly take: TakeSight; readonly frame: number } | null;
  readonly hasPlayed: boolean;
  /** There is a file for when no leg is good: better than a leg that is known to be faulty. */
  readonly hasEmergency: boolean;
  readonly policy: ChoicePolicy;
  /** An operator's "don't touch", and the leg that was asked for, if one was. */
  readonly hold: RelayHold | null;
  /** How far behind the live edge is wanted now. */
  readonly latencyMs: number;
  relationOf(take: TakeSight): Relation;
  /** The frame at which sound ends when silence begins near `frame`; a block of levels is too coarse to say. */
  soundEndNear(take: TakeSight, frame: number): number;
}

export interface RelayHold {
  readonly author: string;
  readonly leg: LegId | null;
  /** Silence is planned for now. */
  readonly isSilence?: boolean;
}

export type RelayChoice =
  | { readonly do: 'stay' }
  | {
      readonly do: 'switch';
      /** Frame of the take on air where the fade begins; 0 when nothing is on air. */
      readonly atFrame: number;
      readonly to: { readonly take: TakeSight; readonly frame: number; readonly inverted: boolean } | null;
      readonly fadeFrames: number;
      readonly correlation: number;
      readonly trigger: RelayTrigger;
      readonly because: string;
    };

const STAY: RelayChoice = { do: 'stay' };
/** A leg is joined only where this much more of it is here, so that it doesn't run dry at once. */
const AHEAD_FRAMES = 0.5 * PCM_RATE_HZ;
/** A leg that fails within this time of being joined is no way out. */
const GOOD_FOR_MS = 1_500;
/** Splices are made this long before the fault, as encoders smear the edges of sound. */
const GUARD_FRAMES = 0.01 * PCM_RATE_HZ;
const LEAST_FADE_FRAMES = 0.01 * PCM_RATE_HZ;
const LEAD_FRAMES = 0.1 * PCM_RATE_HZ;
const PREROLL_MS = 50;
const VERIFIED_WITHIN_MS = 5_000;
/** How long a return waits to learn whether the leg carries the same programme. */
const ALIGN_WITHIN_MS = 10_000;
const ALMOST_MS = 3_000;
const ALIGN_AT_START_MS = 6_000;

/** Which leg is on air from when on. Pure: what is known goes in, the splice to be planned comes out. */
export function choose(situation: Situation): RelayChoice {
  const { onAir } = situation;
  if (onAir === null) return begin(situation);
  const current = situation.legs.find((leg) => leg.leg === onAir.take.leg);
  if (current === undefined) return STAY;
  const leaving = whereToLeave(situation, current, onAir);
  if (situation.hold !== null) return obey(situation, situation.hold, current, onAir, leaving);
  return leaving === null ? comeBack(situation, current, onAir) : leave(situation, current, onAir, leaving);
}

/** Held: nothing is done but what was asked for, and what keeps the stream from stopping. */
function obey(
  situation: Situation,
  hold: RelayHold,
  current: LegSight,
  onAir: { take: TakeSight; frame: number },
  leaving: Leaving | null,
): RelayChoice {
  if (leaving?.isEnd) {
    const renewed = current.takes.findLast((one) => one.isOpen);
    const join = renewed === undefined ? null : joinAt(situation, current, renewed, onAir, onAir.frame);
    if (join !== null) return goOn(situation, join, onAir.frame, `${current.leg} was connected to anew`);
  }
  // Silence was asked for, and is what a stream without sound gives.
  if (hold.isSilence) return STAY;
  if (leaving?.isEnd) return leave(situation, current, onAir, leaving);
  const wanted = situation.legs.find((leg) => leg.leg === hold.leg);
  const take = wanted?.takes.findLast((one) => one.isOpen);
  if (wanted === undefined || wanted === current || take === undefined) return STAY;
  const atFrame = onAir.frame + LEAD_FRAMES;
  const join = joinAt(situation, wanted, take, onAir, atFrame);
  return join === null
    ? STAY
    : goTo(situation, join, atFrame, 'operator', `${hold.author} asked for ${wanted.leg}`);
}

/** The same leg on its new connection, whatever is said of it: under a hold no other is wanted. */
function goOn(situation: Situation, join: Join, atFrame: number, because: string): RelayChoice {
  const choice = goTo(situation, join, atFrame, 'fault', because);
  return choice.do === 'switch' ? { ...choice, fadeFrames: LEAST_FADE_FRAMES } : choice;
}

function goTo(
  { policy }: Situation,
  join: Join,
  atFrame: number,
  trigger: RelayTrigger,
  because: string,
): RelayChoice {
  return {
    do: 'switch',
    atFrame,
    to: { take: join.take, frame: join.frame, inverted: join.same?.inverted ?? false },
    fadeFrames: fadeOf(join, policy),
    correlation: join.same?.peak ?? 0,
    trigger,
    because,
  };
}

interface Join {
  readonly take: TakeSight;
  readonly frame: number;
  readonly same: Same | null;
  readonly isProven: boolean;
}

/** Where a take would be joined when the one on air is left at `leaveFrame`; null when it can't be. */
function joinAt(
  situation: Situation,
  leg: LegSight,
  take: TakeSight,
  onAir: { take: TakeSight; frame: number },
  leaveFrame: number,
): Join | null {
  if (!take.isOpen || take === onAir.take) return null;
  const relation = situation.relationOf(take);
  const leaveMs =
    relation.is === 'different' || situation.hold !== null
      ? usualMs(situation, leaveFrame - onAir.frame)
      : onAir.take.timeOf(leaveFrame);
  const timed = leaveMs === null ? null : take.frameAt(leaveMs);
  const aligned = relation.is === 'same' ? leaveFrame + offsetAt(relation, leaveFrame) : null;
  const fits = (frame: number) =>
    frame >= take.startFrame + REACH_FRAMES && frame + AHEAD_FRAMES <= take.endFrame;
  const isAligned = aligned !== null && fits(aligned);
  const late = Math.max(timed ?? take.startFrame, take.startFrame + REACH_FRAMES + PCM_RATE_HZ);
  const frame = isAligned ? aligned : late;
  if (!fits(frame)) return null;
  const same = isAligned && relation.is === 'same' ? relation : null;
  const atMs = take.timeOf(frame);
  if (atMs === null) return null;
  const fault = leg.verdicts.faultAfter(atMs);
  const isAskedFor = situation.hold !== null && [situation.hold.leg, onAir.take.leg].includes(leg.leg);
  if (fault !== null && fault.fromMs < atMs + GOOD_FOR_MS && !isAskedFor) return null;
  return { take, frame, same, isProven: leg.verdicts.at(atMs) === 'proven' };
}

/**
 * What is played `aheadFrames` from now at the usual distance from the live edge. Another programme, or what an operator
 * asks for, is joined there: copies that lie behind each other would else use the latency up, switch by switch.
 */
function usualMs({ nowMs, latencyMs }: Situation, aheadFrames: number): number {
  return nowMs - latencyMs + aheadFrames / PCM_FRAMES_PER_MS;
}

/** The leg on air is at its end: the best other leg that is good there, or else what is left. */
function leave(
  situation: Situation,
  current: LegSight,
  onAir: { take: TakeSight; frame: number },
  leaving: Leaving,
): RelayChoice {
  const joins = situation.legs.flatMap((leg) =>
    [...leg.takes].reverse().flatMap((take) => {
      const join = joinAt(situation, leg, take, onAir, leaving.frame);
      return join === null ? [] : [{ leg, join }];
    }),
  );
  const able = joins.filter(({ leg, join }) => join.isProven && leg.condition.is === 'audible');
  const canBeHitless = able.some(({ join }) => join.same !== null);
  // What isn't in step, or not yet known to be, would be heard as a jump; it is gone back to later.
  const isOther = ({ leg, join }: (typeof able)[number]) =>
    leg !== current && situation.relationOf(join.take).is === 'different';
  const good = able.filter((one) => one.join.same !== null || !canBeHitless || isOther(one));
  const target =
    good.find(({ leg }) => leg === current || !isOnProbation(leg, situation.nowMs)) ??
    good[0] ??
    joins.find(({ leg }) => leg.condition.is !== 'faulty');
  if (target === undefined) {
    return leaving.isEnd || situation.hasEmergency ? toNoLeg(situation, onAir, leaving) : STAY;
  }
  const { join, leg } = target;
  const how = join.same === null ? 'is audible' : 'carries the same programme';
  const because =
    leg === current ? `${leg.leg} was connected to anew` : `${leaving.because}; ${leg.leg} ${how}`;
  const fadeFrames = fadeOf(join, situation.policy);
  const atFrame = Math.max(onAir.frame, leaving.frame - fadeFrames - GUARD_FRAMES);
  const room = leaving.frame - atFrame;
  // Another programme is in no step that had to be kept, and nothing of it may be missing under a long fade.
  const earliest = join.same === null ? join.take.startFrame + REACH_FRAMES : Number.NEGATIVE_INFINITY;
  const frame = Math.max(join.frame - room, earliest);
  return {
    do: 'switch',
    atFrame,
    to: { take: join.take, frame, inverted: join.same?.inverted ?? false },
    fadeFrames: Math.max(LEAST_FADE_FRAMES, Math.min(fadeFrames, room)),
    correlation: join.same?.peak ?? 0,
    trigger: 'fault',
    because,
  };
}

function fadeOf(join: Join, policy: ChoicePolicy): number {
  return (join.same === null ? policy.differentFadeMs : policy.sameFadeMs) * PCM_FRAMES_PER_MS;
}

/** To the emergency file or the noise floor, with the leg's last good sound under the fade as far as there is any. */
function toNoLeg({ policy }: Situation, onAir: { frame: number }, leaving: Leaving): RelayChoice {
  const fadeFrames = leaving.isEnd ? LEAST_FADE_FRAMES : policy.differentFadeMs * PCM_FRAMES_PER_MS;
  const atFrame = Math.max(onAir.frame, leaving.frame - fadeFrames - GUARD_FRAMES);
  return {
    do: 'switch',
    atFrame: leaving.isEnd ? onAir.frame : atFrame,
    to: null,
    fadeFrames: Math.max(LEAST_FADE_FRAMES, Math.min(fadeFrames, leaving.frame - atFrame)),
    correlation: 0,
    trigger: 'fault',
    because: `${leaving.because}, and no other leg is audible`,
  };
}

/** It has failed, and has not been good for long enough since. */
function isOnProbation({ condition, verdicts, requiredHealthMs }: LegSight, nowMs: number): boolean {
  if (condition.is !== 'audible') return true;
  const hasFailed = verdicts.faultAfter(Number.NEGATIVE_INFINITY) !== null;
  return hasFailed && nowMs - condition.sinceMs < requiredHealthMs;
}

/** The leg on air is fine; one before it in the order that has been good for its restore delay is gone back to. */
function comeBack(
  situation: Situation,
  current: LegSight,
  onAir: { take: TakeSight; frame: number },
): RelayChoice {
  const { nowMs, lastSwitchAtMs, legs } = situation;
  if (lastSwitchAtMs !== null && nowMs - lastSwitchAtMs < situation.policy.dwellMs) return STAY;
  for (const leg of legs) {
    if (leg === current) return STAY;
    const { condition } = leg;
    if (condition.is !== 'audible' || nowMs - condition.verifiedAtMs > VERIFIED_WITHIN_MS) continue;
    const goodMs = nowMs - condition.sinceMs;
    const take = leg.takes.findLast((one) => one.isOpen);
    if (take === undefined) continue;
    if (goodMs < leg.requiredHealthMs) {
      // It will be good enough in a moment: going to a worse one first would only be another switch.
      if (leg.requiredHealthMs - goodMs < ALMOST_MS) return STAY;
      continue;
    }
    const because = `${leg.leg} has been audible for ${(goodMs / 1_000).toFixed(1)} s`;
    const relation = situation.relationOf(take);
    if (relation.is === 'unknown' && goodMs < leg.requiredHealthMs + ALIGN_WITHIN_MS) return STAY;
    const atFrame = onAir.frame + LEAD_FRAMES;
    if (relation.is === 'same' && willBeInStep(situation, take, onAir, atFrame + offsetAt(relation, atFrame)))
      continue;
    const join =
      relation.is === 'same'
        ? joinAt(situation, leg, take, onAir, atFrame)
        : joinAtFirstWords(situation, take, condition.sinceMs);
    if (join === null || !join.isProven || join.frame + AHEAD_FRAMES > take.endFrame) continue;
    return goTo(situation, join, atFrame, 'return', because);
  }
  return STAY;
}

/**
 * Whether a copy doesn't hold the moment that is played yet, but will: its new connection doesn't go back so far, or it is
 * behind by more than the latency has grown to. There is no hurry to go back to it, and a jump would be heard.
 */
function willBeInStep(
  { nowMs, latencyMs }: Situation,
  take: TakeSight,
  onAir: { take: TakeSight; frame: number },
  frame: number,
): boolean {
  if (frame < take.startFrame + REACH_FRAMES) return true;
  if (frame + AHEAD_FRAMES <= take.endFrame) return false;
  const behindMs = nowMs - (onAir.take.timeOf(onAir.frame) ?? nowMs);
  return frame + AHEAD_FRAMES - (latencyMs - behindMs) * PCM_FRAMES_PER_MS <= take.endFrame;
}

/**
 * The first proven sound of a leg that came back, or the usual distance from the live edge when that is long ago; null while
 * that distance reaches back into its fault, as it does where the delay is longer than the restore delay.
 */
function joinAtFirstWords(situation: Situation, take: TakeSight, sinceMs: number): Join | null {
  const { nowMs, latencyMs, policy } = situation;
  const joinedAt = (frame: number): Join => ({ take, frame, same: null, isProven: true });
  const usual = take.frameAt(nowMs - latencyMs);
  const first = take.frameAt(sinceMs - PREROLL_MS);
  if (usual === null || first === null) return null;
  // An encoder that was started anew sounds from where its take begins, and there is nothing before that.
  const oldest = take.startFrame + REACH_FRAMES;
  const words = nowMs - sinceMs > policy.mostLatencyMs ? Math.max(usual, oldest) : Math.max(first, oldest);
  return words <= usual ? joinedAt(words) : null;
}

/** Nothing is on air yet, or nothing was audible: the first leg in order whose proven sound goes back far enough. */
function begin(situation: Situation): RelayChoice {
  const { nowMs, legs, latencyMs, hasPlayed, policy } = situation;
  const mayWait = !hasPlayed && nowMs - situation.startedAtMs < policy.startWithinMs;
  for (const leg of legs) {
    const { condition } = leg;
    if (condition.is === 'faulty') continue;
    if (condition.is === 'unknown') {
      if (mayWait) return STAY;
      continue;
    }
    const take = leg.takes.findLast((one) => one.isOpen);
    const frame = take?.frameAt(nowMs - latencyMs) ?? null;
    const isOld = nowMs - latencyMs >= condition.sinceMs - PREROLL_MS;
    if (take === undefined || frame === null || !isOld || frame < take.startFrame + REACH_FRAMES) {
      if (mayWait) return STAY;
      continue;
    }
    if (frame + AHEAD_FRAMES > take.endFrame) continue;
    if (!hasPlayed && isStillAligning(situation, take)) return STAY;
    return {
      do: 'switch',
      atFrame: 0,
      to: { take, frame, inverted: false },
      fadeFrames: (hasPlayed ? policy.differentFadeMs : policy.sameFadeMs) * PCM_FRAMES_PER_MS,
      correlation: 0,
      trigger: hasPlayed ? 'return' : 'start',
      because: `${leg.leg} is the first audible leg in order`,
    };
  }
  const isHopeless = !hasPlayed && !mayWait && legs.every(({ condition }) => condition.is === 'faulty');
  return isHopeless ? BEGIN_WITH_NO_LEG : STAY;
}

/** Only when every leg is known to be bad: an agent that is merely deaf leaves the mount to Icecast's own fallback. */
const BEGIN_WITH_NO_LEG: RelayChoice = {
  do: 'switch',
  atFrame: 0,
  to: null,
  fadeFrames: LEAST_FADE_FRAMES,
  correlation: 0,
  trigger: 'start',
  because: 'no leg is audible',
};

/** A copy that is behind asks for more latency; learnt later, it would take minutes to make room for it unheard. */
function isStillAligning(situation: Situation, first: TakeSight): boolean {
  const { nowMs, startedAtMs, latencyMs, legs } = situation;
  if (nowMs - startedAtMs > latencyMs + ALIGN_AT_START_MS) return false;
  return legs.some(
    ({ condition, takes }) =>
      condition.is === 'audible' &&
      takes.some((take) => take.isOpen && take !== first && situation.relationOf(take).is === 'unknown'),
  );
}
