import { PCM_RATE_HZ } from '../audio/decode-command.ts';
import type { LegCondition } from '../domain/conditions.ts';
import type { RelayTrigger } from '../domain/events.ts';
import type { LegId } from '../domain/ids.ts';
import type { Relation } from './alignment.ts';
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
  /** How far behind the live edge is wanted where no copy is behind: what finding a fault takes. */
  readonly delayMs: number;
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
  /** With a frame of the take on air: where no pause has made that unknown. */
  relationOf(take: TakeSight, frame?: number): Relation;
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

export const STAY: RelayChoice = { do: 'stay' };
/** What is decided now is heard this much later. */
export const LEAD_FRAMES = 0.1 * PCM_RATE_HZ;
export const LEAST_FADE_FRAMES = 0.01 * PCM_RATE_HZ;
/** Of what comes before the first proven sound. */
export const PREROLL_MS = 50;
/** A leg that isn't left in need is gone to only when it was heard to be good within this time. */
export const VERIFIED_WITHIN_MS = 5_000;

/** It has failed, and has not been good for long enough since. */
export function isOnProbation({ condition, verdicts, requiredHealthMs }: LegSight, nowMs: number): boolean {
  if (condition.is !== 'audible') return true;
  const hasFailed = verdicts.faultAfter(Number.NEGATIVE_INFINITY) !== null;
  return hasFailed && nowMs - condition.sinceMs < requiredHealthMs;
}
