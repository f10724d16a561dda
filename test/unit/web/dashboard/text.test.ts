import { describe, expect, test } from 'vitest';
import { parsePlannedDay } from '../../../../src/domain/planned-silence.ts';
import type { AgentView, EventView, StationView, StreamView } from '../../../../src/domain/view.ts';
import { moved, place } from '../../../../src/web/dashboard/live/ballistics.ts';
import { eventsBehind, logOf } from '../../../../src/web/dashboard/text/events.ts';
import {
  marksOf,
  noSwitch,
  plotted,
  runsOf,
  serverOf,
  sourceOf,
} from '../../../../src/web/dashboard/text/history.ts';
import { dayOf, REPEATS, timeOf, zoneWords } from '../../../../src/web/dashboard/text/plan.ts';
import {
  clockWords,
  duration,
  level,
  list,
  plain,
  stationIn,
  streamWords,
  zone,
} from '../../../../src/web/dashboard/text/words.ts';
import { AUTODJ, DUBLIN, PRIMARY } from '../../decide/builders.ts';
import { LEVELS, LOUDNESS } from '../support.ts';

describe('a needle', () => {
  const at = (peak: number, rms = peak - 10) => ({
    ...LEVELS,
    peakDbfs: [peak, peak] as const,
    rmsDbfs: [rms, rms] as const,
    truePeakDbtp: peak,
  });

  test('goes up at once, and its peak falls 20 dB in 1.7 s', () => {
    const loud = moved(null, at(-6), 0);
    const later = moved(loud, at(-60), 850);
    expect(later.levels.rmsDbfs[0]).toBe(-70);
    expect(later.peak[0]).toBeCloseTo(-16, 5);
    expect(moved(later, at(-3), 900).peak[0]).toBe(-3);
  });

  test('holds its highest peak for 2 s, then lets it fall', () => {
    const loud = moved(null, at(-6), 0);
    const held = moved(loud, at(-60), 1_999);
    expect(held.hold[0]).toBe(-6);
    expect(moved(held, at(-60), 2_100).hold[0]).toBeLessThan(-6);
    expect(held.truePeakDbtp).toBe(-6);
    expect(moved(held, at(-60), 3_100).truePeakDbtp).toBe(-60);
  });

  test('shows nothing where nothing is known, and the floor for digital silence', () => {
    const unknown = moved(moved(null, at(-6), 0), at(Number.NaN), 50);
    expect(unknown.peak[0]).toBeNaN();
    expect(unknown.hold[0]).toBeNaN();
    expect(place(Number.NaN)).toBe(0);
    expect(place(Number.NEGATIVE_INFINITY)).toBe(0);
    expect([place(-60), place(-30), place(0), place(6)]).toEqual([0, 0.5, 1, 1]);
  });
});

test('levels and durations are written as people read them', () => {
  expect([level(-18.24), level(-0.04), level(2.5), level(null), level(-120)]).toEqual([
    '−18.2',
    '0.0',
    '2.5',
    '–',
    '−∞',
  ]);
  expect([3_400, 240_000, 7_500_000, 7_200_000, 273_600_000].map(duration)).toEqual([
    '3 s',
    '4 min',
    '2 h 5 min',
    '2 h',
    '3 d 4 h',
  ]);
  expect([list([]), list(['a']), list(['a', 'b', 'c'])]).toEqual(['', 'a', 'a, b and c']);
  expect(plain('myfm/auto-dj@dublin is silent; myfm/primary@london is audible')).toBe(
    'auto-dj on dublin is silent; primary on london is audible',
  );
});

test('a clock that is wrong beside the agent is told in words', () => {
  expect(clockWords(3_599_200)).toBe('the agent’s; this computer’s is 60 min ahead');
  expect(clockWords(-90_000)).toBe('the agent’s; this computer’s is 90 s behind');
  expect(clockWords(0)).toBe('');
});

test('the address names the station, and what is broken in it names none', () => {
  expect(stationIn('#my-fm')).toBe('my-fm');
  expect(stationIn('')).toBe('');
  expect(stationIn('#100%')).toBe('');
});

describe('the last hours', () => {
  test('become points with gaps, silence on the floor, and strips of what was', () => {
    const [series] = LOUDNESS.series;
    if (series === undefined) throw new Error('no series');
    const view = {
      ...LOUDNESS,
      series: [{ ...series, shortTermLufs: [-18.5, null, -120], conditions: 'aaf' }],
    };
    const [times, lufs] = plotted(view, view.series);
    expect(times.map((time) => time - (times[0] ?? 0))).toEqual([0, 2, 4]);
    expect(lufs).toEqual([-18.5, null, -60]);
    const runs = runsOf('aafu');
    expect(runs.map(({ is }) => is)).toEqual(['audible', 'faulty', 'unknown']);
    expect(runs.reduce((sum, { length }) => sum + length, 0)).toBeCloseTo(1);
    expect([sourceOf(series), serverOf(series)]).toEqual(['primary', 'london']);
    const output = { channel: '/stream@dublin', kind: 'output' } as const;
    expect([sourceOf(output), serverOf(output)]).toEqual(['/stream', 'dublin']);
  });

  test('mark a relay’s switches on its own server only', () => {
    const event = {
      kind: 'relay-switched',
      atMs: 1,
      from: null,
      to: null,
      trigger: 'fault',
      hitless: false,
    } as const;
    const switches = [{ time: '2026-11-22T12:00:00.000Z', event: { ...event, because: 'all is silent' } }];
    expect(marksOf(switches, 'london', 'london')).toMatchObject([
      { number: 1, isFault: true, because: 'all is silent' },
    ]);
    expect(marksOf(switches, 'dublin', 'london')).toEqual([]);
  });

  test('mark what the agent beside another server says, and claim no more than was heard', () => {
    const [server, from, to] = [DUBLIN, PRIMARY, AUTODJ];
    const event = { kind: 'heard-on-air', atMs: 1, server, from, to } as const;
    const switches = [{ time: '2026-11-22T12:00:00.000Z', event }];
    expect(marksOf(switches, 'dublin', 'london')).toMatchObject([
      { number: 1, isFault: false, says: 'dublin: primary → autodj', because: 'the agent beside it says so' },
    ]);
    expect(marksOf(switches, 'london', 'london')).toEqual([]);
    expect(noSwitch('london', 'london')).toBe('No switch on London in this time.');
    expect(noSwitch('dublin', 'london')).toBe('No switch on Dublin was heard of in this time.');
  });
});

