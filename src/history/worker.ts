import { parentPort, workerData } from 'node:worker_threads';
import { failureOf, StoreKeeper, type WorkerAnswer, type WorkerRequest } from './port.ts';

const { directory } = workerData as { directory: string };
const answer = (message: WorkerAnswer) => parentPort?.postMessage(message);
const keeper = new StoreKeeper({
  directory,
  wallTime: () => new Date(),
  setAside: (path) => answer({ setAside: path }),
});

parentPort?.on('message', ({ id, name, args }: WorkerRequest) => {
  try {
    const value = name === 'close' ? keeper.close() : keeper.call(name, args);
    answer({ id, ok: true, value });
  } catch (thrown) {
    answer({ id, ok: false, ...failureOf(thrown) });
  }
});
