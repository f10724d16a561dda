import { faultKinds, type Meter as NativeMeter, readingField } from '../../native-bindings/index.ts';
import {
  type FoundFault,
  PROGRAMME_FAULTS,
  type ProgrammeFault,
  type ProgrammeWarning,
  type SoundFigures,
} from '../domain/readings.ts';
import { PCM_RATE_HZ } from './decode-command.ts';
import { audibleMsAt, BLOCK_MS, openNativeMeter, pushBlocks } from './native-blocks.ts';

/** Figures of one block, before anybody knows at what time it was heard. */
export interface MeterReading extends SoundFigures {
  /** Frames since the start or the last reset, up to and including the block's last one. */
  readonly endFrame: number;
}

/** Measures interleaved 48 kHz stereo in blocks of 100 ms. */
export interface Meter {
  push(pcm: Float32Array): void;
  /** Forgets everything and counts frames from 0 again. */
  reset(): void;
}

export type ProgrammePreset = 'talk' | 'music' | 'classical';

export interface MeterSettings {
  /** Sound under this RMS level is quiet, unless it is modulated as programme is. In dBFS. */
  readonly thresholdDbfs: number;
  readonly preset: ProgrammePreset;
  /** Absent: nobody is warned of what is nearly silent. */
  readonly warn?: NearlySilent;
  /** Absent: nothing is too loud or too quiet. */
  readonly targetLufs?: number;
}

/** In `afterMs`, sound over `floorDbfs` has to add up to more than `soundMs`, or it is nearly silent. */
export interface NearlySilent {
  readonly floorDbfs: number;
  readonly afterMs: number;
  readonly soundMs: number;
}

export interface MeterOptions extends MeterSettings {
  /** False where nobody asks what is wrong with the sound: then nothing ever is. */
  readonly findsFaults?: boolean;
  onReading(reading: MeterReading): void;
}

export function createMeter(options: MeterOptions): Meter {
  const { thresholdDbfs, preset, warn, targetLufs, findsFaults } = options;
  const native = openNativeMeter({
    actFloorDbfs: thresholdDbfs,
    preset,
    ...(warn === undefined ? {} : { warnFloorDbfs: warn.floorDbfs }),
    ...(targetLufs === undefined ? {} : { targetLufs }),
    ...(findsFaults === undefined ? {} : { findsFaults }),
  });
  const onsets = new Onsets(native);
  const quiet = warn === undefined ? null : new QuietWatch(warn);
  return {
    push: (pcm) =>
      pushBlocks(native, pcm, (offset) => {
        const reading = readingAt(native, offset, onsets);
        const overFloorMs = native.readings[offset + readingField.audibleWarnMs] ?? 0;
        const isQuiet = quiet?.hear(overFloorMs) === true;
        options.onReading(
          isQuiet ? { ...reading, warnings: [...reading.warnings, 'nearly-silent'] } : reading,
        );
      }),
    reset() {
      native.reset();
      onsets.reset();
      quiet?.reset();
    },
  };
}

/** Counts the sound over the warn floor in the newest blocks. Clicks don't add up to it, as they don't to sound. */
class QuietWatch {
  readonly #soundMs: number;
  readonly #blocks: Uint8Array;
  #heard = 0;
  #sumMs = 0;

  constructor({ afterMs, soundMs }: NearlySilent) {
    this.#soundMs = Math.min(soundMs, afterMs / 2);
    this.#blocks = new Uint8Array(Math.max(1, Math.round(afterMs / BLOCK_MS)));
  }

  /** Of one block; true when it has been nearly silent for long enough. */
  hear(audibleMs: number): boolean {
    const at = this.#heard % this.#blocks.length;
    this.#sumMs += audibleMs - (this.#blocks[at] ?? 0);
    this.#blocks[at] = audibleMs;
    this.#heard += 1;
    return this.#heard >= this.#blocks.length && this.#sumMs <= this.#soundMs;
  }

  reset(): void {
    this.#blocks.fill(0);
    this.#heard = 0;
    this.#sumMs = 0;
  }
}

/** When the faults of now began. The meter's episodes are objects, so it is asked for them only when its bits change. */
class Onsets {
  readonly #native: NativeMeter;
  #bits = 0;
  #began: readonly { readonly fault: ProgrammeFault; readonly atSeconds: number }[] = [];

  constructor(native: NativeMeter) {
    this.#native = native;
  }

  reset(): void {
    this.#bits = 0;
    this.#began = [];
  }

  faultsAt(bits: number, endSeconds: number): readonly FoundFault[] {
    if (bits !== this.#bits) {
      // A piece of sound may hold the end of a fault too: what counts is what had tripped by then.
      const tripped = this.#native
        .faultEpisodes()
        .filter(({ tripSeconds }) => tripSeconds < endSeconds + BLOCK_MS / 2000);
      this.#bits = bits;
      this.#began = namesOf(bits)
        .filter(isFault)
        .map((fault) => ({
          fault,
          atSeconds: tripped.findLast(({ kind }) => kind === fault)?.startSeconds ?? endSeconds,
        }));
    }
    return this.#began.map(({ fault, atSeconds }) => ({
      fault,
      lastedMs: Math.max(0, Math.round((endSeconds - atSeconds) * 1000)),
    }));
  }
}

function readingAt(native: NativeMeter, offset: number, onsets: Onsets): MeterReading {
  const { readings } = native;
  const figure = (name: keyof typeof readingField) => readings[offset + readingField[name]] ?? Number.NaN;
  const channel = (index: number) => readings[offset + readingField.rmsDbfs + index] ?? Number.NaN;
  return {
    endFrame: Math.round(figure('endSeconds') * PCM_RATE_HZ),
    durationMs: BLOCK_MS,
    rmsDbfs: [channel(0), channel(1)],
    samplePeakDbfs: figure('samplePeakDbfs'),
    truePeakDbtp: figure('truePeakDbtp'),
    momentaryLufs: figure('momentaryLufs'),
    shortTermLufs: figure('shortTermLufs'),
    integratedLufs: figure('integratedLufs'),
    loudnessRangeLu: figure('loudnessRangeLu'),
    correlation: figure('correlation'),
    audibleMs: audibleMsAt(native, offset),
    faults: onsets.faultsAt(figure('faults'), figure('endSeconds')),
    warnings: namesOf(figure('warnings')).filter(isWarning),
  };
}

type Kind = ProgrammeFault | ProgrammeWarning;
const NONE: readonly Kind[] = [];

function namesOf(bits: number): readonly Kind[] {
  return bits === 0 ? NONE : faultKinds.filter((_kind, index) => (bits & (1 << index)) !== 0);
}

function isFault(kind: Kind): kind is ProgrammeFault {
  return PROGRAMME_FAULTS.some((fault) => fault === kind);
}

function isWarning(kind: Kind): kind is ProgrammeWarning {
  return !isFault(kind);
}
