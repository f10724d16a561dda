import type { LegCondition, LegFault } from '../../../src/domain/conditions.ts';
import type { LegId } from '../../../src/domain/ids.ts';
import type { Relation, Same } from '../../../src/relay/alignment.ts';
import type { LegSight, RelayChoice, Situation } from '../../../src/relay/situation.ts';
import type { TakeSight } from '../../../src/relay/take.ts';
import { VerdictLine } from '../../../src/relay/verdicts.ts';

export const NOW_MS = 100_000;
export const LATENCY_MS = 7_000;
export const CURSOR_MS = NOW_MS - LATENCY_MS;
/** Frame n of every take here was live at n / 48 ms, so times and frames can be read off each other. */
export const frameOf = (ms: number) => ms * 48;
export const UNKNOWN: Relation = { is: 'unknown' };
export const copy = (offsetMs: number): Same => ({
  is: 'same',
  atFrame: 0,
  offsetFrames: frameOf(offsetMs),
  drift: 0,
  peak: 0.99,
  inverted: false,
});
export const DIFFERENT: Relation = { is: 'different', peak: 0.05 };

let nextTake = 1;
export function takeOf(
  leg: string,
  options: {
    fromMs?: number;
    toMs?: number;
    isOpen?: boolean;
    lateMs?: number;
    provenToMs?: number;
    lossAtMs?: number;
  } = {},
): TakeSight {
  const {
    fromMs = NOW_MS - 20_000,
    toMs = NOW_MS,
    isOpen = true,
    lateMs = 0,
    provenToMs = null,
    lossAtMs,
  } = options;
  return {
    id: nextTake++,
    leg: leg as LegId,
    startFrame: frameOf(fromMs),
    endFrame: frameOf(toMs),
    isOpen,
    timeOf: (frame) => frame / 48,
    frameAt: (ms) => Math.round(frameOf(ms)),
    provenToMs,
    wholeTo: (frame) =>
      lossAtMs === undefined || frame >= frameOf(lossAtMs) ? Number.POSITIVE_INFINITY : frameOf(lossAtMs),
    hereBy: (ms) => Math.round(frameOf(ms - lateMs)),
  };
}

interface LegPlan {
  readonly takes?: readonly TakeSight[];
  /** Conditions one after another, each with the time at which it was given. */
  readonly conditions: readonly (readonly [number, LegCondition])[];
}

export const audible = (sinceMs: number, verifiedAtMs = NOW_MS - 400): LegCondition => ({
  is: 'audible',
  sinceMs,
  verifiedAtMs,
});
export const faulty = (sinceMs: number, fault: LegFault = 'silent'): LegCondition => ({
  is: 'faulty',
  sinceMs,
  fault,
  detail: 'under -50 dBFS',
});
export const UNKNOWN_LEG: LegCondition = { is: 'unknown', sinceMs: NOW_MS - 3_000, reason: 'starting' };

export function legOf(name: string, plan: LegPlan): LegSight {
  const verdicts = new VerdictLine(300_000);
  for (const [atMs, condition] of plan.conditions) verdicts.note(condition, atMs);
  const condition = plan.conditions.at(-1)?.[1] ?? UNKNOWN_LEG;
  return {
    leg: name as LegId,
    condition,
    verdicts,
    takes: plan.takes ?? [takeOf(name)],
    requiredHealthMs: 10_000,
  };
}

export const good = (name: string, takes?: readonly TakeSight[]): LegSight =>
  legOf(name, { conditions: [[NOW_MS, audible(0)]], ...(takes === undefined ? {} : { takes }) });

/** Was good, and is silent since `sinceMs`. */
export const silentSince = (name: string, sinceMs: number): LegSight =>
  legOf(name, {
    conditions: [
      [sinceMs, audible(0, sinceMs)],
      [NOW_MS, faulty(sinceMs)],
    ],
  });

export function situation(
  legs: readonly LegSight[],
  onAir: LegSight | null,
  more: Partial<Situation> = {},
): Situation {
  const take = onAir?.takes[0];
  return {
    nowMs: NOW_MS,
    startedAtMs: 0,
    lastSwitchAtMs: null,
    legs,
    onAir: take === undefined ? null : { take, frame: frameOf(CURSOR_MS) },
    hasPlayed: true,
    hasEmergency: false,
    hold: null,
    latencyMs: LATENCY_MS,
    relationOf: () => DIFFERENT,
    soundEndNear: (_take, frame) => frame,
    policy: {
      delayMs: LATENCY_MS,
      dwellMs: 5_000,
      startWithinMs: 15_000,
      mostLatencyMs: 30_000,
      sameFadeMs: 20,
      differentFadeMs: 250,
    },
    ...more,
  };
}

export function switched(choice: RelayChoice): RelayChoice & { do: 'switch' } {
  if (choice.do !== 'switch') throw new Error('it stays');
  return choice;
}

/** When the fade is over, as times of the leg left and of the leg joined. */
export function spliceEnd(choice: RelayChoice & { do: 'switch' }) {
  return {
    leftMs: (choice.atFrame + choice.fadeFrames) / 48,
    joinedMs: ((choice.to?.frame ?? 0) + choice.fadeFrames) / 48,
  };
}
