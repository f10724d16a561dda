import type { LegCondition } from '../../src/domain/conditions.ts';
import { DnsWorld, DUBLIN, type FailoverCore, LONDON, type Truth } from '../../src/simulate/dns-world.ts';
import { type DnsGuard, goesTo, lastMoveS, of, settled, stays } from './failover-guard.ts';

/** A site loses everything but itself for so long. */
export function cutOff(world: DnsWorld, site: 'london' | 'dublin', lastsS: number): void {
  world.cut('london', 'dublin');
  world.noDns.add(site);
  world.pass(lastsS);
  world.cuts.clear();
  world.noDns.delete(site);
}

/** The DNS can be reached now and then, and not in between, by turns that are given in s, for some minutes. */
export function flaky(world: DnsWorld, downS: number, upS: number): void {
  for (let lastedS = 0; lastedS < 300; lastedS += downS + upS) {
    world.noDns.add('dublin');
    world.pass(downS);
    world.noDns.delete('dublin');
    world.pass(upS);
  }
}

/** Every phase of what recurs: reads and probes come every 5 s. */
export function cutsOfAllPhases(core: FailoverCore, each: (world: DnsWorld) => string | null): string | null {
  for (let lastsS = 30; lastsS < 37; lastsS += 0.3) {
    const world = settled(core);
    cutOff(world, 'dublin', lastsS);
    world.pass(60);
    const mistake = each(world);
    if (mistake !== null) return `cut off for ${lastsS.toFixed(1)} s: ${mistake}`;
  }
  return null;
}

/** How long after the DNS is reached again a server is left that died before, at the longest in any phase, in s. */
function latestEscapeS(core: FailoverCore, truth: Truth, upS: number): number {
  let latestS = 0;
  for (let phaseS = 0; phaseS < 14; phaseS += 0.4) {
    const world = settled(core);
    world.noDns.add('dublin');
    world.pass(11.3);
    world.truth.set(LONDON, truth);
    world.pass(20 + phaseS);
    world.noDns.delete('dublin');
    const backMs = world.nowMs;
    world.pass(upS);
    if (world.writes.length === 0) flaky(world, 8, upS);
    latestS = Math.max(latestS, lastMoveS(world, backMs));
  }
  return latestS;
}

const leftWithin = (core: FailoverCore, truth: Truth, upS: number, boundS: number): string | null => {
  const latestS = latestEscapeS(core, truth, upS);
  return latestS <= boundS ? null : `left a ${truth} server only after ${latestS} s`;
};

/** In guard mode, with what an agent knows of the leg on air from then on; until then all is audible. */
function withOneLeg(
  core: FailoverCore,
  mode: 'alone' | 'cluster',
  isFaulty: (agent: string, server: string, nowMs: number) => boolean,
  fault: 'stalled' | 'silent',
) {
  const clock = { nowMs: 0 };
  const world = new DnsWorld(mode, {
    core,
    onAir: (agent, server): LegCondition =>
      isFaulty(agent, server, clock.nowMs)
        ? { is: 'faulty', sinceMs: 60_000, fault, detail: '' }
        : { is: 'audible', sinceMs: 0, verifiedAtMs: clock.nowMs },
  });
  const pass = (seconds: number) =>
    world.pass(seconds, () => {
      clock.nowMs = world.nowMs;
    });
  return { world, pass };
}

