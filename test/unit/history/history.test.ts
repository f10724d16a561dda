import { describe, expect, test } from 'vitest';
import type { OutboxRow } from '../../../src/domain/outbox.ts';
import { History } from '../../../src/history/history.ts';
import { openHistory } from '../../../src/history/open.ts';
import { directPort, type StorePort } from '../../../src/history/port.ts';
import type { Keep } from '../../../src/history/store.ts';
import { SustainError } from '../../../src/platform/errors.ts';
import { manualClock } from '../platform/clocks.ts';
import { keptLog } from '../wiring/support.ts';
import { LEG, recorded, second, temporaryFolder } from './support.ts';

const KEEP = { tiers: [], levelsMs: 1e12, eventsMs: 1e12 };

/** A history on a disk that can be made to take nothing. */
function historyOnADisk(startMs = 1_000_000, keep: Keep = KEEP) {
  const directory = temporaryFolder();
  const disk = { isFull: false, calls: [] as string[] };
  const clock = manualClock(startMs);
  const { log, lines } = keptLog();
  const inner = directPort({ directory, wallTime: () => new Date(0), setAside: () => {} });
  const port: StorePort = {
    call: async (name, ...args) => {
      disk.calls.push(name);
      if (disk.isFull) throw new SustainError('SQLITE_FULL', 'database or disk is full');
      return inner.call(name, ...args);
    },
    close: () => inner.close(),
  };
  const history = new History({ port, keep, clock, log });
  return { history, disk, clock, lines, directory };
}

const flushed = () => new Promise((resolve) => setImmediate(resolve));

describe('the history of a running agent', () => {
  test('has an event on the disk when it says so', async () => {
    const { history, directory } = historyOnADisk();
    expect(await history.write({ recorded: recorded(1000) })).toBe(true);
    await history.close();
    expect(openHistory(directory, new Date(0)).store.events({ limit: 10 })).toHaveLength(1);
  });

  test('writes an event at once that comes while levels are being written', async () => {
    const { history, disk, clock } = historyOnADisk();
    history.addLevels(second(1000, -20));
    clock.advance(5_000);
    expect(disk.calls).toEqual(['addLevels']);
    expect(await history.write({ recorded: recorded(1000) })).toBe(true);
    expect(disk.calls).toEqual(['addLevels', 'apply']);
    await history.close();
  });

  test('keeps what a full disk does not take, says so once, and writes it in its order later', async () => {
    const { history, disk, clock, lines, directory } = historyOnADisk();
    disk.isFull = true;
    expect(await history.write({ recorded: recorded(1) })).toBe(false);
    expect(await history.write({ recorded: recorded(2) })).toBe(false);
    history.addLevels(second(1000, -20));
    expect(history.isFailing).toBe(true);
    clock.advance(20_000);
    await flushed();
    expect(lines.map(({ msg }) => msg)).toEqual([
      'the history cannot be written; deciding goes on without it',
    ]);
    disk.isFull = false;
    clock.advance(5_000);
    await flushed();
    await history.close();
    expect(lines.at(-1)).toMatchObject({ msg: 'the history is written again', lost: 0 });
    const { store } = openHistory(directory, new Date(0));
    expect(store.events({ limit: 10 }).map(({ unixMs }) => unixMs)).toEqual([1, 2]);
    expect(store.levels({ leg: LEG.id, fromUnixMs: 0, toUnixMs: 9999 })).toHaveLength(1);
  });

  test('what was told while the disk took nothing is not waiting to be told afterwards', async () => {
    const { history, disk, clock, directory } = historyOnADisk();
    const row: OutboxRow = {
      id: 'a',
      hook: 'webhook',
      state: 'waiting',
      attempts: 0,
      dueUnixMs: 0,
      createdUnixMs: 5,
      lastError: null,
      body: '{}',
    };
    disk.isFull = true;
    expect(await history.write({ recorded: recorded(1), outbox: [row] })).toBe(false);
    expect(await history.updateOutbox([{ ...row, state: 'sent', attempts: 1 }])).toBe(false);
    disk.isFull = false;
    clock.advance(5_000);
    await flushed();
    await history.close();
    const { store } = openHistory(directory, new Date(0));
    expect(store.outbox('waiting')).toEqual([]);
    expect(store.outbox('sent')).toEqual([{ ...row, state: 'sent', attempts: 1 }]);
  });

  test('loses the oldest when a full disk stays full, and writes down how many', async () => {
    const { history, disk, clock, directory } = historyOnADisk();
    await history.write({ recorded: recorded(1) });
    disk.isFull = true;
    for (let index = 2; index < 20_012; index += 1) void history.write({ recorded: recorded(index) });
    await flushed();
    disk.isFull = false;
    clock.advance(5_000);
    await history.close();
    const { store } = openHistory(directory, new Date(0));
    const events = store.events({ limit: 30_000 });
    expect(events[0]).toMatchObject({ unixMs: 1, event: { detail: 'held' } });
    // Where they are missing, and from when on.
    expect(events[1]).toMatchObject({
      unixMs: 12,
      event: { kind: 'events-lost', count: 10, fromUnixMs: 1 },
    });
    expect(events[2]?.unixMs).toBe(12);
    expect(store.verify()).toMatchObject({ ok: true, rows: 20_002 });
  });
});

