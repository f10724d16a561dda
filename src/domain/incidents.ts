import {
  type AirSegment,
  type AirTime,
  hearEvent,
  legOnAir,
  newAirTime,
  untilNow,
  withAirPolicy,
} from './air-time.ts';
import type { ServerName, SourceName, StationName } from './ids.ts';
import { calmOf, calmUntil, type Ended, endedWith } from './incident-calm.ts';
import { type Effect, effectOf, SOUND_THREAD } from './incident-effects.ts';
import type { StationPolicy } from './policy.ts';
import type { Recorded } from './record.ts';

/** `critical`: listeners hear nothing, or nobody can help them. */
export type Severity = 'warning' | 'critical';

export type IncidentStepKind = 'opened' | 'escalated' | 'joined' | 'eased' | 'acknowledged' | 'closed';

/** Times are wall time in ms since 1970. */
export interface IncidentStep {
  readonly unixMs: number;
  readonly is: IncidentStepKind;
  readonly says: string;
}

/** One trouble from its first sign to its end, however many alerts and switches it is made of. */
export interface Incident {
  readonly id: string;
  readonly station: StationName;
  /** What belongs together: the sound of the station, one server, one leg. */
  readonly thread: string;
  readonly severity: Severity;
  readonly title: string;
  readonly cause: string;
  readonly openedUnixMs: number;
  /** Null while it lasts. */
  readonly closedUnixMs: number | null;
  readonly acknowledged: { readonly author: string; readonly unixMs: number } | null;
  readonly servers: readonly ServerName[];
  /** What keeps it open. */
  readonly reasons: readonly string[];
  /** What has kept it open at any time. */
  readonly hadReasons: readonly string[];
  /** When the last reason went; it closes when none has come back for a while. */
  readonly calmSinceUnixMs: number | null;
  /** How long it has to be calm; left out for the usual `CALM_MS`. */
  readonly calmMs?: number;
  /** Sources that were left because of it. */
  readonly left: readonly SourceName[];
  /** Dead air on each of its servers while it lasted, in ms, as far as the log of this agent can tell. */
  readonly deadAirMs: Readonly<Record<string, number>>;
  /** Servers of it of which the log did not know all the time what listeners heard; left out where there are none. */
  readonly unheard?: readonly ServerName[];
  /** The first and the newest 100. */
  readonly steps: readonly IncidentStep[];
}

/** The incidents of one station that are open. */
export interface IncidentBook {
  readonly station: StationName;
  readonly policy: StationPolicy;
  readonly airTime: AirTime;
  readonly open: readonly Incident[];
  /** The last of each thread that ended of late, since this agent started. */
  readonly ended: readonly Ended[];
  /** What was open when this agent started, and has not been found again since. */
  readonly unconfirmed: { readonly sinceUnixMs: number; readonly reasons: readonly string[] };
}

/** Something worth telling a person. `closed` carries the whole of it. */
export interface IncidentChange {
  /** `widened`: a server has come into it that was not in it when it began. */
  readonly is: 'opened' | 'escalated' | 'widened' | 'acknowledged' | 'closed' | 'changed';
  readonly incident: Incident;
}

export interface BookStep {
  readonly book: IncidentBook;
  readonly changes: readonly IncidentChange[];
}

/** One cause shows on all servers within this; what comes later is news of its own. In ms. */
export const SAME_TROUBLE_MS = 30_000;
const MOST_STEPS = 100;
/** After a start everything that is still wrong is found again within this, in ms. */
const CONFIRM_MS = 90_000;

export function newIncidentBook(
  policy: StationPolicy,
  unixMs: number,
  open: readonly Incident[] = [],
): IncidentBook {
  const unconfirmed = unconfirmedOf(open, unixMs);
  const airTime = newAirTime(policy, unixMs);
  return byClock({ station: policy.station, policy, airTime, open, ended: [], unconfirmed }, unixMs, 0);
}

/**
 * What was open when this agent started, though it hears of that only now. What has begun anew meanwhile goes on under its new
 * name, and the old one is over.
 */
