import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Keeper } from './station-world.ts';
import { type LaneTally, summedUp } from './tally.ts';
import { type KeeperYears, LANES, simulateLane, type YearsOptions } from './years.ts';

/** One lane of one keeper, as it goes to a thread, and what comes back. */
export interface LaneOrder {
  readonly keeper: Keeper;
  readonly options: YearsOptions;
  readonly lane: number;
}
export type LaneNews = { readonly share: number } | { readonly tally: LaneTally };

interface Task extends LaneOrder {
  /** Of all the work, as seen on one machine: only agents decide anything. */
  readonly weight: number;
  share: number;
  tally: LaneTally | null;
}

const WEIGHTS: Readonly<Record<Keeper['is'], number>> = {
  sustain: 0.85,
  'one-server': 0.11,
  'dns-check': 0.02,
  fallback: 0.02,
};

const WORKER = new URL('./lane-worker.js', import.meta.url);

/**
 * Runs several keepers through the same years, on as many threads as there are processors where the program is compiled;
 * Node can't start a thread from TypeScript. What comes out is the same on any number of them. Null when it was interrupted.
 */
export async function simulateKeepers(
  keepers: readonly Keeper[],
  options: YearsOptions,
  done: (share: number) => void,
  interrupted: AbortSignal,
): Promise<readonly KeeperYears[] | null> {
  const tasks = keepers.flatMap((keeper) =>
    Array.from({ length: LANES }, (_, lane): Task => {
      return { keeper, options, lane, weight: WEIGHTS[keeper.is] / LANES, share: 0, tally: null };
    }),
  );
  const all = tasks.reduce((sum, { weight }) => sum + weight, 0);
  const tell = () => done(tasks.reduce((sum, { weight, share }) => sum + weight * share, 0) / all);
  const isCompiled = existsSync(fileURLToPath(WORKER));
  const queue = [...tasks];
  // One thread that breaks ends the others too.
  const broken = new AbortController();
  const ends = AbortSignal.any([interrupted, broken.signal]);
  const workers = Array.from(
    { length: isCompiled ? Math.min(availableParallelism(), tasks.length) : 1 },
    async () => {
      const run = isCompiled ? onThread : inThisThread;
      for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
        if (ends.aborted) return;
        await run(task, tell, ends);
      }
    },
  );
  try {
    await Promise.all(workers);
  } finally {
    broken.abort();
  }
  if (interrupted.aborted) return null;
  return keepers.map((keeper) => {
    const tallies = tasks.flatMap(({ keeper: of, tally }) =>
      of === keeper && tally !== null ? [tally] : [],
    );
    return { keeper, ...summedUp(tallies, options) };
  });
}

async function inThisThread(task: Task, tell: () => void, interrupted: AbortSignal): Promise<void> {
  const { keeper, options, lane } = task;
  const note = (share: number) => {
    task.share = share;
    tell();
  };
  task.tally = await simulateLane(keeper, options, lane, note, interrupted);
}

/** A thread for each lane: to start one costs little beside the minutes that it works. */
function onThread(task: Task, tell: () => void, interrupted: AbortSignal): Promise<void> {
  const { keeper, options, lane } = task;
  return new Promise((resolve, reject) => {
    const worker = new Worker(WORKER, { workerData: { keeper, options, lane } satisfies LaneOrder });
    const stop = () => void worker.terminate();
    interrupted.addEventListener('abort', stop, { once: true });
    worker.on('message', (news: LaneNews) => {
      if ('tally' in news) task.tally = news.tally;
      task.share = 'tally' in news ? 1 : news.share;
      tell();
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      interrupted.removeEventListener('abort', stop);
      if (task.tally !== null || interrupted.aborted) resolve();
      else reject(new Error(`a thread of the simulation ended before its years were over`));
    });
  });
}
