import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { failoverCore } from '../../src/simulate/dns-world.ts';
import {
  anyDnsFaults,
  anyFlappingLink,
  anyPartition,
  brokenDnsPromises,
  mostMovesOneWay,
} from './failover-promises.ts';

const RUNS = Number(process.env['SUSTAIN_SCENARIO_RUNS'] ?? 30);
const SEED = Number(process.env['SUSTAIN_SCENARIO_SEED'] ?? 20_261_122);

describe('the name of a station, whatever goes wrong in whatever order', () => {
  test.each(['alone', 'cluster'] as const)(
    'every promise is kept, and after the last fault it is back on the first server (%s)',
    (mode) => {
      fc.assert(
        fc.property(anyDnsFaults(mode), (faults) => {
          expect(brokenDnsPromises(failoverCore, mode, faults)).toEqual([]);
        }),
        { numRuns: RUNS, seed: SEED },
      );
    },
    240_000,
  );

  test('two sites that cannot see each other for a while move it at most once each way in 10 min', () => {
    fc.assert(
      fc.property(anyPartition, (faults) => {
        expect(mostMovesOneWay(failoverCore, faults)).toBeLessThanOrEqual(1);
      }),
      { numRuns: RUNS / 2, seed: SEED },
    );
  }, 240_000);

  test('a link that comes and goes costs at most one move each way for each time it goes', () => {
    fc.assert(
      fc.property(anyFlappingLink, (faults) => {
        expect(mostMovesOneWay(failoverCore, faults)).toBeLessThanOrEqual(faults.length / 2);
      }),
      { numRuns: RUNS / 2, seed: SEED },
    );
  }, 240_000);
});
