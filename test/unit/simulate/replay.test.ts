import { describe, expect, test } from 'vitest';
import { pastEventsOf, pastOf } from '../../../src/cli/replay/past.ts';
import type { LegCondition } from '../../../src/domain/conditions.ts';
import type { LegId } from '../../../src/domain/ids.ts';
import type { RecordedEvent } from '../../../src/domain/record.ts';
import { openHistory } from '../../../src/history/open.ts';
import { NOTHING_ELSE, type PastFault, type PastSecond } from '../../../src/simulate/past.ts';
import { compareTrips, replay } from '../../../src/simulate/replay.ts';
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
    expect(switches.map(({ server, from, to, trigger }) => `${server} ${from} ${to} ${trigger}`)).toEqual([
      'london primary secondary fault',
      'london secondary primary return',
    ]);
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
    expect(replay(POLICY, past(2_000, notHeard))).toMatchObject({ trips: [], switches: [] });
    const off = [...past(2_000, () => -20)].filter(
      ({ unixMs }) => unixMs < T0 + 600_000 || unixMs > T0 + 900_000,
    );
    expect(replay(POLICY, off)).toMatchObject({ trips: [], switches: [] });
  });

  test('has the faults that were found then and that no level can tell again', () => {
    const at = (seconds: number) => T0 + seconds * 1000;
    const fault = (changes: Partial<PastFault>): PastFault => ({
      leg: PRIMARY_LEG as PastFault['leg'],
      fault: 'tone',
      fromUnixMs: at(600),
      foundUnixMs: at(610),
      untilUnixMs: at(660),
      ...changes,
    });
    const faults = [
      fault({}),
      fault({ fault: 'absent', fromUnixMs: at(1_800), foundUnixMs: at(1_801), untilUnixMs: at(1_900) }),
      fault({ fault: 'stalled', fromUnixMs: at(3_000), foundUnixMs: at(3_002), untilUnixMs: at(3_060) }),
    ];
    const events = { ...NOTHING_ELSE, faults };
    const { trips, switches } = replay(
      POLICY,
      past(4_000, () => -20),
      { events },
    );
    expect(trips.map((trip) => [trip.fault, (trip.fromUnixMs - T0) / 1000])).toEqual([
      ['tone', 600],
      ['absent', 1801],
      ['stalled', 3000],
    ]);
    expect(switches.map(({ to }) => to)).toEqual([
      'secondary',
      'primary',
      'secondary',
      'primary',
      'secondary',
      'primary',
    ]);
    // What nothing is to be done about any more is no trip, and moves nobody.
    const unheeded = { ...POLICY, programme: { ...POLICY.programme, actOn: [] } };
    expect(
      replay(
        unheeded,
        past(1_000, () => -20),
        { events },
      ),
    ).toMatchObject({ trips: [], switches: [] });
  });

  test('leaves a silence that was planned then in peace', () => {
    const silences = [{ fromUnixMs: T0 + 600_000, untilUnixMs: T0 + 720_000 }];
    const quiet = (index: number) => (index >= 600 && index < 715 ? -60 : -20);
    expect(short(replay(POLICY, past(1_000, quiet)).trips)).toEqual([[600, 715]]);
    const planned = replay(POLICY, past(1_000, quiet), { events: { ...NOTHING_ELSE, silences } });
    expect(planned).toMatchObject({ trips: [], switches: [] });
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

describe('a replay in relay mode', () => {
  const RELAY = { relayDelayMs: POLICY.silence.tripMs + 3_000 };
  const moves = ({ switches }: ReturnType<typeof replay>) =>
    switches.map(({ from, to, trigger }) => `${from} to ${to} (${trigger})`);

  test('leaves the leg before its silence is played, and comes back', () => {
    const run = replay(POLICY, past(4_000, music), RELAY);
    expect(short(run.trips)).toEqual([[3600, 3606]]);
    expect(moves(run)).toEqual([
      'myfm/primary@london to myfm/secondary@london (fault)',
      'myfm/secondary@london to myfm/primary@london (return)',
    ]);
    expect(run.switches[0]).toMatchObject({ server: 'london', because: 'myfm/primary@london is silent' });
    expect(run.playedSilenceMs).toBe(0);
  });

  test('goes to the same source of the other server when only one leg fails', () => {
    function* oneLeg(): Generator<PastSecond> {
      for (const { unixMs, legs } of past(1_000, () => -20)) {
        const isQuiet = unixMs >= T0 + 600_000 && unixMs < T0 + 660_000;
        yield {
          unixMs,
          legs: new Map(
            [...legs].map(([leg, all]) => [leg, isQuiet && leg === PRIMARY_LEG ? all.map(() => -70) : all]),
          ),
        };
      }
    }
    expect(moves(replay(POLICY, oneLeg(), RELAY))).toEqual([
      'myfm/primary@london to myfm/primary@dublin (fault)',
      'myfm/primary@dublin to myfm/primary@london (return)',
    ]);
  });

  test('plays a stall on through, and leaves the leg only when what was in hand has ended', () => {
    const stalledFor = (seconds: number) => {
      const [fromUnixMs, untilUnixMs] = [T0 + 600_000, T0 + (600 + seconds) * 1_000];
      const leg = PRIMARY_LEG as PastFault['leg'];
      const stall: PastFault = {
        leg,
        fault: 'stalled',
        fromUnixMs,
        foundUnixMs: fromUnixMs + 2_000,
        untilUnixMs,
      };
      const events = { ...NOTHING_ELSE, faults: [stall] };
      const run = replay(
        POLICY,
        past(1_000, () => -20),
        { ...RELAY, events },
      );
      return { switches: moves(run), silenceMs: run.playedSilenceMs, atMs: run.switches[0]?.unixMs };
    };
    expect(stalledFor(6)).toMatchObject({ switches: [], silenceMs: 0 });
    const long = stalledFor(30);
    expect(long.switches[0]).toBe('myfm/primary@london to myfm/primary@dublin (fault)');
    expect((long.atMs ?? 0) - (T0 + 600_000)).toBeGreaterThanOrEqual(7_000);
    expect(long.silenceMs).toBe(0);
  });

  test('says how much silence a trip delay that is longer than the delay of the relay would let through', () => {
    const silent = (index: number) => (index >= 600 && index < 640 ? -70 : -20);
    const patient = withSilence({ tripMs: 20_000 });
    const letThrough = replay(patient, past(1_000, silent), { relayDelayMs: 8_000 }).playedSilenceMs;
    // Found 20 s after it began, when 12 s of it had gone out.
    expect(letThrough).toBeGreaterThanOrEqual(12_000);
    expect(letThrough).toBeLessThan(14_000);
    const fitting = replay(patient, past(1_000, silent), { relayDelayMs: 23_000 });
    expect(fitting.playedSilenceMs).toBe(0);
    expect(moves(fitting)).toHaveLength(2);
    const all = replay(POLICY, everyLeg(silent), RELAY);
    expect(all.playedSilenceMs).toBe(40_000);
  });

  /** The same on every leg: there is nowhere to go. */
  function* everyLeg(level: (second: number) => number): Generator<PastSecond> {
    for (const { unixMs, legs } of past(1_000, level)) {
      const steps = new Array<number>(10).fill(level((unixMs - T0) / 1000));
      yield { unixMs, legs: new Map([...legs.keys()].map((leg) => [leg, steps])) };
    }
  }
});

describe('what the event log says of the past', () => {
  const [LEG] = POLICY.legs;
  const changed = (to: LegCondition): RecordedEvent => ({
    kind: 'leg-changed',
    atMs: to.sinceMs + 9_000,
    leg: LEG?.id as LegId,
    from: { is: 'unknown', sinceMs: 0, reason: 'starting' },
    to,
  });
  const eventsOf = (recorded: readonly (readonly [unixMs: number, event: RecordedEvent])[]) => {
    const { store } = openHistory(temporaryFolder(), new Date(0));
    const events = recorded.map(([unixMs, event]) => ({ unixMs, station: POLICY.station, event }));
    store.apply({ events, incidents: [], outbox: [] });
    return pastEventsOf(store, POLICY, T0, T0 + 3_600_000);
  };

  test('is when a fault began, when it was found, and when it was over; silence is left to the levels', () => {
    const { faults } = eventsOf([
      [T0 + 60_000, changed({ is: 'faulty', sinceMs: 500, fault: 'stuck-loop', detail: '' })],
      [T0 + 90_000, changed({ is: 'audible', sinceMs: 700, verifiedAtMs: 800 })],
      [T0 + 120_000, changed({ is: 'faulty', sinceMs: 900, fault: 'silent', detail: '' })],
    ]);
    expect(faults).toEqual([
      {
        leg: LEG?.id,
        fault: 'stuck-loop',
        fromUnixMs: T0 + 51_000,
        foundUnixMs: T0 + 60_000,
        untilUnixMs: T0 + 81_000,
      },
    ]);
  });

  test('claims no fault for a time in which the agent was off', () => {
    const { faults } = eventsOf([
      [T0 + 60_000, changed({ is: 'faulty', sinceMs: 0, fault: 'absent', detail: '' })],
      [
        T0 + 900_000,
        { kind: 'agent-started', atMs: 0, agent: 'london', version: '1', lastSeenUnixMs: T0 + 70_000 },
      ],
    ]);
    expect(faults).toMatchObject([{ fault: 'absent', untilUnixMs: T0 + 70_000 }]);
  });

  test('is the silences that were planned', () => {
    const silence = (is: 'begun' | 'over'): RecordedEvent => ({
      kind: 'planned-silence',
      atMs: 0,
      is,
      detail: '',
    });
    const { silences } = eventsOf([
      [T0 + 60_000, silence('begun')],
      [T0 + 180_000, silence('over')],
    ]);
    expect(silences).toEqual([{ fromUnixMs: T0 + 60_000, untilUnixMs: T0 + 180_000 }]);
  });
});
