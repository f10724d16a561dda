import { PCM_CHANNELS, PCM_RATE_HZ } from './decode-command.ts';

/** Levels of one block, before anybody knows at what time it was heard. */
export interface MeterReading {
  /** Frames since the start or the last reset, up to and including the block's last one. */
  readonly endFrame: number;
  readonly durationMs: number;
  /** RMS per channel in dBFS, without any DC offset; silence is -Infinity. */
  readonly rmsDbfs: readonly number[];
  /** Highest absolute sample per channel in dBFS; digital zero is -Infinity. */
  readonly peakDbfs: readonly number[];
  /** How much of the block is over the threshold in any channel, in steps of 10 ms, in ms. */
  readonly audibleMs: number;
}

/** Measures interleaved 48 kHz stereo in blocks of 100 ms. */
export interface Meter {
  push(pcm: Float32Array): void;
  /** Forgets the unfinished block and counts frames from 0 again. */
  reset(): void;
}

export interface MeterOptions {
  /** A 10 ms step whose RMS in any channel is over this is audible. */
  readonly thresholdDbfs: number;
  onReading(reading: MeterReading): void;
}

const STEP_MS = 10;
const STEP_FRAMES = (PCM_RATE_HZ * STEP_MS) / 1_000;
const STEPS_PER_BLOCK = 10;
const BLOCK_FRAMES = STEP_FRAMES * STEPS_PER_BLOCK;

/** Sums of one step or block of one channel. */
interface Sums {
  sum: number;
  squares: number;
  peak: number;
}

const noSums = (): Sums => ({ sum: 0, squares: 0, peak: 0 });

export function createMeter(options: MeterOptions): Meter {
  return new StereoMeter(options);
}

class StereoMeter implements Meter {
  readonly #onReading: (reading: MeterReading) => void;
  readonly #thresholdSquare: number;
  readonly #step: readonly [Sums, Sums] = [noSums(), noSums()];
  readonly #block: readonly [Sums, Sums] = [noSums(), noSums()];
  #framesInStep = 0;
  #stepsInBlock = 0;
  #audibleSteps = 0;
  #endFrame = 0;

  constructor(options: MeterOptions) {
    this.#onReading = options.onReading;
    this.#thresholdSquare = 10 ** (options.thresholdDbfs / 10);
  }

  push(pcm: Float32Array): void {
    const frames = Math.floor(pcm.length / PCM_CHANNELS);
    let done = 0;
    while (done < frames) {
      const take = Math.min(frames - done, STEP_FRAMES - this.#framesInStep);
      addFrames(pcm, done, take, this.#step[0], this.#step[1]);
      done += take;
      this.#framesInStep += take;
      if (this.#framesInStep === STEP_FRAMES) this.#endStep();
    }
  }

  reset(): void {
    for (const sums of [...this.#step, ...this.#block]) clear(sums);
    this.#framesInStep = 0;
    this.#stepsInBlock = 0;
    this.#audibleSteps = 0;
    this.#endFrame = 0;
  }

  #endStep(): void {
    let audible = false;
    for (const channel of [0, 1] as const) {
      const step = this.#step[channel];
      // Each step's own mean is taken off it, so that an offset is no sound, and a jump of the offset is but one step.
      if (meanSquareWithoutDc(step, STEP_FRAMES) > this.#thresholdSquare) audible = true;
      const block = this.#block[channel];
      block.sum += step.sum;
      block.squares += step.squares;
      block.peak = Math.max(block.peak, step.peak);
      clear(step);
    }
    if (audible) this.#audibleSteps += 1;
    this.#framesInStep = 0;
    this.#stepsInBlock += 1;
    if (this.#stepsInBlock === STEPS_PER_BLOCK) this.#endBlock();
  }

  #endBlock(): void {
    const [left, right] = this.#block;
    this.#endFrame += BLOCK_FRAMES;
    const reading: MeterReading = {
      endFrame: this.#endFrame,
      durationMs: STEP_MS * STEPS_PER_BLOCK,
      rmsDbfs: [rmsDbfs(left), rmsDbfs(right)],
      peakDbfs: [20 * Math.log10(left.peak), 20 * Math.log10(right.peak)],
      audibleMs: this.#audibleSteps * STEP_MS,
    };
    clear(left);
    clear(right);
    this.#stepsInBlock = 0;
    this.#audibleSteps = 0;
    this.#onReading(reading);
  }
}

function clear(sums: Sums): void {
  sums.sum = 0;
  sums.squares = 0;
  sums.peak = 0;
}

/** Never under 0, where rounding would put the square of an offset that fills the whole step. */
function meanSquareWithoutDc(sums: Sums, frames: number): number {
  const mean = sums.sum / frames;
  const meanSquare = sums.squares / frames;
  const without = meanSquare - mean * mean;
  return without > meanSquare * 1e-12 ? without : 0;
}

function rmsDbfs(sums: Sums): number {
  return 10 * Math.log10(meanSquareWithoutDc(sums, BLOCK_FRAMES));
}

/** The only loop over samples. A decoder fed with rubbish can give NaN and infinity; those are no sound. */
function addFrames(pcm: Float32Array, first: number, frames: number, left: Sums, right: Sums): void {
  let sumLeft = 0;
  let sumRight = 0;
  let squaresLeft = 0;
  let squaresRight = 0;
  let peakLeft = left.peak;
  let peakRight = right.peak;
  const end = (first + frames) * PCM_CHANNELS;
  for (let at = first * PCM_CHANNELS; at < end; at += PCM_CHANNELS) {
    const l = pcm[at] as number;
    const r = pcm[at + 1] as number;
    sumLeft += l;
    sumRight += r;
    squaresLeft += l * l;
    squaresRight += r * r;
    const absLeft = Math.abs(l);
    const absRight = Math.abs(r);
    if (absLeft > peakLeft) peakLeft = absLeft;
    if (absRight > peakRight) peakRight = absRight;
  }
  if (!Number.isFinite(squaresLeft + squaresRight)) {
    addFrames(finiteOnly(pcm, first, frames), 0, frames, left, right);
    return;
  }
  left.sum += sumLeft;
  left.squares += squaresLeft;
  left.peak = peakLeft;
  right.sum += sumRight;
  right.squares += squaresRight;
  right.peak = peakRight;
}

function finiteOnly(pcm: Float32Array, first: number, frames: number): Float32Array {
  return pcm
    .slice(first * PCM_CHANNELS, (first + frames) * PCM_CHANNELS)
    .map((sample) => (Number.isFinite(sample) ? sample : 0));
}
