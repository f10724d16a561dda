import type { ServerName, StationName } from '../domain/ids.ts';
import { alertCodesOf } from '../domain/incident-effects.ts';
import { closingWords, type Incident, type IncidentChange, type Severity } from '../domain/incidents.ts';

export type MessageKind = 'opened' | 'escalated' | 'widened' | 'acknowledged' | 'closed' | 'test';

/** What is told of an incident, as it stood at that moment. Times in ms since 1970. */
export interface AlertMessage {
  /** One for each thing to be told, the same for every receiver and every try. */
  readonly id: string;
  readonly kind: MessageKind;
  readonly unixMs: number;
  /** Who tells. */
  readonly agent: string;
  readonly incident: {
    readonly id: string;
    readonly station: StationName;
    readonly thread: string;
    readonly severity: Severity;
    readonly title: string;
    readonly cause: string;
    readonly openedUnixMs: number;
    readonly closedUnixMs: number | null;
    readonly acknowledgedBy: string | null;
    readonly servers: readonly string[];
    readonly deadAirMs: Readonly<Record<string, number>>;
    /** Servers of which nobody knew all the time what listeners heard. */
    readonly unheard: readonly string[];
    /** The newest that happened to it. */
    readonly says: string;
    /** What is wrong elsewhere at the same time. */
    readonly also: readonly string[];
    /** The alerts that it is made of, by the names that the runbook has; left out in what waited on the disk for longer than they are told. */
    readonly codes?: readonly string[];
  };
}

/** Null for a change that nobody is called for. */
export function messageOf(
  { is, incident }: IncidentChange,
  agent: string,
  unixMs: number,
  also: readonly string[],
  elsewhere: ReadonlyMap<ServerName, number> = new Map(),
): AlertMessage | null {
  if (is === 'changed') return null;
  const whole = withElsewhere(incident, elsewhere);
  return {
    // Each further server is told of; everything else comes once.
    id: `${incident.id}.${is}${is === 'widened' ? `-${incident.servers.length}` : ''}`,
    kind: is,
    unixMs,
    agent,
    incident: summaryOf(whole, is === 'closed' ? [] : also),
  };
}

/** With what the other agents know of their own servers. */
function withElsewhere(incident: Incident, elsewhere: ReadonlyMap<ServerName, number>): Incident {
  return {
    ...incident,
    servers: [...new Set([...incident.servers, ...elsewhere.keys()])],
    deadAirMs: { ...incident.deadAirMs, ...Object.fromEntries(elsewhere) },
    unheard: (incident.unheard ?? []).filter((server) => !elsewhere.has(server)),
  };
}

function summaryOf(incident: Incident, also: readonly string[]): AlertMessage['incident'] {
  const { id, station, thread, severity, title, cause, openedUnixMs, closedUnixMs } = incident;
  return {
    id,
    station,
    thread,
    severity,
    title,
    cause,
    openedUnixMs,
    closedUnixMs,
    acknowledgedBy: incident.acknowledged?.author ?? null,
    servers: incident.servers,
    deadAirMs: incident.deadAirMs,
    unheard: incident.unheard ?? [],
    says:
      closedUnixMs === null ? (incident.steps.at(-1)?.says ?? title) : closingWords(incident, closedUnixMs),
    also,
    codes: alertCodesOf(incident.hadReasons),
  };
}

export function testMessage(agent: string, station: StationName, unixMs: number): AlertMessage {
  return {
    id: `test-${agent}-${unixMs.toString(36)}`,
    kind: 'test',
    unixMs,
    agent,
    incident: {
      id: `test-${unixMs.toString(36)}`,
      station,
      thread: 'test',
      severity: 'warning',
      title: 'a test of the alerts',
      cause: 'somebody ran sustain check --alerts',
      openedUnixMs: unixMs,
      closedUnixMs: unixMs,
      acknowledgedBy: null,
      servers: [],
      deadAirMs: {},
      unheard: [],
      says: 'nothing is wrong',
      also: [],
      codes: [],
    },
  };
}

const iso = (unixMs: number): string => new Date(unixMs).toISOString();

/** The JSON that webhooks and commands get; docs/alerts.md has it. */
export function jsonOf(message: AlertMessage): Readonly<Record<string, unknown>> {
  const { kind, unixMs, agent, incident } = message;
  const { openedUnixMs, closedUnixMs, ...rest } = incident;
  return {
    type: kind === 'test' ? 'test' : `incident.${kind}`,
    timestamp: iso(unixMs),
    data: {
      agent,
      ...rest,
      openedAt: iso(openedUnixMs),
      closedAt: closedUnixMs === null ? null : iso(closedUnixMs),
      durationMs: (closedUnixMs ?? unixMs) - openedUnixMs,
    },
  };
}

/** Several at once, when there are too many to be told one by one. */
export function foldedJson(messages: readonly AlertMessage[]): Readonly<Record<string, unknown>> {
  const last = messages.at(-1);
  return {
    type: 'incidents.folded',
    timestamp: iso(last?.unixMs ?? 0),
    data: { count: messages.length, messages: messages.map(jsonOf) },
  };
}