export function adopt(book: IncidentBook, found: readonly Incident[], unixMs: number): BookStep {
  const late = found.filter(({ id }) => !book.open.some((one) => one.id === id));
  const isOver = ({ thread }: Incident) => book.open.some((one) => one.thread === thread);
  const more = late.filter((one) => !isOver(one));
  const { reasons } = unconfirmedOf([...more], unixMs);
  const unconfirmed = { sinceUnixMs: unixMs, reasons: [...book.unconfirmed.reasons, ...reasons] };
  return {
    book: { ...book, open: [...book.open, ...more], unconfirmed },
    changes: late.filter(isOver).map((one) => {
      const calmSinceUnixMs = one.calmSinceUnixMs ?? unixMs;
      return { is: 'closed', incident: closed({ ...one, reasons: [], calmSinceUnixMs }) };
    }),
  };
}

/** What is open, with all that its listeners have heard up to this moment; dead air that lasts is told by no event. */
export function openAsOf({ open, airTime }: IncidentBook, unixMs: number): readonly Incident[] {
  const { segments } = untilNow(airTime, unixMs);
  return open.map((incident) => withSegments(incident, segments, airTime));
}

/** The book under other settings; what is open stays open. */
export function withPolicy(book: IncidentBook, policy: StationPolicy): IncidentBook {
  return { ...book, policy, airTime: withAirPolicy(book.airTime, policy) };
}

function unconfirmedOf(open: readonly Incident[], sinceUnixMs: number): IncidentBook['unconfirmed'] {
  return { sinceUnixMs, reasons: open.flatMap(({ reasons }) => reasons) };
}

/**
 * One event into the book, when time has passed up to it. Pure, so that a report finds the same incidents in the log again,
 * though it hears of no time between two events.
 */
export function noteInBook(before: IncidentBook, recorded: Recorded): BookStep {
  const { event, unixMs } = recorded;
  const isStart = event.kind === 'agent-started';
  const { book, changes: passed } = upTo(before, recorded);
  const heard = hearEvent(book.airTime, recorded);
  const effect = effectOf(event, book);
  const unconfirmed = isStart ? unconfirmedOf(book.open, unixMs) : book.unconfirmed;
  const next = { ...book, airTime: heard.airTime, unconfirmed };
  const { book: told, changes } =
    effect === null ? { book: next, changes: [] } : applied(next, effect, unixMs);
  // The dead air that ends with this very switch belongs to the incident that it opens.
  const open = told.open.map((incident) => withSegments(incident, heard.segments, book.airTime));
  const noted = changes.map(({ is, incident }) => ({
    is,
    incident: open.find(({ id }) => id === incident.id) ?? incident,
  }));
  return { book: { ...told, open }, changes: [...passed, ...noted] };
}

/** While there was no agent, or it stood still, nothing was looked for in vain, and nobody heard that all was calm. */
function upTo(before: IncidentBook, { event, unixMs }: Recorded): BookStep {
  if (event.kind === 'agent-started') {
    const { book, changes } = passTime(before, event.lastSeenUnixMs ?? unixMs);
    return { book: byClock({ ...book, ended: [] }, unixMs, 0), changes };
  }
  if (event.kind !== 'time-missed') return passTime(before, unixMs);
  const { book, changes } = passTime(before, event.fromUnixMs);
  return { book: byClock(book, unixMs, unixMs - event.fromUnixMs), changes };
}

/**
 * What waits goes on waiting by a clock that shows another time. Nothing is calm since a time that is still to come, and
 * nothing has happened then: that was the clock before, by as much as it was put back.
 */
function byClock(book: IncidentBook, unixMs: number, byMs: number): IncidentBook {
  const { open, ended, unconfirmed } = book;
  const was = (ms: number) => (byMs < 0 && ms > unixMs ? ms + byMs : ms);
  return {
    ...book,
    open: open.map((incident) => {
      const { calmSinceUnixMs, openedUnixMs, steps, acknowledged } = incident;
      return {
        ...incident,
        openedUnixMs: was(openedUnixMs),
        calmSinceUnixMs: calmSinceUnixMs === null ? null : Math.min(unixMs, calmSinceUnixMs + byMs),
        acknowledged: acknowledged && { ...acknowledged, unixMs: was(acknowledged.unixMs) },
        steps: steps.map((step) => ({ ...step, unixMs: was(step.unixMs) })),
      };
    }),
    ended: ended.map((one) => ({ ...one, unixMs: one.unixMs + byMs })),
    unconfirmed: { ...unconfirmed, sinceUnixMs: unconfirmed.sinceUnixMs + byMs },
  };
}

/**
 * Closes what has been calm for long enough, and what nobody has found again since the agent started: as of the moment when it
 * was due, whenever this is called.
 */
