import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import {
  createEncoder,
  createProgramme,
  loadMaterial,
  PILOTS_HZ,
  waitUntil,
} from '../../src/demo/rig/index.ts';
import { houseOptions } from '../../src/demo/tour.ts';
import { addressOf, digHouse, nameAt } from '../e2e/dns-house.ts';
import { story } from '../e2e/station.ts';

const SILENCE = '{ threshold: -50 dBFS, trip: 1s, restore: 2s, sound: 200ms }';

let house: House;
beforeAll(async () => {
  house = await startHouse({ ...houseOptions('dns'), dns: 'bind', silence: SILENCE });
});
afterAll(() => house?.stop());

describe('listeners of a server that gives silence, while the other does not', () => {
  test('are ended once the TTL has run after the name has gone, and again when they come back all the same', async () => {
    const mutes: (() => void)[] = [];
    const ends: (() => Promise<void>)[] = [];
    // An encoder for each server, so that one of them can be given silence.
    for (const encoder of [house.encoder1, house.encoder2, house.autodj]) await encoder.stop();
    for (const server of ['london', 'dublin'] as const) {
      const material = await loadMaterial({ music: 'studio', pilotHz: PILOTS_HZ.primary });
      const programme = createProgramme({ name: 'primary', material, delayMs: 0 });
      const targets = [{ server: house.servers[server].source, mount: '/primary' }];
      const encoder = createEncoder({ name: 'primary', kind: 'ffmpeg', programme, targets });
      ends.push(() => encoder.stop());
      mutes.push(() => programme.mute());
      await encoder.start();
    }
    try {
      await nameAt(house, 'london', 60_000);
      const listener = await house.listen('london', { mount: '/primary' });
      // Its resolver keeps the old answer.
      const stubborn = await house.listen('london', { mount: '/primary', reconnectMs: 500 });
      const isThere = async () => {
        const there = await house.servers.london.listenersOf('/primary');
        return there?.some(({ userAgent }) => userAgent === listener.userAgent) === true;
      };
      await waitUntil('the listener is there', 5_000, isThere);
      const mutedMs = performance.now();
      mutes[0]?.();
      const movedMs = (await nameAt(house, 'dublin', 30_000, mutedMs)) + mutedMs;
      expect(await isThere()).toBe(true);
      await waitUntil(
        'the listener is ended',
        15_000,
        async () => !(await isThere()),
        () => story(house),
      );
      // The TTL of the house is 5 s.
      expect(performance.now() - movedMs).toBeGreaterThan(4_500);
      expect(digHouse(house, 'A')).toEqual([addressOf(house, 'dublin')]);
      // In the source switch's own time nothing is moved: it is to cure silence first.
      expect(movedMs - mutedMs).toBeGreaterThan(10_000);
      await listener.stop();
      await waitUntil(
        'the one that came back is ended a third time',
        40_000,
        () => stubborn.disconnects() === 3,
        () => story(house),
      );
      // At 5, 10 and 20 s after the move.
      expect(performance.now() - movedMs).toBeGreaterThan(18_000);
      await stubborn.stop();
    } finally {
      for (const end of ends) await end();
    }
  });
});
