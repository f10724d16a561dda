import { PCM_CHANNELS, PCM_RATE_HZ } from '../../audio/decode-command.ts';
import type { EncodeFile } from '../../audio/encode-file.ts';
import { createProcessor } from '../../audio/processor.ts';
import { createProgrammeMeter, type MeterSummary } from '../../audio/programme-meter.ts';
import { PROCESSING_BANDS, type ProcessingValues } from '../../domain/processing.ts';
import type { ProcessingReading } from '../../domain/readings.ts';
import type { SoundSink } from '../measure/hear.ts';

/** Before and behind the chain, and what it did in between. */
export interface ProcessReport {
  readonly before: MeterSummary;
  readonly behind: MeterSummary;
  /** What a decoder makes of what was written; null of a lossless file, where it is the same. */
  readonly decoded: MeterSummary | null;
  /** What the decoder had to say of the input; null when nothing. */
  readonly damage: string | null;
  readonly fingerprint: string;
  readonly latencyMs: number;
  readonly bands: readonly Reduction[];
  readonly limiter: Reduction & {
    /** How much of the time it was at work. */
    readonly activePercent: number;
  };
  /** The least and the most that the leveller added. */
  readonly levellerDb: { readonly least: number; readonly most: number };
}

export interface Reduction {
  readonly meanDb: number;
  readonly mostDb: number;
}

/** Takes decoded sound, and gives the encoder exactly as much of it, processed and in step with what came in. */
export interface ProcessWork extends SoundSink {
  /** What is still inside of the chain comes out. */
  finish(): Promise<ProcessReport>;
}

/** Less than this is no work of a limiter that anybody would speak of. */
const ACTIVE_DB = 0.1;
const FLUSH_FRAMES = 4_800;

class Amount {
  #sum = 0;
  #count = 0;
  #active = 0;
  #most = 0;

  add(db: number): void {
    this.#sum += db;
    this.#count += 1;
    if (db > ACTIVE_DB) this.#active += 1;
    this.#most = Math.max(this.#most, db);
  }

  get reduction(): Reduction {
    return { meanDb: this.#count === 0 ? 0 : this.#sum / this.#count, mostDb: this.#most };
  }

  get activePercent(): number {
    return this.#count === 0 ? 0 : (100 * this.#active) / this.#count;
  }
}

export function startProcessWork(values: ProcessingValues, encoder: EncodeFile): ProcessWork {
  return new Work(values, encoder);
}

class Work implements ProcessWork {
  readonly isFull = false;
  readonly #encoder: EncodeFile;
  readonly #processor;
  readonly #before = openMeter();
  readonly #behind = openMeter();
  readonly #bands = Array.from({ length: PROCESSING_BANDS }, () => new Amount());
  readonly #limiter = new Amount();
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;
  #frames = 0;
  #framesOut = 0;
  #skipFrames: number;

  constructor(values: ProcessingValues, encoder: EncodeFile) {
    this.#encoder = encoder;
    this.#processor = createProcessor({ values, onReading: (reading) => this.#note(reading) });
    this.#skipFrames = this.#processor.latencyFrames;
  }

  get heardSeconds(): number {
    return this.#frames / PCM_RATE_HZ;
  }

  push(pcm: Float32Array): void {
    this.#before.push(pcm);
    this.#frames += pcm.length / PCM_CHANNELS;
    this.#run(pcm.slice());
  }

  ready(): Promise<void> {
    return this.#encoder.ready();
  }

  async finish(): Promise<ProcessReport> {
    while (this.#framesOut < this.#frames) {
      this.#run(new Float32Array(FLUSH_FRAMES * PCM_CHANNELS));
      await this.ready();
    }
    const { fingerprint, latencyFrames } = this.#processor;
    return {
      before: this.#before.summary(),
      behind: this.#behind.summary(),
      decoded: null,
      damage: null,
      fingerprint,
      latencyMs: (latencyFrames * 1_000) / PCM_RATE_HZ,
      bands: this.#bands.map((band) => band.reduction),
      limiter: { ...this.#limiter.reduction, activePercent: this.#limiter.activePercent },
      levellerDb: { least: this.#least, most: this.#most },
    };
  }

  #run(pcm: Float32Array): void {
    this.#processor.process(pcm);
    const skipped = Math.min(this.#skipFrames, pcm.length / PCM_CHANNELS);
    this.#skipFrames -= skipped;
    // No more may come out than went in: the rest is what was pushed in to get the last of it out.
    const end = Math.min(pcm.length, (skipped + this.#frames - this.#framesOut) * PCM_CHANNELS);
    const out = pcm.subarray(skipped * PCM_CHANNELS, end);
    if (out.length === 0) return;
    this.#framesOut += out.length / PCM_CHANNELS;
    this.#behind.push(out);
    this.#encoder.write(out);
  }

  #note({ bandReductionDb, limiterReductionDb, levellerGainDb }: ProcessingReading): void {
    for (const [band, db] of bandReductionDb.entries()) this.#bands[band]?.add(db);
    this.#limiter.add(limiterReductionDb);
    this.#least = Math.min(this.#least, levellerGainDb);
    this.#most = Math.max(this.#most, levellerGainDb);
  }
}

export function openMeter() {
  return createProgrammeMeter({
    thresholdDbfs: -50,
    preset: 'music',
    targetLufs: null,
    onBlock: () => {},
  });
}
