import { afterEach, describe, expect, it, vi } from 'vitest';
import { AUTODJ, DUBLIN, LONDON, PRIMARY, SECONDARY } from '../decide/builders.ts';
import { type Carried, noise, RATE_HZ, relayHouse, START_MS } from './relay-house.ts';

/** Searches go on beside the event loop: the time of these tests waits for them, however long they take. */
const searches = vi.hoisted(() => ({ last: Promise.resolve() as Promise<unknown>, areOff: false }));
vi.mock('../../../src/audio/splice.ts', async (original) => {
  const splice = await original<typeof import('../../../src/audio/splice.ts')>();
  const correlateHeld: typeof splice.correlateHeld = (needle, haystack) => {
    // Without an answer no more is searched: to copy what is searched is most of the work.
    if (searches.areOff) return new Promise(() => {});
    const found = splice.correlateHeld(needle, haystack);
    searches.last = found.catch(() => null);
    return found;
  };
  return { ...splice, correlateHeld };
});
const settle = () => searches.last;

const studio = noise(60, 1);
const jukebox = noise(60, 9);
const always = (): 'programme' => 'programme';

afterEach(() => {
  searches.areOff = false;
});

/** A studio's primary beside an AutoDJ, on one server. */
const studioAndAutodj = (primary: Partial<Carried> = {}): Carried[] => [
  { of: PRIMARY, on: LONDON, programme: studio, sends: always, ...primary },
  { of: AUTODJ, on: LONDON, programme: jukebox, sends: always },
];

describe('an encoder that fails time and again', () => {
  /** 40 s of sound and 10 s of silence, for ten minutes, from one encoder on every server. */
  const flapping = (nowMs: number) =>
    nowMs > 41_000 && (nowMs - 41_000) % 50_000 < 10_000 ? 'silence' : 'programme';

  it('is gone back to twice at the most within ten minutes, though it has a leg on two servers', async () => {
    // How the legs lie to each other takes most of the time, and is no matter here.
    searches.areOff = true;
    const carried: Carried[] = [LONDON, DUBLIN].flatMap((on) => [
      { of: PRIMARY, on, programme: studio, sends: flapping },
      { of: AUTODJ, on, programme: jukebox, sends: always },
    ]);
    const { relay, switches, pass } = relayHouse(carried, settle);
    await pass(640);
    const returns = switches.filter(({ trigger }) => trigger === 'return');
    expect(returns.length).toBeGreaterThan(0);
    expect(returns.length).toBeLessThanOrEqual(2);
    await relay.stop();
  }, 400_000);
});

describe('a stall on the link of the encoder on air', () => {
  const stallFromMs = 31_000;

  it.each([
    ['the network', 1_900],
    ['the network', 3_000],
    ['the network', 6_000],
    ['the encoder itself', 3_000],
  ])('of %s for %i ms is not heard, though there is no copy to go to', async (where, lastsMs) => {
    const isStalled = (nowMs: number) => nowMs > stallFromMs && nowMs <= stallFromMs + lastsMs;
    const { relay, switches, played, pass } = relayHouse(
      studioAndAutodj({
        sends: (nowMs) => (where === 'the network' || !isStalled(nowMs) ? 'programme' : 'nothing'),
        isHeldBack: (nowMs) => where === 'the network' && isStalled(nowMs),
      }),
      settle,
    );
    await pass(55);
    expect(switches.map(({ trigger }) => trigger)).toEqual(['start']);
    expect(relay.view.dryMs).toBe(0);
    expect(secondsOf(played)).toBeGreaterThan(36);
    await relay.stop();
  });

  it.each(
    [8_000, 7_000].flatMap((delayMs) =>
      [3_000, 6_000].flatMap((lastsMs) =>
        [0, 2_000, lastsMs - 500].map((afterMs) => ({ delayMs, lastsMs, afterMs })),
      ),
    ),
  )(
    'of $lastsMs ms that hides where silence begins, after $afterMs ms, lets none of it be heard $delayMs ms later',
    async ({ delayMs, lastsMs, afterMs }) => {
      searches.areOff = true;
      const { relay, switches, played, pass } = relayHouse(
        studioAndAutodj({
          sends: (nowMs) => (nowMs > stallFromMs + afterMs ? 'silence' : 'programme'),
          isHeldBack: (nowMs) => nowMs > stallFromMs && nowMs <= stallFromMs + lastsMs,
        }),
        settle,
        { delayMs },
      );
      await pass(52);
      expect(switches.map(({ to, trigger }) => [to, trigger])).toEqual([
        ['myfm/primary@london', 'start'],
        ['myfm/autodj@london', 'fault'],
      ]);
      expect(quietMs(played)).toBeLessThan(50);
      await relay.stop();
    },
  );

  it('that lasts longer than the delay is covered by the AutoDJ, without a gap', async () => {
    const { relay, switches, pass } = relayHouse(
      studioAndAutodj({ sends: (nowMs) => (nowMs > stallFromMs ? 'nothing' : 'programme') }),
      settle,
    );
    await pass(45);
    expect(switches.map(({ to, trigger }) => [to, trigger])).toEqual([
      ['myfm/primary@london', 'start'],
      ['myfm/autodj@london', 'fault'],
    ]);
    expect(relay.view.dryMs).toBe(0);
    await relay.stop();
  });
});

