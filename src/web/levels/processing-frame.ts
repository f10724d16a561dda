import type { ProcessingReading } from '../../domain/readings.ts';
import { decibels, HEAD_BYTES, hundredths } from './frame.ts';

/**
 * The other binary message of `/api/v1/levels`, as docs/api.md describes it: one for each 100 ms that a processing chain
 * worked on. Little-endian. A head of 8 bytes (u8 kind = 2, u8 station's index in the hello, u16 number of bands, u32
 * sequence), then i16 in hundredths of a decibel: momentary and short-term loudness in and out, the leveller's gain, the
 * make-up gain, the limiter's reduction and that of each band.
 */
const KIND_PROCESSING = 2;
const FIGURES_BEFORE_BANDS = 7;
const FIGURE_BYTES = 2;
const READINGS_PER_SECOND = 10;

export type ProcessingFigures = Omit<ProcessingReading, 'endSeconds' | 'invalidTotal'>;

export interface ProcessingFrame {
  /** Index in the hello. */
  readonly station: number;
  /** Grows by one with each 100 ms of sound since the chain began; modulo 2^32. */
  readonly sequence: number;
  readonly figures: ProcessingFigures;
}

export function encodeProcessing(station: number, reading: ProcessingReading): Uint8Array {
  const figures = [
    reading.inMomentaryLufs,
    reading.inShortTermLufs,
    reading.outMomentaryLufs,
    reading.outShortTermLufs,
    reading.levellerGainDb,
    reading.makeupGainDb,
    reading.limiterReductionDb,
    ...reading.bandReductionDb,
  ];
  const bytes = new Uint8Array(HEAD_BYTES + FIGURE_BYTES * figures.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, KIND_PROCESSING);
  view.setUint8(1, station);
  view.setUint16(2, reading.bandReductionDb.length, true);
  view.setUint32(4, Math.round(reading.endSeconds * READINGS_PER_SECOND) >>> 0, true);
  figures.forEach((db, index) => {
    view.setInt16(HEAD_BYTES + FIGURE_BYTES * index, hundredths(db), true);
  });
  return bytes;
}

/** Null for a message that is something else. */
export function decodeProcessing(message: ArrayBuffer): ProcessingFrame | null {
  const view = new DataView(message);
  if (view.byteLength < HEAD_BYTES || view.getUint8(0) !== KIND_PROCESSING) return null;
  const bands = view.getUint16(2, true);
  if (view.byteLength !== HEAD_BYTES + FIGURE_BYTES * (FIGURES_BEFORE_BANDS + bands)) return null;
  const figure = (index: number) => decibels(view.getInt16(HEAD_BYTES + FIGURE_BYTES * index, true));
  return {
    station: view.getUint8(1),
    sequence: view.getUint32(4, true),
    figures: {
      inMomentaryLufs: figure(0),
      inShortTermLufs: figure(1),
      outMomentaryLufs: figure(2),
      outShortTermLufs: figure(3),
      levellerGainDb: figure(4),
      makeupGainDb: figure(5),
      limiterReductionDb: figure(6),
      bandReductionDb: Array.from({ length: bands }, (_, band) => figure(FIGURES_BEFORE_BANDS + band)),
    },
  };
}
