import { parentPort, workerData } from 'node:worker_threads';
import { claimFolder } from './claim.ts';
import { failureOf, StoreKeeper, type WorkerAnswer, type WorkerRequest } from './port.ts';

const { directory } = workerData as { directory: string };
const answer = (message: WorkerAnswer) => parentPort?.postMessage(message);
const keeper = new StoreKeeper({
  directory,
  wallTime: () => new Date(),
  setAside: (path) => answer({ setAside: path }),
});

function close(): void {
  keeper.close();
  release?.();
  release = null;
}

let release: (() => void) | null = null;

parentPort?.on('message', ({ id, name, args }: WorkerRequest) => {
  try {
    if (name !== 'close') release ??= claimFolder(directory);
    const value = name === 'close' ? close() : keeper.call(name, args);
    answer({ id, ok: true, value });
  } catch (thrown) {
    answer({ id, ok: false, ...failureOf(thrown) });
  }
});
