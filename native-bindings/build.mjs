#!/usr/bin/env node
// Makes the native addon and the decoder process ready: keeps a prebuild that loads, or else compiles the C++ with g++. It
// needs nothing but Node itself and the headers that npm has installed, and downloads nothing.
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { arch, exit, platform, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const buildDir = join(here, 'build');
const addonPath = join(buildDir, 'sustain.node');
const decoderPath = join(buildDir, 'sustain-decoder');
const stampPath = join(buildDir, 'sustain.stamp');
const jobs = 2;
const compiler = process.env.CXX || 'g++';

/** True when a fresh Node can load the addon and finds what it looks for; a crash there does not take us along. */
function loads(path) {
  const check = "if (typeof require(process.argv[1]).initialise !== 'function') process.exit(3)";
  return spawnSync(process.execPath, ['-e', check, path], { stdio: 'ignore' }).status === 0;
}

function loadablePrebuild() {
  const folder = join(here, 'prebuilds', `${platform}-${arch}`);
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.node')) : [];
  return names.map((name) => join(folder, name)).find(loads);
}

function filesUnder(folder, suffixes) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(path, suffixes) : [path];
    })
    .filter((path) => suffixes.some((suffix) => path.endsWith(suffix)))
    .sort();
}

function includeDirs() {
  const require = createRequire(import.meta.url);
  const found = [];
  const missing = [];
  for (const [name, folder] of [
    ['node-api-headers', 'include'],
    ['node-addon-api', '.'],
  ]) {
    try {
      found.push(join(dirname(require.resolve(`${name}/package.json`)), folder));
    } catch {
      missing.push(name);
    }
  }
  if (missing.length > 0) fail(`the npm packages ${missing.join(' and ')} are not installed`, 'run `npm ci`');
  return found;
}

function flags() {
  const target = arch === 'x64' ? ['-march=x86-64-v2'] : [];
  const warnings = ['-Wall', '-Wextra', '-Wshadow', '-Wconversion', '-Wno-sign-conversion'];
  // The last one: a worker that is being terminated can't take an exception, and there is nobody left to tell.
  const defines = [
    '-DNAPI_VERSION=8',
    '-DNODE_ADDON_API_CPP_EXCEPTIONS_ALL',
    '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
  ];
  const headers = includeDirs().flatMap((folder) => ['-isystem', folder]);
  // Rounding stays as written (no -ffast-math, and no fused steps where a processor has them); only errno and traps,
  // which nobody reads, are given up.
  const maths = ['-fno-math-errno', '-fno-trapping-math', '-ffp-contract=off'];
  return [
    '-std=c++17',
    '-O3',
    '-fPIC',
    '-fvisibility=hidden',
    ...target,
    ...maths,
    ...warnings,
    ...defines,
    ...headers,
  ];
}

function fingerprint(compilerVersion, options, paths) {
  const hash = createHash('sha256').update(JSON.stringify([compilerVersion, options.map(String)]));
  for (const path of paths)
    hash.update(relative(here, path)).update('\0').update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}

/** In one step, so that another build at the same time, or a process that has the old file open, never sees half. */
function replaceFile(path, text) {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

function run(args) {
  return new Promise((resolve) => {
    execFile(compiler, args, { maxBuffer: 64 * 1024 * 1024 }, (error, out, err) => {
      resolve({ ok: error === null, output: `${out}${err}` });
    });
  });
}

/** Compiles what has changed, `jobs` at a time; each object carries the fingerprint of its source and all headers. */
async function compile(version, options, sources, headers) {
  const queue = [...sources];
  const objects = [];
  async function worker() {
    for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
      const name = relative(here, source).replaceAll(/[\\/]/g, '_');
      const object = join(buildDir, `${name}.o`);
      const stamp = `${object}.stamp`;
      const wanted = fingerprint(version, options, [source, ...headers]);
      objects.push(object);
      if (existsSync(object) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) continue;
      const temporary = `${object}.${process.pid}.tmp`;
      const { ok, output } = await run([...options, '-c', source, '-o', temporary]);
      if (!ok)
        fail(`${compiler} could not compile ${relative(here, source)}:\n${output}`, 'see the message above');
      if (output.trim() !== '') stderr.write(output);
      renameSync(temporary, object);
      replaceFile(stamp, wanted);
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker));
  return objects.sort();
}

async function link(path, how, objects) {
  const temporary = `${path}.${process.pid}.tmp`;
  const { ok, output } = await run([...how, '-o', temporary, ...objects, '-ldl']);
  if (!ok) fail(`${compiler} could not link ${basename(path)}:\n${output}`, 'see the message above');
  renameSync(temporary, path);
}

/** The addon has none of the decoder's objects: what strangers sent is not decoded inside of Node. */
async function linkAll(objects) {
  const undefinedAreNodes = platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [];
  const named = (...parts) => objects.filter((path) => parts.some((part) => basename(path).startsWith(part)));
  const decoder = named('src_decoder-host_');
  await link(
    addonPath,
    ['-shared', ...undefinedAreNodes],
    objects.filter((path) => !decoder.includes(path)),
  );
  await link(decoderPath, [], [...decoder, ...named('src_dsp_resampler', 'src_dsp_windowed_sinc')]);
}

function fail(found, action) {
  stderr.write(
    [
      'sustain: the native addon (native-bindings) could not be built.',
      `  found:  ${found}`,
      `  system: ${platform}-${arch}, Node ${process.versions.node}`,
      '  needed: a prebuild for this system in native-bindings/prebuilds, or a C++17 compiler (g++ 9 or later)',
      `  do:     ${action}`,
      '',
    ].join('\n'),
  );
  exit(1);
}

async function main() {
  const prebuild = process.argv.includes('--compile') ? undefined : loadablePrebuild();
  if (prebuild !== undefined) {
    stdout.write(`native-bindings: using the prebuild ${relative(here, prebuild)}\n`);
    return;
  }
  const probe = spawnSync(compiler, ['--version'], { encoding: 'utf8' });
  if (probe.status !== 0) {
    const how = process.env.CXX ? ' (named by the environment variable CXX)' : '';
    fail(
      `no prebuild that loads, and no working compiler "${compiler}"${how}`,
      'apt-get install g++, then npm rebuild',
    );
  }
  const version = probe.stdout.split('\n')[0];
  const options = flags();
  const sources = filesUnder(join(here, 'src'), ['.cpp']);
  const headers = filesUnder(join(here, 'src'), ['.h']);
  const wanted = fingerprint(version, options, [...sources, ...headers]);
  if (
    existsSync(addonPath) &&
    existsSync(decoderPath) &&
    existsSync(stampPath) &&
    readFileSync(stampPath, 'utf8') === wanted &&
    loads(addonPath)
  ) {
    return;
  }
  mkdirSync(buildDir, { recursive: true });
  rmSync(stampPath, { force: true });
  const startedAt = Date.now();
  await linkAll(await compile(version, options, sources, headers));
  if (!loads(addonPath))
    fail(`${basename(addonPath)} was built by ${version} but Node cannot load it`, 'report this');
  replaceFile(stampPath, wanted);
  stdout.write(
    `native-bindings: built with ${version} in ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`,
  );
}

await main();
