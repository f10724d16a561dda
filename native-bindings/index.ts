import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FaultKind, faultKinds, readingField, readingFields } from './fields.ts';

export { type FaultKind, faultKinds, readingField, readingFields };

export type NativeArgumentCode =
  | 'NATIVE_SAMPLE_RATE'
  | 'NATIVE_CHANNELS'
  | 'NATIVE_SETTING'
  | 'NATIVE_READINGS'
  | 'NATIVE_BLOCK_TYPE'
  | 'NATIVE_BLOCK_LENGTH';

/** An argument that the native code refuses. Nothing was measured or changed. */
export class NativeArgumentError extends TypeError {
  readonly code: NativeArgumentCode;

  constructor(code: NativeArgumentCode, message: string) {
    super(message);
    this.name = 'NativeArgumentError';
    this.code = code;
  }
}

/** The addon isn't there or can't be loaded; the message says what was found, what is needed and what to do. */
export class NativeLoadError extends Error {
  readonly code = 'NATIVE_LOAD';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NativeLoadError';
  }
}

export interface MeterSettings {
  /** Whole number of hertz, 8000 to 192000. */
  readonly sampleRateHz: number;
  /** 1 to 6, in the order L R, L R C, L R Ls Rs, L R C Ls Rs, L R C LFE Ls Rs. */
  readonly channels: number;
  /** Sound under this RMS level is silence, unless it is modulated as programme is. -120 to 0; -50 by default. */
  readonly actFloorDbfs?: number;
  /** -120 to 0; -40 by default. */
  readonly warnFloorDbfs?: number;
  /** How far under the act floor a quiet programme may lie. 0 to 60; 15 by default. */
  readonly quietProgrammeDb?: number;
  /** Least spread of level that a quiet programme has. 0 to 60; 3 by default. */
  readonly minModulationDb?: number;
  /** Delays and thresholds of the programme faults; 'music' by default. */
  readonly preset?: 'talk' | 'music' | 'classical';
  /** The loudness that too-loud and too-quiet are judged against. -70 to 0; without it neither is. */
  readonly targetLufs?: number;
  /** Steady sound up to this RMS level is noise-only. -120 to 0; -35 by default. */
  readonly noiseCeilingDbfs?: number;
  /** False where only the figures are wanted: then no fault is ever found, for a third of the memory. */
  readonly findsFaults?: boolean;
  /** How many readings `readings` holds, the newest overwriting the oldest. 1 to 36000; 64 by default. */
  readonly capacity?: number;
}

/** Figures over everything heard since construction or `reset`. Silence is -Infinity; unknown is NaN. */
export interface MeterSummary {
  readonly durationSeconds: number;
  readonly integratedLufs: number;
  readonly loudnessRangeLu: number;
  readonly maxMomentaryLufs: number;
  readonly maxShortTermLufs: number;
  readonly truePeakDbtp: number;
  readonly samplePeakDbfs: number;
  readonly correlation: number;
  readonly clippedSamples: number;
  readonly invalidSamples: number;
  readonly rmsDbfs: readonly number[];
  readonly dcOffset: readonly number[];
}

/** From when to when a programme fault was there, in seconds of audio since construction or reset. */
export interface FaultEpisode {
  readonly kind: FaultKind;
  readonly startSeconds: number;
  /** When it was established: the start, the window it shows in and its trip delay. */
  readonly tripSeconds: number;
  /** Null while it lasts. */
  readonly endSeconds: number | null;
  /**
   * The numbers that show it, the newest while it lasts: noise-only `levelDbfs levelRangeDb strongestHz strongestShare`,
   * tone `levelDbfs levelRangeDb frequencyHz share`, channel-lost `leftDbfs rightDbfs differenceDb`, phase-inverted
   * `correlation leftDbfs rightDbfs`, stuck-loop and loop-suspected `periodSeconds repeats matchedSeconds similarity`,
   * clipped `clippedPercent`, too-loud and too-quiet `loudnessLufs targetLufs`, mono `differenceDb`.
   */
  readonly evidence: Readonly<Record<string, number>>;
}

interface NativeMeter {
  push(interleaved: Float32Array): number;
  summary(): MeterSummary;
  faultEpisodes(): FaultEpisode[];
  reset(): void;
  resetIntegrated(): void;
}

interface NativeClasses {
  readonly Meter: new (settings: MeterSettings, readings: Float64Array) => NativeMeter;
  readonly readingFields: number;
  readonly faultKinds: readonly string[];
}

interface Addon {
  initialise(argumentError: typeof NativeArgumentError): NativeClasses;
}

const require = createRequire(import.meta.url);

