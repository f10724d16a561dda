import { describe, expect, test } from 'vitest';
import { type BlockFrames, measure } from './support/feed.ts';
import { fromFunction, seededRandom } from './support/signals.ts';

const rateHz = 48_000;
const settings = { sampleRateHz: rateHz, channels: 2 };
const sine = (i: number, hertz: number, amplitude: number) =>
  amplitude * Math.sin((2 * Math.PI * hertz * i) / rateHz);
const db = (dbfs: number) => 10 ** (dbfs / 20);
const seconds = (count: number, sample: (frame: number) => number | readonly [number, number]) =>
  fromFunction(count * rateHz, sample);
const last = (samples: Float32Array) => {
  const reading = measure([samples], settings).readings.at(-1);
  if (reading === undefined) throw new Error('no reading');
  return reading;
};

describe('levels of a reading', () => {
  test('RMS is per channel: a sine of -20 dBFS peak reads -23.01', () => {
    const { row } = last(seconds(1, (i) => [sine(i, 1000, db(-20)), sine(i, 1000, db(-60))]));
    expect(row[19]).toBeCloseTo(-23.01, 2);
    expect(row[20]).toBeCloseTo(-63.01, 2);
    expect(row.subarray(21).every(Number.isNaN)).toBe(true);
  });

  test('sample peak is the largest of any channel', () => {
    expect(last(seconds(1, (i) => [i === 45_000 ? -0.5 : 0, 0.1])).samplePeakDbfs).toBeCloseTo(-6.02, 2);
  });

  test('correlation is 1 in phase, -1 inverted, 0 in quadrature, and unknown with a silent side', () => {
    expect(last(seconds(2, (i) => [sine(i, 440, 0.1), sine(i, 440, 0.3)])).correlation).toBeCloseTo(1, 5);
    expect(last(seconds(2, (i) => [sine(i, 440, 0.1), sine(i, 440, -0.3)])).correlation).toBeCloseTo(-1, 5);
    expect(
      last(seconds(2, (i) => [sine(i, 440, 0.1), sine(i + rateHz / 1760, 440, 0.1)])).correlation,
    ).toBeLessThan(0.05);
    expect(last(seconds(2, (i) => [sine(i, 440, 0.1), 0])).correlation).toBeNaN();
  });

  test('DC offset is that of the channel furthest from zero, with its sign', () => {
    expect(
      last(seconds(2, (i) => [sine(i, 100, 0.2) - 0.05, sine(i, 100, 0.2) + 0.01])).dcOffset,
    ).toBeCloseTo(-0.05, 4);
  });

  test('clipped samples are counted at full scale and beyond', () => {
    const { readings, summary } = measure(
      [seconds(1, (i) => [i % 480 < 3 ? 1 : 0.5, i % 4800 === 7 ? -1.4 : 0])],
      settings,
    );
    expect(readings.map((reading) => reading.clippedSamples)).toEqual(Array(10).fill(31));
    expect(summary.clippedSamples).toBe(310);
  });

  test('silence has a level of minus infinity, and loudness is unknown before its window is full', () => {
    const { readings } = measure([new Float32Array(rateHz * 8)], settings);
    expect(readings[2]?.momentaryLufs).toBeNaN();
    expect(readings[3]?.momentaryLufs).toBe(-Infinity);
    expect(readings[28]?.shortTermLufs).toBeNaN();
    expect(readings[29]?.shortTermLufs).toBe(-Infinity);
    expect(readings[39]?.samplePeakDbfs).toBe(-Infinity);
    expect(readings[39]?.integratedLufs).toBe(-Infinity);
  });
});

describe('summary', () => {
  test('RMS, offset and duration are those of the whole', () => {
    const audio = seconds(4, (i) => [i < 2 * rateHz ? sine(i, 1000, 0.5) : 0, 0.25]);
    const { summary } = measure([audio], settings);
    expect(summary.rmsDbfs[0]).toBeCloseTo(20 * Math.log10(0.25), 3);
    expect(summary.rmsDbfs[1]).toBeCloseTo(20 * Math.log10(0.25), 3);
    expect(summary.dcOffset[1]).toBeCloseTo(0.25, 6);
    expect(summary.durationSeconds).toBe(4);
  });

  test('before anything was heard, figures are unknown or silent', () => {
    const { summary } = measure([], settings);
    expect(summary).toMatchObject({
      durationSeconds: 0,
      integratedLufs: Number.NaN,
      truePeakDbtp: -Infinity,
    });
  });
});

describe('readings do not depend on how the audio arrives', () => {
  const random = seededRandom(3);
  const audio = fromFunction(rateHz * 6, () => [random() - 0.5, (random() - 0.5) * 0.1]);

  test.each([1, 441, 4800, 'random'] as const)(
    'in blocks of %s every figure is bit for bit the same',
    (block: BlockFrames) => {
      const whole = measure([audio], settings, audio.length).summary;
      const parts = measure([audio], settings, block);
      expect(parts.readings).toHaveLength(60);
      expect(parts.summary).toEqual(whole);
      expect(parts.readings).toEqual(measure([audio], settings, 4800).readings);
    },
  );

  test.each([8000, 11_025, 22_050, 44_100, 88_200, 192_000])(
    'there are ten a second at %i Hz',
    (sampleRateHz) => {
      const { readings } = measure(
        [new Float32Array(sampleRateHz * 7)],
        { sampleRateHz, channels: 1 },
        'random',
      );
      expect(readings.map((reading) => reading.sequence)).toEqual(
        Array.from({ length: 70 }, (_, i) => i + 1),
      );
      expect(readings.at(-1)?.endSeconds).toBeCloseTo(7, 6);
    },
  );

  test.each([8000, 16_000, 22_050, 32_000, 88_200, 192_000])(
    '1 kHz reads the same loudness at %i Hz',
    (sampleRateHz) => {
      const mono = Float32Array.from(
        { length: sampleRateHz * 5 },
        (_, i) => 0.1 * Math.sin((2 * Math.PI * 997 * i) / sampleRateHz),
      );
      const { summary } = measure([mono], { sampleRateHz, channels: 1 });
      // 0 dBFS at 997 Hz in one channel is -3.01 LKFS (BS.1770-5, Annex 1).
      expect(Math.abs(summary.integratedLufs - -23.01)).toBeLessThan(0.02);
    },
  );
});

describe('reset', () => {
  const loud = seconds(5, (i) => sine(i, 300, 0.8));
  const quiet = seconds(5, (i) => sine(i, 1000, 0.01));

  test('leaves nothing of what was heard', async () => {
    const { Meter } = await import('../../native-bindings/index.ts');
    const meter = new Meter(settings);
    meter.push(loud);
    meter.push(loud.subarray(0, 1234));
    meter.reset();
    expect(meter.offsetOf(0)).toBeNaN();
    meter.push(quiet);
    expect(meter.summary()).toEqual(measure([quiet], settings, 'random').summary);
  });

  test('of the integration leaves short-term loudness running', async () => {
    const { Meter, readingField } = await import('../../native-bindings/index.ts');
    const meter = new Meter(settings);
    meter.push(loud);
    meter.resetIntegrated();
    expect(meter.summary().integratedLufs).toBeNaN();
    meter.push(quiet);
    expect(meter.readings[meter.offsetOf(49) + readingField.shortTermLufs]).toBeGreaterThan(-10);
    expect(Math.abs(meter.summary().integratedLufs - -40)).toBeLessThan(0.5);
  });
});
