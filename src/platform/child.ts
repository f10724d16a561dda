import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Cancel, Clock } from './clock.ts';
import { codeOf, messageOf } from './errors.ts';

/** How a child ended. `not-started`: there never was a process. */
export type ChildExit =
  | { readonly is: 'exited'; readonly code: number }
  | { readonly is: 'killed'; readonly signal: NodeJS.Signals }
  | {
      readonly is: 'not-started';
      readonly reason: 'not-found' | 'not-permitted' | 'failed';
      readonly detail: string;
    };

/** `full`: taken, but the child is slow: wait for `onDrain`. `closed`: not taken, nobody reads any more. */
export type WriteOutcome = 'ok' | 'full' | 'closed';

export interface ChildOptions {
  readonly command: string;
  /** Handed over as they are: there is no shell that could read something into them. */
  readonly args: readonly string[];
  readonly clock: Clock;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Left out: the child's stdout is thrown away. */
  onStdout?(chunk: Buffer): void;
  /** The child has read what was pending. */
  onDrain?(): void;
  onExit?(exit: ChildExit): void;
  /** Time between TERM and KILL in `stop()`. */
  readonly killAfterMs?: number;
  /** It may start others: signals are for all of them, and `stop()` leaves none behind. */
  readonly hasChildren?: boolean;
}

export interface Child {
  readonly pid: number | null;
  /** Resolves, and never rejects, when the process has been reaped and its pipes are closed. */
  readonly exited: Promise<ChildExit>;
  /** Written but not yet read by the child's pipe. */
  readonly pendingBytes: number;
  write(bytes: Uint8Array): WriteOutcome;
  endInput(): void;
  /** The last 64 KiB that the child said on stderr. */
  stderrTail(): string;
  kill(signal: NodeJS.Signals): void;
  /** Closes stdin and asks with TERM; a child that can't hear it (hung, or SIGSTOPped) gets KILL. */
  stop(): Promise<ChildExit>;
}

const KILL_AFTER_MS = 2_000;
const STDERR_KEPT_CHARS = 64 * 1024;
/** A grandchild may hold the pipes open; after the exit we don't wait for it longer than this. */
const PIPES_CLOSE_WITHIN_MS = 250;

const living = new Set<SupervisedChild>();

/** Our own way out through `process.exit` or an uncaught error must not leave a child that ignores a closed stdin. */
function killLiving(): void {
  for (const child of living) child.kill('SIGKILL');
}

function remember(child: SupervisedChild): void {
  if (living.size === 0) process.on('exit', killLiving);
  living.add(child);
}

function forget(child: SupervisedChild): void {
  living.delete(child);
  if (living.size === 0) process.off('exit', killLiving);
}

function notStarted(thrown: unknown): ChildExit {
  const code = codeOf(thrown);
  const reason = code === 'ENOENT' ? 'not-found' : code === 'EACCES' ? 'not-permitted' : 'failed';
  return { is: 'not-started', reason, detail: messageOf(thrown) };
}

/** The end of a long text; cut only when twice too long, so that a flood costs little per chunk. */
class TextTail {
  #text = '';

  add(more: string): void {
    this.#text += more;
    if (this.#text.length > 2 * STDERR_KEPT_CHARS) this.#text = this.#text.slice(-STDERR_KEPT_CHARS);
  }

  get text(): string {
    return this.#text.slice(-STDERR_KEPT_CHARS);
  }
}

class SupervisedChild implements Child {
  readonly exited: Promise<ChildExit>;
  readonly #options: ChildOptions;
  readonly #process: ChildProcess | null;
  readonly #stderr = new TextTail();
  #settle: (exit: ChildExit) => void = () => {};
  #exit: ChildExit | null = null;
  #cancelKill: Cancel | null = null;
  #cancelPipes: Cancel | null = null;
  #settled = false;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.exited = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#process = this.#start();
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  get pendingBytes(): number {
    return this.#process?.stdin?.writableLength ?? 0;
  }

