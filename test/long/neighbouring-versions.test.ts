import { afterAll, beforeAll, expect, it } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { waitUntil } from '../../src/demo/rig/index.ts';
import { settle } from '../../src/demo/scenarios.ts';
import { houseOptions } from '../../src/demo/tour.ts';
import { agentsOf, allWell, nameAt } from '../e2e/dns-house.ts';
import { loggedSince, stateOf, story } from '../e2e/station.ts';

/** The built command (`dist/src/cli/main.js`) of the release before; without it both agents are this build. */
const previous = process.env['SUSTAIN_PREVIOUS_CLI'];

let house: House;
beforeAll(async () => {
  house = await startHouse({
    ...houseOptions('dns'),
    cluster: { lease: '15s' },
    ...(previous === undefined ? {} : { agentCli: { dublin: previous } }),
  });
  await nameAt(house, 'london', 60_000);
  await allWell(house, agentsOf(house));
});
afterAll(() => house?.stop());

it('an agent of the version before and one of this see each other, switch alike, and carry the name for each other', async () => {
  await settle(house);
  for (const [agent, other] of [
    ['london', 'dublin'],
    ['dublin', 'london'],
  ] as const) {
    const { stations } = await stateOf(house, agent);
    const seen = stations[0]?.servers.find(({ server }) => server === other);
    expect(seen?.agentSeenMs, story(house)).toBeLessThan(12_000);
    expect(stations[0]?.alerts).toEqual([]);
  }

  const silentMs = Date.now();
  house.encoder1.programme.mute();
  const agents = ['london', 'dublin'] as const;
  await waitUntil(
    'both are on their second source',
    20_000,
    () => agents.every((agent) => loggedSince(house, agent, 'switched', silentMs).length > 0),
    () => story(house),
  );
  house.encoder1.programme.unmute();
  await settle(house);

  // The one of this version is gone, and the older one has to write the name; then the other way round, back.
  const brokeMs = performance.now();
  await Promise.all([house.servers.london.kill(), house.agents.london.kill()]);
  await nameAt(house, 'dublin', 30_000, brokeMs);
  await house.servers.london.restart();
  await house.agents.london.start();
  await nameAt(house, 'london', 60_000);
});
