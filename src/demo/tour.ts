import { messageOf } from '../platform/errors.ts';
import { type House, type HouseOptions, startHouse } from './house.ts';
import { nameScenarios } from './name-scenarios.ts';
import { relayScenarios } from './relay-scenarios.ts';
import { guardScenarios, type Scenario, settle } from './scenarios.ts';
import type { TourResult } from './table.ts';

export const scenarios: readonly Scenario[] = [...guardScenarios, ...relayScenarios, ...nameScenarios];

/** The tour fails the same source again and again; with the usual hold-down most of it would be waiting. */
const SWITCHING = '{ dwell: 5s, holdDown: 1s, holdDownMax: 5s }';

/** In relay mode the second encoder is some way behind the first, as it is over two lines. */
export function houseOptions(mode: Scenario['mode']): HouseOptions {
  switch (mode) {
    case 'guard':
      return { mode, switching: SWITCHING };
    case 'relay':
      return { mode, switching: SWITCHING, encoder2DelayMs: 900 };
    case 'dns':
      return { mode: 'guard', switching: SWITCHING, dns: 'powerdns' };
  }
}

export const MODES = ['guard', 'relay', 'dns'] as const;

export interface TourOptions {
  readonly chosen: readonly Scenario[];
  /** Where the houses stand. */
  readonly place: Pick<HouseOptions, 'hosts' | 'port' | 'titlesEveryMs'>;
  readonly say: (text: string) => void;
  /** Told of each house when it stands; what it returns is called before the house goes. */
  readonly show: (house: House) => () => void;
  readonly isOver: () => boolean;
}

/** Runs the chosen scenarios, each way of serving in a house of its own. */
export async function runTour(options: TourOptions): Promise<TourResult[]> {
  const { chosen, say } = options;
  const results: TourResult[] = [];
  for (const mode of MODES) {
    const ofMode = chosen.filter((scenario) => scenario.mode === mode);
    if (ofMode.length === 0 || options.isOver()) continue;
    say(`demo: starting the station ${mode === 'dns' ? 'with a name of its own' : `in ${mode} mode`} ...`);
    let house: House;
    try {
      house = await startHouse({ ...options.place, ...houseOptions(mode) });
    } catch (thrown) {
      // What was measured before is worth its table all the same.
      const failure = `the station did not start: ${messageOf(thrown)}`;
      results.push(...ofMode.map(({ broken }) => ({ broken, findings: [], failure })));
      continue;
    }
    const hide = options.show(house);
    try {
      for (const scenario of ofMode) {
        if (options.isOver()) break;
        say(`tour ${results.length + 1}/${chosen.length}: ${scenario.broken}`);
        results.push(await runScenario(house, scenario));
      }
    } finally {
      hide();
      await house.stop();
    }
  }
  return results;
}

/** One scenario from a healthy house; what goes wrong with the scenario itself is a result too. */
export async function runScenario(house: House, scenario: Scenario): Promise<TourResult> {
  const { broken } = scenario;
  try {
    await settle(house);
    return { broken, findings: await scenario.run(house) };
  } catch (thrown) {
    return { broken, findings: [], failure: messageOf(thrown) };
  }
}
