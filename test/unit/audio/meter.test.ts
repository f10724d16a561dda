import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMeter } from '../../../src/audio/meter.ts';
import type { SoundFigures } from '../../../src/domain/readings.ts';

const RATE_HZ = 48_000;
type Wave = (frame: number) => number;
type MeterReading = SoundFigures & { readonly endFrame: number };

function stereo(frames: number, left: Wave, right: Wave = left): Float32Array {
  return Float32Array.from({ length: frames * 2 }, (_, at) => (at % 2 ? right : left)(at >> 1));
}

const sine =
  (peak: number, hz: number): Wave =>
  (frame) =>
    peak * Math.sin((2 * Math.PI * hz * frame) / RATE_HZ);

const silence: Wave = () => 0;

function measure(pcm: Float32Array, cuts: readonly number[] = [], thresholdDbfs = -50): MeterReading[] {
  const readings: MeterReading[] = [];
  const meter = createMeter({
    thresholdDbfs,
    preset: 'music',
    onReading: (figures, endFrame) => readings.push({ ...figures, endFrame }),
  });
  let at = 0;
  for (const cut of [...cuts, pcm.length / 2]) {
    meter.push(pcm.subarray(at * 2, (at + cut) * 2));
    at = Math.min(at + cut, pcm.length / 2);
  }
  return readings;
}

