import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { relayScenarios } from '../../src/demo/relay-scenarios.ts';
import { hasPassed, tourTable } from '../../src/demo/table.ts';
import { houseOptions, runScenario } from '../../src/demo/tour.ts';
import { story } from './station.ts';

let house: House;

beforeAll(async () => {
  // As in the demo, but back sooner: what comes after the fault is waiting.
  const silence = '{ threshold: -50 dBFS, trip: 5s, restore: 4s }';
  house = await startHouse({ ...houseOptions('relay'), silence });
});
afterAll(() => house?.stop());

describe('what a listener of the relayed stream hears when', () => {
  test.each(relayScenarios.map((scenario) => [scenario.broken, scenario] as const))(
    '%s',
    async (_broken, scenario) => {
      const result = await runScenario(house, scenario);
      expect(hasPassed(result), `${tourTable([result], 'text')}\n${story(house)}`).toBe(true);
    },
  );
});
