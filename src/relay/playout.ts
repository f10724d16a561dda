import { PCM_CHANNELS, PCM_RATE_HZ } from '../audio/decode-command.ts';
import { INTERPOLATOR_REACH_FRAMES, interpolate } from '../audio/splice.ts';

/** Sound that can be read by absolute frame: a take's ring. */
export interface Readable {
  read(fromFrame: number, out: Float32Array): boolean;
}

/** What is played: a source of sound, where in it, and whether its polarity has to be turned. Null: nothing but the floor. */
export interface Voice {
  readonly source: Readable;
  readonly frame: number;
  readonly inverted: boolean;
  /** By this much it begins louder or quieter than it is; released little by little. */
  readonly gainDb: number;
}

/** From `atFrame` of the voice that plays (now, when nothing plays) over to another one within `fadeFrames`. */
export interface Splice {
  readonly atFrame: number;
  readonly to: Voice | null;
  readonly fadeFrames: number;
  /** Normalised correlation of the two sounds there, so that their sum is as loud as each: 0 when they differ. */
  readonly correlation: number;
}

interface Fade {
  readonly from: Voice | null;
  readonly frames: number;
  readonly correlation: number;
  done: number;
}

const BLOCK_FRAMES = 960;
/** So slow that nobody hears it go: 6 dB in 20 s. */
const RELEASE_DB_PER_FRAME = 0.3 / PCM_RATE_HZ;
/** Half a frame is gone within half a second, by a change of the tempo far under what any player's clock is off. */
const SETTLE_PER_FRAME = 20e-6;
/** -90 dBFS RMS as a uniform distribution: under any programme, and above digital silence. */
const FLOOR_PEAK = 10 ** (-90 / 20) * Math.sqrt(3);

/**
 * What listeners hear, block by block: one voice at any position and pace, and the splice to the next one. It has no
 * clock; who calls `render` decides how much time passes. The noise floor is always there, so that no output is ever
 * digital silence, whatever the sources do.
 */
export class Playout {
  #voice: Voice | null = null;
  #fade: Fade | null = null;
  #splice: Splice | null = null;
  #dryFrames = 0;
  #noise = 0x9e3779b9;
  readonly #scratch = new Float32Array((BLOCK_FRAMES * 1.02 + 4 * INTERPOLATOR_REACH_FRAMES) * PCM_CHANNELS);
  readonly #fading = new Float32Array(BLOCK_FRAMES * PCM_CHANNELS);
  readonly #onSpliced: (splice: Splice) => void;

  constructor(onSpliced: (splice: Splice) => void) {
    this.#onSpliced = onSpliced;
  }

  get voice(): Voice | null {
    return this.#voice;
  }

  get isFading(): boolean {
    return this.#fade !== null;
  }

  /** Frames that were wanted from a source and weren't there. */
  get dryFrames(): number {
    return this.#dryFrames;
  }

  /** Replaces the splice that was planned. One that has begun is not undone. */
  plan(splice: Splice | null): void {
    this.#splice = splice;
  }

  render(out: Float32Array, rate: number): void {
    const frames = out.length / PCM_CHANNELS;
    let done = 0;
    while (done < frames) {
      const most = Math.min(BLOCK_FRAMES, frames - done);
      const take = this.#untilNextEvent(most, rate);
      if (take === 0) {
        this.#begin();
        continue;
      }
      this.#block(out.subarray(done * PCM_CHANNELS, (done + take) * PCM_CHANNELS), rate);
      done += take;
    }
  }

