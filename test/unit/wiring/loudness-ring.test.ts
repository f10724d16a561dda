import { describe, expect, test } from 'vitest';
import { LoudnessRing, type LoudnessSample } from '../../../src/wiring/loudness-ring.ts';

const at = (shortTermLufs: number, condition: LoudnessSample['condition'] = 'audible'): LoudnessSample => ({
  shortTermLufs,
  condition,
});
const one = () => new LoudnessRing([{ channel: '/stream', kind: 'output' }], 6);
const lufsOf = (ring: LoudnessRing, length: number, perPoint: number) =>
  ring.series(length, perPoint)[0]?.shortTermLufs;

describe('the loudness of the last hours', () => {
  test('is given oldest first, and keeps apart what is silent from what is not known', () => {
    const ring = one();
    for (const lufs of [-20.04, Number.NEGATIVE_INFINITY, Number.NaN]) ring.push([at(lufs)]);
    expect(lufsOf(ring, 100, 1)).toEqual([-20, -120, null]);
  });

  test('forgets the oldest, and never grows', () => {
    const ring = one();
    for (let n = 1; n <= 100; n += 1) ring.push([at(-n)]);
    expect(ring.length).toBe(6);
    expect(lufsOf(ring, 100, 1)).toEqual([-95, -96, -97, -98, -99, -100]);
  });

  test('takes what was before at its older end, as much as there is room for', () => {
    const ring = one();
    for (let n = 1; n <= 4; n += 1) ring.push([at(-n)]);
    ring.precede([[at(-50)], [at(-51)], [at(-52, 'faulty')]]);
    expect(lufsOf(ring, 100, 1)).toEqual([-51, -52, -1, -2, -3, -4]);
    expect(ring.series(6, 1)[0]?.conditions).toBe('afaaaa');
    ring.push([at(-5)]);
    ring.precede([[at(-50)]]);
    expect(lufsOf(ring, 100, 1)).toEqual([-52, -1, -2, -3, -4, -5]);
  });

  test('is thinned to the end of each step, with the worst condition in it', () => {
    const ring = one();
    ring.push([at(-1)]);
    ring.push([at(-2, 'faulty')]);
    ring.push([at(-3)]);
    ring.push([at(-4)]);
    ring.push([at(-5, 'unknown')]);
    const [series] = ring.series(5, 2);
    expect(series).toMatchObject({ shortTermLufs: [-1, -3, -5], conditions: 'afu' });
  });
});
