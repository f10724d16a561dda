import { PCM_FRAMES_PER_MS } from '../audio/decode-command.ts';

/** How often it is looked what is due. */
export const TICK_MS = 100;
/** Every block wakes encoders and Icecast, which costs more than the sound in it; of the delay it is a trifle. */
const BLOCK_MS = 200;
export const BLOCK_FRAMES = BLOCK_MS * PCM_FRAMES_PER_MS;
/** In one tick: after a standstill of ours it catches up four times as fast, so that decoders keep up. */
const MOST_BLOCKS = 2;
/** What is owed after a standstill of ours up to this is made up for, as players have as much in hand. */
const MOST_OWED_MS = 5_000;

/** Half a tick off, so that no tick comes just before a block is due. */
const BEGINS_LATE_MS = TICK_MS / 2;

/** How much sound is due for the encoders, in real time from when the public mounts began to be fed. */
export class OutputClock {
  #sinceMs: number | null = null;
  #givenFrames = 0;

  get isRunning(): boolean {
    return this.#sinceMs !== null;
  }

  /** Frames that went out. */
  get givenFrames(): number {
    return this.#givenFrames;
  }

  begin(nowMs: number): void {
    this.#sinceMs = nowMs - BEGINS_LATE_MS;
  }

  gave(frames: number): void {
    this.#givenFrames += frames;
  }

  /** What has not been played yet, in whole frames; of a clock that is not running, if it began now. */
  dueMs(nowMs: number): number {
    return this.#dueFrames(nowMs) / PCM_FRAMES_PER_MS;
  }

  /** How many blocks are to be played in this tick. */
  blocksDue(nowMs: number): number {
    return Math.min(MOST_BLOCKS, Math.floor(this.#dueFrames(nowMs) / BLOCK_FRAMES));
  }

  /** After a long standstill listeners are gone, and what is here would be played away before new sound comes. */
  forgive(nowMs: number): void {
    const owedMs = this.dueMs(nowMs);
    if (this.#sinceMs !== null && owedMs > MOST_OWED_MS) this.#sinceMs += owedMs;
  }

  #dueFrames(nowMs: number): number {
    const sinceMs = this.#sinceMs ?? nowMs - BEGINS_LATE_MS;
    return Math.floor((nowMs - sinceMs) * PCM_FRAMES_PER_MS) - this.#givenFrames;
  }
}
