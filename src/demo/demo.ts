import type { AgentView } from '../domain/view.ts';
import { type House, SERVER_NAMES, startHouse } from './house.ts';
import { startLiveView } from './live-view.ts';
import { isPortTaken } from './rig/icecast-server.ts';
import type { Scenario } from './scenarios.ts';
import { hasPassed, machineInWords, type TourResult, tourTable } from './table.ts';
import { houseOptions, MODES, runTour, scenarios } from './tour.ts';

export interface DemoOptions {
  /** How the station is served; guard mode by default, and all in a tour. `dns`: guard mode, with a name in a real DNS. */
  readonly mode?: string;
  /** Break one thing after another and measure what a listener hears. */
  readonly tour?: boolean;
  /** With a tour: only these scenarios, by comma. */
  readonly only?: string;
  readonly json?: boolean;
  /** With a tour: print the table as Markdown, for the README. */
  readonly markdown?: boolean;
}

const PLACE = { hosts: ['127.0.0.21', '127.0.0.22'], port: 8100, titlesEveryMs: 15_000 } as const;
const ASK_STATES_EVERY_MS = 250;

/**
 * Runs a whole station on this machine. Without a tour until Ctrl-C, with one until it is over; exit code 1 when a
 * figure of the tour is over its bound or another demo runs here, 2 for an option that isn't known.
 */
export async function demo(options: DemoOptions): Promise<number> {
  const chosen = scenariosFor(options);
  if (chosen === null) return 2;
  let doing = '';
  const say = (text: string) => {
    doing = text;
    if (process.stdout.isTTY !== true || options.json === true) process.stderr.write(`${text}\n`);
  };
  const isForPrograms = options.json === true || options.markdown === true;
  const show = (house: House) => (isForPrograms ? () => undefined : showLive(house, () => doing));
  for (const host of PLACE.hosts) {
    if (!(await isPortTaken(host, PLACE.port))) continue;
    say(`demo: ${host}:${PLACE.port} is taken; another demo runs here, perhaps: end that one first`);
    return 1;
  }
  let over = false;
  const interrupted = interruption().then(() => {
    over = true;
  });
  if (options.tour !== true) {
    await live(MODES.find((mode) => mode === options.mode) ?? 'guard', say, show, interrupted);
    return 0;
  }
  const results = await runTour({ chosen, place: PLACE, say, show, isOver: () => over });
  process.stdout.write(
    options.json === true ? `${JSON.stringify(results, null, 2)}\n` : printed(results, options),
  );
  if (over) return 130;
  return results.every(hasPassed) ? 0 : 1;
}

async function live(
  mode: Scenario['mode'],
  say: (text: string) => void,
  show: (house: House) => () => void,
  interrupted: Promise<void>,
): Promise<void> {
  say(`demo: starting two Icecast servers, two encoders, the AutoDJ and two agents (${mode}) ...`);
  const house = await startHouse({ ...PLACE, ...houseOptions(mode) });
  const hide = show(house);
  say('Ctrl-C ends the demo.');
  await interrupted;
  hide();
  process.stderr.write('demo: stopping everything ...\n');
  await house.stop();
  process.stderr.write('demo: stopped, nothing is left running\n');
}

function scenariosFor({ mode, only, tour, json, markdown }: DemoOptions): readonly Scenario[] | null {
  const refuse = (text: string): null => {
    process.stderr.write(`${text}\n`);
    return null;
  };
  if (mode !== undefined && !MODES.some((one) => one === mode))
    return refuse(`There is no mode ${mode}; there are ${MODES.join(', ')}.`);
  const ofTour = [
    ['--only', only !== undefined],
    ['--json', json === true],
    ['--markdown', markdown === true],
  ] as const;
  const alone = tour === true ? undefined : ofTour.find(([, isAsked]) => isAsked);
  if (alone !== undefined) return refuse(`${alone[0]} is for a tour: write --tour too.`);
  const ofMode = mode === undefined ? scenarios : scenarios.filter((scenario) => scenario.mode === mode);
  if (only === undefined) return ofMode;
  const ids = only.split(',');
  const unknown = ids.filter((id) => !ofMode.some((scenario) => scenario.id === id));
  if (unknown.length > 0) {
    return refuse(
      `There is no scenario ${unknown.join(', ')}; there are ${ofMode.map(({ id }) => id).join(', ')}.`,
    );
  }
  return ofMode.filter((scenario) => ids.includes(scenario.id));
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
      ...SERVER_NAMES.map((name) => `${name}: listen to ${house.servers[name].url}${house.publicMount}`),
      doing(),
    ],
  });
  return () => {
    clearInterval(asking);
    stopView();
  };
}

function interruption(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}
