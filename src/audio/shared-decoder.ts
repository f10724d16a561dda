import type { BackoffPolicy } from '../platform/backoff.ts';
import type { DecoderFactory } from './decoder.ts';
import { DecoderHost } from './decoder-host.ts';
import { type FfmpegDecodersOptions, ffmpegSource } from './ffmpeg-decoder.ts';
import { LegDecoder, type WorkerSource } from './leg-decoder.ts';

export interface SharedDecodersOptions extends FfmpegDecodersOptions {
  /** The decoder process for MP3, and what stands after it. Null: an ffmpeg for each leg. */
  readonly host: { readonly command: string; readonly args?: readonly string[] } | null;
}

/** Starting the process again costs little, and every leg waits for it. */
const HOST_BACKOFF: BackoffPolicy = { firstMs: 250, maxMs: 30_000 };

/**
 * MP3 in one process for all legs, everything else in an ffmpeg each. Where that process can't be had, or fails again and
 * again, MP3 goes to ffmpeg as well, and a leg whose bytes brought it down has an ffmpeg of its own from then on.
 */
export function legDecoders(options: SharedDecodersOptions): DecoderFactory {
  const { host, clock, random, logger, backoff } = options;
  const ffmpeg = ffmpegSource(options);
  const shared = host === null ? null : new DecoderHost({ ...host, clock, logger });
  return {
    open(leg) {
      if (shared === null || leg.demuxer !== 'mp3')
        return new LegDecoder({ clock, random, logger, backoff, source: () => ffmpeg }, leg);
      let isDangerous = false;
      const place: WorkerSource = {
        whenFree(start) {
          start();
          return () => {};
        },
        start: (_demuxer, events) =>
          shared.open({
            ...events,
            onEnd(end) {
              if (end.isCulprit) {
                isDangerous = true;
                logger.warn(
                  { label: leg.label },
                  'the bytes of this leg end the MP3 decoder: it has an ffmpeg now',
                );
              }
              events.onEnd(end);
            },
          }),
      };
      const source = () => (isDangerous || shared.isGivenUp ? ffmpeg : place);
      return new LegDecoder({ clock, random, logger, backoff: backoff ?? HOST_BACKOFF, source }, leg);
    },
  };
}
