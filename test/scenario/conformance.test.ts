import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Figures, nameTimes, switchTimes, tourRehearsals } from './rehearsals.ts';

/** Of what was measured on real parts. */
const SHARE = 0.2;
/** Where next to nothing was measured a share of it means nothing: a quarter of a second is less than a word. */
const NEXT_TO_NOTHING_MS = 250;
/** What recurs in a station comes in any phase, on real parts as here. */
const PHASES_MS = [100, 1_300, 2_400, 3_700];

interface Measured {
  /** By scenario, by figure: each time it was measured. */
  readonly figures: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
}

const measuredIn = (file: string): Measured =>
  JSON.parse(readFileSync(new URL(`../../fixtures/measured/${file}`, import.meta.url), 'utf8'));

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : mean(sorted.slice(middle - 1, middle + 1));
}

/** Every figure that the simulator gets wrong, in words. */
function deviations(
  measured: Readonly<Record<string, readonly number[]>>,
  simulated: readonly Figures[],
): string[] {
  return Object.entries(measured).flatMap(([name, times]) => {
    const trueMs = median(times);
    const simulatedMs = mean(simulated.map((figures) => figures[name] ?? Number.NaN));
    const boundMs = Math.max(SHARE * trueMs, NEXT_TO_NOTHING_MS);
    if (Math.abs(simulatedMs - trueMs) <= boundMs) return [];
    return [`${name}: simulated ${Math.round(simulatedMs)} ms, measured ${times.join(', ')} ms`];
  });
}

describe('the simulator gives the times that were measured on real parts, within 20 %', () => {
  const tour = measuredIn('tour.json');
  test.each(tourRehearsals.map((scenario) => [scenario.id, scenario] as const))(
    'tour: %s',
    (id, scenario) => {
      const measured = tour.figures[id];
      expect(measured).toBeDefined();
      expect(deviations(measured ?? {}, PHASES_MS.map(scenario.run))).toEqual([]);
    },
  );

  const times = measuredIn('times.json');
  test.each([
    ['switches', switchTimes],
    ['names', nameTimes],
  ] as const)('times: %s', (id, rehearse) => {
    const measured = times.figures[id];
    expect(measured).toBeDefined();
    expect(deviations(measured ?? {}, PHASES_MS.map(rehearse))).toEqual([]);
  });

  test('and a time that is off would be found', () => {
    expect(deviations({ moved: [4_400, 4_700] }, [{ moved: 3_500 }])).toEqual([
      'moved: simulated 3500 ms, measured 4400, 4700 ms',
    ]);
    expect(deviations({ 'dead air': [0] }, [{ 'dead air': 300 }])).toHaveLength(1);
    expect(deviations({ 'dead air': [0] }, [{}])).toHaveLength(1);
  });
});
