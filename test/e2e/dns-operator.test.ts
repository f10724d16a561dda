import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/cli/check/findings.ts';
import { runCheck } from '../../src/cli/check.ts';
import { type House, startHouse } from '../../src/demo/house.ts';
import { waitUntil } from '../../src/demo/rig/index.ts';
import { houseOptions } from '../../src/demo/tour.ts';
import { blockText, inShell } from '../docs-blocks.ts';
import { addressOf, allWell, dnsOf, movesSince, nameAt } from './dns-house.ts';
import { wait } from './station.ts';

const SILENCE = '{ threshold: -50 dBFS, trip: 1s, restore: 2s, sound: 200ms }';

let house: House;
beforeAll(async () => {
  house = await startHouse({ ...houseOptions('dns'), dns: 'bind', silence: SILENCE });
  await nameAt(house, 'london', 60_000);
  await allWell(house, Object.values(house.agents));
});
afterAll(() => house?.stop());

/** What `sustain check` finds about the name. */
async function dnsFindings(configPath: string) {
  const said: string[] = [];
  await runCheck({ config: configPath, json: true, print: (text) => said.push(text) });
  const { findings } = JSON.parse(said.join('')) as { findings: Finding[] };
  return findings.filter(({ about }) => /^(dns|name server|public address|nats)/.test(about));
}

describe('sustain check', () => {
  test('finds the name, our rights and the name servers in order, or says what is not', async () => {
    const mark = `epoch ${(await dnsOf(house.agents.dublin)).epoch}`;
    expect(await dnsFindings(house.configPath)).toEqual([
      expect.objectContaining({
        severity: 'note',
        about: 'dns rfc2136',
        says: expect.stringMatching(`stream.myfm.example points to london, ${mark} by`),
      }),
    ]);
    const text = readFileSync(house.configPath, 'utf8')
      .replace('keyName: sustain', 'keyName: stranger')
      .replace('authorities: ["', 'authorities: ["127.0.0.1:1", "')
      .replace('publicAddress: 127.0.0.21', 'publicAddress: 127.0.0.99, publicAddress6: "::1"');
    const broken = `${house.configPath}.broken.yaml`;
    writeFileSync(broken, `${text}cluster: { nats: ["nats://127.0.0.1:1"] }\n`);
    const faults = (await dnsFindings(broken)).filter(({ severity }) => severity === 'fault');
    expect(faults.map(({ about, says }) => [about, says])).toEqual(
      expect.arrayContaining([
        ['dns rfc2136', expect.stringContaining('BADKEY')],
        ['name server 127.0.0.1:1', 'nothing listens there'],
        ['public address of london', expect.stringContaining('127.0.0.99')],
        ['public address of london', expect.stringContaining('[::1]')],
        ['nats nats://127.0.0.1:1', expect.stringContaining("can't be used")],
      ]),
    );
    expect(faults).toHaveLength(5);
  });
});

const AN_HOUR = { author: 'ann', forMs: 3_600_000 };

describe('an operator', () => {
  test('holds the name over a restart of the agent, sends it to a silent server only when that is meant, and lets it go', async () => {
    const { dublin, london } = house.agents;
    // London doesn't write, and the order has to come to who does.
    expect(await london.call('/api/v1/dns/hold', AN_HOUR)).toMatchObject({
      status: 202,
      text: '{"accepted":true}',
    });
    await waitUntil('dublin holds the name', 30_000, async () => (await dnsOf(dublin)).hold !== null);
    await dublin.stop();
    await dublin.start();
    expect((await dnsOf(dublin)).hold).toMatchObject({ author: 'ann', server: null });

    house.servers.london.pause();
    const stoppedMs = performance.now();
    await waitUntil('london is found ill', 60_000, async () =>
      (await dnsOf(dublin)).servers.some(({ server, verdict }) => server === 'london' && verdict === 'ill'),
    );
    await wait(2_000);
    expect(movesSince(house, stoppedMs)).toEqual([]);
    const [, first] = (await dublin.call('/listen/myfm.m3u')).text
      .split('\r\n')
      .filter((line) => /^http/.test(line));
    expect(first).toContain(addressOf(house, 'london'));

    expect(await dublin.ask('/api/v1/dns/release', { author: 'ann' })).toBe(202);
    await nameAt(house, 'dublin', 30_000);
    const refused = await dublin.call('/api/v1/dns/force', { ...AN_HOUR, server: 'london' });
    expect(refused.status).toBe(409);
    expect(refused.text).toContain('london is not audible now');
    expect(await dublin.ask('/api/v1/dns/force', { ...AN_HOUR, server: 'london', override: true })).toBe(202);
    await nameAt(house, 'london', 30_000);
    // As the page has it, over the hold that is there.
    const page = blockText('docs/dns.md sh 2').replace('http://127.0.0.1:8080', dublin.webUrl);
    const { stdout } = await inShell(page.replace('curl ', 'curl --fail-with-body -sS '), {
      folder: dirname(house.configPath),
      environment: { TOKEN: dublin.operatorToken },
    });
    expect(JSON.parse(stdout)).toEqual({ accepted: true });
    await nameAt(house, 'dublin', 30_000);
    expect(await dublin.ask('/api/v1/dns/force', { ...AN_HOUR, server: 'london', override: true })).toBe(202);
    await nameAt(house, 'london', 30_000);
    await dublin.ask('/api/v1/dns/release', { author: 'ann' });
    await nameAt(house, 'dublin', 30_000);
    house.servers.london.resume();
  });
});