describe('a pause of the encoder on air that has a copy', () => {
  it.each([
    ['in the sound that was in hand before it', 500],
    ['after that', 12_000],
  ])('leaves nothing of a silence to be heard that begins %s', async (_, afterMs) => {
    const [pausedFromMs, lastsMs] = [31_000, 5_000];
    const silentFromMs = pausedFromMs + lastsMs + afterMs;
    const { relay, switches, played, pass } = relayHouse(
      [
        {
          of: PRIMARY,
          on: LONDON,
          programme: studio,
          sends: (nowMs) => (nowMs > silentFromMs ? 'silence' : 'programme'),
          isPaused: (nowMs) => nowMs > pausedFromMs && nowMs <= pausedFromMs + lastsMs,
        },
        { of: SECONDARY, on: LONDON, programme: studio, lagMs: 640, sends: always },
      ],
      settle,
    );
    await pass(65);
    expect(switches.map(({ to, trigger, hitless }) => [to, trigger, hitless])).toEqual([
      ['myfm/primary@london', 'start', false],
      ['myfm/secondary@london', 'fault', true],
    ]);
    expect(quietMs(played)).toBeLessThan(50);
    await relay.stop();
  });

  it('is gone back to when tempo has made up for it, and no more is switched', async () => {
    const isPaused = (nowMs: number) => nowMs > 31_000 && nowMs <= 32_700;
    const copies = [PRIMARY, SECONDARY].map(
      (of): Carried => ({
        of,
        on: LONDON,
        programme: studio,
        sends: always,
        ...(of === PRIMARY ? { isPaused } : {}),
      }),
    );
    const { relay, switches, pass } = relayHouse(copies, settle);
    await pass(400);
    expect(switches.map(({ to, trigger, hitless }) => [to, trigger, hitless])).toEqual([
      ['myfm/primary@london', 'start', false],
      ['myfm/secondary@london', 'fault', true],
      ['myfm/primary@london', 'return', true],
    ]);
    await relay.stop();
  }, 400_000);
});

it('what a station begins with is sound, from the first block on', async () => {
  const copies = [LONDON, DUBLIN].map(
    (on, index): Carried => ({ of: PRIMARY, on, programme: studio, lagMs: 640 * index, sends: always }),
  );
  const { relay, played, pass } = relayHouse(copies, settle);
  await pass(15);
  expect(secondsOf(played)).toBeGreaterThan(4);
  expect(quietMs(played)).toBe(0);
  await relay.stop();
});

describe('an agent that stood still', () => {
  it.each([1, 2, 4, 4.9, 12, 60])('for %d s sends no silence for the time that is lost', async (seconds) => {
    const { relay, played, standStill, pass } = relayHouse(studioAndAutodj(), settle);
    await pass(30);
    const before = played.length;
    standStill(seconds);
    await pass(40);
    const heard = played.slice(before);
    expect(secondsOf(heard)).toBeGreaterThan(36);
    expect(quietMs(heard)).toBeLessThan(50);
    await relay.stop();
  });

  it.each([
    [1, 500, true],
    [2, 500, true],
    [4, 500, true],
    [4, 500, false],
    [4, 3_000, false],
  ])(
    'for %d s plays nothing of a silence that began %d ms before, hung up on: %s',
    async (seconds, beforeMs, isHungUpOn) => {
      const silentFromMs = START_MS + 31_000 - beforeMs;
      const { relay, played, standStill, pass } = relayHouse(
        studioAndAutodj({ sends: (nowMs) => (nowMs > silentFromMs ? 'silence' : 'programme') }),
        settle,
      );
      await pass(31);
      const before = played.length;
      standStill(seconds, isHungUpOn);
      await pass(40);
      expect(quietMs(played.slice(before))).toBeLessThan(50);
      await relay.stop();
    },
  );
});

/** What of it is under -60 dBFS, in ms, block by block of 10 ms. */
function quietMs(blocks: readonly Float32Array[]): number {
  const samples = RATE_HZ / 50;
  let quiet = 0;
  for (const block of blocks)
    for (let at = 0; at + samples <= block.length; at += samples)
      if (block.subarray(at, at + samples).every((sample) => Math.abs(sample) < 0.001)) quiet += 10;
  return quiet;
}

/** Blocks of stereo. */
const secondsOf = (blocks: readonly Float32Array[]): number =>
  blocks.reduce((samples, block) => samples + block.length, 0) / (2 * RATE_HZ);
