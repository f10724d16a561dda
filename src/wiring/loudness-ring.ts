import type { LegCondition } from '../domain/conditions.ts';
import type { LoudnessSeries } from '../domain/view.ts';

type Kind = LoudnessSeries['kind'];

export interface LoudnessSample {
  /** NaN for what isn't known, -Infinity for digital silence. */
  readonly shortTermLufs: number;
  readonly condition: LegCondition['is'];
}

/** What stands for digital silence, as JSON has no infinity. */
const SILENCE_LUFS = -120;
/** The worst last. */
const CONDITIONS = ['audible', 'unknown', 'faulty'] as const;
const LETTERS = ['a', 'u', 'f'] as const;

/** The loudness of a station's channels over the last hours, in memory that never grows. */
export class LoudnessRing {
  readonly #channels: readonly { readonly channel: string; readonly kind: Kind }[];
  readonly #capacity: number;
  #lufs: Float32Array;
  #conditions: Uint8Array;
  #written = 0;

  /** `capacity`: how many samples of each channel are kept. */
  constructor(channels: readonly { readonly channel: string; readonly kind: Kind }[], capacity: number) {
    this.#channels = channels;
    this.#capacity = capacity;
    this.#lufs = new Float32Array(channels.length * capacity);
    this.#conditions = new Uint8Array(channels.length * capacity);
  }

  /** How many samples of each channel there are. */
  get length(): number {
    return Math.min(this.#written, this.#capacity);
  }

  /** One sample for each channel, in their order. */
  push(samples: readonly LoudnessSample[]): void {
    const row = (this.#written % this.#capacity) * this.#channels.length;
    samples.slice(0, this.#channels.length).forEach(({ shortTermLufs, condition }, index) => {
      this.#lufs[row + index] = shortTermLufs;
      this.#conditions[row + index] = CONDITIONS.indexOf(condition);
    });
    this.#written += 1;
  }

  /** Puts samples before all that there are, the oldest first; only as many as there is room for. */
  precede(older: readonly (readonly LoudnessSample[])[]): void {
    const width = this.#channels.length;
    const own = Array.from({ length: this.length }, (_, index) => this.#at(this.length - 1 - index, 0));
    const [lufs, conditions] = [this.#lufs, this.#conditions];
    const room = this.#capacity - own.length;
    this.#lufs = new Float32Array(lufs.length);
    this.#conditions = new Uint8Array(conditions.length);
    this.#written = 0;
    for (const samples of older.slice(Math.max(0, older.length - room))) this.push(samples);
    for (const row of own) {
      const to = (this.#written % this.#capacity) * width;
      this.#lufs.set(lufs.subarray(row, row + width), to);
      this.#conditions.set(conditions.subarray(row, row + width), to);
      this.#written += 1;
    }
  }

  /** The newest `length` samples, `perPoint` of them in each point but perhaps the first; the newest last. */
  series(length: number, perPoint: number): LoudnessSeries[] {
    const kept = Math.min(length, this.length);
    const points = Math.ceil(kept / perPoint);
    return this.#channels.map(({ channel, kind }, index) => {
      const shortTermLufs: (number | null)[] = [];
      let conditions = '';
      for (let point = points - 1; point >= 0; point -= 1) {
        const newest = point * perPoint;
        shortTermLufs.push(finite(this.#lufs[this.#at(newest, index)] ?? Number.NaN));
        let worst = 0;
        for (let age = newest; age < Math.min(kept, newest + perPoint); age += 1) {
          worst = Math.max(worst, this.#conditions[this.#at(age, index)] ?? 0);
        }
        conditions += LETTERS[worst] ?? 'u';
      }
      return { channel, kind, shortTermLufs, conditions };
    });
  }

  #at(age: number, channel: number): number {
    return ((this.#written - 1 - age) % this.#capacity) * this.#channels.length + channel;
  }
}

function finite(lufs: number): number | null {
  if (Number.isNaN(lufs)) return null;
  return Math.max(SILENCE_LUFS, Math.round(lufs * 10) / 10);
}
