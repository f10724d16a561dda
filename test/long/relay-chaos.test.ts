import { afterAll, beforeAll, expect, it } from 'vitest';
import { type House, SERVER_NAMES, startHouse } from '../../src/demo/house.ts';
import { settle } from '../../src/demo/scenarios.ts';
import { houseOptions } from '../../src/demo/tour.ts';
import { sleep, systemClock } from '../../src/platform/clock.ts';
import { capture, longestQuiet } from '../e2e/relay-sound.ts';
import { story } from '../e2e/station.ts';

const MINUTES = Number(process.env['SUSTAIN_CHAOS_MINUTES'] ?? 4);
const SEED = Number(process.env['SUSTAIN_CHAOS_SEED'] ?? Date.now() % 100_000);
const HOSTS = ['127.0.0.58', '127.0.0.59'] as const;
/** Until what was decided has been played. */
const PLAYED_MS = 20_000;
const LONGEST_STANDSTILL_MS = 3_000;
/** Silence under the trip delay is a pause in the programme. */
const SHORTEST_SILENCE_MS = 7_000;

let house: House;

beforeAll(async () => {
  const silence = '{ threshold: -50 dBFS, trip: 5s, restore: 8s }';
  house = await startHouse({ ...houseOptions('relay'), silence, hosts: HOSTS });
}, 120_000);
afterAll(() => house?.stop());

/** The same numbers for the same seed (mulberry32). */
function randomOf(seed: number): (from: number, to: number) => number {
  let state = seed >>> 0;
  return (from, to) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return from + (to - from) * (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32);
  };
}

const pause = (ms: number) => sleep(systemClock, ms);

interface Fault {
  readonly what: string;
  /** Until all is as it was. */
  run(lastsMs: number): Promise<void>;
  readonly lastsMs: readonly [number, number];
}

/** What befalls one encoder. */
const faultsOf = (name: 'encoder1' | 'encoder2', mount: string): readonly Fault[] => {
  const encoder = house[name];
  return [
    {
      what: `${name} is silent`,
      lastsMs: [SHORTEST_SILENCE_MS, 20_000],
      async run(lastsMs) {
        encoder.programme.mute();
        await pause(lastsMs);
        encoder.programme.unmute();
      },
    },
    {
      what: `${name} is killed`,
      lastsMs: [500, 15_000],
      async run(lastsMs) {
        await encoder.kill();
        await pause(lastsMs);
        await encoder.start();
      },
    },
    {
      what: `${name} stalls and is restarted`,
      lastsMs: [500, 15_000],
      async run(lastsMs) {
        encoder.pause();
        await pause(lastsMs);
        // Going on where it stood still, it would leave less in hand than the next silence takes to be found.
        await encoder.kill();
        await encoder.start();
      },
    },
    {
      what: `${name} is stuck in a loop`,
      lastsMs: [SHORTEST_SILENCE_MS, 20_000],
      async run(lastsMs) {
        encoder.programme.play({ is: 'stuck', loopMs: 700 });
        await pause(lastsMs);
        encoder.programme.unmute();
      },
    },
    ...SERVER_NAMES.map((server) => ({
      what: `the admin of ${server} ends ${mount}`,
      lastsMs: [1_000, 4_000] as const,
      async run(lastsMs: number) {
        await house.servers[server].askAdmin(`/admin/killsource?mount=${mount}`);
        await pause(lastsMs);
      },
    })),
    ...SERVER_NAMES.map((server) => ({
      what: `all who listen to ${mount} of ${server} are cut off`,
      lastsMs: [100, 2_000] as const,
      async run(lastsMs: number) {
        for (const { id } of (await house.servers[server].listenersOf(mount)) ?? [])
          await house.servers[server].askAdmin(`/admin/killclient?mount=${mount}&id=${id}`);
        await pause(lastsMs);
      },
    })),
  ];
};

const faultsOfAgent = (): readonly Fault[] => [
  {
    what: 'the agent of london stands still',
    lastsMs: [1_000, LONGEST_STANDSTILL_MS],
    async run(lastsMs) {
      house.agents.london.pause();
      await pause(lastsMs);
      house.agents.london.resume();
    },
  },
];

/** One fault after another of the same thing, until the time is over. */
async function trouble(
  faults: readonly Fault[],
  betweenMs: readonly [number, number],
  random: (from: number, to: number) => number,
  untilMs: number,
): Promise<void> {
  for (;;) {
    const waitMs = random(...betweenMs);
    const fault = faults[Math.floor(random(0, faults.length))];
    const lastsMs = fault === undefined ? 0 : random(...fault.lastsMs);
    if (fault === undefined || performance.now() + waitMs + lastsMs > untilMs) return;
    await pause(waitMs);
    console.log(`${new Date().toISOString()} ${fault.what}, for ${(lastsMs / 1_000).toFixed(1)} s`);
    await fault.run(lastsMs);
  }
}

it(
  `for ${MINUTES} minutes of overlapping faults at random (seed ${SEED}) a listener hears no silence and stays connected`,
  async () => {
    console.log(`SUSTAIN_CHAOS_SEED=${SEED}`);
    await settle(house);
    await pause(PLAYED_MS);
    const listener = await capture(`${house.servers.london.url}/stream`);
    const beganMs = performance.now();
    const beganAt = new Date().toISOString();
    const untilMs = beganMs + MINUTES * 60_000;
    await Promise.all([
      trouble(faultsOf('encoder1', '/primary'), [2_000, 15_000], randomOf(SEED), untilMs),
      trouble(faultsOf('encoder2', '/secondary'), [2_000, 15_000], randomOf(SEED + 1), untilMs),
      trouble(faultsOfAgent(), [8_000, 30_000], randomOf(SEED + 2), untilMs),
    ]);
    await pause(PLAYED_MS);
    const disconnects = listener.disconnects();
    const gapMs = listener.longestGapMs();
    const lastedS = (performance.now() - beganMs) / 1_000;
    const heard = await listener.stop();
    const quiet = longestQuiet(heard.pcm);
    const { dryMs } = (await house.agents.london.state()).stations[0]?.relay ?? {};
    const figures = { disconnects, gapMs, lastedS, heardS: heard.seconds, quiet, dryMs };
    console.log(beganAt, JSON.stringify(figures), heard.complaints.join('; '));
    const told = `seed ${SEED}, since ${beganAt}: ${JSON.stringify(figures)}\n${story(house)}`;
    expect(disconnects, told).toBe(0);
    expect(quiet.durationMs, told).toBeLessThan(50);
    expect(gapMs, told).toBeLessThan(LONGEST_STANDSTILL_MS + 1_000);
    expect(lastedS - heard.seconds, told).toBeLessThan(1);
    // A listener who joins in the middle of a frame has one broken frame.
    expect(heard.complaints.length, told).toBeLessThanOrEqual(1);
  },
  (MINUTES + 4) * 60_000,
);
