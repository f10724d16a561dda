import type { OutboxRow } from '../domain/outbox.ts';
import type { Database } from './sqlite.ts';

interface OutboxDbRow {
  id: string;
  hook: string;
  state: OutboxRow['state'];
  attempts: number;
  due_unix_ms: number;
  created_unix_ms: number;
  last_error: string | null;
  body: string;
}

const SENT_KEPT_MS = 30 * 24 * 3_600_000;
const INSERT = 'INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO';

/** The outbox in the database; each call is part of the transaction that it is made in. */
export class OutboxTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** An id that is there already is left as it is. */
  add(rows: readonly OutboxRow[]): void {
    const insert = this.#database.prepare(`${INSERT} NOTHING`);
    for (const row of rows) insert.run(...valuesOf(row));
  }

  /** What became of rows, whether or not they were added before: a full disk may not have taken that. */
  settle(rows: readonly OutboxRow[]): void {
    const put = this.#database.prepare(
      `${INSERT} UPDATE SET state = excluded.state, attempts = excluded.attempts,
        due_unix_ms = excluded.due_unix_ms, last_error = excluded.last_error`,
    );
    for (const row of rows) put.run(...valuesOf(row));
  }

  /** The oldest first. */
  inState(state: OutboxRow['state'], limit: number): OutboxRow[] {
    return this.#database
      .prepare<[string, number], OutboxDbRow>(
        'SELECT * FROM outbox WHERE state = ? ORDER BY created_unix_ms, id LIMIT ?',
      )
      .all(state, limit)
      .map(outboxRow);
  }

  /** In its order. */
  ofIncidents(incidents: readonly string[]): OutboxRow[] {
    const rows = this.#database.prepare<[string, string], OutboxDbRow>(
      'SELECT * FROM outbox WHERE id >= ? AND id < ? ORDER BY created_unix_ms, id',
    );
    // An id begins with that of its incident and a dot, and a slash is what comes after a dot.
    return incidents.flatMap((id) => rows.all(`${id}.`, `${id}/`).map(outboxRow));
  }

  tidy(nowUnixMs: number): void {
    this.#database
      .prepare("DELETE FROM outbox WHERE state != 'waiting' AND created_unix_ms < ?")
      .run(nowUnixMs - SENT_KEPT_MS);
  }
}

function valuesOf(row: OutboxRow): readonly (string | number | null)[] {
  const { id, hook, state, attempts, dueUnixMs, createdUnixMs, lastError, body } = row;
  return [id, hook, state, attempts, dueUnixMs, createdUnixMs, lastError, body];
}

function outboxRow({ due_unix_ms, created_unix_ms, last_error, ...row }: OutboxDbRow): OutboxRow {
  return { ...row, dueUnixMs: due_unix_ms, createdUnixMs: created_unix_ms, lastError: last_error };
}
