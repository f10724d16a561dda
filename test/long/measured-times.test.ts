import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type House, type HouseServer, startHouse } from '../../src/demo/house.ts';
import { waitForName } from '../../src/demo/name-scenarios.ts';
import { waitUntil } from '../../src/demo/rig/index.ts';
import { onAir, settle, wait } from '../../src/demo/scenarios.ts';
import { machineInWords } from '../../src/demo/table.ts';

/**
 * Times on real parts that `sustain simulate` has to reproduce; kept in `fixtures/measured/times.json` by
 * `SUSTAIN_MEASURED=fixtures/measured/times.json npm run test:long -- measured-times`.
 */
const figures: Record<string, number> = {};
const SWITCHING = '{ dwell: 5s, holdDown: 10s, holdDownMax: 40s }';

/** From now until it is so, in ms. */
async function until(what: string, timeoutMs: number, isSo: () => Promise<boolean>): Promise<number> {
  const fromMs = performance.now();
  await waitUntil(what, timeoutMs, isSo);
  return performance.now() - fromMs;
}

const airs = (house: House, source: string, server: HouseServer = 'london') =>
  until(`${source} on air on ${server}`, 90_000, async () => (await onAir(house, server)) === source);

async function roleBesideDublin(house: House): Promise<string | undefined> {
  const { stations } = await house.agents.dublin.state();
  return stations[0]?.servers.find(({ server }) => server === 'london')?.role;
}

function keep(): void {
  const file = process.env['SUSTAIN_MEASURED'];
  if (file === undefined) return;
  const origin = 'real Icecasts, encoders, PowerDNS and agents on one machine';
  const command = 'SUSTAIN_MEASURED=<file> npm run test:long -- measured-times';
  const date = new Date().toISOString();
  writeFileSync(
    file,
    `${JSON.stringify({ origin, command, date, machine: machineInWords(), figures }, null, 2)}\n`,
  );
}

describe('times on real parts', () => {
  test('of source switches and returns, each relapse with a longer hold-down', async () => {
    const house = await startHouse({ switching: SWITCHING });
    try {
      await settle(house);
      await wait(10_000);
      const { encoder1, encoder2, agents } = house;
      encoder1.programme.mute();
      encoder2.programme.mute();
      figures['both silent: until the AutoDJ'] = await airs(house, 'autodj');
      await wait(5_000);
      encoder1.programme.unmute();
      encoder2.programme.unmute();
      figures['both silent: until the return'] = await airs(house, 'primary');

      await wait(10_000);
      const killedMs = performance.now();
      await encoder1.kill();
      await airs(house, 'secondary');
      figures['encoder killed: until the second'] = performance.now() - killedMs;
      await wait(5_000);
      await encoder1.start();
      figures['encoder killed: until the return'] = await airs(house, 'primary');

      await wait(10_000);
      encoder1.programme.mute();
      figures['third failure: until the second'] = await airs(house, 'secondary');
      encoder2.programme.mute();
      figures['second silent too: until the AutoDJ'] = await airs(house, 'autodj');
      await wait(3_000);
      encoder1.programme.unmute();
      figures['third failure: until the return'] = await airs(house, 'primary');
      encoder2.programme.unmute();

      await wait(15_000);
      await agents.london.kill();
      const roleIs = (role: string) => async () => (await roleBesideDublin(house)) === role;
      figures['agent killed: until the deputy'] = await until('a deputy', 40_000, roleIs('deputy'));
    } finally {
      await house.stop();
    }
    expect(Object.values(figures).every(Number.isFinite)).toBe(true);
    keep();
  });

  test('of a name whose server dies, and dies again', async () => {
    const house = await startHouse({ switching: SWITCHING, dns: 'powerdns' });
    try {
      await waitForName(house, 'london', 60_000);
      await wait(15_000);
      const { london } = house.servers;
      for (const which of ['first', 'second'] as const) {
        const brokeMs = performance.now();
        await london.kill();
        figures[`Icecast killed, ${which}: until the name moves`] =
          (await waitForName(house, 'dublin', 40_000)) - brokeMs;
        await wait(8_000);
        const mendedMs = performance.now();
        await london.restart();
        figures[`Icecast killed, ${which}: until the name is back`] =
          (await waitForName(house, 'london', 120_000)) - mendedMs;
        await wait(5_000);
      }
    } finally {
      await house.stop();
    }
    keep();
  });
});
