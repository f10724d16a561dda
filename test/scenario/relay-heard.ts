import { noise, RATE_HZ, relayHouse } from '../unit/wiring/relay-house.ts';
import { END_MS, type Excuses, excusesOf, FAULTS_FROM_MS, legsOf, type World } from './relay-worlds.ts';

const TRIP_MS = 5_000;
const DELAY_MS = 8_000;
const LONGEST_QUIET_MS = 50;
const LONGEST_WITHOUT_MS = 500;
/** A silence is found after the trip delay and a look at the server, and left before it is played if so much is in hand. */
const NEEDED_MS = TRIP_MS + 1_200;
/** Longer than a world lasts. */
const TURN_SECONDS = 125;
const CODE_FROM = 0.05;
const CODE_SPAN = 0.6;

/** The difference of its channels says where in the programme a moment is. */
function coded(pcm: Float32Array, sign: 1 | -1): Float32Array {
  const frames = pcm.length / 2;
  for (let frame = 0; frame < frames; frame += 1) {
    const code = sign * (CODE_FROM + (CODE_SPAN * frame) / frames);
    pcm[2 * frame] = (pcm[2 * frame] ?? 0) + code;
    pcm[2 * frame + 1] = (pcm[2 * frame + 1] ?? 0) - code;
  }
  return pcm;
}

const programmes = {
  // No leg's lag takes it to before its begin.
  studio: coded(noise(TURN_SECONDS, 1), 1),
  jukebox: coded(noise(TURN_SECONDS, 9), -1),
};
const BEGINS_AT_MS = 5_000;

/** What is heard without a step in it. */
interface Stretch {
  readonly of: 'studio' | 'jukebox' | 'quiet';
  readonly fromMs: number;
  toMs: number;
  readonly placeMs: number;
  lastPlaceMs: number;
}

const WINDOW_MS = 20;
const WINDOW_SAMPLES = (WINDOW_MS * RATE_HZ * 2) / 1_000;
/** What the tempo may change in a window, and what the noise floor and the 16 bits of a delay line make of the code. */
const SAME_STEP_MS = 3;

function windowOf(pcm: Float32Array): {
  readonly of: Stretch['of'] | null;
  readonly placeMs: number;
} {
  let [code, loudest] = [0, 0];
  for (let i = 0; i < pcm.length; i += 2) {
    const [left, right] = [pcm[i] ?? 0, pcm[i + 1] ?? 0];
    code += (left - right) / pcm.length;
    loudest = Math.max(loudest, Math.abs(left), Math.abs(right));
  }
  if (loudest < 0.001) return { of: 'quiet', placeMs: 0 };
  const share = (Math.abs(code) - CODE_FROM) / CODE_SPAN;
  if (share < 0 || share > 1) return { of: null, placeMs: 0 };
  return {
    of: code > 0 ? 'studio' : 'jukebox',
    placeMs: share * TURN_SECONDS * 1_000,
  };
}

/** What listeners heard; what lies between two stretches is a fade. */
function stretchesIn(blocks: readonly Float32Array[]): readonly Stretch[] {
  const stretches: Stretch[] = [];
  let atMs = 0;
  for (const block of blocks) {
    for (let at = 0; at + WINDOW_SAMPLES <= block.length; at += WINDOW_SAMPLES, atMs += WINDOW_MS) {
      const { of, placeMs } = windowOf(block.subarray(at, at + WINDOW_SAMPLES));
      const last = stretches.at(-1);
      const isNext = last !== undefined && last.of === of && last.toMs === atMs;
      if (isNext && (of === 'quiet' || Math.abs(placeMs - last.lastPlaceMs - WINDOW_MS) < SAME_STEP_MS)) {
        last.toMs = atMs + WINDOW_MS;
        last.lastPlaceMs = placeMs;
      } else if (of !== null)
        stretches.push({
          of,
          fromMs: atMs,
          toMs: atMs + WINDOW_MS,
          placeMs,
          lastPlaceMs: placeMs,
        });
    }
  }
  // Two windows of a fade may happen to fit.
  return stretches.filter(({ of, fromMs, toMs }) => of === 'quiet' || toMs - fromMs > 2 * WINDOW_MS);
}

/** What was played when so much had been heard. */
interface Moment {
  readonly heardMs: number;
  readonly nowMs: number;
  /** How far playout was behind the live edge. */
  readonly latencyMs: number;
  /** As `source@server`; null of none. */
  readonly leg: string | null;
}

const heardMs = (played: readonly Float32Array[]) =>
  played.reduce((samples, block) => samples + block.length, 0) / (2 * (RATE_HZ / 1_000));

const STEP_S = 0.1;

