import { describe, expect, test } from 'vitest';
import type { House } from '../../src/demo/house.ts';
import { type Listener, waitUntil } from '../../src/demo/rig/index.ts';
import { onAir } from '../../src/demo/scenarios.ts';
import { alertsOf, inHouse, loggedSince, story, wait } from './station.ts';

async function silenceBoth(of: House): Promise<void> {
  of.encoder1.programme.mute();
  of.encoder2.programme.mute();
  await wait(9000);
}

// In a house each, and both at once.
describe.concurrent('a destination that Icecast would only pretend to move listeners to', () => {
  test('of another format: nobody is moved, and it is told before it is needed and while it hurts', () =>
    inHouse({ autodjFormat: { codec: 'vorbis' } }, async (house) => {
      const listener = await house.listen('london');
      await waitUntil('told before it is needed', 30_000, async () =>
        (await alertsOf(house, 'london')).includes('formats-differ'),
      );
      await silenceBoth(house);
      expect(await onAir(house, 'london'), story(house)).toBe('primary');
      expect(await alertsOf(house, 'london')).toEqual(expect.arrayContaining(['formats-differ']));
      expect(loggedSince(house, 'london', 'moved', 0)).toEqual([]);
      expect((await listener.stop()).disconnects).toBe(0);
    }));

  const full = [
    { mount: '/primary', fallbackMount: '/autodj', fallbackOverride: false },
    { mount: '/autodj', maxListeners: 5 },
  ];
  test('that is full: nobody is disconnected by a move, and it is told', () =>
    inHouse({ icecast: { mounts: full } }, async (house) => {
      const listeners: Listener[] = [];
      for (let count = 0; count < 4; count += 1) listeners.push(await house.listen('london'));
      await silenceBoth(house);
      await waitUntil(
        'it is told',
        20_000,
        async () => (await alertsOf(house, 'london')).includes('destination-full'),
        () => story(house),
      );
      for (const listener of listeners) expect((await listener.stop()).disconnects).toBe(0);
    }));
});
