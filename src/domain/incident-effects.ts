import type { AlertCode } from './events.ts';
import type { FailoverAlertCode } from './failover.ts';
import type { ServerName, SourceName } from './ids.ts';
import type { IncidentBook, Severity } from './incidents.ts';
import type { AgentAlertCode, RecordedEvent } from './record.ts';

const CRITICAL: readonly Opened['code'][] = [
  'nothing-audible',
  'server-down',
  'relay-failed',
  'dns-no-server-well',
  'dns-held',
];
const OF_A_SERVER: readonly Opened['code'][] = [
  'server-down',
  'dns-server-ill',
  'admin-unauthorised',
  'admin-overloaded',
  'agent-gone',
  'agent-twice',
];
/** Each agent says it of the other: it is one trouble, and of no one server. */
const OF_ALL: readonly Opened['code'][] = ['processing-differs'];
/** The thread of what listeners hear; there is one for each station. */
export const SOUND_THREAD = 'sound';

/** What begins the reason that another source than the first is on air, or the name elsewhere than at home. */
const AWAY = 'away';

/** What one event does to the incidents of a station. */
export type Effect =
  | {
      readonly do: 'add';
      readonly reason: string;
      readonly thread: string;
      readonly severity: Severity;
      readonly says: string;
      readonly cause: string;
      readonly servers: readonly ServerName[];
      readonly left: readonly SourceName[];
    }
  | { readonly do: 'remove'; readonly reason: string; readonly says: string }
  | { readonly do: 'acknowledge'; readonly incident: string; readonly author: string };

export function effectOf(event: RecordedEvent, book: IncidentBook): Effect | null {
  const { policy } = book;
  const first = policy.sources[0];
  switch (event.kind) {
    case 'switched': {
      const reason = `${AWAY} ${event.server}`;
      const says = `${event.server}: ${event.from} to ${event.to}, because ${event.because}`;
      if (event.to === first || event.trigger === 'operator') return { do: 'remove', reason, says };
      if (event.trigger !== 'fault') return null;
      return switchAway(reason, says, event.because, event.server, event.from);
    }
    case 'took-over':
      return foundOnAir(event, first);
    case 'role-changed':
      return event.to === 'watching'
        ? { do: 'remove', reason: `${AWAY} ${event.server}`, says: `${event.server}: ${event.because}` }
        : null;
    case 'relay-switched': {
      const reason = `${AWAY} ${policy.self}`;
      const source = policy.legs.find((leg) => leg.id === event.to)?.source ?? null;
      const from = policy.legs.find((leg) => leg.id === event.from)?.source ?? null;
      const filler = event.filler === undefined ? 'the noise floor' : 'the emergency file';
      const says = `${policy.self}: ${event.to ?? filler} on air, because ${event.because}`;
      if (source === first || event.trigger === 'operator') return { do: 'remove', reason, says };
      const wasAway = book.open.some(({ reasons }) => reasons.includes(reason));
      if (event.trigger === 'start' && wasAway)
        return switchAway(reason, says, event.because, policy.self, null);
      return event.trigger === 'fault' ? switchAway(reason, says, event.because, policy.self, from) : null;
    }
    case 'dns-moving': {
      if (event.from === event.to) return null;
      const says = `the name goes to ${event.to}, because ${event.because}`;
      if (event.trigger !== 'fault' || event.isHome) return { do: 'remove', reason: `${AWAY} dns`, says };
      return switchAway(`${AWAY} dns`, says, event.because, event.from, null);
    }
    case 'dns-found': {
      const says = `the name points to ${event.to}`;
      return event.isHome ? { do: 'remove', reason: `${AWAY} dns`, says } : null;
    }
    case 'alert-opened':
    case 'dns-alert-opened':
    case 'agent-alert-opened':
      return alertOpened(event, book);
    case 'alert-closed':
    case 'dns-alert-closed':
    case 'agent-alert-closed':
      return {
        do: 'remove',
        reason: `${event.code} ${event.subject}`,
        says: `over: ${event.code} (${event.subject})`,
      };
    case 'acknowledged':
      return { do: 'acknowledge', incident: event.incident, author: event.author };
    default:
      return null;
  }
}

/** An agent that finds another source than the first on the air has missed the switch, by its death perhaps. */
function foundOnAir(
  event: RecordedEvent & { kind: 'took-over' },
  first: SourceName | undefined,
): Effect | null {
  const { server, source, because } = event;
  const reason = `${AWAY} ${server}`;
  const says = `${server}: ${source} is on air (${because})`;
  if (source === first || event.held === true) return { do: 'remove', reason, says };
  return switchAway(reason, says, `${source} was found on air at a start: ${because}`, server, null);
}

function switchAway(
  reason: string,
  says: string,
  cause: string,
  server: ServerName | null,
  from: SourceName | null,
): Effect {
  const servers = server === null ? [] : [server];
  const left = from === null ? [] : [from];
  return { do: 'add', reason, thread: SOUND_THREAD, severity: 'warning', says, cause, servers, left };
}

interface Opened {
  readonly code: AlertCode | FailoverAlertCode | AgentAlertCode;
  readonly subject: string;
  readonly detail: string;
}

function alertOpened({ code, subject, detail }: Opened, { policy, open }: IncidentBook): Effect {
  const leg = policy.legs.find(({ id }) => id === subject);
  const server =
    leg?.server ?? policy.servers.find((name) => subject === name || subject.startsWith(`${name}/`));
  const place = leg === undefined ? (server ?? '') : `${leg.source} on ${leg.server}`;
  const words = code === 'server-down' ? `Icecast is down: ${detail}` : detail;
  const sound = open.find(({ thread }) => thread === SOUND_THREAD);
  const belongsToSound =
    code === 'nothing-audible' ||
    code === 'dns-no-server-well' ||
    (leg !== undefined && code !== 'cannot-hear' && sound?.left.includes(leg.source) === true);
  const isOfServer = OF_A_SERVER.includes(code) || (code === 'cannot-hear' && leg === undefined);
  const own = OF_ALL.includes(code) ? code : `${code} ${subject}`;
  return {
    do: 'add',
    reason: `${code} ${subject}`,
    thread: belongsToSound ? SOUND_THREAD : isOfServer && server !== undefined ? `server ${server}` : own,
    severity: CRITICAL.includes(code) ? 'critical' : 'warning',
    // A person reads where it is and what; the code, by which the runbook knows it, stays in the reason.
    says: place === '' || words.startsWith(place) ? words : `${place}: ${words}`,
    cause: detail,
    servers: server === undefined ? [] : [server],
    left: [],
  };
}

/** The codes of the alerts among the reasons of an incident, by which the runbook knows what to do. */
export function alertCodesOf(reasons: readonly string[]): readonly string[] {
  return [...new Set(reasons.map((reason) => reason.split(' ')[0] ?? ''))].filter((code) => code !== AWAY);
}
