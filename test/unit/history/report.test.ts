import { copyFileSync, cpSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { StationEvent } from '../../../src/domain/events.ts';
import type { ServerName } from '../../../src/domain/ids.ts';
import type { RecordedEvent } from '../../../src/domain/record.ts';
import { historyFile, openHistory, readHistory } from '../../../src/history/open.ts';
import { reportHtml } from '../../../src/history/report/html.ts';
import { type Report, reportOf } from '../../../src/history/report/report.ts';
import { reportCsv, reportJson, reportText } from '../../../src/history/report/text.ts';
import { openDatabase } from '../../../src/history/sqlite.ts';
import { AUTODJ, audible, DUBLIN, faulty, LONDON, MYFM, PRIMARY, policyWith } from '../decide/builders.ts';
import { batch, second, temporaryFolder } from './support.ts';

const T0 = Date.UTC(2026, 10, 8, 10);
const MIN = 60_000;

/** The log of one agent over an hour: a silence of primary from minute 10 on, a planned one, and a gap. */
function logOf(self: ServerName): string {
  const directory = temporaryFolder();
  const { store } = openHistory(directory, new Date(0));
  const policy = policyWith({ self });
  const leg = policy.legs.find((one) => one.server === self && one.source === PRIMARY);
  const backup = policy.legs.find((one) => one.server === self && one.source === AUTODJ);
  if (leg === undefined || backup === undefined) throw new Error('no leg');
  const write = (minute: number, event: RecordedEvent, station: typeof MYFM | null = MYFM) =>
    store.apply(batch({ unixMs: T0 + minute * MIN, station, event }));
  const at = (minute: number) => ({ atMs: minute * MIN });
  const changed = (minute: number, to: StationEvent & { kind: 'leg-changed' }) => write(minute, to);
  const start: RecordedEvent = {
    kind: 'agent-started',
    ...at(0),
    agent: self,
    version: '0',
    lastSeenUnixMs: null,
  };
  write(0, start, null);
  write(0, { kind: 'settings', ...at(0), policy });
  write(0, { kind: 'took-over', ...at(0), server: self, source: PRIMARY, because: 'first' });
  changed(0, { kind: 'leg-changed', ...at(0), leg: leg.id, from: faulty(0), to: audible(0, 0) });
  changed(0, { kind: 'leg-changed', ...at(0), leg: backup.id, from: faulty(0), to: audible(0, 0) });
  // Found after 5 s, begun at minute 10.
  changed(10 + 5 / 60, {
    kind: 'leg-changed',
    atMs: 10 * MIN + 5000,
    leg: leg.id,
    from: audible(0, 0),
    to: faulty(10 * MIN),
  });
  const away = {
    kind: 'switched',
    ...at(10.1),
    server: self,
    from: PRIMARY,
    to: AUTODJ,
    trigger: 'fault',
    because: '/primary is silent, <b>really</b>',
  } as const;
  write(10 + 6 / 60, away);
  changed(20, {
    kind: 'leg-changed',
    ...at(20),
    leg: leg.id,
    from: faulty(0),
    to: audible(20 * MIN, 20 * MIN),
  });
  write(21, { ...away, ...at(21), from: AUTODJ, to: PRIMARY, trigger: 'return', because: 'it is good' });
  write(30, { kind: 'planned-silence', ...at(30), is: 'begun', detail: 'two minutes' });
  write(32, { kind: 'planned-silence', ...at(32), is: 'over', detail: 'two minutes' });
  write(40, { kind: 'agent-stopped', ...at(40), agent: self }, null);
  write(50, { ...start, ...at(50), lastSeenUnixMs: T0 + 40 * MIN }, null);
  store.addLevels([second(T0, -20, { leg: leg.id }), second(T0 + 59 * MIN, -20, { leg: leg.id })]);
  store.close();
  return directory;
}

function reportFrom(directories: readonly string[], fromMinute = 0, toMinute = 60): Report {
  const logs = directories.map((directory) => ({
    path: historyFile(directory),
    store: readHistory(historyFile(directory)),
  }));
  return reportOf({
    logs,
    fromUnixMs: T0 + fromMinute * MIN,
    toUnixMs: T0 + toMinute * MIN,
    nowUnixMs: T0 + 60 * MIN,
    verify: true,
    station: null,
  });
}

const serverOf = (report: Report, name: string) =>
  report.stations[0]?.servers.find(({ server }) => server === name);

describe('a report', () => {
  let london = '';
  beforeEach(() => {
    london = logOf(LONDON);
  });

  test('has the sound of each server from the log: dead air from where it began, planned silence beside it, gaps as such', () => {
    const server = serverOf(reportFrom([london]), LONDON);
    expect(server).toMatchObject({ deadMs: 6_000, plannedMs: 2 * MIN, unknownMs: 20 * MIN });
    expect(server?.soundingMs).toBe(38 * MIN - 6_000);
    expect(server?.availability).toBeCloseTo((38 * MIN - 6_000) / (38 * MIN), 9);
    expect(server?.stretches.map(({ air }) => air)).toEqual([
      'sounding',
      'dead',
      'sounding',
      'planned',
      'sounding',
      'unknown',
    ]);
    // A server whose agent this is not: nothing is claimed.
    expect(serverOf(reportFrom([london]), DUBLIN)).toMatchObject({ availability: null, unknownMs: 60 * MIN });
  });

  test('of a part adds up to that part', () => {
    const server = serverOf(reportFrom([london], 5, 15), LONDON);
    expect(server).toMatchObject({ deadMs: 6_000, soundingMs: 10 * MIN - 6_000, unknownMs: 0 });
  });

  test('of both agents knows both servers', () => {
    const both = reportFrom([london, logOf(DUBLIN)]);
    for (const name of [LONDON, DUBLIN]) expect(serverOf(both, name)).toMatchObject({ deadMs: 6_000 });
    // One trouble on both, as people were told of one.
    expect(both.stations[0]?.incidents).toMatchObject([
      { servers: [LONDON, DUBLIN], deadAirMs: { [LONDON]: 6_000, [DUBLIN]: 6_000 } },
    ]);
  });

  test('says once where the name went: by the log of who wrote it, or else by the first that found it', () => {
    const named = (self: typeof LONDON, event: RecordedEvent, minute: number) => {
      const directory = logOf(self);
      const { store } = openHistory(directory, new Date(0));
      store.apply(batch({ unixMs: T0 + minute * MIN, station: null, event }));
      store.close();
      return directory;
    };
    const found = { kind: 'dns-found', atMs: 0, from: LONDON, to: DUBLIN } as const;
    const byLondon = named(LONDON, { kind: 'dns-moved', atMs: 0, to: DUBLIN, tookMs: 40 }, 55.1);
    const seenBy = [named(DUBLIN, found, 55), named(DUBLIN, found, 55.2)];
    const moves = (...directories: readonly string[]) =>
      reportFrom(directories).stations[0]?.switches.flatMap(({ stored: { event } }) =>
        event.kind.startsWith('dns-') ? [event.kind] : [],
      );
    expect(moves(...seenBy, byLondon)).toEqual(['dns-moved']);
    expect(moves(...seenBy)).toEqual(['dns-found']);
  });

  test('of a log and an older copy of it counts nothing twice', () => {
    const copy = join(temporaryFolder(), 'copy');
    cpSync(london, copy, { recursive: true });
    const once = reportFrom([london]).stations[0];
    const twice = reportFrom([copy, london]).stations[0];
    expect(once?.switches.length).toBeGreaterThan(0);
    expect(twice?.switches).toEqual(once?.switches);
    expect(twice?.incidents).toEqual(once?.incidents);
  });

  test('has each incident with its cause and length', () => {
    expect(reportFrom([london]).stations[0]?.incidents).toMatchObject([
      { cause: '/primary is silent, <b>really</b>', deadAirMs: { [LONDON]: 6_000 } },
    ]);
  });

  test('says what listeners heard of each incident, in every form in the same words', () => {
    const report = reportFrom([london]);
    const words = '6.0 s of dead air on london';
    for (const text of [reportText(report), reportCsv(report), reportHtml(report)])
      expect(text).toContain(words);
    expect(reportJson(report)).toMatchObject({ stations: [{ incidents: [{ heard: words }] }] });
  });

  test('every figure of it can be added up again from its CSV', () => {
    const report = reportFrom([london]);
    const rows = reportCsv(report)
      .split('\r\n')
      .map((line) => line.split(','))
      .filter(([what, , server]) => what === 'air' && server === 'london');
    const sum = (air: string) =>
      rows.filter((row) => row[6] === air).reduce((ms, row) => ms + Number(row[5]), 0);
    const server = serverOf(report, LONDON);
    expect([sum('sounding'), sum('dead'), sum('planned'), sum('unknown')]).toEqual([
      server?.soundingMs,
      server?.deadMs,
      server?.plannedMs,
      server?.unknownMs,
    ]);
  });

  test('says evidence and never compliant, in every form; and a page runs nothing that a title brings along', () => {
    const report = reportFrom([london]);
    for (const text of [reportText(report), reportHtml(report), JSON.stringify(reportJson(report))]) {
      expect(text).toContain('evidence');
      expect(text).not.toMatch(/complian/i);
    }
    expect(reportHtml(report)).not.toContain('<b>really');
    expect(reportHtml(report)).toContain('<path d="M');
  });

  test('knows nothing of the time of events that a full disk did not take, and says how many they were', () => {
    const { store } = openHistory(london, new Date(0));
    const lost = { kind: 'events-lost', atMs: 0, count: 12, fromUnixMs: T0 + 51 * MIN } as const;
    const legs = policyWith({ self: LONDON }).legs;
    const leg = legs.find((one) => one.server === LONDON && one.source === PRIMARY)?.id;
    if (leg === undefined) throw new Error('no leg');
    const first = { kind: 'took-over', atMs: 0, server: LONDON, source: PRIMARY, because: 'first' } as const;
    const sounds = { kind: 'leg-changed', atMs: 0, leg, from: faulty(0), to: audible(0, 0) } as const;
    const at = (minute: number, event: RecordedEvent, station: typeof MYFM | null = MYFM) => ({
      unixMs: T0 + minute * MIN,
      station,
      event,
    });
    store.apply(batch(at(50, first), at(50, sounds), at(55, lost, null), at(56, first), at(56, sounds)));
    store.close();
    const report = reportFrom([london]);
    expect(serverOf(report, LONDON)?.unknownMs).toBe(
      // The agent was off from 40 to 50, the events of 51 to 56 are gone, and 59:01 is the last of the log.
      15 * MIN + 59_000,
    );
    expect(report.logs).toMatchObject([{ lostEvents: 12 }]);
    expect(reportText(report)).toContain('18 events, 12 lost before they were written');
    expect(reportHtml(report)).toContain('12 lost before');
  });

  test('finds a single changed byte in a log, and which row it is in', () => {
    const copy = temporaryFolder();
    copyFileSync(historyFile(london), join(copy, 'history.db'));
    expect(reportFrom([copy]).logs[0]?.verdict).toMatchObject({ ok: true, rows: 13 });
    const database = openDatabase(historyFile(copy));
    database.exec(
      "UPDATE events SET body = replace(body, 'it is good', 'it is gooe') WHERE kind = 'switched'",
    );
    database.close();
    const report = reportFrom([copy]);
    expect(report.logs[0]?.verdict).toMatchObject({ ok: false, seq: 9 });
    expect(reportText(report)).toContain('CHANGED at row 9');
  });

  test.each([
    ['is no JSON any more', `replace(body, '"trigger":"return"', '"trigger":"return ')`],
    ['is no event any more', `replace(body, '"kind":', '"kinc":')`],
  ])('goes on behind a row that %s, and names it', (_what, sql) => {
    const database = openDatabase(historyFile(london));
    database.exec(`UPDATE events SET body = ${sql} WHERE seq = 9`);
    database.close();
    const report = reportFrom([london]);
    expect(report.logs[0]?.verdict).toMatchObject({ ok: false, seq: 9 });
    expect(reportText(report)).toContain(`${historyFile(london)}, 13 events, CHANGED at row 9`);
    expect(serverOf(report, LONDON)?.stretches.at(-1)).toMatchObject({ toUnixMs: T0 + 60 * MIN });
  });

  /** Three hundred events of no weight, so that the table has pages, and a switch behind them. */
  function longLog(): string {
    const { store } = openHistory(london, new Date(0));
    const event = {
      kind: 'alert-opened',
      atMs: 0,
      code: 'formats-differ',
      subject: 'x',
      detail: 'y',
    } as const;
    for (let row = 0; row < 300; row += 1)
      store.apply(
        batch({ unixMs: T0 + 51 * MIN + row, station: MYFM, event: { ...event, detail: 'y'.repeat(200) } }),
      );
    const because = 'behind all that';
    const switched = {
      kind: 'switched',
      atMs: 0,
      server: LONDON,
      from: AUTODJ,
      to: PRIMARY,
      because,
    } as const;
    store.apply(batch({ unixMs: T0 + 55 * MIN, station: MYFM, event: { ...switched, trigger: 'return' } }));
    store.close();
    const database = openDatabase(historyFile(london));
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.close();
    return historyFile(london);
  }

  test('goes on behind a page of the file that is damaged, and names the rows on it', () => {
    const path = longLog();
    const bytes = readFileSync(path);
    const at = Math.floor(bytes.indexOf('"formats-differ"', bytes.length / 2) / 4096) * 4096;
    writeFileSync(path, bytes.fill(0, at, at + 4096));
    const report = reportFrom([london]);
    const [log] = report.logs;
    expect(log?.unreadable.length).toBeGreaterThan(3);
    expect(log?.unreadable.length).toBeLessThan(40);
    const [first, last] = [log?.unreadable[0], log?.unreadable.at(-1)];
    expect(log?.verdict).toMatchObject({ ok: false, seq: first });
    expect(reportText(report)).toContain(`rows that cannot be read: ${first}-${last}\n`);
    expect(report.stations[0]?.switches.map(({ stored }) => stored.seq)).toEqual([7, 9, 314]);
    expect(serverOf(report, LONDON)).toMatchObject({ deadMs: 6_000 });
  });

  test('has what is left of a file whose end is missing', () => {
    const path = longLog();
    truncateSync(path, Math.floor(statSync(path).size / 2 / 4096) * 4096);
    const report = reportFrom([london]);
    expect(report.logs[0]?.verdict?.ok).toBe(false);
    expect(report.stations[0]?.switches.map(({ stored }) => stored.seq)).toEqual([7, 9]);
    expect(serverOf(report, LONDON)).toMatchObject({ deadMs: 6_000 });
  });

  test('finds the settings of a station that nothing can be made of', () => {
    const database = openDatabase(historyFile(london));
    database.exec(`UPDATE events SET body = replace(body, '"policy":', '"polity":') WHERE seq = 2`);
    database.close();
    const report = reportFrom([london]);
    expect(report).toMatchObject({
      logs: [{ verdict: { ok: false, seq: 2 }, unreadable: [2] }],
      stations: [],
    });
    expect(reportHtml(report)).toContain('rows that cannot be read: 2');
  });
});
