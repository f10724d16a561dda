import { counted } from '../../domain/counted.ts';
import { heardWords } from '../../domain/incidents.ts';
import { lengthText } from '../../domain/lengths.ts';
import { recordedSentence } from '../../domain/sentences.ts';
import type { LogReport, Report } from './report.ts';

const iso = (unixMs: number): string => new Date(unixMs).toISOString();

/** What this is, and what it is not. */
export const EVIDENCE =
  "This is evidence from an agent's own log: what its ears heard and what it did. Whether any rule was kept is for people to judge.";

/** Six digits, cut and not rounded: 100 % is said only where nothing was missing. */
export function availabilityText(availability: number | null): string {
  if (availability === null) return 'not known';
  return `${(Math.floor(availability * 1e6) / 1e4).toFixed(4)} %`;
}

export function verdictText({ verdict, unreadable }: LogReport): string {
  const lost = unreadable.length === 0 ? '' : `; rows that cannot be read: ${rangesText(unreadable)}`;
  if (verdict === null) return `not verified (--verify)${lost}`;
  if (!verdict.ok) return `CHANGED at row ${verdict.seq}: ${verdict.says}${lost}`;
  const kept = verdict.kept.map(({ head, seq }) => `; the head ${head} is that of row ${seq}`);
  return `whole: rows ${verdict.fromSeq ?? 0} to ${verdict.toSeq ?? 0}, head ${verdict.head}${kept.join('')}`;
}

/** How many events a log has, and how many it could not take. */
export function eventsText({ events, lostEvents }: LogReport): string {
  return lostEvents === 0
    ? `${events} events`
    : `${events} events, ${lostEvents} lost before they were written`;
}

/** What is wrong with the logs as a whole, a line each. */
export function missingText({ missingHeads }: Report): readonly string[] {
  return missingHeads.map(
    (head) =>
      `MISSING: no row has the head ${head}: rows that were there are gone or changed, or it is of another log`,
  );
}

export function reportText(report: Report): string {
  const lines = [`Sustain: ${iso(report.fromUnixMs)} to ${iso(report.toUnixMs)}`, EVIDENCE, ''];
  for (const log of report.logs)
    lines.push(`log of ${log.agent ?? 'nobody'}: ${log.path}, ${eventsText(log)}, ${verdictText(log)}`);
  lines.push(...missingText(report));
  for (const { station, servers, incidents, switches } of report.stations) {
    lines.push('', station);
    for (const one of servers) {
      const rest = `dead air ${lengthText(one.deadMs)}, planned silence ${lengthText(one.plannedMs)}, not known ${lengthText(one.unknownMs)}`;
      lines.push(`  ${one.server}: sound ${availabilityText(one.availability)}; ${rest}`);
    }
    lines.push(
      `  ${counted(incidents.length, 'incident')}, ${counted(switches.length, 'switch', 'switches')}`,
    );
    for (const incident of incidents) {
      const { openedUnixMs, closedUnixMs, severity, title, cause } = incident;
      const length = closedUnixMs === null ? 'still open' : lengthText(closedUnixMs - openedUnixMs);
      lines.push(`  - ${iso(openedUnixMs)} ${severity}, ${length}: ${title}`);
      lines.push(`      why: ${cause}`, `      listeners heard: ${heardWords(incident, lengthText)}`);
    }
  }
  return lines.join('\n');
}

/** One table: every stretch of every server, every incident, every switch, with the row of the log that ended it. */
export function reportCsv(report: Report): string {
  const rows: (string | number | null)[][] = [
    ['what', 'station', 'server', 'from', 'to', 'ms', 'is', 'detail', 'seq'],
  ];
  for (const { station, servers, incidents, switches } of report.stations) {
    for (const { server, stretches } of servers)
      for (const { fromUnixMs, toUnixMs, air, endedBySeq } of stretches)
        rows.push([
          'air',
          station,
          server,
          iso(fromUnixMs),
          iso(toUnixMs),
          toUnixMs - fromUnixMs,
          air,
          '',
          endedBySeq,
        ]);
    for (const incident of incidents) {
      const { openedUnixMs, closedUnixMs, servers: of, severity, title, cause } = incident;
      rows.push([
        'incident',
        station,
        of.join(' '),
        iso(openedUnixMs),
        closedUnixMs === null ? null : iso(closedUnixMs),
        closedUnixMs === null ? null : closedUnixMs - openedUnixMs,
        severity,
        `${title}; ${cause}; listeners heard: ${heardWords(incident, lengthText)}`,
        null,
      ]);
    }
    for (const { agent, stored } of switches)
      rows.push([
        'switch',
        station,
        agent,
        iso(stored.unixMs),
        null,
        null,
        stored.event.kind,
        recordedSentence(stored.event),
        stored.seq,
      ]);
  }
  return `${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

/** A cell that a spreadsheet would run is made text. */
function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function reportJson(report: Report): unknown {
  return {
    evidence: EVIDENCE,
    from: iso(report.fromUnixMs),
    to: iso(report.toUnixMs),
    logs: report.logs,
    missingHeads: report.missingHeads,
    stations: report.stations.map(({ loudness: _loudness, servers, incidents, switches, station }) => ({
      station,
      servers: servers.map(({ stretches, ...totals }) => ({
        ...totals,
        stretches: stretches.map(({ fromUnixMs, toUnixMs, air, endedBySeq }) => ({
          from: iso(fromUnixMs),
          to: iso(toUnixMs),
          is: air,
          endedBySeq,
        })),
      })),
      incidents: incidents.map((incident) => ({
        ...incident,
        heard: heardWords(incident, lengthText),
        lengthMs: incident.closedUnixMs === null ? null : incident.closedUnixMs - incident.openedUnixMs,
      })),
      switches: switches.map(({ agent, stored }) => ({
        agent,
        seq: stored.seq,
        time: iso(stored.unixMs),
        says: recordedSentence(stored.event),
      })),
    })),
  };
}

/** `3, 7-12`, of numbers in order: a page of the file that is damaged takes dozens. */
export function rangesText(numbers: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const number of numbers) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === number - 1) range[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
}
