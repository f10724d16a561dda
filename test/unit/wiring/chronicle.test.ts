import { closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { noMemory } from '../../../src/decide/state.ts';
import type { StationEvent } from '../../../src/domain/events.ts';
import { CALM_MS } from '../../../src/domain/incident-calm.ts';
import type { IncidentChange } from '../../../src/domain/incidents.ts';
import { recordedSentence } from '../../../src/domain/sentences.ts';
import { historyFile, openHistory, readHistory } from '../../../src/history/open.ts';
import { directPort, type StorePort } from '../../../src/history/port.ts';
import { reportOf } from '../../../src/history/report/report.ts';
import { StoryReader } from '../../../src/history/report/story.ts';
import { SustainError } from '../../../src/platform/errors.ts';
import { Station } from '../../../src/station.ts';
import { Chronicle } from '../../../src/wiring/chronicle.ts';
import { AUTODJ, audible, DUBLIN, faulty, LONDON, MYFM, POLICY, PRIMARY } from '../decide/builders.ts';
import { second, temporaryFolder } from '../history/support.ts';
import { type ManualClock, manualClock } from '../platform/clocks.ts';
import { keptLog } from './support.ts';

const away: StationEvent = {
  kind: 'switched',
  atMs: 0,
  server: LONDON,
  from: PRIMARY,
  to: AUTODJ,
  trigger: 'fault',
  because: '/primary is silent',
};
const back: StationEvent = { ...away, from: AUTODJ, to: PRIMARY, trigger: 'return' };
const flushed = () => new Promise((resolve) => setTimeout(resolve, 20));

async function chronicleIn(directory = temporaryFolder()) {
  const disk = { isFull: false };
  const clock = manualClock(1_000_000);
  const { log, lines } = keptLog();
  const direct = directPort({ directory, wallTime: () => clock.wallTime(), setAside: () => {} });
  const port: StorePort = {
    ...direct,
    call: async (name, ...args) => {
      if (disk.isFull) throw new SustainError('SQLITE_FULL', 'database or disk is full');
      return direct.call(name, ...args);
    },
  };
  const chronicle = await Chronicle.open({ agent: LONDON, directory, clock, log, port });
  chronicle.settings(POLICY);
  return { chronicle, clock, disk, directory, lines };
}

describe('what an agent writes down', () => {
  test('is every event, command and result, and the incidents that they amount to', async () => {
    const { chronicle, clock, directory } = await chronicleIn();
    chronicle.note(MYFM, away);
    const id = 'myfm@london-1' as never;
    const move = {
      kind: 'move-listeners',
      id,
      server: LONDON,
      from: '/primary' as never,
      to: '/autodj' as never,
      toSource: AUTODJ,
      because: 'it is silent',
      deadlineMs: 0,
    } as const;
    chronicle.sent(MYFM, move);
    chronicle.ended(MYFM, id, { is: 'done', detail: '3 moved' });
    chronicle.note(MYFM, back);
    clock.advance(CALM_MS + 1000);
    expect(chronicle.openIncidents).toEqual([]);
    await chronicle.stop();
    const { store } = openHistory(directory, new Date(0));
    expect(store.events({ limit: 100 }).map(({ event }) => event.kind)).toEqual([
      'agent-started',
      'settings',
      'switched',
      'command-sent',
      'command-ended',
      'switched',
      'agent-stopped',
    ]);
    expect(store.incidents({ limit: 10 })).toMatchObject([{ cause: away.because, closedUnixMs: 1_000_000 }]);
    expect(store.verify()).toMatchObject({ ok: true, rows: 7 });
  });

  test('goes on where it was after a restart: an open incident stays the same one', async () => {
    const first = await chronicleIn();
    first.chronicle.note(MYFM, away);
    await flushed();
    const { chronicle } = await chronicleIn(first.directory);
    expect(chronicle.openIncidents).toEqual(first.chronicle.openIncidents);
    chronicle.note(MYFM, back);
    expect(chronicle.openIncidents).toMatchObject([{ reasons: [] }]);
  });

  test('is lost on a full disk, which is said, and nothing else stops', async () => {
    const { chronicle, clock, disk, lines } = await chronicleIn();
    await flushed();
    disk.isFull = true;
    chronicle.note(MYFM, away);
    await flushed();
    expect(chronicle.alerts).toMatchObject([{ code: 'history-not-written', subject: LONDON }]);
    expect(chronicle.openIncidents.map(({ thread }) => thread)).toEqual([
      'sound',
      'history-not-written london',
    ]);
    expect(lines.filter(({ level }) => level === 50)).toHaveLength(1);
    disk.isFull = false;
    clock.advance(5_000);
    await flushed();
    expect(chronicle.alerts).toEqual([]);
  });

  test('is told of in the same breath, with whether it was kept', async () => {
    const { chronicle, disk } = await chronicleIn();
    await flushed();
    const told: string[] = [];
    const row = (change: IncidentChange) => ({
      id: `${change.is} ${change.incident.id}`,
      hook: 'webhook',
      state: 'waiting' as const,
      attempts: 0,
      dueUnixMs: 0,
      createdUnixMs: 0,
      lastError: null,
      body: '{}',
    });
    chronicle.tellBy({
      rowsFor: (change) => [row(change)],
      written: (rows, kept) => told.push(...rows.map(({ id }) => `${id.split(' ')[0]} ${kept}`)),
    });
    chronicle.note(MYFM, away);
    await flushed();
    disk.isFull = true;
    chronicle.note(MYFM, { ...away, server: DUBLIN });
    await flushed();
    expect(told.sort()).toEqual(['changed false', 'opened false', 'opened true']);
    expect(await chronicle.port.call('outbox', 'waiting').catch(() => 'full')).toBe('full');
    disk.isFull = false;
    expect(await chronicle.port.call('outbox', 'waiting')).toHaveLength(1);
  });
});

test('a folder that another agent has is no folder to start with', async () => {
  const directory = temporaryFolder();
  let isClosed = false;
  const port: StorePort = {
    call: async () => Promise.reject(new SustainError('state-taken', 'another agent runs with it')),
    close: async () => {
      isClosed = true;
    },
  };
  const options = { agent: LONDON, directory, clock: manualClock(0), log: keptLog().log, port };
  await expect(Chronicle.open(options)).rejects.toMatchObject({ code: 'state-taken' });
  expect(isClosed).toBe(true);
});

test('a damaged history is put aside, which is an incident that people are told of', async () => {
  const directory = temporaryFolder();
  writeFileSync(historyFile(directory), 'no database, but as long as the head of one. '.repeat(20));
  const clock = manualClock(1_000_000);
  const { log } = keptLog();
  const chronicle = await Chronicle.open({ agent: LONDON, directory, clock, log });
  chronicle.settings(POLICY);
  const told: string[] = [];
  chronicle.tellBy({
    rowsFor({ is, incident }) {
      told.push(`${is} ${incident.title}`);
      return [];
    },
    written: () => {},
  });
  expect(chronicle.alerts).toMatchObject([{ code: 'history-set-aside', subject: LONDON }]);
  expect(told).toEqual([expect.stringMatching(/^opened london: the history was damaged; it is kept as /)]);
  await chronicle.stop();
  const { store, setAside } = openHistory(directory, new Date(0));
  expect(setAside).toBeNull();
  expect(store.events({ limit: 100 }).map(({ event }) => event.kind)).toContain('agent-alert-opened');
  expect(store.incidents({ limit: 10 })).toMatchObject([
    { title: expect.stringContaining('damaged') as string },
  ]);
  expect(readdirSync(directory).filter((name) => name.includes('corrupt'))).toHaveLength(1);
});

test('a history that is damaged while it is in use is begun anew with how all stands, and can be reported from there', async () => {
  const directory = temporaryFolder();
  const clock = manualClock(1_000_000);
  const { log, lines } = keptLog();
  const chronicle = await Chronicle.open({ agent: LONDON, directory, clock, log });
  chronicle.settings(POLICY);
  const station = new Station(POLICY, noMemory, clock.nowMs(), { event: () => {}, command: () => {} });
  chronicle.follow(station, () => null);
  const told: string[] = [];
  chronicle.tellBy({
    rowsFor({ is, incident }) {
      told.push(`${is} ${incident.thread}`);
      return [];
    },
    written: () => {},
  });
  chronicle.note(MYFM, away);
  // The log has to be longer than what SQLite keeps of it in memory.
  for (let index = 0; index < 3_000; index += 1)
    chronicle.note(MYFM, { ...away, kind: 'refused', detail: 'x'.repeat(2_000), author: 'ann' });
  await flushed();
  const file = historyFile(directory);
  await expect.poll(() => statSync(file).size).toBeGreaterThan(5_000_000);
  const bytes = readFileSync(file);
  bytes.fill(0x5a, 4096);
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, 0);
  closeSync(handle);
  for (let index = 0; index < 50 && chronicle.alerts.length === 0; index += 1) {
    await chronicle.port.call('events', { limit: 3_000 }).catch(() => []);
    chronicle.note(MYFM, { ...away, kind: 'refused', detail: 'later', author: 'ann' });
    await flushed();
  }
  expect(chronicle.alerts).toMatchObject([{ code: 'history-set-aside' }]);
  expect(told).toEqual(['opened sound', 'opened history-set-aside london']);
  expect(lines.filter(({ level }) => Number(level) >= 50).map(({ msg }) => msg)).toEqual([
    'the history was damaged: it was put aside and a new one begun',
  ]);

  const open = chronicle.openIncidents.map(({ id }) => id);
  const stored = await chronicle.port.call('incidents', { openOnly: true, limit: 10 });
  expect(stored.map(({ id }) => id).sort()).toEqual([...open].sort());
  const reader = new StoryReader();
  for (const event of await chronicle.port.call('events', { limit: 1_000 })) reader.take(event);
  const story = reader.end(clock.nowMs());
  expect(story.agent).toBe(LONDON);
  expect([...story.stations.keys()]).toEqual([MYFM]);
  const kinds = (await chronicle.port.call('events', { limit: 1_000 })).map(({ event }) => event.kind);
  expect(kinds.filter((kind) => kind === 'leg-changed')).toHaveLength(POLICY.legs.length);

  const seen = chronicle.openIncidents.find(({ thread }) => thread.startsWith('history-set-aside'));
  chronicle.acknowledge(seen?.id ?? '', 'ann');
  expect(chronicle.alerts).toEqual([]);
  await flushed();
  clock.advance(CALM_MS + 1_000);
  expect(told.slice(2)).toEqual([
    'acknowledged history-set-aside london',
    'changed history-set-aside london',
    'closed history-set-aside london',
  ]);
  await chronicle.stop();
});

