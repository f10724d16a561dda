import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentProcess } from '../../src/demo/agent-process.ts';
import { type House, startHouse } from '../../src/demo/house.ts';
import { waitUntil } from '../../src/demo/rig/index.ts';
import { houseOptions } from '../../src/demo/tour.ts';
import {
  addressOf,
  agentsOf,
  allWell,
  digHouse,
  dnsOf,
  epochOf,
  epochsWritten,
  movesSince,
  nameAt,
} from '../e2e/dns-house.ts';
import { story, wait } from '../e2e/station.ts';
import { type HeldWrites, startHeldWrites } from './held-writes.ts';

const MOVED_WITHIN_MS = 15_000;

let house: House;
let api: HeldWrites;
beforeAll(async () => {
  api = await startHeldWrites('127.0.0.31');
  const dnsSettings = { url: `"${api.url}"` };
  house = await startHouse({ ...houseOptions('dns'), dnsSettings, cluster: { lease: '15s' } });
  if (house.dns === null || !('url' in house.dns)) throw new Error('this house has no PowerDNS');
  api.leadTo(String(house.dns.url));
  await nameAt(house, 'london', 60_000);
});
afterAll(async () => {
  await house?.stop();
  api?.close();
});

/** An agent beside the server that the name points to gives the lease away, so that is waited for. */
async function holderOf(agents: readonly AgentProcess[]): Promise<AgentProcess> {
  let holder: AgentProcess | undefined;
  await waitUntil(
    'an agent that is not beside london holds the lease',
    30_000,
    async () => {
      const leases = await Promise.all(
        agents.map(async (agent) => ({ agent, lease: (await dnsOf(agent)).lease })),
      );
      holder = leases.find(({ lease }) => lease === 'ours')?.agent;
      return holder !== undefined && holder !== house.agents.london;
    },
    () => story(house),
  );
  if (holder === undefined) throw new Error('nobody holds the lease');
  return holder;
}

const STOOD_STILL_MS = 20_000;
const movesBegun = (agent: AgentProcess) =>
  agent.log().filter((line) => line['event'] === 'dns-moving').length;

describe('a lease of the default length', () => {
  test('the agent that holds the lease stands still for 20 s, and writes nothing under its old epoch after that', async () => {
    await allWell(house, agentsOf(house));
    const holder = await holderOf(agentsOf(house));
    const written = epochsWritten(holder).length;
    const stoppedMs = performance.now();
    holder.pause();
    // It stopped in the middle of the need to write: the others have to do it.
    await house.servers.london.kill();
    const movedMs = await nameAt(house, 'dublin', 30_000, stoppedMs);
    const after = epochOf(house);
    await wait(STOOD_STILL_MS - (performance.now() - stoppedMs));
    holder.resume();
    await wait(6_000);
    expect(movedMs).toBeLessThan(MOVED_WITHIN_MS + 5_000);
    expect(digHouse(house, 'A')).toEqual([addressOf(house, 'dublin')]);
    expect(movesSince(house, stoppedMs)).toHaveLength(1);
    expect(epochOf(house)).toBe(after);
    expect(epochsWritten(holder).slice(written)).toEqual([]);
    await house.servers.london.restart();
    await nameAt(house, 'london', 60_000);
  });

  test('it stands still in the middle of moving the name: another moves it, and what it had begun is never written', async () => {
    await allWell(house, agentsOf(house));
    const holder = await holderOf(agentsOf(house));
    const written = epochsWritten(holder).length;
    const begun = movesBegun(holder);
    const before = epochOf(house);
    // A write is taken and never answered, so that the move can begin and not end.
    api.hold();
    const brokeMs = performance.now();
    await house.servers.london.kill();
    await waitUntil(
      'the agent that holds the lease has begun to move the name',
      MOVED_WITHIN_MS + 5_000,
      () => movesBegun(holder) > begun,
      () => story(house),
    );
    holder.pause();
    const stoppedMs = performance.now();
    api.drop();
    // The lease has to run out first.
    await nameAt(house, 'dublin', 45_000, stoppedMs);
    const after = epochOf(house);
    await wait(STOOD_STILL_MS - (performance.now() - stoppedMs));
    holder.resume();
    await wait(6_000);
    expect(after).toBeGreaterThan(before);
    expect(epochsWritten(holder).slice(written)).toEqual([]);
    expect([epochOf(house), digHouse(house, 'A')]).toEqual([after, [addressOf(house, 'dublin')]]);
    expect(movesSince(house, brokeMs)).toHaveLength(1);
    await house.servers.london.restart();
    await nameAt(house, 'london', 60_000);
  });
});
