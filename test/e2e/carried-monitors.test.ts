import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { House } from '../../src/demo/house.ts';
import { onAir, waitForOnAir } from '../../src/demo/scenarios.ts';
import { inHouse, legOf, story, wait } from './station.ts';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const UNCHECKED = fileURLToPath(new URL(`../output/unchecked-${process.pid}/`, import.meta.url));

/** The agent as it would be without the proof of position: every reading counts, wherever its monitor sits. */
function buildUnchecked(): string {
  cpSync(DIST, UNCHECKED, { recursive: true });
  const path = `${UNCHECKED}src/decide/leg.js`;
  const parts = readFileSync(path, 'utf8').split('view.monitors.includes(monitor)');
  expect(parts).toHaveLength(2);
  writeFileSync(path, parts.join('true'));
  return `${UNCHECKED}src/cli/main.js`;
}

afterAll(() => rmSync(UNCHECKED, { recursive: true, force: true }));

/** `/primary` is silent, its listeners are on `/secondary`, and somebody moves our monitors of `/primary` to `/autodj`, until all is over. */
async function carryMonitorsAway(house: House, isOver: () => Promise<boolean>): Promise<void> {
  house.encoder1.programme.mute();
  await waitForOnAir(house, 'london', 'secondary', 30_000);
  await wait(3000);
  const { london } = house.servers;
  for (let round = 0; round < 12 && !(await isOver()); round += 1) {
    await london.askAdmin('/admin/moveclients?mount=/primary&destination=/autodj');
    await wait(1500);
  }
}

// In a house each, and both at once.
describe.concurrent('monitors that moveclients carried to another mount', () => {
  test('are not believed: the silent mount stays silent, and nobody goes back to it', () =>
    inHouse({}, async (house) => {
      await carryMonitorsAway(house, async () => false);
      expect((await legOf(house, 'london', 'primary')).condition, story(house)).not.toBe('audible');
      expect(await onAir(house, 'london')).toBe('secondary');
    }));

  test('would be believed without the check: listeners would be sent back to the silent mount', () =>
    inHouse({ agentCli: buildUnchecked() }, async (house) => {
      await carryMonitorsAway(house, async () => (await onAir(house, 'london')) === 'primary');
      await waitForOnAir(house, 'london', 'primary', 30_000);
      expect(house.encoder1.programme.sound().is).toBe('silence');
    }));
});