/** Everything that a listener would complain of in a world. */
export async function complaintsIn(world: World, settle: () => Promise<unknown>): Promise<readonly string[]> {
  const legs = legsOf(world, programmes).map((leg) => ({
    ...leg,
    lagMs: (leg.lagMs ?? 0) - BEGINS_AT_MS,
  }));
  const { clock, relay, played, pass, standStill } = relayHouse(legs, settle, {
    delayMs: DELAY_MS,
    silence: {
      thresholdDbfs: -50,
      tripMs: TRIP_MS,
      restoreMs: 8_000,
      soundMs: 1_000,
    },
    programme: { preset: 'music', actOn: ['stuck-loop'] },
    flap: { holdDownMs: 2_000, holdDownMaxMs: 8_000, halfLifeMs: 60_000 },
  });
  const complaints: string[] = [];
  const moments: Moment[] = [];
  const stills = [...world.standstills].sort((a, b) => a.fromMs - b.fromMs);
  let [beganMs, lastMs]: (number | null)[] = [null, null];
  while (clock.nowMs() < END_MS) {
    const still = stills[0];
    if (still !== undefined && clock.nowMs() >= FAULTS_FROM_MS + still.fromMs) {
      stills.shift();
      standStill(still.lastsMs / 1_000, false);
      lastMs = clock.nowMs();
    }
    const before = played.length;
    await pass(STEP_S);
    const nowMs = clock.nowMs();
    if (played.length === 0) continue;
    beganMs ??= nowMs;
    if (played.length > before) lastMs = nowMs;
    if (nowMs - (lastMs ?? nowMs) > LONGEST_WITHOUT_MS) {
      complaints.push(`no block for a while before ${nowMs} ms`);
      lastMs = nowMs;
    }
    const { onAir, latencyMs } = relay.view;
    moments.push({
      heardMs: heardMs(played),
      nowMs,
      latencyMs: latencyMs ?? Number.POSITIVE_INFINITY,
      leg: onAir?.split('/')[1] ?? null,
    });
  }
  const owedMs = END_MS - (beganMs ?? END_MS) - heardMs(played);
  if (owedMs > 1_000) complaints.push(`${Math.round(owedMs)} ms were never played`);
  if (relay.view.dryMs > 0) complaints.push(`dry for ${relay.view.dryMs} ms`);
  await relay.stop();
  const stretches = stretchesIn(played);
  const heard = new Heard(world, moments);
  return [...complaints, ...quietIn(stretches, heard), ...jumpsIn(stretches, heard)];
}

/** A splice is known to a step and a block. */
const AROUND_MS = 500;

/** What can be said for what was heard, by the legs that it was heard of. */
class Heard {
  readonly #moments: readonly Moment[];
  readonly #excuses: ReadonlyMap<string, Excuses>;

  constructor(world: World, moments: readonly Moment[]) {
    this.#moments = moments;
    this.#excuses = excusesOf(legsOf(world, programmes), TRIP_MS);
  }

  /** Of the legs that were played between the two. */
  excusesBetween(fromMs: number, toMs: number): readonly Excuses[] {
    const legs = new Set(this.#between(fromMs, toMs, AROUND_MS).map(({ leg }) => leg));
    return [...legs].flatMap((leg) => this.#excuses.get(leg ?? '') ?? []);
  }

  /** Whether so much was in hand that a fault is found, and left for another leg, before it is played. */
  isEnoughInHandAt(atMs: number): boolean {
    return this.#between(atMs, atMs, 1_000).every(({ latencyMs }) => latencyMs >= NEEDED_MS);
  }

  /** Whether what was played then is a loop that was not found yet, or its end. */
  isLoopAt(fromMs: number, toMs: number): boolean {
    return this.#between(fromMs, toMs, AROUND_MS).some(({ nowMs, latencyMs, leg }) => {
      const liveMs = nowMs - latencyMs;
      const loops = this.#excuses.get(leg ?? '')?.loops ?? [];
      return loops.some((loop) => liveMs > loop.fromMs - 2 * AROUND_MS && liveMs < loop.toMs + 2 * AROUND_MS);
    });
  }

  #between(fromMs: number, toMs: number, aroundMs: number): readonly Moment[] {
    return this.#moments.filter((one) => one.heardMs >= fromMs - aroundMs && one.heardMs <= toMs + aroundMs);
  }
}

/** Silence that is none of a pause. */
function quietIn(stretches: readonly Stretch[], heard: Heard): string[] {
  return stretches.flatMap(({ of, fromMs, toMs }) => {
    const lastsMs = toMs - fromMs;
    const excuses = heard.excusesBetween(fromMs, toMs);
    const longestMs = Math.max(...excuses.map(({ pauseMs }) => pauseMs), 0);
    // Each leg carries the same pause at another moment of the programme, and it may be gone from one to another within it.
    const laterMs = excuses.map((one) => one.laterMs);
    const apartMs = longestMs === 0 ? 0 : Math.max(...laterMs) - Math.min(...laterMs);
    const isPause = lastsMs <= longestMs + apartMs + 2 * WINDOW_MS;
    if (of !== 'quiet' || lastsMs < LONGEST_QUIET_MS || isPause) return [];
    return heard.isEnoughInHandAt(fromMs) ? [`quiet for ${lastsMs} ms at ${fromMs} ms`] : [];
  });
}

/** Where what is heard of a programme doesn't go on from what was heard of it just before. */
function jumpsIn(stretches: readonly Stretch[], heard: Heard): string[] {
  const sounding = stretches.filter(({ of }) => of !== 'quiet');
  return sounding.flatMap((stretch, index) => {
    const last = sounding[index - 1];
    if (last === undefined || last.of !== stretch.of || !heard.isEnoughInHandAt(last.toMs)) return [];
    const jumpMs = stretch.placeMs - last.lastPlaceMs - (stretch.fromMs - last.toMs + WINDOW_MS);
    // The tempo may be another one in what lies between.
    const mostMs = 5 + 0.004 * (stretch.fromMs - last.toMs);
    const excuses = heard.excusesBetween(last.toMs, stretch.fromMs);
    // What one leg lacks is heard when that is played, and not when it is gone to or from.
    const isLoss =
      excuses.length === 1 &&
      excuses.some(({ lostMs }) => lostMs.some((ms) => Math.abs(Math.abs(jumpMs) - ms) < 4 * WINDOW_MS));
    const laterMs = excuses.map((one) => one.laterMs);
    const isTooLate = Math.max(...laterMs) > DELAY_MS;
    return Math.abs(jumpMs) <= mostMs || isLoss || isTooLate || heard.isLoopAt(last.toMs, stretch.fromMs)
      ? []
      : [`a jump of ${Math.round(jumpMs)} ms at ${stretch.fromMs} ms`];
  });
}
