import { type AirTime, hearEvent, newAirTime, untilNow, withAirPolicy } from '../../domain/air-time.ts';
import type { ServerName, StationName } from '../../domain/ids.ts';
import {
  type Incident,
  type IncidentBook,
  type IncidentChange,
  newIncidentBook,
  noteInBook,
  openAsOf,
  passTime,
  withPolicy,
} from '../../domain/incidents.ts';
import type { StationPolicy } from '../../domain/policy.ts';
import { concerns } from '../../domain/record.ts';
import type { StoredEvent } from '../rows.ts';
import type { Stretch } from './stretches.ts';

/** What the log of one agent says, worked out again from its events alone. */
export interface Story {
  /** Null: the log has no start of an agent in it. */
  readonly agent: string | null;
  readonly events: number;
  readonly fromSeq: number | null;
  readonly toSeq: number | null;
  /** Events that the log says it could not take. */
  readonly lost: number;
  readonly stations: ReadonlyMap<StationName, StationStory>;
}

export interface StationStory {
  readonly self: ServerName;
  readonly stretches: readonly Stretch[];
  readonly incidents: readonly Incident[];
  readonly switches: readonly StoredEvent[];
}

interface Chapter {
  policy: StationPolicy;
  air: AirTime;
  book: IncidentBook;
  readonly stretches: Stretch[];
  readonly incidents: Map<string, Incident>;
  readonly switches: StoredEvent[];
}

/** Reads the events of one log in order. */
export class StoryReader {
  readonly #chapters = new Map<StationName, Chapter>();
  #agent: string | null = null;
  #events = 0;
  #fromSeq: number | null = null;
  #toSeq: number | null = null;
  #lost = 0;
  #lastUnixMs: number | null = null;

  take(row: StoredEvent): void {
    const stored = this.#sinceRowBefore(row);
    const { event, unixMs, station, seq } = stored;
    this.#lastUnixMs = unixMs;
    if (event.kind === 'events-lost') this.#lost += event.count;
    this.#events += 1;
    this.#fromSeq ??= seq;
    this.#toSeq = seq;
    if (event.kind === 'agent-started') this.#agent = event.agent;
    if (event.kind === 'settings' && station !== null) this.#settings(station, event.policy, unixMs);
    const first = [...this.#chapters.keys()][0];
    for (const [name, chapter] of this.#chapters) {
      if (first === undefined || !concerns(stored, name, first)) continue;
      this.#hear(chapter, stored);
    }
  }

  /** A row that can't be read, and an agent that had written nothing yet, don't say since when nothing is known. */
  #sinceRowBefore(stored: StoredEvent): StoredEvent {
    const { event } = stored;
    if (event.kind !== 'events-lost' || event.fromUnixMs !== undefined || this.#lastUnixMs === null)
      return stored;
    return { ...stored, event: { ...event, fromUnixMs: this.#lastUnixMs } };
  }

  /** `knownToUnixMs`: from then on nothing is known. */
  end(knownToUnixMs: number): Story {
    const stations = new Map<StationName, StationStory>();
    for (const [name, chapter] of this.#chapters) {
      const { segments } = untilNow(chapter.air, knownToUnixMs);
      for (const segment of segments) chapter.stretches.push({ ...segment, endedBySeq: null });
      const { book, changes } = passTime(chapter.book, knownToUnixMs);
      this.#keep(chapter, changes);
      for (const incident of openAsOf(book, knownToUnixMs)) chapter.incidents.set(incident.id, incident);
      stations.set(name, {
        self: chapter.policy.self,
        stretches: chapter.stretches,
        incidents: [...chapter.incidents.values()],
        switches: chapter.switches,
      });
    }
    const counted = { agent: this.#agent, events: this.#events, lost: this.#lost };
    return { ...counted, fromSeq: this.#fromSeq, toSeq: this.#toSeq, stations };
  }

  #settings(station: StationName, policy: StationPolicy, unixMs: number): void {
    const known = this.#chapters.get(station);
    if (known === undefined) {
      this.#chapters.set(station, {
        policy,
        air: newAirTime(policy, unixMs),
        book: newIncidentBook(policy, unixMs),
        stretches: [],
        incidents: new Map(),
        switches: [],
      });
      return;
    }
    // A row that was changed may have no policy to speak of: then nothing is taken from it.
    const [air, book] = [withAirPolicy(known.air, policy), withPolicy(known.book, policy)];
    known.policy = policy;
    known.air = air;
    known.book = book;
  }

  #hear(chapter: Chapter, stored: StoredEvent): void {
    const heard = hearEvent(chapter.air, stored);
    chapter.air = heard.airTime;
    for (const segment of heard.segments) chapter.stretches.push({ ...segment, endedBySeq: stored.seq });
    const { book, changes } = noteInBook(chapter.book, stored);
    chapter.book = book;
    this.#keep(chapter, changes);
    if (['switched', 'relay-switched', 'dns-moved', 'dns-found'].includes(stored.event.kind))
      chapter.switches.push(stored);
  }

  #keep({ incidents }: Chapter, changes: readonly IncidentChange[]): void {
    for (const { incident } of changes) incidents.set(incident.id, incident);
  }
}
