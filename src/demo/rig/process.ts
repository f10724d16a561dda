import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { codeOf, messageOf, SustainError } from '../../platform/errors.ts';
import { lookAtProcess } from '../../platform/process-state.ts';

/** A real part of the rig: one program that we started and may therefore end. */
export interface RigProcess {
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  /** Settles when the program is gone, however it went. */
  readonly exited: Promise<ProcessExit>;
  readonly running: () => boolean;
  readonly signal: (name: NodeJS.Signals) => void;
  /** TERM, and KILL if it is still there after `graceMs`. */
  readonly stop: (graceMs?: number) => Promise<ProcessExit>;
  /** The last lines that it wrote to stderr, to explain a failure. */
  readonly lastWords: () => string;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Run as this account when we are root, for programs that refuse root. */
  readonly as?: Account | null;
  readonly stdin?: 'pipe' | 'ignore';
  readonly stdout?: 'pipe' | 'ignore';
  readonly env?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** The network namespace that it runs in; needs root. */
  readonly namespace?: string;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** On a machine that is busy with other tests a start takes long; a limit is there for what hangs. */
export const STARTS_WITHIN_MS = 60_000;
const { PATH = '/usr/bin:/bin' } = process.env;
const LAST_WORDS_CHARACTERS = 4000;
const living = new Set<number>();
const temporary = new Set<string>();

// The last net: `setpriv --pdeathsig` below covers even our own SIGKILL, this one covers an ordinary exit at once.
process.on('exit', () => {
  for (const pid of living) signalPid(pid, 'SIGKILL');
  for (const directory of temporary) rmSync(directory, { recursive: true, force: true });
});

function signalPid(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It went before the signal came.
  }
}

const STOPPED_WITHIN_MS = 1_000;

/** A stop reaches the threads of a program one after another: until all of them stand still it may answer once more. */
function waitUntilStopped(pid: number): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; waitedMs < STOPPED_WITHIN_MS && !isStopped(pid); waitedMs += 1)
    Atomics.wait(cell, 0, 0, 1);
}

function isStopped(pid: number): boolean {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.every((thread) => ['stopped', 'gone'].includes(lookAtProcess(Number(thread))));
  } catch {
    return true;
  }
}

/** Starts a program that dies with us: the kernel kills it when this process ends, whatever ends it. */
export async function startProcess(options: ProcessOptions): Promise<RigProcess> {
  const drop = options.as
    ? ['--reuid', String(options.as.uid), '--regid', String(options.as.gid), '--clear-groups']
    : [];
  const whole = ['setpriv', ...drop, '--pdeathsig', 'KILL', '--', options.command, ...options.args];
  const { namespace } = options;
  // Both `ip` and `setpriv` become what they start, so that the id stays the same.
  const [program = '', ...args] =
    namespace === undefined ? whole : ['ip', 'netns', 'exec', namespace, ...whole];
  const child = spawn(program, args, {
    stdio: [options.stdin ?? 'ignore', options.stdout ?? 'ignore', 'pipe'],
    cwd: options.directory ?? tmpdir(),
    env: { PATH, HOME: tmpdir(), LC_ALL: 'C.UTF-8', ...options.env },
  });
  const exited = watchExit(child);
  const { pid } = child;
  if (pid === undefined) {
    await exited.catch(() => undefined);
    throw new SustainError(
      'cannot-start',
      `Cannot start ${options.command}: setpriv (util-linux) is missing.`,
    );
  }
  living.add(pid);
  let running = true;
  exited.finally(() => {
    running = false;
    living.delete(pid);
  });
  // A write to a program that has just died is no error of ours.
  child.stdin?.on('error', () => undefined);
  const lastWords = collectLastWords(child);
  const signal = (name: NodeJS.Signals) => {
    if (!running) return;
    signalPid(pid, name);
    if (name === 'SIGSTOP') waitUntilStopped(pid);
  };
  return {
    pid,
    stdin: child.stdin,
    stdout: child.stdout,
    exited,
    running: () => running,
    signal,
    async stop(graceMs = 2000) {
      // ffmpeg looks at a TERM only between two reads, and the end of its input is the orderly end anyway.
      child.stdin?.end();
      signal('SIGTERM');
      // A paused program takes the TERM only once it goes on.
      signal('SIGCONT');
      const timer = setTimeout(() => signal('SIGKILL'), graceMs);
      try {
        return await exited;
      } finally {
        clearTimeout(timer);
      }
    },
    lastWords,
  };
}

function watchExit(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

function collectLastWords(child: ChildProcess): () => string {
  let words = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    words = (words + text).slice(-LAST_WORDS_CHARACTERS);
  });
  return () => words.trim();
}

/** The account for programs that refuse root: Icecast's own, or else `nobody`. Null when we are not root. */
export function unprivilegedAccount(name: string): Account | null {
  if (process.getuid?.() !== 0) return null;
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  try {
    return { uid: idOf('-u'), gid: idOf('-g') };
  } catch {
    return { uid: 65534, gid: 65534 };
  }
}

/** A temporary directory for one part, removed with it or at the latest when we exit. */
export function temporaryDirectory(purpose: string, owner: Account | null): { path: string; remove(): void } {
  if (temporary.size === 0) sweepTemporary();
  const path = mkdtempSync(join(tmpdir(), `sustain-rig-${process.pid}-${purpose}-`));
  if (owner) chownSync(path, owner.uid, owner.gid);
  temporary.add(path);
  return {
    path,
    remove() {
      rmSync(path, { recursive: true, force: true });
      temporary.delete(path);
    },
  };
}

/** A rig that was killed could not clear up after itself; the next one does. */
function sweepTemporary(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(/^sustain-rig-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(pid) || existsSync(`/proc/${pid}`)) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // It belongs to another user, who will clear it up.
    }
  }
}

const LOOKS_EVERY_MS = 50;
/** A pause between two looks that lasts longer than this shows that this process itself stood still. */
const STOOD_STILL_MS = 200;

/**
 * Polls until `holds` says yes. A failing answer is asked again, but for an error whose code ends in `-ended`: then
 * what was waited for can't come any more. A late answer ends in an error that says what was waited for; a time in
 * which we stood still ourselves doesn't count.
 */
export async function waitUntil(
  what: string,
  timeoutMs: number,
  holds: () => boolean | Promise<boolean>,
  explain: () => string = () => '',
): Promise<void> {
  let endMs = performance.now() + timeoutMs;
  let last = '';
  for (;;) {
    try {
      if (await holds()) return;
      last = '';
    } catch (thrown) {
      if (codeOf(thrown).endsWith('-ended')) throw thrown;
      last = messageOf(thrown);
    }
    if (performance.now() >= endMs) {
      const why = [last, explain()].filter(Boolean).join('\n');
      throw new SustainError(
        'waited-in-vain',
        `${what}: not within ${timeoutMs} ms.${why ? `\n${why}` : ''}`,
      );
    }
    const sleptFromMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, LOOKS_EVERY_MS));
    endMs += Math.max(0, performance.now() - sleptFromMs - STOOD_STILL_MS);
  }
}

/** The processes of the rig that are alive now: a test's proof that nothing was left behind. */
export function livingProcesses(): readonly number[] {
  return [...living];
}
