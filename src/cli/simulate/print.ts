import { counted } from '../../domain/counted.ts';
import type { Cause } from '../../simulate/faults.ts';
import type { KeeperYears } from '../../simulate/years.ts';
import { decisionDelays, type Wanted } from './options.ts';

const MINUTES_A_YEAR = 365.25 * 24 * 60;

/** Who kept the station, as the table and the plot say it. */
export function keeperWords({ keeper }: Pick<KeeperYears, 'keeper'>): string {
  switch (keeper.is) {
    case 'sustain':
      return 'Sustain on two servers';
    case 'one-server':
      return 'Sustain on one server';
    case 'dns-check': {
      const { intervalMs, fall } = keeper.check;
      const tries = fall === 1 ? '' : `, ${fall} failures`;
      return `fallback mounts, DNS check every ${intervalMs / 1_000} s${tries}`;
    }
    case 'fallback':
      return "Icecast's fallback mounts only";
  }
}

/** The names are a promise to scripts. */
export function simulationJson({ options, mode }: Wanted, results: readonly KeeperYears[]): object {
  return {
    years: options.years,
    seed: options.seed,
    mode,
    delays: decisionDelays(options),
    players: options.players,
    faults: Object.fromEntries(
      options.causes.map(({ id, words, perYear, medianMs, longMs, faults }) => [
        id,
        { words, perYear, parts: faults.length, medianMs, longMs },
      ]),
    ),
    keepers: results.map((result) => ({
      name: result.keeper.is,
      words: keeperWords(result),
      ...without(result),
    })),
  };
}

function without({ keeper: _keeper, ...rest }: KeeperYears): Omit<KeeperYears, 'keeper'> {
  return rest;
}

export function simulationText({ options, mode }: Wanted, results: readonly KeeperYears[]): string {
  const { years, seed, causes } = options;
  const lines = [
    `${counted(years, 'year')} of a station in ${mode} mode, seed ${seed}: per listener and year`,
    '',
    ...table(
      ['', 'available', '±', 'worst 5 %', 'without sound', 'switches', 'false', 'name moved', 'false'],
      results.map((result) => [
        keeperWords(result),
        percent(result.availability.mean),
        uncertainty(result),
        percent(result.availability.worst5Percent),
        `${minutes(result.outageMinutes)} min`,
        result.perYear.switches.toFixed(1),
        result.perYear.falseSwitches.toFixed(1),
        result.perYear.moves.toFixed(1),
        result.perYear.falseMoves.toFixed(1),
      ]),
    ),
    '',
    'Minutes without sound by what went wrong:',
    '',
    ...table(
      ['', 'a year', ...results.map(keeperWords)],
      causeRows(causes, results, ({ outageMinutesByCause }) => outageMinutesByCause, minutes),
    ),
    '',
    ...falseLines('switches', causes, results, ({ perYear }) => perYear.falseSwitchesByCause),
    ...falseLines('moves of the name', causes, results, ({ perYear }) => perYear.falseMovesByCause),
    'A model, not a promise: docs/simulate.md says what it assumes. Set your own rates with --rates.',
  ];
  return lines.join('\n');
}

type ByCause = (result: KeeperYears) => Readonly<Record<string, number>>;

function causeRows(
  causes: readonly Cause[],
  results: readonly KeeperYears[],
  byCause: ByCause,
  words: (value: number) => string,
): string[][] {
  const of = (id: string) => results.map((result) => byCause(result)[id] ?? 0);
  return causes
    .filter(({ id }) => of(id).some((one) => one >= 0.005))
    .sort((a, b) => Math.max(...of(b.id)) - Math.max(...of(a.id)))
    .map(({ id, words: name, perYear, faults }) => [
      name,
      `${Number((perYear * faults.length).toPrecision(2))}×`,
      ...of(id).map(words),
    ]);
}

/** Nothing where there was none; a keeper that made none is left out. */
function falseLines(
  what: string,
  causes: readonly Cause[],
  results: readonly KeeperYears[],
  byCause: ByCause,
): string[] {
  const some = results.filter((result) => Object.keys(byCause(result)).length > 0);
  const rows = causeRows(causes, some, byCause, (value) => value.toFixed(2));
  if (rows.length === 0) return [];
  return [
    `False ${what} a year by what went wrong:`,
    '',
    ...table(['', 'a year', ...some.map(keeperWords)], rows),
    '',
  ];
}

/** Two standard errors of the mean of the years, as minutes. */
function uncertainty({ availability }: KeeperYears): string {
  const { standardError } = availability;
  return Number.isFinite(standardError) ? `${minutes(2 * standardError * MINUTES_A_YEAR)} min` : '-';
}

/** As many digits as tell one nine from the next. */
function percent(share: number): string {
  const digits = share >= 1 ? 4 : Math.max(1, Math.min(6, Math.ceil(-Math.log10(1 - share))));
  return `${(share * 100).toFixed(digits)} %`;
}

const minutes = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(0));

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)];
}
