import { UnreadableSound } from '../../audio/byte-source.ts';
import { PCM_CHANNELS, PCM_RATE_HZ } from '../../audio/decode-command.ts';
import type { MeterSummary } from '../../audio/programme-meter.ts';
import { openFile } from '../../audio/sound-file.ts';
import type { Clock } from '../../platform/clock.ts';
import { hearSource } from '../measure/hear.ts';
import { openMeter } from './work.ts';

export interface DecodedOptions {
  readonly path: string;
  readonly ffmpegPath: string;
  readonly clock: Clock;
  readonly interrupted: AbortSignal;
  /** How much of the file was heard, from 0 to 1, and how many seconds of sound. */
  onProgress(share: number | null, heardSeconds: number): void;
}

/**
 * What a listener's decoder makes of the file that was written: a codec moves peaks, and past the ceiling. Null: somebody
 * stopped it.
 * @throws UnreadableSound
 */
export async function measureDecoded(options: DecodedOptions): Promise<MeterSummary | null> {
  const { ffmpegPath, clock, interrupted } = options;
  const source = await openFile(options.path);
  const meter = openMeter();
  let frames = 0;
  const listener = {
    isFull: false,
    push(pcm: Float32Array) {
      frames += pcm.length / PCM_CHANNELS;
      meter.push(pcm);
    },
    get heardSeconds() {
      return frames / PCM_RATE_HZ;
    },
  };
  const heard = await hearSource({
    source,
    listener,
    ffmpegPath,
    clock,
    interrupted,
    onProgress: (bytes) =>
      options.onProgress(
        source.totalBytes === null ? null : bytes / source.totalBytes,
        listener.heardSeconds,
      ),
  });
  if (heard.is === 'interrupted') return null;
  if (frames === 0) throw new UnreadableSound(`what was written to ${options.path} cannot be decoded again`);
  return meter.summary();
}
