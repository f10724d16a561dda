import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import type { Sound } from '../../src/demo/rig/index.ts';
import { settle, waitForOnAir } from '../../src/demo/scenarios.ts';
import { legOf, story } from './station.ts';

let house: House;
beforeAll(async () => {
  // Back soon: the next fault is waiting.
  house = await startHouse({
    silence: '{ threshold: -50 dBFS, trip: 5s, restore: 5s }',
    switching: '{ dwell: 5s, holdDown: 1s, holdDownMax: 5s }',
  });
});
afterAll(() => house?.stop());

const FAULTS: readonly (readonly [string, string, Sound])[] = [
  ['a line-up tone', 'tone', { is: 'tone', frequencyHz: 1000, levelDbfs: -20 }],
  ['the hiss of an open input', 'noise-only', { is: 'noise', levelDbfs: -42 }],
  ['a playout machine that repeats its last 3 s', 'stuck-loop', { is: 'stuck', loopMs: 3000 }],
];

describe('bad sound is a fault too', () => {
  test.each(FAULTS)(
    '%s is called %s, and listeners get the second encoder within 30 s',
    async (_what, fault, sound) => {
      await settle(house);
      house.encoder1.programme.play(sound);
      await waitForOnAir(house, 'london', 'secondary', 30_000);
      expect((await legOf(house, 'london', 'primary')).reason, story(house)).toBe(fault);
    },
  );
});
