import { PCM_FRAMES_PER_MS } from '../audio/decode-command.ts';

/** What is owed after a standstill of ours up to this is made up for, as players have as much in hand. */
const MOST_OWED_MS = 5_000;

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
    this.#sinceMs = nowMs;
  }

  gave(frames: number): void {
    this.#givenFrames += frames;
  }

  dueFrames(nowMs: number): number {
    if (this.#sinceMs === null) return 0;
    return Math.floor((nowMs - this.#sinceMs) * PCM_FRAMES_PER_MS) - this.#givenFrames;
  }

  /** After a long standstill listeners are gone, and what is here would be played away before new sound comes. */
  forgive(nowMs: number): void {
    const owedMs = this.dueFrames(nowMs) / PCM_FRAMES_PER_MS;
    if (this.#sinceMs !== null && owedMs > MOST_OWED_MS) this.#sinceMs += owedMs;
  }
}
