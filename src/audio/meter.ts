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
  /** `endFrame`: frames since the start or the last reset, up to and including the block's last one. */
  onReading(figures: SoundFigures, endFrame: number): void;
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
        const figures = figuresAt(native, offset, onsets);
        const overFloorMs = native.readings[offset + readingField.audibleWarnMs] ?? 0;
        const isQuiet = quiet?.hear(overFloorMs) === true;
        options.onReading(
          isQuiet ? { ...figures, warnings: [...figures.warnings, 'nearly-silent'] } : figures,
          Math.round((native.readings[offset + readingField.endSeconds] ?? Number.NaN) * PCM_RATE_HZ),
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
    if (this.#began.length === 0) return NO_FAULTS;
    return this.#began.map(({ fault, atSeconds }) => ({
      fault,
      lastedMs: Math.max(0, Math.round((endSeconds - atSeconds) * 1000)),
    }));
  }
}

function figuresAt(native: NativeMeter, offset: number, onsets: Onsets): SoundFigures {
  const { readings } = native;
  const figure = (column: number) => readings[offset + column] ?? Number.NaN;
  const warnings = figure(readingField.warnings);
  return {
    durationMs: BLOCK_MS,
    rmsDbfs: [figure(readingField.rmsDbfs), figure(readingField.rmsDbfs + 1)],
    samplePeakDbfs: figure(readingField.samplePeakDbfs),
    truePeakDbtp: figure(readingField.truePeakDbtp),
    momentaryLufs: figure(readingField.momentaryLufs),
    shortTermLufs: figure(readingField.shortTermLufs),
    integratedLufs: figure(readingField.integratedLufs),
    loudnessRangeLu: figure(readingField.loudnessRangeLu),
    correlation: figure(readingField.correlation),
    audibleMs: audibleMsAt(native, offset),
    faults: onsets.faultsAt(figure(readingField.faults), figure(readingField.endSeconds)),
    warnings: warnings === 0 ? NO_WARNINGS : namesOf(warnings).filter(isWarning),
  };
}

type Kind = ProgrammeFault | ProgrammeWarning;
/** Nearly every block has none. */
const NO_FAULTS: readonly FoundFault[] = [];
const NO_WARNINGS: readonly ProgrammeWarning[] = [];

function namesOf(bits: number): readonly Kind[] {
  return faultKinds.filter((_kind, index) => (bits & (1 << index)) !== 0);
}

function isFault(kind: Kind): kind is ProgrammeFault {
  return PROGRAMME_FAULTS.some((fault) => fault === kind);
}

function isWarning(kind: Kind): kind is ProgrammeWarning {
  return !isFault(kind);
}
