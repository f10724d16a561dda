import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { codeOf, messageOf, SustainError } from '../platform/errors.ts';
import { openHistory } from './open.ts';
import { isCorruption } from './sqlite.ts';
import type { HistoryStore } from './store.ts';

/** What can be asked of the store from outside its thread. */
export type StoreCall = Exclude<keyof HistoryStore, 'close'>;

/** The store, wherever it runs. A call that fails has changed nothing. */
export interface StorePort {
  call<Name extends StoreCall>(
    name: Name,
    ...args: Parameters<HistoryStore[Name]>
  ): Promise<ReturnType<HistoryStore[Name]>>;
  close(): Promise<void>;
}

export interface PortOptions {
  readonly directory: string;
  readonly wallTime: () => Date;
  /** A damaged file was put aside, and an empty one is in its place. */
  readonly setAside: (path: string) => void;
}

/** One store that is opened when it is first needed, and anew after a failure to open or a damage. */
export class StoreKeeper {
  readonly #options: PortOptions;
  #store: HistoryStore | null = null;

  constructor(options: PortOptions) {
    this.#options = options;
  }

  call(name: StoreCall, args: readonly unknown[]): unknown {
    try {
      return this.#do(name, args);
    } catch (thrown) {
      if (!isCorruption(thrown)) throw thrown;
      // Found while it was in use: put aside, and the call done on the new one.
      this.close();
      return this.#do(name, args);
    }
  }

  close(): void {
    try {
      this.#store?.close();
    } finally {
      this.#store = null;
    }
  }

  #do(name: StoreCall, args: readonly unknown[]): unknown {
    if (this.#store === null) {
      const { store, setAside } = openHistory(this.#options.directory, this.#options.wallTime());
      this.#store = store;
      if (setAside !== null) this.#options.setAside(setAside);
    }
    const call = this.#store[name] as (...all: readonly unknown[]) => unknown;
    return call.apply(this.#store, [...args]);
  }
}

/** The store in this very thread: for tests and for what runs to an end. */
export function directPort(options: PortOptions): StorePort {
  const keeper = new StoreKeeper(options);
  return {
    call: async (name, ...args) => keeper.call(name, args) as never,
    close: async () => keeper.close(),
  };
}

/** What goes to the worker, and what comes back. */
export interface WorkerRequest {
  readonly id: number;
  readonly name: StoreCall | 'close';
  readonly args: readonly unknown[];
}
export type WorkerAnswer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly code: string; readonly message: string }
  | { readonly setAside: string };

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (thrown: Error) => void;
}

/**
 * The store in a thread of its own: a disk that takes a second for a write takes it from nobody. A worker that ends is
 * replaced at the next call; what it was asked fails.
 */
export function workerPort(options: PortOptions): StorePort {
  const pending = new Map<number, Pending>();
  let worker: Worker | null = null;
  let nextId = 1;

  const start = (): Worker => {
    const started = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: { directory: options.directory },
    });
    started.on('message', (answer: WorkerAnswer) => {
      if ('setAside' in answer) return options.setAside(answer.setAside);
      const waiting = pending.get(answer.id);
      pending.delete(answer.id);
      if (answer.ok) waiting?.resolve(answer.value as never);
      else waiting?.reject(new SustainError(answer.code, answer.message));
    });
    const gone = (thrown: unknown) => {
      if (worker === started) worker = null;
      for (const { reject } of pending.values())
        reject(new SustainError('history-worker-gone', messageOf(thrown), thrown));
      pending.clear();
    };
    started.on('error', gone);
    started.on('exit', (code) => gone(new Error(`the history's thread ended with ${code}`)));
    return started;
  };
  const ask = <Value>(name: WorkerRequest['name'], args: readonly unknown[]): Promise<Value> =>
    new Promise((resolve, reject) => {
      worker ??= start();
      const id = nextId;
      nextId += 1;
      pending.set(id, { resolve, reject });
      worker.postMessage({ id, name, args } satisfies WorkerRequest);
    });
  return {
    call: (name, ...args) => ask(name, args),
    async close() {
      if (worker === null) return;
      const ending = worker;
      await ask('close', []).catch(() => undefined);
      await ending.terminate();
    },
  };
}

/** In a thread of its own where the program is compiled; Node can't start a worker from TypeScript. */
export function storePort(options: PortOptions): StorePort {
  const worker = fileURLToPath(new URL('./worker.js', import.meta.url));
  return existsSync(worker) ? workerPort(options) : directPort(options);
}

/** What a thrown thing is to whoever asked from the other thread. */
export function failureOf(thrown: unknown): { readonly code: string; readonly message: string } {
  return { code: codeOf(thrown) || 'history-failed', message: messageOf(thrown) };
}
