import { describe, expect, test } from 'vitest';
import { pinkNoise, through } from './support/faulty.ts';
import { measure } from './support/feed.ts';
import { decode, music } from './support/material.ts';
import { fromFunction, seededRandom } from './support/signals.ts';

const rateHz = 48_000;
const settings = { sampleRateHz: rateHz, channels: 2 };
const db = (dbfs: number) => 10 ** (dbfs / 20);
/** A sine whose RMS is `rmsDbfs`. */
const sine = (i: number, hertz: number, rmsDbfs: number) =>
  Math.SQRT2 * db(rmsDbfs) * Math.sin((2 * Math.PI * hertz * i) / rateHz);
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const seconds = (count: number, sample: (frame: number) => number | readonly [number, number]) =>
  fromFunction(count * rateHz, sample);

const noise = (count: number, rmsDbfs: number) => {
  const random = seededRandom(5);
  // Uniform numbers from -1 to 1 have an RMS of 1 over the root of 3.
  return seconds(count, () => (random() * 2 - 1) * Math.sqrt(3) * db(rmsDbfs));
};

describe('audibleMs', () => {
  test.each([50, 60, 100, 1000])(
    'a sine of %i Hz is heard just over the floor and not just under it',
    (hertz) => {
      const over = measure([seconds(2, (i) => sine(i, hertz, -48.5))], settings).readings;
      const under = measure([seconds(2, (i) => sine(i, hertz, -51.5))], settings).readings;
      expect(over.map((reading) => reading.audibleMs)).toEqual(Array(20).fill(100));
      expect(under.map((reading) => reading.audibleMs)).toEqual(Array(20).fill(0));
    },
  );

  test('one channel is enough', () => {
    const { readings } = measure([seconds(2, (i) => [0, sine(i, 400, -30)])], settings);
    expect(total(readings.map((reading) => reading.audibleMs))).toBe(2000);
  });

  test('a click of 10 ms counts for 10 ms, or 20 when it lies across two steps', () => {
    const click = (at: number) => seconds(1, (i) => (i >= at && i < at + 480 ? sine(i, 3000, -20) : 0));
    for (const at of [24_000, 24_111]) {
      const heard = total(measure([click(at)], settings).readings.map((reading) => reading.audibleMs));
      expect(heard).toBe(at % 480 === 0 ? 10 : 20);
    }
  });

  test('an offset is not sound', () => {
    const { readings } = measure([seconds(2, () => [0.1, -0.2])], settings);
    expect(total(readings.slice(1).map((reading) => reading.audibleMs))).toBe(0);
  });

  test('the floors are settable, and the warn floor counts apart', () => {
    const audio = [seconds(1, (i) => sine(i, 1000, -45))];
    const sum = (field: 'audibleMs' | 'audibleWarnMs', floors = {}) =>
      total(measure(audio, { ...settings, ...floors }).readings.map((reading) => reading[field]));
    expect(sum('audibleMs')).toBe(1000);
    expect(sum('audibleWarnMs')).toBe(0);
    expect(sum('audibleMs', { actFloorDbfs: -44 })).toBe(0);
    expect(sum('audibleWarnMs', { warnFloorDbfs: -46 })).toBe(1000);
  });
});

describe('modulatedMs', () => {
  const quietMs = (samples: Float32Array) => {
    const { readings } = measure([samples], settings);
    return total(readings.map((reading) => reading.modulatedMs));
  };

  test('music far under the floor counts as programme once it was heard for a second', () => {
    const [ambient] = music;
    if (ambient === undefined) throw new Error('no music');
    const audio = decode(ambient, { fromSeconds: 60, seconds: 30, rateHz, channels: 2 }).map(
      (x) => x * db(-40),
    );
    const { readings } = measure([audio], settings);
    const audible = total(readings.map((reading) => reading.audibleMs));
    expect(audible).toBeLessThan(6000);
    expect(quietMs(audio)).toBeGreaterThan(10_000);
  });

  test.each([-52, -60])('line noise of %i dBFS is no programme', (dbfs) => {
    expect(quietMs(noise(20, dbfs))).toBe(0);
  });

  test.each(['MP3 64k', 'AAC 64k', 'Opus 32k'] as const)('line noise through %s is no programme', (codec) => {
    expect(quietMs(through(codec, pinkNoise(20, -56)))).toBe(0);
  });

  test.each([50, 60])('hum of %i Hz and its harmonics is no programme', (hertz) => {
    const hum = (i: number) => sine(i, hertz, -54) + sine(i, hertz * 2, -60) + sine(i, hertz * 3, -58);
    expect(quietMs(seconds(20, hum))).toBe(0);
  });

  test('digital silence is no programme, and neither is a click every two seconds', () => {
    expect(quietMs(new Float32Array(rateHz * 10))).toBe(0);
    expect(quietMs(seconds(20, (i) => (i % (2 * rateHz) < 480 ? sine(i, 3000, -20) : 0)))).toBe(0);
  });

  test('loud programme has no need of it', () => {
    expect(quietMs(seconds(5, (i) => sine(i, 1000, -20) * (0.5 + 0.5 * Math.sin(i / 5000))))).toBe(0);
  });
});
