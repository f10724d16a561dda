import {
  Meter,
  type MeterSettings,
  type MeterSummary,
  readingField,
  readingFields,
} from '../../../native-bindings/index.ts';
import { seededRandom } from './signals.ts';

/** Frames per push: a fixed number, or lengths drawn anew each time. */
export type BlockFrames = number | 'random';

export type Reading = { readonly [field in keyof typeof readingField]: number } & {
  readonly row: Float64Array;
};

const fieldNames = Object.keys(readingField) as (keyof typeof readingField)[];

export function readingAt(meter: Meter, age = 0): Reading {
  const start = meter.offsetOf(age);
  if (Number.isNaN(start)) throw new Error(`there is no reading of age ${age}`);
  const row = meter.readings.slice(start, start + readingFields);
  const named = Object.fromEntries(fieldNames.map((name) => [name, row[readingField[name]] ?? Number.NaN]));
  return { ...named, row } as Reading;
}

/** Pushes the pieces in blocks of the wanted length (a block may span pieces only when they divide evenly). */
export function feed(
  meter: Meter,
  pieces: Iterable<Float32Array>,
  channels: number,
  block: BlockFrames,
): Reading[] {
  const random = seededRandom(11);
  const readings: Reading[] = [];
  for (const piece of pieces) {
    let at = 0;
    while (at < piece.length) {
      const frames = block === 'random' ? 1 + Math.floor(random() ** 3 * 30_000) : block;
      const count = meter.push(piece.subarray(at, at + frames * channels));
      at += frames * channels;
      for (let age = count - 1; age >= 0; age--) readings.push(readingAt(meter, age));
    }
  }
  return readings;
}

export interface Measured {
  readonly readings: readonly Reading[];
  readonly summary: MeterSummary;
}

export function measure(
  pieces: Iterable<Float32Array>,
  settings: MeterSettings,
  block: BlockFrames = 4800,
): Measured {
  const meter = new Meter(settings);
  const readings = feed(meter, pieces, settings.channels, block);
  return { readings, summary: meter.summary() };
}
