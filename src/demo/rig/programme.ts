import type { Material } from './material.ts';
import { CHANNELS, SAMPLE_RATE_HZ } from './material.ts';

/** What the studio sends now. Faults are made here, before the encoder, because that is where they happen. */
export type Sound =
  | { readonly is: 'music' }
  | { readonly is: 'silence' }
  /** Digital silence with a short click again and again: the fault that fools plain silence detectors. */
  | {
      readonly is: 'clicks';
      readonly everyMs: number;
      readonly lengthMs: number;
    }
  | {
      readonly is: 'tone';
      readonly frequencyHz: number;
      readonly levelDbfs: number;
    }
  | { readonly is: 'noise'; readonly levelDbfs: number }
  | { readonly is: 'quiet-music'; readonly gainDb: number }
  | { readonly is: 'one-channel'; readonly dead: 'left' | 'right' }
  | { readonly is: 'inverted' }
  | { readonly is: 'stuck'; readonly loopMs: number };

/** One programme in real time: PCM (16 bit, 44.1 kHz, stereo) to whoever takes it, on one time line. */
export interface Programme {
  readonly name: string;
  readonly pilotHz: number;
  readonly sound: () => Sound;
  /** From the next block on; returns the monotonic ms of that block's first sample. */
  readonly play: (sound: Sound) => number;
  /** Digital silence, pilot and all, while the encoder goes on. */
  readonly mute: () => number;
  readonly unmute: () => number;
  readonly take: (receive: (pcm: Buffer) => void) => () => void;
}

const BLOCK_FRAMES = SAMPLE_RATE_HZ / 25;
const BLOCK_MS = (BLOCK_FRAMES / SAMPLE_RATE_HZ) * 1000;
/** After a longer pause of this process the missed time is skipped, as a sound card does on an overrun. */
const CATCH_UP_MS = 2000;
const FULL_SCALE = 32767;

/** All programmes share one time line, so that two of the same material stay in step. */
const epochMs = performance.now();

interface Feed {
  nextBlock: number;
  readonly emit: (block: number) => void;
}
const feeds = new Set<Feed>();
let pacer: NodeJS.Timeout | null = null;

function dueBlock(): number {
  return Math.floor((performance.now() - epochMs) / BLOCK_MS);
}

function runFeeds(): void {
  const due = dueBlock();
  for (const feed of feeds) {
    if (due - feed.nextBlock > CATCH_UP_MS / BLOCK_MS) feed.nextBlock = due;
    while (feed.nextBlock < due) feed.emit(feed.nextBlock++);
  }
}

function addFeed(feed: Feed): () => void {
  feeds.add(feed);
  pacer ??= setInterval(runFeeds, BLOCK_MS / 2);
  return () => {
    feeds.delete(feed);
    if (feeds.size > 0 || pacer === null) return;
    clearInterval(pacer);
    pacer = null;
  };
}

/** `delayMs`: this copy of the programme runs that much later, as over a slower line from the studio. */
export function createProgramme(options: { name: string; material: Material; delayMs?: number }): Programme {
  const { name, material } = options;
  const delayFrames = Math.round(((options.delayMs ?? 0) / 1000) * SAMPLE_RATE_HZ);
  const receivers = new Set<(pcm: Buffer) => void>();
  let sound: Sound = { is: 'music' };
  let since = 0;
  let remove: (() => void) | null = null;
  const feed: Feed = {
    nextBlock: 0,
    emit(block) {
      const pcm = render(
        sound,
        material,
        block * BLOCK_FRAMES - delayFrames,
        since * BLOCK_FRAMES - delayFrames,
      );
      for (const receive of receivers) receive(pcm);
    },
  };
  const play = (next: Sound) => {
    // What is due already is sent as it was.
    runFeeds();
    sound = next;
    since = Math.max(feed.nextBlock, dueBlock());
    return epochMs + since * BLOCK_MS;
  };
  return {
    name,
    pilotHz: material.pilotHz,
    sound: () => sound,
    play,
    mute: () => play({ is: 'silence' }),
    unmute: () => play({ is: 'music' }),
    take(receive) {
      receivers.add(receive);
      if (remove === null) {
        feed.nextBlock = dueBlock();
        remove = addFeed(feed);
      }
      return () => {
        receivers.delete(receive);
        if (receivers.size > 0) return;
        remove?.();
        remove = null;
      };
    },
  };
}

