import type { ByteSource } from '../../audio/byte-source.ts';
import { openDecodeStream } from '../../audio/decode-stream.ts';
import { describeExit } from '../../platform/child.ts';
import { type Clock, sleep } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import { TitlesLied } from './live-source.ts';

/** What is decoded goes here. */
export interface SoundSink {
  push(pcm: Float32Array): void;
  readonly heardSeconds: number;
  /** As much was heard as was wanted. */
  readonly isFull: boolean;
  /** Resolves when more can be taken; left out by who takes all at once. */
  ready?(): Promise<void>;
}

export interface Hearing {
  readonly source: ByteSource;
  readonly listener: SoundSink;
  readonly ffmpegPath: string;
  readonly clock: Clock;
  readonly interrupted: AbortSignal;
  /** How many bytes were handed to the decoder. */
  onProgress(bytes: number): void;
}

/** How hearing a source ended: `whole` is as much as there was, or as much as was wanted. */
export type Heard =
  | { readonly is: 'whole'; readonly complaints: readonly string[]; readonly cutOff?: string | null }
  | { readonly is: 'broken-off'; readonly because: string; readonly complaints: readonly string[] }
  | { readonly is: 'interrupted' };

/** A decoder that brings no sound for this long is given up: it hangs, or there is none in the bytes. */
const NO_SOUND_MS = 15_000;
/** Ctrl-C reaches ffmpeg as well, and the news of its end may come before our own signal. */
const SIGNAL_MAY_COME_MS = 100;

/** Decodes and measures until there is no more, enough was heard, or somebody stops it. @throws TitlesLied */
export async function hearSource(hearing: Hearing): Promise<Heard> {
  const { source, listener, clock, interrupted } = hearing;
  const decoder = openDecodeStream({
    ffmpegPath: hearing.ffmpegPath,
    container: source.container,
    clock,
    onPcm: (pcm) => {
      listener.push(pcm);
      // Not with the next bytes, for which a live stream may let us wait.
      if (listener.isFull) giveUp();
    },
  });
  let because: string | null = null;
  const giveUp = () => {
    source.close().catch(() => {});
    decoder.stop();
  };
  const cancelWatch = watchForSound(clock, listener, () => {
    because = `no sound came out of the decoder for ${NO_SOUND_MS / 1000} s`;
    giveUp();
  });
  interrupted.addEventListener('abort', giveUp, { once: true });
  let bytes = 0;
  try {
    try {
      bytes = await feed(hearing, (chunk) => decoder.write(chunk));
    } catch (thrown) {
      if (thrown instanceof TitlesLied) throw thrown;
      because ??= messageOf(thrown);
    }
    if (listener.isFull) return { is: 'whole', complaints: [] };
    const { exit, complaints } = await decoder.end();
    if (listener.isFull) return { is: 'whole', complaints };
    const isOrderly = exit.is === 'exited' && exit.code === 0;
    if (!isOrderly && because === null) await sleep(clock, SIGNAL_MAY_COME_MS, interrupted);
    if (interrupted.aborted) return { is: 'interrupted' };
    if (because !== null) return { is: 'broken-off', because, complaints };
    if (!isOrderly) return { is: 'broken-off', because: `ffmpeg ${describeExit(exit)}`, complaints };
    return { is: 'whole', complaints, cutOff: cutOffOf(source, bytes) };
  } finally {
    interrupted.removeEventListener('abort', giveUp);
    cancelWatch();
    await Promise.all([decoder.stop(), source.close().catch(() => {})]);
  }
}

/** What is wrong with what was heard, though it was heard to its end. */
export function damageOf(heard: Heard): string | null {
  if (heard.is !== 'whole') return null;
  const [first] = heard.complaints;
  return heard.cutOff ?? (first === undefined ? null : `ffmpeg found damage in it: ${first}`);
}

/** A decoder takes less than the header says for all there is, and says nothing of it, as a rule. */
function cutOffOf({ saidLength }: ByteSource, bytes: number): string | null {
  if (!saidLength || bytes >= saidLength.bytes) return null;
  const missingSeconds = (saidLength.bytes - bytes) / saidLength.bytesPerSecond;
  return `it is cut off: by its header ${missingSeconds.toFixed(1)} s more are in it`;
}

/** Resolves with how many bytes were handed over; a decoder that has all it wants may not have read the last of them. */
async function feed(hearing: Hearing, write: (bytes: Uint8Array) => Promise<boolean>): Promise<number> {
  const { source, listener, interrupted } = hearing;
  let bytes = 0;
  for await (const chunk of source.chunks()) {
    if (listener.isFull || interrupted.aborted) break;
    bytes += chunk.length;
    if (!(await write(chunk))) break;
    hearing.onProgress(bytes);
    await listener.ready?.();
  }
  return bytes;
}

function watchForSound(clock: Clock, listener: SoundSink, onNone: () => void): () => void {
  let heardSeconds = 0;
  let heardAtMs = clock.nowMs();
  return clock.every(1_000, () => {
    if (listener.heardSeconds > heardSeconds) {
      heardSeconds = listener.heardSeconds;
      heardAtMs = clock.nowMs();
    } else if (clock.nowMs() - heardAtMs >= NO_SOUND_MS) onNone();
  });
}
