import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { deadAirMsIn, waitUntil } from '../../src/demo/rig/index.ts';
import { settle } from '../../src/demo/scenarios.ts';
import { legOf, story, wait } from './station.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse({ mode: 'relay', silence: '{ threshold: -50 dBFS, trip: 4s, restore: 6s }' });
});
afterAll(() => house?.stop());

/** Writes the config of london with a change, has it read, and waits for what the agent says of it. */
async function reload(change: (text: string) => string, says: string): Promise<void> {
  const text = readFileSync(house.configPath, 'utf8');
  const changed = change(text);
  expect(changed).not.toBe(text);
  writeFileSync(house.configPath, changed);
  const before = house.agents.london.log().length;
  house.agents.london.hangUp();
  await waitUntil(
    says,
    5000,
    async () =>
      house.agents.london
        .log()
        .slice(before)
        .some(({ msg }) => String(msg).includes(says)),
    () => story(house),
  );
}

test('a config is reloaded while the station plays: no listener hears it, and what can be changed is', async () => {
  await settle(house);
  const listener = await house.listen('london');
  const good = readFileSync(house.configPath, 'utf8');

  await reload((text) => text.replace('trip: 4s', 'trip: 4'), 'the old one runs on');
  expect((await legOf(house, 'london', 'primary')).condition).toBe('audible');

  await reload(
    () => good.replace('-50 dBFS, trip: 4s', '-45 dBFS, trip: 1500ms').replace('/autodj }', '/other }'),
    'the new config is in use',
  );
  const waiting = house.agents.london.log().filter(({ msg }) => String(msg).includes('not now'));
  expect(waiting.map(({ path }) => path)).toEqual(['stations.myfm.sources']);

  // The other agent still has a trip delay of 4 s, so that the two differ by 2.5 s.
  await wait(2000);
  house.encoder1.programme.mute();
  const silentAfterMs = async (agent: 'london' | 'dublin') => {
    const fromMs = performance.now();
    await waitUntil(`${agent} finds it silent`, 15_000, async () => {
      return (await legOf(house, agent, 'primary')).condition === 'faulty';
    });
    return performance.now() - fromMs;
  };
  const [london, dublin] = await Promise.all([silentAfterMs('london'), silentAfterMs('dublin')]);
  expect(dublin - london, story(house)).toBeGreaterThan(1500);
  house.encoder1.programme.unmute();

  await reload(
    (text) => text.replace('operatorTokenFile', 'trustProxy: ["127.0.0.9"], operatorTokenFile'),
    'is in use',
  );
  expect((await legOf(house, 'london', 'autodj')).condition).toBe('audible');
  // The relay runs 7 s behind: until then nothing of all this could have been heard.
  await wait(8000);
  const heard = await listener.stop();
  expect(heard.disconnects).toBe(0);
  expect(deadAirMsIn(heard, {}), story(house)).toBeLessThanOrEqual(50);
});
