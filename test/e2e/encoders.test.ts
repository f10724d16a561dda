import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { waitUntil } from '../../src/demo/rig/index.ts';
import { onAir, settle, waitForOnAir } from '../../src/demo/scenarios.ts';
import { legOf, loggedSince, story, wait } from './station.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse({
    encoderKinds: { encoder1: 'ffmpeg', encoder2: 'ezstream', autodj: 'liquidsoap' },
    titlesEveryMs: 3000,
    silence: '{ threshold: -50 dBFS, trip: 5s, restore: 5s }',
    switching: '{ dwell: 2s, holdDown: 1s, holdDownMax: 2s }',
  });
});
afterAll(() => house?.stop());
afterEach(() => settle(house));

/** From the moment the sound went to the moment the agent called the leg silent. */
async function tripMs(make: () => number): Promise<number> {
  const fromWall = Date.now() + (make() - performance.now());
  const tripped = () =>
    loggedSince(house, 'london', 'leg-changed', fromWall).find(
      (line) => String(line['msg']) === 'myfm/primary@london is silent',
    );
  await waitUntil(
    'the trip',
    30_000,
    () => tripped() !== undefined,
    () => story(house),
  );
  return Date.parse(String(tripped()?.['time'])) - fromWall;
}

describe('encoders of all kinds', () => {
  test('ffmpeg silent: ezstream takes over, and listeners come back', async () => {
    house.encoder1.programme.mute();
    await waitForOnAir(house, 'london', 'secondary', 30_000);
    house.encoder1.programme.unmute();
    await waitForOnAir(house, 'london', 'primary', 60_000);
  });

  test('ffmpeg and ezstream killed: liquidsoap plays', async () => {
    await house.encoder1.kill();
    await house.encoder2.kill();
    await waitForOnAir(house, 'london', 'autodj', 30_000);
    await waitForOnAir(house, 'dublin', 'autodj', 30_000);
  });

  test('an encoder that comes back still silent is not gone back to', async () => {
    house.encoder1.programme.mute();
    await waitForOnAir(house, 'london', 'secondary', 30_000);
    await house.encoder1.kill();
    await wait(2000);
    await house.encoder1.start();
    // More than twice what a healthy one has to wait.
    await wait(10_000);
    expect(await onAir(house, 'london'), story(house)).toBe('secondary');
    await waitUntil(
      'it is called silent',
      20_000,
      async () => (await legOf(house, 'london', 'primary')).reason === 'silent',
      () => story(house),
    );
    expect(await onAir(house, 'london')).toBe('secondary');
  });
});

describe('what is no sound', () => {
  test('neither a click of 10 ms every 5 s nor a title every 3 s keeps a silence from tripping in time', async () => {
    const rounds: { clean: number; clicks: number }[] = [];
    // Each time contains the wait for a look that proves where it was heard, and a busy machine looks seldom.
    for (let apartMs = Number.POSITIVE_INFINITY; apartMs >= 1000 && rounds.length < 3; ) {
      await settle(house);
      const clean = await tripMs(() => house.encoder1.programme.mute());
      house.encoder1.programme.unmute();
      await settle(house);
      const clicks = await tripMs(() =>
        house.encoder1.programme.play({ is: 'clicks', everyMs: 5000, lengthMs: 10 }),
      );
      rounds.push({ clean, clicks });
      apartMs = Math.abs(clicks - clean);
    }
    const leastMs = Math.min(...rounds.map(({ clean, clicks }) => Math.abs(clicks - clean)));
    expect(leastMs, JSON.stringify(rounds)).toBeLessThan(1000);
  });
});
