import type { MonitorId } from './ids.ts';

/** Faults that are in the sound itself, found by the meter. Silence is not among them: the decision finds that. */
export const PROGRAMME_FAULTS = [
  'noise-only',
  'tone',
  'channel-lost',
  'phase-inverted',
  'stuck-loop',
] as const;
export type ProgrammeFault = (typeof PROGRAMME_FAULTS)[number];

/** What a person may want to know of the sound, and nothing is ever done about. */
export type ProgrammeWarning =
  | 'clipped'
  | 'too-loud'
  | 'too-quiet'
  | 'mono'
  | 'loop-suspected'
  /** Under the warn floor of `silence`, above which nobody has to be told anything. */
  | 'nearly-silent';

/** A fault that is established now, by the meter's own trip and restore delays. */
export interface FoundFault {
  readonly fault: ProgrammeFault;
  /** How long before the end of the block it began, in ms; when it was there from the first sound heard, at least so long. */
  readonly lastedMs: number;
}

/** What the meter makes of one block of sound. A level of digital silence is -Infinity; what isn't known yet is NaN. */
export interface SoundFigures {
  readonly durationMs: number;
  /** RMS per channel in dBFS. */
  readonly rmsDbfs: readonly number[];
  readonly samplePeakDbfs: number;
  readonly truePeakDbtp: number;
  readonly momentaryLufs: number;
  readonly shortTermLufs: number;
  readonly integratedLufs: number;
  readonly loudnessRangeLu: number;
  /** Of the first two channels, -1 to 1. */
  readonly correlation: number;
  /** How much of the block was sound: over the leg's silence threshold in any channel, or modulated as programme is. In ms. */
  readonly audibleMs: number;
  readonly faults: readonly FoundFault[];
  readonly warnings: readonly ProgrammeWarning[];
}

/** What is asked of the sound on its way to the public mounts: whether it is a programme was judged before. */
export type PlayedFigures = Pick<SoundFigures, 'truePeakDbtp' | 'momentaryLufs' | 'shortTermLufs'>;

/** One block of decoded sound (100 ms), as one monitor connection heard it. */
export interface LevelReading extends SoundFigures {
  readonly monitor: MonitorId;
  /** It was quiet, and that was planned: it counts as sound, but proves none. */
  readonly isWantedQuiet?: true;
  /** Monotonic time at which the last sample of the block was on the air, in ms. */
  readonly atMs: number;
  /** When it was here: later than `atMs` by what the encoder or the network was behind. Only a proof goes by it. */
  readonly arrivedAtMs: number;
}

/** What the decoder of one monitor connection is doing. A decoder that died says nothing about the sound. */
export type DecoderState = 'idle' | 'running' | 'restarting' | 'rejecting';

/**
 * A sign of life of one monitor connection, sent every 200 ms whether or not anything arrived.
 * `rejecting`: two fresh decoders in a row found no sound in the bytes, so the bytes are at fault, not the ear.
 */
export interface Pulse {
  readonly monitor: MonitorId;
  readonly atMs: number;
  readonly openedAtMs: number;
  /** When the last body byte came, or when the connection opened if none has. */
  readonly lastByteAtMs: number;
  readonly lastPcmAtMs: number | null;
  readonly decoder: DecoderState;
}

/** Why a monitor is not connected. Each is worth another word to the person who reads it. */
export type LinkFailure =
  | 'name-not-found'
  | 'refused'
  | 'timed-out'
  | 'tls'
  | 'mount-not-found'
  | 'unauthorised'
  | 'server-full'
  | 'bad-response'
  | 'redirected'
  | 'not-audio'
  | 'closed'
  | 'too-fast';

/** Where one monitor stands with its mount. */
export type Link =
  | { readonly is: 'waiting' }
  | { readonly is: 'connecting'; readonly sinceMs: number }
  | {
      readonly is: 'open';
      readonly sinceMs: number;
      readonly monitor: MonitorId;
      readonly contentType: string;
    }
  | {
      readonly is: 'failed';
      readonly sinceMs: number;
      readonly failure: LinkFailure;
      readonly detail: string;
    };

/** What the processing chain did in 100 ms. Loudness of silence is -Infinity, and NaN before so much was heard. */
export interface ProcessingReading {
  /** Of the sound that went in, since the start. */
  readonly endSeconds: number;
  readonly inMomentaryLufs: number;
  readonly inShortTermLufs: number;
  readonly outMomentaryLufs: number;
  readonly outShortTermLufs: number;
  readonly levellerGainDb: number;
  /** What is added for what the later stages take from the loudness, and to bring the last half minute to the target. */
  readonly makeupGainDb: number;
  /** From the lowest band to the highest; the most in the 100 ms, and never negative. */
  readonly bandReductionDb: readonly number[];
  readonly limiterReductionDb: number;
  /** Samples that were no numbers and were taken as zero, since the start. */
  readonly invalidTotal: number;
}
