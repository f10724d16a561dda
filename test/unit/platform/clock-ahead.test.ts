import { describe, expect, test } from 'vitest';
import { clockAheadMs } from '../../../src/platform/clock-ahead.ts';

describe('a clock that is wrong beside another one', () => {
  const noonMs = Date.UTC(2026, 10, 28, 12);
  const HOUR_MS = 3_600_000;

  test('is found by the time that an answer tells', () => {
    const date = 'Sat, 28 Nov 2026 12:00:00 GMT';
    expect(clockAheadMs(noonMs + HOUR_MS, noonMs + HOUR_MS + 1_000, date)).toBe(HOUR_MS);
    expect(clockAheadMs(noonMs - HOUR_MS, noonMs - HOUR_MS + 1_000, date)).toBe(-HOUR_MS);
  });

  test('is taken as right while a slow answer could be the difference, and where nothing is said', () => {
    expect(clockAheadMs(noonMs, noonMs + 9_000, 'Sat, 28 Nov 2026 12:00:01 GMT')).toBe(0);
    expect(clockAheadMs(noonMs, noonMs, null)).toBe(0);
    expect(clockAheadMs(noonMs, noonMs, 'soon')).toBe(0);
  });
});
