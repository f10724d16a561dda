import { createProcessor, type Processor } from '../../../src/audio/processor.ts';
import {
  type ProcessingPreset,
  type ProcessingValues,
  resolveProcessing,
} from '../../../src/domain/processing.ts';
import type { ProcessingReading } from '../../../src/domain/readings.ts';

export const RATE_HZ = 48_000;

/** A value for every parameter: a preset with changes. */
export function chainValues(preset: ProcessingPreset, changes: ProcessingValues = {}): ProcessingValues {
  const { loudness, ceiling }: { loudness?: number; ceiling?: number } = changes;
  return resolveProcessing({
    preset,
    changes,
    loudnessLufs: loudness ?? null,
    ceilingDbtp: ceiling ?? null,
    lowestBitrateKbps: null,
  });
}

export interface Processed {
  /** As late as the chain makes it. */
  readonly out: Float32Array;
  readonly readings: readonly ProcessingReading[];
  readonly processor: Processor;
}

/** The input through a fresh chain; lengths of pieces in frames, the last one repeated. */
export function processed(
  values: ProcessingValues,
  input: Float32Array,
  pieceFrames: readonly number[] = [4_800],
): Processed {
  const readings: ProcessingReading[] = [];
  const processor = createProcessor({ values, onReading: (reading) => readings.push(reading) });
  const out = input.slice();
  let piece = 0;
  for (let at = 0; at < out.length; piece += 1) {
    const frames = pieceFrames[Math.min(piece, pieceFrames.length - 1)] ?? 4_800;
    processor.process(out.subarray(at, at + 2 * frames));
    at += 2 * frames;
  }
  return { out, readings, processor };
}

/** In step with the input: without the latency, and so much shorter. */
export function inStep({ out, processor }: Processed): Float32Array {
  return out.subarray(2 * processor.latencyFrames);
}

export const gainOf = (db: number): number => 10 ** (db / 20);

export function peakOf(samples: Float32Array): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return peak;
}

/** Index of the first that differs by a bit; -1 when none does. */
export function firstDifference(a: Float32Array, b: Float32Array): number {
  const left = new Uint32Array(a.buffer, a.byteOffset, a.length);
  const right = new Uint32Array(b.buffer, b.byteOffset, b.length);
  if (left.length !== right.length) return Math.min(left.length, right.length);
  return left.findIndex((bits, index) => bits !== right[index]);
}
