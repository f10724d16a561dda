// What the scripts of this folder share: running a command, telling about it, and stamps. Only Node itself is needed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const bin = (name) => join(root, 'node_modules', '.bin', name);

/** A failure that is explained already: the message is all that the user has to see. */
export class Explained extends Error {}

const seconds = (fromMs) => `${((performance.now() - fromMs) / 1000).toFixed(1)} s`;

/** One step with its time on one line; what it wrote is shown only when it fails. */
export async function step(what, work) {
  const fromMs = performance.now();
  process.stdout.write(`prepare: ${what} ... `);
  try {
    const note = await work();
    process.stdout.write(`${note ?? 'done'} (${seconds(fromMs)})\n`);
  } catch (thrown) {
    process.stdout.write(`failed (${seconds(fromMs)})\n`);
    throw thrown;
  }
}

/** Runs a command silently; its output is part of the failure. */
export function runQuietly(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    child.stdout.on('data', (bytes) => output.push(bytes));
    child.stderr.on('data', (bytes) => output.push(bytes));
    child.once('error', (error) => reject(new Explained(`${command}: ${error.message}`)));
    child.once('close', (code) => {
      const text = Buffer.concat(output).toString('utf8').trim();
      if (code === 0) resolve(text);
      else reject(new Explained(`${command} ${args.join(' ')} ended with ${code}:\n${text.slice(-6000)}`));
    });
  });
}

/** Runs a command on our own terminal, hands signals on, and gives its exit code. */
export function runHere(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    const handOn = (signal) => child.kill(signal);
    // Ctrl-C on a terminal reaches the child by itself; twice would look like impatience.
    const onInterrupt = () => (process.stdin.isTTY ? undefined : child.kill('SIGINT'));
    process.on('SIGINT', onInterrupt);
    process.on('SIGTERM', handOn);
    process.on('SIGHUP', handOn);
    const settle = (code) => {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', handOn);
      process.off('SIGHUP', handOn);
      resolve(code);
    };
    child.once('error', (error) => {
      console.error(`${command}: ${error.message}`);
      settle(127);
    });
    child.once('exit', (code, signal) => settle(code ?? (signal ? 128 : 1)));
  });
}

export function onPath(command) {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, command)));
}

export function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** All files under some files and folders, in order. */
export function filesUnder(...paths) {
  return paths.flatMap((path) => {
    if (!existsSync(path)) return [];
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path)
      .sort()
      .flatMap((name) => filesUnder(join(path, name)));
  });
}

export function hashOf(...texts) {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex');
}

export const contentsHash = (paths, ...more) =>
  hashOf(...more, ...paths.flatMap((path) => [path.slice(root.length), readFileSync(path)]));

export const stampIs = (path, stamp) => existsSync(path) && readFileSync(path, 'utf8').trim() === stamp;

export function writeStamp(path, stamp) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${stamp}\n`);
}
