import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { DUBLIN, LONDON, PRIMARY, SECONDARY } from '../unit/decide/builders.ts';
import { complaintsIn } from './relay-heard.ts';
import { aWorldOfCopies, aWorldWithAutodj, type World } from './relay-worlds.ts';

/** A world of the relay takes as long as several of the decision alone. */
const RUNS = Math.ceil(Number(process.env['SUSTAIN_SCENARIO_RUNS'] ?? 30) / 5);
const SEED = Number(process.env['SUSTAIN_SCENARIO_SEED'] ?? 20_261_122);

/** Searches go on beside the event loop: the time of these worlds waits for them, however long they take. */
const searches = vi.hoisted(() => ({ last: Promise.resolve() as Promise<unknown> }));
vi.mock('../../src/audio/splice.ts', async (original) => {
  const splice = await original<typeof import('../../src/audio/splice.ts')>();
  const correlateHeld: typeof splice.correlateHeld = (needle, haystack) => {
    const found = splice.correlateHeld(needle, haystack);
    searches.last = found.catch(() => null);
    return found;
  };
  return { ...splice, correlateHeld };
});
const settle = () => searches.last;

describe('whatever goes wrong with the legs of a relay, in whatever order, and with the agent that stands still', () => {
  test.each([
    ['a copy of the programme', aWorldOfCopies],
    ['an AutoDJ', aWorldWithAutodj],
  ])(
    'no silence, jump or gap is heard as long as there is %s',
    async (_whole, aWorld) => {
      await fc.assert(
        fc.asyncProperty(aWorld, async (world) => {
          expect(await complaintsIn(world, settle)).toEqual([]);
        }),
        { numRuns: RUNS, seed: SEED },
      );
    },
    600_000,
  );

  // Less than a stall takes to be found, so that the leg is good enough to be gone to.
  test.each([1_000, 4_000])(
    'a copy that lost 1.5 s of its programme is not taken for where it was before, %i ms later',
    async (fromMs) => {
      const losing = { kind: 'losing', of: PRIMARY, on: DUBLIN, fromMs: 1_000, lastsMs: 1_500 } as const;
      const silent = { kind: 'silent', of: PRIMARY, on: LONDON, fromMs, lastsMs: 15_000 } as const;
      const world: World = {
        keeper: { of: SECONDARY, on: LONDON },
        lagsMs: [0, 300, 640, 900],
        faults: [losing, silent],
        standstills: [],
      };
      expect(await complaintsIn(world, settle)).toEqual([]);
    },
    600_000,
  );
});