describe('a while of which nothing is known', () => {
  const tookOver: StationEvent = {
    kind: 'took-over',
    atMs: 0,
    server: LONDON,
    source: PRIMARY,
    because: 'it was on air before',
  };
  const leg = POLICY.legs.find(({ server, source }) => server === LONDON && source === PRIMARY);
  const changed = (atMs: number, isAudible: boolean): StationEvent => ({
    kind: 'leg-changed',
    atMs,
    leg: leg?.id ?? ('' as never),
    from: faulty(0),
    to: isAudible ? audible(atMs, atMs) : faulty(atMs),
  });

  /** What the log says of London's listeners when all of it is read again. */
  async function heardAfter(what: (clock: ManualClock) => void, isAudible: boolean) {
    const { chronicle, clock, directory } = await chronicleIn();
    chronicle.note(MYFM, tookOver);
    chronicle.note(MYFM, changed(clock.nowMs(), isAudible));
    clock.advance(10_000);
    what(clock);
    clock.advance(10_000);
    const open = chronicle.openIncidents;
    await chronicle.stop();
    const { store } = openHistory(directory, new Date(0));
    const reader = new StoryReader();
    const events = store.events({ limit: 100 });
    for (const stored of events) reader.take(stored);
    const { stations } = reader.end(clock.wallTime().getTime());
    store.close();
    const lengths: Record<string, number> = {};
    for (const { server, air, fromUnixMs, toUnixMs } of stations.get(MYFM)?.stretches ?? [])
      if (server === LONDON) lengths[air] = (lengths[air] ?? 0) + toUnixMs - fromUnixMs;
    return { lengths, open, says: events.map(({ event }) => recordedSentence(event)) };
  }

  test('is that in which the agent stood still, whatever was on air before and is after', async () => {
    const { lengths, says } = await heardAfter((clock) => clock.standStill(40_000), true);
    expect(lengths).toEqual({ sounding: 20_000, unknown: 40_000 });
    expect(says).toContain('this agent stood still for 40.0 s');
  });

  test('is an hour by which the clock was put forward, and no hour of dead air', async () => {
    const { lengths, says } = await heardAfter((clock) => clock.putForward(3_600_000), false);
    expect(lengths['dead']).toBeLessThanOrEqual(20_000);
    expect(lengths['dead']).toBeGreaterThanOrEqual(19_000);
    expect(lengths['unknown']).toBeGreaterThanOrEqual(3_600_000);
    expect(says).toContainEqual(expect.stringMatching(/put forward by 1 h 0 min, or it slept/));
  });

  test('is none when the clock is put back: what is heard when it shows an hour again counts', async () => {
    const { lengths } = await heardAfter((clock) => clock.putForward(-3_600_000), false);
    expect(lengths['dead']).toBeGreaterThanOrEqual(19_000);
  });

  test('ends with the clock of another decade, and so does what was on air by it', async () => {
    const { chronicle, clock, directory } = await chronicleIn();
    const autodj = POLICY.legs.find(({ server, source }) => server === LONDON && source === AUTODJ);
    const ofAutodj = (event: StationEvent) => ({ ...event, leg: autodj?.id }) as StationEvent;
    const tenYears = 3653 * 24 * 3_600_000;
    chronicle.note(MYFM, tookOver);
    chronicle.note(MYFM, changed(clock.nowMs(), true));
    chronicle.note(MYFM, ofAutodj(changed(clock.nowMs(), true)));
    clock.advance(10_000);
    clock.putForward(tenYears);
    clock.advance(10_000);
    chronicle.note(MYFM, changed(clock.nowMs(), false));
    chronicle.note(MYFM, away);
    chronicle.history.addLevels(second(clock.wallTime().getTime(), -20));
    clock.advance(10_000);
    clock.putForward(-tenYears);
    clock.advance(10_000);
    chronicle.note(MYFM, ofAutodj(changed(clock.nowMs(), false)));
    clock.advance(10_000);
    const [incident] = chronicle.openIncidents;
    expect(incident).toMatchObject({ openedUnixMs: 1_021_000, deadAirMs: { [LONDON]: 10_000 } });
    await chronicle.stop();
    const later = clock.wallTime().getTime() + 1_000;
    const read = readHistory(historyFile(directory));
    expect(read.lastSeenUnixMs(later)).toBe(1_050_000);
    const report = reportOf({
      logs: [{ path: directory, store: read }],
      fromUnixMs: 1_000_000,
      toUnixMs: 1_050_000,
      nowUnixMs: later,
      verify: true,
      station: null,
    });
    read.close();
    const london = report.stations[0]?.servers.find(({ server }) => server === LONDON);
    expect(london).toMatchObject({ soundingMs: 19_000, deadMs: 10_000 });
    expect(report.stations[0]?.incidents).toMatchObject([{ deadAirMs: { [LONDON]: 10_000 } }]);
  });

  test.each([3_600_000, -3_600_000])(
    'leaves an incident calm for its 30 s when the clock is put by %d ms',
    async (byMs) => {
      const { chronicle, clock } = await chronicleIn();
      chronicle.note(MYFM, away);
      chronicle.note(MYFM, back);
      clock.advance(10_000);
      clock.putForward(byMs);
      clock.advance(CALM_MS - 12_000);
      expect(chronicle.openIncidents).toHaveLength(1);
      clock.advance(5_000);
      expect(chronicle.openIncidents).toEqual([]);
      await chronicle.stop();
    },
  );
});
