import { afterEach, expect, test } from 'vitest';
import type { Cluster } from '../../../src/cluster/cluster.ts';
import type { Bucket, Stored, WatchedEntry } from '../../../src/cluster/nats-store.ts';
import { openCluster } from '../../../src/cluster/open.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { ManualClock } from '../icecast/manual-clock.ts';

const clusters: Cluster<number>[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) void cluster.close();
});

/** So many steps after a change those who watch are told of it. */
const TOLD_AFTER = 3;

/**
 * A bucket as NATS before 2.9.21 keeps it: a write is compared with what is stored when it comes, and stored some steps
 * later, in the order in which they came.
 */
function leakyStore(clock: ManualClock) {
  const stored = new Map<string, { revision: number; value: Uint8Array }>();
  const watchers: ((entry: WatchedEntry) => void)[] = [];
  const log: (() => void)[] = [];
  const news: { told: number; entry: WatchedEntry }[] = [];
  let [revision, steps] = [0, 0];
  const write = (key: string, text: string) =>
    new Promise<Stored>((resolve) => {
      log.push(() => {
        revision += 1;
        const value = Buffer.from(text);
        stored.set(key, { revision, value });
        resolve({ is: 'stored', revision });
        news.push({ told: steps + TOLD_AFTER, entry: { key, revision, value, storedAt: clock.wallTime() } });
      });
    });
  const bucket: Bucket = {
    put: write,
    update: (key, text, expectedRevision) =>
      (stored.get(key)?.revision ?? 0) === expectedRevision
        ? write(key, text)
        : Promise.resolve({ is: 'refused' }),
    read(key) {
      const found = stored.get(key);
      return Promise.resolve(found === undefined ? null : { key, ...found });
    },
    watch(_prefix, onEntry) {
      watchers.push(onEntry);
      return Promise.resolve(() => undefined);
    },
  };
  const step = () => {
    steps += 1;
    log.shift()?.();
    for (const { told, entry } of news) if (told === steps) for (const show of watchers) show(entry);
  };
  return { bucket, step };
}

const turns = async () => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
};

test('of agents that take the lease in the same moment one has it, whatever the store told each of them', async () => {
  const clock = new ManualClock();
  const { bucket, step } = leakyStore(clock);
  const agents = ['london', 'dublin', 'paris'].map((self) =>
    openCluster<number>(
      { urls: [], login: { by: 'nothing' }, group: 'a.example', self, parse: () => 0 },
      {
        clock,
        random: systemRandom,
        open: () =>
          Promise.resolve({
            isClosed: () => false,
            announce: () => undefined,
            listen: () => undefined,
            openBucket: () => Promise.resolve(bucket),
            storage: () => Promise.resolve(),
            close: () => Promise.resolve(),
          }),
      },
    ),
  );
  clusters.push(...agents);
  await turns();
  for (const agent of agents) agent.seek();
  const holders = () => agents.filter((agent) => agent.lease().is === 'ours').length;
  const seen: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    step();
    await turns();
    seen.push(holders());
    clock.advance(50);
  }
  expect(Math.max(...seen), `${seen}`).toBe(1);
  expect(seen.at(-1)).toBe(1);
});
