import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, SustainError } from '../platform/errors.ts';
import { migrate } from './schema.ts';
import { type Database, isCorruption, openCutOff, openDatabase } from './sqlite.ts';
import { HistoryStore } from './store.ts';

export interface OpenedHistory {
  readonly store: HistoryStore;
  /** Where a file went that was no whole database any more; null when all was well. */
  readonly setAside: string | null;
}

export const historyFile = (directory: string): string => join(directory, 'history.db');

/**
 * Opens the history for writing, or makes it. A file that is damaged is kept for whoever wants to look into it, under
 * another name, and an empty one takes its place.
 * @throws SqliteError when neither can be done, as on a full or read-only disk.
 */
export function openHistory(directory: string, now: Date): OpenedHistory {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = historyFile(directory);
  try {
    return { store: new HistoryStore(openWhole(path)), setAside: null };
  } catch (thrown) {
    if (!isCorruption(thrown)) throw thrown;
    const setAside = `${path}.corrupt-${now.toISOString().replaceAll(':', '')}`;
    for (const suffix of ['', '-wal', '-shm'])
      if (existsSync(path + suffix)) renameSync(path + suffix, setAside + suffix);
    return { store: new HistoryStore(openWhole(path)), setAside };
  }
}

function openWhole(path: string): Database {
  const database = openDatabase(path);
  try {
    const said = database.pragma('quick_check(1)', { simple: true });
    if (said !== 'ok')
      throw Object.assign(new Error(`the history is damaged: ${String(said)}`), { code: 'SQLITE_CORRUPT' });
    migrate(database);
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/**
 * Opens a history for reading only, also while an agent writes it.
 * @throws SustainError `no-history` when there is none there.
 */
export function readHistory(path: string): HistoryStore {
  const none = (says: string) => new SustainError('no-history', says);
  if (!existsSync(path)) throw none(`there is no history at ${path}`);
  if (statSync(path).isDirectory()) throw none(`${path} is a folder`);
  const database = openDatabase(path, { readonly: true });
  const is = whatIs(database);
  if (is === 'history') return new HistoryStore(database);
  database.close();
  if (is === 'other') throw none(`${path} is no history of an agent`);
  const rest = openCutOff(path);
  if (rest !== null && whatIs(rest) === 'history') return new HistoryStore(rest);
  rest?.close();
  throw none(`${path} is damaged so that nothing of it can be read`);
}

function whatIs(database: Database): 'history' | 'other' | 'damaged' {
  try {
    const found = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'events'").get();
    return found === undefined ? 'other' : 'history';
  } catch (thrown) {
    if (!isCorruption(thrown)) throw thrown;
    return codeOf(thrown) === 'SQLITE_NOTADB' ? 'other' : 'damaged';
  }
}
