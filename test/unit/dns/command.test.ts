import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createProvider, type DnsProvider } from '../../../src/dns/index.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import {
  DUBLIN,
  keyOf,
  LISTEN,
  LONDON,
  LONDON6,
  STREAM,
  soon,
  wanted,
  writerFor,
} from '../../e2e/dns-support.ts';

const folder = mkdtempSync(join(tmpdir(), 'sustain-command-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const KEY = 'a-key-that-only-this-test-knows';
let count = 0;

/** A program of the station's own, in Node, whose body has what was asked in `asked`. */
function providerOf(body: string): { provider: DnsProvider; zone: string } {
  count += 1;
  const program = join(folder, `dns-${count}.mjs`);
  const zone = join(folder, `zone-${count}.json`);
  writeFileSync(zone, '{"records":[]}');
  writeFileSync(
    program,
    `#!${process.execPath}
import { readFileSync, writeFileSync } from 'node:fs';
const asked = JSON.parse(readFileSync(0, 'utf8'));
const zone = ${JSON.stringify(zone)};
${body}
`,
  );
  chmodSync(program, 0o700);
  const settings = { command: [program], zone: 'myfm.example', names: [STREAM, LISTEN], key: keyOf(KEY) };
  return { provider: createProvider({ provider: 'command', ...settings }, systemClock), zone };
}

/** What docs/dns.md asks of such a program. */
const HONEST = `
if (asked.key !== ${JSON.stringify(KEY)}) process.exit(3);
const now = JSON.parse(readFileSync(zone, 'utf8'));
if (asked.action === 'read') console.log(JSON.stringify(now));
else {
  const records = asked.records.filter(({ addresses }) => addresses.length > 0);
  writeFileSync(zone, JSON.stringify({ records, text: asked.text }));
  console.log('{}');
}`;

describe("a program of the station's own", () => {
  test('moves every name, in both families, and keeps the mark', async () => {
    const { provider, zone } = providerOf(HONEST);
    const { writer } = writerFor(provider, []);
    expect(await writer.apply(wanted(1, 'london', LONDON, LONDON6), soon)).toMatchObject({
      is: 'converged',
      writes: 1,
    });
    expect(await writer.apply(wanted(2, 'dublin', DUBLIN), soon)).toMatchObject({
      is: 'converged',
      writes: 1,
    });
    expect(JSON.parse(readFileSync(zone, 'utf8'))).toMatchObject({
      text: 'v=sustain1 epoch=2 writer=dublin',
      records: [
        { name: STREAM, type: 'A', addresses: [DUBLIN], ttlSeconds: 30 },
        { name: LISTEN, type: 'A', addresses: [DUBLIN], ttlSeconds: 30 },
      ],
    });
    expect(await writer.apply(wanted(1, 'london', LONDON), soon)).toMatchObject({ is: 'fenced' });
    expect(await provider.mayWrite(new AbortController().signal)).toBeNull();
  });

  test.each<[string, string, object]>([
    ['ends with 3', 'process.exit(3)', { is: 'wrong-key' }],
    ['ends with 4', 'process.exit(4)', { is: 'refused' }],
    [
      'ends with 5',
      'console.log(\'{"retryAfterSeconds":30}\'); process.exitCode = 5',
      { is: 'rate-limited', retryAfterMs: 30_000 },
    ],
    ['ends with 6', 'process.exit(6)', { is: 'conflict' }],
    ['ends with 7', 'process.exit(7)', { is: 'not-found' }],
    ['ends with 8', 'process.exit(8)', { is: 'unreachable' }],
    ['breaks off', 'throw new Error(asked.key)', { is: 'bad-answer' }],
    ['prints no JSON', 'console.log("done")', { is: 'bad-answer' }],
    [
      'prints an address that is none',
      `console.log(JSON.stringify({ records: [{ name: asked.names[0], type: 'A', addresses: ['x'], ttlSeconds: 1 }] }))`,
      { is: 'bad-answer' },
    ],
    ['never ends', 'setInterval(() => {}, 1000)', { is: 'timeout' }],
  ])('that %s is understood, and the key is not repeated', async (_what, body, failure) => {
    const { provider } = providerOf(body);
    const read = await provider.read(AbortSignal.timeout(_what === 'never ends' ? 700 : 10_000));
    expect(read).toMatchObject({ ok: false, failure });
    expect(JSON.stringify(read)).not.toContain(KEY);
  });

  test('that is not there is told', async () => {
    const settings = { command: ['/no/such/program'], zone: 'myfm.example', names: [STREAM], key: null };
    const provider = createProvider({ provider: 'command', ...settings }, systemClock);
    const read = await provider.read(new AbortController().signal);
    expect(read).toMatchObject({ ok: false, failure: { is: 'refused' } });
  });
});
