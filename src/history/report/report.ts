import type { LegId, ServerName, StationName } from '../../domain/ids.ts';
import type { Incident } from '../../domain/incidents.ts';
import type { ChainVerdict } from '../chain.ts';
import { lostIn, type StoredEvent } from '../rows.ts';
import { unlessDamaged } from '../sqlite.ts';
import type { HistoryStore } from '../store.ts';
import { type EventPage, pageOf } from './pages.ts';
import { type StationStory, type Story, StoryReader } from './story.ts';
import { merged, type Stretch, type Totals, totalsOf, within } from './stretches.ts';
import { type FoundIncident, troublesOf } from './troubles.ts';

export interface OpenedLog {
  readonly path: string;
  readonly store: HistoryStore;
}

export interface ReportOptions {
  readonly logs: readonly OpenedLog[];
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
  readonly nowUnixMs: number;
  readonly verify: boolean;
  /** Heads of earlier reports, in hex: each has to be that of a row in one of the logs. */
  readonly heads?: readonly string[];
  /** Null: all of them. */
  readonly station: string | null;
  readonly progress?: (events: number) => void;
}

export interface LogReport {
  readonly path: string;
  readonly agent: string | null;
  readonly events: number;
  readonly fromSeq: number | null;
  readonly toSeq: number | null;
  /** Events that were not written, by the log's own account; the time of each is not known. */
  readonly lostEvents: number;
  /** Rows that are no events any more; what they said is missing in the figures. */
  readonly unreadable: readonly number[];
  /** Null: it was not asked for. */
  readonly verdict: ChainVerdict | null;
}

export interface ServerReport extends Totals {
  readonly server: ServerName;
  readonly stretches: readonly Stretch[];
}

export interface LoudnessLine {
  readonly leg: LegId;
  readonly points: readonly { readonly unixMs: number; readonly momentaryLufs: number | null }[];
}

export interface StationReport {
  readonly station: StationName;
  readonly servers: readonly ServerReport[];
  readonly incidents: readonly Incident[];
  readonly switches: readonly { readonly agent: string | null; readonly stored: StoredEvent }[];
  readonly loudness: readonly LoudnessLine[];
}

export interface Report {
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
  readonly logs: readonly LogReport[];
  /** Of the heads that were asked for, those of no row in any log. */
  readonly missingHeads: readonly string[];
  /** Every station that the logs know, whichever were asked for. */
  readonly known: readonly StationName[];
  readonly stations: readonly StationReport[];
}

const POINTS = 600;

/**
 * What listeners heard between two moments, from the logs of one or more agents. Every figure is worked out from the events
 * in the logs, and from nothing that was counted elsewhere.
 */
export function reportOf(options: ReportOptions): Report {
  const { logs, fromUnixMs, toUnixMs, verify, station, heads = [] } = options;
  const read = logs.map((log) => {
    // First, as a row that was changed may be one that nothing can be made of.
    const verdict = verify || heads.length > 0 ? log.store.verify(heads) : null;
    return { log, verdict, ...storyOf(log, options) };
  });
  const names = [...new Set(read.flatMap(({ story }) => [...story.stations.keys()]))];
  const kept = read.flatMap(({ verdict }) => (verdict?.ok === true ? verdict.kept : []));
  return {
    fromUnixMs,
    toUnixMs,
    logs: read.map(({ log, verdict, story, unreadable }) => ({
      path: log.path,
      agent: story.agent,
      events: story.events,
      fromSeq: story.fromSeq,
      toSeq: story.toSeq,
      lostEvents: story.lost,
      unreadable,
      verdict,
    })),
    missingHeads: heads.filter((head) => !kept.some((one) => one.head === head)),
    known: names,
    stations: names
      .filter((name) => station === null || name === station)
      .map((name) => stationReport(name, read, options)),
  };
}

function storyOf(
  { store }: OpenedLog,
  { toUnixMs, nowUnixMs, progress }: ReportOptions,
): { readonly story: Story; readonly unreadable: readonly number[] } {
  const reader = new StoryReader();
  const unreadable = new Set<number>();
  let count = 0;
  // Before the last row of that time may be some of a clock that was ahead; what they tell still stood when it was put back.
  const toSeq = unlessDamaged(
    () => store.lastSeqBefore(toUnixMs),
    () => Number.MAX_SAFE_INTEGER,
  );
  let page: EventPage = { rows: [], nextAfterSeq: 0 };
  while (page.nextAfterSeq !== null) {
    page = pageOf(store, page.nextAfterSeq, toSeq, unreadable);
    for (const stored of page.rows) {
      try {
        reader.take(stored);
      } catch {
        // JSON, but not what an agent writes.
        unreadable.add(stored.seq);
        reader.take(lostIn(stored));
      }
    }
    count += page.rows.length;
    progress?.(count);
  }
  const seenUnixMs = unlessDamaged(
    () => store.lastSeenUnixMs(nowUnixMs),
    () => null,
  );
  const story = reader.end(Math.min(toUnixMs, nowUnixMs, seenUnixMs ?? nowUnixMs));
  return { story, unreadable: [...unreadable].sort((a, b) => a - b) };
}

