import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { guardScenarios } from '../../src/demo/scenarios.ts';
import { hasPassed, tourTable } from '../../src/demo/table.ts';
import { houseOptions } from '../../src/demo/tour.ts';
import { story } from './station.ts';
import { runSteadily, SCENARIO_TIMEOUT_MS } from './steady-scenario.ts';

let house: House;

beforeAll(async () => {
  // As in the demo, but back sooner: what comes after the fault is waiting.
  const silence = '{ threshold: -50 dBFS, trip: 5s, restore: 5s }';
  house = await startHouse({ ...houseOptions('guard'), silence });
});
afterAll(() => house?.stop());

describe('what a listener hears when', () => {
  test.each(guardScenarios.map((scenario) => [scenario.broken, scenario] as const))(
    '%s',
    async (_broken, scenario) => {
      const result = await runSteadily(house, scenario);
      expect(hasPassed(result), `${tourTable([result], 'text')}\n${story(house)}`).toBe(true);
    },
    SCENARIO_TIMEOUT_MS,
  );
});