describe('the meter', () => {
  it('gives the level of a sine on each channel: RMS 3.01 dB under its peak', () => {
    const [reading] = measure(stereo(4_800, sine(0.1, 1_000), sine(1, 100)));
    expect(reading?.rmsDbfs[0]).toBeCloseTo(-23.01, 2);
    expect(reading?.rmsDbfs[1]).toBeCloseTo(-3.01, 2);
    expect(reading?.samplePeakDbfs).toBeCloseTo(0, 2);
    expect(reading).toMatchObject({ endFrame: 4_800, durationMs: 100, audibleMs: 100 });
  });

  it('gives one reading for every 100 ms, the same wherever the sound was cut', () => {
    const noise = stereo(24_000, (frame) => Math.sin(frame * frame) * 0.3, sine(0.2, 440));
    const whole = measure(noise);
    expect(whole.map((reading) => reading.endFrame)).toEqual([4_800, 9_600, 14_400, 19_200, 24_000]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9_000 })), (cuts) => {
        const cut = measure(noise, cuts);
        expect(
          cut.map(({ endFrame, audibleMs, samplePeakDbfs }) => [endFrame, audibleMs, samplePeakDbfs]),
        ).toEqual(
          whole.map(({ endFrame, audibleMs, samplePeakDbfs }) => [endFrame, audibleMs, samplePeakDbfs]),
        );
        for (const [index, reading] of cut.entries()) {
          expect(reading.rmsDbfs[0]).toBeCloseTo(whole[index]?.rmsDbfs[0] ?? 0, 6);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('hears digital silence as minus infinity and as not audible', () => {
    expect(measure(stereo(4_800, silence))).toMatchObject([
      {
        endFrame: 4_800,
        durationMs: 100,
        rmsDbfs: [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
        samplePeakDbfs: Number.NEGATIVE_INFINITY,
        audibleMs: 0,
        faults: [],
      },
    ]);
  });

  it('does not take a DC offset for sound, with or without the silence of a codec on it', () => {
    const [offset] = measure(stereo(4_800, () => 0.3));
    expect(offset?.audibleMs).toBe(0);
    const hiss = measure(stereo(48_000, (frame) => 0.1 + 0.0005 * Math.sin(frame * 1.7)));
    expect(hiss.every((reading) => reading.audibleMs === 0)).toBe(true);
    const jump = measure(stereo(48_000, (frame) => (frame < 24_100 ? 0.3 : -0.3)));
    expect(jump.reduce((sum, reading) => sum + reading.audibleMs, 0)).toBeLessThanOrEqual(100);
  });

  it('counts a click as the 10 ms in which it is, in whichever channel', () => {
    const click =
      (at: number): Wave =>
      (frame) =>
        frame >= at && frame < at + 96 ? (frame % 2 === 0 ? 0.5 : -0.5) : 0;
    expect(measure(stereo(4_800, silence, click(1_000)))[0]?.audibleMs).toBe(10);
    expect(measure(stereo(4_800, click(10), click(2_000)))[0]?.audibleMs).toBe(20);
    expect(measure(stereo(4_800, click(430)))[0]?.audibleMs).toBe(20);
  });

  it('counts a pulse to one side, which is an offset for a moment, as no more than the block in which it is', () => {
    const pulse: Wave = (frame) => (frame >= 9_000 && frame < 9_096 ? 0.5 : 0);
    expect(
      measure(stereo(48_000, pulse)).reduce((sum, reading) => sum + reading.audibleMs, 0),
    ).toBeLessThanOrEqual(100);
  });

  it('finds the threshold within a tenth of a dB', () => {
    const at = (rms: number) => stereo(4_800, sine(10 ** ((rms + 3.0103) / 20), 1_000), silence);
    expect(measure(at(-50.1))[0]?.audibleMs).toBe(0);
    expect(measure(at(-49.9))[0]?.audibleMs).toBe(100);
    expect(measure(at(-58), [], -60)[0]?.audibleMs).toBe(100);
    expect(measure(at(-62), [], -60)[0]?.audibleMs).toBe(0);
  });

  it('takes rubbish samples for silence and goes on', () => {
    const rubbish = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38];
    const pcm = stereo(9_600, (frame) => (frame < 3 ? (rubbish[frame] ?? 0) : 0), sine(0.1, 1_000));
    const [first, second] = measure(pcm);
    expect(first).toMatchObject({
      audibleMs: 100,
      rmsDbfs: [Number.NEGATIVE_INFINITY, expect.closeTo(-23.01, 2)],
    });
    expect(second?.audibleMs).toBe(100);
    expect(Number.isNaN(measure(stereo(4_800, () => 3e38))[0]?.rmsDbfs[0])).toBe(false);
  });

  it('names a test tone within a few seconds, and goes on counting its blocks through long pieces', () => {
    const readings = measure(stereo(48_000 * 20, sine(0.1, 1_000)));
    expect(readings).toHaveLength(200);
    expect(readings.at(-1)?.faults).toMatchObject([{ fault: 'tone' }]);
    expect(readings[0]?.faults).toEqual([]);
  });

  it('says in every block for how long a fault has lasted, in pieces of any length', () => {
    const speech = (frame: number) => Math.sin(frame * frame) * (frame % 24_000 < 14_000 ? 0.2 : 0.01);
    const pcm = stereo(48_000 * 25, (frame) =>
      frame < 48_000 * 6 ? speech(frame) : sine(0.1, 1_000)(frame),
    );
    for (const cuts of [[], Array.from({ length: 400 }, () => 2_500)]) {
      const readings = measure(pcm, cuts);
      const found = readings.filter(({ faults }) => faults.length > 0);
      expect(found.length).toBeGreaterThan(50);
      for (const { endFrame, faults } of found) {
        const beganMs = endFrame / 48 - (faults[0]?.lastedMs ?? 0);
        expect(Math.abs(beganMs - 6_000)).toBeLessThan(300);
      }
    }
  });

  it('knows of a fault that was there from the first sound only that it has lasted at least so long', () => {
    const last = measure(stereo(48_000 * 20, sine(0.1, 1_000))).at(-1);
    expect(last?.faults).toEqual([{ fault: 'tone', lastedMs: 20_000 }]);
  });

  it('warns of what lies between the warn floor and the fault, and clicks are no way out of it', () => {
    const warn = { floorDbfs: -40, afterMs: 2_000, soundMs: 500 };
    const warningsOf = (wave: Wave) => {
      const warned: boolean[] = [];
      const meter = createMeter({
        thresholdDbfs: -50,
        preset: 'music',
        warn,
        onReading: ({ warnings }) => warned.push(warnings.includes('nearly-silent')),
      });
      meter.push(stereo(4 * RATE_HZ, wave));
      return warned;
    };
    // -45 dBFS RMS, then with 20 ms at -10 in every second, then with a second of it at the end.
    const quiet = sine(0.00795, 440);
    expect(warningsOf(quiet).indexOf(true)).toBe(19);
    const clicks: Wave = (frame) => (frame % RATE_HZ < 960 ? sine(0.45, 440) : quiet)(frame);
    expect(warningsOf(clicks).at(-1)).toBe(true);
    const back: Wave = (frame) => (frame >= 3 * RATE_HZ ? sine(0.45, 440) : quiet)(frame);
    expect(warningsOf(back).lastIndexOf(true)).toBe(34);
    expect(warningsOf(sine(0.45, 440))).not.toContain(true);
  });

  it('warns of what is far from the loudness that the station means to have', () => {
    const last = (targetLufs?: number) => {
      const readings: MeterReading[] = [];
      const meter = createMeter({
        thresholdDbfs: -50,
        preset: 'music',
        ...(targetLufs === undefined ? {} : { targetLufs }),
        onReading: (figures, endFrame) => readings.push({ ...figures, endFrame }),
      });
      for (let second = 0; second < 60; second += 1) meter.push(stereo(RATE_HZ, sine(0.1, 1_000)));
      return readings.at(-1)?.warnings.filter((warning) => warning.startsWith('too-'));
    };
    expect(last()).toEqual([]);
    expect(last(-20)).toEqual([]);
    expect(last(-30)).toEqual(['too-loud']);
    expect(last(-8)).toEqual(['too-quiet']);
  });

  it('forgets the begun block when it is reset', () => {
    const readings: MeterReading[] = [];
    const meter = createMeter({
      thresholdDbfs: -50,
      preset: 'music',
      onReading: (figures, endFrame) => readings.push({ ...figures, endFrame }),
    });
    meter.push(stereo(4_000, sine(0.5, 1_000)));
    meter.reset();
    meter.push(stereo(4_800, silence));
    expect(readings).toMatchObject([{ endFrame: 4_800, audibleMs: 0 }]);
  });
});