test('a time zone is told by its name, of the reader as of the station', () => {
  expect(zone(0)).toBe(
    new Date(0).toLocaleTimeString([], { hour: 'numeric', timeZoneName: 'short' }).split(' ').at(-1),
  );
  expect(['UTC', 'Europe/London', 'America/New_York', ''].map(zoneWords)).toEqual([
    'UTC',
    'Europe/London time',
    'America/New York time',
    '',
  ]);
});

test('every repetition that can be chosen is a day that the agent takes', () => {
  // The 31st is the fifth of its weekday, and the 29th of February comes once in four years.
  for (const date of ['2026-11-08', '2026-12-31', '2028-02-29']) {
    for (const { is } of REPEATS) expect([is, parsePlannedDay(dayOf(date, is)).ok]).toEqual([is, true]);
  }
  expect(dayOf('2026-11-08', 'nth')).toBe('every second sunday of november');
  expect(dayOf('2026-11-08', 'yearly')).toBe('every 8 november');
});

describe("how another server's public stream lies to ours", () => {
  const stream = (changes: Partial<StreamView>): StreamView => ({
    server: 'dublin' as StreamView['server'],
    relation: 'same',
    skewMs: 640,
    driftMsPerS: 0,
    louderDb: 0.1,
    why: null,
    agoMs: 40_000,
    ...changes,
  });

  test.each([
    [stream({}), 'its public mount carries the same as here, 0.64 s later, as loud (40 s ago)'],
    [
      stream({ skewMs: -1_250, louderDb: -2.04 }),
      'its public mount carries the same as here, 1.25 s earlier, 2.0 dB softer (40 s ago)',
    ],
    [stream({ skewMs: null, louderDb: null }), 'its public mount carries the same as here (40 s ago)'],
    [
      stream({ relation: 'different' }),
      'its public mount doesn’t match the one here: another programme, or more than 25 s away (40 s ago)',
    ],
    [
      stream({ driftMsPerS: -4 }),
      'its public mount carries the same as here, 0.64 s later and 240 ms less each minute, as loud (40 s ago)',
    ],
    [
      stream({ skewMs: -900, driftMsPerS: -1.2 }),
      'its public mount carries the same as here, 0.90 s earlier and 72 ms more each minute, as loud (40 s ago)',
    ],
    [
      stream({ relation: 'unknown', why: 'repeats' }),
      'its public mount could not be compared with the one here: the sound repeats itself and fits in several places (40 s ago)',
    ],
    [null, 'its public mount has not been compared with the one here yet'],
  ])('is said in full, however little is known', (view, words) => {
    expect(streamWords(view)).toBe(words);
  });
});

test('the time of a plan has no seconds where there are none', () => {
  expect(['11:00', '11:00:00', '11:00:30'].map(timeOf)).toEqual(['11:00', '11:00', '11:00:30']);
});

describe('the log of an agent whose clock was put back by an hour', () => {
  const noted = (time: string, atMs: number): EventView => ({
    time: `2026-11-08T${time}.000Z`,
    event: { kind: 'hold-changed', atMs, server: DUBLIN, detail: time, author: 'ann' },
  });
  const before = [noted('11:59:58', 1_000), noted('11:59:59', 2_000)];
  const after = [noted('11:00:00', 3_000)];

  test('has the newest on top', () => {
    const ofName = noted('11:00:01', 4_000);
    const agent = { dns: { events: [{ ...ofName, event: { ...ofName.event, kind: 'dns-hold-changed' } }] } };
    const station = { events: [...before, ...after] };
    const lines = logOf(agent as unknown as AgentView, station as unknown as StationView);
    expect(lines.map(({ time }) => time.slice(11, 19))).toEqual([
      '11:00:01',
      '11:00:00',
      '11:59:59',
      '11:59:58',
    ]);
  });

  test('tells what came since an event by its place', () => {
    expect(eventsBehind(before.at(-1), [...before, ...after])).toEqual(after);
    expect(eventsBehind(after[0], after)).toEqual([]);
    expect(eventsBehind(undefined, after)).toEqual(after);
    expect(eventsBehind(noted('09:00:00', 1), after)).toEqual(after);
  });
});