  write(bytes: Uint8Array): WriteOutcome {
    const stdin = this.#process?.stdin;
    if (!stdin?.writable || this.#exit !== null) return 'closed';
    return stdin.write(bytes) ? 'ok' : 'full';
  }

  endInput(): void {
    this.#process?.stdin?.end();
  }

  stderrTail(): string {
    return this.#stderr.text;
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#exit !== null) return;
    if (this.#options.hasChildren === true) this.#killGroup(signal);
    else this.#process?.kill(signal);
  }

  stop(): Promise<ChildExit> {
    if (this.#exit === null && this.#cancelKill === null) {
      this.endInput();
      this.kill('SIGTERM');
      this.#cancelKill = this.#options.clock.after(this.#options.killAfterMs ?? KILL_AFTER_MS, () =>
        this.kill('SIGKILL'),
      );
    }
    return this.exited;
  }

  #killGroup(signal: NodeJS.Signals): void {
    const pid = this.#process?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // Nobody of it is left.
    }
  }

  #start(): ChildProcess | null {
    const { command, args, env, cwd, onStdout } = this.#options;
    try {
      const started = spawn(command, [...args], {
        stdio: ['pipe', onStdout === undefined ? 'ignore' : 'pipe', 'pipe'],
        // A group of its own, so that those it starts are known by it.
        detached: this.#options.hasChildren === true,
        shell: false,
        ...(env === undefined ? {} : { env }),
        ...(cwd === undefined ? {} : { cwd }),
      });
      this.#watch(started);
      return started;
    } catch (thrown) {
      // Nobody can be listening yet, so the bad news waits for the caller to get hold of this object.
      queueMicrotask(() => this.#finish(notStarted(thrown)));
      return null;
    }
  }

  #watch(started: ChildProcess): void {
    remember(this);
    this.#listen(started.stdin, started.stdout, started.stderr);
    started.on('error', (thrown) => {
      // Also emitted when a signal can't be delivered; then the process lives and its exit is still to come.
      if (started.pid === undefined) this.#finish(notStarted(thrown));
    });
    started.on('exit', (code, signal) => {
      this.#exit = signal === null ? { is: 'exited', code: code ?? 0 } : { is: 'killed', signal };
      if (this.#cancelKill !== null && this.#options.hasChildren === true) this.#killGroup('SIGKILL');
      this.#cancelPipes = this.#options.clock.after(PIPES_CLOSE_WITHIN_MS, () => this.#finish(this.#exit));
    });
    started.on('close', () => this.#finish(this.#exit));
  }

  #listen(stdin: Writable | null, stdout: Readable | null, stderr: Readable | null): void {
    const { onStdout, onDrain } = this.#options;
    // EPIPE and ECONNRESET only say that the child is going; its exit says why.
    for (const pipe of [stdin, stdout, stderr]) pipe?.on('error', () => {});
    stdin?.on('drain', () => onDrain?.());
    stdout?.on('data', (chunk: Buffer) => onStdout?.(chunk));
    stderr?.setEncoding('utf8').on('data', (text: string) => this.#stderr.add(text));
  }

  #finish(exit: ChildExit | null): void {
    if (this.#settled || exit === null) return;
    this.#settled = true;
    this.#exit = exit;
    this.#cancelKill?.();
    this.#cancelPipes?.();
    if (this.#process !== null) {
      forget(this);
      for (const pipe of [this.#process.stdin, this.#process.stdout, this.#process.stderr]) pipe?.destroy();
    }
    this.#settle(exit);
    this.#options.onExit?.(exit);
  }
}

/** Starts a process that ends no later than we do, is always reaped, and leaves no pipe behind. */
export function startChild(options: ChildOptions): Child {
  return new SupervisedChild(options);
}

/** A sentence for people: `exited with code 1`, `killed by SIGKILL`, `could not be started: …`. */
export function describeExit(exit: ChildExit): string {
  switch (exit.is) {
    case 'exited':
      return `exited with code ${exit.code}`;
    case 'killed':
      return `killed by ${exit.signal}`;
    case 'not-started':
      return `could not be started: ${exit.detail}`;
  }
}
