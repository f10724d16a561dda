import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { waitUntil } from '../../src/demo/rig/index.ts';
import { alertsOf, loggedSince, stateOf, story, wait } from './station.ts';

let house: House | null = null;
afterEach(async () => {
  await house?.stop();
  house = null;
});

/** Every command line on this machine that shows a text. */
function commandLinesWith(text: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      if (line.includes(text) && line.includes('dist/src/cli/main.js')) found.push(line);
      if (line.includes(text) && line.includes('pipe:0')) found.push(line);
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

describe('a wrong admin password', () => {
  test('is called a fault of the configuration: no server is called down, and nothing is switched', async () => {
    house = await startHouse({ agentAdminPassword: 'not-the-password' });
    const subject = house;
    await waitUntil('the alert', 10_000, async () =>
      (await alertsOf(subject, 'london')).includes('admin-unauthorised'),
    );
    house.encoder1.programme.mute();
    await wait(8000);
    const { stations } = await stateOf(house, 'london');
    expect(
      stations[0]?.servers.map(({ condition }) => condition),
      story(house),
    ).toEqual(['misconfigured', 'misconfigured']);
    expect(loggedSince(house, 'london', 'switched', 0)).toEqual([]);
    expect(JSON.stringify(house.agents.london.log())).not.toContain('not-the-password');
  });
});

describe('secrets', () => {
  test('stand in no log, no state and no command line', async () => {
    house = await startHouse({
      icecast: { adminPassword: 'canary-pa55word', sourcePassword: 'other-secret' },
    });
    await wait(3000);
    const seen = JSON.stringify([house.agents.london.log(), await stateOf(house, 'london')]);
    expect(seen).not.toContain('canary-pa55word');
    expect(commandLinesWith('canary-pa55word')).toEqual([]);
  });
});
