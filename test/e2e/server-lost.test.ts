import { describe, expect, test } from 'vitest';
import { nameScenarios } from '../../src/demo/name-scenarios.ts';
import { hasPassed, tourTable } from '../../src/demo/table.ts';
import { houseOptions } from '../../src/demo/tour.ts';
import { inHouse, story } from './station.ts';
import { runSteadily, SCENARIO_TIMEOUT_MS } from './steady-scenario.ts';

/** Each on another name server, as both have to carry the same. */
const NAME_SERVERS = ['powerdns', 'bind'] as const;

// In a house each, and both at once.
describe.concurrent('listeners who come by name are led to the other server, and back, when', () => {
  test.each(
    nameScenarios.map((scenario, index) => [scenario.broken, NAME_SERVERS[index], scenario] as const),
  )(
    '%s (%s)',
    async (_broken, dns = 'powerdns', scenario) => {
      await inHouse({ ...houseOptions('dns'), dns }, async (house) => {
        const result = await runSteadily(house, scenario);
        expect(hasPassed(result), `${tourTable([result], 'text')}\n${story(house)}`).toBe(true);
      });
    },
    SCENARIO_TIMEOUT_MS,
  );
});
