import type { Leg, Mount, ServerName, SourceName, StationName } from './ids.ts';
import type { ProcessingValues } from './processing.ts';
import type { ProgrammeFault } from './readings.ts';

/** When silence counts as a fault and when sound counts as back. */
export interface SilencePolicy {
  /** RMS level in dBFS, per channel, under which a 10 ms step is quiet. */
  readonly thresholdDbfs: number;
  /** The same for a warning only: quieter than this for the trip delay is told, and nothing is done. Absent: never. */
  readonly warnDbfs?: number;
  /** How long quiet must last before it is a fault, in ms. */
  readonly tripMs: number;
  /** How long sound must last before a leg is good again, in ms. */
  readonly restoreMs: number;
  /** Sound inside a quiet run must add up to more than this within the trip delay to end it, so that clicks don't. In ms. */
  readonly soundMs: number;
}

/** What is to be done about faults in the sound itself. */
export interface ProgrammePolicy {
  /** How patient the meter is: held chords are no tone in classical music. */
  readonly preset: 'talk' | 'music' | 'classical';
  /** Faults for which listeners are moved; the others are told only. */
  readonly actOn: readonly ProgrammeFault[];
  /** What the station means to sound like, in LUFS; far from it is told. Absent: nothing is too loud or too quiet. */
  readonly targetLufs?: number;
}

/** Everything `decide/` may know of what the station wants. All durations in ms. */
export interface StationPolicy {
  readonly station: StationName;
  /** In relay mode the relay switches in the sound itself, so that no listener is ever moved. */
  readonly mode: 'guard' | 'relay';
  /** The server that this agent stands beside. */
  readonly self: ServerName;
  readonly servers: readonly ServerName[];
  /** Sources in order of preference. */
  readonly sources: readonly SourceName[];
  readonly legs: readonly Leg[];
  /** What the relay feeds on our own server; none in guard mode. */
  readonly publicMounts?: readonly Mount[];
  readonly silence: SilencePolicy;
  readonly programme: ProgrammePolicy;
  /** No byte for this long on an open connection: the leg is stalled. */
  readonly stallMs: number;
  /** A mount must be missing for this long (and in two looks) before it is absent. */
  readonly absentMs: number;
  /** Shortest time between two automatic switches, unless the leg on air is dead. */
  readonly dwellMs: number;
  /** A leg is a valid target only while its sound was verified within this time. */
  readonly verifiedWithinMs: number;
  readonly flap: FlapPolicy;
  /** The processing chain of the public mounts; null: there is none. Every agent's has to be the same. */
  readonly processing: ProcessingValues | null;
  /** The other agent's sign of life must be missing this long before its work is taken over. */
  readonly deputyAfterMs: number;
}

/** Each relapse after a return doubles the hold-down that is added to the next restore delay. */
export interface FlapPolicy {
  readonly holdDownMs: number;
  readonly holdDownMaxMs: number;
  readonly halfLifeMs: number;
}
