import type { LegId, StationName } from '../domain/ids.ts';
import type { Incident } from '../domain/incidents.ts';
import type { OutboxRow } from '../domain/outbox.ts';
import { authorOf, type Recorded, type RecordedEvent } from '../domain/record.ts';
import { type ChainVerdict, chainHash, FIRST_HASH, verifyChain } from './chain.ts';
import {
  type LevelQuery,
  type LevelRow,
  type LoudestPoint,
  type LoudnessQuery,
  type LoudnessSteps,
  loudnessSteps,
  SHORT_TERM_MS,
  thinned,
} from './levels.ts';
import { OutboxTable } from './outbox-table.ts';
import { type EventRow, type LevelDbRow, levelRow, type StoredEvent, storedEvent } from './rows.ts';
import type { Database, Statement } from './sqlite.ts';

/** What is written in one transaction: an event, what it did to an incident, and what has to be sent for it. */
export interface Batch {
  readonly events: readonly Recorded[];
  readonly incidents: readonly Incident[];
  /** An id that is there already is left as it is. */
  readonly outbox: readonly OutboxRow[];
  /** What became of rows of the outbox. */
  readonly settled?: readonly OutboxRow[];
}

export interface EventQuery {
  readonly station?: StationName;
  readonly fromUnixMs?: number;
  readonly toUnixMs?: number;
  readonly afterSeq?: number;
  /** Up to this one, and with it. */
  readonly toSeq?: number;
  /** The newest first; for pages backwards. */
  readonly beforeSeq?: number;
  readonly operatorActsOnly?: boolean;
  readonly kinds?: readonly RecordedEvent['kind'][];
  /** Told of each row that is no JSON; without it such a row is an error. */
  readonly unreadable?: (seq: number) => void;
  readonly limit: number;
}

export interface IncidentQuery {
  readonly station?: StationName;
  readonly openOnly?: boolean;
  readonly fromUnixMs?: number;
  readonly toUnixMs?: number;
  readonly limit: number;
}

export interface Keep {
  /** Rows older than this become rows of so many seconds. The oldest last. */
  readonly tiers: readonly { readonly afterMs: number; readonly spanS: number }[];
  readonly levelsMs: number;
  readonly eventsMs: number;
}

/**
 * By a clock that was put forward all that is kept would be too old at once. So what is old is told by a time of our own, which
 * each round comes this much nearer to the clock; there is a round each minute.
 */
const MOST_FORGOTTEN_MS = 10 * 60_000;
/** A clock that shows less was never set: a machine without a battery begins in 1970. */
const CLOCK_IS_SET_MS = Date.UTC(2026, 0, 1);

/** Rows that are thinned in one transaction: a writer that waits for it waits for a few ms. */
const THIN_ROWS = 5_000;

/** The one file behind the history. Everything here is synchronous; who must not wait goes through `history.ts`. */
export class HistoryStore {
  readonly #database: Database;
  readonly #outbox: OutboxTable;
  #putStatement: Statement | null = null;

  constructor(database: Database) {
    this.#database = database;
    this.#outbox = new OutboxTable(database);
  }

  close(): void {
    this.#database.close();
  }

