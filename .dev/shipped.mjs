// What a machine gets that runs Sustain: the program, its native part and the npm packages it needs at run time.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './steps.mjs';

export const manifest = () => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Needed to compile, or to fall back on where there is no ffmpeg; a package that depends on ffmpeg has no use for it. */
const NOT_SHIPPED = [
  'node-addon-api',
  'node-api-headers',
  'prebuild-install',
  '@ffmpeg-installer/linux-x64',
  '@ffmpeg-installer/linux-arm64',
];
/** Sources that are compiled, and pages about a package: most of the size of these. */
const NOT_COPIED = ['better-sqlite3/deps', 'better-sqlite3/src', 'fluent-ffmpeg/doc'];
/** What nothing at run time loads, at the top of a package (`dist/test` or `lib/doc` may be a part of it) and anywhere. */
const FOLDERS_OF_WORK = /^(tests?|benchmarks?|examples?|docs|coverage|\.[^/]*)$/;
const FILES_OF_WORK = /\.([cm]?ts|map)$/;

/** Whether a file of a package, by its path in there, is needed by those who run it, or by those who work on it. */
export function isForRunning(name, inside) {
  const path = `${name}/${inside}`;
  if (NOT_COPIED.some((part) => path === part || path.startsWith(`${part}/`))) return false;
  return !FOLDERS_OF_WORK.test(inside.split('/')[0]) && !FILES_OF_WORK.test(inside);
}

/** Not needed at run time, but what the dashboard's own script is made of; the build of the page holds it against that. */
export const BUNDLED = ['clsx', 'svelte', 'uplot'];

/** The npm packages that ship, as the lock file has them: name, version, licence and folder. */
export function shippedPackages() {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const isBundled = (path) => BUNDLED.some((name) => path === `node_modules/${name}`);
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path.startsWith('node_modules/') && entry.link !== true)
    .filter(([path, entry]) => entry.dev !== true || isBundled(path))
    .map(([path, entry]) => ({ path, name: path.split('node_modules/').pop(), version: entry.version }))
    .filter(({ name }) => !NOT_SHIPPED.includes(name))
    .filter(({ path }) => existsSync(join(root, path, 'package.json')))
    .map((one) => ({ ...one, licence: licenceOf(join(root, one.path)), isBundled: isBundled(one.path) }))
    .sort((a, b) => a.path.localeCompare(b.path));
}

function licenceOf(folder) {
  const { license, licenses } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (typeof license === 'string') return license;
  return license?.type ?? licenses?.map(({ type }) => type).join(' OR ') ?? 'unknown';
}

/** The text that has to go with a package, or null where it has none of its own. */
export function licenceText(path) {
  const name = readdirSync(join(root, path)).find((file) => /^(licen[cs]e|copying)/i.test(file));
  return name === undefined ? null : readFileSync(join(root, path, name), 'utf8');
}

/** The Nodes that can run what this one has compiled: better-sqlite3 is bound to one major version. */
export function nodeRange(node = process.versions.node) {
  const major = Number(node.split('.')[0]);
  const least = manifest().engines.node.replace('>=', '');
  return { from: least.split('.')[0] === String(major) ? least : String(major), below: major + 1 };
}

/** The same for dpkg: `~` sorts before everything, so that no build of the next version gets through. */
export function nodeDependency(node) {
  const { from, below } = nodeRange(node);
  return `nodejs (>= ${from}), nodejs (<< ${below}~)`;
}

/** Puts the program into a folder, ready to run with the Node that it was built with. */
export function shipTo(folder, version) {
  const copy = (path, filter = () => true) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(root, path), join(folder, path), { recursive: true, dereference: true, filter });
  };
  for (const part of ['dist/src', 'dist/native-bindings', 'dist/dashboard'])
    if (existsSync(join(root, part))) copy(part, (path) => !path.endsWith('.map'));
  for (const built of ['sustain.node', 'sustain-decoder', 'better_sqlite3.node'])
    copy(`native-bindings/build/${built}`);
  for (const { path, name, isBundled } of shippedPackages()) {
    if (isBundled) continue;
    // A package of a package is copied as one of its own.
    copy(path, (file) => {
      const inside = file.slice(join(root, path).length + 1);
      return !inside.split('/').includes('node_modules') && isForRunning(name, inside);
    });
  }
  const { name, description, license, type } = manifest();
  const { from, below } = nodeRange();
  const own = { name, version, description, license, type, engines: { node: `>=${from} <${below}` } };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(own, null, 2)}\n`);
}