interface StationSide {
  readonly log: OpenedLog;
  readonly story: Story;
  readonly found: StationStory;
}

/** Once each, though two copies of one log be given; that of the copy which knows its end. */
function incidentsOf(stories: readonly StationSide[]): Incident[] {
  const known = new Map<string, FoundIncident>();
  for (const { story, found } of stories)
    for (const incident of found.incidents) {
      const key = `${story.agent} ${incident.id}`;
      if ((known.get(key)?.incident.closedUnixMs ?? null) === null)
        known.set(key, { agent: story.agent, incident });
    }
  return troublesOf([...known.values()]);
}

function switchesOf(stories: readonly StationSide[]): StationReport['switches'][number][] {
  const known = new Map<string, StationReport['switches'][number]>();
  for (const { story, found } of stories)
    for (const stored of found.switches)
      known.set(`${story.agent} ${stored.seq} ${stored.unixMs}`, { agent: story.agent, stored });
  return withoutEchoes([...known.values()].sort((a, b) => a.stored.unixMs - b.stored.unixMs));
}

/** An agent reads the name every 5 s; with time for a DNS that answers late. */
const FOUND_WITHIN_MS = 60_000;

/** Where the name went is said by the log of the agent that wrote it, where that is among them, and else by the first that found it. */
function withoutEchoes(
  switches: readonly StationReport['switches'][number][],
): StationReport['switches'][number][] {
  const kept: StationReport['switches'][number][] = [];
  const toOf = ({ stored: { event } }: StationReport['switches'][number]) =>
    event.kind === 'dns-moved' || event.kind === 'dns-found' ? event.to : null;
  for (const one of switches) {
    const { event, unixMs } = one.stored;
    const isEcho = (other: StationReport['switches'][number]) =>
      (other.stored.event.kind === 'dns-moved' || kept.includes(other)) &&
      toOf(other) === toOf(one) &&
      Math.abs(other.stored.unixMs - unixMs) <= FOUND_WITHIN_MS;
    if (event.kind !== 'dns-found' || !switches.some((other) => other !== one && isEcho(other)))
      kept.push(one);
  }
  return kept;
}

function stationReport(
  station: StationName,
  read: readonly { readonly log: OpenedLog; readonly story: Story }[],
  { fromUnixMs, toUnixMs }: ReportOptions,
): StationReport {
  const stories = read.flatMap(({ log, story }): StationSide[] => {
    const found = story.stations.get(station);
    return found === undefined ? [] : [{ log, story, found }];
  });
  const servers = [
    ...new Set(stories.flatMap(({ found }) => found.stretches.map(({ server }) => server))),
  ].sort();
  const isIn = (incident: Incident) =>
    incident.openedUnixMs < toUnixMs && (incident.closedUnixMs ?? toUnixMs) >= fromUnixMs;
  return {
    station,
    servers: servers.map((server) => {
      // The agent beside a server knows best what is on air there.
      const byRank = [...stories].sort(
        (a, b) => Number(b.found.self === server) - Number(a.found.self === server),
      );
      const own = byRank.map(({ found }) =>
        within(
          found.stretches.filter((one) => one.server === server),
          fromUnixMs,
          toUnixMs,
        ),
      );
      const stretches = merged(own.filter((one) => one.length > 0));
      return { server, stretches, ...totalsOf(stretches) };
    }),
    incidents: incidentsOf(stories)
      .filter(isIn)
      .sort((a, b) => a.openedUnixMs - b.openedUnixMs),
    switches: switchesOf(stories).filter(
      ({ stored: { unixMs } }) => unixMs >= fromUnixMs && unixMs < toUnixMs,
    ),
    loudness: stories[0] === undefined ? [] : loudnessOf(station, stories[0].log.store, fromUnixMs, toUnixMs),
  };
}

function loudnessOf(
  station: StationName,
  store: HistoryStore,
  fromUnixMs: number,
  toUnixMs: number,
): LoudnessLine[] {
  const read = () =>
    store
      .legs()
      .filter((leg) => leg.startsWith(`${station}/`))
      .map((leg) => ({
        leg,
        points: store.loudest({ leg, fromUnixMs, toUnixMs }, POINTS),
      }));
  return unlessDamaged(read, () => []);
}