  /** Writes all of it or nothing; returns the number of the last event. */
  apply({ events, incidents, outbox, settled = [] }: Batch): number {
    const database = this.#database;
    return database.transaction(() => {
      let { seq, hash } = this.#head();
      const insert = database.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)');
      for (const { unixMs, station, event } of events) {
        const row = {
          seq: seq + 1,
          unixMs: Math.round(unixMs),
          station,
          kind: event.kind,
          author: authorOf(event),
          body: JSON.stringify(event),
        };
        hash = chainHash(hash, row);
        seq = row.seq;
        insert.run(row.seq, row.unixMs, row.station, row.kind, row.author, row.body, hash);
      }
      const incident = database.prepare('INSERT OR REPLACE INTO incidents VALUES (?, ?, ?, ?, ?, ?)');
      for (const one of incidents)
        incident.run(
          one.id,
          one.station,
          one.severity,
          one.openedUnixMs,
          one.closedUnixMs,
          JSON.stringify(one),
        );
      this.#outbox.add(outbox);
      this.#outbox.settle(settled);
      return seq;
    })();
  }

  addLevels(rows: readonly LevelRow[]): void {
    const database = this.#database;
    database.transaction(() => {
      const ids = new Map<LegId, number>();
      for (const row of rows) {
        const leg = ids.get(row.leg) ?? this.#legNumber(row.leg);
        ids.set(row.leg, leg);
        this.#putLevels(leg, row);
      }
    })();
  }

  /** The oldest first. */
  outbox(state: OutboxRow['state'], limit = 1000): OutboxRow[] {
    return this.#outbox.inState(state, limit);
  }

  /** All that was told of these incidents, or left to others, in its order. */
  outboxOf(incidents: readonly string[]): OutboxRow[] {
    return this.#outbox.ofIncidents(incidents);
  }

  /** In order; with `beforeSeq` the newest first. */
  events(query: EventQuery): StoredEvent[] {
    const backwards = query.beforeSeq !== undefined;
    const { where, values } = conditions([
      ['station = ?', query.station],
      ['unix_ms >= ?', query.fromUnixMs],
      ['unix_ms < ?', query.toUnixMs],
      ['seq > ?', query.afterSeq],
      ['seq <= ?', query.toSeq],
      ['seq < ?', query.beforeSeq],
    ]);
    const acts = query.operatorActsOnly === true ? ' AND author IS NOT NULL' : '';
    const kinds = query.kinds ?? [];
    const ofKinds = kinds.length === 0 ? '' : ` AND kind IN (${places(kinds)})`;
    return this.#database
      .prepare<unknown[], EventRow>(
        `SELECT * FROM events WHERE ${where}${acts}${ofKinds} ORDER BY seq ${backwards ? 'DESC' : 'ASC'} LIMIT ?`,
      )
      .all(...values, ...kinds, query.limit)
      .map((row) => storedEvent(row, query.unreadable));
  }

  /** Null when there is none. Where the page of a row is damaged, only this finds the one behind it. */
  event(seq: number, unreadable: (seq: number) => void): StoredEvent | null {
    const row = this.#database.prepare<[number], EventRow>('SELECT * FROM events WHERE seq = ?').get(seq);
    return row === undefined ? null : storedEvent(row, unreadable);
  }

  /** The number of the newest event, from the table or from its index; zero when there is none. */
  lastSeq(from: 'table' | 'index'): number {
    const sql =
      from === 'table'
        ? 'SELECT max(seq) AS last FROM events NOT INDEXED'
        : 'SELECT max(seq) AS last FROM events INDEXED BY events_by_time WHERE unix_ms > 0';
    return this.#database.prepare<[], { last: number | null }>(sql).get()?.last ?? 0;
  }

  incidents(query: IncidentQuery): Incident[] {
    const { where, values } = conditions([
      ['station = ?', query.station],
      ['(closed_unix_ms IS NULL OR closed_unix_ms >= ?)', query.fromUnixMs],
      ['opened_unix_ms < ?', query.toUnixMs],
    ]);
    const open = query.openOnly === true ? ' AND closed_unix_ms IS NULL' : '';
    return this.#database
      .prepare<unknown[], { body: string }>(
        `SELECT body FROM incidents WHERE ${where}${open} ORDER BY opened_unix_ms DESC LIMIT ?`,
      )
      .all(...values, query.limit)
      .map(({ body }) => ({ hadReasons: [], ...JSON.parse(body) }) as Incident);
  }

  levels({ leg, fromUnixMs, toUnixMs }: LevelQuery): LevelRow[] {
    return this.#database
      .prepare<[string, number, number], LevelDbRow>(
        `SELECT levels.*, legs.name FROM levels JOIN legs ON legs.id = levels.leg
         WHERE legs.name = ? AND unix_ms >= ? AND unix_ms < ? ORDER BY unix_ms`,
      )
      .all(leg, fromUnixMs, toUnixMs)
      .map(levelRow);
  }

  /** No more points than a chart has room for; of months nothing but these comes into memory. */
  loudest({ leg, fromUnixMs, toUnixMs }: LevelQuery, mostPoints: number): LoudestPoint[] {
    const spanMs = Math.ceil((toUnixMs - fromUnixMs) / 1000 / mostPoints) * 1000;
    return this.#database
      .prepare<[number, string, number, number], LoudestPoint>(
        `SELECT unix_ms - unix_ms % CAST(? AS INTEGER) AS unixMs, max(momentary_lufs) AS momentaryLufs
         FROM levels JOIN legs ON legs.id = levels.leg
         WHERE legs.name = ? AND unix_ms >= ? AND unix_ms < ? GROUP BY unixMs ORDER BY unixMs`,
      )
      .all(spanMs, leg, fromUnixMs, toUnixMs);
  }

  /** Loudness and state of a leg in equal steps up to a moment. */
  loudness(query: LoudnessQuery): LoudnessSteps {
    const fromUnixMs = query.toUnixMs - query.steps * query.stepMs - SHORT_TERM_MS;
    const rows = this.#database
      .prepare<[string, number, number], LevelDbRow>(
        `SELECT levels.*, legs.name FROM levels JOIN legs ON legs.id = levels.leg
         WHERE legs.name = ? AND unix_ms >= ? AND unix_ms < ? AND span_s = 1 ORDER BY unix_ms`,
      )
      .iterate(query.leg, fromUnixMs, query.toUnixMs);
    const read = function* () {
      for (const row of rows) yield levelRow(row);
    };
    return loudnessSteps(read(), query);
  }

  legs(): LegId[] {
    return this.#database
      .prepare<[], { name: string }>('SELECT name FROM legs ORDER BY name')
      .all()
      .map(({ name }) => name as LegId);
  }

  /** The number of the newest event by whose clock it was before then; what stands in front of it belongs to its story. */
  lastSeqBefore(unixMs: number): number {
    const sql = 'SELECT max(seq) AS last FROM events WHERE unix_ms < ?';
    return this.#database.prepare<[number], { last: number | null }>(sql).get(unixMs)?.last ?? 0;
  }

  /** The last moment of which anything is known. Levels of a time that is still to come are those of a clock that was wrong. */
  lastSeenUnixMs(nowUnixMs: number): number | null {
    const row = this.#database
      .prepare<[number], { last: number | null }>(
        `SELECT max(last) AS last FROM (
           SELECT unix_ms AS last FROM events WHERE seq = (SELECT max(seq) FROM events)
           UNION ALL SELECT max(unix_ms) + 1000 FROM levels WHERE span_s = 1 AND unix_ms <= ?)`,
      )
      .get(nowUnixMs);
    return row?.last ?? null;
  }

  /** `heads`: of earlier walks, in hex, to be found again. */
  verify(heads: readonly string[] = []): ChainVerdict {
    const rows = this.#database.prepare<[], EventRow>('SELECT * FROM events ORDER BY seq').iterate();
    const chained = function* () {
      for (const { unix_ms, ...row } of rows) yield { ...row, unixMs: unix_ms };
    };
    return verifyChain(chained(), this.#anchor(), heads);
  }

  /** The time by which a round of `tidy` may tell what is old; null: none can be told. */
  tidyTime(nowUnixMs: number): number | null {
    if (nowUnixMs < CLOCK_IS_SET_MS) return null;
    const before = this.#meta('tidied');
    const last = before === null ? nowUnixMs : Number(before);
    const time = Math.min(nowUnixMs, last + MOST_FORGOTTEN_MS);
    this.#setMeta('tidied', String(Math.max(last, time)));
    return time;
  }

  /**
   * Thins and forgets what is old, a few thousand rows at a time; returns whether there is more to do. The first rows
   * of the event log go with their age, and the hash of the last of them stays as the anchor of the chain.
   */
  tidy(nowUnixMs: number, keep: Keep): boolean {
    const database = this.#database;
    return database.transaction(() => {
      let isMore = false;
      // Named one by one, so that the index leads to what is old and nobody looks through what is young.
      const spans = [1, ...keep.tiers.map(({ spanS }) => spanS)];
      for (const { afterMs, spanS } of keep.tiers) {
        const narrower = spans.filter((one) => one < spanS);
        isMore = this.#thin(nowUnixMs - afterMs, spanS, narrower) || isMore;
      }
      database
        .prepare(`DELETE FROM levels WHERE span_s IN (${places(spans)}) AND unix_ms < ?`)
        .run(...spans, nowUnixMs - keep.levelsMs);
      this.#outbox.tidy(nowUnixMs);
      const oldest = nowUnixMs - keep.eventsMs;
      const last = database
        .prepare<[number], { seq: number; hash: Uint8Array }>(
          'SELECT seq, hash FROM events WHERE seq < (SELECT min(seq) FROM events WHERE unix_ms >= ?) ORDER BY seq DESC',
        )
        .get(oldest);
      if (last !== undefined) {
        const hash = Buffer.from(last.hash).toString('hex');
        this.#setMeta('anchor', JSON.stringify({ seq: last.seq, hash }));
        database.prepare('DELETE FROM events WHERE seq <= ?').run(last.seq);
      }
      return isMore;
    })();
  }

  #thin(beforeUnixMs: number, spanS: number, narrower: readonly number[]): boolean {
    const cut = Math.floor(beforeUnixMs / (spanS * 1000)) * spanS * 1000;
    const rows = this.#database
      .prepare<number[], LevelDbRow>(
        `SELECT levels.*, legs.name FROM levels JOIN legs ON legs.id = levels.leg
         WHERE span_s IN (${places(narrower)}) AND unix_ms < ? ORDER BY unix_ms LIMIT ?`,
      )
      .all(...narrower, cut, THIN_ROWS);
    const isMore = rows.length === THIN_ROWS;
    const lastBucket = isMore ? Math.floor((rows.at(-1)?.unix_ms ?? 0) / (spanS * 1000)) : null;
    const remove = this.#database.prepare('DELETE FROM levels WHERE leg = ? AND unix_ms = ?');
    const byLeg = new Map<number, LevelRow[]>();
    for (const row of rows) {
      // The last bucket may not be here whole.
      if (lastBucket !== null && Math.floor(row.unix_ms / (spanS * 1000)) === lastBucket) continue;
      remove.run(row.leg, row.unix_ms);
      const known = byLeg.get(row.leg);
      if (known === undefined) byLeg.set(row.leg, [levelRow(row)]);
      else known.push(levelRow(row));
    }
    for (const [leg, all] of byLeg) for (const row of thinned(all, spanS)) this.#putLevels(leg, row);
    return isMore && byLeg.size > 0;
  }

  #putLevels(leg: number, row: LevelRow): void {
    const { unixMs, spanS, steps, audibleMs, truePeakDbtp, momentaryLufs, condition } = row;
    this.#putStatement ??= this.#database.prepare(
      'INSERT OR REPLACE INTO levels VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#putStatement.run(
      leg,
      unixMs,
      spanS,
      Buffer.from(steps.buffer),
      audibleMs,
      truePeakDbtp,
      momentaryLufs,
      condition,
    );
  }

  #legNumber(name: LegId): number {
    this.#database.prepare('INSERT OR IGNORE INTO legs (name) VALUES (?)').run(name);
    const row = this.#database
      .prepare<[string], { id: number }>('SELECT id FROM legs WHERE name = ?')
      .get(name);
    return row?.id ?? 0;
  }

  #head(): { seq: number; hash: Uint8Array } {
    const row = this.#database
      .prepare<[], { seq: number; hash: Uint8Array }>(
        'SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1',
      )
      .get();
    return row ?? this.#anchor();
  }

  #anchor(): { seq: number; hash: Uint8Array } {
    const value = this.#meta('anchor');
    if (value === null) return { seq: 0, hash: FIRST_HASH };
    const { seq, hash } = JSON.parse(value) as { seq: number; hash: string };
    return { seq, hash: Buffer.from(hash, 'hex') };
  }

  #meta(key: string): string | null {
    const sql = 'SELECT value FROM meta WHERE key = ?';
    return this.#database.prepare<[string], { value: string }>(sql).get(key)?.value ?? null;
  }

  #setMeta(key: string, value: string): void {
    this.#database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, value);
  }
}

const places = (values: readonly unknown[]): string => values.map(() => '?').join(', ');

function conditions(all: readonly (readonly [string, string | number | undefined])[]): {
  where: string;
  values: (string | number)[];
} {
  const wanted = all.filter((one): one is readonly [string, string | number] => one[1] !== undefined);
  return {
    where: ['TRUE', ...wanted.map(([sql]) => sql)].join(' AND '),
    values: wanted.map(([, value]) => value),
  };
}
