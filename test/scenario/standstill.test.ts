import { describe, expect, test } from 'vitest';
import { type Cause, planFaults, usualCauses, YEAR_MS } from '../../src/simulate/faults.ts';
import { DUBLIN, LONDON, seeded } from '../../src/simulate/station.ts';
import { type Change, StationWorld, type WorldOptions } from '../../src/simulate/station-world.ts';
import { simulateYears } from '../../src/simulate/years.ts';

const RUN_MS = 3_600_000;

/** Faults of all kinds, so many and so short that an hour holds as much as some years. */
function dense(seed: number) {
  const causes = usualCauses([LONDON, DUBLIN]).map(
    (cause): Cause => ({
      ...cause,
      perYear: (0.4 * YEAR_MS) / RUN_MS,
      medianMs: Math.min(cause.medianMs, 120_000),
      longMs: Math.min(cause.longMs, 600_000),
    }),
  );
  return planFaults(causes, RUN_MS / YEAR_MS, seeded(seed));
}

function changesOf(options: WorldOptions, seed: number): { changes: readonly Change[]; endMs: number } {
  const world = new StationWorld(options);
  const planned = dense(seed);
  const turns = planned
    .flatMap(({ fault, fromMs, toMs }) => [
      { atMs: fromMs, run: () => world.begin(fault) },
      { atMs: toMs, run: () => world.end(fault) },
    ])
    .sort((a, b) => a.atMs - b.atMs);
  for (const { atMs, run } of turns) {
    world.runTo(atMs);
    run();
  }
  world.runTo(1.5 * RUN_MS);
  return { changes: world.changes, endMs: world.atMs };
}

const OPTIONS: WorldOptions = {
  keeper: { is: 'sustain' },
  station: {},
  failover: {},
  relayDelayMs: 8_000,
  encoderReconnectMs: 2_000,
  skips: true,
};

describe('to skip the time in which nothing happens changes nothing', () => {
  test.each([
    ['guard mode', OPTIONS, 2],
    ['relay mode', { ...OPTIONS, station: { mode: 'relay' as const } }, 4],
    ['guard mode with a cluster', { ...OPTIONS, failover: { mode: 'cluster' as const } }, 5],
  ])(
    '%s (%#)',
    (_, options, seed) => {
      const skipped = changesOf(options, seed);
      const whole = changesOf({ ...options, skips: false }, seed);
      expect(skipped).toEqual(whole);
      expect(whole.changes.length).toBeGreaterThan(5);
    },
    240_000,
  );
});

describe('to remember what a lone fault led to changes nothing', () => {
  test('in the years of a station with some faults', async () => {
    const causes = usualCauses([LONDON, DUBLIN])
      .filter(({ id }) => ['encoder-gone', 'icecast-hang', 'icecast-crash'].includes(id))
      .map((cause): Cause => ({ ...cause, perYear: 3 * cause.perYear, faults: cause.faults.slice(0, 1) }));
    const options = {
      years: 1,
      seed: 6,
      causes,
      players: {
        ttlMs: 30_000,
        clampedShare: 0.15,
        clampMs: 300_000,
        stickyShare: 0.08,
        sessionMs: 7_200_000,
        bufferMs: 4_000,
        readTimeoutMs: 10_000,
        reconnectMs: 2_000,
      },
      playerCount: 20,
      station: {},
      failover: {},
      relayDelayMs: 8_000,
      encoderReconnectMs: 2_000,
    };
    const remembered = await simulateYears({ is: 'sustain' }, options);
    const anew = await simulateYears({ is: 'sustain' }, { ...options, remembers: false });
    expect(remembered?.workedOut).toBeLessThan(anew?.workedOut ?? 0);
    expect({ ...remembered, workedOut: 0 }).toEqual({ ...anew, workedOut: 0 });
  }, 240_000);
});
