// What metering costs, as tables, as markdown and as a plot.
import { chartsSvg } from './plot.mjs';
import { machine } from './report.mjs';

/**
 * @typedef {{ name: string, perHour: number, core: number, ratio: number }} Row CPU seconds per hour of audio, percent of
 *   one core while it is live, and how many times ours that is
 * @typedef {{ count: number, core: number, memory: number }} Legs percent of one core and MiB, for all of them together
 */

export const CONTENDERS = {
  sustain: 'Sustain: every reading, true peak and all faults',
  ebur128: 'libebur128: M, S, I and true peak, S asked for once a second',
  ebur128Often: 'libebur128: M, S, I and true peak, S asked for ten times a second',
  ebur128Loudness: 'libebur128: M, S and I only, S asked for once a second',
  ffmpegBoth: 'ffmpeg: silencedetect,ebur128=peak=true, without its start and reading',
};
const LEAST_RATIO = 5;
const WHOLE_CORE = 100;

/**
 * What was promised and doesn't hold.
 *
 * @param {readonly Row[]} rows
 * @param {readonly Legs[]} legs
 */
export function judge(rows, legs) {
  const { ratio } = rows.find(({ name }) => name === 'ebur128');
  const most = legs.at(-1);
  return [
    ...(ratio < LEAST_RATIO ? [`only ${ratio.toFixed(2)} times cheaper than libebur128`] : []),
    ...(most.core > WHOLE_CORE ? [`${most.count} legs take ${most.core.toFixed(0)} % of a core`] : []),
  ];
}

const COST_HEADS = ['', 'CPU s per hour of audio', '% of a core', 'times Sustain'];
const costCells = (rows) =>
  rows.map(({ name, perHour, core, ratio }) => [
    CONTENDERS[name],
    perHour.toFixed(2),
    core.toFixed(4),
    ratio.toFixed(2),
  ]);

const LEGS_HEADS = ['legs', '% of a core, all', '% of a core, each', 'memory MiB, all', 'MiB each'];
const legsCells = (legs) =>
  legs.map(({ count, core, memory }) => [
    String(count),
    core.toFixed(2),
    (core / count).toFixed(4),
    memory.toFixed(0),
    (memory / count).toFixed(2),
  ]);

/** For the terminal. */
export function meterTables(rows, legs) {
  const lines = [
    [COST_HEADS, ...costCells(rows)],
    [LEGS_HEADS, ...legsCells(legs)],
  ].map((table) => table.map((line) => line.join(' | ')).join('\n'));
  return lines.join('\n\n');
}

function markdown(heads, cells) {
  const line = (values) => `| ${values.join(' | ')} |`;
  return [line(heads), line(heads.map((_, at) => (at === 0 ? '---' : '--:'))), ...cells.map(line)].join('\n');
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly Legs[]} legs
 * @param {{ command: string, rounds: number, audio: number, warmUpSeconds: number, failures: readonly string[] }} run
 */
export function meterMarkdown(rows, legs, run) {
  const ratioOf = (wanted) => rows.find(({ name }) => name === wanted).ratio.toFixed(1);
  const most = legs.at(-1);
  const failed = run.failures.map((failure) => `- ${failure}`).join('\n');
  return `# What metering a leg costs
${failed === '' ? '' : `\n**Not held:**\n\n${failed}\n`}
\`${run.command}\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}.

The whole meter, with true peak and every programme fault, costs ${ratioOf('ebur128')} times less CPU than libebur128 for loudness and
true peak alone, and ${ratioOf('ffmpegBoth')} times less than ffmpeg's \`silencedetect,ebur128=peak=true\`. ${most.count} legs take ${most.core.toFixed(0)} % of one core.

## Beside others

${run.audio.toFixed(0)} s of loud electronic music, 48 kHz stereo, decoded before; user and system time, in turn, medians of ${run.rounds} rounds.
Trust the ratios before the figures.

${markdown(COST_HEADS, costCells(rows))}

## Many legs in one process

Each leg hears another place of the programme, 100 ms at a time, in turn with all others, so that caches are cold as they
are in an agent. Measured after ${run.warmUpSeconds} s, when the finder of stuck loops has all of its minute to look back at. Decoding isn't
in it: see [monitor.md](monitor.md) for what a whole monitored leg costs.

${markdown(LEGS_HEADS, legsCells(legs))}

![CPU of metering, by number of legs](meter.svg)
`;
}

/** @param {readonly Legs[]} legs */
export function meterPlot(legs) {
  const points = (amountOf) => legs.map((row) => ({ x: row.count, y: amountOf(row) }));
  return chartsSvg([
    {
      title: 'CPU of metering and faults, 48 kHz stereo',
      xLabel: 'legs metered in one process',
      yLabel: 'percent of one core, in total',
      series: [
        { name: 'Sustain, measured', points: points(({ core }) => core) },
        { name: 'one whole core', points: points(() => WHOLE_CORE) },
      ],
    },
  ]);
}
