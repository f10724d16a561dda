import { PCM_FRAMES_PER_MS, PCM_RATE_HZ } from '../audio/decode-command.ts';
import type { RelayTrigger } from '../domain/events.ts';
import { offsetAt, type Same } from './alignment.ts';
import { REACH_FRAMES } from './leaving.ts';
import type { ChoicePolicy, LegSight, RelayChoice, Situation } from './situation.ts';
import type { TakeSight } from './take.ts';

/** A leg is joined only where this much more of it is here, so that it doesn't run dry at once. */
export const AHEAD_FRAMES = 0.5 * PCM_RATE_HZ;
/** A leg that fails within this time of being joined is no way out. */
const GOOD_FOR_MS = 1_500;

export interface Join {
  readonly take: TakeSight;
  readonly frame: number;
  readonly same: Same | null;
  readonly isProven: boolean;
}

/**
 * Where a take would be joined when the one on air is left at `leaveFrame`, with so much of it ahead; null when it can't be.
 */
export function joinAt(
  situation: Situation,
  leg: LegSight,
  take: TakeSight,
  onAir: { take: TakeSight; frame: number },
  leaveFrame: number,
  aheadFrames = AHEAD_FRAMES,
): Join | null {
  if (!take.isOpen || take === onAir.take) return null;
  const relation = situation.relationOf(take, leaveFrame);
  const leaveMs =
    relation.is === 'different' || situation.hold !== null
      ? usualMs(situation, leaveFrame - onAir.frame)
      : onAir.take.timeOf(leaveFrame);
  const timed = leaveMs === null ? null : take.frameAt(leaveMs);
  const aligned = relation.is === 'same' ? leaveFrame + offsetAt(relation, leaveFrame) : null;
  const fits = (frame: number) =>
    frame >= take.startFrame + REACH_FRAMES && frame + aheadFrames <= take.endFrame;
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

/** The same where it is proven to sound and carries on in step; null else. */
export function joinInStep(...where: Parameters<typeof joinAt>): Join | null {
  const join = joinAt(...where);
  return join === null || join.same === null || !join.isProven ? null : join;
}

/**
 * What is played `aheadFrames` from now at the usual distance from the live edge. Another programme, or what an operator
 * asks for, is joined there: copies that lie behind each other would else use the latency up, switch by switch.
 */
function usualMs({ nowMs, latencyMs }: Situation, aheadFrames: number): number {
  return nowMs - latencyMs + aheadFrames / PCM_FRAMES_PER_MS;
}

export function goTo(
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

export function fadeOf(join: Join, policy: ChoicePolicy): number {
  return (join.same === null ? policy.differentFadeMs : policy.sameFadeMs) * PCM_FRAMES_PER_MS;
}
