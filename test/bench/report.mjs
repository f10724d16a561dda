// What was measured, as a table for the terminal, as markdown and as a plot.
import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { chartsSvg } from './plot.mjs';

/**
 * @typedef {import('./usage.mjs').Usage} Usage
 * @typedef {{ legs: number, way: string, round: number, usage: Usage, fault: string | null }} Cell
 * @typedef {{ legs: number, way: string, core: number, corePerLeg: number, nodePerLeg: number, pssPerLeg: number,
 *   privatePerLeg: number, rss: number, private: number, cores: readonly number[], faults: readonly string[] }} Row
 */

export const WAYS = {
  sustain: 'Sustain, one agent',
  ffmpeg: 'ffmpeg silencedetect,ebur128=peak=true per leg, read by Node',
  liquidsoap: 'liquidsoap blank.detect, one process',
  'liquidsoap-each': 'liquidsoap blank.detect, one process per leg',
};
const PLOTTED = ['sustain', 'ffmpeg', 'liquidsoap'];

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * @param {readonly Cell[]} cells
 * @returns {Row[]} medians over the rounds, by number of legs and way
 */
export function rowsOf(cells) {
  const groups = groupBy(cells, ({ legs, way }) => `${legs} ${way}`);
  const order = Object.keys(WAYS);
  const rows = [...groups.values()].map((group) => {
    const { legs, way } = group[0];
    const of = (amountOf) => median(group.map(({ usage }) => amountOf(usage)));
    const core = of((usage) => usage.core);
    return {
      legs,
      way,
      core,
      corePerLeg: core / legs,
      nodePerLeg: of((usage) => usage.nodeCore) / legs,
      pssPerLeg: of((usage) => usage.memory.pss) / legs,
      privatePerLeg: of((usage) => usage.memory.private) / legs,
      rss: of((usage) => usage.memory.rss),
      private: of((usage) => usage.memory.private),
      cores: group.map(({ usage }) => usage.core),
      faults: group.flatMap(({ fault }) => (fault === null ? [] : [fault])),
    };
  });
  return rows.sort((a, b) => a.legs - b.legs || order.indexOf(a.way) - order.indexOf(b.way));
}

export const rowOf = (rows, legs, way) => rows.find((row) => row.legs === legs && row.way === way);
const HEADS = [
  ...['legs', 'way', 'core% total', 'core% per leg', 'of that Node', 'times Sustain', 'PSS MiB per leg'],
  ...['private MiB per leg', 'RSS MiB total'],
];

function cellsOf(rows) {
  return rows.map((row) => {
    const sustain = rowOf(rows, row.legs, 'sustain');
    const ratio = sustain && row.way !== 'sustain' ? `${(row.core / sustain.core).toFixed(2)} x` : '';
    return [
      String(row.legs),
      WAYS[row.way],
      row.core.toFixed(1),
      row.corePerLeg.toFixed(3),
      row.way.startsWith('liquidsoap') ? '' : row.nodePerLeg.toFixed(3),
      ratio,
      row.pssPerLeg.toFixed(1),
      row.privatePerLeg.toFixed(1),
      row.rss.toFixed(0),
    ];
  });
}

/** @param {readonly Row[]} rows */
export function tableText(rows) {
  const lines = [HEADS, ...cellsOf(rows)];
  const widths = HEADS.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const isText = (column) => column === 1;
  const padded = (text, column) =>
    isText(column) ? text.padEnd(widths[column]) : text.padStart(widths[column]);
  return lines.map((line) => line.map(padded).join('  ')).join('\n');
}

function versionOf(command, args, pattern) {
  try {
    const text = execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return pattern.exec(text)?.[1] ?? '?';
  } catch {
    return '?';
  }
}

/** The machine and the versions of what was run, as one paragraph. */
export function machine() {
  const gib = Math.round(totalmem() / 2 ** 30);
  return [
    `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}, ${gib} GiB`,
    `Node ${process.version.slice(1)}`,
    `ffmpeg ${versionOf('ffmpeg', ['-version'], /version (\S+)/)}`,
    `Icecast ${versionOf('icecast2', ['-v'], /Icecast (\S+)/)}`,
    `Liquidsoap ${versionOf('liquidsoap', ['--version'], /Liquidsoap (\S+)/)}`,
  ].join('; ');
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly Cell[]} cells
 * @param {{ command: string, warmUpMs: number, windowMs: number, rounds: number, verdicts: readonly string[],
 *   failures: readonly string[] }} run
 */
export function reportMarkdown(rows, cells, run) {
  const others = cells.map(({ usage }) => usage.otherCore);
  const table = [HEADS, HEADS.map((_, column) => (column === 1 ? '---' : '--:')), ...cellsOf(rows)];
  const spread = rows.map(
    (row) => `${row.legs} legs, ${row.way}: ${row.cores.map((core) => core.toFixed(1)).join(' and ')}`,
  );
  const faults = rows.flatMap((row) => row.faults.map((fault) => `- ${row.legs} legs, ${row.way}: ${fault}`));
  const failed = run.failures.map((failure) => `- ${failure}`).join('\n');
  return `# CPU and memory per monitored leg
${failed === '' ? '' : `\n**This run failed, so don't quote it:**\n\n${failed}\n`}
\`${run.command}\`, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC.
${machine()}.

One real Icecast, as many mounts as legs, each fed with 44.1 kHz stereo MP3 at 128 kbit/s in real time. The ways are
measured in turn on the same mounts, in up to ${run.rounds} round${run.rounds === 1 ? '' : 's'} of ${run.windowMs / 1000} s after ${run.warmUpMs / 1000} s in which
every leg was heard. CPU is user and system time in percent of one core, memory that of the whole tree of processes at
the end of the window; both are medians of the rounds. Icecast and the feeder are not counted.

${table.map((line) => `| ${line.join(' | ')} |`).join('\n')}

![Growth with the number of legs](monitor.svg)

${run.verdicts.map((verdict) => `- ${verdict}`).join('\n')}

What each of them measures is not the same. Sustain, ten times a second: RMS per channel, sample peak, true peak, momentary,
short-term and integrated loudness, loudness range, correlation, all programme faults (silence, noise only, tone, a lost
channel, inverted phase, stuck loops) and the warnings; whether bytes come; and twice a second proof by the admin API
that its ear sits on the mount it claims, which is most of what one leg alone costs. ffmpeg: silence of 2 s, loudness and
true peak. Liquidsoap: silence of 2 s.

The warm-up is long because Node compiles what runs often, and sizes its heap, in the first twenty seconds: an agent runs
for months, and its first seconds cost half as much again.

The rest of the machine (Icecast, the feeder, whatever else ran) took ${Math.min(...others).toFixed(0)} to ${Math.max(...others).toFixed(0)} core% meanwhile, so trust
the ratios before the figures. Total core% of each round: ${spread.join('; ')}.
${faults.length === 0 ? '' : `\nNot as it should be:\n\n${faults.join('\n')}\n`}`;
}

/** @param {readonly Row[]} rows */
export function reportPlot(rows) {
  const series = (amountOf) =>
    PLOTTED.map((way) => ({
      name: WAYS[way],
      points: rows.filter((row) => row.way === way).map((row) => ({ x: row.legs, y: amountOf(row) })),
    }));
  const xLabel = 'monitored legs';
  return chartsSvg([
    { title: 'CPU', xLabel, yLabel: 'percent of one core, in total', series: series((row) => row.core) },
    {
      title: 'Memory of its own',
      xLabel,
      yLabel: 'private MiB, in total',
      series: series((row) => row.private),
    },
  ]);
}

export function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}
