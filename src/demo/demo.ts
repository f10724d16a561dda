import type { AgentView } from '../domain/view.ts';
import { messageOf } from '../platform/errors.ts';
import { type House, SERVER_NAMES, startHouse } from './house.ts';
import { startLiveView } from './live-view.ts';
import { type Scenario, scenarios, settle } from './scenarios.ts';
import { hasPassed, machineInWords, type TourResult, tourTable } from './table.ts';

export interface DemoOptions {
  /** Break one thing after another and measure what a listener hears. */
  readonly tour?: boolean;
  /** With a tour: only these scenarios, by comma. */
  readonly only?: string;
  readonly json?: boolean;
  /** With a tour: print the table as Markdown, for the README. */
  readonly markdown?: boolean;
}

const HOSTS = ['127.0.0.21', '127.0.0.22'] as const;
const PORT = 8100;
const ASK_STATES_EVERY_MS = 250;
/** The tour fails the same source again and again; with the usual hold-down most of it would be waiting. */
const TOUR_SWITCHING = '{ dwell: 5s, holdDown: 1s, holdDownMax: 5s }';

/**
 * Runs a whole station on this machine. Without a tour until Ctrl-C, with one until it is over; exit code 1 when a
 * figure of the tour is over its bound.
 */
export async function demo(options: DemoOptions): Promise<number> {
  const chosen = scenariosFor(options.only);
  if (chosen === null) return 2;
  let doing = '';
  const say = (text: string) => {
    doing = text;
    if (process.stdout.isTTY !== true || options.json === true) process.stderr.write(`${text}\n`);
  };
  say('demo: starting two Icecast servers, two encoders, the AutoDJ and two agents ...');
  const interrupted = interruption();
  const house = await startHouse({
    hosts: HOSTS,
    port: PORT,
    switching: TOUR_SWITCHING,
    titlesEveryMs: 15_000,
  });
  try {
    const stopView = options.json === true ? () => undefined : showLive(house, () => doing);
    try {
      if (options.tour !== true) {
        say('Ctrl-C ends the demo.');
        await interrupted;
        return 0;
      }
      const results = await Promise.race([runTour(house, chosen, say), interrupted.then(() => null)]);
      if (results === null) return 130;
      stopView();
      process.stdout.write(
        options.json === true ? `${JSON.stringify(results, null, 2)}\n` : printed(results, options),
      );
      return results.every(hasPassed) ? 0 : 1;
    } finally {
      stopView();
    }
  } finally {
    say('demo: stopping everything ...');
    await house.stop();
    say('demo: stopped, nothing is left running');
  }
}

function scenariosFor(only: string | undefined): readonly Scenario[] | null {
  if (only === undefined) return scenarios;
  const ids = only.split(',');
  const unknown = ids.filter((id) => !scenarios.some((scenario) => scenario.id === id));
  if (unknown.length === 0) return scenarios.filter((scenario) => ids.includes(scenario.id));
  process.stderr.write(
    `There is no scenario ${unknown.join(', ')}; there are ${scenarios.map(({ id }) => id).join(', ')}.\n`,
  );
  return null;
}

async function runTour(
  house: House,
  chosen: readonly Scenario[],
  say: (text: string) => void,
): Promise<TourResult[]> {
  const results: TourResult[] = [];
  for (const [index, scenario] of chosen.entries()) {
    say(`tour ${index + 1}/${chosen.length}: ${scenario.broken}`);
    results.push(await runScenario(house, scenario));
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

function printed(results: readonly TourResult[], { markdown }: DemoOptions): string {
  const verdict = results.every(hasPassed)
    ? 'Every figure is within its bound.'
    : 'At least one figure is over its bound.';
  return `\n${tourTable(results, markdown === true ? 'markdown' : 'text')}\n\n${verdict} Measured on ${machineInWords()}.\n`;
}

/** The live picture in the terminal; returns what ends it. */
function showLive(house: House, doing: () => string): () => void {
  const newest = new Map<string, AgentView>();
  const ask = () => {
    for (const name of SERVER_NAMES) {
      house.agents[name].state().then(
        (state) => newest.set(name, state),
        () => newest.delete(name),
      );
    }
  };
  ask();
  const asking = setInterval(ask, ASK_STATES_EVERY_MS);
  const stopView = startLiveView({
    states: () => [...newest.values()],
    heading: () => [
      ...SERVER_NAMES.map((name) => `${name}: listen to ${house.servers[name].url}/primary`),
      doing(),
    ],
  });
  let shown = true;
  return () => {
    if (!shown) return;
    shown = false;
    clearInterval(asking);
    stopView();
  };
}

function interruption(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}
