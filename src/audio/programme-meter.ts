import {
  type FaultEpisode,
  type FaultKind,
  type MeterSummary,
  type Meter as NativeMeter,
  readingField,
} from '../../native-bindings/index.ts';
import type { ProgrammePreset } from './meter.ts';
import { audibleMsAt, BLOCK_MS, openNativeMeter, pushBlocks } from './native-blocks.ts';

export type { FaultEpisode, FaultKind, MeterSummary };
export { BLOCK_MS };

/** What is needed of a block of 100 ms to say whether the programme is silent. */
export interface HeardLevels {
  readonly endSeconds: number;
  /** How much of the block was sound: over the threshold, or modulated as programme is. In ms. */
  readonly audibleMs: number;
  readonly rmsDbfs: readonly number[];
}

/** Measures a programme as a whole, from its first sample to its last, where `Meter` tells the moment. */
export interface ProgrammeMeter {
  push(pcm: Float32Array): void;
  summary(): MeterSummary;
  /** All that last, and the last 64 that ended: who wants more asks in time. */
  faultEpisodes(): readonly FaultEpisode[];
}

export interface ProgrammeMeterOptions {
  readonly thresholdDbfs: number;
  readonly preset: ProgrammePreset;
  /** Without it nothing is too loud or too quiet. */
  readonly targetLufs: number | null;
  onBlock(levels: HeardLevels): void;
}

export function createProgrammeMeter(options: ProgrammeMeterOptions): ProgrammeMeter {
  const native = openNativeMeter({
    actFloorDbfs: options.thresholdDbfs,
    preset: options.preset,
    ...(options.targetLufs === null ? {} : { targetLufs: options.targetLufs }),
  });
  return {
    push: (pcm) => pushBlocks(native, pcm, (offset) => options.onBlock(levelsAt(native, offset))),
    summary: () => withoutUnmeasured(native.summary()),
    faultEpisodes: () => native.faultEpisodes(),
  };
}

/** The loudness of 3 s is not known, and no silence, where less than 3 s were heard; that of 400 ms likewise. */
function withoutUnmeasured(summary: MeterSummary): MeterSummary {
  const measured = (value: number, seconds: number) =>
    summary.durationSeconds < seconds ? Number.NaN : value;
  return {
    ...summary,
    maxMomentaryLufs: measured(summary.maxMomentaryLufs, 0.4),
    maxShortTermLufs: measured(summary.maxShortTermLufs, 3),
  };
}

function levelsAt(native: NativeMeter, offset: number): HeardLevels {
  const column = (index: number) => native.readings[offset + index] ?? Number.NaN;
  return {
    endSeconds: column(readingField.endSeconds),
    audibleMs: audibleMsAt(native, offset),
    rmsDbfs: [column(readingField.rmsDbfs), column(readingField.rmsDbfs + 1)],
  };
}
