import { afterAll, beforeAll, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { deadAirMsIn } from '../../src/demo/rig/index.ts';
import { houseOptions } from '../../src/demo/tour.ts';
import { addressOf, allWell, digHouse, movesSince, nameAt } from '../e2e/dns-house.ts';
import { story, wait } from '../e2e/station.ts';

const MOVED_WITHIN_MS = 15_000;

let house: House;
beforeAll(async () => {
  house = await startHouse({ ...houseOptions('relay'), dns: 'powerdns' });
  await nameAt(house, 'london', 90_000);
  await allWell(house, Object.values(house.agents), 60_000);
});
afterAll(() => house?.stop());

test('in relay mode the name follows the public mount, and a fault that the relay cures moves nothing', async () => {
  const fromMs = performance.now();
  house.encoder1.programme.mute();
  await wait(30_000);
  house.encoder1.programme.unmute();
  expect(movesSince(house, fromMs)).toEqual([]);

  const listener = await house.listenByName();
  await wait(5_000);
  const brokeMs = performance.now();
  house.servers.london.pause();
  const movedMs = await nameAt(house, 'dublin', 30_000, brokeMs);
  expect(movedMs, story(house)).toBeLessThan(MOVED_WITHIN_MS);
  await wait(15_000);
  house.servers.london.resume();
  const backMs = await nameAt(house, 'london', 120_000, brokeMs);
  expect(digHouse(house, 'A')).toEqual([addressOf(house, 'london')]);
  expect(movesSince(house, brokeMs)).toHaveLength(2);
  const heard = await listener.stop();
  // The move, the TTL of 5 s, the player's own patience of 5 s, and its buffer anew.
  const deadMs = deadAirMsIn(heard, { fromMs: brokeMs });
  expect(deadMs, `moved after ${movedMs} ms, back after ${backMs} ms`).toBeLessThan(25_000);
});
