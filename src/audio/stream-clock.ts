/**
 * Says at what monotonic time a sample was at the live edge of its stream, from when decoded sound arrived here.
 *
 * Sound arrives in bursts: Icecast gives a new listener the last 64 KiB at once, and a network that paused delivers
 * what it held back. The newest sample of a burst is new; the others are as much older as they lie before it. So the
 * time of sample n is the smallest `arrival - (newest - n) / rate` over the arrivals of the last 10 s: jitter only
 * ever makes an arrival late, and the window lets the clock follow a sender whose crystal is a little slower.
 *
 * After a pause the arrivals before it say nothing any more: whether the sender went on meanwhile (then a burst catches
 * up, and its sound belongs to the pause) or stood still (then the sound goes on where it was, later) shows in what
 * comes next. So a pause starts a new anchor, as the first arrival does, and the clock is `settled` again only when no
 * arrival has moved it for a while.
 */
export interface StreamClock {
  /** Sound up to and including frame `endFrame` has arrived. */
  arrived(endFrame: number, atMs: number): void;
  /** False while a burst may still be coming, when times would turn out to be too new. */
  settled(nowMs: number): boolean;
  /** Never less than for an earlier frame asked for before, and never more than the newest arrival. */
  timeOf(endFrame: number): number;
  reset(): void;
}

export interface StreamClockOptions {
  readonly rateHz: number;
}

const WINDOW_MS = 10_000;
/** The window is kept as the smallest offset of each of these. */
const SLOT_MS = 500;
const PAUSE_MS = 1_200;
const SETTLED_AFTER_MS = 250;
/** A sender that catches up slowly must not hold back the readings for longer than this. */
const SETTLED_AT_LAST_MS = 2_000;
/** An arrival that moves the clock by less is jitter. */
const MOVED_MS = 20;

interface Slot {
  readonly startMs: number;
  offsetMs: number;
}

export function createStreamClock(options: StreamClockOptions): StreamClock {
  return new LiveEdgeClock(options.rateHz);
}

class LiveEdgeClock implements StreamClock {
  readonly #framesPerMs: number;
  #slots: Slot[] = [];
  #anchoredAtMs = 0;
  #movedAtMs = 0;
  #newestAtMs = Number.NEGATIVE_INFINITY;
  #isSettled = false;
  #lastTimeMs = Number.NEGATIVE_INFINITY;

  constructor(rateHz: number) {
    this.#framesPerMs = rateHz / 1_000;
  }

  arrived(endFrame: number, atMs: number): void {
    const offsetMs = atMs - endFrame / this.#framesPerMs;
    if (atMs - this.#newestAtMs > PAUSE_MS) {
      this.#slots = [];
      this.#anchoredAtMs = atMs;
      this.#movedAtMs = atMs;
      this.#isSettled = false;
    }
    this.#newestAtMs = Math.max(this.#newestAtMs, atMs);
    if (this.#slots.length > 0 && offsetMs < this.#offsetMs() - MOVED_MS) this.#movedAtMs = atMs;
    const newest = this.#slots.at(-1);
    if (newest !== undefined && atMs - newest.startMs < SLOT_MS) {
      newest.offsetMs = Math.min(newest.offsetMs, offsetMs);
    } else {
      this.#slots.push({ startMs: atMs, offsetMs });
      this.#slots = this.#slots.filter((slot) => atMs - slot.startMs < WINDOW_MS);
    }
  }

  settled(nowMs: number): boolean {
    if (this.#isSettled) return true;
    this.#isSettled =
      this.#slots.length > 0 &&
      (nowMs - this.#movedAtMs >= SETTLED_AFTER_MS || nowMs - this.#anchoredAtMs >= SETTLED_AT_LAST_MS);
    return this.#isSettled;
  }

  timeOf(endFrame: number): number {
    const timeMs = Math.min(this.#offsetMs() + endFrame / this.#framesPerMs, this.#newestAtMs);
    this.#lastTimeMs = Math.max(this.#lastTimeMs, timeMs);
    return this.#lastTimeMs;
  }

  reset(): void {
    this.#slots = [];
    this.#newestAtMs = Number.NEGATIVE_INFINITY;
    this.#isSettled = false;
  }

  #offsetMs(): number {
    return this.#slots.reduce((least, slot) => Math.min(least, slot.offsetMs), Number.POSITIVE_INFINITY);
  }
}
