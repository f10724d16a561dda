import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createLogger, isJournal } from '../../../src/platform/logger.ts';

function lines(journal: boolean) {
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };
  const log = createLogger({ level: 'trace', agent: 'london', journal, destination });
  return { log, written };
}

describe('the log in the journal', () => {
  test('carries the priority before each line and leaves the time to the journal', () => {
    const { log, written } = lines(true);
    log.error('no');
    log.warn('careful');
    log.child({ station: 'myfm' }).info('so');
    log.debug('why');
    expect(written.map((line) => line.slice(0, 3))).toEqual(['<3>', '<4>', '<6>', '<7>']);
    const third = JSON.parse(written[2]?.slice(3) ?? '') as object;
    expect(third).toEqual({ level: 30, agent: 'london', station: 'myfm', msg: 'so' });
  });

  test('elsewhere is plain JSON with its time', () => {
    const { log, written } = lines(false);
    log.info({ password: 'hush' }, 'so');
    const line = JSON.parse(written[0] ?? '') as Record<string, unknown>;
    expect(line).toMatchObject({ level: 30, password: '[hidden]', msg: 'so' });
    expect(Date.parse(String(line['time']))).not.toBeNaN();
  });

  test('is meant only when stdout is the stream that systemd named', () => {
    const stdout = () => ({ dev: 9, ino: 77 });
    expect(isJournal({ JOURNAL_STREAM: '9:77' }, stdout)).toBe(true);
    expect(isJournal({ JOURNAL_STREAM: '9:78' }, stdout)).toBe(false);
    expect(isJournal({}, stdout)).toBe(false);
  });
});

describe('a log on a full disk', () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  test('ends nothing, keeps what has room, and says afterwards what is lost', async () => {
    const fd = openSync('/dev/full', 'w');
    const log = createLogger({ level: 'info', fd });
    log.info('kept');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const long = 'x'.repeat(100_000);
    for (let line = 0; line < 12; line += 1) log.info(long);
    await new Promise((resolve) => setTimeout(resolve, 50));

    // The room is there again: the same number, another file.
    const folder = await mkdtemp(join(tmpdir(), 'sustain-log-'));
    folders.push(folder);
    closeSync(fd);
    expect(openSync(join(folder, 'log'), 'w')).toBe(fd);
    log.info('again');
    const said = () =>
      readFileSync(join(folder, 'log'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    await vi.waitFor(() => expect(said().at(-1)).toHaveProperty('lost'));
    expect(said()[0]).toMatchObject({ msg: 'kept' });
    expect(said().at(-1)).toMatchObject({ level: 40, lost: 2 });
  });
});
