import { heardWords } from '../../domain/incidents.ts';
import { lengthText } from '../../domain/lengths.ts';
import { recordedSentence } from '../../domain/sentences.ts';
import type { LoudnessLine, Report, ServerReport, StationReport } from './report.ts';
import { availabilityText, EVIDENCE, eventsText, missingText, verdictText } from './text.ts';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const iso = (unixMs: number): string => new Date(unixMs).toISOString();
const WIDTH = 960;
const LEFT = 60;
const PLOT_HEIGHT = 150;
const LOUDEST_LUFS = 0;
const QUIETEST_LUFS = -70;
/** Told apart by those who see few colours too, and by their words in the legend. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#f0e442'];
const AIR_COLOURS = { sounding: '#009e73', dead: '#d5004a', planned: '#56b4e9', unknown: '#c8c8c8' } as const;

const STYLE = `body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#111;background:#fff}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}td,th{border:1px solid #bbb;padding:.25rem .5rem;text-align:left;vertical-align:top}
th{background:#f2f2f2}svg{max-width:100%;height:auto}.bad{color:#a0002f;font-weight:600}code{overflow-wrap:anywhere}`;

/** One page that stands alone: no script, nothing from elsewhere. */
export function reportHtml(report: Report): string {
  const title = `Sustain, ${iso(report.fromUnixMs)} to ${iso(report.toUnixMs)}`;
  const logs = report.logs.map((log) => {
    const isBad = log.verdict?.ok === false || log.unreadable.length > 0;
    return row([
      escaped(log.agent ?? '?'),
      `<code>${escaped(log.path)}</code>`,
      eventsText(log),
      `<span${isBad ? ' class="bad"' : ''}><code>${escaped(verdictText(log))}</code></span>`,
    ]);
  });
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${escaped(title)}</title><style>${STYLE}</style></head><body>
<h1>${escaped(title)}</h1><p>${EVIDENCE}</p>
<h2>Logs</h2>${table(['agent', 'file', 'events', 'hash chain'], logs)}
${missingText(report)
  .map((line) => `<p class="bad">${escaped(line)}</p>`)
  .join('\n')}
${report.stations.map((station) => stationHtml(station, report)).join('\n')}
</body></html>
`;
}

function stationHtml(station: StationReport, report: Report): string {
  const servers = station.servers.map((one) =>
    row([
      escaped(one.server),
      availabilityText(one.availability),
      ...[one.soundingMs, one.deadMs, one.plannedMs, one.unknownMs].map(lengthText),
    ]),
  );
  const incidents = station.incidents.map((one) =>
    row([
      iso(one.openedUnixMs),
      one.closedUnixMs === null ? 'still open' : lengthText(one.closedUnixMs - one.openedUnixMs),
      one.severity,
      escaped(one.title),
      escaped(one.cause),
      escaped(heardWords(one, lengthText)),
    ]),
  );
  const switches = station.switches.map(({ agent, stored }) =>
    row([
      iso(stored.unixMs),
      escaped(agent ?? ''),
      escaped(recordedSentence(stored.event)),
      String(stored.seq),
    ]),
  );
  return `<h2>${escaped(station.station)}</h2>
${table(['server', 'sound', 'sounding', 'dead air', 'planned silence', 'not known'], servers)}
${timelines(station.servers, report)}
${loudnessPlot(station.loudness, report)}
<h3>Incidents</h3>${table(['opened', 'length', 'severity', 'what', 'why', 'listeners heard'], incidents)}
<h3>Switches</h3>${table(['time', 'agent', 'what', 'row'], switches)}`;
}

function timelines(servers: readonly ServerReport[], { fromUnixMs, toUnixMs }: Report): string {
  const x = scale(fromUnixMs, toUnixMs);
  const height = servers.length * 30 + 40;
  const bars = servers.flatMap(({ server, stretches }, index) => [
    `<text x="0" y="${index * 30 + 17}" font-size="12">${escaped(server)}</text>`,
    ...stretches.map((one) => {
      const from = x(one.fromUnixMs);
      // What is bad is never too short to be seen.
      const width = Math.max(one.air === 'dead' ? 1.5 : 0.2, x(one.toUnixMs) - from);
      const says = `${one.air}, ${lengthText(one.toUnixMs - one.fromUnixMs)}, from ${iso(one.fromUnixMs)}`;
      return `<rect x="${from.toFixed(2)}" y="${index * 30 + 2}" width="${width.toFixed(2)}" height="22" fill="${AIR_COLOURS[one.air]}"><title>${escaped(says)}</title></rect>`;
    }),
  ]);
  const legend = Object.entries(AIR_COLOURS).map(
    ([air, colour], index) =>
      `<rect x="${LEFT + index * 130}" y="${height - 22}" width="12" height="12" fill="${colour}"/><text x="${LEFT + 17 + index * 130}" y="${height - 12}" font-size="12">${air}</text>`,
  );
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="what listeners heard">${[...bars, ...legend].join('')}</svg>`;
}

