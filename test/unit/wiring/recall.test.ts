import { expect, test } from 'vitest';
import { noMemory } from '../../../src/decide/state.ts';
import type { StationEvent } from '../../../src/domain/events.ts';
import type { FailoverEvent } from '../../../src/domain/failover.ts';
import { openHistory } from '../../../src/history/open.ts';
import { directPort } from '../../../src/history/port.ts';
import { Station } from '../../../src/station.ts';
import { EventLog } from '../../../src/wiring/event-log.ts';
import type { FailoverEventView } from '../../../src/wiring/failover-log.ts';
import { LiveLevels } from '../../../src/wiring/live-levels.ts';
import { recall } from '../../../src/wiring/recall.ts';
import { StationRecords } from '../../../src/wiring/station-records.ts';
import { AUTODJ, DUBLIN, LONDON, MYFM, POLICY, PRIMARY } from '../decide/builders.ts';
import { batch, second, temporaryFolder } from '../history/support.ts';
import { manualClock } from '../platform/clocks.ts';
import { keptLog } from './support.ts';

const START = Date.UTC(2026, 10, 8, 12);
const [LEG] = POLICY.legs;
if (LEG === undefined) throw new Error('no leg');

const switched = (atMs: number): StationEvent => ({
  kind: 'switched',
  atMs,
  server: LONDON,
  from: PRIMARY,
  to: AUTODJ,
  trigger: 'fault',
  because: 'silent',
});

function parts() {
  const clock = manualClock(START);
  const { log, lines } = keptLog();
  const station = new Station(POLICY, noMemory, clock.nowMs(), { event: () => {}, command: () => {} });
  const records = new StationRecords(station, new LiveLevels(station, [], clock), clock);
  records.start(() => null);
  const one = { station, log: new EventLog(MYFM, clock, log), records };
  return { clock, log, lines, one, stations: [one] };
}

test('an agent that starts anew has the log and the last hours of before, its own on top of them', async () => {
  const directory = temporaryFolder();
  const { store } = openHistory(directory, new Date(0));
  const held = { kind: 'hold-changed', atMs: 1, server: LONDON, detail: 'held', author: 'ann' } as const;
  const moved: FailoverEvent = { kind: 'dns-moved', atMs: 1, to: DUBLIN, tookMs: 900 };
  for (const [agoMs, event] of [
    [8 * 24 * 3_600_000, held],
    [7 * 3_600_000, switched(2)],
    [60_000, switched(3)],
    [50_000, { kind: 'settings', atMs: 4, policy: POLICY }],
    [40_000, held],
  ] as const)
    store.apply(batch({ unixMs: START - agoMs, station: MYFM, event }));
  store.apply(batch({ unixMs: START - 30_000, station: null, event: moved }));
  // Sound until 10 s before the start, then digital silence for 4 s, then nothing that was heard.
  const unheard = { steps: new Int8Array(10).fill(-128), momentaryLufs: null };
  const rows = Array.from({ length: 600 }, (_, index) => {
    const agoS = 600 - index;
    const quiet = agoS > 6 ? { momentaryLufs: null, condition: 'faulty' as const } : unheard;
    return second(START - agoS * 1000, -20, { leg: LEG.id, ...(agoS > 10 ? {} : quiet) });
  });
  store.addLevels(rows);
  // Written by this run already; it is known.
  store.apply(batch({ unixMs: START, station: MYFM, event: switched(5) }));
  store.close();

  const { clock, log, one, stations } = parts();
  one.log.note(switched(5));
  one.records.noteEvent(switched(5));
  clock.advance(4_000);
  const dns: FailoverEventView[] = [];
  const port = directPort({ directory, wallTime: () => clock.wallTime(), setAside: () => {} });
  const failover = { recall: (before: readonly FailoverEventView[]) => dns.push(...before) };
  await recall({ port, stations, failover, startedUnixMs: START, log, isOver: () => false });

  expect(one.log.events.map(({ event }) => event.atMs)).toEqual([2, 3, 1, 5]);
  expect(dns).toEqual([{ time: new Date(START - 30_000).toISOString(), event: moved }]);
  const view = one.records.loudness(6 * 3_600_000, 10_000);
  expect(view.switches.map(({ event }) => event.atMs)).toEqual([3, 5]);
  expect(view.from).toBe(new Date(START - 600_000 + 2_000).toISOString());
  const series = view.series.find(({ channel }) => channel === LEG.id);
  expect(series?.shortTermLufs).toHaveLength(300 + 2);
  expect(series?.shortTermLufs[100]).toBe(-21);
  // Ten seconds before the start, in steps of two, and the two steps of this run.
  expect(series?.shortTermLufs.slice(-8)).toEqual([-21, -25.8, -120, -120, null, null, null, null]);
  expect(series?.conditions.slice(-8)).toBe('affaaauu');
  await port.close();
});

test('an agent whose history can’t be read starts with empty logs, and says so', async () => {
  const { log, lines, one, stations } = parts();
  const port = { call: () => Promise.reject(new Error('the disk is gone')), close: async () => {} };
  const options = { port, stations, failover: null, startedUnixMs: START, log };
  // Of an agent that stops meanwhile, and its history with it, there is nothing to say.
  await recall({ ...options, isOver: () => true });
  expect(lines).toEqual([]);
  await recall({ ...options, isOver: () => false });
  expect(one.log.events).toEqual([]);
  expect(lines).toMatchObject([{ level: 40, err: 'the disk is gone' }]);
});