  /** How many frames can be rendered before a splice begins or a fade ends. */
  #untilNextEvent(most: number, rate: number): number {
    if (this.#fade !== null) return Math.min(most, this.#fade.frames - this.#fade.done);
    if (this.#splice === null) return most;
    if (this.#voice === null) return 0;
    return Math.max(0, Math.min(most, Math.floor((this.#splice.atFrame - this.#voice.frame) / rate)));
  }

  #begin(): void {
    const splice = this.#splice;
    if (splice === null) return;
    const from = this.#voice;
    // The new voice starts as much behind the planned place as the old one is, fractions of a frame included.
    const late = from === null ? 0 : from.frame - splice.atFrame;
    this.#voice = splice.to === null ? null : { ...splice.to, frame: splice.to.frame + late };
    this.#fade = { from, frames: Math.max(1, splice.fadeFrames), correlation: splice.correlation, done: 0 };
    this.#splice = null;
    this.#onSpliced(splice);
  }

  #block(out: Float32Array, rate: number): void {
    this.#voice = this.#read(this.#voice, rate, out);
    const fade = this.#fade;
    if (fade !== null) {
      const old = this.#fading.subarray(0, out.length);
      const from = this.#read(fade.from, rate, old);
      crossfade(out, old, fade);
      fade.done += out.length / PCM_CHANNELS;
      this.#fade = fade.done >= fade.frames ? null : { ...fade, from };
    }
    this.#addFloor(out);
  }

  /** Fills `out` from a voice and gives the voice as it stands afterwards. */
  #read(voice: Voice | null, rate: number, out: Float32Array): Voice | null {
    if (voice === null) {
      out.fill(0);
      return null;
    }
    const frames = out.length / PCM_CHANNELS;
    const whole = Math.floor(voice.frame);
    const settling = rate === 1 ? settlingFrames(voice.frame, frames) : 0;
    const pace = rate + settling / frames;
    if (!this.#readAt(voice, whole, pace, out)) {
      this.#dryFrames += frames;
      out.fill(0);
    }
    const gainDb = released(voice.gainDb, frames);
    const sign = voice.inverted ? -1 : 1;
    if (voice.inverted || voice.gainDb !== 0)
      amplify(out, sign * gainOf(voice.gainDb), sign * gainOf(gainDb));
    return { ...voice, frame: exactly(voice.frame + frames * rate + settling), gainDb };
  }

  #readAt(voice: Voice, whole: number, rate: number, out: Float32Array): boolean {
    if (rate === 1 && voice.frame === whole) return voice.source.read(whole, out);
    const frames = out.length / PCM_CHANNELS;
    const reach = INTERPOLATOR_REACH_FRAMES;
    const needed = Math.ceil(frames * rate) + 2 * reach + 2;
    const window = this.#scratch.subarray(0, needed * PCM_CHANNELS);
    if (!voice.source.read(whole - reach, window)) return false;
    interpolate(window, reach + (voice.frame - whole), rate, out);
    return true;
  }

  #addFloor(out: Float32Array): void {
    let noise = this.#noise;
    for (let i = 0; i < out.length; i += 1) {
      noise ^= noise << 13;
      noise ^= noise >>> 17;
      noise ^= noise << 5;
      const sample = out[i] ?? 0;
      // A decoder fed with rubbish can give NaN and infinity, and an encoder would never get over it.
      out[i] = (Number.isFinite(sample) ? sample : 0) + (noise / 0x80000000) * FLOOR_PEAK;
    }
    this.#noise = noise;
  }
}

/**
 * At pace 1 the cursor is brought onto a whole frame: once there no sample is changed, and nothing has to be interpolated
 * for ever after because the pace was another one for a while.
 */
function settlingFrames(frame: number, frames: number): number {
  const most = frames * SETTLE_PER_FRAME;
  return Math.max(-most, Math.min(most, Math.round(frame) - frame));
}

/** Without what the sums of floating point leave. */
const exactly = (frame: number): number =>
  Math.abs(frame - Math.round(frame)) < 1e-6 ? Math.round(frame) : frame;

const gainOf = (db: number): number => 10 ** (db / 20);

function released(gainDb: number, frames: number): number {
  return Math.sign(gainDb) * Math.max(0, Math.abs(gainDb) - frames * RELEASE_DB_PER_FRAME);
}

function amplify(out: Float32Array, from: number, to: number): void {
  const step = (to - from) / out.length;
  for (let i = 0; i < out.length; i += 1) out[i] = (out[i] ?? 0) * (from + i * step);
}

/** Fades `old` out of and `out` in, at constant power for sounds as alike as these are. */
function crossfade(out: Float32Array, old: Float32Array, fade: Fade): void {
  const frames = out.length / PCM_CHANNELS;
  for (let frame = 0; frame < frames; frame += 1) {
    const angle = (((fade.done + frame + 0.5) / fade.frames) * Math.PI) / 2;
    const rising = Math.sin(angle);
    const falling = Math.cos(angle);
    const gain = 1 / Math.sqrt(1 + 2 * fade.correlation * rising * falling);
    for (let i = frame * PCM_CHANNELS; i < (frame + 1) * PCM_CHANNELS; i += 1) {
      out[i] = gain * (rising * (out[i] ?? 0) + falling * (old[i] ?? 0));
    }
  }
}
