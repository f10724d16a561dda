import { PCM_FRAMES_PER_MS } from '../audio/decode-command.ts';
import { offsetAt, type Same } from './alignment.ts';
import { AHEAD_FRAMES, goTo, type Join, joinAt } from './joining.ts';
import { REACH_FRAMES } from './leaving.ts';
import { aheadForReturn } from './reserve.ts';
import {
  LEAD_FRAMES,
  type LegSight,
  PREROLL_MS,
  type RelayChoice,
  type Situation,
  STAY,
  VERIFIED_WITHIN_MS,
} from './situation.ts';
import type { TakeSight } from './take.ts';

/** How long a return waits to learn whether the leg carries the same programme. */
const ALIGN_WITHIN_MS = 10_000;
const ALMOST_MS = 3_000;

/** The leg on air is fine; one before it in the order that has been good for its restore delay is gone back to. */
export function comeBack(
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
    const atFrame = onAir.frame + LEAD_FRAMES;
    const relation = situation.relationOf(take, atFrame);
    if (relation.is === 'unknown') {
      // A copy that has paused is looked for anew, and found within seconds.
      const isFoundSoon = situation.relationOf(take).is === 'same';
      if (isFoundSoon || goodMs < leg.requiredHealthMs + ALIGN_WITHIN_MS) return STAY;
    }
    const join =
      relation.is === 'same'
        ? joinAsCopy(situation, leg, take, relation, onAir, atFrame)
        : joinAtFirstWords(situation, take, condition.sinceMs);
    if (join === null || !join.isProven || join.frame + AHEAD_FRAMES > take.endFrame) continue;
    return goTo(situation, join, atFrame, 'return', because);
  }
  return STAY;
}

/**
 * The moment that is played, as a copy has it. Null while the copy doesn't hold that, or too little after it, but will: its
 * new connection doesn't go back so far, or it is behind by more than the latency has grown to. There is no hurry to go back
 * to it, and a jump would be heard.
 */
function joinAsCopy(
  situation: Situation,
  leg: LegSight,
  take: TakeSight,
  relation: Same,
  onAir: { take: TakeSight; frame: number },
  atFrame: number,
): Join | null {
  const { nowMs, latencyMs } = situation;
  const aheadFrames = aheadForReturn(situation, onAir, take);
  if (aheadFrames === null) return null;
  const frame = atFrame + offsetAt(relation, atFrame);
  if (frame < take.startFrame + REACH_FRAMES) return null;
  const behindMs = nowMs - (onAir.take.timeOf(onAir.frame) ?? nowMs);
  const lackingFrames = frame + aheadFrames - take.endFrame;
  if (lackingFrames > 0 && lackingFrames <= (latencyMs - behindMs) * PCM_FRAMES_PER_MS) return null;
  return joinAt(situation, leg, take, onAir, atFrame, aheadFrames);
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
