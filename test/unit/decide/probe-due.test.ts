import { describe, expect, test } from 'vitest';
import {
  isProbeDue,
  newSight,
  type ServerSight,
  withEar,
  withHeard,
  withProbe,
} from '../../../src/decide/failover/health.ts';
import type { Probe } from '../../../src/domain/failover.ts';
import { FAILOVER_DEFAULTS, STATION } from '../../../src/simulate/station.ts';

const POLICY = FAILOVER_DEFAULTS;
const REFUSED: Probe = { ok: false, stage: 'connect', detail: 'refused' };

/** A mount that sounds all the time, tried a second apart, the last time at the returned moment. */
function tried(...probes: readonly Probe[]): { readonly sight: ServerSight; readonly atMs: number } {
  let atMs = 0;
  let sight = withEar(newSight(POLICY, atMs), STATION, { is: 'hearing' }, atMs, POLICY);
  const sound = () => {
    atMs += 1_000;
    sight = withHeard(sight, STATION, { atMs, durationMs: 1_000, audibleMs: 1_000 }, POLICY);
  };
  sound();
  sound();
  for (const probe of probes) {
    sound();
    sight = withProbe(sight, STATION, { probe, beganAtMs: atMs, atMs }, POLICY);
  }
  return { sight, atMs };
}

/** How long after its last probe a mount is due for the next one. */
function dueAfterMs({ sight, atMs }: ReturnType<typeof tried>): number {
  for (let afterMs = 0; afterMs <= 60_000; afterMs += 100)
    if (isProbeDue(sight, STATION, atMs + afterMs, POLICY)) return afterMs;
  return Number.POSITIVE_INFINITY;
}

describe('a public mount is tried', () => {
  test('at once when it has never been', () => {
    expect(isProbeDue(newSight(POLICY, 0), STATION, 0, POLICY)).toBe(true);
  });

  test.each<[string, readonly Probe[], number]>([
    ['slowly while it is well', [{ ok: true }, { ok: true }], POLICY.intervalMs],
    ['fast before it is known to be well', [{ ok: true }], POLICY.fastIntervalMs],
    ['fast from its first failure on', [{ ok: true }, { ok: true }, REFUSED], POLICY.fastIntervalMs],
    ['fast until it has failed often enough', [REFUSED, REFUSED], POLICY.fastIntervalMs],
    ['slowly when that is settled', [REFUSED, REFUSED, REFUSED], POLICY.intervalMs],
    ['fast when it begins to rise', [REFUSED, REFUSED, REFUSED, { ok: true }], POLICY.fastIntervalMs],
    ['slowly when it has risen', [REFUSED, REFUSED, REFUSED, { ok: true }, { ok: true }], POLICY.intervalMs],
  ])('%s', (_, probes, afterMs) => {
    expect(dueAfterMs(tried(...probes))).toBe(afterMs);
  });
});
