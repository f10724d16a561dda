import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  PROCESSING_PARAMETERS,
  PROCESSING_PRESETS,
  type ProcessingValues,
} from '../../src/domain/processing.ts';
import { chainValues, firstDifference, gainOf, inStep, peakOf, processed, RATE_HZ } from './support/chain.ts';
import { decode, music } from './support/material.ts';
import { fromFunction, seededRandom } from './support/signals.ts';

const STAGES = ['highPass', 'rotator', 'leveller', 'compressor', 'equaliser', 'limiter'];
const song = music.flatMap((one) => (one.name === 'loud electronics' ? [one] : []))[0];
if (song === undefined) throw new Error('there is no such music');
const loud = decode(song, { fromSeconds: 60, seconds: 12, rateHz: RATE_HZ, channels: 2 });

const sine = (hertz: number, dbfs: number, seconds: number) =>
  fromFunction(seconds * RATE_HZ, (i) => gainOf(dbfs) * Math.sin((2 * Math.PI * hertz * i) / RATE_HZ));

/** Level of a band of five that does nothing, whatever comes: the crossovers alone. */
const crossoversOnly = (crossovers: ProcessingValues = {}): ProcessingValues => ({
  ...chainValues('off', { 'compressor.on': 1, ...crossovers }),
  ...Object.fromEntries([1, 2, 3, 4, 5].map((band) => [`band${band}.ratio`, 1])),
});

function impulse(seconds: number, atFrame = 0): Float32Array {
  const samples = new Float32Array(2 * seconds * RATE_HZ);
  samples[2 * atFrame] = 0.5;
  samples[2 * atFrame + 1] = 0.5;
  return samples;
}

/** Of the left side at one frequency, relative to an impulse of 0.5, in dB. */
function responseDb(samples: Float32Array, hertz: number): number {
  let real = 0;
  let imaginary = 0;
  const step = (2 * Math.PI * hertz) / RATE_HZ;
  for (let frame = 0; frame < samples.length / 2; frame += 1) {
    const value = samples[2 * frame] ?? 0;
    if (value === 0) continue;
    real += value * Math.cos(step * frame);
    imaginary -= value * Math.sin(step * frame);
  }
  return 20 * Math.log10(Math.hypot(real, imaginary) / 0.5);
}

describe('the sum of the bands', () => {
  const places = [
    {},
    { 'compressor.crossover1': 60, 'compressor.crossover2': 90, 'compressor.crossover3': 135 },
    {
      'compressor.crossover1': 3_000,
      'compressor.crossover2': 5_000,
      'compressor.crossover3': 9_000,
      'compressor.crossover4': 15_000,
    },
  ];

  test.each(places)('is flat within 0.1 dB from 20 Hz to 20 kHz, with crossovers %o', (crossovers) => {
    const out = inStep(processed(crossoversOnly(crossovers), impulse(2)));
    const hertz = Array.from({ length: 120 }, (_, i) => 20 * 1000 ** (i / 119));
    for (const at of hertz) expect(Math.abs(responseDb(out, at)), `${at.toFixed(0)} Hz`).toBeLessThan(0.1);
  });

  test('turns down a band by its ratio, and tells by how much', () => {
    const values = chainValues('off', { 'compressor.on': 1, 'band3.knee': 0, 'band3.ratio': 3 });
    // The threshold is 12 dB under -16 LUFS and a sine of -13 dBFS has a power of -16 dB: two thirds of 12 dB, and of the
    // 1.05 dB less that the crossovers an octave to each side leave.
    const { readings } = processed(values, sine(900, -13, 3));
    expect(readings.at(-1)?.bandReductionDb[2]).toBeCloseTo(7.3, 1);
    expect(readings.at(-1)?.bandReductionDb[0]).toBeLessThan(0.1);
  });
});

describe('time', () => {
  test('without any stage the sound comes out as it went in, later by exactly what is told', () => {
    const run = processed(chainValues('off'), loud);
    const { latencyFrames } = run.processor;
    const out = inStep(run);
    expect(firstDifference(out, loud.slice(0, out.length))).toBe(-1);
    expect(peakOf(run.out.subarray(0, 2 * latencyFrames))).toBe(0);
  });

  test.each(['leveller', 'limiter'])('%s alone leaves an impulse where it was', (stage) => {
    const out = inStep(processed(chainValues('off', { [`${stage}.on`]: 1 }), impulse(3, 777)));
    expect(out.findIndex((sample) => sample !== 0)).toBe(2 * 777);
  });

  test('is the same with every stage on', () => {
    const off = processed(chainValues('off'), impulse(1)).processor.latencyFrames;
    const all = processed(chainValues('loud', { 'rotator.on': 1 }), impulse(1)).processor.latencyFrames;
    expect(all).toBe(off);
  });
});

describe('the same sound', () => {
  test.each(PROCESSING_PRESETS)(
    'comes out the same to the bit, run after run, in pieces of any length: %s',
    (preset) => {
      const values = chainValues(preset);
      const random = seededRandom(5);
      const pieces = Array.from({ length: 400 }, () => 1 + Math.floor(random() ** 3 * 20_000));
      const once = processed(values, loud).out;
      expect(firstDifference(processed(values, loud).out, once)).toBe(-1);
      expect(firstDifference(processed(values, loud, pieces).out, once)).toBe(-1);
      expect(firstDifference(processed(values, loud, [1, 479, 480, 481, 2_880]).out, once)).toBe(-1);
    },
  );
});

