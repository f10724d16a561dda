import { PCM_FRAMES_PER_MS } from '../audio/decode-command.ts';
import { AHEAD_FRAMES } from './joining.ts';
import { REACH_FRAMES } from './leaving.ts';
import { LEAST_FADE_FRAMES, PREROLL_MS, type RelayChoice, type Situation, STAY } from './situation.ts';
import type { TakeSight } from './take.ts';

const ALIGN_AT_START_MS = 6_000;

/** Nothing is on air yet, or nothing was audible: the first leg in order whose proven sound goes back far enough. */
export function begin(situation: Situation): RelayChoice {
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
