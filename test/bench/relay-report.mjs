// What the relay's bench measured, as a table for the terminal, as markdown and as a plot.
import { chartsSvg } from './plot.mjs';
import { WAYS } from './relay-ways.mjs';
import { groupBy, machine, median } from './report.mjs';

/**
 * @typedef {import('./usage.mjs').Usage} Usage
 * @typedef {{ stations: number, way: string, round: number, usage: Usage, fault: string | null }} Cell
 * @typedef {{ stations: number, way: string, core: number, node: number, rss: number, pss: number, private: number,
 *   cores: readonly number[], faults: readonly string[] }} Row  all for the whole tree of processes
 */

/** Each way's peers with the same encoder quality. */
const PEERS = { sustain: ['liquidsoap-q3', 'liquidsoap-q3-each'], 'sustain-q2': ['liquidsoap'] };

/**
 * @param {readonly Cell[]} cells
 * @returns {Row[]} medians over the rounds
 */
export function rowsOf(cells) {
  const groups = groupBy(cells, ({ stations, way }) => `${stations} ${way}`);
  const order = Object.keys(WAYS);
  const rows = [...groups.values()].map((group) => {
    const of = (amountOf) => median(group.map(({ usage }) => amountOf(usage)));
    return {
      stations: group[0].stations,
      way: group[0].way,
      core: of((usage) => usage.core),
      node: of((usage) => usage.nodeCore),
      rss: of((usage) => usage.memory.rss),
      pss: of((usage) => usage.memory.pss),
      private: of((usage) => usage.memory.private),
      cores: group.map(({ usage }) => usage.core),
      faults: group.flatMap(({ fault }) => (fault === null ? [] : [fault])),
    };
  });
  return rows.sort((a, b) => a.stations - b.stations || order.indexOf(a.way) - order.indexOf(b.way));
}

const rowOf = (rows, stations, way) => rows.find((row) => row.stations === stations && row.way === way);
const HEADS = [
  'stations',
  'way',
  'core% a station',
  'of that Node',
  'RSS MiB a station',
  'PSS MiB a station',
  'private MiB a station',
];

const cellsOf = (rows) =>
  rows.map((row) => {
    const each = (amount, digits) => (amount / row.stations).toFixed(digits);
    return [
      String(row.stations),
      WAYS[row.way],
      each(row.core, 2),
      row.way.startsWith('sustain') ? each(row.node, 2) : '',
      each(row.rss, 1),
      each(row.pss, 1),
      each(row.private, 1),
    ];
  });

/** @param {readonly Row[]} rows */
export function tableText(rows) {
  const lines = [HEADS, ...cellsOf(rows)];
  const widths = HEADS.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) =>
      line
        .map((text, column) => (column === 1 ? text.padEnd(widths[column]) : text.padStart(widths[column])))
        .join('  '),
    )
    .join('\n');
}

/** Ours, and what nobody can leave out, to theirs at the same LAME quality. */
function ratios(rows, floor) {
  return rows.flatMap((ours) =>
    (PEERS[ours.way] ?? []).flatMap((peer) => {
      const theirs = rowOf(rows, ours.stations, peer);
      if (theirs === undefined) return [];
      const quality = ours.way === 'sustain' ? '3' : '2';
      const percent = (amount, whole) => `${Math.round((100 * amount) / whole)} %`;
      const share = (key) => percent(ours[key], theirs[key]);
      return [
        [
          String(ours.stations),
          WAYS[peer],
          share('core'),
          percent(floor[quality].encoder * ours.stations, theirs.core),
          percent(floor[quality].all * ours.stations, theirs.core),
          share('rss'),
          share('pss'),
          share('private'),
        ],
      ];
    }),
  );
}

const markdownTable = (heads, lines) =>
  [heads, heads.map((head) => (['way', 'beside'].includes(head) ? '---' : '--:')), ...lines]
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n');

/**
 * @param {readonly Row[]} rows
 * @param {readonly Cell[]} cells
 * @param {{ command: string, floor: Record<string, { encoder: number, all: number }>, warmUpMs: number, windowMs: number, rounds: number, failures: readonly string[] }} run
 */
export function reportMarkdown(rows, cells, run) {
  const others = cells.map(({ usage }) => usage.otherCore);
  const faults = rows.flatMap((row) =>
    row.faults.map((fault) => `- ${row.stations} stations, ${row.way}: ${fault}`),
  );
  const wrong = [...run.failures.map((failure) => `- ${failure}`), ...faults].join('\n');
  const spread = rows.map(
    (row) => `${row.stations}, ${row.way}: ${row.cores.map((core) => core.toFixed(1)).join(' and ')}`,
  );
  return `# What a public stream costs
${wrong === '' ? '' : `\n**Not as it should be in this run:**\n\n${wrong}\n`}
\`${run.command}\`, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC.
${machine()}.

One real Icecast and two mounts of 44.1 kHz stereo MP3 at 128 kbit/s for each station, carrying the same programme at
different times. Out of them each station's public mount is made: MP3, 128 kbit/s, 44.1 kHz. The ways are measured in
turn on the same mounts, in ${run.rounds} round${run.rounds === 1 ? '' : 's'} of ${run.windowMs / 1000} s, ${run.warmUpMs / 1000} s after every mount was heard and every public mount
was there. CPU is user and system time in percent of one core; memory is that of the whole tree of processes at the end.
Both are medians of the rounds. Icecast and the feeder are not counted.

${markdownTable(HEADS, cellsOf(rows))}

Sustain as a share of liquidsoap at the same quality of the encoder. Beside it what libmp3lame alone takes, and "the least":
that with two legs decoded by ffmpeg and metered and one chain of ours, all from the same programme in memory, without
network, delay lines or decisions. No relay that encodes by libmp3lame and does the same work can take less.

${markdownTable(
  ['stations', 'beside', 'CPU', 'CPU of LAME alone', 'the least CPU', 'RSS', 'PSS', 'private'],
  ratios(rows, run.floor),
)}

![Growth with the number of stations](relay.svg)

They don't do the same with the sound. Liquidsoap: \`input.http\` twice, \`blank.strip\`, \`fallback\`, \`compress\`, \`limit\`.
Sustain: both legs metered (levels, loudness, true peak, faults), delayed, aligned and spliced, and the chain of the preset
\`music\`: levelled, compressed in bands, limited by true peak. Liquidsoap runs its streams in one thread and can't carry more
stations than fill one core, so it is not measured past 24.

The rest of the machine (Icecast, the feeder, whatever else ran) took ${Math.min(...others).toFixed(0)} to ${Math.max(...others).toFixed(0)} core% meanwhile, so trust
the ratios before the figures. Total core% of each round: ${spread.join('; ')}.
`;
}

/** @param {readonly Row[]} rows */
export function reportPlot(rows) {
  const plotted = Object.keys(WAYS).filter((way) => rows.some((row) => row.way === way));
  const series = (amountOf) =>
    plotted.map((way) => ({
      name: WAYS[way],
      points: rows.filter((row) => row.way === way).map((row) => ({ x: row.stations, y: amountOf(row) })),
    }));
  const xLabel = 'stations';
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
