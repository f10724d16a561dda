import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DUBLIN, type FailoverCore, failoverCore, LONDON, type Truth } from '../../src/simulate/dns-world.ts';
import { goesTo, lastMoveS, of, settled } from './failover-guard.ts';
import { cutOff, cutsOfAllPhases, flaky } from './failover-guards-cut-off.ts';
import { Mutations } from './mutation.ts';

/** The longest that a probe takes, what its answer and the write's take, and the pause after a write that was not made. */
const ONE_PROBE_S = 2.6;

const mutations = new Mutations('cut-off');
afterAll(() => mutations.remove());

describe('a site that was cut off from everything', () => {
  it('takes the name from no server that only it could not reach', () => {
    expect(cutsOfAllPhases(failoverCore, goesTo)).toBeNull();
  });

  it('does not take the name back from the server that stood in, before its restore delay', () => {
    for (let lastsS = 30; lastsS < 37; lastsS += 0.5) {
      const world = settled(failoverCore);
      cutOff(world, 'london', lastsS);
      const backMs = world.nowMs;
      world.pass(170);
      expect(world.writes.map(({ by, server }) => `${by} ${server}`)).toEqual([`dublin ${DUBLIN}`]);
      world.pass(60);
      expect(world.dns.server).toBe(LONDON);
      expect(lastMoveS(world, backMs)).toBeGreaterThanOrEqual(180);
    }
  });

  it('leaves a server that died meanwhile, one probe after it is back', () => {
    for (const truth of ['dead', 'hung'] as const) {
      const world = settled(failoverCore);
      world.cut('london', 'dublin');
      world.noDns.add('dublin');
      world.pass(20);
      world.truth.set(LONDON, truth);
      world.kill('london');
      world.pass(20);
      world.cuts.clear();
      world.noDns.clear();
      const backMs = world.nowMs;
      world.pass(20);
      expect(world.dns.server).toBe(DUBLIN);
      expect(lastMoveS(world, backMs)).toBeLessThan(8);
    }
  });
});

describe('a server that truly dies while the DNS comes and goes', () => {
  let before: FailoverCore;
  beforeAll(async () => {
    const guard = {
      guard: 'what failed may be no worse than our own line',
      file: of('cut-off'),
      whole: "if (policy.mode === 'cluster' || cutOff === null) return false;",
      broken: 'return false;',
    };
    const modules = ['step', 'state', 'choice', 'lease-rule', 'on-air'].map(
      (name) => `decide/failover/${name}.ts`,
    );
    before = await mutations.load<FailoverCore>(guard, modules);
  });

  const leftAfterS = (core: FailoverCore, truth: Truth, downS: number, upS: number, diesAfterS: number) => {
    const world = settled(core);
    world.noDns.add('dublin');
    world.pass(diesAfterS);
    world.truth.set(LONDON, truth);
    const diedMs = world.nowMs;
    world.pass(downS);
    world.noDns.delete('dublin');
    world.pass(upS);
    if (world.writes.length === 0) flaky(world, downS, upS);
    expect(world.writes.map(({ server }) => server)).toEqual([DUBLIN]);
    return lastMoveS(world, diedMs);
  };

  it.each<Truth>(['dead', 'hung', 'mute'])(
    'is left one probe later at most than it was without (%s)',
    (truth) => {
      const late: string[] = [];
      for (const downS of [3, 8.3, 30])
        for (const upS of [6, 9.2])
          for (const diesAfterS of [0.3, 1.8, 3.9]) {
            const of = [truth, downS, upS, diesAfterS] as const;
            const [wasS, isS] = [leftAfterS(before, ...of), leftAfterS(failoverCore, ...of)];
            if (isS > wasS + ONE_PROBE_S) late.push(`${of.join(' ')}: ${isS} s, was ${wasS} s`);
          }
      expect(late).toEqual([]);
    },
  );

  it('is left at the next chance at the latest when the DNS is gone again before the probe is over', () => {
    for (const upS of [2.5, 3, 4]) {
      const wasS = leftAfterS(before, 'hung', 8.3, upS, 1.8);
      expect(leftAfterS(failoverCore, 'hung', 8.3, upS, 1.8)).toBeLessThan(wasS + 8.3 + upS + ONE_PROBE_S);
    }
  });
});
