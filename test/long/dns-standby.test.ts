import { afterAll, beforeAll, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { houseOptions } from '../../src/demo/tour.ts';
import { addressOf, allWell, digHouse, movesSince, nameAt } from '../e2e/dns-house.ts';
import { wait } from '../e2e/station.ts';

const MOVED_WITHIN_MS = 15_000;

let house: House;
beforeAll(async () => {
  // The restore delay of the default: a return within it would be no escape.
  house = await startHouse({ ...houseOptions('dns'), dns: 'bind', dnsSettings: { restore: '3m' } });
  await nameAt(house, 'london', 60_000);
  await allWell(house, Object.values(house.agents));
});
afterAll(() => house?.stop());

test('at the default restore delay of 3 min the name returns after it, and not before', async () => {
  const brokeMs = performance.now();
  await house.servers.london.kill();
  await nameAt(house, 'dublin', 30_000, brokeMs);
  const mendedMs = performance.now();
  await house.servers.london.restart();
  const backMs = await nameAt(house, 'london', 240_000, mendedMs);
  expect(backMs).toBeGreaterThan(180_000);
});

test('the standby dies 20 s after the name went to it, when the first is good again: the name is back within the bound', async () => {
  await allWell(house, Object.values(house.agents));
  const { london, dublin } = house.servers;
  const brokeMs = performance.now();
  await london.kill();
  const firstMs = await nameAt(house, 'dublin', 30_000, brokeMs);
  await london.restart();
  await wait(20_000 - (performance.now() - brokeMs - firstMs));
  const diedMs = performance.now();
  await dublin.kill();
  const backMs = await nameAt(house, 'london', 30_000, diedMs);
  expect(Math.max(firstMs, backMs), `${firstMs} ms, then ${backMs} ms`).toBeLessThan(MOVED_WITHIN_MS);
  expect(digHouse(house, 'A')).toEqual([addressOf(house, 'london')]);
  await dublin.restart();
  await wait(20_000);
  expect(movesSince(house, brokeMs)).toHaveLength(2);
});
