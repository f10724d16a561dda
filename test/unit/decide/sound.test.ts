import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hear, newSensor, type SoundSensor } from '../../../src/decide/sound.ts';
import { POLICY } from './builders.ts';

const policy = POLICY.silence;
const BLOCK_MS = 100;

/** How much of each 100 ms is over the threshold, one number per block. */
function listen(
  blocks: readonly number[],
  from: SoundSensor = newSensor(0),
  startMs = Math.max(0, from.heardToMs),
): SoundSensor {
  return blocks.reduce(
    (sensor, audibleMs, index) =>
      hear(sensor, { atMs: startMs + (index + 1) * BLOCK_MS, durationMs: BLOCK_MS, audibleMs }, policy),
    from,
  );
}

const blocks = (forMs: number, audibleMs: number) =>
  Array.from({ length: forMs / BLOCK_MS }, () => audibleMs);
const sound = (forMs: number) => blocks(forMs, 100);
const quiet = (forMs: number) => blocks(forMs, 0);

describe('a fresh sensor', () => {
  test('says nothing until it has heard enough', () => {
    expect(listen(sound(1000)).verdict).toBe('unheard');
    expect(listen(quiet(4900)).verdict).toBe('unheard');
  });

  test('calls sound what adds up to more than the sound time, from its first moment', () => {
    const sensor = listen([...quiet(500), ...sound(1100)]);
    expect(sensor).toMatchObject({ verdict: 'sounding', sinceMs: 500, quietFromMs: null });
  });

  test('calls silence what has been quiet for the trip delay', () => {
    expect(listen(quiet(5000))).toMatchObject({ verdict: 'silent', sinceMs: 0 });
  });
});

describe('a leg that sounds', () => {
  const sounding = listen(sound(2000));

  test('trips at the trip delay from the first quiet moment, not before', () => {
    expect(listen(quiet(4900), sounding).verdict).toBe('sounding');
    expect(listen(quiet(5000), sounding)).toMatchObject({ verdict: 'silent', sinceMs: 2000 });
  });

  test.each([4100, 4300, 4500, 4700])(
    'does not trip at a pause of %i ms with programme after it',
    (pauseMs) => {
      expect(listen([...quiet(pauseMs), ...sound(3000)], sounding).verdict).toBe('sounding');
      let sensor = listen(quiet(pauseMs), sounding);
      for (let heard = 0; heard < 30; heard += 1) {
        sensor = listen(sound(BLOCK_MS), sensor);
        expect(sensor.verdict).toBe('sounding');
      }
    },
  );

  test('trips at the latest one sound time late when what came after the pause was only a word', () => {
    const words = [...quiet(4500), ...sound(500), ...quiet(1000)];
    expect(listen(words, sounding)).toMatchObject({ verdict: 'silent', sinceMs: 2000 });
  });

  test('tells from when it has been quiet while the verdict still stands', () => {
    expect(listen(quiet(3000), sounding)).toMatchObject({ verdict: 'sounding', quietFromMs: 2000 });
  });

  test('trips although there is a click of 10 ms every second', () => {
    const clicking = Array.from({ length: 50 }, (_, index) => (index % 10 === 5 ? 10 : 0));
    expect(listen(clicking, sounding)).toMatchObject({ verdict: 'silent', sinceMs: 2000 });
  });

  test('does not trip on talk with pauses', () => {
    const talk = Array.from({ length: 10 }, () => [...sound(1200), ...quiet(3000)]).flat();
    expect(listen(talk, sounding).verdict).toBe('sounding');
  });

  test('a pause that is over leaves no trace for the next one', () => {
    const paused = listen([...quiet(3000), ...sound(1100), ...quiet(3000)], sounding);
    expect(paused).toMatchObject({ verdict: 'sounding', quietFromMs: 2000 + 3000 + 1100 });
  });
});

describe('a silent leg', () => {
  const silent = listen(quiet(6000));

  test.each([
    ['exactly the sound time', sound(1000), 'silent'],
    ['more than the sound time', sound(1100), 'sounding'],
    [
      'enough sound in pieces within one trip delay',
      [...sound(600), ...quiet(3000), ...sound(600)],
      'sounding',
    ],
    [
      'enough sound, but spread over more than a trip delay',
      [...sound(600), ...quiet(5000), ...sound(600)],
      'silent',
    ],
    ['a click of 10 ms in every block, which adds up too slowly', blocks(20_000, 10), 'silent'],
  ] as const)('after %s: %s', (_what, heard, verdict) => {
    expect(listen(heard, silent).verdict).toBe(verdict);
  });

  test('sounds since the first sound that proved it', () => {
    expect(listen([...quiet(1000), ...sound(1500)], silent)).toMatchObject({
      verdict: 'sounding',
      sinceMs: 7000,
    });
  });
});

