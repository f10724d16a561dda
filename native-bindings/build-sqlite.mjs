// Compiles better-sqlite3 from the sources in its npm package, with g++ and the headers that came with the Node that
// runs. Its own install script would download a binary from GitHub, or let node-gyp download headers.
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { argv, env, execPath, platform, stderr, stdout, versions } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const buildDir = join(dirname(fileURLToPath(import.meta.url)), 'build');
const addonPath = join(buildDir, 'better_sqlite3.node');
const stampPath = join(buildDir, 'better_sqlite3.stamp');
const compiler = env.CXX || 'g++';

/** What the history needs of SQLite; full-text search, R-trees and the like would double the time to compile. */
const SQLITE = [
  'SQLITE_DEFAULT_MEMSTATUS=0',
  'SQLITE_DQS=0',
  'SQLITE_ENABLE_COLUMN_METADATA',
  'SQLITE_LIKE_DOESNT_MATCH_BLOBS',
  'SQLITE_OMIT_DEPRECATED',
  'SQLITE_OMIT_SHARED_CACHE',
  'SQLITE_THREADSAFE=2',
  'SQLITE_USE_URI=0',
  'HAVE_USLEEP=1',
  'HAVE_STDINT_H=1',
];

/** Where the headers of this very Node lie: beside it, where its own packages put them, or where npm is told. */
export function nodeHeaders(candidates = headerFolders()) {
  return candidates.find((folder) => isOfThisNode(join(folder, 'node_version.h'))) ?? null;
}

function headerFolders() {
  const prefix = dirname(dirname(realpathSync(execPath)));
  const told = env.npm_config_nodedir;
  return [
    ...(told ? [join(told, 'include', 'node'), join(told, 'src')] : []),
    join(prefix, 'include', 'node'),
    '/usr/include/node',
    '/usr/include/nodejs/src',
  ];
}

function isOfThisNode(file) {
  if (!existsSync(file)) return false;
  const major = /^#define NODE_MAJOR_VERSION (\d+)/m.exec(readFileSync(file, 'utf8'))?.[1];
  return major === versions.node.split('.')[0];
}

function loads() {
  const check = 'if (typeof require(process.argv[1]).Database !== "function") process.exit(3)';
  return spawnSync(execPath, ['-e', check, addonPath], { stdio: 'ignore' }).status === 0;
}

const run = (args) =>
  new Promise((resolve, reject) => {
    execFile(compiler, args, { maxBuffer: 64 * 1024 * 1024 }, (error, _out, err) => {
      if (error === null) resolve();
      else reject(new Error(`${compiler} failed: ${err || error.message}`));
    });
  });

/** @throws when a part is missing or does not compile; the sentence says what to do. */
export async function buildSqlite() {
  const source = dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json'));
  const headers = nodeHeaders();
  if (headers === null)
    throw new Error(
      `no headers of Node ${versions.node} beside ${execPath}: install Node from nodejs.org, NodeSource or its Docker ` +
        'image, apt-get install libnode-dev for the Node of Debian, or set npm_config_nodedir',
    );
  const sqlite = join(source, 'deps', 'sqlite3');
  const define = SQLITE.map((name) => `-D${name}`);
  const common = ['-fPIC', '-w', '-DNDEBUG', `-I${sqlite}`];
  const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  const script = readFileSync(fileURLToPath(import.meta.url));
  const wanted = createHash('sha256')
    .update(script)
    .update(`${version} ${versions.modules} ${compiler}`)
    .digest('hex');
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === wanted && loads()) return;
  mkdirSync(buildDir, { recursive: true });
  const startedAt = Date.now();
  const temporary = (name) => join(buildDir, `${name}.${process.pid}.tmp`);
  const [core, binding, linked] = ['sqlite3.o', 'better_sqlite3.o', 'better_sqlite3.node'].map(temporary);
  await Promise.all([
    run(['-x', 'c', '-std=c99', '-O1', ...common, ...define, '-c', join(sqlite, 'sqlite3.c'), '-o', core]),
    run([
      ...['-std=c++20', '-O2', '-fno-rtti', ...common, `-I${headers}`],
      ...['-DNODE_GYP_MODULE_NAME=better_sqlite3', '-DBUILDING_NODE_EXTENSION'],
      ...['-c', join(source, 'src', 'better_sqlite3.cpp'), '-o', binding],
    ]),
  ]);
  const flags =
    platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : ['-Wl,-Bsymbolic', '-Wl,--exclude-libs,ALL'];
  await run(['-shared', ...flags, '-o', linked, binding, core]);
  for (const object of [core, binding]) rmSync(object, { force: true });
  renameSync(linked, addonPath);
  if (!loads()) throw new Error('better-sqlite3 was compiled, but Node cannot load it');
  writeFileSync(`${stampPath}.${process.pid}`, wanted);
  renameSync(`${stampPath}.${process.pid}`, stampPath);
  stdout.write(
    `native-bindings: better-sqlite3 built in ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`,
  );
}

// The agent decides without its history, so an installation must not fail for the want of it; it is said, though.
if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  await buildSqlite().catch((thrown) => {
    stderr.write(
      `sustain: no history and no report on this machine, as better-sqlite3 could not be built:\n  ${thrown.message}\n`,
    );
  });
}
