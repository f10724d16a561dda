import { describe, expect, test } from 'vitest';
import { failedAgain, holdDownAt, steady } from '../../../src/decide/flap.ts';

const policy = { holdDownMs: 30_000, holdDownMaxMs: 240_000, halfLifeMs: 900_000 };
const flapAfter = (failures: number, everyMs = 0) => {
  let flap = steady;
  for (let failure = 0; failure < failures; failure += 1) flap = failedAgain(flap, failure * everyMs, policy);
  return flap;
};

describe('the hold-down', () => {
  test.each([
    [0, 0],
    [1, 0],
    [2, 30_000],
    [3, 60_000],
    [4, 120_000],
    [5, 240_000],
    [6, 240_000],
    [100, 240_000],
  ])('after %i failures in a row is %i ms', (failures, holdDownMs) => {
    expect(holdDownAt(flapAfter(failures), 0, policy)).toBe(holdDownMs);
  });

  test('halves with each half-life, and is gone in the end', () => {
    const flap = flapAfter(4);
    expect(holdDownAt(flap, 900_000, policy)).toBe(30_000);
    expect(holdDownAt(flap, 2 * 900_000, policy)).toBe(0);
  });

  test('does not take longer to fade after a hundred failures than after as many as the cap', () => {
    expect(flapAfter(100).level).toBe(flapAfter(5).level);
  });

  test('stays at nothing for a source that fails once a day', () => {
    expect(holdDownAt(flapAfter(10, 86_400_000), 9 * 86_400_000, policy)).toBe(0);
  });

  test('can be switched off', () => {
    const off = { holdDownMs: 0, holdDownMaxMs: 0, halfLifeMs: 900_000 };
    let flap = steady;
    for (let failure = 0; failure < 50; failure += 1) flap = failedAgain(flap, failure, off);
    expect(holdDownAt(flap, 50, off)).toBe(0);
  });
});
