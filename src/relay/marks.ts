import { PCM_FRAMES_PER_MS } from '../audio/decode-command.ts';

const FIRST_ROOM = 256;
/** So many marks before what is held are left where they are. */
const MOST_BEFORE = 20;

/** Which frame was when, both growing, in two rows of numbers, of which V8 has nothing to collect. */
export class Marks {
  #frames = new Float64Array(FIRST_ROOM);
  #times = new Float64Array(FIRST_ROOM);
  #start = 0;
  #end = 0;

  get isEmpty(): boolean {
    return this.#start === this.#end;
  }

  /** NaN when there is none. */
  get lastFrame(): number {
    return this.isEmpty ? Number.NaN : valueAt(this.#frames, this.#end - 1);
  }

  push(frame: number, ms: number): void {
    if (this.#end === this.#frames.length) this.#makeRoom();
    this.#frames[this.#end] = frame;
    this.#times[this.#end] = ms;
    this.#end += 1;
  }

  /** The last mark before `frame` stays, as what comes after it is timed by it. */
  forgetBefore(frame: number): void {
    const first = firstAfter(this.#frames, this.#start, this.#end, frame - 1);
    if (first < this.#end && first - this.#start > MOST_BEFORE) this.#start = first - 1;
  }

  /** Between two marks in proportion, outside of them by the rate; null when there is none. */
  timeOf(frame: number): number | null {
    if (this.isEmpty) return null;
    const at = this.#lastUpTo(this.#frames, frame);
    const passedFrames = frame - valueAt(this.#frames, at);
    const atMs = valueAt(this.#times, at);
    if (at + 1 === this.#end || passedFrames < 0) return atMs + passedFrames / PCM_FRAMES_PER_MS;
    const frames = valueAt(this.#frames, at + 1) - valueAt(this.#frames, at);
    return atMs + (passedFrames * (valueAt(this.#times, at + 1) - atMs)) / frames;
  }

  /** The way back, in whole frames. */
  frameAt(ms: number): number | null {
    if (this.isEmpty) return null;
    const at = this.#lastUpTo(this.#times, ms);
    const passedMs = ms - valueAt(this.#times, at);
    const atFrame = valueAt(this.#frames, at);
    const gapMs = at + 1 === this.#end ? 0 : valueAt(this.#times, at + 1) - valueAt(this.#times, at);
    if (passedMs < 0 || gapMs <= 0) return Math.round(atFrame + passedMs * PCM_FRAMES_PER_MS);
    return Math.round(atFrame + (passedMs * (valueAt(this.#frames, at + 1) - atFrame)) / gapMs);
  }

  /** The frame of the last mark up to `ms`; 0 before the first. */
  frameBy(ms: number): number {
    const after = firstAfter(this.#times, this.#start, this.#end, ms);
    return after === this.#start ? 0 : valueAt(this.#frames, after - 1);
  }

  /** The last that is not behind, or the first of all. */
  #lastUpTo(values: Float64Array, value: number): number {
    return Math.max(this.#start, firstAfter(values, this.#start, this.#end, value) - 1);
  }

  #makeRoom(): void {
    const count = this.#end - this.#start;
    const room = count > this.#frames.length / 2 ? 2 * this.#frames.length : this.#frames.length;
    this.#frames = moved(this.#frames.subarray(this.#start, this.#end), room);
    this.#times = moved(this.#times.subarray(this.#start, this.#end), room);
    this.#start = 0;
    this.#end = count;
  }
}

function moved(values: Float64Array, room: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(room);
  larger.set(values);
  return larger;
}

const valueAt = (values: Float64Array, index: number): number => values[index] ?? Number.NaN;

/** By bisection of what lies between `start` and `end`. */
function firstAfter(values: Float64Array, start: number, end: number, value: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueAt(values, middle) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
