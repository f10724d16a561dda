import { PCM_FRAMES_PER_MS, PCM_RATE_HZ } from '../audio/decode-command.ts';
import { begin } from './beginning.ts';
import { fadeOf, goTo, type Join, joinAt, joinInStep } from './joining.ts';
import { type Leaving, REACH_FRAMES, whereToLeave } from './leaving.ts';
import { takeShelter } from './reserve.ts';
import { comeBack } from './returning.ts';
import {
  isOnProbation,
  LEAD_FRAMES,
  LEAST_FADE_FRAMES,
  type LegSight,
  type RelayChoice,
  type RelayHold,
  type Situation,
  STAY,
} from './situation.ts';
import type { TakeSight } from './take.ts';

/** Splices are made this long before the fault, as encoders smear the edges of sound. */
const GUARD_FRAMES = 0.01 * PCM_RATE_HZ;

/** Which leg is on air from when on. Pure: what is known goes in, the splice to be planned comes out. */
export function choose(situation: Situation): RelayChoice {
  const { onAir } = situation;
  if (onAir === null) return begin(situation);
  const current = situation.legs.find((leg) => leg.leg === onAir.take.leg);
  if (current === undefined) return STAY;
  const leaving = whereToLeave(situation, current, onAir);
  if (situation.hold !== null) return obey(situation, situation.hold, current, onAir, leaving);
  if (leaving !== null) return leave(situation, current, onAir, beforeLoss(situation, onAir, leaving));
  const back = comeBack(situation, current, onAir);
  return back.do === 'switch' ? back : takeShelter(situation, current, onAir);
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

/**
 * What comes after a pause in which some of the programme was lost begins with a jump, and how it lies to the copies isn't
 * known yet: where one is in step before it, the leg is left there.
 */
function beforeLoss(
  situation: Situation,
  onAir: { take: TakeSight; frame: number },
  leaving: Leaving,
): Leaving {
  const frame = onAir.take.wholeTo(onAir.frame);
  if (frame <= onAir.frame || frame >= leaving.frame) return leaving;
  const isInStep = (leg: LegSight) =>
    leg.condition.is === 'audible' &&
    leg.takes.some((take) => joinInStep(situation, leg, take, onAir, frame) !== null);
  return situation.legs.some(isInStep) ? { ...leaving, frame } : leaving;
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
