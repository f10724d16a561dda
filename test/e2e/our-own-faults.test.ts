import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { MP3_DECODER } from '../../src/audio/decoder-host-path.ts';
import type { House } from '../../src/demo/house.ts';
import { waitUntil } from '../../src/demo/rig/index.ts';
import { settle } from '../../src/demo/scenarios.ts';
import { alertsOf, inHouse, loggedSince, stateOf, story, wait } from './station.ts';

beforeAll(() => void vi.stubEnv(MP3_DECODER, 'shared'));
afterAll(() => void vi.unstubAllEnvs());

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

/** The process in which an agent decodes all of its MP3 legs; null while there is none. */
function decoderOf(house: House): number | null {
  const agent = house.agents.london.pid();
  const children = readFileSync(`/proc/${agent}/task/${agent}/children`, 'latin1').trim().split(' ');
  const isDecoder = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'latin1') === 'sustain-decoder\n';
    } catch {
      return false;
    }
  };
  return Number(children.find(isDecoder) ?? 0) || null;
}

// In a house each, and all at once.
describe.concurrent('the decoder of all legs, killed and then stopped', () => {
  test('is never silence: nobody is moved, and every leg is heard again by another one', () =>
    inHouse({}, async (house) => {
      await settle(house);
      const listener = await house.listen('london');
      const beganMs = Date.now();
      const hit: number[] = [];
      for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
        await waitUntil('another decoder', 30_000, async () => {
          const pid = decoderOf(house);
          if (pid === null || hit.includes(pid)) return false;
          process.kill(pid, signal);
          hit.push(pid);
          return true;
        });
      }
      await waitUntil(
        'a decoder that lives',
        30_000,
        async () => !hit.includes(decoderOf(house) ?? hit[0] ?? 0),
      );
      // What is audible after these 6 s was heard by that one: a reading counts for 5 s.
      const freshMs = Date.now();
      await waitUntil('sound on every leg after that', 40_000, async () => {
        const { stations } = await stateOf(house, 'london');
        const legs = stations[0]?.servers.flatMap((server) => server.legs) ?? [];
        return Date.now() > freshMs + 6_000 && legs.every(({ condition }) => condition === 'audible');
      });
      const became = loggedSince(house, 'london', 'leg-changed', beganMs).map(
        ({ to }) => (to as { is: string }).is,
      );
      expect(became, story(house)).not.toContain('faulty');
      expect(loggedSince(house, 'london', 'switched', beganMs)).toEqual([]);
      expect(listener.disconnects()).toBe(0);
      await listener.stop();
    }));
});

describe.concurrent('a wrong admin password', () => {
  test('is called a fault of the configuration: no server is called down, and nothing is switched', () =>
    inHouse({ agentAdminPassword: 'not-the-password' }, async (house) => {
      await waitUntil('the alert', 30_000, async () =>
        (await alertsOf(house, 'london')).includes('admin-unauthorised'),
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
    }));
});

describe.concurrent('secrets', () => {
  test('stand in no log, no state and no command line', () =>
    inHouse(
      { icecast: { adminPassword: 'canary-pa55word', sourcePassword: 'other-secret' } },
      async (house) => {
        await wait(3000);
        const seen = JSON.stringify([house.agents.london.log(), await stateOf(house, 'london')]);
        expect(seen).not.toContain('canary-pa55word');
        expect(commandLinesWith('canary-pa55word')).toEqual([]);
      },
    ));
});
