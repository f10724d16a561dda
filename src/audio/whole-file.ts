import { describeExit } from '../platform/child.ts';
import type { Clock } from '../platform/clock.ts';
import { UnreadableSound } from './byte-source.ts';
import { PCM_CHANNELS, PCM_RATE_HZ } from './decode-command.ts';
import { openDecodeStream } from './decode-stream.ts';
import { createProgrammeMeter } from './programme-meter.ts';
import { openFile } from './sound-file.ts';

export interface WholeFileOptions {
  readonly path: string;
  readonly ffmpegPath: string;
  readonly clock: Clock;
  /** What comes after this much of it is left out. */
  readonly mostSeconds: number;
  /** A file that is nowhere louder than this is refused as silent. */
  readonly thresholdDbfs: number;
}

/** A sound file in memory, as interleaved stereo of 16 bits at 48 kHz. */
export interface WholeFile {
  readonly samples: Int16Array;
  readonly integratedLufs: number;
  readonly truePeakDbtp: number;
  /** It went on, but this was as much as was wanted. */
  readonly isCut: boolean;
}

/** A decoder that takes longer than this for one file hangs. */
const DECODE_WITHIN_MS = 60_000;
const FULL_SCALE = 32_768;

/** Decodes a file once. @throws UnreadableSound with one line that says what is wrong with it */
export async function decodeWholeFile(options: WholeFileOptions): Promise<WholeFile> {
  const { path, ffmpegPath, clock, mostSeconds, thresholdDbfs } = options;
  const source = await openFile(path);
  const pieces: Int16Array[] = [];
  const mostSamples = Math.round(mostSeconds * PCM_RATE_HZ) * PCM_CHANNELS;
  let samples = 0;
  let soundMs = 0;
  const meter = createProgrammeMeter({
    thresholdDbfs,
    preset: 'music',
    targetLufs: null,
    onBlock: ({ audibleMs }) => {
      soundMs += audibleMs;
    },
  });
  const decoder = openDecodeStream({
    ffmpegPath,
    container: source.container,
    clock,
    onPcm(pcm) {
      const wanted = pcm.subarray(0, mostSamples - samples);
      if (wanted.length === 0) return;
      samples += wanted.length;
      meter.push(wanted);
      pieces.push(Int16Array.from(wanted, toInt16));
    },
  });
  let isLate = false;
  const cancelWatch = clock.after(DECODE_WITHIN_MS, () => {
    isLate = true;
    void decoder.stop();
  });
  let said = '';
  try {
    for await (const chunk of source.chunks()) {
      if (samples >= mostSamples || !(await decoder.write(chunk))) break;
    }
    const isCut = samples >= mostSamples;
    if (isCut) await decoder.stop();
    else {
      const { exit, complaints } = await decoder.end();
      const isOrderly = exit.is === 'exited' && exit.code === 0;
      said = complaints.at(-1) ?? (isOrderly ? '' : `ffmpeg ${describeExit(exit)}`);
    }
    if (isLate) throw new UnreadableSound(`${path} could not be decoded in ${DECODE_WITHIN_MS / 1000} s`);
    if (samples === 0)
      throw new UnreadableSound(`${path} could not be decoded: ${said === '' ? 'no sound in it' : said}`);
    if (soundMs === 0) throw new UnreadableSound(`${path} is silent: nowhere over ${thresholdDbfs} dBFS`);
    const { integratedLufs, truePeakDbtp } = meter.summary();
    return { samples: joined(pieces, samples), integratedLufs, truePeakDbtp, isCut };
  } finally {
    cancelWatch();
    await Promise.all([decoder.stop(), source.close().catch(() => {})]);
  }
}

function toInt16(sample: number): number {
  const scaled = Math.round(sample * FULL_SCALE);
  return Number.isNaN(scaled) ? 0 : Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, scaled));
}

function joined(pieces: readonly Int16Array[], length: number): Int16Array {
  const whole = new Int16Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
