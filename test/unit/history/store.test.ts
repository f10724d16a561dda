import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { OutboxRow } from '../../../src/domain/outbox.ts';
import { historyFile, openHistory, readHistory } from '../../../src/history/open.ts';
import { openDatabase } from '../../../src/history/sqlite.ts';
import type { HistoryStore } from '../../../src/history/store.ts';
import { batch, incident, LEG, recorded, second, temporaryFolder } from './support.ts';

const DAY_MS = 24 * 3_600_000;
const KEEP = {
  tiers: [
    { afterMs: 2 * DAY_MS, spanS: 10 },
    { afterMs: 14 * DAY_MS, spanS: 60 },
  ],
  levelsMs: 90 * DAY_MS,
  eventsMs: 730 * DAY_MS,
};

function opened(directory = temporaryFolder()): { store: HistoryStore; directory: string } {
  return { store: openHistory(directory, new Date(0)).store, directory };
}

const message = (id: string): OutboxRow => ({
  id,
  hook: 'webhook',
  state: 'waiting',
  attempts: 0,
  dueUnixMs: 0,
  createdUnixMs: 5,
  lastError: null,
  body: '{}',
});

/** Where in the file the rows of the event log lie: in the one leaf of its tree, behind what is free. */
function rowsOfEvents(path: string, bytes: Buffer): [number, number] {
  const database = openDatabase(path, { readonly: true });
  const pageSize = Number(database.pragma('page_size', { simple: true }));
  const page = database
    .prepare<[], { rootpage: number }>("SELECT rootpage FROM sqlite_master WHERE name = 'events'")
    .get();
  database.close();
  const start = ((page?.rootpage ?? 0) - 1) * pageSize;
  return [start + bytes.readUInt16BE(start + 5), start + pageSize];
}

describe('the event log', () => {
  test('gives back what was written, in order, by station, time and author', () => {
    const { store } = opened();
    store.apply(batch(recorded(1000), recorded(2000, { author: 'lee' })));
    store.apply(
      batch({ ...recorded(3000), station: null, event: { kind: 'agent-stopped', atMs: 1, agent: 'london' } }),
    );
    expect(store.events({ limit: 10 }).map(({ seq, unixMs }) => [seq, unixMs])).toEqual([
      [1, 1000],
      [2, 2000],
      [3, 3000],
    ]);
    expect(store.events({ fromUnixMs: 1500, toUnixMs: 3000, limit: 10 })).toHaveLength(1);
    expect(store.events({ beforeSeq: 3, limit: 1 }).map(({ seq }) => seq)).toEqual([2]);
    expect(store.events({ operatorActsOnly: true, limit: 10 })).toHaveLength(2);
    expect(store.lastSeenUnixMs(9_000)).toBe(3000);
  });

  test('is written whole or not at all', () => {
    const { store } = opened();
    const bad = { ...incident(), id: null as unknown as string };
    expect(() => store.apply({ events: [recorded(1000)], incidents: [bad], outbox: [] })).toThrow();
    expect(store.events({ limit: 10 })).toEqual([]);
  });

  test('finds every single byte of its rows that somebody changed, and a row that is gone', () => {
    const { store, directory } = opened();
    store.apply(batch(recorded(1000), recorded(2000, { author: 'lee' }), recorded(3000)));
    expect(store.verify()).toMatchObject({ ok: true, rows: 3, toSeq: 3 });
    store.close();
    const path = historyFile(directory);
    const bytes = readFileSync(path);
    const [from, to] = rowsOfEvents(path, bytes);
    expect(to - from).toBeGreaterThan(300);
    expect(bytes.subarray(from, to).toString('latin1')).toContain('"author":"lee"');
    for (let at = from; at < to; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(path, changed);
      const reader = readHistory(path);
      expect(reader.verify(), `the byte ${at - from} of the rows`).toMatchObject({ ok: false });
      reader.close();
    }
    writeFileSync(path, bytes);
    const database = openDatabase(path);
    database.exec('DELETE FROM events WHERE seq = 2');
    database.close();
    expect(readHistory(path).verify()).toMatchObject({ ok: false, seq: 3 });
  });

  test('without its end is whole, and is known by a head that was kept', () => {
    const { store, directory } = opened();
    store.apply(batch(...Array.from({ length: 50 }, (_, index) => recorded(index))));
    const whole = store.verify();
    const head = whole.ok ? whole.head : '';
    store.apply(batch(recorded(60)));
    expect(store.verify([head])).toMatchObject({ ok: true, kept: [{ head, seq: 50 }] });
    store.close();
    const database = openDatabase(historyFile(directory));
    database.exec('DELETE FROM events WHERE seq > 40');
    database.close();
    const { store: cut } = opened(directory);
    expect(cut.verify([head])).toMatchObject({ ok: true, rows: 40, kept: [] });
    // Rows that were written after the cut don't hide it.
    cut.apply(batch(...Array.from({ length: 20 }, (_, index) => recorded(100 + index))));
    expect(cut.verify([head])).toMatchObject({ ok: true, rows: 60, kept: [] });
  });

  test('forgets its oldest rows and can still be verified', () => {
    const { store } = opened();
    store.apply(batch(recorded(1000), recorded(2000), recorded(800 * DAY_MS)));
    store.tidy(801 * DAY_MS, KEEP);
    expect(store.events({ limit: 10 }).map(({ seq }) => seq)).toEqual([3]);
    expect(store.verify()).toMatchObject({ ok: true, rows: 1, fromSeq: 3 });
    store.apply(batch(recorded(801 * DAY_MS)));
    expect(store.verify()).toMatchObject({ ok: true, rows: 2, toSeq: 4 });
  });
});

