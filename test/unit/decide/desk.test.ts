import { describe, expect, test } from 'vitest';
import {
  carriedByIcecast,
  isVerified,
  misfit,
  requiredHealthMs,
  withProbation,
} from '../../../src/decide/desk.ts';
import type { MountView } from '../../../src/domain/icecast.ts';
import { mount } from '../../../src/domain/ids.ts';
import {
  AUTODJ,
  audible,
  deskWith,
  faulty,
  legThat,
  POLICY,
  PRIMARY,
  SECONDARY,
  unknown,
  viewOf,
} from './builders.ts';

describe('whether listeners of one mount can be moved to another', () => {
  const from = (changes: Partial<MountView>) => viewOf(PRIMARY, changes);
  const to = (changes: Partial<MountView>) => viewOf(SECONDARY, changes);

  test.each([
    ['formats are equal', from({}), to({}), null],
    ['MP3 would go to Ogg', from({}), to({ contentType: 'application/ogg' }), 'formats-differ'],
    ['MP3 would go to AAC', from({}), to({ contentType: 'audio/aac' }), 'formats-differ'],
    ['there is room for exactly all', from({ clients: 60 }), to({ clients: 40, maxListeners: 100 }), null],
    [
      'there is one place too few',
      from({ clients: 61 }),
      to({ clients: 40, maxListeners: 100 }),
      'destination-full',
    ],
    ['one of them was never seen', null, to({ contentType: 'application/ogg' }), null],
    ['the other was never seen', from({}), null, null],
  ])('when %s', (_what, one, other, is) => {
    expect(misfit(one, other)?.is ?? null).toBe(is);
  });

  test('says which mounts, what they are and how many would not fit', () => {
    expect(misfit(from({}), to({ contentType: 'audio/aac' }))?.detail).toContain('/primary is audio/mpeg');
    const full = misfit(from({ clients: 61 }), to({ clients: 40, maxListeners: 100 }));
    expect(full?.detail).toContain('/secondary takes 100 connections and has 40');
  });
});

test.each([
  [audible(0, 5000), 10_000, true],
  [audible(0, 4999), 10_000, false],
  [faulty(0), 10_000, false],
  [unknown(), 10_000, false],
])('%o at %i ms is verified: %s', (condition, nowMs, expected) => {
  expect(isVerified(condition, nowMs, POLICY)).toBe(expected);
});

describe('how long a source has to be good', () => {
  test('is the restore delay, and the hold-down after relapses', () => {
    const flaps = new Map([[PRIMARY, { level: 3, atMs: 0 }]]);
    expect(requiredHealthMs(deskWith(), PRIMARY, 0, POLICY)).toBe(20_000);
    expect(requiredHealthMs(deskWith({ flaps }), PRIMARY, 0, POLICY)).toBe(20_000 + 60_000);
    expect(requiredHealthMs(deskWith({ flaps }), SECONDARY, 0, POLICY)).toBe(20_000);
  });

  test('a source that failed is on probation until it has been good for so long', () => {
    const failed = withProbation(deskWith(), [legThat(PRIMARY, faulty(0))], 100, POLICY);
    expect(failed.onProbation).toEqual(new Set([PRIMARY]));
    const back = [legThat(PRIMARY, audible(1000, 20_900))];
    expect(withProbation(failed, back, 20_900, POLICY).onProbation).toEqual(new Set([PRIMARY]));
    expect(withProbation(failed, back, 21_000, POLICY).onProbation).toEqual(new Set());
    expect(withProbation(failed, [legThat(PRIMARY, unknown())], 99_000, POLICY).onProbation).toEqual(
      new Set([PRIMARY]),
    );
  });
});

describe('where Icecast itself has carried listeners', () => {
  const gone = { missing: { sinceMs: 0, looks: 2 } };
  const legs = [
    legThat(PRIMARY, faulty(0, 'absent'), { fallback: mount('/secondary') }, gone),
    legThat(SECONDARY, faulty(0, 'absent'), { fallback: mount('/autodj') }, gone),
    legThat(AUTODJ, audible(0, 0), { fallback: mount('/primary') }),
  ];

  test('is along the chain of mounts, as far as sources are gone', () => {
    expect(carriedByIcecast(legs, PRIMARY, 1000)).toEqual([SECONDARY, AUTODJ]);
    expect(carriedByIcecast(legs, AUTODJ, 1000)).toEqual([]);
  });

  test('ends where the chain bites its own tail', () => {
    const ring = legs.map((leg) => ({ ...leg, ...gone }));
    expect(carriedByIcecast(ring, PRIMARY, 1000)).toEqual([SECONDARY, AUTODJ, PRIMARY]);
  });

  test('a source that came back a moment ago was gone too', () => {
    const back = [legThat(PRIMARY, audible(0, 0), { fallback: mount('/autodj') }, { renewedAtMs: 1000 })];
    const all = [...back, legThat(AUTODJ, audible(0, 0))];
    expect(carriedByIcecast(all, PRIMARY, 5900)).toEqual([AUTODJ]);
    expect(carriedByIcecast(all, PRIMARY, 6000)).toEqual([]);
  });
});
