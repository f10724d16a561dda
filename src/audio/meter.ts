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

export interface MeterOptions {
  /** Sound under this RMS level is quiet, unless it is modulated as programme is. */
  readonly thresholdDbfs: number;
  readonly preset: ProgrammePreset;
  onReading(reading: MeterReading): void;
}

export function createMeter(options: MeterOptions): Meter {
  const native = openNativeMeter({ actFloorDbfs: options.thresholdDbfs, preset: options.preset });
  const onsets = new Onsets(native);
  return {
    push: (pcm) => pushBlocks(native, pcm, (offset) => options.onReading(readingAt(native, offset, onsets))),
    reset() {
      native.reset();
      onsets.reset();
    },
  };
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
