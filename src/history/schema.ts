import { SustainError } from '../platform/errors.ts';
import type { Database } from './sqlite.ts';

/**
 * What each version adds. Only ever added to: an older program still finds its own tables and columns in a newer file,
 * and so a new version can be taken back.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    unix_ms INTEGER NOT NULL,
    station TEXT,
    kind TEXT NOT NULL,
    author TEXT,
    body TEXT NOT NULL,
    hash BLOB NOT NULL
  );
  CREATE INDEX events_by_time ON events (unix_ms);
  CREATE INDEX events_by_author ON events (seq) WHERE author IS NOT NULL;
  CREATE VIEW operator_acts AS
    SELECT seq, unix_ms, station, kind, author, body FROM events WHERE author IS NOT NULL;
  CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    station TEXT NOT NULL,
    severity TEXT NOT NULL,
    opened_unix_ms INTEGER NOT NULL,
    closed_unix_ms INTEGER,
    body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX incidents_by_time ON incidents (opened_unix_ms);
  CREATE TABLE legs (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE levels (
    leg INTEGER NOT NULL,
    unix_ms INTEGER NOT NULL,
    span_s INTEGER NOT NULL,
    steps BLOB NOT NULL,
    audible_ms INTEGER NOT NULL,
    true_peak_dbtp REAL,
    momentary_lufs REAL,
    condition TEXT NOT NULL,
    PRIMARY KEY (leg, unix_ms)
  ) WITHOUT ROWID;
  CREATE INDEX levels_by_span ON levels (span_s, unix_ms);
  CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    hook TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_unix_ms INTEGER NOT NULL,
    created_unix_ms INTEGER NOT NULL,
    last_error TEXT,
    body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX outbox_by_state ON outbox (state, due_unix_ms);
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/** Brings the tables up to this version, each step whole or not at all. A file of a later version is taken as it is. */
export function migrate(database: Database): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  if (!Number.isInteger(version)) throw new SustainError('bad-history', 'the history has no version');
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.transaction(() => {
      database.exec(sql);
      database.pragma(`user_version = ${index + 1}`);
    })();
  }
}
