import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { LegCondition } from '../../../src/domain/conditions.ts';
import { type LegId, makeLeg, mount, serverName, sourceName, stationName } from '../../../src/domain/ids.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import type { Emergency } from '../../../src/relay/emergency.ts';
import { BLOCK_FRAMES } from '../../../src/relay/output-clock.ts';
import { type RelayEvent, type RelayOptions, startRelay } from '../../../src/relay/relay.ts';
import { manualClock } from '../platform/clocks.ts';
import { CHANNELS, music, RATE_HZ } from './music.ts';

/** Searches go on beside the event loop: the time of these tests waits for them, however long they take. */
const searches = vi.hoisted(() => ({ last: Promise.resolve() as Promise<unknown> }));
vi.mock('../../../src/audio/splice.ts', async (original) => {
  const splice = await original<typeof import('../../../src/audio/splice.ts')>();
  const correlateHeld: typeof splice.correlateHeld = (needle, haystack) => {
    const found = splice.correlateHeld(needle, haystack);
    searches.last = found.catch(() => null);
    return found;
  };
  return { ...splice, correlateHeld };
});

const STEP_MS = 100;
let programme: Float32Array;

beforeAll(async () => {
  programme = await music('studio', 60);
});

const leg = (source: string) =>
  makeLeg(stationName('myfm'), sourceName(source), serverName('london'), mount(`/${source}`));

interface LegPlan {
  readonly source: string;
  /** How much faster than ours the sound card of the encoder runs. */
  readonly ppm?: number;
  readonly lagMs?: number;
  conditionAt(nowMs: number): LegCondition;
  readonly isInverted?: boolean;
  /** Another programme: the music backwards. */
  readonly isOther?: boolean;
  /** What is done to the sound, by the time at which it is live. */
  gainAt?(nowMs: number): number;
}

const TONE = (): Emergency => ({
  source: {
    read(fromFrame, out) {
      for (let i = 0; i < out.length; i += 1)
        out[i] = 0.2 * Math.sin(((fromFrame + (i >> 1)) * Math.PI) / 50);
      return true;
    },
  },
  loudness: { lufs: -18, truePeakDbtp: -14 },
});

const audible = (nowMs: number): LegCondition => ({ is: 'audible', sinceMs: 0, verifiedAtMs: nowMs - 500 });

/** The programme as a sound card sees it that started `lagMs` late and runs `ppm` fast. */
function soundOf(plan: LegPlan, fromFrame: number, frames: number, nowMs: number): Float32Array {
  const rate = 1 / (1 + (plan.ppm ?? 0) / 1e6);
  const lagFrames = ((plan.lagMs ?? 0) * RATE_HZ) / 1_000;
  const total = programme.length / CHANNELS - 1;
  const gain = (plan.isInverted ? -1 : 1) * (plan.gainAt?.(nowMs) ?? 1);
  const out = new Float32Array(frames * CHANNELS);
  const sign = plan.isOther ? -1 : 1;
  const placeAt = (i: number) => sign * ((fromFrame + i) * rate - lagFrames);
  // The music goes round: where it began last is known for the first frame, and moves on when an end is passed.
  let beganAt = Math.floor(placeAt(0) / total) * total;
  for (let i = 0; i < frames; i += 1) {
    let at = placeAt(i) - beganAt;
    if (at < 0 || at >= total) {
      beganAt += at < 0 ? -total : total;
      at = placeAt(i) - beganAt;
    }
    const whole = Math.floor(at);
    const between = at - whole;
    for (let channel = 0; channel < CHANNELS; channel += 1) {
      const here = programme[whole * CHANNELS + channel] ?? 0;
      const next = programme[(whole + 1) * CHANNELS + channel] ?? 0;
      out[i * CHANNELS + channel] = gain * (here + (next - here) * between);
    }
  }
  return out;
}

