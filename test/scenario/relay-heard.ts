import { noise, RATE_HZ, relayHouse } from '../unit/wiring/relay-house.ts';
import { END_MS, type Excuses, excusesOf, FAULTS_FROM_MS, legsOf, type World } from './relay-worlds.ts';

const TRIP_MS = 5_000;
const DELAY_MS = 8_000;
const LONGEST_QUIET_MS = 50;
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

function windowOf(pcm: Float32Array): { readonly of: Stretch['of'] | null; readonly placeMs: number } {
  let [code, loudest] = [0, 0];
  for (let i = 0; i < pcm.length; i += 2) {
    const [left, right] = [pcm[i] ?? 0, pcm[i + 1] ?? 0];
    code += (left - right) / pcm.length;
    loudest = Math.max(loudest, Math.abs(left), Math.abs(right));
  }
  if (loudest < 0.001) return { of: 'quiet', placeMs: 0 };
  const share = (Math.abs(code) - CODE_FROM) / CODE_SPAN;
  if (share < 0 || share > 1) return { of: null, placeMs: 0 };
  return { of: code > 0 ? 'studio' : 'jukebox', placeMs: share * TURN_SECONDS * 1_000 };
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
        stretches.push({ of, fromMs: atMs, toMs: atMs + WINDOW_MS, placeMs, lastPlaceMs: placeMs });
    }
  }
  // Two windows of a fade may happen to fit.
  return stretches.filter(({ of, fromMs, toMs }) => of === 'quiet' || toMs - fromMs > 2 * WINDOW_MS);
}

/** How far playout was behind the live edge when so much had been heard. */
interface Depth {
  readonly heardMs: number;
  readonly latencyMs: number;
}

const heardMs = (played: readonly Float32Array[]) =>
  played.reduce((samples, block) => samples + block.length, 0) / (2 * (RATE_HZ / 1_000));

/** Everything that a listener would complain of in a world. */
export async function complaintsIn(world: World, settle: () => Promise<unknown>): Promise<readonly string[]> {
  const legs = legsOf(world, programmes).map((leg) => ({ ...leg, lagMs: (leg.lagMs ?? 0) - BEGINS_AT_MS }));
  const { clock, relay, played, pass, standStill } = relayHouse(legs, settle, {
    delayMs: DELAY_MS,
    silence: { thresholdDbfs: -50, tripMs: TRIP_MS, restoreMs: 8_000, soundMs: 1_000 },
    programme: { preset: 'music', actOn: ['stuck-loop'] },
    flap: { holdDownMs: 2_000, holdDownMaxMs: 8_000, halfLifeMs: 60_000 },
  });
  const complaints: string[] = [];
  const depths: Depth[] = [];
  const stills = [...world.standstills].sort((a, b) => a.fromMs - b.fromMs);
  let beganMs: number | null = null;
  while (clock.nowMs() < END_MS) {
    const still = stills[0];
    if (still !== undefined && clock.nowMs() >= FAULTS_FROM_MS + still.fromMs) {
      stills.shift();
      standStill(still.lastsMs / 1_000, false);
    }
    const before = played.length;
    await pass(0.5);
    if (played.length > 0) beganMs ??= clock.nowMs();
    else continue;
    if (played.length === before) complaints.push(`no block for half a second before ${clock.nowMs()} ms`);
    depths.push({
      heardMs: heardMs(played),
      latencyMs: relay.view.latencyMs ?? Number.POSITIVE_INFINITY,
    });
  }
  const owedMs = END_MS - (beganMs ?? END_MS) - heardMs(played);
  if (owedMs > 1_000) complaints.push(`${Math.round(owedMs)} ms were never played`);
  if (relay.view.dryMs > 0) complaints.push(`dry for ${relay.view.dryMs} ms`);
  await relay.stop();
  const excuses = excusesOf(world, legsOf(world, programmes), TRIP_MS, DELAY_MS);
  const stretches = stretchesIn(played);
  return [...complaints, ...quietIn(stretches, excuses, depths), ...jumpsIn(stretches, excuses, depths)];
}

/** Whether so much was in hand that a fault is found, and left for another leg, before it is played. */
const isEnoughInHand = (depths: readonly Depth[], atMs: number): boolean =>
  depths.every(
    ({ heardMs: depthMs, latencyMs }) => Math.abs(depthMs - atMs) > 1_000 || latencyMs >= NEEDED_MS,
  );

/** Silence that is none of a pause. */
function quietIn(stretches: readonly Stretch[], { pauseMs }: Excuses, depths: readonly Depth[]): string[] {
  return stretches.flatMap(({ of, fromMs, toMs }) => {
    const lastsMs = toMs - fromMs;
    if (of !== 'quiet' || lastsMs < LONGEST_QUIET_MS || lastsMs <= pauseMs + 2 * WINDOW_MS) return [];
    return isEnoughInHand(depths, fromMs) ? [`quiet for ${lastsMs} ms at ${fromMs} ms`] : [];
  });
}

/** Where what is heard of a programme doesn't go on from what was heard of it just before. */
function jumpsIn(
  stretches: readonly Stretch[],
  { lostMs, isStuck, isTooLate }: Excuses,
  depths: readonly Depth[],
): string[] {
  if (isStuck || isTooLate) return [];
  const sounding = stretches.filter(({ of }) => of !== 'quiet');
  return sounding.flatMap((stretch, index) => {
    const last = sounding[index - 1];
    if (last === undefined || last.of !== stretch.of || !isEnoughInHand(depths, last.toMs)) return [];
    const jumpMs = stretch.placeMs - last.lastPlaceMs - (stretch.fromMs - last.toMs + WINDOW_MS);
    // The tempo may be another one in what lies between.
    const mostMs = 5 + 0.004 * (stretch.fromMs - last.toMs);
    const isLoss = lostMs.some((ms) => Math.abs(Math.abs(jumpMs) - ms) < 4 * WINDOW_MS);
    return Math.abs(jumpMs) <= mostMs || isLoss
      ? []
      : [`a jump of ${Math.round(jumpMs)} ms at ${stretch.fromMs} ms`];
  });
}