export function passTime(before: IncidentBook, unixMs: number): BookStep {
  const { book, changes: forgotten } = forget(before, unixMs);
  const { book: after, changes } = closeCalm(book, unixMs);
  return { book: after, changes: [...forgotten, ...changes] };
}

function forget(book: IncidentBook, unixMs: number): BookStep {
  const { sinceUnixMs, reasons } = book.unconfirmed;
  const dueUnixMs = sinceUnixMs + CONFIRM_MS;
  if (reasons.length === 0 || unixMs < dueUnixMs) return { book, changes: [] };
  const changes: IncidentChange[] = [];
  let next: IncidentBook = { ...book, unconfirmed: { sinceUnixMs, reasons: [] } };
  for (const reason of reasons) {
    const says = 'not found again since this agent started';
    const step = removed(next, { do: 'remove', reason, says }, dueUnixMs);
    next = step.book;
    changes.push(...step.changes);
  }
  return { book: next, changes };
}

function closeCalm(before: IncidentBook, unixMs: number): BookStep {
  const due = before.open.map(calmUntil);
  const changes: IncidentChange[] = [];
  let book = before;
  for (const dueUnixMs of [...new Set(due)].filter((ms) => ms <= unixMs).sort((a, b) => a - b)) {
    const until = untilNow(book.airTime, dueUnixMs);
    const { airTime } = book;
    const open = book.open.map((incident) => withSegments(incident, until.segments, airTime));
    const over = open.filter((incident) => calmUntil(incident) <= dueUnixMs);
    changes.push(...over.map((incident) => ({ is: 'closed', incident: closed(incident) }) as const));
    const left = open.filter((incident) => !over.includes(incident));
    book = { ...book, airTime: until.airTime, open: left, ended: endedWith(book.ended, over, dueUnixMs) };
  }
  return { book, changes };
}

function applied(book: IncidentBook, effect: Effect, unixMs: number): BookStep {
  switch (effect.do) {
    case 'add':
      return added(book, effect, unixMs);
    case 'remove':
      return removed(book, effect, unixMs);
    case 'acknowledge': {
      const { author } = effect;
      const before = book.open.find(({ id }) => id === effect.incident);
      if (before === undefined || before.acknowledged !== null) return { book, changes: [] };
      const incident = withStep(
        { ...before, acknowledged: { author, unixMs } },
        { unixMs, is: 'acknowledged', says: `acknowledged by ${author}` },
      );
      return replaced(book, incident, 'acknowledged');
    }
  }
}

function added(before: IncidentBook, effect: Effect & { do: 'add' }, unixMs: number): BookStep {
  const { unconfirmed } = before;
  const found = unconfirmed.reasons.filter((one) => one !== effect.reason);
  const book = { ...before, unconfirmed: { ...unconfirmed, reasons: found } };
  const { reason, thread, severity, says, cause, servers, left } = effect;
  const known = book.open.find((one) => one.thread === thread);
  if (known === undefined) {
    const incident: Incident = {
      id: `${book.station}-${book.policy.self}-${unixMs.toString(36)}-${thread.replaceAll(/[^a-z0-9]+/gi, '-')}`,
      station: book.station,
      thread,
      severity,
      title: says,
      cause,
      openedUnixMs: unixMs,
      closedUnixMs: null,
      acknowledged: null,
      servers,
      reasons: [reason],
      hadReasons: [reason],
      calmSinceUnixMs: null,
      ...calmOf(book.ended, thread, unixMs),
      left,
      deadAirMs: {},
      steps: [{ unixMs, is: 'opened', says }],
    };
    return { book: { ...book, open: [...book.open, incident] }, changes: [{ is: 'opened', incident }] };
  }
  // After a restart every alert is found anew; the thread that is open already has it.
  if (known.reasons.includes(reason) && known.severity === severity && thread !== SOUND_THREAD)
    return { book, changes: [] };
  const isWorse = severity === 'critical' && known.severity === 'warning';
  const is = isWorse ? 'escalated' : 'joined';
  const union = <Item>(all: readonly Item[], more: readonly Item[]) => [...new Set([...all, ...more])];
  const incident = withStep(
    {
      ...known,
      severity: isWorse ? 'critical' : known.severity,
      reasons: union(known.reasons, [reason]),
      hadReasons: union(known.hadReasons, [reason]),
      servers: union(known.servers, servers),
      left: union(known.left, left),
      calmSinceUnixMs: null,
    },
    { unixMs, is, says },
  );
  const isWider =
    incident.servers.length > known.servers.length && unixMs - known.openedUnixMs > SAME_TROUBLE_MS;
  return replaced(book, incident, isWorse ? 'escalated' : isWider ? 'widened' : 'changed');
}