/** A relay on a clock that is moved by hand, with legs that bring their sound every 100 ms. */
function simulate(plans: readonly LegPlan[], more: Partial<RelayOptions> = {}) {
  const clock = manualClock(1_000);
  const events: RelayEvent[] = [];
  const played: Float32Array[] = [];
  const titles: string[] = [];
  let forced: LegId | null = null;
  const planOf = (id: LegId) => plans.find((plan) => leg(plan.source).id === id);
  const relay = startRelay({
    legs: plans.map((plan) => leg(plan.source)),
    outputs: [],
    delayMs: 7_000,
    restoreMs: 10_000,
    dwellMs: 5_000,
    thresholdDbfs: -50,
    ffmpegPath: 'none',
    clock,
    random: systemRandom,
    log: silentLogger(),
    conditionOf: (id) =>
      planOf(id)?.conditionAt(clock.nowMs()) ?? { is: 'unknown', sinceMs: 0, reason: 'starting' },
    onEvent: (event) => events.push(event),
    holdOf: () => (forced === null ? null : { author: 'eve', leg: forced }),
    ...more,
    openOutputs: () => ({
      view: [],
      write: (pcm) => played.push(pcm),
      setTitle: (title) => titles.push(title),
      stop: () => Promise.resolve(),
    }),
  });
  const feeds = plans.map((plan) => ({ plan, feed: relay.openFeed(leg(plan.source).id), frames: 0 }));
  return {
    relay,
    events,
    played,
    titles,
    feeds,
    force(source: string) {
      forced = leg(source).id;
    },
    async pass(seconds: number, each: (nowMs: number) => void = () => {}) {
      for (let step = 0; step < (seconds * 1_000) / STEP_MS; step += 1) {
        clock.advance(STEP_MS);
        const nowMs = clock.nowMs();
        for (const line of feeds) {
          const until = Math.floor(((nowMs - 1_000) * RATE_HZ * (1 + (line.plan.ppm ?? 0) / 1e6)) / 1_000);
          line.feed.pcm(soundOf(line.plan, line.frames, until - line.frames, nowMs));
          line.frames = until;
        }
        each(nowMs);
        await searches.last;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

describe('a relay over a long time', () => {
  it('follows sound cards that are 100 ppm off without dropping anything, and still splices in step', async () => {
    const plans: LegPlan[] = [
      {
        source: 'primary',
        ppm: 100,
        conditionAt: (nowMs) =>
          nowMs > 505_000 ? { is: 'faulty', sinceMs: 500_000, fault: 'silent', detail: '' } : audible(nowMs),
        gainAt: (nowMs) => (nowMs > 500_000 ? 0 : 1),
      },
      { source: 'secondary', ppm: -100, lagMs: 900, conditionAt: audible },
    ];
    const { relay, events, played, pass } = simulate(plans);
    const errors: number[] = [];
    const rates: number[] = [];
    await pass(60);
    const heldBytes = relay.view.heldBytes;
    await pass(450, () => {
      const { latencyMs, wantedLatencyMs, rate } = relay.view;
      errors.push(Math.abs((latencyMs ?? Number.NaN) - wantedLatencyMs));
      rates.push(Math.abs(rate - 1));
      played.splice(0);
    });
    expect(Math.max(...errors)).toBeLessThan(150);
    expect(Math.max(...rates)).toBeLessThan(0.001);
    expect(relay.view.heldBytes).toBeLessThanOrEqual(heldBytes * 1.1);
    await pass(20);
    const switches = events.filter((event) => event.kind === 'relay-switched');
    expect(switches.at(-1)).toMatchObject({ trigger: 'fault', hitless: true });
    expect(relay.view.dryMs).toBe(0);
    expect(longestSilenceMs(played)).toBeLessThan(50);
    await relay.stop();
  }, 120_000);

  it('goes back and forth between copies in step, also after another programme was on air', async () => {
    const { relay, events, force, pass } = simulate([
      { source: 'primary', conditionAt: audible },
      { source: 'secondary', lagMs: 300, conditionAt: audible },
      { source: 'autodj', isOther: true, conditionAt: audible },
    ]);
    await pass(20);
    for (const source of ['secondary', 'autodj', 'primary', 'secondary', 'autodj', 'secondary', 'primary']) {
      force(source);
      await pass(1);
    }
    const hitless = events.flatMap((event) => (event.kind === 'relay-switched' ? [event.hitless] : []));
    expect(hitless).toEqual([false, true, false, false, true, false, false, true]);
    await relay.stop();
  });

  it('keeps of copies little more than the delay, and of another programme what a search needs', async () => {
    const { relay, pass } = simulate([
      { source: 'primary', conditionAt: audible },
      { source: 'secondary', conditionAt: audible },
    ]);
    const withOther = simulate([
      { source: 'primary', conditionAt: audible },
      { source: 'autodj', isOther: true, conditionAt: audible },
    ]);
    await withOther.pass(60);
    const secondsWithOther = withOther.relay.view.heldBytes / (2 * 4 * RATE_HZ);
    expect(secondsWithOther).toBeGreaterThan(9);
    expect(secondsWithOther).toBeLessThan(7 + 2.5 + 0.3);
    await withOther.relay.stop();
    await pass(60);
    const seconds = relay.view.heldBytes / (2 * 4 * RATE_HZ);
    expect(relay.view.latencyMs).toBeCloseTo(7_000, -2);
    expect(seconds).toBeGreaterThan(7.5);
    expect(seconds).toBeLessThan(7 + 1 + 0.3);
    await relay.stop();
  });

  it.each([2_000, 7_000])(
    'finds a copy that is ahead by the delay of %i ms, and goes over in step',
    async (delayMs) => {
      const { relay, events, force, pass } = simulate(
        [
          { source: 'primary', lagMs: delayMs, conditionAt: audible },
          { source: 'secondary', conditionAt: audible },
        ],
        { delayMs },
      );
      await pass(45);
      expect(relay.view.legs[1]).toMatchObject({ relation: 'same' });
      expect(relay.view.legs[1]?.behindMs).toBeCloseTo(-delayMs, -2);
      force('secondary');
      await pass(1);
      expect(events.at(-1)).toMatchObject({ kind: 'relay-switched', hitless: true });
      expect(relay.view.dryMs).toBe(0);
      await relay.stop();
    },
  );

  it.each([5_500, 6_500, 7_000])(
    'goes over in step to a copy that is %i ms behind, and back, though it is played for long',
    async (lagMs) => {
      const { relay, events, force, pass } = simulate([
        { source: 'primary', conditionAt: audible },
        { source: 'secondary', lagMs, conditionAt: audible },
        { source: 'autodj', isOther: true, conditionAt: audible },
      ]);
      await pass(15);
      // Before anything was played, and never taken for another programme.
      expect(relay.view).toMatchObject({ playing: 'leg', legs: [{}, { relation: 'same' }, {}] });
      await pass(30);
      for (const [source, seconds] of [
        ['secondary', 1],
        ['autodj', 1],
        ['secondary', 40],
        ['primary', 1],
      ] as const) {
        force(source);
        await pass(seconds);
      }
      const hitless = events.flatMap((event) => (event.kind === 'relay-switched' ? [event.hitless] : []));
      expect(hitless).toEqual([false, true, false, false, true]);
      expect(relay.view.latencyMs).toBeGreaterThan(6_500 + lagMs);
      expect(relay.view.dryMs).toBe(0);
      await relay.stop();
    },
  );

  it.each([
    { primary: 100, secondary: 0 },
    { primary: 100, secondary: -100 },
    { primary: -60, secondary: 40 },
  ])('splices to the sample though the sound cards are $primary and $secondary ppm off', async (ppm) => {
    const failedMs = 51_700;
    const { relay, events, played, pass } = simulate([
      {
        source: 'primary',
        ppm: ppm.primary,
        conditionAt: (nowMs) =>
          nowMs > failedMs + 5_000
            ? { is: 'faulty', sinceMs: failedMs, fault: 'silent', detail: '' }
            : audible(nowMs),
        gainAt: (nowMs) => (nowMs > failedMs ? 0 : 1),
      },
      { source: 'secondary', ppm: ppm.secondary, lagMs: 900, conditionAt: audible },
    ]);
    await pass(54);
    played.splice(0);
    let spliceBlock = 0;
    await pass(6, () => {
      if (events.length > 0 && relay.view.onAir === leg('secondary').id && spliceBlock === 0)
        spliceBlock = played.length;
    });
    expect(events.at(-1)).toMatchObject({ kind: 'relay-switched', trigger: 'fault', hitless: true });
    const places = placesIn(played, 100, 46);
    const at = Math.round((spliceBlock * BLOCK_FRAMES) / (RATE_HZ / 10));
    // Each runs on at the speed of its own card, so both sides are carried to the middle between them.
    const perStep = (off: number) => (-off / 1e6) * (RATE_HZ / 10);
    const before = places.slice(at - 12, at - 4);
    const after = places.slice(at + 4, at + 12);
    const carried = (side: readonly Place[], first: number, off: number) =>
      side.reduce((sum, { behindFrames }, i) => sum + behindFrames + perStep(off) * (first + i), 0) /
      side.length;
    const step = carried(after, 4, ppm.secondary) - carried(before, -12, ppm.primary);
    expect(Math.abs(step)).toBeLessThan(2);
    await relay.stop();
  });

  it('splices to the sample from copy to copy, faster than it can look how they lie to each other', async () => {
    const { relay, events, played, force, pass } = simulate([
      { source: 'primary', ppm: 100, conditionAt: audible },
      { source: 'secondary', ppm: -80, lagMs: 300, conditionAt: audible },
      { source: 'autodj', ppm: 40, lagMs: 500, conditionAt: audible },
    ]);
    await pass(45);
    played.splice(0);
    for (const source of ['secondary', 'autodj', 'secondary', 'primary']) {
      force(source);
      await pass(0.6);
    }
    expect(events.flatMap((event) => (event.kind === 'relay-switched' ? [event.hitless] : []))).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
    const places = placesIn(played, 100, 37);
    const jumps = places.map(
      ({ behindFrames }, i) => behindFrames - (places[i - 1]?.behindFrames ?? behindFrames),
    );
    expect(Math.max(...jumps.map(Math.abs))).toBeLessThanOrEqual(2);
    expect(Math.min(...places.map(({ likeness }) => likeness))).toBeGreaterThan(0.95);
    await relay.stop();
  });

  it.each([
    ['an inverted secondary', false],
    ['an inverted primary', true],
  ])('plays one polarity all along, over to %s and back', async (_, isFirst) => {
    const { relay, events, played, force, pass } = simulate([
      { source: 'primary', isInverted: isFirst, conditionAt: audible },
      { source: 'secondary', isInverted: !isFirst, conditionAt: audible },
    ]);
    await pass(20);
    for (const source of ['secondary', 'primary', 'secondary']) {
      force(source);
      await pass(1);
    }
    expect(events.flatMap((event) => (event.kind === 'relay-switched' ? [event.hitless] : []))).toEqual([
      false,
      true,
      true,
      true,
    ]);
    const heard = placesIn(played, 100);
    const sign = isFirst ? -1 : 1;
    expect(Math.min(...heard.map(({ likeness }) => sign * likeness))).toBeGreaterThan(0.95);
    await relay.stop();
  });

  it('keeps its distance from the live edge, round and round between copies and another programme', async () => {
    const { relay, force, pass } = simulate([
      { source: 'primary', conditionAt: audible },
      { source: 'secondary', lagMs: 700, conditionAt: audible },
      { source: 'autodj', isOther: true, conditionAt: audible },
    ]);
    await pass(20);
    for (let round = 0; round < 12; round += 1) {
      for (const source of ['secondary', 'autodj', 'primary']) {
        force(source);
        await pass(0.5);
      }
    }
    const { latencyMs, wantedLatencyMs, dryMs } = relay.view;
    expect(latencyMs ?? 0).toBeGreaterThan(wantedLatencyMs - 1_500);
    expect(dryMs).toBe(0);
    await relay.stop();
  });

  it('tells the title of the sound that is played, when it is played', async () => {
    const { relay, titles, feeds, pass } = simulate([{ source: 'primary', conditionAt: audible }]);
    feeds[0]?.feed.title('one');
    await pass(20);
    expect(titles.at(-1)).toBe('one');
    feeds[0]?.feed.title('two');
    await pass(6);
    expect(titles.at(-1)).toBe('one');
    await pass(2);
    expect(titles.at(-1)).toBe('two');
    await relay.stop();
  });

  it('tells the title later by what the processing takes, and counts that as latency', async () => {
    const late = new Float32Array(1.5 * RATE_HZ * CHANNELS);
    const process = (pcm: Float32Array) => {
      const both = new Float32Array(late.length + pcm.length);
      both.set(late);
      both.set(pcm, late.length);
      pcm.set(both.subarray(0, pcm.length));
      late.set(both.subarray(pcm.length));
    };
    const { relay, titles, feeds, played, pass } = simulate([{ source: 'primary', conditionAt: audible }], {
      processing: { latencyMs: 1_500, process },
    });
    feeds[0]?.feed.title('one');
    await pass(20);
    expect(titles).toContain('one');
    expect(relay.view.latencyMs).toBeCloseTo(8_500, -2);
    expect(relay.view.wantedLatencyMs).toBe(8_500);
    // What is in a chain at first is silence, and no part of the programme.
    expect(played[0]?.some((sample) => Math.abs(sample) > 0.001)).toBe(true);
    expect(longestSilenceMs(played)).toBeLessThan(50);
    feeds[0]?.feed.title('two');
    await pass(8);
    expect(titles.at(-1)).toBe('one');
    await pass(1);
    expect(titles.at(-1)).toBe('two');
    await relay.stop();
  });

  it('plays the emergency file from where the last leg fell silent, and the leg again from its first word', async () => {
    const silentFromMs = 30_000;
    const backFromMs = 60_000;
    const { relay, events, played, pass } = simulate(
      [
        {
          source: 'primary',
          conditionAt: (nowMs) => {
            if (nowMs < silentFromMs + 5_000) return audible(nowMs);
            if (nowMs < backFromMs + 2_000)
              return { is: 'faulty', sinceMs: silentFromMs, fault: 'silent', detail: '' };
            return { is: 'audible', sinceMs: backFromMs, verifiedAtMs: nowMs - 500 };
          },
          gainAt: (nowMs) => (nowMs > silentFromMs && nowMs <= backFromMs ? 0 : 1),
        },
      ],
      { emergency: TONE },
    );
    await pass(45);
    expect(relay.view).toMatchObject({ onAir: null, playing: 'emergency-file' });
    await pass(45);
    expect(relay.view.playing).toBe('leg');
    expect(events.flatMap((event) => (event.kind === 'relay-switched' ? [event.trigger] : []))).toEqual([
      'start',
      'fault',
      'return',
    ]);
    expect(longestSilenceMs(played)).toBeLessThan(50);
    expect(relay.view.latencyMs).toBeCloseTo(7_000, -2);
    await relay.stop();
  });

  it('begins with the emergency file when every leg is known to be bad, but not while it knows nothing', async () => {
    const silent: LegCondition = { is: 'faulty', sinceMs: 0, fault: 'absent', detail: '' };
    const bad = simulate([{ source: 'primary', conditionAt: () => silent }], { emergency: TONE });
    const deaf = simulate(
      [{ source: 'primary', conditionAt: () => ({ is: 'unknown', sinceMs: 0, reason: 'starting' }) }],
      { emergency: TONE },
    );
    await Promise.all([bad.pass(30), deaf.pass(30)]);
    expect(bad.relay.view.playing).toBe('emergency-file');
    expect(deaf.relay.view.playing).toBe('nothing');
    await Promise.all([bad.relay.stop(), deaf.relay.stop()]);
  });

  it('fades a leg out to the end, however much later what it goes to is joined', async () => {
    const backFromMs = 30_000;
    const { relay, force, pass } = simulate(
      [
        {
          source: 'primary',
          isOther: true,
          conditionAt: () => ({ is: 'faulty', sinceMs: 0, fault: 'tone', detail: '' }),
        },
        {
          source: 'secondary',
          conditionAt: (nowMs) =>
            nowMs < backFromMs + 2_000
              ? { is: 'faulty', sinceMs: 0, fault: 'absent', detail: '' }
              : { is: 'audible', sinceMs: backFromMs, verifiedAtMs: nowMs - 500 },
        },
        { source: 'autodj', isOther: true, conditionAt: audible },
      ],
      { restoreMs: 20_000, differentFadeMs: 1_000 },
    );
    await pass(52);
    // It goes on from its first words, far from the live edge.
    expect(relay.view.onAir).toBe(leg('secondary').id);
    expect(relay.view.latencyMs).toBeGreaterThan(15_000);
    force('primary');
    await pass(3);
    expect(relay.view.onAir).toBe(leg('primary').id);
    expect(relay.view.latencyMs).toBeLessThan(8_000);
    expect(relay.view.dryMs).toBe(0);
    await relay.stop();
  });

  it('begins a different programme about as loud as what it follows, and lets that go again', async () => {
    const { relay, events, played, feeds, force, pass } = simulate([
      { source: 'primary', conditionAt: audible },
      { source: 'autodj', isOther: true, conditionAt: audible, gainAt: () => 2 },
    ]);
    const tell = (nowMs: number) => {
      feeds[0]?.feed.loudness(nowMs, -23, -12);
      feeds[1]?.feed.loudness(nowMs, -17, -6);
    };
    await pass(20, tell);
    force('autodj');
    await pass(1, tell);
    const rms = (blocks: readonly Float32Array[]) =>
      10 *
      Math.log10(
        blocks.reduce((sum, block) => sum + block.reduce((all, sample) => all + sample ** 2, 0), 0) /
          blocks.reduce((sum, block) => sum + block.length, 0),
      );
    const at = played.length;
    await pass(1, tell);
    const matched = rms(played.slice(at));
    await pass(29, tell);
    expect(events.at(-1)).toMatchObject({ to: 'myfm/autodj@london' });
    // The material goes round, so the same second of it at full gain is what the gain is held against.
    const plain = simulate([{ source: 'autodj', isOther: true, conditionAt: audible, gainAt: () => 2 }]);
    await plain.pass(22);
    expect(matched - rms(plain.played.slice(at))).toBeLessThan(-4);
    expect(matched - rms(plain.played.slice(at))).toBeGreaterThan(-8);
    await Promise.all([relay.stop(), plain.relay.stop()]);
  });

  it('never stops: when nothing is left, the noise floor is played', async () => {
    const { relay, played, feeds, pass } = simulate([{ source: 'primary', conditionAt: audible }]);
    await pass(20);
    const before = played.length;
    feeds[0]?.feed.close();
    await pass(20);
    const frames = played.slice(before).reduce((sum, block) => sum + block.length / CHANNELS, 0);
    expect(frames).toBeGreaterThan(19.8 * RATE_HZ);
    expect(played.slice(-100).every((block) => block.some((sample) => sample !== 0))).toBe(true);
    expect(relay.view.onAir).toBeNull();
    await relay.stop();
  });
});

interface Place {
  /** How far what is heard lies behind where it would be in the programme, had it been played from its first frame on. */
  readonly behindFrames: number;
  /** Its correlation with the programme there; negative when it is turned. */
  readonly likeness: number;
}

/** One channel of the programme, with its energy up to each frame. */
interface Studio {
  readonly sound: Float32Array;
  readonly energyTo: Float64Array;
}

function energyUpTo(sound: Float32Array): Float64Array {
  const energyTo = new Float64Array(sound.length + 1);
  for (let i = 0; i < sound.length; i += 1) energyTo[i + 1] = (energyTo[i] ?? 0) + (sound[i] ?? 0) ** 2;
  return energyTo;
}

/** Where in the programme every `everyMs` of what was played is: the first within 2 s of where it should be, the others near the one before. */
function placesIn(blocks: readonly Float32Array[], everyMs: number, aheadS = 0): readonly Place[] {
  const heard = left(blocks);
  const sound = left([programme]);
  const studio = { sound, energyTo: energyUpTo(sound) };
  const every = (everyMs * RATE_HZ) / 1_000;
  const places: Place[] = [];
  let [guess, reach] = [-aheadS * RATE_HZ, 2 * RATE_HZ];
  for (let at = 0; at + PLACE_FRAMES <= heard.length; at += every) {
    const piece = heard.subarray(at, at + PLACE_FRAMES);
    const coarse = reach > 200 ? 4 : 1;
    let best = placeOf(piece, studio, at, guess, reach, coarse);
    if (coarse > 1) best = placeOf(piece, studio, at, best.behindFrames, coarse, 1);
    places.push(best);
    [guess, reach] = [best.behindFrames, 60];
  }
  return places;
}

const PLACE_FRAMES = 4_800;

function placeOf(
  piece: Float32Array,
  studio: Studio,
  at: number,
  guess: number,
  reach: number,
  step: number,
): Place {
  const energy = piece.reduce((sum, sample) => sum + sample * sample, 0);
  let best: Place = { behindFrames: guess, likeness: 0 };
  for (let behindFrames = guess - reach; behindFrames <= guess + reach; behindFrames += step) {
    const likeness = likenessOf(piece, energy, studio, at - behindFrames);
    if (Math.abs(likeness) > Math.abs(best.likeness)) best = { behindFrames, likeness };
  }
  return best;
}

function likenessOf(piece: Float32Array, energy: number, { sound, energyTo }: Studio, from: number): number {
  const to = from + piece.length;
  if (from < 0 || to > sound.length) return 0;
  let product = 0;
  for (let i = 0; i < piece.length; i += 1) product += (piece[i] ?? 0) * (sound[from + i] ?? 0);
  const there = (energyTo[to] ?? 0) - (energyTo[from] ?? 0);
  return product / Math.sqrt((energy + 1e-12) * (there + 1e-12));
}

function left(blocks: readonly Float32Array[]): Float32Array {
  const frames = blocks.reduce((sum, block) => sum + block.length / CHANNELS, 0);
  const out = new Float32Array(frames);
  let at = 0;
  for (const block of blocks) for (let i = 0; i < block.length; i += CHANNELS) out[at++] = block[i] ?? 0;
  return out;
}

/** In steps of 10 ms. */
function longestSilenceMs(blocks: readonly Float32Array[]): number {
  const step = (RATE_HZ / 100) * CHANNELS;
  let runMs = 0;
  let longestMs = 0;
  for (const block of blocks) {
    for (let at = 0; at + step <= block.length; at += step) {
      const isQuiet = block.subarray(at, at + step).every((sample) => Math.abs(sample) < 0.001);
      runMs = isQuiet ? runMs + 10 : 0;
      longestMs = Math.max(longestMs, runMs);
    }
  }
  return longestMs;
}
