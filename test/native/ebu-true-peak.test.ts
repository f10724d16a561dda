import { describe, expect, test } from 'vitest';
import { type BlockFrames, measure } from './support/feed.ts';
import { fromFunction } from './support/signals.ts';

// EBU Tech 3341 (2023), Table 1, cases 15-23, synthesized: the true peak lies between the samples.

const rates = [44_100, 48_000, 96_000] as const;
const blocks: readonly BlockFrames[] = [1, 441, 4800, 'random'];
const ways = rates.flatMap((rateHz) => blocks.map((block) => ({ rateHz, block })));

/** A second of sine with a fade of 10 ms at each end. `period` is in frames, the phase in degrees. */
function fadedSine(rateHz: number, period: number, amplitude: number, phase: number): Float32Array {
  const fade = rateHz / 100;
  return fromFunction(rateHz, (i) => {
    const gain = Math.min(1, i / fade, (rateHz - 1 - i) / fade);
    return gain * amplitude * Math.sin(2 * Math.PI * (i / period + phase / 360));
  });
}

/** 255 taps at four times the rate, cutting at 20 kHz for 48 kHz and in proportion otherwise. */
function lowPass(): Float64Array {
  const cutoff = 20 / 192;
  const middle = 127;
  const taps = Float64Array.from({ length: 255 }, (_, i) => {
    const x = i - middle;
    const sinc = x === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * x) / (Math.PI * x);
    return sinc * (0.54 + 0.46 * Math.cos((Math.PI * x) / (middle + 1)));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

/** Half-scale sine at a sixth of the rate with one full-scale period at a quarter of it, decimated from four times. */
function hiddenPeak(offset: number): Float32Array {
  const high: number[] = [];
  const periods = 400;
  for (let n = 0; n < periods * 24; n++) {
    if (n === (periods / 2) * 24) for (let k = 0; k < 16; k++) high.push(Math.sin((2 * Math.PI * k) / 16));
    high.push(0.5 * Math.sin((2 * Math.PI * n) / 24));
  }
  const taps = lowPass();
  const frames = Math.floor((high.length - 300) / 4);
  return fromFunction(frames, (i) => {
    let sum = 0;
    for (let k = 0; k < taps.length; k++) sum += (taps[k] ?? 0) * (high[4 * i + offset + k] ?? 0);
    return sum * Math.min(1, i / 480, (frames - 1 - i) / 480);
  });
}

function expectTruePeak(samples: Float32Array, rateHz: number, block: BlockFrames, expected: number): void {
  // Silence at the end completes the last reading.
  const pieces = [samples, new Float32Array(rateHz / 5)];
  const { truePeakDbtp } = measure(pieces, { sampleRateHz: rateHz, channels: 2 }, block).summary;
  expect(truePeakDbtp).toBeLessThanOrEqual(expected + 0.2);
  expect(truePeakDbtp).toBeGreaterThanOrEqual(expected - 0.4);
}

describe.each(ways)('true peak at $rateHz Hz in blocks of $block', ({ rateHz, block }) => {
  test.each([
    [15, 4, 0.5, 0, -6],
    [16, 4, 0.5, 45, -6],
    [17, 6, 0.5, 60, -6],
    [18, 8, 0.5, 67.5, -6],
    [19, 4, 1.41, 45, 3],
  ])(
    'case %i: a sine of %i frames, amplitude %f, phase %f reads %f dBTP',
    (_, period, amplitude, phase, expected) => {
      expectTruePeak(fadedSine(rateHz, period, amplitude, phase), rateHz, block, expected);
    },
  );

  test.each([
    [20, 0],
    [21, 1],
    [22, 2],
    [23, 3],
  ])('case %i: one loud period, decimated at offset %i, reads 0 dBTP', (_, offset) => {
    expectTruePeak(hiddenPeak(offset), rateHz, block, 0);
  });
});

describe('what skipping quiet segments must not change', () => {
  test('a peak is found on each side of every boundary between blocks and segments', () => {
    const rateHz = 48_000;
    const alone: number[] = [];
    for (let start = 4760; start < 4840; start++) {
      const samples = fromFunction(2 * rateHz, (i) => {
        const burst =
          i >= start && i < start + 64 ? 0.7 * Math.sin(2 * Math.PI * ((i - start) / 4 + 1 / 8)) : 0;
        return burst + 0.2 * Math.sin((2 * Math.PI * i) / 48);
      });
      alone.push(measure([samples], { sampleRateHz: rateHz, channels: 2 }).summary.truePeakDbtp);
    }
    // The burst is 0.7 peak between samples, over a tone of 0.2 at whatever phase.
    expect(Math.min(...alone)).toBeGreaterThan(-1.4);
    expect(Math.max(...alone)).toBeLessThan(0.6);
  });
});
