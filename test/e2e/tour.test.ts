import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runScenario } from '../../src/demo/demo.ts';
import { type House, startHouse } from '../../src/demo/house.ts';
import { scenarios } from '../../src/demo/scenarios.ts';
import { hasPassed, tourTable } from '../../src/demo/table.ts';
import { story } from './station.ts';

let house: House;

beforeAll(async () => {
  house = await startHouse({ switching: '{ dwell: 5s, holdDown: 1s, holdDownMax: 5s }' });
});
afterAll(() => house?.stop());

describe('what a listener hears when', () => {
  test.each(scenarios.map((scenario) => [scenario.broken, scenario] as const))(
    '%s',
    async (_broken, scenario) => {
      const result = await runScenario(house, scenario);
      expect(hasPassed(result), `${tourTable([result], 'text')}\n${story(house)}`).toBe(true);
    },
  );
});
