import { PCM_CHANNELS, PCM_FRAMES_PER_MS, PCM_RATE_HZ } from '../audio/decode-command.ts';
import { createSoundRing, type SoundRing } from '../audio/sound-ring.ts';
import { createStreamClock } from '../audio/stream-clock.ts';
import type { LegId } from '../domain/ids.ts';
import { LoudnessLine } from './loudness.ts';
import { Marks } from './marks.ts';

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
  /** Where after this frame some of the programme may be missing: how the one side lies to a copy doesn't say how the other does. */
  wholeTo(frame: number): number;
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

/** Sound that comes by more than this later after a pause than before it was sent later, or lacks what came before it. */
const SEAM_MS = 100;

interface Stretch {
  readonly fromFrame: number;
  readonly toFrame: number;
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
  readonly #marks = new Marks();
  readonly #arrivals = new Marks();
  /** Where pauses were that were not caught up with. */
  #seams: Stretch[] = [];
  /** One of which that isn't known yet: where it began, and when frame 0 would have been live by what came before. */
  #pause: { readonly fromFrame: number; readonly zeroMs: number } | null = null;
  #titles: Title[] = [];
  /** Announced within the burst: the frame is not known before the burst is decoded. */
  #unplaced: { readonly byte: number; readonly title: string }[] = [];
  #bytes = 0;
  #isOpen = true;
  #provenToMs: number | null = null;
  #provenFromMs: number | null = null;

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
    const fromFrame = this.ring.endFrame;
    const zeroMs = this.#marks.isEmpty ? null : this.#zeroMs();
    this.ring.push(whole === pcm.length ? pcm : pcm.subarray(0, whole));
    this.#clock.arrived(this.ring.endFrame, nowMs);
    if (zeroMs !== null && !this.#clock.settled(nowMs)) this.#pause ??= { fromFrame, zeroMs };
    this.#arrivals.push(this.ring.endFrame, nowMs);
    this.settle(nowMs);
  }

  /** Gives times to what has arrived, once the burst is over. */
  settle(nowMs: number): void {
    if (!this.#clock.settled(nowMs)) return;
    if (this.#pause !== null) this.#endPause(this.#pause);
    if (this.#unplaced.length > 0) this.#placeTitles();
    const { startFrame, endFrame } = this.ring;
    let frame = this.#marks.isEmpty
      ? Math.ceil(startFrame / MARK_EVERY_FRAMES) * MARK_EVERY_FRAMES
      : this.#marks.lastFrame + MARK_EVERY_FRAMES;
    for (; frame <= endFrame; frame += MARK_EVERY_FRAMES) this.#marks.push(frame, this.#clock.timeOf(frame));
    this.#marks.forgetBefore(startFrame);
    this.#arrivals.forgetBefore(startFrame);
  }

  #zeroMs(): number {
    return this.#clock.timeOf(this.ring.endFrame) - this.ring.endFrame / PCM_FRAMES_PER_MS;
  }

  /** The network brings all that it held back at once, and then sound is as late as before. */
  #endPause({ fromFrame, zeroMs }: { readonly fromFrame: number; readonly zeroMs: number }): void {
    this.#pause = null;
    const { startFrame, endFrame } = this.ring;
    this.#seams = this.#seams.filter(({ toFrame }) => toFrame > startFrame);
    if (this.#zeroMs() - zeroMs > SEAM_MS) this.#seams.push({ fromFrame, toFrame: endFrame });
  }

  wholeTo(frame: number): number {
    const ahead = this.#seams.filter(({ toFrame }) => toFrame > frame).map(({ fromFrame }) => fromFrame);
    return Math.min(this.#pause?.fromFrame ?? Number.POSITIVE_INFINITY, ...ahead);
  }

  /** Encoded bytes came, which the sound comes out of in a while. */
  noteBytes(count: number): void {
    this.#bytes += count;
  }

  /** What is announced now belongs to the sound that comes next. */
  noteTitle(title: string): void {
    if (!this.#marks.isEmpty) this.#addTitle(this.ring.endFrame, title);
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
    return this.#marks.timeOf(frame);
  }

  frameAt(ms: number): number | null {
    return this.#marks.frameAt(ms);
  }

  get provenToMs(): number | null {
    return this.#provenToMs;
  }

  /** Since when its leg sounds without a break, as far as that was proven; null when it never was. */
  get provenFromMs(): number | null {
    return this.#provenFromMs;
  }

  /** What proves the leg once this is closed proves another connection. */
  noteProof(fromMs: number, toMs: number): void {
    if (!this.#isOpen) return;
    this.#provenFromMs = fromMs;
    this.#provenToMs = toMs;
  }

  hereBy(ms: number): number {
    return this.#arrivals.frameBy(ms);
  }
}