describe('the outbox', () => {
  test('takes each message once', () => {
    const { store } = opened();
    store.apply({ events: [], incidents: [], outbox: [message('a')] });
    store.apply({ ...batch(), settled: [{ ...message('a'), state: 'sent', attempts: 1 }] });
    store.apply({ events: [], incidents: [], outbox: [message('a'), message('b')] });
    expect(store.outbox('waiting').map(({ id }) => id)).toEqual(['b']);
    expect(store.outbox('sent')).toMatchObject([{ id: 'a', attempts: 1 }]);
  });
});

describe('incidents', () => {
  test('are one row each, however often they change', () => {
    const { store } = opened();
    store.apply({ events: [], incidents: [incident()], outbox: [] });
    store.apply({ events: [], incidents: [incident({ closedUnixMs: 9000 })], outbox: [] });
    expect(store.incidents({ limit: 10 })).toMatchObject([{ closedUnixMs: 9000 }]);
    expect(store.incidents({ openOnly: true, limit: 10 })).toEqual([]);
    expect(store.incidents({ fromUnixMs: 9001, limit: 10 })).toEqual([]);
  });
});

describe('levels', () => {
  test('are thinned with age: a second keeps its loudest moment for as long as anything is kept', () => {
    const { store } = opened();
    const seconds = Array.from({ length: 120 }, (_, index) => second(index * 1000, index === 61 ? -20 : -60));
    store.addLevels(seconds);
    while (store.tidy(3 * DAY_MS, KEEP));
    const tens = store.levels({ leg: LEG.id, fromUnixMs: 0, toUnixMs: 120_000 });
    expect(tens).toHaveLength(12);
    expect([...(tens[6]?.steps ?? [])]).toEqual([-60, -20, -60, -60, -60, -60, -60, -60, -60, -60]);
    expect(tens[6]).toMatchObject({ spanS: 10, audibleMs: 1000, truePeakDbtp: -14 });
    while (store.tidy(20 * DAY_MS, KEEP));
    const minutes = store.levels({ leg: LEG.id, fromUnixMs: 0, toUnixMs: 120_000 });
    expect(minutes.map(({ spanS }) => spanS)).toEqual([60, 60]);
    expect(minutes[1]?.steps[1]).toBe(-20);
    store.tidy(91 * DAY_MS, KEEP);
    expect(store.levels({ leg: LEG.id, fromUnixMs: 0, toUnixMs: 120_000 })).toEqual([]);
  });

  test('are thinned a few thousand at a time, and none is lost on the way', () => {
    const { store } = opened();
    store.addLevels(Array.from({ length: 12_003 }, (_, index) => second(index * 1000, -30)));
    let rounds = 1;
    while (store.tidy(3 * DAY_MS, KEEP)) rounds += 1;
    expect(rounds).toBeGreaterThan(2);
    const rows = store.levels({ leg: LEG.id, fromUnixMs: 0, toUnixMs: DAY_MS });
    expect(rows).toHaveLength(1201);
    expect(rows.reduce((sum, { audibleMs }) => sum + audibleMs, 0)).toBe(12_003_000);
  });

  test('come in as few points as a chart has room for, each the loudest of its stretch', () => {
    const { store } = opened();
    const lufsAt = (index: number) => (index < 10 ? null : -30 + (index % 10));
    store.addLevels(
      Array.from({ length: 600 }, (_, index) => ({
        ...second(index * 1000, -30),
        momentaryLufs: lufsAt(index),
      })),
    );
    const points = store.loudest({ leg: LEG.id, fromUnixMs: 5_000, toUnixMs: 600_000 }, 60);
    expect(points).toHaveLength(60);
    expect(points.slice(0, 2)).toEqual([
      { unixMs: 0, momentaryLufs: null },
      { unixMs: 10_000, momentaryLufs: -21 },
    ]);
    expect(points.at(-1)).toEqual({ unixMs: 590_000, momentaryLufs: -21 });
  });
});

describe('a history file that is damaged', () => {
  test('is put aside under another name, and an empty one takes its place', () => {
    const { store, directory } = opened();
    for (let index = 0; index < 200; index += 1) store.apply(batch(recorded(index)));
    store.close();
    const bytes = readFileSync(historyFile(directory));
    bytes.fill(0x5a, 4096, 40_000);
    writeFileSync(historyFile(directory), bytes);
    const { store: fresh, setAside } = openHistory(directory, new Date('2026-11-08T11:00:00Z'));
    expect(setAside).toBe(`${historyFile(directory)}.corrupt-2026-11-08T110000.000Z`);
    expect(readdirSync(directory)).toContain('history.db.corrupt-2026-11-08T110000.000Z');
    expect(fresh.events({ limit: 10 })).toEqual([]);
    expect(fresh.apply(batch(recorded(1)))).toBe(1);
  });

  test('is put aside when it is no database at all', () => {
    const directory = temporaryFolder();
    writeFileSync(historyFile(directory), 'this is no database'.repeat(1000));
    expect(openHistory(directory, new Date(0)).setAside).not.toBeNull();
  });
});

test('an older program finds its tables in a file of a later version', () => {
  const { store, directory } = opened();
  store.apply(batch(recorded(1000)));
  store.close();
  const database = openDatabase(historyFile(directory));
  database.exec('ALTER TABLE incidents ADD COLUMN something_new TEXT');
  database.exec('CREATE TABLE something_newer (id INTEGER)');
  database.pragma('user_version = 99');
  database.close();
  expect(openHistory(directory, new Date(0)).store.events({ limit: 10 })).toHaveLength(1);
});
