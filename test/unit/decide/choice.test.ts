import { describe, expect, test } from 'vitest';
import { afterSwitch, afterTakeOver, choose, lastChoice } from '../../../src/decide/choice.ts';
import { steady } from '../../../src/decide/flap.ts';
import type { LegState } from '../../../src/decide/leg.ts';
import type { LegCondition } from '../../../src/domain/conditions.ts';
import { mount } from '../../../src/domain/ids.ts';
import type { Hold } from '../../../src/domain/operator.ts';
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
} from './builders.ts';

const NOW_MS = 100_000;
const good = (forMs = 60_000): LegCondition => audible(NOW_MS - forMs, NOW_MS);
const bad = faulty(NOW_MS - 5000);
const HELD: Hold = { author: 'ann', untilMs: NOW_MS + 60_000, source: null };

const legsThat = (...conditions: readonly LegCondition[]): LegState[] =>
  conditions.map((condition, index) => legThat([PRIMARY, SECONDARY, AUTODJ][index] ?? AUTODJ, condition));

describe('the first choice after a start', () => {
  const fresh = deskWith({ onAir: null, startedAtMs: NOW_MS - 1000 });
  const old = deskWith({ onAir: null, startedAtMs: NOW_MS - 13_000 });
  const first = (legs: readonly LegState[], remembered: typeof PRIMARY | null = null, desk = fresh) =>
    choose(desk, legs, remembered, NOW_MS, POLICY);

  test('is the first audible source in order', () => {
    expect(first(legsThat(bad, good(), good()))).toMatchObject({ do: 'take-over', source: SECONDARY });
  });

  test('is what was on air before, if that is audible, so that a restart moves nobody', () => {
    expect(first(legsThat(good(), good(), good()), AUTODJ)).toMatchObject({
      do: 'take-over',
      source: AUTODJ,
    });
  });

  test('waits for what is still unknown, a trip delay and eight seconds', () => {
    expect(first(legsThat(unknown(), good(), good()))).toEqual({ do: 'wait' });
    expect(first(legsThat(unknown(), good(), good()), null, old)).toMatchObject({ source: PRIMARY });
  });

  test('is the first source when nothing is audible: nobody is moved', () => {
    expect(first(legsThat(bad, bad, bad))).toMatchObject({ do: 'take-over', source: PRIMARY });
    expect(first(legsThat(bad, bad, bad), SECONDARY)).toMatchObject({ source: SECONDARY });
  });

  test('under a hold is what was on air, however it sounds', () => {
    const held = { ...fresh, hold: { ...HELD, source: AUTODJ } };
    expect(first(legsThat(good(), good(), bad), AUTODJ, held)).toMatchObject({
      do: 'take-over',
      source: AUTODJ,
    });
  });

  test('counts failed sources before it, and what is remembered, among those that may hold listeners', () => {
    const desk = afterTakeOver(fresh, legsThat(bad, good(), good()), SECONDARY, [AUTODJ, SECONDARY], NOW_MS);
    expect(desk.onAir).toBe(SECONDARY);
    expect(desk.away.map(({ source }) => source)).toEqual([AUTODJ, PRIMARY]);
  });
});

describe('when what is on air is faulty', () => {
  const next = (...conditions: readonly LegCondition[]) =>
    choose(deskWith(), legsThat(bad, ...conditions), null, NOW_MS, POLICY);

  test('goes to the first source that is proven to sound, within the dwell too', () => {
    const desk = deskWith({ lastSwitchAtMs: NOW_MS - 100 });
    expect(choose(desk, legsThat(bad, good(), good()), null, NOW_MS, POLICY)).toMatchObject({
      do: 'switch',
      to: SECONDARY,
      trigger: 'fault',
    });
  });

  test('says why', () => {
    const choice = next(good(), good());
    expect(choice.do === 'switch' && choice.because).toBe(
      '/primary is silent for 5.0 s (for the test); /secondary is audible',
    );
  });

  test.each([
    ['stays when nothing else is known', [unknown(), unknown()]],
    ['stays when everything is faulty', [bad, bad]],
    [
      'stays when the others were verified too long ago',
      [audible(0, NOW_MS - 5001), audible(0, NOW_MS - 5001)],
    ],
  ])('%s', (_what, conditions) => {
    expect(next(...conditions)).toEqual({ do: 'stay' });
  });

  test('prefers a source that is not on probation, and takes one that is rather than none', () => {
    const desk = deskWith({ onProbation: new Set([PRIMARY, SECONDARY]) });
    const to = (...legs: readonly LegCondition[]) => choose(desk, legsThat(...legs), null, NOW_MS, POLICY);
    expect(to(bad, good(2000), good())).toMatchObject({ to: AUTODJ });
    expect(to(bad, good(2000), bad)).toMatchObject({ to: SECONDARY });
  });

  test('passes over a mount that its listeners cannot be moved to', () => {
    const [primary, , autodj] = legsThat(bad, good(), good());
    const ogg = legThat(SECONDARY, good(), { contentType: 'application/ogg' });
    const legs = [primary, ogg, autodj].flatMap((leg) => (leg === undefined ? [] : [leg]));
    expect(choose(deskWith(), legs, null, NOW_MS, POLICY)).toMatchObject({ to: AUTODJ });
  });

  test('does not count the listeners of a mount that is gone: Icecast has carried them already', () => {
    const gone = { missing: { sinceMs: NOW_MS - 5000, looks: 9 } };
    const legs = [
      legThat(PRIMARY, faulty(NOW_MS - 5000, 'absent'), { clients: 300, listeners: 298 }, gone),
      legThat(SECONDARY, good(), { clients: 300, listeners: 298, maxListeners: 500 }),
    ];
    expect(choose(deskWith(), legs, null, NOW_MS, POLICY)).toMatchObject({ do: 'switch', to: SECONDARY });
  });
});

