import {
  NativeProcessor,
  processorField,
  processorLatencyFrames,
  processorParameters,
} from '../../native-bindings/processor.ts';
import { processingFingerprint } from '../domain/chain-sign.ts';
import { PROCESSING_BANDS, PROCESSING_PARAMETERS, type ProcessingValues } from '../domain/processing.ts';
import type { ProcessingReading } from '../domain/readings.ts';

/** The processing chain of one stream: interleaved stereo at 48 kHz, changed in place, `latencyFrames` late. */
export interface Processor {
  process(pcm: Float32Array): void;
  /** From now on with other values; faded to, so that nobody hears a click. */
  change(values: ProcessingValues): void;
  /** What the chain did in the newest 100 ms; null before there were any. */
  readonly reading: ProcessingReading | null;
  readonly values: ProcessingValues;
  /** Two chains with the same fingerprint do the same: twelve hexadecimal digits. */
  readonly fingerprint: string;
  readonly latencyFrames: number;
}

export interface ProcessorOptions {
  readonly values: ProcessingValues;
  /** Each reading as it is completed, for who wants more than the newest. */
  onReading?(reading: ProcessingReading): void;
}

export function createProcessor(options: ProcessorOptions): Processor {
  return new NativeChain(options);
}

/** The values in the order of the native code, which knows them by the same names. */
function settingsOf(values: ProcessingValues): Float64Array {
  const names = processorParameters();
  if (names.length !== PROCESSING_PARAMETERS.length)
    throw new Error('the native addon is from another version: run npm rebuild');
  return Float64Array.from(names, (name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the processing chain has no value for ${name}`);
    return value;
  });
}

class NativeChain implements Processor {
  readonly latencyFrames = processorLatencyFrames();
  readonly #native: NativeProcessor;
  readonly #onReading: ProcessorOptions['onReading'];
  #values: ProcessingValues;
  #fingerprint: string;

  constructor({ values, onReading }: ProcessorOptions) {
    this.#values = values;
    this.#fingerprint = processingFingerprint(values);
    this.#onReading = onReading;
    this.#native = new NativeProcessor(settingsOf(values));
  }

  process(pcm: Float32Array): void {
    const count = this.#native.process(pcm);
    if (this.#onReading === undefined) return;
    for (let age = Math.min(count, this.#native.capacity) - 1; age >= 0; age -= 1) {
      this.#onReading(readingAt(this.#native, this.#native.offsetOf(age)));
    }
  }

  change(values: ProcessingValues): void {
    this.#native.change(settingsOf(values));
    this.#values = values;
    this.#fingerprint = processingFingerprint(values);
  }

  get reading(): ProcessingReading | null {
    const offset = this.#native.offsetOf(0);
    return Number.isNaN(offset) ? null : readingAt(this.#native, offset);
  }

  get values(): ProcessingValues {
    return this.#values;
  }

  get fingerprint(): string {
    return this.#fingerprint;
  }
}

function readingAt({ readings }: NativeProcessor, offset: number): ProcessingReading {
  const figure = (column: number) => readings[offset + column] ?? Number.NaN;
  const first = processorField.bandReductionDb;
  return {
    endSeconds: figure(processorField.endSeconds),
    inMomentaryLufs: figure(processorField.inMomentaryLufs),
    inShortTermLufs: figure(processorField.inShortTermLufs),
    outMomentaryLufs: figure(processorField.outMomentaryLufs),
    outShortTermLufs: figure(processorField.outShortTermLufs),
    levellerGainDb: figure(processorField.levellerGainDb),
    makeupGainDb: figure(processorField.makeupGainDb),
    bandReductionDb: Array.from({ length: PROCESSING_BANDS }, (_, band) => figure(first + band)),
    limiterReductionDb: figure(processorField.limiterReductionDb),
    invalidTotal: figure(processorField.invalidTotal),
  };
}
