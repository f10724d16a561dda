import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Memory, noMemory } from '../../../src/decide/state.ts';
import type { Clock } from '../../../src/platform/clock.ts';
import { memoryFile } from '../../../src/wiring/memory-file.ts';
import { DUBLIN, MYFM, PRIMARY, SECONDARY } from '../decide/builders.ts';
import { manualClock } from '../platform/clocks.ts';
import { keptLog } from './support.ts';

const HOUR_MS = 3_600_000;
const MEMORY: Memory = {
  ageMs: 0,
  desks: {
    london: {
      onAir: SECONDARY,
      away: [PRIMARY],
      hold: { author: 'ann', remainingMs: HOUR_MS, source: SECONDARY },
      order: { unixSeconds: 1_700_000_000, by: DUBLIN, author: 'ann' },
    },
    dublin: { onAir: null, away: [], hold: null, order: null },
  },
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sustain-memory-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (clock: Clock = manualClock(), at = directory) => {
  const { log, lines } = keptLog();
  return { file: memoryFile(at, MYFM, clock, log), lines };
};
const path = () => join(directory, 'myfm.json');

describe('what is remembered', () => {
  test('comes back as it was saved, in a directory that was made for it', async () => {
    const state = join(directory, 'not', 'there');
    await open(manualClock(), state).file.save(MEMORY);
    expect(await open(manualClock(), state).file.load()).toEqual(MEMORY);
    expect(statSync(join(state, 'myfm.json')).mode & 0o777).toBe(0o600);
  });

  test('has aged by the time that nobody was there', async () => {
    const clock = manualClock();
    await open(clock).file.save(MEMORY);
    clock.advance(20_000);
    const loaded = await open(clock).file.load();
    expect(loaded.ageMs).toBe(20_000);
    expect(loaded.desks['london']?.hold?.remainingMs).toBe(HOUR_MS - 20_000);
  });

  test('of a time before agents told each other of holds is read too', async () => {
    const desk = '{"onAir":"primary","away":[],"hold":{"author":"ann","remainingMs":5000,"source":null}}';
    writeFileSync(path(), `{"savedAt":"1970-01-01T00:00:00.000Z","desks":{"london":${desk}}}`);
    expect((await open().file.load()).desks['london']).toMatchObject({
      hold: { author: 'ann' },
      order: null,
    });
  });

  test('a hold that ended meanwhile is gone', async () => {
    const clock = manualClock();
    await open(clock).file.save(MEMORY);
    clock.advance(HOUR_MS);
    expect((await open(clock).file.load()).desks['london']).toMatchObject({ onAir: SECONDARY, hold: null });
  });

  test('has no negative age when the wall clock went back', async () => {
    await open(manualClock(HOUR_MS)).file.save(MEMORY);
    expect(await open(manualClock(0)).file.load()).toEqual(MEMORY);
  });
});

describe('the file', () => {
  test('that is not there yet is no news', async () => {
    const { file, lines } = open();
    expect(await file.load()).toEqual(noMemory);
    expect(lines).toEqual([]);
  });

  test.each([
    ['empty', ''],
    ['cut short', '{"savedAt":"1970-01-01T00:00:00.000Z","desks":{"lon'],
    ['of another shape', '{"savedAt":"1970-01-01T00:00:00.000Z","desks":{"london":{"onAir":7}}}'],
    ['without a time', '{"desks":{}}'],
    ['no object', '[]'],
  ])('that is %s is started without, and said so', async (_what, text) => {
    writeFileSync(path(), text);
    const { file, lines } = open();
    expect(await file.load()).toEqual(noMemory);
    expect(lines).toMatchObject([{ path: path(), msg: expect.stringContaining('starting without it') }]);
  });

  test('is replaced as a whole: what a crash left beside it does no harm', async () => {
    writeFileSync(`${path()}.new`, '{"savedAt":"19');
    const { file } = open();
    await file.save(MEMORY);
    expect(readdirSync(directory)).toEqual(['myfm.json']);
  });

  test('is whole and the newest however many saves overlap', async () => {
    const { file, lines } = open();
    const saves = Array.from({ length: 50 }, (_, index) =>
      file.save({
        ageMs: 0,
        desks: { [`server-${index}`]: { onAir: null, away: [], hold: null, order: null } },
      }),
    );
    await Promise.all(saves);
    expect(lines).toEqual([]);
    expect(readdirSync(directory)).toEqual(['myfm.json']);
    expect(readFileSync(path(), 'utf8')).toContain('server-49');
  });
});

describe('a directory that cannot be written', () => {
  test('is complained of once, and again only after it has worked', async () => {
    writeFileSync(join(directory, 'file'), '');
    const { file, lines } = open(manualClock(), join(directory, 'file'));
    await file.save(MEMORY);
    await file.save(MEMORY);
    expect(lines).toMatchObject([{ msg: 'cannot remember over a restart; deciding goes on' }]);
    rmSync(join(directory, 'file'));
    await file.save(MEMORY);
    rmSync(join(directory, 'file'), { recursive: true });
    writeFileSync(join(directory, 'file'), '');
    await file.save(MEMORY);
    expect(lines).toHaveLength(2);
  });
});
