import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import {
  createEncoder,
  createProgramme,
  deadAirMsIn,
  loadMaterial,
  PILOTS_HZ,
  waitUntil,
} from '../../src/demo/rig/index.ts';
import { houseOptions } from '../../src/demo/tour.ts';
import { addressOf, allWell, digHouse, dnsOf, movesSince, nameAt } from '../e2e/dns-house.ts';
import { story, wait } from '../e2e/station.ts';

const MOVED_WITHIN_MS = 15_000;
const HEARD_WITHIN_MS = 25_000;
/** The trip delay of 5 s, the 10 s in which the source switch may cure it, and samples in a row. */
const LEFT_SILENT_WITHIN_MS = 30_000;

let house: House;
beforeAll(async () => {
  house = await startHouse({ ...houseOptions('relay'), dns: 'powerdns' });
  await nameAt(house, 'london', 60_000);
  await allWell(house, Object.values(house.agents));
});
afterAll(() => house?.stop());

describe('the name of a station in relay mode', () => {
  test('leaves a machine that dies, its listener by name hears the station there, and it comes back', async () => {
    const listener = await house.listenByName();
    await waitUntil('the listener has something', 10_000, () => listener.connected());
    await wait(4_000);
    const brokeMs = performance.now();
    await Promise.all([house.servers.london.kill(), house.agents.london.kill()]);
    expect(await nameAt(house, 'dublin', 30_000, brokeMs)).toBeLessThan(MOVED_WITHIN_MS);
    expect(digHouse(house, 'A')).toEqual([addressOf(house, 'dublin')]);
    // Until the player has found its way, and its buffer is as full as before.
    await wait(12_000);
    await house.servers.london.restart();
    await house.agents.london.start();
    await nameAt(house, 'london', 120_000);
    expect(movesSince(house, brokeMs)).toHaveLength(2);
    const heard = await listener.stop();
    expect(deadAirMsIn(heard, { fromMs: brokeMs })).toBeLessThan(HEARD_WITHIN_MS);
  });

  test('leaves a server whose public mount alone is silent, and comes back when it sounds again', async () => {
    await allWell(house, Object.values(house.agents));
    // The agent beside london is gone, and something else feeds its public mount with silence.
    await house.agents.london.stop();
    const material = await loadMaterial({ music: 'studio', pilotHz: PILOTS_HZ.primary });
    const programme = createProgramme({ name: 'primary', material, delayMs: 0 });
    programme.mute();
    const targets = [{ server: house.servers.london.source, mount: '/stream' }];
    const silence = createEncoder({ name: 'primary', kind: 'ffmpeg', programme, targets });
    const brokeMs = performance.now();
    await silence.start();
    try {
      const movedMs = await nameAt(house, 'dublin', 60_000, brokeMs);
      expect(movedMs).toBeGreaterThan(10_000);
      expect(movedMs).toBeLessThan(LEFT_SILENT_WITHIN_MS);
      const { servers } = await dnsOf(house.agents.dublin);
      expect(servers).toContainEqual(
        expect.objectContaining({
          server: 'london',
          verdict: 'ill',
          detail: expect.stringContaining('silent'),
        }),
      );
      await waitUntil(
        'its listeners are ended',
        20_000,
        () => house.agents.dublin.log().some(({ msg }) => msg === 'listeners were sent back to the name'),
        () => story(house),
      );
    } finally {
      await silence.stop();
    }
    await house.agents.london.start();
    await nameAt(house, 'london', 120_000);
    expect(movesSince(house, brokeMs)).toHaveLength(2);
  });
});
