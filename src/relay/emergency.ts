import { PCM_CHANNELS, PCM_RATE_HZ } from '../audio/decode-command.ts';
import type { WholeFile } from '../audio/whole-file.ts';
import type { Loudness } from './loudness.ts';
import type { Readable } from './playout.ts';

/** What is played when no leg is audible. */
export interface Emergency {
  readonly source: Readable;
  readonly loudness: Loudness;
}

/** The end of the file is faded into its beginning over this, so that the loop has no click in it. */
const SEAM_FRAMES = PCM_RATE_HZ / 20;

export function emergencyOf(file: WholeFile): Emergency {
  const { integratedLufs, truePeakDbtp } = file;
  return { source: new LoopedSound(file.samples), loudness: { lufs: integratedLufs, truePeakDbtp } };
}

/** Sound that goes round for ever; every frame number from 0 on is in it. */
class LoopedSound implements Readable {
  readonly #samples: Int16Array;
  readonly #seamFrames: number;
  readonly #loopFrames: number;

  constructor(samples: Int16Array) {
    this.#samples = samples;
    const frames = Math.floor(samples.length / PCM_CHANNELS);
    this.#seamFrames = Math.min(SEAM_FRAMES, Math.floor(frames / 2));
    this.#loopFrames = frames - this.#seamFrames;
  }

  read(fromFrame: number, out: Float32Array): boolean {
    const frames = out.length / PCM_CHANNELS;
    for (let frame = 0; frame < frames; frame += 1) {
      const at = (((fromFrame + frame) % this.#loopFrames) + this.#loopFrames) % this.#loopFrames;
      const isSeam = at < this.#seamFrames && fromFrame + frame >= this.#loopFrames;
      const rising = isSeam ? Math.sin((((at + 0.5) / this.#seamFrames) * Math.PI) / 2) : 1;
      const falling = isSeam ? Math.cos((((at + 0.5) / this.#seamFrames) * Math.PI) / 2) : 0;
      for (let channel = 0; channel < PCM_CHANNELS; channel += 1) {
        const start = this.#samples[at * PCM_CHANNELS + channel] ?? 0;
        const end = isSeam ? (this.#samples[(this.#loopFrames + at) * PCM_CHANNELS + channel] ?? 0) : 0;
        out[frame * PCM_CHANNELS + channel] = (rising * start + falling * end) / 32_768;
      }
    }
    return true;
  }
}