export const guardsOfCutOff: readonly DnsGuard[] = [
  {
    guard: 'what fails for an agent that is cut off may be no worse than its own line',
    file: of('cut-off'),
    whole: "if (policy.mode === 'cluster' || cutOff === null) return false;",
    broken: 'return false;',
    mistake: (core) => cutsOfAllPhases(core, stays),
  },
  {
    guard: 'who was cut off sees a server fail once more before it orders a move from it',
    file: of('choice'),
    whole: 'if (isDnsBack && mayBeOurLine(state, current, policy)) return STAY;',
    broken: '',
    mistake: (core) =>
      cutsOfAllPhases(core, (world) => {
        const { backAtMs = null } = world.agent('dublin').state.cutOff ?? {};
        const isOrdered = world.events.some(
          ({ event }) => event.kind === 'dns-moving' && backAtMs !== null && event.atMs >= backAtMs,
        );
        return isOrdered ? 'ordered a move that was not to be made' : stays(world);
      }),
  },
  {
    guard: 'a write that is tried while all is out of reach is not made in the moment in which it is not',
    file: of('choice'),
    whole: "return wish.trigger !== 'fault' || current === null || !mayBeOurLine(state, current, policy);",
    broken: 'return current !== undefined;',
    mistake: (core) => cutsOfAllPhases(core, stays),
  },
  {
    guard: 'what failed before the line was back is no proof',
    file: of('health'),
    whole: 'illness !== null && illness.seenAtMs >= atMs',
    broken: 'illness !== null && illness.seenAtMs <= atMs',
    mistake: (core) => cutsOfAllPhases(core, stays),
  },
  {
    guard: 'a probe proves what was so when it began',
    file: of('health'),
    whole: 'detail: probe.detail, seenAtMs: beganAtMs }',
    broken: 'detail: probe.detail, seenAtMs: atMs }',
    mistake: (core) => cutsOfAllPhases(core, stays),
  },
  {
    guard: 'an ear that was lost with the line may take a while to be back',
    file: of('health'),
    whole: 'const seenAtMs = beganAtMs - policy.verifiedWithinMs;',
    broken: 'const seenAtMs = beganAtMs;',
    mistake: (core) => {
      // The leg counts as stalled until it is heard again, here 3 s after the line is back.
      const isLost = (agent: string, server: string, nowMs: number) =>
        agent !== server && nowMs >= 60_000 && nowMs < 93_000;
      const { world, pass } = withOneLeg(core, 'alone', isLost, 'stalled');
      pass(60);
      world.cut('london', 'dublin');
      world.noDns.add('dublin');
      pass(30);
      world.cuts.clear();
      world.noDns.clear();
      pass(60);
      return stays(world);
    },
  },
  {
    guard: 'what is to be left is tried at once when the line is back',
    file: of('cut-off'),
    whole: "commands: policy.stations.map((station) => ({ kind: 'probe', server, station, isAnew: true })),",
    broken: 'commands: [],',
    mistake: (core) => leftWithin(core, 'dead', 20, 5.2),
  },
  {
    guard: 'a probe that hangs since before is not waited for',
    file: of('cut-off'),
    whole: 'station, isAnew: true',
    broken: 'station, isAnew: false',
    mistake: (core) => leftWithin(core, 'hung', 20, 7.2),
  },
  {
    guard: 'a DNS that comes and goes holds an escape up once, and not each time',
    file: of('cut-off'),
    whole: 'return wasBack ? cutOff : { backAtMs: null, isTried: false };',
    broken: 'return { backAtMs: null, isTried: false };',
    mistake: (core) => leftWithin(core, 'hung', 1.9, 30),
  },
  {
    guard: 'in a cluster nobody’s own line makes a server ill, and an escape waits for no line',
    file: of('cut-off'),
    whole: "if (policy.mode === 'cluster' || cutOff === null) return false;",
    broken: 'if (cutOff === null) return false;',
    mistake: (core) => {
      // The only agent that reaches the DNS hears what the others do not.
      const isSilent = (agent: string, server: string, nowMs: number) =>
        agent === 'dublin' && server === LONDON && nowMs >= 60_000;
      const { world, pass } = withOneLeg(core, 'cluster', isSilent, 'silent');
      for (const name of ['dublin', 'witness']) world.noDns.add(name);
      pass(60);
      world.truth.set(LONDON, 'mute');
      world.noDns.add('london');
      pass(30);
      world.noDns.delete('london');
      pass(30);
      return goesTo(world, DUBLIN);
    },
  },
];
