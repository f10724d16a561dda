import type { ServerName, StationName } from './ids.ts';
import { heardWords, type Incident, type IncidentStepKind, type Severity } from './incidents.ts';
import { lengthText } from './lengths.ts';
import type { RecordedEvent } from './record.ts';

/** One incident for people: times in ISO 8601, durations in ms. */
export interface IncidentView {
  readonly id: string;
  readonly station: StationName;
  readonly severity: Severity;
  readonly title: string;
  readonly cause: string;
  readonly openedAt: string;
  /** Null while it lasts. */
  readonly closedAt: string | null;
  /** Up to now while it lasts. */
  readonly durationMs: number;
  /** How long nothing of it has been there by now, though it may come back; null: it is there, or is over. */
  readonly calmForMs: number | null;
  readonly acknowledged: { readonly author: string; readonly time: string } | null;
  readonly servers: readonly ServerName[];
  /** What listeners of each server heard of it: dead air in ms, as far as this agent's log can tell. */
  readonly deadAirMs: Readonly<Record<string, number>>;
  /** Servers of it of which the log did not know all the time what listeners heard. */
  readonly unheard: readonly ServerName[];
  /** Both in words, as the alerts and the report have them. */
  readonly heard: string;
  readonly steps: readonly { readonly time: string; readonly is: IncidentStepKind; readonly says: string }[];
}

/** One line of the event log. */
export interface StoredEventView {
  /** Without holes; the newest has the highest. */
  readonly seq: number;
  readonly time: string;
  /** Null: the whole agent. */
  readonly station: StationName | null;
  /** In words. */
  readonly says: string;
  readonly author: string | null;
  readonly event: RecordedEvent;
}

/** The newest first. */
export interface EventPage {
  readonly events: readonly StoredEventView[];
  /** For `before` in the next question; null when there is no more. */
  readonly before: number | null;
}

export interface IncidentFilter {
  readonly station?: StationName;
  readonly openOnly?: boolean;
  readonly fromUnixMs?: number;
  readonly toUnixMs?: number;
  readonly limit: number;
}

export interface EventFilter {
  readonly station?: StationName;
  readonly operatorActsOnly?: boolean;
  readonly fromUnixMs?: number;
  readonly toUnixMs?: number;
  readonly beforeSeq?: number;
  readonly limit: number;
}

/** `iso` turns ms since 1970 into ISO 8601, as this room knows no dates. */
export function incidentView(
  incident: Incident,
  nowUnixMs: number,
  iso: (unixMs: number) => string,
): IncidentView {
  const { id, station, severity, title, cause, openedUnixMs, closedUnixMs, servers, deadAirMs } = incident;
  const { acknowledged, unheard = [], steps, calmSinceUnixMs } = incident;
  const isCalm = closedUnixMs === null && calmSinceUnixMs !== null;
  return {
    id,
    station,
    severity,
    title,
    cause,
    openedAt: iso(openedUnixMs),
    closedAt: closedUnixMs === null ? null : iso(closedUnixMs),
    durationMs: Math.max(0, (closedUnixMs ?? nowUnixMs) - openedUnixMs),
    calmForMs: isCalm ? Math.max(0, nowUnixMs - calmSinceUnixMs) : null,
    acknowledged:
      acknowledged === null ? null : { author: acknowledged.author, time: iso(acknowledged.unixMs) },
    servers,
    deadAirMs,
    unheard,
    heard: heardWords(incident, lengthText),
    steps: steps.map(({ unixMs, is, says }) => ({ time: iso(unixMs), is, says })),
  };
}