/** What is over 6 kHz in a sound that has nothing there: a click. The peak of it, in dBFS. */
function clickDbfs(samples: Float32Array): number {
  const taps = Array.from({ length: 255 }, (_, k) => {
    const x = k - 127;
    const window = 0.42 + 0.5 * Math.cos((Math.PI * x) / 128) + 0.08 * Math.cos((2 * Math.PI * x) / 128);
    const low = x === 0 ? 0.25 : Math.sin(Math.PI * 0.25 * x) / (Math.PI * x);
    return ((x === 0 ? 1 : 0) - low) * window;
  });
  let peak = 0;
  for (let frame = taps.length; frame < samples.length / 2; frame += 1) {
    let sum = 0;
    for (let k = 0; k < taps.length; k += 1) sum += (taps[k] ?? 0) * (samples[2 * (frame - k)] ?? 0);
    peak = Math.max(peak, Math.abs(sum));
  }
  return 20 * Math.log10(peak);
}

describe('live bypass', () => {
  const tone = sine(440, -12, 4);
  const settledFrames = 3 * RATE_HZ;
  const around = (out: Float32Array) =>
    out.subarray(2 * (settledFrames - 2_000), 2 * (settledFrames + 8_000));
  /** Every stage has something to do: what it does ends, and begins, in the middle. */
  const working = { 'equaliser.lowGain': 6, 'highPass.frequency': 200, 'rotator.on': 1, ceiling: -12 };

  test.each(STAGES)('of the %s makes no click, neither off nor on', (stage) => {
    for (const [before, after] of [
      [1, 0],
      [0, 1],
    ] as const) {
      const values = (on: number) =>
        chainValues('loud', { ...working, 'equaliser.on': 1, [`${stage}.on`]: on });
      const { processor } = processed(values(before), new Float32Array(0));
      const out = tone.slice();
      processor.process(out.subarray(0, 2 * settledFrames));
      processor.change(values(after));
      processor.process(out.subarray(2 * settledFrames));
      expect(clickDbfs(around(out))).toBeLessThan(-75);
    }
  });

  test('is needed: the same change without a fade is a click that this finds', () => {
    const run = (on: number) =>
      processed(chainValues('off', { 'highPass.on': on, 'highPass.frequency': 200 }), tone).out;
    const cut = run(1);
    cut.set(run(0).subarray(2 * settledFrames), 2 * settledFrames);
    expect(clickDbfs(around(cut))).toBeGreaterThan(-50);
  });
});

describe('bad sound', () => {
  const rubbish = (random: () => number): number => {
    const kind = random();
    if (kind < 0.2) return Number.NaN;
    if (kind < 0.4) return random() < 0.5 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    if (kind < 0.6) return (random() - 0.5) * 3e38;
    return kind < 0.8 ? (random() - 0.5) * 1e-40 : (random() - 0.5) * 60;
  };
  const isFine = (out: Float32Array, most: number) => out.every((sample) => Math.abs(sample) <= most);

  test.each(PROCESSING_PRESETS)(
    'NaN, infinity and rubbish never leave, and leave nothing behind: %s',
    (preset) => {
      const random = seededRandom(3);
      const bad = fromFunction(2 * RATE_HZ, () => [rubbish(random), rubbish(random)]);
      const input = new Float32Array(bad.length + loud.length);
      input.set(bad);
      input.set(loud, bad.length);
      const { out, readings } = processed(chainValues(preset), input);
      expect(isFine(out, preset === 'off' ? 64 : gainOf(-1))).toBe(true);
      expect(readings.at(-1)?.invalidTotal).toBeGreaterThan(50_000);
      const end = out.subarray(out.length - 2 * RATE_HZ);
      expect(peakOf(end)).toBeGreaterThan(0.05);
    },
  );

  test('fading to nothing ends in nothing: no denormal numbers come out', () => {
    const fading = fromFunction(10 * RATE_HZ, (i) => Math.sin(i / 20) * Math.exp(-i / 2_000));
    for (const preset of PROCESSING_PRESETS.filter((one) => one !== 'off')) {
      const { out } = processed(chainValues(preset), fading);
      expect(out.some((sample) => sample !== 0 && Math.abs(sample) < 2 ** -126)).toBe(false);
      expect(peakOf(out.subarray(out.length - 2 * RATE_HZ))).toBeLessThan(1e-30);
    }
  });

  test('with any settings, changed at any moment, in pieces of any length, only numbers come out', () => {
    const anyValues = fc
      .tuple(
        ...PROCESSING_PARAMETERS.map(({ minimum, maximum }) =>
          fc.double({ min: minimum, max: maximum, noNaN: true }),
        ),
      )
      .map((numbers) =>
        Object.fromEntries(PROCESSING_PARAMETERS.map(({ key }, i) => [key, numbers[i] ?? 0])),
      );
    const pieces = fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(anyValues, { minLength: 1, maxLength: 3 }),
        pieces,
        fc.integer(),
        (chains, lengths, seed) => {
          const random = seededRandom(seed);
          const { processor } = processed(chains[0] ?? chainValues('music'), new Float32Array(0));
          for (const [turn, frames] of lengths.entries()) {
            const next = chains[turn % chains.length];
            if (next !== undefined && random() < 0.5) processor.change(next);
            const level = random() < 0.2 ? rubbish(random) : random();
            const piece = fromFunction(frames, () => [level * (random() - 0.5), level * (random() - 0.5)]);
            processor.process(piece);
            expect(piece.every(Number.isFinite)).toBe(true);
          }
        },
      ),
      { numRuns: 60, seed: 20, endOnFailure: true },
    );
  });

  test('a setting that is no number is refused by its name', () => {
    const values = { ...chainValues('music'), 'band2.attack': Number.NaN };
    expect(() => processed(values, new Float32Array(2))).toThrow(/band2\.attack must be a finite number/);
  });
});