describe('what was heard already', () => {
  test('does not count a second time, as a burst brings it again', () => {
    const silent = listen(quiet(6000));
    const burst = listen(sound(5000), silent, 1000);
    expect(burst).toEqual(silent);
  });

  test('a sensor that begins anew ignores what lies before its beginning', () => {
    const anew = newSensor(10_000, 10_000);
    expect(listen(sound(5000), anew, 5000)).toEqual(anew);
  });
});

describe('for any sound', () => {
  /** Runs of sound and quiet, in steps of 10 ms. */
  const programme = fc
    .array(fc.record({ steps: fc.integer({ min: 1, max: 700 }), loud: fc.boolean() }), { maxLength: 12 })
    .map((runs) => runs.flatMap(({ steps, loud }) => Array.from({ length: steps }, () => loud)));

  function hearSplit(steps: readonly boolean[], sizes: readonly number[]): SoundSensor {
    let sensor = newSensor(0);
    for (let at = 0, turn = 0; at < steps.length; turn += 1) {
      const block = steps.slice(at, at + (sizes[turn % sizes.length] ?? 1));
      at += block.length;
      const audibleMs = block.filter((loud) => loud).length * 10;
      sensor = hear(sensor, { atMs: at * 10, durationMs: block.length * 10, audibleMs }, policy);
    }
    return sensor;
  }

  const split = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 8 });

  test('digital silence of a trip delay and a block always trips, whatever came before', () => {
    fc.assert(
      fc.property(programme, split, (before, sizes) => {
        const steps = [...before, ...Array.from({ length: 510 + 100 }, () => false)];
        expect(hearSplit(steps, sizes).verdict).toBe('silent');
      }),
      { numRuns: 200 },
    );
  });

  test('sound of more than the sound time always ends a silence', () => {
    fc.assert(
      fc.property(programme, split, (before, sizes) => {
        const steps = [...before, ...Array.from({ length: 120 }, () => true)];
        // A trip delay may run out within this sound; what ends the silence then is the next such sound.
        const again = [...steps, ...Array.from({ length: 120 }, () => true)];
        expect(hearSplit(again, sizes).verdict).toBe('sounding');
      }),
      { numRuns: 200 },
    );
  });

  test('silence after sound trips at the trip delay, at most one block late', () => {
    fc.assert(
      fc.property(split, fc.integer({ min: 200, max: 900 }), (sizes, loudSteps) => {
        const steps = Array.from({ length: loudSteps + 600 }, (_, index) => index < loudSteps);
        const tripped = steps.findIndex((_, index) => {
          return index > loudSteps && hearSplit(steps.slice(0, index), sizes).verdict === 'silent';
        });
        const lateMs = tripped * 10 - (loudSteps * 10 + policy.tripMs);
        expect(lateMs).toBeGreaterThanOrEqual(-100);
        expect(lateMs).toBeLessThanOrEqual(100);
      }),
      { numRuns: 30 },
    );
  });

  test('it does not matter into which blocks the same sound is cut', () => {
    fc.assert(
      fc.property(programme, split, (steps, sizes) => {
        // A quiet end long enough to settle what a block more or less could have tipped.
        const one = hearSplit([...steps, ...Array.from({ length: 620 }, () => false)], [10]);
        const other = hearSplit([...steps, ...Array.from({ length: 620 }, () => false)], sizes);
        expect(other.verdict).toBe(one.verdict);
        expect(Math.abs(other.heardToMs - one.heardToMs)).toBeLessThanOrEqual(BLOCK_MS);
      }),
      { numRuns: 200 },
    );
  });

  test('time never goes back, and little is remembered', () => {
    fc.assert(
      fc.property(programme, split, (steps, sizes) => {
        const sensor = hearSplit(steps, sizes);
        expect(sensor.heardToMs).toBe(steps.length === 0 ? Number.NEGATIVE_INFINITY : steps.length * 10);
        expect(sensor.recent.length).toBeLessThanOrEqual(policy.tripMs / 10);
        if (sensor.quietFromMs !== null) expect(sensor.quietFromMs).toBeLessThanOrEqual(sensor.heardToMs);
      }),
      { numRuns: 100 },
    );
  });
});
