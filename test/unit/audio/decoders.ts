import type { Demuxer } from '../../../src/audio/decode-command.ts';
import type { Decoder, DecoderFactory } from '../../../src/audio/decoder.ts';
import { type FfmpegDecodersOptions, ffmpegDecoders } from '../../../src/audio/ffmpeg-decoder.ts';
import type { DecoderState } from '../../../src/domain/readings.ts';
import type { Clock } from '../../../src/platform/clock.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { childrenOfOurs, misbehaving } from '../platform/processes.ts';

export const steady = { next: () => 0.5, token: () => '' };

export function realDecoders(clock: Clock, more: Partial<FfmpegDecodersOptions> = {}): DecoderFactory {
  return ffmpegDecoders({ ffmpegPath: 'ffmpeg', clock, random: steady, logger: silentLogger(), ...more });
}

/** Decoders that are one of `fixtures/children`. */
export function badDecoders(
  clock: Clock,
  name: string,
  words: readonly string[] = [],
  more: Partial<FfmpegDecodersOptions> = {},
): DecoderFactory {
  return realDecoders(clock, {
    ffmpegPath: process.execPath,
    argumentsFor: () => [misbehaving(name), ...words],
    ...more,
  });
}

/** One open decoder and all that it told. */
export interface Watched {
  readonly decoder: Decoder;
  readonly states: DecoderState[];
  samples: number;
  /** The sum of squares since it was last set to 0. */
  energy: number;
}

export function watch(
  decoders: DecoderFactory,
  demuxer: Demuxer,
  onPcm?: (pcm: Float32Array) => void,
): Watched {
  const states: DecoderState[] = [];
  const decoder = decoders.open({
    demuxer,
    onPcm: (pcm) => {
      watched.samples += pcm.length;
      for (const sample of pcm) watched.energy += sample * sample;
      onPcm?.(pcm);
    },
    onState: (state) => states.push(state),
  });
  const watched: Watched = { decoder, states, samples: 0, energy: 0 };
  return watched;
}

/** Feeds a decoder as a live mount does, over and over from the start of the bytes, until it is stopped. */
export function feed(
  decoder: Decoder,
  bytes: Uint8Array,
  options: { perWrite: number; everyMs: number },
): () => void {
  let at = 0;
  const timer = setInterval(() => {
    decoder.write(bytes.subarray(at, at + options.perWrite));
    at = at + options.perWrite < bytes.length ? at + options.perWrite : 0;
  }, options.everyMs);
  return () => clearInterval(timer);
}

/** Opens decoders and feeds them, and ends all of that after each test. */
export function decoderBench() {
  const opened: Watched[] = [];
  const stops: (() => void)[] = [];
  return {
    open(...args: Parameters<typeof watch>): Watched {
      const watched = watch(...args);
      opened.push(watched);
      return watched;
    },
    /** At about 128 kbit/s on a clock that runs four times as fast, unless told otherwise. */
    feeding(watched: Watched, bytes: Uint8Array, pace = { perWrite: 1_400, everyMs: 22 }): () => void {
      const stop = feed(watched.decoder, bytes, pace);
      stops.push(stop);
      return stop;
    },
    async clear(): Promise<void> {
      for (const stop of stops.splice(0)) stop();
      await Promise.all(opened.splice(0).map((watched) => watched.decoder.close()));
    },
  };
}

/** Our own living children of this name. Test files run in processes of their own. */
export const processes = (name: string) =>
  childrenOfOurs().filter((child) => child.name === name && child.state !== 'Z');

export const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
