import { describe, expect, test } from 'vitest';
import { LevelTap, SteadyTap } from '../../../src/audio/level-tap.ts';

/** Interleaved stereo at 48 kHz: the same value in every sample of a side. */
const pcm = (ms: number, left: number, right = left) =>
  Float32Array.from({ length: ms * 48 * 2 }, (_, index) => (index % 2 === 0 ? left : right));

describe('the levels that come sooner than the meter', () => {
  test('are RMS and peak of each side since the last look', () => {
    const tap = new LevelTap();
    tap.push(pcm(20, 0.5, -0.1));
    const levels = tap.take();
    expect(levels?.rmsDbfs[0]).toBeCloseTo(-6.02, 2);
    expect(levels?.rmsDbfs[1]).toBeCloseTo(-20, 2);
    expect(levels?.peakDbfs[1]).toBeCloseTo(-20, 2);
    tap.push(pcm(20, 0.1));
    expect(tap.take()?.peakDbfs[0]).toBeCloseTo(-20, 2);
  });

  test('are none without new sound', () => {
    const tap = new LevelTap();
    expect(tap.take()).toBeNull();
    tap.push(pcm(20, 0.5));
    tap.take();
    expect(tap.take()).toBeNull();
  });

  test('call digital silence what it is', () => {
    const tap = new LevelTap();
    tap.push(pcm(20, 0));
    expect(tap.take()).toEqual({
      rmsDbfs: [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
      peakDbfs: [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
    });
  });

  test('show the end of a burst, not its whole', () => {
    const tap = new LevelTap();
    tap.push(Float32Array.from([...pcm(900, 1), ...pcm(100, 0.1)]));
    expect(tap.take()?.peakDbfs[0]).toBeCloseTo(-20, 2);
  });

  test('begin anew when somebody looks again after a while', () => {
    const tap = new LevelTap();
    for (let piece = 0; piece < 100; piece += 1) tap.push(pcm(20, 1));
    tap.take();
    tap.push(pcm(20, 0.1));
    expect(tap.take()?.peakDbfs[0]).toBeCloseTo(-20, 2);
  });
});

describe('the levels of what is rendered in long blocks', () => {
  test('are those of the next 50 ms at each look', () => {
    const tap = new SteadyTap();
    const block = pcm(200, 0.1);
    block.fill(0.5, 0, 50 * 48 * 2);
    tap.push(block);
    const peaks = Array.from({ length: 5 }, () => tap.take()?.peakDbfs[0]);
    expect(peaks[0]).toBeCloseTo(-6.02, 2);
    for (const peak of peaks.slice(1, 4)) expect(peak).toBeCloseTo(-20, 2);
    expect(peaks[4]).toBeUndefined();
  });

  test('are not far behind after a while in which nobody looked', () => {
    const tap = new SteadyTap();
    for (let i = 0; i < 50; i += 1) tap.push(pcm(200, 0.5));
    tap.take();
    for (let i = 0; i < 4; i += 1) tap.push(pcm(200, 0.1));
    expect(tap.take()?.peakDbfs[0]).toBeCloseTo(-20, 2);
  });
});
