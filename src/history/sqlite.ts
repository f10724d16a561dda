import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import { codeOf, messageOf, SustainError } from '../platform/errors.ts';

export type Database = Sqlite.Database;
export type Statement = Sqlite.Statement<unknown[]>;

/** Beside the sources, and two folders up from `dist/`. */
function builtAddon(): string {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const roots = [join(here, '..', '..'), join(here, '..', '..', '..')];
  const paths = roots.map((root) => join(root, 'native-bindings', 'build', 'better_sqlite3.node'));
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new SustainError(
    'sqlite-not-built',
    'SQLite is not built: run `node native-bindings/build-sqlite.mjs`',
  );
}

/**
 * Opens a database file in the one way that the house uses: WAL, so that readers and the writer don't wait for each
 * other, and every commit on the disk before it counts.
 * @throws SustainError `sqlite-not-built` when the native part is missing, `sqlite-not-loaded` when this Node can't load it;
 * SqliteError when the file can't be used.
 */
export function openDatabase(path: string, options: { readonly?: boolean } = {}): Database {
  const nativeBinding = builtAddon();
  const isReadonly = options.readonly === true;
  const database = opened(path, { nativeBinding, readonly: isReadonly, fileMustExist: isReadonly });
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

const HEADER_BYTES = 100;

/**
 * A file that ends before its header says, as a copy that broke off does: SQLite reads no page of it. A copy in memory, with
 * zeros for what is missing, is damaged there only. Null when nothing is missing at its end.
 */
export function openCutOff(path: string): Database | null {
  const found = readFileSync(path);
  if (found.length < HEADER_BYTES) return null;
  const pageBytes = found.readUInt16BE(16) === 1 ? 65_536 : found.readUInt16BE(16);
  const missingBytes = found.readUInt32BE(28) * pageBytes - found.length;
  if (missingBytes <= 0) return null;
  const whole = Buffer.concat([found, Buffer.alloc(missingBytes)]);
  // There is no WAL in memory.
  whole.fill(1, 18, 20);
  return opened(whole, { nativeBinding: builtAddon(), readonly: true });
}

/** Whoever stops just now is given this long. */
const LOCK_WITHIN_MS = 2000;

/** A file locked until it is closed or this process ends, however it ends; null when another process has it. */
export function lockFile(path: string): Database | null {
  const database = opened(path, { nativeBinding: builtAddon(), timeout: LOCK_WITHIN_MS });
  try {
    // Nothing is ever written into it, so that it needs no file of a journal.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return database;
  } catch (thrown) {
    database.close();
    if (codeOf(thrown) === 'SQLITE_BUSY') return null;
    throw thrown;
  }
}

/** To a second attempt in the same process Node says less than to the first ("did not self-register"). */
let refusal: SustainError | null = null;

function opened(path: string | Buffer, options: Sqlite.Options): Database {
  if (refusal !== null) throw refusal;
  try {
    return new Sqlite(path, options);
  } catch (thrown) {
    if (codeOf(thrown) !== 'ERR_DLOPEN_FAILED') throw thrown;
    refusal = new SustainError('sqlite-not-loaded', whyNotLoaded(messageOf(thrown)), thrown);
    throw refusal;
  }
}

/** The Node of each NODE_MODULE_VERSION: what is compiled against one major version can't be loaded by another. */
const NODE_OF: Readonly<Record<string, string>> = { 115: 'Node 20', 127: 'Node 22', 137: 'Node 24' };

/** Node's own words name two numbers that nobody knows by heart, and advise to compile. */
export function whyNotLoaded(said: string, node: string = process.versions.node): string {
  const [built, here] = [...said.matchAll(/NODE_MODULE_VERSION (\d+)/g)].map(([, number = '']) => number);
  if (built === undefined || here === undefined) return `SQLite can't be loaded: ${said}`;
  const wanted = NODE_OF[built] ?? 'another Node';
  return (
    `nothing is wrong with the disk: this is Node ${node} (NODE_MODULE_VERSION ${here}), and SQLite here was built for ` +
    `${wanted} (${built}). Install ${wanted}, or a Sustain that was built for this one`
  );
}

/** Whether this is the error of a file that is no whole database any more. */
export function isCorruption(thrown: unknown): boolean {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
}

/** A page of the file may be damaged that has nothing to do with the rest. */
export function unlessDamaged<Value>(read: () => Value, otherwise: () => Value): Value {
  try {
    return read();
  } catch (thrown) {
    if (!isCorruption(thrown)) throw thrown;
    return otherwise();
  }
}
