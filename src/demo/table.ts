import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { SILENT } from './rig/analysis.ts';
import type { HeardReport } from './rig/hearing.ts';

/** One measured figure and its bound; over the bound it has failed. */
export interface Measured {
  readonly where: string;
  readonly what: string;
  readonly measuredMs: number;
  readonly boundMs: number;
  /** Some figures are counts and not durations. */
  readonly unit?: 'ms' | 'times';
}

/** One thing that was broken on purpose, and what came of it. */
export interface TourResult {
  readonly broken: string;
  readonly findings: readonly Measured[];
  /** What went wrong with the scenario itself; then there may be no figures. */
  readonly failure?: string;
}

export type TableForm = 'text' | 'markdown';

const HEAD = ['Broken', 'Measured', 'Figure', 'Bound', ''] as const;
const TEXT_COLUMN_MAX = 46;

export const isWithin = (finding: Measured): boolean => finding.measuredMs <= finding.boundMs;

export const hasPassed = (result: TourResult): boolean =>
  result.failure === undefined && result.findings.length > 0 && result.findings.every(isWithin);

/** The tour's table: what was broken, what was measured where, and whether it kept its bound. */
export function tourTable(results: readonly TourResult[], form: TableForm): string {
  const rows = results.flatMap((result) => {
    const figures = result.findings.map((finding) => [
      `${finding.what}, ${finding.where}`,
      amount(finding.measuredMs, finding.unit),
      `≤ ${amount(finding.boundMs, finding.unit)}`,
      isWithin(finding) ? 'ok' : 'MISSED',
    ]);
    if (result.failure !== undefined) figures.push([result.failure, '-', '-', 'FAILED']);
    return figures.map((row, index) => [index === 0 ? result.broken : '', ...row]);
  });
  return form === 'markdown' ? markdown(rows) : text(rows);
}

function amount(value: number, unit: Measured['unit'] = 'ms'): string {
  if (!Number.isFinite(value)) return 'never';
  if (unit === 'times') return String(value);
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}

function markdown(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((value) => value.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(HEAD), line(['---', '---', '---:', '---:', '---']), ...rows.map(line)].join('\n');
}

/** Columns wide enough for their text; long text goes on in the next line of its cell. */
function text(rows: readonly (readonly string[])[]): string {
  const wrapped = [HEAD, ...rows].map((row) => row.map((value) => wrap(value, TEXT_COLUMN_MAX)));
  const widths = HEAD.map((_, column) =>
    Math.max(...wrapped.flatMap((row) => (row[column] ?? []).map((part) => part.length))),
  );
  const lines = wrapped.flatMap((row) => {
    const height = Math.max(...row.map((cell) => cell.length));
    return Array.from({ length: height }, (_, part) =>
      widths
        .map((width, column) => {
          const value = row[column]?.[part] ?? '';
          return column === 2 || column === 3 ? value.padStart(width) : value.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    );
  });
  const [head = '', ...body] = lines;
  return [head, '-'.repeat(widths.reduce((sum, width) => sum + width + 2, -2)), ...body].join('\n');
}

function wrap(value: string, width: number): readonly string[] {
  const lines: string[] = [''];
  for (const word of value.split(/\s+/)) {
    const last = lines.at(-1) ?? '';
    const joined = last === '' ? word : `${last} ${word}`;
    if (joined.length <= width) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines;
}

/** What a listener heard, in order: `primary 12.0 s, silent 4.9 s, autodj 20.1 s`. Blurs under 100 ms are left out. */
export function heardInWords(report: Pick<HeardReport, 'programmes' | 'disconnects'>): string {
  const runs = report.programmes.filter(({ durationMs }) => durationMs >= 100);
  const words = runs.map(
    ({ programme, durationMs }) =>
      `${programme === SILENT ? 'dead air' : programme} ${(durationMs / 1000).toFixed(1)} s`,
  );
  const dropped = report.disconnects > 0 ? `, disconnected ${report.disconnects} times` : '';
  return `${words.join(', ') || 'nothing'}${dropped}`;
}

/** The machine that a table was measured on, for the line beneath it. */
export function machineInWords(): string {
  const processors = cpus();
  const model = processors[0]?.model.replace(/\s+/g, ' ').trim() || process.arch;
  const gibibytes = (totalmem() / 2 ** 30).toFixed(0);
  return `${processors.length} × ${model}, ${gibibytes} GiB, ${systemName()}, Node ${process.versions.node}`;
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  } catch {
    return process.platform;
  }
}
