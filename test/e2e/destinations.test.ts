import { afterEach, describe, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { type Listener, waitUntil } from '../../src/demo/rig/index.ts';
import { onAir } from '../../src/demo/scenarios.ts';
import { alertsOf, loggedSince, story, wait } from './station.ts';

let house: House | null = null;
afterEach(async () => {
  await house?.stop();
  house = null;
});

async function silenceBoth(of: House): Promise<void> {
  of.encoder1.programme.mute();
  of.encoder2.programme.mute();
  await wait(9000);
}

describe('a destination that Icecast would only pretend to move listeners to', () => {
  test('of another format: nobody is moved, and it is told before it is needed and while it hurts', async () => {
    house = await startHouse({ autodjFormat: { codec: 'vorbis' } });
    const listener = await house.listen('london');
    const before = house;
    await waitUntil('told before it is needed', 30_000, async () =>
      (await alertsOf(before, 'london')).includes('formats-differ'),
    );
    await silenceBoth(house);
    expect(await onAir(house, 'london'), story(house)).toBe('primary');
    expect(await alertsOf(house, 'london')).toEqual(expect.arrayContaining(['formats-differ']));
    expect(loggedSince(house, 'london', 'moved', 0)).toEqual([]);
    expect((await listener.stop()).disconnects).toBe(0);
  });

  test('that is full: nobody is disconnected by a move, and it is told', async () => {
    house = await startHouse({
      icecast: {
        mounts: [
          { mount: '/primary', fallbackMount: '/autodj', fallbackOverride: false },
          { mount: '/autodj', maxListeners: 5 },
        ],
      },
    });
    const listeners: Listener[] = [];
    for (let count = 0; count < 4; count += 1) listeners.push(await house.listen('london'));
    await silenceBoth(house);
    const full = house;
    await waitUntil(
      'it is told',
      20_000,
      async () => (await alertsOf(full, 'london')).includes('destination-full'),
      () => story(full),
    );
    for (const listener of listeners) expect((await listener.stop()).disconnects).toBe(0);
  });
});
