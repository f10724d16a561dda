import { faultKinds, type Meter as NativeMeter, readingField } from '../../native-bindings/index.ts';
import {
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
  return {
    push: (pcm) => pushBlocks(native, pcm, (offset) => options.onReading(readingAt(native, offset))),
    reset: () => native.reset(),
  };
}

function readingAt(native: NativeMeter, offset: number): MeterReading {
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
    faults: namesOf(figure('faults')).filter(isFault),
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
