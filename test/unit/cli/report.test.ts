import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { checkAlerts } from '../../../src/cli/check/alerts.ts';
import { parseMoment, type ReportCommand, report } from '../../../src/cli/report.ts';
import { historyFile, openHistory } from '../../../src/history/open.ts';
import { openDatabase } from '../../../src/history/sqlite.ts';
import { startReceiver } from '../alerts/support.ts';
import { batch, recorded, temporaryFolder } from '../history/support.ts';

describe('sustain check --alerts', () => {
  async function check(alerts: string): Promise<{ code: number; text: string }> {
    const file = join(temporaryFolder(), 'sustain.yaml');
    writeFileSync(
      file,
      `server: london
servers: { london: { url: "http://10.0.0.1:8000", admin: { user: admin, passwordEnv: PW } } }
stations: { myfm: { sources: [{ name: a, mount: /a }, { name: b, mount: /b }] } }
alerts: ${alerts}
`,
    );
    let text = '';
    const print = (line: string) => {
      text += `${line}\n`;
    };
    return { code: await checkAlerts({ config: file, env: { PW: 'pw' }, print }), text };
  }

  test('sends a test through each, and says which did not take it', async () => {
    const receiver = await startReceiver();
    const bad = await startReceiver();
    bad.answer = { status: 403, body: 'no such hook' };
    const { code, text } = await check(
      `[{ webhook: "${receiver.url}/a" }, { name: desk, webhook: "${bad.url}/hidden" }, { heartbeat: "${receiver.url}/beat" }]`,
    );
    expect(code).toBe(1);
    expect(text).toContain('ok    webhook: took the test');
    expect(text).toContain('FAIL  desk: it answered 403: no such hook');
    expect(text).not.toContain('hidden');
    expect(receiver.received.map(({ path }) => path).sort()).toEqual(['/a', '/beat']);
    expect(JSON.parse(receiver.received.find(({ path }) => path === '/a')?.body ?? '')).toMatchObject({
      type: 'test',
    });
  });

  test('says that nobody is told where there are none', async () => {
    expect(await check('[]')).toMatchObject({ code: 0, text: expect.stringContaining('nobody is told') });
  });
});

describe('a moment of a report', () => {
  test.each([
    ['2026-11-08', Date.UTC(2026, 10, 8)],
    ['2026-11-08T11:00:00+01:00', Date.UTC(2026, 10, 8, 10)],
    ['2026-11-08T11:00Z', Date.UTC(2026, 10, 8, 11)],
    ['8 November', null],
    ['2026-13-01', null],
    ['2026-11-08T11:00', null],
  ])('%s is %s', (text, expected) => {
    expect(parseMoment(text)).toBe(expected);
  });
});

describe('sustain report', () => {
  afterEach(() => vi.restoreAllMocks());

  async function run(command: Partial<ReportCommand>) {
    const said = { out: '', err: '' };
    const into = (where: keyof typeof said) => (text: string | Uint8Array) => {
      said[where] += String(text);
      return true;
    };
    vi.spyOn(process.stdout, 'write').mockImplementation(into('out'));
    vi.spyOn(process.stderr, 'write').mockImplementation(into('err'));
    const code = await report({ config: 'none.yaml', from: '1970-01-01', to: '1970-01-02', ...command });
    vi.restoreAllMocks();
    return { code, ...said };
  }

  function logOf(count: number) {
    const directory = temporaryFolder();
    const { store } = openHistory(directory, new Date(0));
    store.apply(batch(...Array.from({ length: count }, (_, index) => recorded(1000 * index))));
    store.close();
    return historyFile(directory);
  }
  const change = (path: string, sql: string) => {
    const database = openDatabase(path);
    database.exec(sql);
    database.close();
  };

  test('with --verify says which row of which file was changed, though it is no JSON any more, and writes its files', async () => {
    const [path, other, csv] = [logOf(5), logOf(3), join(temporaryFolder(), 'report.csv')];
    change(path, `UPDATE events SET body = replace(body, '"author"', '"author') WHERE seq = 4`);
    const { code, out } = await run({ history: [other, path], verify: true, csv });
    expect(code).toBe(1);
    expect(out).toMatch(new RegExp(`${other}, 3 events, whole: rows 1 to 3, head [0-9a-f]{64}\n`));
    expect(out).toContain(`${path}, 5 events, CHANGED at row 4`);
    expect(readFileSync(csv, 'utf8')).toMatch(/^what,station/);
    // It doesn't go unnoticed without being asked for either.
    expect(await run({ history: [path] })).toMatchObject({
      code: 1,
      out: expect.stringContaining('not verified (--verify); rows that cannot be read: 4'),
    });
  });

  test('with --head finds that the end of a log was cut off', async () => {
    const [path, other] = [logOf(50), logOf(3)];
    const { code, out } = await run({ history: [path], verify: true });
    expect(code).toBe(0);
    const head = /head ([0-9a-f]{64})/.exec(out)?.[1] ?? '';
    expect(await run({ history: [other, path], head: [head.toUpperCase()] })).toMatchObject({
      code: 0,
      out: expect.stringContaining(`the head ${head} is that of row 50`),
    });
    change(path, 'DELETE FROM events WHERE seq > 40');
    expect(await run({ history: [path], verify: true })).toMatchObject({ code: 0 });
    expect(await run({ history: [other, path], head: [head] })).toMatchObject({
      code: 1,
      out: expect.stringContaining(`MISSING: no row has the head ${head}: rows that were there are gone`),
    });
  });

  test('takes nothing for a history that is none, and says what it is', async () => {
    const folder = temporaryFolder();
    const [empty, sound] = [join(folder, 'empty.db'), join(folder, 'sound.wav')];
    writeFileSync(empty, '');
    writeFileSync(sound, 'RIFF, and so on: nothing that SQLite has written');
    for (const [path, says] of [
      [empty, `${empty} is no history of an agent`],
      [sound, `${sound} is no history of an agent`],
      [folder, `${folder} is a folder`],
    ] as const)
      expect(await run({ history: [path] })).toEqual({
        code: 2,
        out: '',
        err: `${says}: name the history.db of an agent with --history, as a user who may read it\n`,
      });
  });

  test('of a station that no log knows says so, and which there are', async () => {
    const path = logOf(3);
    expect(await run({ history: [path], station: 'nofm' })).toEqual({
      code: 2,
      out: '',
      err: '--station nofm: the log knows no such station; it knows no station\n',
    });
  });

  test('says which file it could not write, before it reads the logs and after', async () => {
    const nowhere = join(temporaryFolder(), 'no-such-folder', 'report.html');
    const refused = await run({ history: [logOf(1)], html: nowhere });
    expect(refused).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(`--html ${nowhere}: ENOENT`),
    });
    const full = await run({ history: [logOf(1)], csv: '/dev/full' });
    expect(full).toMatchObject({
      code: 1,
      out: expect.stringContaining('This is evidence'),
      err: expect.stringContaining('--csv /dev/full: ENOSPC'),
    });
  });

  test('reads a file once that is named twice', async () => {
    const path = logOf(3);
    const { out } = await run({ history: [path, path] });
    expect(out.match(/^log of /gm)).toHaveLength(1);
  });

  test('does not take for a head what is none', async () => {
    expect(await run({ history: [logOf(1)], head: ['abc'] })).toMatchObject({
      code: 2,
      err: expect.stringContaining('--head abc is no head'),
    });
  });
});