function render(sound: Sound, material: Material, firstFrame: number, sinceFrame: number): Buffer {
  switch (sound.is) {
    case 'music':
      return bytesOf(musicAt(material, firstFrame));
    case 'silence':
      return Buffer.alloc(BLOCK_FRAMES * CHANNELS * 2);
    case 'clicks':
      return clicks(firstFrame - sinceFrame, sound.everyMs, sound.lengthMs);
    case 'tone': {
      const step = (2 * Math.PI * sound.frequencyHz) / SAMPLE_RATE_HZ;
      const peak = amplitude(sound.levelDbfs) * Math.SQRT2;
      return filled((frame) => peak * Math.sin(step * (firstFrame + frame)));
    }
    case 'noise': {
      const peak = amplitude(sound.levelDbfs) * Math.sqrt(3);
      return filled(() => peak * (Math.random() * 2 - 1));
    }
    case 'stuck':
      return bytesOf(stuckAt(material, firstFrame, sinceFrame, sound.loopMs));
    case 'quiet-music':
    case 'one-channel':
    case 'inverted':
      return bytesOf(musicAt(material, firstFrame).map(alteration(sound)));
  }
}

type Altered = Extract<Sound, { is: 'quiet-music' | 'one-channel' | 'inverted' }>;

function alteration(sound: Altered): (sample: number, index: number) => number {
  switch (sound.is) {
    case 'quiet-music': {
      const gain = 10 ** (sound.gainDb / 20);
      return (sample) => Math.round(sample * gain);
    }
    case 'one-channel': {
      const dead = sound.dead === 'left' ? 0 : 1;
      return (sample, index) => (index % CHANNELS === dead ? 0 : sample);
    }
    case 'inverted':
      return (sample, index) => (index % CHANNELS === 1 ? -sample : sample);
  }
}

function amplitude(levelDbfs: number): number {
  return FULL_SCALE * 10 ** (levelDbfs / 20);
}

function filled(sampleAt: (frame: number) => number): Buffer {
  const samples = new Int16Array(BLOCK_FRAMES * CHANNELS);
  for (let frame = 0; frame < BLOCK_FRAMES; frame += 1) {
    samples.fill(Math.round(sampleAt(frame)), frame * CHANNELS, (frame + 1) * CHANNELS);
  }
  return bytesOf(samples);
}

/** The first click comes one full interval after the silence began. */
function clicks(framesIn: number, everyMs: number, lengthMs: number): Buffer {
  const everyFrames = Math.round((everyMs / 1000) * SAMPLE_RATE_HZ);
  const lengthFrames = Math.round((lengthMs / 1000) * SAMPLE_RATE_HZ);
  const level = amplitude(-12);
  return filled((frame) => {
    const at = framesIn + frame;
    return at >= everyFrames && at % everyFrames < lengthFrames ? (Math.random() * 2 - 1) * level : 0;
  });
}

function musicAt(material: Material, firstFrame: number): Int16Array {
  const { samples } = material;
  const length = samples.length;
  const from = (((firstFrame * CHANNELS) % length) + length) % length;
  const wanted = BLOCK_FRAMES * CHANNELS;
  if (from + wanted <= length) return samples.slice(from, from + wanted);
  const block = new Int16Array(wanted);
  block.set(samples.subarray(from));
  block.set(samples.subarray(0, wanted - (length - from)), length - from);
  return block;
}

/** The last `loopMs` before the fault, over and over: what a stuck playout machine sends. */
function stuckAt(material: Material, firstFrame: number, sinceFrame: number, loopMs: number): Int16Array {
  const { samples } = material;
  const loopFrames = Math.round((loopMs / 1000) * SAMPLE_RATE_HZ);
  const totalFrames = samples.length / CHANNELS;
  const block = new Int16Array(BLOCK_FRAMES * CHANNELS);
  for (let frame = 0; frame < BLOCK_FRAMES; frame += 1) {
    const at = sinceFrame - loopFrames + ((firstFrame + frame - sinceFrame) % loopFrames);
    const index = (((at % totalFrames) + totalFrames) % totalFrames) * CHANNELS;
    block[frame * CHANNELS] = samples[index] ?? 0;
    block[frame * CHANNELS + 1] = samples[index + 1] ?? 0;
  }
  return block;
}

function bytesOf(samples: Int16Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
}