function removed(book: IncidentBook, effect: Effect & { do: 'remove' }, unixMs: number): BookStep {
  const known = book.open.find(({ reasons }) => reasons.includes(effect.reason));
  if (known === undefined) return { book, changes: [] };
  const reasons = known.reasons.filter((reason) => reason !== effect.reason);
  const calmSinceUnixMs = reasons.length === 0 ? unixMs : null;
  const incident = withStep(
    { ...known, reasons, calmSinceUnixMs },
    { unixMs, is: 'eased', says: effect.says },
  );
  return replaced(book, incident, 'changed');
}

function replaced(book: IncidentBook, incident: Incident, is: IncidentChange['is']): BookStep {
  const open = book.open.map((one) => (one.id === incident.id ? incident : one));
  return { book: { ...book, open }, changes: [{ is, incident }] };
}

function withStep(incident: Incident, step: IncidentStep): Incident {
  const steps = [...incident.steps, step];
  if (steps.length > MOST_STEPS + 1) steps.splice(1, 1);
  return { ...incident, steps };
}

function closed(incident: Incident): Incident {
  // A clock that was put back shows an end before the beginning.
  const unixMs = Math.max(incident.calmSinceUnixMs ?? 0, incident.openedUnixMs);
  return withStep(
    { ...incident, closedUnixMs: unixMs },
    { unixMs, is: 'closed', says: closingWords(incident, unixMs) },
  );
}

interface Heard {
  readonly deadAirMs: Readonly<Record<string, number>>;
  readonly unheard?: readonly string[];
}

/** What listeners heard of an incident, in words that claim no more than is known. */
export function heardWords({ deadAirMs, unheard = [] }: Heard, lengthOf: (ms: number) => string): string {
  const heard = Object.entries(deadAirMs).filter(([, ms]) => ms > 0);
  const known = heard.map(([server, ms]) => {
    const least = unheard.includes(server) ? 'at least ' : '';
    return `${least}${lengthOf(ms)} of dead air on ${server}`;
  });
  const unknown = unheard.filter((server) => !heard.some(([one]) => one === server));
  if (known.length + unknown.length === 0) return 'no dead air, as far as the log can tell';
  return [...known, ...(unknown.length === 0 ? [] : [`not known for ${unknown.join(', ')}`])].join(', ');
}

export function closingWords(incident: Heard & { readonly openedUnixMs: number }, unixMs: number): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return `over after ${seconds(unixMs - incident.openedUnixMs)}; ${heardWords(incident, seconds)}`;
}

/** A fault begins before it is found, so dead air counts from before the incident was opened. */
function withSegments(incident: Incident, segments: readonly AirSegment[], airTime: AirTime): Incident {
  const deadAirMs = { ...incident.deadAirMs };
  const unheard = new Set(incident.unheard);
  const calmUnixMs = incident.calmSinceUnixMs ?? Number.POSITIVE_INFINITY;
  for (const { server, fromUnixMs, toUnixMs, air } of segments) {
    if (!incident.servers.includes(server)) continue;
    if (air === 'dead' && isHeardOf(incident, server, airTime))
      deadAirMs[server] = (deadAirMs[server] ?? 0) + toUnixMs - fromUnixMs;
    const isOfIt = toUnixMs > incident.openedUnixMs && fromUnixMs < calmUnixMs;
    if (air === 'unknown' && isOfIt) unheard.add(server);
  }
  return { ...incident, deadAirMs, ...(unheard.size === 0 ? {} : { unheard: [...unheard] }) };
}

/** Whether dead air on a server is of this trouble; that of a source which isn't on air there is heard by nobody. */
function isHeardOf({ thread, hadReasons }: Incident, server: ServerName, airTime: AirTime): boolean {
  if (thread === SOUND_THREAD) return true;
  const onAir = legOnAir(airTime, server);
  return hadReasons.some(
    (reason) =>
      reason === `server-down ${server}` ||
      reason === `relay-failed ${server}` ||
      reason === `dns-server-ill ${server}` ||
      reason === `dns-held ${server}` ||
      (onAir !== null && reason.endsWith(` ${onAir}`)),
  );
}
