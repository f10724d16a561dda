import { loadNative } from './index.ts';

/**
 * Columns of a reading in `NativeProcessor.readings`, the same numbers as `ProcessorField` in src/dsp/processor.h (their
 * count is compared). Loudness is ITU-R BS.1770-5 over the last 400 ms and 3 s: -Infinity in silence, NaN before so much
 * was heard. Reductions are positive and the largest within the reading.
 */
export const processorField = {
  /** 1 for the first reading. */
  sequence: 0,
  /** Sound that was taken up to the end of the reading, in seconds. */
  endSeconds: 1,
  inMomentaryLufs: 2,
  inShortTermLufs: 3,
  outMomentaryLufs: 4,
  outShortTermLufs: 5,
  /** What the leveller adds, or takes away where it is negative. */
  levellerGainDb: 6,
  /** What is added for what the later stages take from the loudness, and to bring the last half minute to the target. */
  makeupGainDb: 7,
  limiterReductionDb: 8,
  /** Samples that were NaN, infinite or beyond +36 dBFS and were taken as zero, since construction. */
  invalidTotal: 9,
  /** Five columns, from the lowest band to the highest. */
  bandReductionDb: 10,
} as const;

/** Numbers per reading. */
export const processorFields = 15;

interface NativeProcessorObject {
  process(interleaved: Float32Array): number;
  change(settings: Float64Array): void;
}

interface ProcessorParts {
  readonly Processor: new (settings: Float64Array, readings: Float64Array) => NativeProcessorObject;
  readonly processorParameters: readonly string[];
  readonly processorFields: number;
  readonly processorLatencyFrames: number;
}

function hasProcessor(value: object): value is ProcessorParts {
  return 'Processor' in value && 'processorFields' in value && value.processorFields === processorFields;
}

let loaded: ProcessorParts | undefined;

function parts(): ProcessorParts {
  if (loaded === undefined) {
    const classes: object = loadNative();
    if (!hasProcessor(classes)) throw new Error('the native addon is from another version: run npm rebuild');
    loaded = classes;
  }
  return loaded;
}

/** The names of the values that the processor takes, in their order. @throws NativeLoadError */
export const processorParameters = (): readonly string[] => parts().processorParameters;

/** How much later sound comes out than it went in, whatever the settings, at 48 kHz. @throws NativeLoadError */
export const processorLatencyFrames = (): number => parts().processorLatencyFrames;

/**
 * The processing chain on interleaved stereo at 48 kHz, in place. The same sound gives the same bits, whatever the lengths
 * of the pieces. Readings are rows of `readings`, one for each 100 ms; nothing is allocated while its settings stay.
 */
export class NativeProcessor {
  /** `capacity` rows of `processorFields` numbers, the newest overwriting the oldest. */
  readonly readings: Float64Array<ArrayBuffer>;
  readonly capacity: number;
  readonly #native: NativeProcessorObject;
  #written = 0;

  /** `settings` has a number for each of `processorParameters`. @throws NativeArgumentError, NativeLoadError */
  constructor(settings: Float64Array, capacity = 64) {
    this.capacity = capacity;
    this.readings = new Float64Array(capacity * processorFields);
    this.#native = new (parts().Processor)(settings, this.readings);
  }

  /** Returns how many readings were completed. @throws NativeArgumentError */
  process(interleaved: Float32Array): number {
    const count = this.#native.process(interleaved);
    this.#written += count;
    return count;
  }

  /** Fades to other settings within 210 ms, without a click. @throws NativeArgumentError */
  change(settings: Float64Array): void {
    this.#native.change(settings);
  }

  /** Where a reading starts in `readings`: 0 is the newest. NaN when there is none. */
  offsetOf(age: number): number {
    if (!(age >= 0 && age < this.capacity && age < this.#written)) return Number.NaN;
    return ((this.#written - 1 - age) % this.capacity) * processorFields;
  }
}
