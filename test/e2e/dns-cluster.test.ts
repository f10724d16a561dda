import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { startProcess, waitUntil } from '../../src/demo/rig/index.ts';
import { houseOptions } from '../../src/demo/tour.ts';
import { blockText, commandsIn, ROOT } from '../docs-blocks.ts';
import { openWindow, shoot, signIn, startBrowser } from './browser.ts';
import { addressOf, agentsOf, allWell, digHouse, dnsOf, epochOf, movesSince, nameAt } from './dns-house.ts';
import { wait } from './station.ts';

const MOVED_WITHIN_MS = 15_000;
/** Who stands beside the name leaves the lease to the others, so that which of them has it is theirs. */
const SOMEBODY_MAY_WRITE = /^(this|another) agent has the right to write the DNS$/;
const OTHER_NAME = 'listen.myfm.example';
/** Dublin is heard over IPv6 too; at london's IPv6 address nobody listens. */
const DUBLIN6 = '::1';

let house: House;
let browser: Browser;
beforeAll(async () => {
  const dnsSettings = { otherRecords: `[${OTHER_NAME}]` };
  house = await startHouse({
    ...houseOptions('dns'),
    public6: {
      london: { address: '2001:db8::21', isServed: false },
      dublin: { address: DUBLIN6, isServed: true },
    },
    dnsSettings,
    cluster: { lease: '15s' },
  });
  await nameAt(house, 'london', 60_000);
  await allWell(house, agentsOf(house));
});
afterAll(async () => {
  await browser?.close();
  await house?.stop();
});

/** The page of dublin's agent, as an operator sees it. */
async function dublinsPage(): Promise<Page> {
  browser = await startBrowser();
  const { page } = await openWindow(browser, house.agents.dublin);
  await signIn(page, 'ann', house.agents.dublin.operatorToken);
  return page;
}

describe('two servers, a witness, and three NATS servers', () => {
  test('the machine of london dies, with its Icecast, its agent and a NATS server: the name goes to dublin, and comes back', async () => {
    const { london } = house.agents;
    const node = house.nats?.nodes[0];
    // An agent that dies with the lease keeps it until it runs out; beside the name it leaves it to the others.
    await waitUntil(
      'another agent has the lease',
      30_000,
      async () => (await dnsOf(london)).lease === 'theirs',
    );
    const before = epochOf(house);
    expect(digHouse(house, 'AAAA')).toEqual([]);
    const brokeMs = performance.now();
    await Promise.all([house.servers.london.kill(), london.kill(), node?.kill()]);
    expect(await nameAt(house, 'dublin', 30_000, brokeMs)).toBeLessThan(MOVED_WITHIN_MS);
    expect(digHouse(house, 'A')).toEqual([addressOf(house, 'dublin')]);
    expect(digHouse(house, 'A', OTHER_NAME)).toEqual([addressOf(house, 'dublin')]);
    expect([digHouse(house, 'AAAA'), digHouse(house, 'AAAA', OTHER_NAME)]).toEqual([[DUBLIN6], [DUBLIN6]]);
    expect(epochOf(house)).toBeGreaterThanOrEqual(before);
    await house.servers.london.restart();
    await Promise.all([node?.restart(), london.start()]);
    await nameAt(house, 'london', 60_000);
    expect(movesSince(house, brokeMs)).toHaveLength(2);
    expect([digHouse(house, 'AAAA'), digHouse(house, 'AAAA', OTHER_NAME)]).toEqual([[], []]);
  });

  test('without NATS the name stays where it is, and every agent says so; the sources are switched all the same', async () => {
    await allWell(house, agentsOf(house));
    const page = await dublinsPage();
    const agents = page.getByRole('region', { name: 'Agents' });
    for (const agent of ['london', 'dublin', 'witness'])
      await agents
        .locator(`[data-agent="${agent}"]`)
        .getByText(/alive|this one/)
        .waitFor();
    await agents.locator('[data-agent="witness"]').getByText('a witness').waitFor();
    await agents.locator('[data-cluster="connected"]').waitFor();
    await agents.getByText(SOMEBODY_MAY_WRITE).waitFor();
    await shoot(page, 'cluster');
    await Promise.all(house.nats?.nodes.map((node) => node.kill()) ?? []);
    await waitUntil('every agent says that nobody may write', 60_000, async () => {
      const views = await Promise.all(agentsOf(house).map(dnsOf));
      return views.every(({ alerts }) => alerts.some(({ code }) => code === 'dns-no-lease'));
    });
    await agents.locator('[data-cluster="no-majority"], [data-cluster="connecting"]').waitFor();
    await agents
      .locator('[data-agent="witness"]')
      .getByText(/silent for/)
      .waitFor();
    await shoot(page, 'cluster-gone');
    const goneMs = performance.now();
    await house.servers.london.kill();
    house.encoder1.programme.mute();
    await waitUntil('dublin is on its second source', 30_000, async () => {
      const { stations } = await house.agents.dublin.state();
      return stations[0]?.servers.find(({ server }) => server === 'dublin')?.onAir === 'secondary';
    });
    await wait(MOVED_WITHIN_MS - (performance.now() - goneMs));
    expect(digHouse(house, 'A')).toEqual([addressOf(house, 'london')]);
    await Promise.all(house.nats?.nodes.map((node) => node.restart()) ?? []);
    await nameAt(house, 'dublin', 90_000);
    await agents.locator('[data-cluster="connected"]').waitFor();
    await agents.locator('[data-agent="witness"]').getByText('alive').waitFor();
    await agents.getByText(SOMEBODY_MAY_WRITE).waitFor();
  });

  test('a witness that is started as the page says is the third again', async () => {
    const { witness } = house;
    if (witness === null) throw new Error('this house has no witness');
    await witness.stop();
    const [line = ''] = commandsIn(blockText('docs/dns.md sh 1'));
    const command = line
      .replace(/^sustain /, `${process.execPath} ${join(ROOT, 'dist/src/cli/main.js')} `)
      .replace('sustain.yaml', house.configPath.replace('london.yaml', 'witness.yaml'));
    expect(command).toMatch(/main\.js run --config \S+witness\.yaml --witness$/);
    const started = await startProcess({ command: 'sh', args: ['-c', `exec ${command}`], stdout: 'pipe' });
    try {
      await waitUntil(
        'the witness is in the cluster',
        120_000,
        async () => (await dnsOf(witness)).cluster?.link === 'connected',
      );
      expect((await witness.state()).agent).toBe('witness');
    } finally {
      started.signal('SIGTERM');
      await started.exited;
    }
  });
});
