import { describe, expect, test } from 'vitest';
import { pastOf } from '../../../src/cli/replay.ts';
import { openHistory } from '../../../src/history/open.ts';
import { compareTrips, type PastSecond, replay } from '../../../src/simulate/replay.ts';
import { policyWith } from '../decide/builders.ts';
import { second, temporaryFolder } from '../history/support.ts';

const POLICY = policyWith();
const T0 = Date.UTC(2026, 10, 1);
const [PRIMARY_LEG] = POLICY.legs.map(({ id }) => id);

/** So many seconds in which every leg is at -20 dBFS, but primary on both servers where `level` says otherwise. */
function* past(length: number, level: (second: number) => number): Generator<PastSecond> {
  for (let index = 0; index < length; index += 1) {
    const legs = new Map(
      POLICY.legs.map(({ id, source }) => [
        id,
        new Array<number>(10).fill(source === 'primary' ? level(index) : -20),
      ]),
    );
    yield { unixMs: T0 + index * 1000, legs };
  }
}
const withSilence = (changes: Partial<typeof POLICY.silence>) => ({
  ...POLICY,
  silence: { ...POLICY.silence, ...changes },
});
/** A pause of 6 s at -60, and a quiet passage of 20 s at -48. */
const music = (index: number) => {
  if (index >= 3600 && index < 3606) return -60;
  return index >= 7200 && index < 7220 ? -48 : -20;
};
const short = (trips: ReturnType<typeof replay>['trips']) =>
  trips
    .filter(({ leg }) => leg === PRIMARY_LEG)
    .map(({ fromUnixMs, untilUnixMs }) => [
      (fromUnixMs - T0) / 1000,
      untilUnixMs === null ? null : (untilUnixMs - T0) / 1000,
    ]);

describe('a replay', () => {
  test('finds the trips and the switches that the decision would have made', () => {
    const { trips, switches } = replay(POLICY, past(4_000, music));
    expect(short(trips)).toEqual([[3600, 3606]]);
    expect(switches.map(({ event }) => `${event.server} ${event.from} ${event.to} ${event.trigger}`)).toEqual(
      ['london primary secondary fault', 'london secondary primary return'],
    );
    expect(switches[0]?.unixMs).toBe(T0 + 3_605_000);
  });

  test('says what other settings would have done: more trips by a higher threshold, fewer by a longer delay', () => {
    const before = replay(POLICY, past(8_000, music));
    const louder = replay(withSilence({ thresholdDbfs: -45 }), past(8_000, music));
    const both = replay(withSilence({ thresholdDbfs: -45, tripMs: 8_000 }), past(8_000, music));
    expect(short(compareTrips(before.trips, louder.trips).more)).toEqual([[7200, 7220]]);
    expect(compareTrips(before.trips, louder.trips).fewer).toEqual([]);
    expect(short(compareTrips(before.trips, both.trips).fewer)).toEqual([[3600, 3606]]);
    expect(short(compareTrips(before.trips, both.trips).more)).toEqual([[7200, 7220]]);
    const same = compareTrips(before.trips, before.trips);
    expect([same.more, same.fewer]).toEqual([[], []]);
  });

  test('passes over what is steady, and finds the same as without doing so', () => {
    // A moment of silence each minute keeps every second under watch.
    const restless = (index: number) => (index % 60 === 0 ? -60 : music(index));
    expect(short(replay(POLICY, past(3_700, restless)).trips)).toEqual(
      short(replay(POLICY, past(3_700, music)).trips),
    );
  });

  test('claims nothing of a time in which nothing was heard', () => {
    const notHeard = (index: number) => (index >= 600 && index < 900 ? -128 : -20);
    expect(replay(POLICY, past(2_000, notHeard))).toEqual({ trips: [], switches: [] });
    const off = [...past(2_000, () => -20)].filter(
      ({ unixMs }) => unixMs < T0 + 600_000 || unixMs > T0 + 900_000,
    );
    expect(replay(POLICY, off)).toEqual({ trips: [], switches: [] });
  });

  test('works on levels as they are kept, also when they have been thinned with age', () => {
    const { store } = openHistory(temporaryFolder(), new Date(0));
    const seconds = [...past(1_200, (index) => (index >= 600 && index < 630 ? -60 : -20))];
    store.addLevels(
      seconds.flatMap(({ unixMs, legs }) =>
        [...legs].map(([leg, [level = 0]]) => second(unixMs, level, { leg })),
      ),
    );
    const legs = POLICY.legs.map(({ id }) => id);
    const trips = () => short(replay(POLICY, pastOf(store, legs, T0, T0 + 3_600_000)).trips);
    expect(trips()).toEqual([[600, 630]]);
    const keep = { tiers: [{ afterMs: 1000, spanS: 60 }], levelsMs: 1e12, eventsMs: 1e12 };
    while (store.tidy(T0 + 7_200_000, keep));
    expect(store.levels({ leg: legs[0] as never, fromUnixMs: T0, toUnixMs: T0 + 60_000 })).toHaveLength(1);
    expect(trips()).toEqual([[600, 630]]);
  });
});
