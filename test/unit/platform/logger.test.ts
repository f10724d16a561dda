import { describe, expect, test } from 'vitest';
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
