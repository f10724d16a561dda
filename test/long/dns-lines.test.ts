import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type House, type HouseServer, startHouse } from '../../src/demo/house.ts';
import { createSites, hasNamespaces, type Sites } from '../../src/demo/rig/index.ts';
import { houseOptions } from '../../src/demo/tour.ts';
import { addressOf, allWell, digHouse, movesSince, nameAt } from '../e2e/dns-house.ts';
import { story, wait } from '../e2e/station.ts';

const MOVED_WITHIN_MS = 15_000;
/** So long each of two that fight may move the name once. */
/** Of the ten minutes in which each moves it once at most; joined before the next ten begin. */
const LOST_FOR_MS = 570_000;

/** Network namespaces need root; without it nothing here can be said. */
describe.skipIf(!hasNamespaces())('two sites on lines of their own, without a third', () => {
  let sites: Sites<HouseServer>;
  let house: House;
  beforeAll(async () => {
    sites = createSites(['london', 'dublin']);
    house = await startHouse({ ...houseOptions('dns'), sites });
    await nameAt(house, 'london', 60_000);
    await allWell(house, Object.values(house.agents));
  });
  afterAll(async () => {
    await house?.stop();
    sites?.remove();
  });

  test('the line of london is cut: the name goes to dublin, and comes back with the line', async () => {
    const cutMs = performance.now();
    sites.unplug('london');
    const movedMs = await nameAt(house, 'dublin', 30_000, cutMs);
    expect(movedMs).toBeLessThan(MOVED_WITHIN_MS);
    expect(digHouse(house, 'A')).toEqual([addressOf(house, 'dublin')]);
    sites.plug('london');
    await nameAt(house, 'london', 90_000);
    expect(movesSince(house, cutMs)).toHaveLength(2);
  });

  test('they lose each other while both reach the DNS: each moves the name once at most, and it ends at a good server', async () => {
    await allWell(house, Object.values(house.agents));
    const cutMs = performance.now();
    sites.cut('london', 'dublin');
    await wait(LOST_FOR_MS);
    const moves = movesSince(house, cutMs);
    sites.join('london', 'dublin');
    expect(moves.length).toBeLessThanOrEqual(2);
    expect(new Set(moves.map(({ address }) => address)).size).toBe(moves.length);
    await allWell(house, Object.values(house.agents));
    await wait(30_000);
    // What followed is at most the one return to the preferred server.
    expect(movesSince(house, cutMs).length - moves.length, story(house)).toBeLessThanOrEqual(1);
  });
});
