import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { waitUntil } from '../../src/demo/rig/index.ts';
import { onAir, settle, waitForOnAir } from '../../src/demo/scenarios.ts';
import { loggedSince, stateOf, story, wait } from './station.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse({ switching: '{ dwell: 5s, holdDown: 1s, holdDownMax: 5s }' });
});
afterAll(() => house?.stop());

async function realListeners(mount: string): Promise<number> {
  const listeners = (await house.servers.london.listenersOf(mount)) ?? [];
  return listeners.filter(({ userAgent }) => !userAgent.startsWith('Sustain/')).length;
}

describe('SIGTERM', () => {
  test('during a fault leaves listeners on the backup, within 5 s, and no connection of ours', async () => {
    const listener = await house.listen('london');
    house.encoder1.programme.mute();
    await waitForOnAir(house, 'london', 'secondary', 30_000);
    await waitUntil('the move', 30_000, async () => (await realListeners('/secondary')) === 1);
    expect(await house.agents.london.stop()).toBeLessThan(5000);
    expect(await realListeners('/secondary')).toBe(1);
    // Icecast itself takes a moment to notice a connection that was closed.
    await waitUntil('our connections are gone', 30_000, async () => {
      const there = (await house.servers.london.listenersOf('/secondary')) ?? [];
      return !there.some(({ userAgent }) => userAgent.includes('agent=london'));
    });

    // The start takes over what it finds, without a switch.
    const fromWall = Date.now();
    await house.agents.london.start();
    await wait(5000);
    expect(loggedSince(house, 'london', 'switched', fromWall), story(house)).toEqual([]);
    expect(await onAir(house, 'london')).toBe('secondary');
    expect((await listener.stop()).disconnects).toBe(0);
  });

  test('while the first source is good again, though not for its whole restore delay, brings listeners back', async () => {
    const listener = await house.listen('london', { mount: '/secondary' });
    house.encoder1.programme.unmute();
    await waitUntil('sound on /primary', 30_000, async () => {
      const { stations } = await stateOf(house, 'london');
      return stations[0]?.servers[0]?.legs[0]?.condition === 'audible';
    });
    expect(await onAir(house, 'london')).toBe('secondary');
    expect(await house.agents.london.stop()).toBeLessThan(5000);
    expect(await realListeners('/primary'), story(house)).toBe(1);
    await listener.stop();
    await settle(house);
  });
});

/** How long after its stop the agent of dublin logged that the server of london is down; it is up again after. */
async function downAfterMs(): Promise<number> {
  const { london } = house.servers;
  london.pause();
  const fromWall = Date.now();
  const became = (condition: string) =>
    loggedSince(house, 'dublin', 'server-changed', fromWall).find(
      ({ server, to }) => server === 'london' && (to as { is: string }).is === condition,
    );
  const see = (condition: string) =>
    waitUntil(
      `dublin sees london ${condition}`,
      30_000,
      () => became(condition) !== undefined,
      () => story(house),
    );
  await see('down');
  london.resume();
  await see('up');
  return Date.parse(String(became('down')?.['time'])) - fromWall;
}

describe('an Icecast that accepts connections and gives nothing', () => {
  test('is called down within 5 s, not up, and up again when it goes on', async () => {
    const rounds: number[] = [];
    // A machine that stands still can only make it later.
    while (Math.min(...rounds) > 5000 && rounds.length < 2) {
      await settle(house);
      rounds.push(await downAfterMs());
      await settle(house);
    }
    expect(Math.min(...rounds), `${rounds} ms\n${story(house)}`).toBeLessThanOrEqual(5000);
    expect(await onAir(house, 'london')).toBe('primary');
  });
});

describe('an agent that stood still', () => {
  test('uses nothing of what it measured across the gap: no switch', async () => {
    await settle(house);
    const fromWall = Date.now();
    for (const pauseMs of [1500, 2500, 4000]) {
      house.agents.london.pause();
      await wait(pauseMs);
      house.agents.london.resume();
      await wait(4000);
    }
    expect(loggedSince(house, 'london', 'switched', fromWall), story(house)).toEqual([]);
  });
});
