import { PCM_CHANNELS, PCM_RATE_HZ } from '../audio/decode-command.ts';
import { createSoundRing, type SoundRing } from '../audio/sound-ring.ts';
import { createStreamClock } from '../audio/stream-clock.ts';
import type { LegId } from '../domain/ids.ts';
import { LoudnessLine } from './loudness.ts';

const FRAMES_PER_MS = PCM_RATE_HZ / 1_000;
const MARK_EVERY_FRAMES = PCM_RATE_HZ / 10;

/** Reading only: one take's time line, as the choice of a leg sees it. */
export interface TakeSight {
  readonly id: number;
  readonly leg: LegId;
  readonly startFrame: number;
  readonly endFrame: number;
  /** False when no more sound will come. */
  readonly isOpen: boolean;
  /** Monotonic time at which a frame was live, and back; null until the first burst is over. */
  timeOf(frame: number): number | null;
  frameAt(ms: number): number | null;
  /** How much of it was here at `ms`: what the network held back came later than it was live. */
  hereBy(ms: number): number;
  /** The last moment that its own connection was proven for; null when it never was. */
  readonly provenToMs: number | null;
}

export interface TakeOptions {
  readonly id: number;
  readonly leg: LegId;
  readonly mostFrames: number;
}

interface Mark {
  readonly frame: number;
  readonly ms: number;
}

interface Title {
  readonly frame: number;
  readonly title: string;
}

/**
 * The unbroken sound of one connection to one leg. What comes after a reconnect or a replaced decoder is another take:
 * how the two lie to each other is found out by alignment, as between two legs.
 */
export class Take implements TakeSight {
  readonly id: number;
  readonly leg: LegId;
  readonly ring: SoundRing;
  readonly loudness = new LoudnessLine();
  readonly #clock = createStreamClock({ rateHz: PCM_RATE_HZ });
  #marks: Mark[] = [];
  #arrivals: Mark[] = [];
  #titles: Title[] = [];
  /** Announced within the burst: the frame is not known before the burst is decoded. */
  #unplaced: { readonly byte: number; readonly title: string }[] = [];
  #bytes = 0;
  #isOpen = true;
  #provenToMs: number | null = null;

  constructor(options: TakeOptions) {
    this.id = options.id;
    this.leg = options.leg;
    this.ring = createSoundRing(options.mostFrames);
  }

  get startFrame(): number {
    return this.ring.startFrame;
  }

  get endFrame(): number {
    return this.ring.endFrame;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  push(pcm: Float32Array, nowMs: number): void {
    if (!this.#isOpen) return;
    const whole = pcm.length - (pcm.length % PCM_CHANNELS);
    this.ring.push(whole === pcm.length ? pcm : pcm.subarray(0, whole));
    this.#clock.arrived(this.ring.endFrame, nowMs);
    this.#arrivals.push({ frame: this.ring.endFrame, ms: nowMs });
    this.settle(nowMs);
  }

  /** Gives times to what has arrived, once the burst is over. */
  settle(nowMs: number): void {
    if (!this.#clock.settled(nowMs)) return;
    this.#placeTitles();
    const last = this.#marks.at(-1);
    const first = Math.ceil(this.ring.startFrame / MARK_EVERY_FRAMES) * MARK_EVERY_FRAMES;
    let frame = last === undefined ? first : last.frame + MARK_EVERY_FRAMES;
    for (; frame <= this.ring.endFrame; frame += MARK_EVERY_FRAMES) {
      this.#marks.push({ frame, ms: this.#clock.timeOf(frame) });
    }
    this.#marks = this.#stillHeld(this.#marks);
    this.#arrivals = this.#stillHeld(this.#arrivals);
  }

  #stillHeld(marks: Mark[]): Mark[] {
    const forgotten = marks.findIndex((mark) => mark.frame >= this.ring.startFrame);
    return forgotten > 20 ? marks.slice(forgotten - 1) : marks;
  }

  /** Encoded bytes came, which the sound comes out of in a while. */
  noteBytes(count: number): void {
    this.#bytes += count;
  }

  /** What is announced now belongs to the sound that comes next. */
  noteTitle(title: string): void {
    if (this.#marks.length > 0) this.#addTitle(this.ring.endFrame, title);
    else this.#unplaced.push({ byte: this.#bytes, title });
  }

  /** Icecast's burst brings seconds of bytes, titles between them, before any of their sound is decoded. */
  #placeTitles(): void {
    for (const { byte, title } of this.#unplaced) {
      const share = this.#bytes === 0 ? 0 : byte / this.#bytes;
      this.#addTitle(Math.round(share * this.ring.endFrame), title);
    }
    this.#unplaced = [];
  }

  #addTitle(frame: number, title: string): void {
    this.#titles = [...this.#titles, { frame, title }].slice(-50);
  }

  titleAt(frame: number): string | null {
    return this.#titles.findLast((mark) => mark.frame <= frame)?.title ?? null;
  }

  close(): void {
    this.#isOpen = false;
  }

  timeOf(frame: number): number | null {
    const before = markBefore(this.#marks, (mark) => mark.frame <= frame);
    if (before === null) return null;
    const { at, next } = before;
    if (next === undefined || frame < at.frame) return at.ms + (frame - at.frame) / FRAMES_PER_MS;
    return at.ms + ((frame - at.frame) * (next.ms - at.ms)) / (next.frame - at.frame);
  }

  frameAt(ms: number): number | null {
    const before = markBefore(this.#marks, (mark) => mark.ms <= ms);
    if (before === null) return null;
    const { at, next } = before;
    if (next === undefined || ms < at.ms || next.ms <= at.ms) {
      return Math.round(at.frame + (ms - at.ms) * FRAMES_PER_MS);
    }
    return Math.round(at.frame + ((ms - at.ms) * (next.frame - at.frame)) / (next.ms - at.ms));
  }

  get provenToMs(): number | null {
    return this.#provenToMs;
  }

  /** What proves the leg once this is closed proves another connection. */
  noteProof(toMs: number): void {
    if (this.#isOpen) this.#provenToMs = toMs;
  }

  hereBy(ms: number): number {
    const before = markBefore(this.#arrivals, (arrival) => arrival.ms <= ms);
    return before === null || before.at.ms > ms ? 0 : before.at.frame;
  }
}

/** The last mark that is not behind what is asked for, or the first of all; by bisection. */
function markBefore(
  marks: readonly Mark[],
  isBefore: (mark: Mark) => boolean,
): { at: Mark; next: Mark | undefined } | null {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const mark = marks[middle];
    if (mark !== undefined && isBefore(mark)) low = middle + 1;
    else high = middle;
  }
  const index = Math.max(0, low - 1);
  const at = marks[index];
  return at === undefined ? null : { at, next: marks[index + 1] };
}
