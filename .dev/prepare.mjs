// Makes a fresh clone ready: system packages, npm packages, the native part, the compiled program.
// Each part is done only when it is needed, so that a second run takes no time worth speaking of.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkNode, installPackages } from './packages.mjs';
import {
  bin,
  contentsHash,
  Explained,
  filesUnder,
  hashOf,
  root,
  runQuietly,
  stampIs,
  step,
  writeStamp,
} from './steps.mjs';

const at = (...parts) => join(root, ...parts);

async function installNpmPackages() {
  const lock = at('package-lock.json');
  const installed = at('node_modules', '.package-lock.json');
  const stampPath = at('node_modules', '.sustain-stamp');
  const node = `${process.arch} ${process.versions.modules}`;
  const stamp = `${contentsHash([lock])} ${node}`;
  if (stampIs(stampPath, stamp)) return;
  // Where somebody ran npm by hand since the lock file changed, nothing is left to do.
  const isNewer = existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
  const isForThisNode = !existsSync(stampPath) || readFileSync(stampPath, 'utf8').trim().endsWith(node);
  if (!isNewer || !isForThisNode || !existsSync(bin('tsc'))) {
    await step('npm packages', installFromLock);
  }
  writeStamp(stampPath, stamp);
}

/**
 * `npm ci` wants an entry for every optional package of other platforms, and npm leaves those out of the lock file that
 * its registry doesn't serve. The second way installs the same locked versions and writes no lock file either.
 */
async function installFromLock() {
  const quietly = ['--include=dev', '--no-progress', '--loglevel=error'];
  try {
    await runQuietly('npm', ['ci', ...quietly]);
  } catch (thrown) {
    if (!(thrown instanceof Explained) || !thrown.message.includes('from lock file')) throw thrown;
    await runQuietly('npm', ['install', '--no-save', ...quietly]);
    return 'done, by npm install: the lock file is not whole';
  }
  return 'done';
}

async function buildNativePart() {
  const scripts = ['build.mjs', 'build-sqlite.mjs'].map((name) => at('native-bindings', name));
  const sources = [...filesUnder(...scripts, at('native-bindings', 'src')), at('package-lock.json')];
  const stamp = contentsHash(sources, process.versions.modules, process.arch);
  const stampPath = at('native-bindings', 'build', '.sustain-stamp');
  if (stampIs(stampPath, stamp)) return;
  await step('native part', async () => {
    await Promise.all(scripts.map((script) => runQuietly(process.execPath, [script])));
  });
  if (existsSync(at('native-bindings', 'build', 'better_sqlite3.node'))) writeStamp(stampPath, stamp);
}

async function compile() {
  const sources = [
    ...filesUnder(at('src'), at('tsconfig.json'), at('package-lock.json')),
    ...filesUnder(at('native-bindings')).filter((path) => path.endsWith('.ts')),
  ];
  const stamp = stampOf(sources.filter((path) => !path.startsWith(at('src', 'web', 'dashboard'))));
  const stampPath = at('dist', '.sustain-stamp');
  if (stampIs(stampPath, stamp)) return;
  await step('TypeScript to dist/', async () => {
    await runQuietly(bin('tsc'), ['-p', 'tsconfig.json']);
  });
  writeStamp(stampPath, stamp);
}

async function buildDashboard() {
  // It shares the words of the domain with the agent, and the form of the meters' frames.
  const sources = [
    at('src', 'web'),
    at('src', 'domain'),
    at('.dev', 'dashboard.mjs'),
    at('package-lock.json'),
  ];
  const stamp = stampOf(filesUnder(...sources));
  const stampPath = at('dist', 'dashboard', '.sustain-stamp');
  if (stampIs(stampPath, stamp)) return;
  await step('dashboard to dist/', async () => {
    await runQuietly(process.execPath, [at('.dev', 'dashboard.mjs')]);
  });
  writeStamp(stampPath, stamp);
}

const stampOf = (paths) =>
  hashOf(...paths.map((path) => `${path} ${statSync(path).size} ${statSync(path).mtimeMs}`));

/** `purpose`: the demo needs fewer system packages than the tests. */
export async function prepare(purpose) {
  checkNode();
  await installPackages(purpose);
  await installNpmPackages();
  await buildNativePart();
  await compile();
  await buildDashboard();
}

/** For the scripts beside this one: an explained failure ends them without a stack trace. */
export async function prepareOrExit(purpose) {
  try {
    await prepare(purpose);
  } catch (thrown) {
    if (!(thrown instanceof Explained)) throw thrown;
    console.error(`\n${thrown.message}`);
    process.exit(1);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await prepareOrExit(process.argv[2] === 'demo' ? 'demo' : 'test');
}
