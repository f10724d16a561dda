import type { DecoderState } from '../domain/readings.ts';
import type { Demuxer } from './decode-command.ts';

export interface DecoderOptions {
  readonly demuxer: Demuxer;
  /** Whose bytes these are, for the log. */
  readonly label?: string;
  /**
   * Interleaved stereo at 48 kHz, to be used at once: afterwards the array is empty.
   * A decoder that was replaced gives no more of it, so a state other than `running` marks every hole.
   */
  onPcm(pcm: Float32Array): void;
  /** Told on every change; the first state is `idle` and is not told. */
  onState(state: DecoderState): void;
}

/** Turns the bytes of one connection into sound, or says why not. Never throws, never ends by itself. */
export interface Decoder {
  /** The bytes are kept beyond their decoding, so the caller must not change them afterwards. */
  write(bytes: Uint8Array): void;
  readonly state: DecoderState;
  /** Monotonic time at which sound last came out. */
  readonly lastPcmAtMs: number | null;
  /** Bytes that were thrown away because the decoder didn't keep up or was being replaced. */
  readonly droppedBytes: number;
  /** Resolves when nothing of it is left. Nothing is told any more from the moment of the call. */
  close(): Promise<void>;
}

/** One process per leg or one decoder shared by many: who listens to a leg can't tell. */
export interface DecoderFactory {
  open(options: DecoderOptions): Decoder;
}
