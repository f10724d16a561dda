/**
 * Columns of a reading in `Meter.readings`, the same numbers as `ReadingField` in src/dsp/reading.h (the loader compares
 * the counts). Loudness is ITU-R BS.1770-5 and EBU Tech 3341/3342; levels are relative to full scale 1.0. A level of
 * silence is -Infinity; a figure that isn't known yet or has no meaning is NaN.
 */
export const readingField = {
  /** 1 for the first reading since construction or reset. */
  sequence: 0,
  /** Audio time at the end of the reading, in seconds since construction or reset. */
  endSeconds: 1,
  /** Over the last 400 ms. NaN before 400 ms were heard. */
  momentaryLufs: 2,
  /** Highest momentary loudness within this reading; it is computed every 10 ms. */
  momentaryMaxLufs: 3,
  /** Over the last 3 s. NaN before 3 s were heard. */
  shortTermLufs: 4,
  /** Gated, since construction, `reset` or `resetIntegrated`; refreshed once a second. */
  integratedLufs: 5,
  /** Refreshed once a second. It is unstable in the first 60 s. */
  loudnessRangeLu: 6,
  /** Largest of all channels, between the samples too (BS.1770-5, Annex 2). */
  truePeakDbtp: 7,
  /** Largest of all channels. */
  samplePeakDbfs: 8,
  /** Of the first two channels over the last second, -1 to 1. NaN with one channel or a silent side. */
  correlation: 9,
  /** Mean of the channel furthest from zero over the last second, signed, 1.0 = full scale. */
  dcOffset: 10,
  /** Samples at or beyond full scale in this reading, all channels. */
  clippedSamples: 11,
  /** Samples that were NaN, infinite or beyond +36 dBFS, and were taken as zero. */
  invalidSamples: 12,
  /** How much of the reading is over the act floor, 0, 10 .. 100 ms. */
  audibleMs: 13,
  /** How much of the reading is over the warn floor, 0, 10 .. 100 ms. */
  audibleWarnMs: 14,
  /** How much of the reading is under the act floor and yet programme, by its modulation; 0, 20 .. 100 ms. */
  modulatedMs: 15,
  /** Spread of level while under the act floor; NaN above it and in the first second under it. */
  modulationDb: 16,
  /** Bits of active programme faults, see `faultKinds`. */
  faults: 17,
  /** Bits of active warnings and notes, see `faultKinds`. */
  warnings: 18,
  /** Six columns, one per channel: RMS over the reading, a full-scale sine being -3.01. NaN for absent channels. */
  rmsDbfs: 19,
} as const;

/**
 * Kinds of programme faults in the order of their bits in `faults` and `warnings` of a reading: `1 << index`. The first
 * five are faults; the others are warnings and notes. The same names as in src/dsp/fault_kinds.h (the loader compares).
 */
export const faultKinds = [
  'noise-only',
  'tone',
  'channel-lost',
  'phase-inverted',
  'stuck-loop',
  'clipped',
  'too-loud',
  'too-quiet',
  'mono',
  'loop-suspected',
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** Numbers per reading. */
export const readingFields = 25;
