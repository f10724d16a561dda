import { afterEach, describe, expect, test } from 'vitest';
import { type House, startHouse } from '../../src/demo/house.ts';
import { nameScenarios } from '../../src/demo/name-scenarios.ts';
import { hasPassed, tourTable } from '../../src/demo/table.ts';
import { houseOptions } from '../../src/demo/tour.ts';
import { story } from './station.ts';
import { runSteadily, SCENARIO_TIMEOUT_MS } from './steady-scenario.ts';

let house: House | null = null;
afterEach(() => house?.stop());

/** Each on another name server, as both have to carry the same. */
const NAME_SERVERS = ['powerdns', 'bind'] as const;

describe('listeners who come by name are led to the other server, and back, when', () => {
  test.each(
    nameScenarios.map((scenario, index) => [scenario.broken, NAME_SERVERS[index], scenario] as const),
  )(
    '%s (%s)',
    async (_broken, dns = 'powerdns', scenario) => {
      house = await startHouse({ ...houseOptions('dns'), dns });
      const result = await runSteadily(house, scenario);
      expect(hasPassed(result), `${tourTable([result], 'text')}\n${story(house)}`).toBe(true);
    },
    SCENARIO_TIMEOUT_MS,
  );
});
