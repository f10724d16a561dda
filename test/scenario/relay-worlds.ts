import fc from 'fast-check';
import type { ServerName } from '../../src/domain/ids.ts';
import { AUTODJ, DUBLIN, LONDON, PRIMARY, SECONDARY } from '../unit/decide/builders.ts';
import { type Carried, START_MS } from '../unit/wiring/relay-house.ts';

/** Faults begin when the relay plays and knows its copies, and all are over before the end. */
export const FAULTS_FROM_MS = START_MS + 30_000;
const FAULTS_MS = 50_000;
export const END_MS = FAULTS_FROM_MS + FAULTS_MS + 35_000;
const STEP_MS = 100;

/** How long each fault lasts at the most. */
const LONGEST_MS = {
  /** Digital silence, for good or time and again. */
  silent: 25_000,
  flapping: 25_000,
  /** Icecast has no source: for good, time and again, or with its listeners carried off to the next mount. */
  gone: 20_000,
  blinking: 25_000,
  carried: 15_000,
  /** The network holds back what is sent, and brings it at once or a little at a time. */
  held: 9_000,
  dribbling: 12_000,
  /** The encoder stands still, and goes on where it was or has lost what it should have sent. */
  paused: 6_000,
  losing: 9_000,
  /** The agent can't reach the mount. */
  cut: 15_000,
  /** The same 600 ms over and over: for longer than it takes to be found, at times. */
  stuck: 30_000,
} as const;
type FaultKind = keyof typeof LONGEST_MS;
const KINDS = Object.keys(LONGEST_MS) as FaultKind[];
const LOOP_MS = 600;
const QUIET_AND_SOUND_MS = [6_000, 3_000] as const;
const GONE_AND_BACK_MS = [2_000, 7_000] as const;

/** What goes wrong with a source on one server, or on both. */
interface Fault {
  readonly kind: FaultKind;
  readonly of: string;
  readonly on: ServerName | null;
  readonly fromMs: number;
  readonly lastsMs: number;
}

interface Standstill {
  readonly fromMs: number;
  readonly lastsMs: number;
}

export interface World {
  /** The leg that nothing ever happens to. */
  readonly keeper: { readonly of: string; readonly on: ServerName };
  /** How much later than the studio each leg of the two encoders is. */
  readonly lagsMs: readonly number[];
  readonly faults: readonly Fault[];
  readonly standstills: readonly Standstill[];
}

const steps = (fromMs: number, toMs: number) =>
  fc.integer({ min: fromMs / STEP_MS, max: toMs / STEP_MS }).map((count) => count * STEP_MS);

/** Silence under the trip delay is a pause in the programme, and no fault. */
const shortestMs = (kind: FaultKind): number => (kind === 'silent' || kind === 'flapping' ? 6_000 : 200);

const aFault: fc.Arbitrary<Fault> = fc.constantFrom(...KINDS).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    of: fc.constantFrom(PRIMARY, SECONDARY),
    on: fc.constantFrom(null, LONDON, DUBLIN),
    fromMs: steps(0, FAULTS_MS),
    lastsMs: steps(shortestMs(kind), LONGEST_MS[kind]),
  }),
);

const aWorld = (keeper: fc.Arbitrary<World['keeper']>): fc.Arbitrary<World> =>
  fc.record({
    keeper,
    lagsMs: fc.array(fc.integer({ min: 0, max: 2_500 }), {
      minLength: 4,
      maxLength: 4,
    }),
    faults: fc.array(aFault, { minLength: 1, maxLength: 5 }),
    standstills: fc.array(fc.record({ fromMs: steps(0, FAULTS_MS), lastsMs: steps(200, 4_000) }), {
      maxLength: 1,
    }),
  });

/** Two encoders that carry the same programme to two servers, one leg of which stays whole. */
export const aWorldOfCopies = aWorld(
  fc.record({
    of: fc.constantFrom(PRIMARY, SECONDARY),
    on: fc.constantFrom(LONDON, DUBLIN),
  }),
);

/** The same two beside an AutoDJ, which stays whole and plays something else. */
export const aWorldWithAutodj = aWorld(fc.constant({ of: AUTODJ, on: LONDON }));

export const legsOf = (
  world: World,
  programmes: Readonly<Record<'studio' | 'jukebox', Float32Array>>,
): readonly Carried[] => [
  ...[PRIMARY, SECONDARY].flatMap((of, at) =>
    [LONDON, DUBLIN].map((on, index) => ({
      programme: programmes.studio,
      lagMs: world.lagsMs[2 * at + index] ?? 0,
      ...plightOf(world, of, on),
    })),
  ),
  ...(world.keeper.of === AUTODJ
    ? [{ programme: programmes.jukebox, ...plightOf(world, AUTODJ, LONDON) }]
    : []),
];

