import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkAlerts } from '../../../src/cli/check/alerts.ts';
import { parseMoment } from '../../../src/cli/report.ts';
import { startReceiver } from '../alerts/support.ts';
import { temporaryFolder } from '../history/support.ts';

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
