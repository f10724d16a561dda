import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { Meter, readingFields } from '../../native-bindings/index.ts';

const addonPath = fileURLToPath(new URL('../../native-bindings/build/sustain.node', import.meta.url));
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const run = promisify(execFile);

interface WorkerResult {
  readonly refused: boolean;
  readonly integratedLufs: number;
}

function inWorker(extra: object = {}): { worker: Worker; result: Promise<WorkerResult> } {
  const workerData = { addonPath, seconds: 20, fields: readingFields, ...extra };
  const worker = new Worker(fixture('meter-worker.mjs'), { workerData });
  const result = new Promise<WorkerResult>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { worker, result };
}

describe('in worker threads', () => {
  test('each has its own classes, errors and figures, at the same time as the main thread', async () => {
    const others = Array.from({ length: 4 }, () => inWorker().result);
    const here = new Meter({ sampleRateHz: 48_000, channels: 2 });
    here.push(new Float32Array(96_000));
    for (const { refused, integratedLufs } of await Promise.all(others)) {
      expect(refused).toBe(true);
      expect(Math.abs(integratedLufs - -20)).toBeLessThan(0.05);
    }
    expect(here.summary().integratedLufs).toBe(-Infinity);
  });

  test('a worker that throws while it measures takes nothing else with it', async () => {
    await expect(inWorker({ throwAfter: 5 }).result).rejects.toThrow('worker stops');
    expect(await inWorker().result).toMatchObject({ refused: true });
  });

  test('workers that are terminated while they measure leave the process whole', async () => {
    // One in a few dozen of these used to bring the process down: an exception that a dying worker could not take.
    for (let i = 0; i < 50; i++) {
      const { worker } = inWorker({ seconds: 100_000 });
      await new Promise((resolve) => setTimeout(resolve, i * 1.5));
      await worker.terminate();
    }
    expect(await inWorker().result).toMatchObject({ refused: true });
  });
});

describe('a process that ends', () => {
  const steps = [
    'loaded',
    'initialised',
    'constructed',
    'mid-block',
    'pushing-in-exit-handler',
    'collected',
    'after-error',
  ];

  test.each([...steps, 'at the end'])('at the step "%s" ends with code 0 and says nothing', async (step) => {
    const args = ['--expose-gc', fixture('exit-at-step.mjs'), addonPath, String(readingFields), step];
    expect(await run(process.execPath, args)).toEqual({ stdout: '', stderr: '' });
  });
});

describe('memory', () => {
  test('that meters used is given back', async () => {
    const script = `
      const { Meter } = require(process.argv[1]).initialise(class extends TypeError {});
      const block = new Float32Array(9600);
      const use = (count) => {
        for (let i = 0; i < count; i++) {
          const meter = new Meter({ sampleRateHz: 48000, channels: 2 }, new Float64Array(64 * ${readingFields}));
          for (let n = 0; n < 30; n++) meter.push(block);
        }
      };
      // Finalizers run between turns, not within one.
      (async () => {
        const turn = async (count) => { use(count); global.gc(); await new Promise(setImmediate); };
        for (let i = 0; i < 10; i++) await turn(20);
        const before = process.memoryUsage.rss();
        for (let i = 0; i < 30; i++) await turn(20);
        console.log((process.memoryUsage.rss() - before) / 2 ** 20);
      })();
    `;
    const { stdout } = await run(process.execPath, ['--expose-gc', '-e', script, addonPath]);
    // 600 meters hold well over 50 MiB between them: a leak of even a third of that would show.
    expect(Number(stdout)).toBeLessThan(15);
  });
});
