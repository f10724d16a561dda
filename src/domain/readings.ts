import type { MonitorId } from './ids.ts';

/** Levels of one block of decoded sound (100 ms), as one monitor connection heard it. */
export interface LevelReading {
  readonly monitor: MonitorId;
  /** Monotonic time at which the last sample of the block was received, in ms. */
  readonly atMs: number;
  readonly durationMs: number;
  /** RMS per channel in dBFS; digital zero is -Infinity. */
  readonly rmsDbfs: readonly number[];
  /** Highest absolute sample per channel in dBFS; digital zero is -Infinity. */
  readonly peakDbfs: readonly number[];
  /** How much of the block was over the leg's silence threshold in any channel, in steps of 10 ms, in ms. */
  readonly audibleMs: number;
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
