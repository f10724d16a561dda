import { describe, expect, test } from 'vitest';
import {
  legsOn,
  type Memory,
  memoryOf,
  newState,
  noMemory,
  rememberedAway,
} from '../../../src/decide/state.ts';
import { AUTODJ, DUBLIN, deskWith, LONDON, POLICY, PRIMARY, policyWith, SECONDARY } from './builders.ts';

const remembered: Memory = {
  ageMs: 3000,
  desks: {
    london: {
      onAir: SECONDARY,
      away: [PRIMARY],
      hold: { author: 'ann', remainingMs: 60_000, source: null },
      order: { unixSeconds: 7, by: DUBLIN, author: 'ann' },
    },
  },
};

describe('what is remembered over a restart', () => {
  test('comes back as it was, its times on the new clock', () => {
    const state = newState(POLICY, remembered, 500_000);
    expect(state.desks.get(LONDON)?.hold).toEqual({ author: 'ann', untilMs: 560_000, source: null });
    expect(memoryOf(state, 500_000)).toEqual({
      ageMs: 0,
      desks: { ...remembered.desks, dublin: { onAir: null, away: [], hold: null, order: null } },
    });
  });

  test('a hold goes on running out while nothing else is known yet', () => {
    const state = newState(POLICY, remembered, 500_000);
    expect(memoryOf(state, 520_000).desks['london']?.hold?.remainingMs).toBe(40_000);
    expect(memoryOf(state, 999_000).desks['london']?.hold?.remainingMs).toBe(0);
  });

  test('is what the desk knows, once it knows what is on air', () => {
    const state = newState(POLICY, remembered, 0);
    const away = [{ source: SECONDARY, sinceMs: 0, emptySinceMs: null }];
    const desks = new Map(state.desks).set(LONDON, deskWith({ onAir: AUTODJ, away }));
    expect(memoryOf({ ...state, desks }, 0).desks['london']).toEqual({
      onAir: AUTODJ,
      away: [SECONDARY],
      hold: null,
      order: null,
    });
  });

  test('nothing is remembered at the first start', () => {
    expect(newState(POLICY, noMemory, 0).desks.get(LONDON)).toMatchObject({ onAir: null, hold: null });
  });
});

describe('which mounts may hold listeners after a start', () => {
  test('those that were being left, and what was on air, should that be left now', () => {
    expect(rememberedAway(remembered, LONDON, POLICY)).toEqual([PRIMARY, SECONDARY]);
  });

  test('all of them after an absence in which a deputy may have acted', () => {
    const long = { ...remembered, ageMs: 12_000 };
    expect(new Set(rememberedAway(long, LONDON, POLICY))).toEqual(new Set([PRIMARY, SECONDARY, AUTODJ]));
  });

  test('none on a server of which nothing is remembered', () => {
    expect(rememberedAway(remembered, DUBLIN, POLICY)).toEqual([]);
    expect(rememberedAway(noMemory, LONDON, POLICY)).toEqual([]);
  });
});

test('the legs of a server are in order of preference, whatever order they were configured in', () => {
  const policy = policyWith({ legs: [...POLICY.legs].reverse() });
  const sources = legsOn(newState(policy, noMemory, 0), DUBLIN, policy).map(({ leg }) => leg.source);
  expect(sources).toEqual([PRIMARY, SECONDARY, AUTODJ]);
});
