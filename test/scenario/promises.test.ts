import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { core } from './core.ts';
import { anyFaults, brokenPromises, HEAL_MS } from './promises.ts';
import { Simulation } from './simulation.ts';

const RUNS = Number(process.env['SUSTAIN_SCENARIO_RUNS'] ?? 30);
const SEED = Number(process.env['SUSTAIN_SCENARIO_SEED'] ?? 20_261_122);

describe('whatever goes wrong, in whatever order', () => {
  test(`every promise is kept, and after the last fault everybody is back on the first source (${RUNS} worlds)`, () => {
    fc.assert(
      fc.property(fc.integer(), anyFaults, (seed, faults) => {
        expect(brokenPromises(core, seed, faults)).toEqual([]);
      }),
      { numRuns: RUNS, seed: SEED },
    );
  }, 240_000);

  test('the same seed gives the same events', () => {
    fc.assert(
      fc.property(fc.integer(), anyFaults, (seed, faults) => {
        const tell = () => JSON.stringify(new Simulation(core, seed).run(120_000, faults).told);
        expect(tell()).toBe(tell());
      }),
      { numRuns: 5, seed: SEED },
    );
  });

  test('the world heals for long enough to outlast every hold-down a few faults can earn', () => {
    expect(HEAL_MS).toBeGreaterThan(20_000 + 240_000);
  });
});