function loudnessPlot(lines: readonly LoudnessLine[], { fromUnixMs, toUnixMs }: Report): string {
  if (lines.every(({ points }) => points.length === 0)) return '<p>No levels are kept of this time.</p>';
  const x = scale(fromUnixMs, toUnixMs);
  const y = (lufs: number) =>
    ((LOUDEST_LUFS - Math.max(QUIETEST_LUFS, lufs)) / (LOUDEST_LUFS - QUIETEST_LUFS)) * PLOT_HEIGHT;
  const grid = [0, -20, -40, -60].map(
    (lufs) =>
      `<line x1="${LEFT}" x2="${WIDTH}" y1="${y(lufs)}" y2="${y(lufs)}" stroke="#ddd"/><text x="0" y="${y(lufs) + 10}" font-size="11">${lufs} LUFS</text>`,
  );
  const paths = lines.map(({ points }, index) => {
    const stepMs = Math.max(2_000, ((toUnixMs - fromUnixMs) / 600) * 3);
    let path = '';
    let lastUnixMs = Number.NEGATIVE_INFINITY;
    for (const { unixMs, momentaryLufs } of points) {
      const isNew = unixMs - lastUnixMs > stepMs;
      path += `${isNew ? 'M' : 'L'}${x(unixMs).toFixed(1)} ${y(momentaryLufs ?? QUIETEST_LUFS).toFixed(1)}`;
      lastUnixMs = unixMs;
    }
    return `<path d="${path}" fill="none" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="1.2"/>`;
  });
  const legend = lines.map(
    ({ leg }, index) =>
      `<text x="${LEFT + (index % 3) * 290}" y="${PLOT_HEIGHT + 30 + Math.floor(index / 3) * 16}" font-size="12" fill="${COLOURS[index % COLOURS.length]}">${escaped(leg)}</text>`,
  );
  const times = `<text x="${LEFT}" y="${PLOT_HEIGHT + 14}" font-size="11">${iso(fromUnixMs)}</text><text x="${WIDTH}" y="${PLOT_HEIGHT + 14}" font-size="11" text-anchor="end">${iso(toUnixMs)}</text>`;
  const height = PLOT_HEIGHT + 40 + Math.ceil(lines.length / 3) * 16;
  return `<h3>Loudness</h3><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="momentary loudness of each source">${[...grid, ...paths, times, ...legend].join('')}</svg>`;
}

function scale(fromUnixMs: number, toUnixMs: number): (unixMs: number) => number {
  return (unixMs) => LEFT + ((unixMs - fromUnixMs) / Math.max(1, toUnixMs - fromUnixMs)) * (WIDTH - LEFT);
}

function table(heads: readonly string[], rows: readonly string[]): string {
  if (rows.length === 0) return '<p>None.</p>';
  return `<table><thead>${row(heads, 'th')}</thead><tbody>${rows.join('')}</tbody></table>`;
}

function row(cells: readonly string[], tag: 'td' | 'th' = 'td'): string {
  return `<tr>${cells.map((one) => `<${tag}>${one}</${tag}>`).join('')}</tr>`;
}
