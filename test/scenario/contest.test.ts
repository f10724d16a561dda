import { describe, expect, it } from 'vitest';
import { DUBLIN, failoverCore, LONDON } from '../../src/simulate/dns-world.ts';
import { lastMoveS, movesOf } from './failover-guard.ts';
import { partedFor } from './failover-guards-writing.ts';

const parted = (minutes: number) => partedFor(failoverCore, 60 * minutes);

describe('two sites that cannot see each other for hours', () => {
  it('move the name once, and back, and not every ten minutes', () => {
    const world = parted(180);
    expect(movesOf(world).map(({ by, server }) => `${by} ${server}`)).toEqual([
      `dublin ${DUBLIN}`,
      `london ${LONDON}`,
    ]);
  });

  it('write no more often than every four minutes, and no more once they see each other', () => {
    const world = parted(60);
    const times = world.writes.slice(1).map(({ atMs }) => atMs);
    const gapsMs = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    expect(Math.min(...gapsMs)).toBeGreaterThanOrEqual(240_000);
    const written = world.writes.length;
    world.cuts.clear();
    world.pass(1_200, () => {}, 500);
    // Nor when the other dies for good long after that.
    world.truth.set(DUBLIN, 'dead');
    world.kill('dublin');
    world.pass(1_200, () => {}, 500);
    expect(world.writes).toHaveLength(written);
  });

  it.each([3, 12, 29, 31, 33, 90])('leave within ten minutes a site that dies after %i min', (minutes) => {
    const world = parted(minutes);
    const diedMs = world.nowMs;
    world.truth.set(LONDON, 'dead');
    world.kill('london');
    world.pass(700, () => {}, 500);
    expect(world.dns.server).toBe(DUBLIN);
    expect(world.writes.at(-1)).toBe(movesOf(world).at(-1));
    // What an agent shows is believed for 5 min, and the first contest lasts 10 in all.
    expect(lastMoveS(world, diedMs)).toBeLessThan(minutes < 10 ? 610 - 60 * minutes : 310);
  });

  it('leave as soon a server that dies while its agent lives on, and hears that it is dead', () => {
    const world = parted(30);
    const diedMs = world.nowMs;
    world.truth.set(LONDON, 'dead');
    world.pass(700, () => {}, 500);
    expect(world.dns.server).toBe(DUBLIN);
    expect(lastMoveS(world, diedMs)).toBeLessThan(310);
  });
});