/** The folder of the package: this file runs from its source and from dist/, so it walks up to package.json. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new NativeLoadError(`No package.json above ${fileURLToPath(import.meta.url)}`);
    folder = parent;
  }
  return folder;
}

/** Own build first, so that who compiles gets what was compiled; then what node-gyp-build finds in prebuilds/. */
function candidates(folder: string): string[] {
  const built = join(folder, 'build', 'sustain.node');
  const found = existsSync(built) ? [built] : [];
  try {
    const nodeGypBuild = require('node-gyp-build') as { resolve(folder: string): string };
    found.push(nodeGypBuild.resolve(folder));
  } catch {
    // It throws when it has nothing to offer, and loadAddon tells the whole story.
  }
  return found;
}

function listing(folder: string): string {
  return existsSync(folder) ? readdirSync(folder).join(', ') || 'empty' : 'absent';
}

function isAddon(value: unknown): value is Addon {
  return typeof value === 'object' && value !== null && 'initialise' in value;
}

/**
 * Loads the native classes from `folder` (native-bindings of the package by default).
 * @throws NativeLoadError
 */
export function loadNative(folder: string = join(packageRoot(), 'native-bindings')): NativeClasses {
  const failures: string[] = [];
  for (const path of candidates(folder)) {
    try {
      const addon: unknown = require(path);
      if (!isAddon(addon)) throw new Error('it is not the addon of sustain');
      const classes = addon.initialise(NativeArgumentError);
      const sameKinds = classes.faultKinds.join() === faultKinds.join();
      if (classes.readingFields === readingFields && sameKinds) return classes;
      throw new Error('its readings or faults are those of another version');
    } catch (error) {
      failures.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const system = `${process.platform}-${process.arch}`;
  throw new NativeLoadError(
    [
      `The native addon of sustain could not be loaded on ${system} with Node ${process.versions.node}.`,
      ...(failures.length > 0
        ? ['Found, but unusable:', ...failures.map((failure) => `  ${failure}`)]
        : [
            'Found:',
            `  ${join(folder, 'build')}: ${listing(join(folder, 'build'))}`,
            `  ${join(folder, 'prebuilds')}: ${listing(join(folder, 'prebuilds'))}`,
          ]),
      `Needed: build/sustain.node, or a prebuild for ${system}.`,
      'What to do: run `node native-bindings/build.mjs` (it needs g++: apt-get install g++), or `npm rebuild`.',
      'When npm was told to ignore scripts, run that command by hand.',
    ].join('\n'),
  );
}

let classes: NativeClasses | undefined;

const defaultCapacity = 64;
const largestCapacity = 36000;

/**
 * Measures one leg: interleaved float samples in, a reading for every 100 ms out, whatever the lengths of the pieces.
 * Readings are rows of `readings`, read by the columns in `readingField`; nothing is allocated while it runs.
 */
export class Meter {
  /** `capacity` rows of `readingFields` numbers. */
  readonly readings: Float64Array<ArrayBuffer>;
  readonly capacity: number;
  readonly #native: NativeMeter;
  #written = 0;

  /** @throws NativeArgumentError, NativeLoadError */
  constructor(settings: MeterSettings) {
    classes ??= loadNative();
    const capacity = settings?.capacity ?? defaultCapacity;
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > largestCapacity) {
      const message = `capacity must be a whole number from 1 to ${largestCapacity}, not ${String(capacity)}`;
      throw new NativeArgumentError('NATIVE_SETTING', message);
    }
    this.capacity = capacity;
    this.readings = new Float64Array(capacity * readingFields);
    this.#native = new classes.Meter(settings, this.readings);
  }

  /**
   * Takes any whole number of frames and returns how many readings that completed; when that is more than `capacity`,
   * only the newest `capacity` of them can still be read.
   * @throws NativeArgumentError
   */
  push(interleaved: Float32Array): number {
    const count = this.#native.push(interleaved);
    this.#written += count;
    return count;
  }

  /** Where a reading starts in `readings`: 0 is the newest, 1 the one before, up to `capacity` - 1. NaN when there is none. */
  offsetOf(age: number): number {
    if (!(age >= 0 && age < this.capacity && age < this.#written)) return Number.NaN;
    return ((this.#written - 1 - age) % this.capacity) * readingFields;
  }

  summary(): MeterSummary {
    return this.#native.summary();
  }

  /** The faults and warnings of the programme, oldest first, at most the last 64, and all that last. */
  faultEpisodes(): FaultEpisode[] {
    return this.#native.faultEpisodes();
  }

  /** Forgets everything, as if newly made, and gives the memory back until sound comes again. */
  reset(): void {
    this.#native.reset();
    this.#written = 0;
  }

  /** Starts integrated loudness and loudness range again. */
  resetIntegrated(): void {
    this.#native.resetIntegrated();
  }
}
