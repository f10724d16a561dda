import type { StereoLevels } from '../domain/levels.ts';
import { PCM_CHANNELS, PCM_RATE_HZ } from './decode-command.ts';

/** What is older than this is no picture of now: a burst of seconds shows its end. */
const NEWEST_SAMPLES = (PCM_RATE_HZ / 10) * PCM_CHANNELS;
/** This much sound without a look at it, and nobody is looking. */
const UNWATCHED_SAMPLES = PCM_RATE_HZ * PCM_CHANNELS;

/**
 * RMS and sample peaks of the sound that came since the last look, for eyes that want it sooner than the meter's blocks
 * of 100 ms are full. It costs next to nothing while nobody looks.
 */
export class LevelTap {
  readonly #squares = [0, 0] as [number, number];
  readonly #peaks = [0, 0] as [number, number];
  #samples = 0;
  #unwatchedSamples = 0;

  /** Interleaved stereo. */
  push(pcm: Float32Array): void {
    this.#unwatchedSamples += pcm.length;
    if (this.#unwatchedSamples > UNWATCHED_SAMPLES) return;
    if (this.#samples + pcm.length > NEWEST_SAMPLES) this.#forget();
    let [left, right] = this.#squares;
    let [leftPeak, rightPeak] = this.#peaks;
    const end = pcm.length - (pcm.length % PCM_CHANNELS);
    for (let i = Math.max(0, end - NEWEST_SAMPLES); i < end; i += PCM_CHANNELS) {
      const l = pcm[i] ?? 0;
      const r = pcm[i + 1] ?? 0;
      left += l * l;
      right += r * r;
      leftPeak = Math.max(leftPeak, l, -l);
      rightPeak = Math.max(rightPeak, r, -r);
      this.#samples += PCM_CHANNELS;
    }
    this.#squares[0] = left;
    this.#squares[1] = right;
    this.#peaks[0] = leftPeak;
    this.#peaks[1] = rightPeak;
  }

  /** Null when no sound came since the last look. */
  take(): StereoLevels | null {
    this.#unwatchedSamples = 0;
    if (this.#samples === 0) return null;
    const frames = this.#samples / PCM_CHANNELS;
    const rms = (squares: number) => 10 * Math.log10(squares / frames);
    const levels: StereoLevels = {
      rmsDbfs: [rms(this.#squares[0]), rms(this.#squares[1])],
      peakDbfs: [20 * Math.log10(this.#peaks[0]), 20 * Math.log10(this.#peaks[1])],
    };
    this.#forget();
    return levels;
  }

  #forget(): void {
    this.#squares.fill(0);
    this.#peaks.fill(0);
    this.#samples = 0;
  }
}

/** One look's worth: what is sent to eyes is sent 20 times a second. */
const PIECE_SAMPLES = (PCM_RATE_HZ / 20) * PCM_CHANNELS;
/** More than waits when sound is rendered and looked at in turns. */
const MOST_PIECES = 8;

/** The levels of sound that is rendered in blocks longer than a look: each look is given the next 50 ms of it. */
export class SteadyTap {
  readonly #tap = new LevelTap();
  #waiting: Float32Array[] = [];
  #unwatchedSamples = 0;

  /** Interleaved stereo, which must not be changed any more. */
  push(pcm: Float32Array): void {
    this.#unwatchedSamples += pcm.length;
    if (this.#unwatchedSamples > UNWATCHED_SAMPLES) {
      this.#waiting = [];
      return;
    }
    for (let at = 0; at < pcm.length; at += PIECE_SAMPLES)
      this.#waiting.push(pcm.subarray(at, at + PIECE_SAMPLES));
    this.#waiting.splice(0, this.#waiting.length - MOST_PIECES);
  }

  /** Null when all that came was looked at. */
  take(): StereoLevels | null {
    this.#unwatchedSamples = 0;
    const piece = this.#waiting.shift();
    if (piece === undefined) return null;
    this.#tap.push(piece);
    return this.#tap.take();
  }
}