describe('when what is on air is fine', () => {
  const next = (legs: readonly LegState[], changes: Parameters<typeof deskWith>[0] = {}) =>
    choose(deskWith({ onAir: AUTODJ, ...changes }), legs, null, NOW_MS, POLICY);

  test('goes back to the best source that has been good for the restore delay', () => {
    expect(next(legsThat(good(20_000), good(), good()))).toMatchObject({
      do: 'switch',
      to: PRIMARY,
      trigger: 'return',
    });
  });

  test('goes to the second best while the best has not been good for long enough', () => {
    expect(next(legsThat(good(19_900), good(), good()))).toMatchObject({ to: SECONDARY });
  });

  test('waits for the dwell', () => {
    expect(next(legsThat(good(), good(), good()), { lastSwitchAtMs: NOW_MS - 29_900 })).toEqual({
      do: 'stay',
    });
    expect(next(legsThat(good(), good(), good()), { lastSwitchAtMs: NOW_MS - 30_000 })).toMatchObject({
      to: PRIMARY,
    });
  });

  test('waits for the hold-down of a source that relapsed', () => {
    const flaps = new Map([[PRIMARY, { level: 2, atMs: NOW_MS }]]);
    const legs = legsThat(good(49_900), bad, good());
    expect(next(legs, { flaps })).toEqual({ do: 'stay' });
    expect(next(legsThat(good(50_000), bad, good()), { flaps })).toMatchObject({ to: PRIMARY });
  });

  test.each([
    [
      'a better one is in a pause longer than its proof lasts',
      legsThat(audible(0, NOW_MS - 5001), bad, good()),
    ],
    ['a better one is unknown', legsThat(unknown(), bad, good())],
    ['only worse ones are better than silence', legsThat(bad, bad, good())],
  ])('stays while %s', (_what, legs) => {
    expect(next(legs)).toEqual({ do: 'stay' });
  });
});

describe('whatever happens', () => {
  test('unknown on air never switches', () => {
    expect(choose(deskWith(), legsThat(unknown(), good(), good()), null, NOW_MS, POLICY)).toEqual({
      do: 'stay',
    });
  });

  test('a hold never switches', () => {
    expect(choose(deskWith({ hold: HELD }), legsThat(bad, good(), good()), null, NOW_MS, POLICY)).toEqual({
      do: 'stay',
    });
  });

  test('a source on air that the station no longer has is left alone', () => {
    expect(choose(deskWith(), [legThat(SECONDARY, good())], null, NOW_MS, POLICY)).toEqual({ do: 'stay' });
  });
});

describe('the last choice before this agent stops', () => {
  const last = (onAir: typeof PRIMARY, ...conditions: readonly LegCondition[]) =>
    lastChoice(deskWith({ onAir }), legsThat(...conditions), NOW_MS, POLICY);

  test('goes back at once, as nobody will do it later', () => {
    expect(last(AUTODJ, good(1000), good(), good())).toMatchObject({ to: PRIMARY, trigger: 'stopping' });
  });

  test('stays on what sounds, and on what is unknown', () => {
    expect(last(PRIMARY, good(), good(), good())).toEqual({ do: 'stay' });
    expect(last(PRIMARY, unknown(), good(), good())).toEqual({ do: 'stay' });
    expect(last(PRIMARY, bad, bad, bad)).toEqual({ do: 'stay' });
  });

  test('leaves what is faulty for something worse placed', () => {
    expect(last(SECONDARY, bad, bad, good())).toMatchObject({ to: AUTODJ });
  });

  test('leaves a hold alone, and what it does not know', () => {
    const legs = legsThat(good(), good(), good());
    expect(lastChoice(deskWith({ onAir: AUTODJ, hold: HELD }), legs, NOW_MS, POLICY)).toEqual({ do: 'stay' });
    expect(lastChoice(deskWith({ onAir: null }), legs, NOW_MS, POLICY)).toEqual({ do: 'stay' });
  });
});

describe('the desk after a switch', () => {
  const switched = (trigger: 'fault' | 'return' | 'operator') =>
    afterSwitch(deskWith(), legsThat(bad, good(), good()), SECONDARY, trigger, NOW_MS, POLICY);

  test('knows what is on air, when that began, and where listeners may still be', () => {
    expect(switched('fault')).toMatchObject({
      onAir: SECONDARY,
      lastSwitchAtMs: NOW_MS,
      away: [{ source: PRIMARY, sinceMs: NOW_MS, emptySinceMs: null }],
    });
  });

  test('counts a failure against what failed, and only then', () => {
    expect(switched('fault').flaps.get(PRIMARY)).toEqual({ level: 1, atMs: NOW_MS });
    expect(switched('return').flaps.get(PRIMARY) ?? steady).toEqual(steady);
    expect(switched('operator').flaps.size).toBe(0);
  });
});

test('moves that failed before a switch are no reason to wait after it, as they go elsewhere now', () => {
  const before = {
    to: mount('/secondary'),
    command: null,
    sentAtMs: NOW_MS - 3000,
    failures: 5,
    lastDetail: '',
  };
  const desk = deskWith({ onAir: SECONDARY, sweeps: new Map([[mount('/primary'), before]]) });
  const after = afterSwitch(desk, legsThat(bad, bad, good()), AUTODJ, 'fault', NOW_MS, POLICY);
  expect(after.sweeps.get(mount('/primary'))).toEqual({ ...before, failures: 0 });
});
