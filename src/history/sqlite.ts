import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import { SustainError } from '../platform/errors.ts';

export type Database = Sqlite.Database;

/** Beside the sources, and two folders up from `dist/`. */
function addonPath(): string | null {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const roots = [join(here, '..', '..'), join(here, '..', '..', '..')];
  const paths = roots.map((root) => join(root, 'native-bindings', 'build', 'better_sqlite3.node'));
  return paths.find((path) => existsSync(path)) ?? null;
}

/**
 * Opens a database file in the one way that the house uses: WAL, so that readers and the writer don't wait for each
 * other, and every commit on the disk before it counts.
 * @throws SustainError `sqlite-not-built` when the native part is missing; SqliteError when the file can't be used.
 */
export function openDatabase(path: string, options: { readonly?: boolean } = {}): Database {
  const nativeBinding = addonPath();
  if (nativeBinding === null)
    throw new SustainError(
      'sqlite-not-built',
      'SQLite is not built: run `node native-bindings/build-sqlite.mjs`',
    );
  const isReadonly = options.readonly === true;
  const database = new Sqlite(path, { nativeBinding, readonly: isReadonly, fileMustExist: isReadonly });
  try {
    database.pragma('busy_timeout = 5000');
    if (!isReadonly) {
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = FULL');
      // A WAL that grew once (a long read, a large thinning) gives its room back.
      database.pragma('journal_size_limit = 8388608');
    }
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/** Whether this is the error of a file that is no whole database any more. */
export function isCorruption(thrown: unknown): boolean {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
}
