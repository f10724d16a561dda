import {
  type FaultEpisode,
  type FaultKind,
  type MeterSummary,
  Meter as NativeMeter,
  readingField,
} from '../../native-bindings/index.ts';
import { PCM_CHANNELS, PCM_RATE_HZ } from './decode-command.ts';
import type { ProgrammePreset } from './meter.ts';

export type { FaultEpisode, FaultKind, MeterSummary };

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

export const BLOCK_MS = 100;
const CAPACITY = 50;
const PIECE_SAMPLES = (CAPACITY * PCM_RATE_HZ * PCM_CHANNELS * BLOCK_MS) / 1000;

export function createProgrammeMeter(options: ProgrammeMeterOptions): ProgrammeMeter {
  const native = new NativeMeter({
    sampleRateHz: PCM_RATE_HZ,
    channels: PCM_CHANNELS,
    actFloorDbfs: options.thresholdDbfs,
    preset: options.preset,
    capacity: CAPACITY,
    ...(options.targetLufs === null ? {} : { targetLufs: options.targetLufs }),
  });
  return {
    push(pcm) {
      for (let from = 0; from < pcm.length; from += PIECE_SAMPLES) {
        const count = native.push(pcm.subarray(from, Math.min(pcm.length, from + PIECE_SAMPLES)));
        for (let age = count - 1; age >= 0; age -= 1) options.onBlock(levelsAt(native, age));
      }
    },
    summary: () => native.summary(),
    faultEpisodes: () => native.faultEpisodes(),
  };
}

function levelsAt(native: NativeMeter, age: number): HeardLevels {
  const offset = native.offsetOf(age);
  const column = (index: number) => native.readings[offset + index] ?? Number.NaN;
  return {
    endSeconds: column(readingField.endSeconds),
    audibleMs: Math.max(column(readingField.audibleMs), column(readingField.modulatedMs)),
    rmsDbfs: [column(readingField.rmsDbfs), column(readingField.rmsDbfs + 1)],
  };
}
