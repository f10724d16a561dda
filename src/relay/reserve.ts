import { PCM_FRAMES_PER_MS } from '../audio/decode-command.ts';
import { AHEAD_FRAMES, goTo, joinInStep } from './joining.ts';
import {
  isOnProbation,
  LEAD_FRAMES,
  type LegSight,
  type RelayChoice,
  type Situation,
  STAY,
  VERIFIED_WITHIN_MS,
} from './situation.ts';
import type { TakeSight } from './take.ts';

/** A take whose newest sound is older than this is in a stall, and what it will have in hand after that isn't known. */
const LIVE_WITHIN_MS = 1_500;
/** With so much less than the delay in hand a fault may be heard before it is found. */
const SHORT_BY_MS = 1_000;
/** By so much a copy has to be better, and by half of it a return may be worse: the two never undo each other. */
const BETTER_BY_MS = 1_000;
const WORSE_BY_MS = BETTER_BY_MS / 2;

/** How old the newest sound of a take is; null in a stall. */
function ageMs({ nowMs }: Situation, take: TakeSight): number | null {
  const newestMs = take.timeOf(take.endFrame);
  return newestMs === null || nowMs - newestMs > LIVE_WITHIN_MS ? null : nowMs - newestMs;
}

/** How long from now that is heard which is live now: what is in hand to find a fault in. */
function inHandMs(situation: Situation, { take, frame }: { take: TakeSight; frame: number }): number | null {
  const newestAgeMs = ageMs(situation, take);
  return newestAgeMs === null ? null : (take.endFrame - frame) / PCM_FRAMES_PER_MS + newestAgeMs;
}

/** How much of a take has to be ahead of where it is joined, so that so much is in hand; null while that isn't known. */
function aheadFor(situation: Situation, take: TakeSight, neededMs: number): number | null {
  const newestAgeMs = ageMs(situation, take);
  return newestAgeMs === null ? null : Math.max(AHEAD_FRAMES, (neededMs - newestAgeMs) * PCM_FRAMES_PER_MS);
}

/** How much of a copy has to be ahead, so that a return to it leaves no less in hand; null while that isn't known. */
export function aheadForReturn(
  situation: Situation,
  onAir: { take: TakeSight; frame: number },
  take: TakeSight,
): number | null {
  const hereMs = inHandMs(situation, onAir);
  return hereMs === null
    ? null
    : aheadFor(situation, take, Math.min(hereMs, situation.policy.delayMs) - WORSE_BY_MS);
}

/**
 * The leg on air is fine, but its encoder has stood still: what it has in hand is too little to find a fault in before that
 * is heard, and would be for minutes. A copy in step that holds more is gone to.
 */
export function takeShelter(
  situation: Situation,
  current: LegSight,
  onAir: { take: TakeSight; frame: number },
): RelayChoice {
  const { nowMs, lastSwitchAtMs, legs, policy } = situation;
  if (lastSwitchAtMs !== null && nowMs - lastSwitchAtMs < policy.dwellMs) return STAY;
  const hereMs = inHandMs(situation, onAir);
  if (hereMs === null || hereMs >= policy.delayMs - SHORT_BY_MS) return STAY;
  const atFrame = onAir.frame + LEAD_FRAMES;
  for (const leg of legs) {
    const { condition } = leg;
    if (leg === current || condition.is !== 'audible' || isOnProbation(leg, nowMs)) continue;
    const take = leg.takes.findLast((one) => one.isOpen);
    if (take === undefined || nowMs - condition.verifiedAtMs > VERIFIED_WITHIN_MS) continue;
    const aheadFrames = aheadFor(situation, take, hereMs + BETTER_BY_MS);
    if (aheadFrames === null) continue;
    const join = joinInStep(situation, leg, take, onAir, atFrame, aheadFrames);
    if (join === null) continue;
    const because = `only ${(hereMs / 1_000).toFixed(1)} s of ${current.leg} are in hand; ${leg.leg} carries the same programme and holds more`;
    return goTo(situation, join, atFrame, 'fault', because);
  }
  return STAY;
}