type Plight = Omit<Carried, 'programme' | 'lagMs'>;

function plightOf({ keeper, faults }: World, of: string, on: ServerName): Plight {
  const isKeeper = keeper.of === of && keeper.on === on;
  const mine = isKeeper ? [] : faults.filter((one) => one.of === of && (one.on ?? on) === on);
  /** How long each fault of a kind has lasted. */
  const since = (nowMs: number, kind: FaultKind): readonly number[] =>
    mine.flatMap((one) => {
      const ms = nowMs - STEP_MS - FAULTS_FROM_MS - one.fromMs;
      return one.kind === kind && ms >= 0 && ms < one.lastsMs ? [ms] : [];
    });
  const is = (nowMs: number, kind: FaultKind) => since(nowMs, kind).length > 0;
  const isNowAndThen = (nowMs: number, kind: FaultKind, [badMs, goodMs]: readonly [number, number]) =>
    since(nowMs, kind).some((ms) => ms % (badMs + goodMs) < badMs);
  return {
    of,
    on,
    sends(nowMs) {
      if (is(nowMs, 'losing')) return 'nothing';
      if (is(nowMs, 'silent') || isNowAndThen(nowMs, 'flapping', QUIET_AND_SOUND_MS)) return 'silence';
      return is(nowMs, 'stuck') ? { loopMs: LOOP_MS } : 'programme';
    },
    isPaused: (nowMs) => is(nowMs, 'paused'),
    isHeldBack: (nowMs) => is(nowMs, 'held') || (is(nowMs, 'dribbling') && 'dribbling'),
    isGone(nowMs) {
      if (is(nowMs, 'gone') || isNowAndThen(nowMs, 'blinking', GONE_AND_BACK_MS)) return true;
      return is(nowMs, 'carried') && { to: of === PRIMARY ? SECONDARY : AUTODJ };
    },
    isCut: (nowMs) => is(nowMs, 'cut'),
  };
}

/** What nobody can know of a leg before it is heard, or can do anything about. */
export interface Excuses {
  /** What it never sent of its programme: it is missing where it is played, and it lies otherwise to its copies. */
  readonly lostMs: readonly number[];
  /** The longest silence that is too short to be a fault. */
  readonly pauseMs: number;
  /** When that was live which is the same over and over, until it could be found. */
  readonly loops: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** How much later than the studio it becomes. */
  readonly laterMs: number;
}

/** By the leg, as `source@server`. */
export const excusesOf = (legs: readonly Carried[], tripMs: number): ReadonlyMap<string, Excuses> =>
  new Map(legs.map((leg) => [`${leg.of}@${leg.on}`, excusesOfLeg(leg, tripMs)]));

/** What is found later than the trip delay by a look at the server and the reading of its block. */
const FOUND_WITHIN_MS = 400;
/** An exact loop is a fault when it has lasted 20 s; the rest is for the look and the block. */
const LOOP_FOUND_MS = 20_000 + 2_000;

function excusesOfLeg({ sends, isPaused, isGone, lagMs = 0 }: Carried, tripMs: number): Excuses {
  const lostMs: number[] = [];
  const loops: { fromMs: number; toMs: number }[] = [];
  let [lostRunMs, quietRunMs, pauseMs, laterMs] = [0, 0, 0, lagMs];
  let loopFromMs: number | null = null;
  for (let atMs = START_MS; atMs <= END_MS; atMs += STEP_MS) {
    const isThere = isGone?.(atMs) === false;
    const isStill = isPaused?.(atMs) === true;
    const what = sends(atMs);
    if (typeof what === 'object') loopFromMs ??= atMs;
    else if (loopFromMs !== null) {
      loops.push({
        fromMs: loopFromMs,
        toMs: Math.min(atMs, loopFromMs + LOOP_FOUND_MS),
      });
      loopFromMs = null;
    }
    if (isStill) laterMs += STEP_MS;
    else if (isThere && what === 'nothing') lostRunMs += STEP_MS;
    else if (lostRunMs > 0) lostMs.push(lostRunMs);
    if (isStill) continue;
    if (what !== 'nothing' || !isThere) lostRunMs = 0;
    if (isThere && what === 'nothing') continue;
    if (isThere && what === 'silence') quietRunMs += STEP_MS;
    else {
      if (quietRunMs <= tripMs + FOUND_WITHIN_MS) pauseMs = Math.max(pauseMs, quietRunMs);
      quietRunMs = 0;
    }
  }
  return { lostMs, pauseMs, loops, laterMs };
}
