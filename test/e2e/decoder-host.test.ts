import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../src/demo/rig/index.ts';
import { sleep, systemClock } from '../../src/platform/clock.ts';
import { childrenOfOurs } from '../unit/platform/processes.ts';
import { type RelayHouse, startRelayHouse } from './relay-house.ts';
import { capture, jumpsIn, longestQuiet, placesIn } from './relay-sound.ts';

let house: RelayHouse;

beforeAll(async () => {
  house = await startRelayHouse({
    host: '127.0.0.52',
    tripMs: 2_000,
    sources: { primary: { music: 'studio' }, secondary: { music: 'studio' }, autodj: { music: 'autodj' } },
  });
  await house.onAir('primary');
});
afterAll(() => house?.stop());

/** The process in which the agent decodes all of its MP3 legs; null while there is none. */
const decoderPid = () =>
  childrenOfOurs().find(({ name, state }) => name === 'sustain-decoder' && state !== 'Z')?.pid ?? null;

const pause = (ms: number) => sleep(systemClock, ms);

test('the decoder of all legs is killed, and the next one stopped: listeners miss nothing, and no leg is left', async () => {
  // Icecast's burst holds what went out before the first leg was on air.
  await pause(5_000);
  const listener = await capture(`${house.icecast.url}/stream`);
  await pause(3_000);
  const before = house.agent.events.length;
  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    const hit = decoderPid();
    if (hit === null) throw new Error('no leg is decoded');
    process.kill(hit, signal);
    await waitUntil('another decoder', 30_000, async () => ![hit, null].includes(decoderPid()));
    // Longer than the delay, so that all that was decoded meanwhile has been played.
    await pause(12_000);
  }
  const disconnects = listener.disconnects();
  const heard = await listener.stop();
  expect(disconnects).toBe(0);
  expect(longestQuiet(heard.pcm).durationMs, JSON.stringify(longestQuiet(heard.pcm))).toBeLessThan(50);
  const places = await placesIn(heard.pcm, house.material);
  expect(places.length).toBeGreaterThan(40);
  expect(jumpsIn(places, 90_000)).toEqual([]);
  expect(house.agent.events.slice(before).filter(({ kind }) => kind === 'relay-switched')).toEqual([]);
});
