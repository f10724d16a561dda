import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Meter, NativeArgumentError, readingField } from '../../native-bindings/index.ts';
import { feed, readingAt } from './support/feed.ts';

const settings = { sampleRateHz: 48_000, channels: 2 };
const anything = (value: unknown) => value as never;

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(NativeArgumentError);
    expect(error).toBeInstanceOf(TypeError);
    return error instanceof NativeArgumentError ? error.code : '';
  }
  return 'no error';
}

describe('settings', () => {
  test.each([7999, 192_001, 44_100.5, Number.NaN, Infinity, -48_000, '48000', undefined, null])(
    'a sample rate of %s is refused',
    (sampleRateHz) => {
      expect(codeOf(() => new Meter(anything({ ...settings, sampleRateHz })))).toBe('NATIVE_SAMPLE_RATE');
    },
  );

  test.each([0, 7, 1.5, Number.NaN, '2', undefined])('%s channels are refused', (channels) => {
    expect(codeOf(() => new Meter(anything({ ...settings, channels })))).toBe('NATIVE_CHANNELS');
  });

  test.each([
    { actFloorDbfs: 1 },
    { actFloorDbfs: Number.NaN },
    { warnFloorDbfs: '-40' },
    { quietProgrammeDb: -1 },
    { minModulationDb: Infinity },
    { findsFaults: 1 },
    { capacity: 0 },
    { capacity: 36_001 },
    { capacity: 2.5 },
  ])('%o is refused', (wrong) => {
    expect(codeOf(() => new Meter(anything({ ...settings, ...wrong })))).toBe('NATIVE_SETTING');
  });

  test.each([undefined, null, 5, 'mono'])('%s instead of settings is refused', (wrong) => {
    expect(codeOf(() => new Meter(anything(wrong)))).toMatch(/^NATIVE_(SETTING|SAMPLE_RATE)$/);
  });

  test('the message names the setting, the range and what was given', () => {
    expect(() => new Meter({ ...settings, channels: 9 })).toThrow(
      'channels must be a whole number from 1 to 6, not 9',
    );
  });
});

describe('push', () => {
  test.each([
    undefined,
    null,
    3,
    'pcm',
    [0, 0],
    new Float64Array(4),
    new Int16Array(4),
    new ArrayBuffer(8),
    new DataView(new ArrayBuffer(8)),
  ])('refuses %s', (block) => {
    expect(codeOf(() => new Meter(settings).push(anything(block)))).toBe('NATIVE_BLOCK_TYPE');
  });

  test('refuses part of a frame, and measures nothing of it', () => {
    const meter = new Meter(settings);
    expect(codeOf(() => meter.push(new Float32Array(4801 * 2 + 1)))).toBe('NATIVE_BLOCK_LENGTH');
    expect(meter.summary().durationSeconds).toBe(0);
  });

  test('takes an empty block', () => {
    expect(new Meter(settings).push(new Float32Array(0))).toBe(0);
  });

  test('takes shared memory and views with an offset', () => {
    const shared = new Float32Array(new SharedArrayBuffer(9602 * 4)).subarray(2);
    shared.fill(0.25);
    const meter = new Meter(settings);
    expect(meter.push(shared)).toBe(1);
    expect(readingAt(meter).samplePeakDbfs).toBeCloseTo(-12.04, 2);
  });

  test('takes a block whose memory was transferred away as empty', () => {
    const block = new Float32Array(9600);
    structuredClone(block.buffer, { transfer: [block.buffer] });
    expect(new Meter(settings).push(block)).toBe(0);
  });

  test('says so when the memory of the readings was transferred away', () => {
    const meter = new Meter(settings);
    structuredClone(meter.readings.buffer, { transfer: [meter.readings.buffer] });
    expect(codeOf(() => meter.push(new Float32Array(9600)))).toBe('NATIVE_READINGS');
  });

  test('keeps the newest readings when one block completes more than fit', () => {
    const meter = new Meter({ ...settings, capacity: 3 });
    expect(meter.push(new Float32Array(9600 * 8))).toBe(8);
    expect([0, 1, 2].map((age) => readingAt(meter, age).sequence)).toEqual([8, 7, 6]);
    expect(meter.offsetOf(3)).toBeNaN();
    expect(meter.offsetOf(-1)).toBeNaN();
    expect(meter.offsetOf(Number.NaN)).toBeNaN();
  });
});

describe('samples that are no audio', () => {
  test.each([Number.NaN, Infinity, -Infinity, 65, -1e30, 3.4e38])(
    '%s is taken as zero and counted',
    (sample) => {
      const block = new Float32Array(9600).fill(0.5);
      block.fill(sample, 100, 107);
      const meter = new Meter(settings);
      meter.push(block);
      const reading = readingAt(meter);
      expect(reading.invalidSamples).toBe(7);
      expect(reading.samplePeakDbfs).toBeCloseTo(-6.02, 2);
      expect(reading.truePeakDbtp).toBeLessThan(3);
    },
  );

  test('denormal numbers are silence', () => {
    const meter = new Meter(settings);
    meter.push(new Float32Array(9600 * 5).fill(1e-42));
    expect(readingAt(meter)).toMatchObject({
      samplePeakDbfs: -Infinity,
      momentaryLufs: -Infinity,
      invalidSamples: 0,
    });
  });
});

describe('whatever is pushed', () => {
  const rates = fc.constantFrom(8000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000);
  const samples = fc.oneof(
    fc.float32Array({ maxLength: 3000 }),
    fc.float32Array({ maxLength: 3000, noNaN: true, min: -1, max: 1 }),
    fc.float32Array({ maxLength: 3000, noDefaultInfinity: true, noNaN: true }),
  );

  test('every figure keeps within its range, and the count of readings follows the frames', () => {
    fc.assert(
      fc.property(
        rates,
        fc.integer({ min: 1, max: 6 }),
        fc.array(samples, { maxLength: 20 }),
        (rate, channels, blocks) => {
          const meter = new Meter({ sampleRateHz: rate, channels, capacity: 40 });
          let frames = 0;
          let count = 0;
          for (const block of blocks) {
            const whole = block.subarray(0, block.length - (block.length % channels));
            frames += whole.length / channels;
            const readings = feed(meter, [whole], channels, Math.max(1, whole.length));
            count += readings.length;
            for (const reading of readings) {
              expect(reading.audibleMs % 10).toBe(0);
              expect(reading.audibleMs).toBeLessThanOrEqual(100);
              expect(reading.truePeakDbtp).toBeGreaterThanOrEqual(reading.samplePeakDbfs);
              expect(reading.truePeakDbtp).toBeLessThan(45);
              expect(Math.abs(reading.correlation) <= 1 || Number.isNaN(reading.correlation)).toBe(true);
              expect(reading.row[readingField.sequence]).toBe(reading.sequence);
              expect([...reading.row].includes(Infinity)).toBe(false);
            }
          }
          expect(count).toBe(Math.floor((frames * 10) / rate + 1e-9));
          expect(meter.summary().durationSeconds).toBeCloseTo(frames / rate, 9);
        },
      ),
      { numRuns: 150, seed: 7 },
    );
  });

  test('arguments of any type give a typed error or a result', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (first, second) => {
        const outcome = codeOf(() => {
          const meter = new Meter(anything(first));
          meter.push(anything(second));
        });
        expect(outcome === 'no error' || outcome.startsWith('NATIVE_')).toBe(true);
        expect(codeOf(() => new Meter(settings).push(anything(second)))).toMatch(/^NATIVE_|^no error$/);
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});
