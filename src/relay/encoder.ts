import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { OutputFormat } from './encode-command.ts';

export interface EncoderOptions {
  readonly format: OutputFormat;
  readonly ffmpegPath: string;
  readonly clock: Clock;
  readonly log: Logger;
  onBytes(bytes: Buffer): void;
}

/** Turns what is played into one stream. It is never over: one that dies or hangs is replaced. */
export interface Encoder {
  /** `lame`: in this process. */
  readonly kind: 'lame' | 'ffmpeg';
  /** Interleaved stereo at 48 kHz, in real time. The array must not be changed afterwards. */
  write(pcm: Float32Array): void;
  /** Begins a new stream, with headers; for a new connection of an Ogg output. */
  renew(): void;
  /** What is written from now on is called this; of no account where the title is no part of the stream. */
  setTitle(title: string): void;
  /** How often it had to be replaced, `renew` not counted. */
  readonly rebuilds: number;
  /** Null for one that has no process of its own, or none now. */
  readonly pid: number | null;
  stop(): Promise<void>;
}
