import { type Clock, systemClock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import { simulateKeepers } from '../simulate/threads.ts';
import type { KeeperYears } from '../simulate/years.ts';
import { EXIT } from './exit-codes.ts';
import { openOutput } from './output-file.ts';
import { createProgress, type Terminal } from './progress.ts';
import { parseOptions, type SimulateOptions, type Wanted } from './simulate/options.ts';
import { simulationPlot } from './simulate/plot.ts';
import { simulationJson, simulationText } from './simulate/print.ts';

export type { SimulateOptions };

/** What the command has around it; replaced in tests. */
export interface SimulateSurroundings {
  readonly clock?: Clock;
  readonly env?: NodeJS.ProcessEnv;
  readonly terminal?: Terminal;
  readonly print?: (text: string) => void;
  /** Aborted when a person has waited for long enough. */
  readonly interrupted?: AbortSignal;
}

/** `sustain simulate`: a station under its faults for many years, beside the same station without Sustain. */
export async function simulate(
  asked: SimulateOptions,
  surroundings: SimulateSurroundings = {},
): Promise<number> {
  const terminal = surroundings.terminal ?? process.stderr;
  const parsed = await parseOptions(asked, surroundings.env ?? process.env);
  if (!parsed.ok) {
    terminal.write(`${parsed.message}\n`);
    return EXIT.unusable;
  }
  const plot = await openOutput(asked.plot);
  if (plot !== null && !plot.ok) {
    terminal.write(`--plot ${asked.plot}: ${plot.message}\n`);
    return EXIT.unusable;
  }
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  const ends = [stop.signal, ...(surroundings.interrupted ? [surroundings.interrupted] : [])];
  try {
    const results = await simulateAll(
      parsed.value,
      surroundings.clock ?? systemClock,
      terminal,
      AbortSignal.any(ends),
    );
    if (results === null) {
      terminal.write('stopped before all years were over, so nothing is said of them\n');
      return EXIT.failed;
    }
    const print = surroundings.print ?? ((text) => process.stdout.write(`${text}\n`));
    print(
      asked.json === true
        ? JSON.stringify(simulationJson(parsed.value, results), null, 2)
        : simulationText(parsed.value, results),
    );
    const { causes, years } = parsed.value.options;
    await plot?.write(simulationPlot(causes, results, years));
    return EXIT.ok;
  } catch (thrown) {
    terminal.write(`${messageOf(thrown)}\n`);
    return EXIT.failed;
  } finally {
    await plot?.close();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
  }
}

async function simulateAll(
  { options, keepers }: Wanted,
  clock: Clock,
  terminal: Terminal,
  interrupted: AbortSignal,
): Promise<readonly KeeperYears[] | null> {
  const progress = createProgress(clock, terminal);
  const show = (share: number) =>
    progress.show(share, `${Math.round(share * options.years)} of ${options.years} years`);
  try {
    return await simulateKeepers(keepers, options, show, interrupted);
  } finally {
    progress.clear();
  }
}
