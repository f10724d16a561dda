import { PCM_RATE_HZ } from '../audio/decode-command.ts';
import type { LegSight, Situation } from './situation.ts';
import type { TakeSight } from './take.ts';
import type { Fault, Verdicts } from './verdicts.ts';

/** A join needs this much before it, for the fade and the interpolation. */
export const REACH_FRAMES = 0.05 * PCM_RATE_HZ;
/** Less than this before the end of the take on air, and the next block could not be played of it: it is running dry. */
const DRY_FRAMES = 0.25 * PCM_RATE_HZ;
/** Other faults are known to a block of levels only. */
const BLOCK_FRAMES = 0.1 * PCM_RATE_HZ;

export interface Leaving {
  readonly frame: number;
  /** There is nothing to be played from there on, good or bad. */
  readonly isEnd: boolean;
  readonly because: string;
}

/** The first moment ahead of the cursor that must not be heard, if there is one. */
export function whereToLeave(
  situation: Situation,
  leg: LegSight,
  onAir: { take: TakeSight; frame: number },
): Leaving | null {
  const { take, frame } = onAir;
  // A burst after a standstill of ours may bring more than is kept.
  if (frame < take.startFrame) return { frame, isEnd: true, because: 'its sound is not kept any more' };
  const atMs = take.timeOf(frame);
  const isDry = take.endFrame - frame < DRY_FRAMES;
  if (atMs !== null) {
    const lastFrame = Math.max(frame, take.endFrame - REACH_FRAMES);
    const fault = faultInSound(leg.verdicts, atMs);
    const faultFrame = fault === null ? null : whereFaulty(take, fault);
    if (fault !== null && faultFrame !== null && (take.isOpen || faultFrame < take.endFrame)) {
      const isSilence = fault.fault === 'silent' && fault.goodToMs >= fault.fromMs;
      const soundEnd = isSilence ? situation.soundEndNear(take, faultFrame) : faultFrame - BLOCK_FRAMES;
      const leaveFrame = Math.min(lastFrame, Math.max(frame, soundEnd));
      return { frame: leaveFrame, isEnd: isDry, because: whyFaulty(leg, situation.nowMs) };
    }
    if (!take.isOpen) {
      const leaveFrame = Math.min(
        lastFrame,
        Math.max(frame, provenTo(take, leg.verdicts, atMs) ?? lastFrame),
      );
      return { frame: leaveFrame, isEnd: isDry, because: `the connection to ${leg.leg} ended` };
    }
    if (leg.condition.is === 'faulty' && leg.condition.fault === 'stalled')
      return { frame: lastFrame, isEnd: isDry, because: whyFaulty(leg, situation.nowMs) };
  }
  return isDry ? { frame, isEnd: true, because: 'no sound comes any more' } : null;
}

function whereFaulty(take: TakeSight, fault: Fault): number | null {
  return fault.fault === 'absent' ? ownUpTo(take, fault.goodToMs) : take.frameAt(fault.goodToMs);
}

function provenTo(take: TakeSight, verdicts: Verdicts, atMs: number): number | null {
  return verdicts.at(atMs) === 'proven' ? ownUpTo(take, verdicts.provenFrom(atMs)) : null;
}

/**
 * What came after the last proof of a connection may be of another mount, which it was carried to, however early it is by
 * its own time, and whatever is proven of the leg by the connection after it.
 */
function ownUpTo(take: TakeSight, provenMs: number): number | null {
  const toMs = Math.min(provenMs, take.provenToMs ?? provenMs);
  const frame = take.frameAt(toMs);
  return frame === null ? null : Math.min(frame, take.hereBy(toMs));
}

/**
 * A stall is no fault in the sound that came before it, nor in what comes after it: either the network brings what it held
 * back, or the encoder goes on where it stood still. Both is heard without a gap, unless the take runs dry meanwhile.
 */
function faultInSound(verdicts: Verdicts, atMs: number): Fault | null {
  let fault = verdicts.faultAfter(atMs);
  while (fault?.fault === 'stalled') fault = verdicts.faultAfter(fault.toMs);
  return fault;
}

function whyFaulty({ condition, leg }: LegSight, nowMs: number): string {
  if (condition.is !== 'faulty') return `${leg} had failed for a while`;
  return `${leg} is ${condition.fault} for ${((nowMs - condition.sinceMs) / 1_000).toFixed(1)} s (${condition.detail})`;
}
