import { existsSync, realpathSync } from 'node:fs';
import { loadConfig, printProblems } from '../config/index.ts';
import { historyFile, readHistory } from '../history/open.ts';
import { reportHtml } from '../history/report/html.ts';
import { type OpenedLog, type Report, type ReportOptions, reportOf } from '../history/report/report.ts';
import { reportCsv, reportJson, reportText } from '../history/report/text.ts';
import { messageOf } from '../platform/errors.ts';
import { EXIT } from './exit-codes.ts';
import { type OutputFile, openOutput } from './output-file.ts';

export interface ReportCommand {
  readonly config: string;
  readonly server?: string;
  readonly history?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly station?: string;
  readonly html?: string;
  readonly csv?: string;
  readonly json?: boolean;
  readonly verify?: boolean;
  readonly head?: readonly string[];
}

const WEEK_MS = 7 * 24 * 3_600_000;

/** A day (`2026-11-08`, from midnight UTC) or a moment (`2026-11-08T11:00:00+01:00`); null when it is neither. */
export function parseMoment(text: string): number | null {
  const isKnown = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  const unixMs = isKnown ? Date.parse(text) : Number.NaN;
  return Number.isNaN(unixMs) ? null : unixMs;
}

/** Opens what `--history` names, or what the config's agent writes. Null: it was said what is wrong. */
export async function openLogs(command: {
  readonly config: string;
  readonly server?: string | undefined;
  readonly history?: readonly string[] | undefined;
}): Promise<OpenedLog[] | null> {
  let paths = command.history ?? [];
  if (paths.length === 0) {
    const loaded = await loadConfig(command.config, process.env, { server: command.server });
    if (!loaded.ok) {
      process.stderr.write(`${printProblems(command.config, loaded.faults)}\n`);
      return null;
    }
    paths = [historyFile(loaded.config.state.directory)];
  }
  try {
    return distinct(paths).map((path) => ({ path, store: readHistory(path) }));
  } catch (thrown) {
    process.stderr.write(
      `${messageOf(thrown)}: name the history.db of an agent with --history, as a user who may read it\n`,
    );
    return null;
  }
}

/** Each file once, by whatever names it was given. */
function distinct(paths: readonly string[]): readonly string[] {
  const files = new Map<string, string>();
  for (const path of paths) {
    const file = existsSync(path) ? realpathSync(path) : path;
    if (!files.has(file)) files.set(file, path);
  }
  return [...files.values()];
}

/** `sustain report`: what listeners heard, from the log. Exit 1 when a log was changed, or a head is not in it. */
export async function report(command: ReportCommand): Promise<number> {
  const nowUnixMs = Date.now();
  const toUnixMs = command.to === undefined ? nowUnixMs : parseMoment(command.to);
  const fromUnixMs =
    command.from === undefined ? (toUnixMs ?? nowUnixMs) - WEEK_MS : parseMoment(command.from);
  if (fromUnixMs === null || toUnixMs === null) {
    const [name, text] = fromUnixMs === null ? ['--from', command.from] : ['--to', command.to];
    process.stderr.write(
      `${name} ${text} is no moment: write 2026-11-08 (midnight UTC) or 2026-11-08T11:00:00Z\n`,
    );
    return EXIT.unusable;
  }
  if (fromUnixMs >= toUnixMs) {
    process.stderr.write('--from is not before --to\n');
    return EXIT.unusable;
  }
  const heads = (command.head ?? []).map((head) => head.toLowerCase());
  const noHead = heads.find((head) => !/^[0-9a-f]{64}$/.test(head));
  if (noHead !== undefined) {
    process.stderr.write(
      `--head ${noHead} is no head: it is the 64 hexadecimal digits that --verify prints\n`,
    );
    return EXIT.unusable;
  }
  const files = await openFiles(command);
  if (files === null) return EXIT.unusable;
  try {
    const result = await resultOf(command, { fromUnixMs, toUnixMs, nowUnixMs, heads });
    if (result === null) return EXIT.unusable;
    process.stdout.write(
      command.json === true ? `${JSON.stringify(reportJson(result), null, 2)}\n` : `${reportText(result)}\n`,
    );
    if (!(await writeFiles(files, result))) return EXIT.failed;
    const isBad = result.logs.some(
      ({ verdict, unreadable }) => verdict?.ok === false || unreadable.length > 0,
    );
    return isBad || result.missingHeads.length > 0 ? EXIT.failed : EXIT.ok;
  } finally {
    for (const { file } of files) await file.close();
  }
}

type Asked = Pick<ReportOptions, 'fromUnixMs' | 'toUnixMs' | 'nowUnixMs' | 'heads'>;

/** Null: it was said what is wrong. */
async function resultOf(command: ReportCommand, asked: Asked): Promise<Report | null> {
  const logs = await openLogs(command);
  if (logs === null) return null;
  const isWatched = process.stderr.isTTY === true;
  const result = reportOf({
    logs,
    ...asked,
    verify: command.verify === true,
    station: command.station ?? null,
    ...(isWatched ? { progress: (events) => process.stderr.write(`\r${events} events read`) } : {}),
  });
  if (isWatched) process.stderr.write('\r\u001b[K');
  for (const { store } of logs) store.close();
  if (command.station === undefined || result.stations.length > 0) return result;
  const known = result.known.length === 0 ? 'no station' : result.known.join(', ');
  process.stderr.write(`--station ${command.station}: the log knows no such station; it knows ${known}\n`);
  return null;
}

interface Written {
  readonly flag: string;
  readonly file: OutputFile;
  readonly textOf: (result: Report) => string;
}

/** What can't be written is found before the logs are read. Null: it was said which. */
async function openFiles(command: ReportCommand): Promise<readonly Written[] | null> {
  const files: Written[] = [];
  for (const [name, path, textOf] of [
    ['--html', command.html, reportHtml],
    ['--csv', command.csv, reportCsv],
  ] as const) {
    const file = await openOutput(path);
    if (file === null) continue;
    const flag = `${name} ${path}`;
    if (!file.ok) {
      process.stderr.write(`${flag}: ${file.message}\n`);
      for (const opened of files) await opened.file.close();
      return null;
    }
    files.push({ flag, file, textOf });
  }
  return files;
}

async function writeFiles(files: readonly Written[], result: Report): Promise<boolean> {
  let isWhole = true;
  for (const { flag, file, textOf } of files) {
    try {
      await file.write(textOf(result));
    } catch (thrown) {
      process.stderr.write(`${flag}: ${messageOf(thrown)}\n`);
      isWhole = false;
    }
  }
  return isWhole;
}
