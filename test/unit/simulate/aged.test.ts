import { describe, expect, it } from 'vitest';
import { aged } from '../../../src/simulate/aged.ts';

describe('a state that time has passed over', () => {
  it('has what did not change that much further in the past, and what is renewed as near as it was', () => {
    const before = { wellSinceMs: 100, lastProbeAtMs: 5_000, good: 3 };
    const now = { wellSinceMs: 100, lastProbeAtMs: 20_000, good: 6 };
    expect(aged(now, before, 70_000)).toEqual({ wellSinceMs: 100 - 70_000, lastProbeAtMs: 20_000, good: 6 });
  });

  it('keeps durations, counts and everything that is no moment', () => {
    const state = {
      remainingMs: 500,
      durationMs: 100,
      level: 1.5,
      is: 'well',
      hold: null,
      verifiedAgoMs: 40,
    };
    expect(aged(state, state, 70_000)).toEqual(state);
  });

  it('goes through maps and lists, where moments stand under the name of the whole', () => {
    const state = { colleagueSeenMs: new Map([['london', 10]]), away: [{ sinceMs: 7, source: 'a' }] };
    expect(aged(state, state, 5)).toEqual({
      colleagueSeenMs: new Map([['london', 5]]),
      away: [{ sinceMs: 2, source: 'a' }],
    });
  });

  it('leaves what never was', () => {
    const never = { lastSwitchAtMs: Number.NEGATIVE_INFINITY };
    expect(aged(never, never, 5)).toEqual(never);
  });
});
