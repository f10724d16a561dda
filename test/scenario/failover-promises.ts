import fc from 'fast-check';
import type { FailoverPolicy } from '../../src/domain/failover.ts';
import { DUBLIN, type FailoverCore, LONDON, type Truth, type Writing } from '../../src/simulate/dns-world.ts';
import { movesOf } from './failover-guard.ts';
import { type DnsFault, type TimedDnsFault, WatchedDns } from './failover-watch.ts';

const WARM_S = 30;
const FAULTS_S = 180;

/** Shorter than the defaults, so that a world heals in minutes; the proportions are the same. */
export const QUICK: Partial<FailoverPolicy> = {
  restoreMs: 60_000,
  contestedMs: 120_000,
  flap: { holdDownMs: 60_000, holdDownMaxMs: 240_000, halfLifeMs: 300_000 },
};
const LONGEST_HOLD_MS = 60_000;
/** Restore delay, hold-down, a hold, and a contest: by then the name has to be back. */
const HEAL_S = 60 + 240 + 60 + 120 + 30;

const server = fc.constantFrom(LONDON, DUBLIN);
const forMs = fc.integer({ min: 1_000, max: LONGEST_HOLD_MS });

function anyFault(mode: FailoverPolicy['mode']): fc.Arbitrary<DnsFault> {
  const sites = mode === 'alone' ? ['london', 'dublin'] : ['london', 'dublin', 'witness'];
  const agent = fc.constantFrom(...sites);
  const link = fc
    .tuple(agent, agent)
    .filter(([one, other]) => one !== other)
    .map(([one, other]) => ({ one, other }));
  const of = <Do extends string>(...kinds: readonly Do[]) => fc.constantFrom(...kinds);
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: of('server'),
        server,
        is: fc.constantFrom<Truth>('fine', 'fine', 'mute', 'hung', 'dead'),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.tuple(of('cut', 'join'), link).map(([what, ends]) => ({ do: what, ...ends })),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: of('agent'),
        agent,
        is: fc.constantFrom('killed' as const, 'forgetful' as const, 'restarted' as const),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: of('pause', 'go-on'), agent }) },
    { weight: 2, arbitrary: fc.record({ do: of('deafen', 'cure'), agent }) },
    { weight: 2, arbitrary: fc.record({ do: of('no-dns', 'dns'), agent }) },
    { weight: 2, arbitrary: fc.record({ do: of('nats'), isUp: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: of('writing'),
        is: fc.constantFrom<Writing>('well', 'refused', 'unanswered'),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: of('slow-writes'), beginAfterMs: fc.integer({ min: 0, max: 14_000 }) }),
    },
    { weight: 2, arbitrary: fc.record({ do: of('hold'), agent, forMs }) },
    { weight: 2, arbitrary: fc.record({ do: of('force'), agent, server, forMs, override: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: of('release'), agent }) },
  );
}

const when = (seconds: number) => fc.integer({ min: 0, max: seconds * 10 }).map((step) => step * 100);

export const anyDnsFaults = (mode: FailoverPolicy['mode']): fc.Arbitrary<TimedDnsFault[]> =>
  fc.array(fc.record({ atMs: when(FAULTS_S), fault: anyFault(mode) }), { maxLength: 16 });

const link = (what: 'cut' | 'join', atMs: number): TimedDnsFault => ({
  atMs,
  fault: { do: what, one: 'london', other: 'dublin' },
});

/** The two sites cannot see each other for a while, once. */
export const anyPartition: fc.Arbitrary<TimedDnsFault[]> = fc
  .record({ atMs: when(60), lastsMs: when(1_800) })
  .map(({ atMs, lastsMs }) => [link('cut', atMs), link('join', atMs + lastsMs)]);

/** The link between them comes and goes. */
export const anyFlappingLink: fc.Arbitrary<TimedDnsFault[]> = fc
  .array(fc.record({ downMs: when(120), upMs: when(120) }), { minLength: 2, maxLength: 8 })
  .map((turns) => {
    let atMs = 0;
    return turns.flatMap(({ downMs, upMs }) => {
      const cutMs = atMs;
      atMs += downMs + upMs;
      return [link('cut', cutMs), link('join', cutMs + downMs)];
    });
  });

/** Runs the faults, repairs everything, and lists every promise that was broken on the way or at the end. */
export function brokenDnsPromises(
  core: FailoverCore,
  mode: FailoverPolicy['mode'],
  faults: readonly TimedDnsFault[],
): readonly string[] {
  const watched = new WatchedDns(core, mode, QUICK).run(WARM_S).run(FAULTS_S, faults);
  const { world } = watched;
  world.cuts.clear();
  world.noDns.clear();
  world.isNatsUp = true;
  world.writing = 'well';
  world.writeBeginsAfterMs = 0;
  for (const name of [LONDON, DUBLIN]) world.truth.set(name, 'fine');
  for (const agent of world.agents) {
    agent.isDeaf = false;
    agent.isPaused = false;
    if (!agent.isAlive) watched.apply({ do: 'agent', agent: agent.name, is: 'restarted' });
  }
  watched.run(HEAL_S, [], 500);
  const back =
    world.dns.server === LONDON ? [] : [`the name stayed on ${world.dns.server} after all was well`];
  return [...watched.broken, ...back];
}

/** How often the name was moved one way within ten minutes, at the most. */
export function mostMovesOneWay(core: FailoverCore, faults: readonly TimedDnsFault[]): number {
  const { world } = new WatchedDns(core, 'alone').run(WARM_S).run(2_100, faults, 500);
  const moves = movesOf(world);
  const inWindow = moves.map(
    ({ atMs, server: to }) =>
      moves.filter((write) => write.server === to && write.atMs >= atMs && write.atMs < atMs + 600_000)
        .length,
  );
  return Math.max(0, ...inWindow);
}