describe('what is old', () => {
  const DAY_MS = 24 * 3_600_000;
  const NOW = Date.UTC(2026, 10, 28);
  const NINETY_DAYS: Keep = {
    tiers: [{ afterMs: 2 * DAY_MS, spanS: 10 }],
    levelsMs: 90 * DAY_MS,
    eventsMs: 730 * DAY_MS,
  };

  /** A row an hour for 100 days up to now, and an event as long ago as two years and a day. */
  async function aged() {
    const found = historyOnADisk(NOW, NINETY_DAYS);
    const { history, clock, directory } = found;
    for (let hour = 100 * 24; hour > 0; hour -= 1) history.addLevels(second(NOW - hour * 3_600_000, -20));
    await history.write({ recorded: recorded(NOW - 731 * DAY_MS) });
    await history.write({ recorded: recorded(NOW - DAY_MS) });
    const minutes = async (count: number) => {
      for (let minute = 0; minute < count; minute += 1) {
        clock.advance(60_000);
        await flushed();
        await flushed();
      }
    };
    const kept = async () => {
      await history.close();
      const { store } = openHistory(directory, new Date(0));
      const rows = store.levels({ leg: LEG.id, fromUnixMs: 0, toUnixMs: NOW + 1000 });
      return {
        seconds: rows.filter(({ spanS }) => spanS === 1).length,
        all: rows.length,
        events: store.events({ limit: 10 }).length,
      };
    };
    await minutes(1);
    return { ...found, minutes, kept };
  }

  test('is thinned and forgotten by the clock', async () => {
    const { kept } = await aged();
    expect(await kept()).toEqual({ seconds: 47, all: 2159, events: 1 });
  });

  test('is not all that there is because a clock was put forward by ten years for an hour', async () => {
    const { clock, minutes, kept } = await aged();
    clock.putForward(3653 * DAY_MS);
    await minutes(60);
    clock.putForward(-3653 * DAY_MS);
    await minutes(1);
    // An hour by that clock takes no more than ten, and the day before yesterday in its seconds.
    expect(await kept()).toEqual({ seconds: 37, all: 2149, events: 1 });
  });

  test('is not told by a clock that was never set, and all the better when it is', async () => {
    const { clock, minutes, kept } = await aged();
    clock.putForward(-NOW);
    await minutes(5);
    clock.putForward(NOW + 3 * 3_600_000);
    await minutes(20);
    expect(await kept()).toEqual({ seconds: 44, all: 2156, events: 1 });
  });
});
