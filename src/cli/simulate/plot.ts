import { counted } from '../../domain/counted.ts';
import type { Cause } from '../../simulate/faults.ts';
import type { KeeperYears } from '../../simulate/years.ts';
import { keeperWords } from './print.ts';

// Okabe and Ito's colours, told apart by people who see few; the last is for everything else.
const COLOURS = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#d55e00',
  '#f0e442',
  '#999999',
] as const;
const WIDTH = 900;
const LEFT = 290;
const RIGHT = 110;
const TOP = 64;
const ROW = 52;
const BAR = 30;
const LEGEND_ROW = 22;

/** Bars of the minutes without sound that a listener has in a year, each cut up by what went wrong. */
export function simulationPlot(
  causes: readonly Cause[],
  results: readonly KeeperYears[],
  years: number,
): string {
  const shown = shownCauses(causes, results);
  const most = Math.max(1e-9, ...results.map(({ outageMinutes }) => outageMinutes));
  const scale = (minutes: number) => ((WIDTH - LEFT - RIGHT) * minutes) / most;
  const rows = results.map((result, index) => row(result, TOP + index * ROW, shown, scale));
  const legendTop = TOP + results.length * ROW + 24;
  const legend = [...shown.map(({ words }) => words), 'everything else'].map((words, index) => {
    const y = legendTop + index * LEGEND_ROW;
    return `<rect x="${LEFT}" y="${y - 11}" width="14" height="14" fill="${colour(index, shown.length)}"/><text x="${LEFT + 22}" y="${y + 1}">${escapeXml(words)}</text>`;
  });
  const height = legendTop + (shown.length + 1) * LEGEND_ROW;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="14" fill="#222222" role="img">`,
    `<title>Minutes without sound per listener and year</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="16" y="30" font-size="17" font-weight="bold">Minutes without sound per listener and year, over ${counted(years, 'simulated year')}</text>`,
    ...rows,
    ...legend,
    '</svg>',
    '',
  ].join('\n');
}

/** Those that cost the most anywhere have a colour of their own. */
function shownCauses(causes: readonly Cause[], results: readonly KeeperYears[]): Cause[] {
  const most = ({ id }: Cause) => Math.max(...results.map((result) => result.outageMinutesByCause[id] ?? 0));
  return causes
    .filter((cause) => most(cause) > 0)
    .sort((a, b) => most(b) - most(a))
    .slice(0, COLOURS.length - 1);
}

function row(
  result: KeeperYears,
  y: number,
  shown: readonly Cause[],
  scale: (minutes: number) => number,
): string {
  const of = (id: string) => result.outageMinutesByCause[id] ?? 0;
  const known = shown.map(({ id }) => of(id));
  const rest = result.outageMinutes - known.reduce((sum, one) => sum + one, 0);
  let x = LEFT;
  const parts = [...known, Math.max(0, rest)].map((minutes, index) => {
    const width = scale(minutes);
    const part = `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${colour(index, shown.length)}"/>`;
    x += width;
    return width < 0.05 ? '' : part;
  });
  const total = result.outageMinutes < 10 ? result.outageMinutes.toFixed(1) : result.outageMinutes.toFixed(0);
  return [
    `<text x="${LEFT - 12}" y="${y + 20}" text-anchor="end">${escapeXml(keeperWords(result))}</text>`,
    ...parts,
    `<text x="${(x + 8).toFixed(1)}" y="${y + 20}" font-weight="bold">${total} min</text>`,
  ].join('');
}

const colour = (index: number, shown: number): string =>
  (index < shown ? COLOURS[index] : COLOURS.at(-1)) ?? COLOURS[0];

const escapeXml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
