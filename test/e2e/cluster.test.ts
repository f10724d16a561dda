import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, type LeaseTimes, type LeaseView, openCluster } from '../../src/cluster/index.ts';
import {
  type NatsCluster,
  type NatsNode,
  startNats,
  startProcess,
  waitUntil,
} from '../../src/demo/rig/index.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { wait } from './station.ts';

/** Shorter than by default, so that the tests are. */
const TIMES: LeaseTimes = { lengthMs: 3_000, renewEveryMs: 500, skewMs: 200 };

let nats: NatsCluster;
beforeAll(async () => {
  nats = await startNats({ nodes: 3 });
});
afterAll(() => nats?.stop());

interface Agent extends Cluster<number> {
  readonly self: string;
}

let agents: Agent[] = [];
let ends: (() => void)[] = [];
/** How many held the lease at once, at worst, as they themselves saw it. */
let mostHolders = 0;

function startAgents(lease = TIMES): Agent[] {
  agents = ['london', 'dublin', 'witness'].map((self) => {
    const cluster = openCluster<number>(
      {
        urls: nats.urls,
        login: { by: 'nothing' },
        group: 'stream.myfm.example',
        self,
        lease,
        parse: (wire) => (typeof wire === 'number' ? wire : null),
      },
      { clock: systemClock, random: systemRandom },
    );
    return Object.assign(cluster, { self });
  });
  let number = 0;
  const publish = setInterval(() => {
    number += 1;
    for (const agent of agents) agent.publish(number);
  }, 250);
  const count = setInterval(() => {
    mostHolders = Math.max(mostHolders, agents.filter(isHolder).length);
  }, 10);
  ends = [() => clearInterval(publish), () => clearInterval(count)];
  mostHolders = 0;
  return agents;
}

afterEach(async () => {
  for (const end of ends) end();
  await Promise.all(agents.map((agent) => agent.close()));
  agents = [];
});

const isHolder = (agent: Agent): boolean => agent.lease().is === 'ours';
const epochOf = (lease: LeaseView): number => ('epoch' in lease ? lease.epoch : -1);

/** Whether every agent has heard from both others within the last second and a half. */
function allHear(): boolean {
  const sinceMs = performance.now() - 1500;
  return agents.every((agent) => agent.peers().filter((peer) => peer.seenAtMs > sinceMs).length === 2);
}

async function soleHolder(withinMs: number): Promise<Agent> {
  await waitUntil(
    'one agent holds the lease',
    withinMs,
    () => agents.filter(isHolder).length === 1,
    () => JSON.stringify(agents.map((agent) => [agent.link(), agent.lease()])),
  );
  const [holder] = agents.filter(isHolder);
  if (holder === undefined) throw new Error('nobody holds the lease');
  return holder;
}

const all = (is: 'connected' | 'no-majority') => () => agents.every((agent) => agent.link().is === is);

describe('three agents over three NATS servers', () => {
  test('hear each other, and one holds the lease until it gives it back', async () => {
    // Nobody is to lose the lease here, be it because this process stands still for a while.
    startAgents({ ...TIMES, lengthMs: 20_000 });
    await waitUntil('all are connected', 60_000, all('connected'));
    await waitUntil('all hear each other', 30_000, allHear);
    for (const agent of agents) agent.seek();
    const first = await soleHolder(30_000);
    const { epoch } = first.lease() as { epoch: number };
    first.noteMark({ epoch: epoch + 10, writer: 'paris' });
    await waitUntil(
      'the lease is taken above what stands in DNS',
      30_000,
      () => epochOf(first.lease()) === epoch + 11,
    );
    first.yield();
    await waitUntil('another has it', 10_000, () =>
      agents.some((agent) => agent !== first && isHolder(agent)),
    );
    expect(epochOf((await soleHolder(10_000)).lease())).toBe(epoch + 12);
    expect(mostHolders).toBe(1);
  });

  test('lose the NATS server that leads: they go on hearing each other, and the lease has one holder again', async () => {
    startAgents();
    await waitUntil('all hear each other', 60_000, allHear);
    for (const agent of agents) agent.seek();
    const before = epochOf((await soleHolder(30_000)).lease());
    const leader = await nats.leaderOf('sustain');
    if (leader === null) throw new Error('the bucket has no leader');
    await leader.kill();
    // JetStream is without a leader for seconds; what they hear of each other doesn't wait for that. What they heard
    // before the kill counts for a second and a half.
    await wait(1_600);
    await waitUntil('all hear each other without the leader', 4_000, allHear);
    const after = await soleHolder(60_000);
    expect(epochOf(after.lease())).toBeGreaterThanOrEqual(before);
    expect(mostHolders).toBe(1);

    const second = nats.nodes.find((node) => node.running());
    await second?.kill();
    await waitUntil('all know that there is no majority', 30_000, all('no-majority'));
    await waitUntil('nobody holds the lease', 30_000, () => agents.filter(isHolder).length === 0);
    await Promise.all([leader, second].map((node: NatsNode | undefined) => node?.restart()));
    const last = await soleHolder(60_000);
    expect(epochOf(last.lease())).toBeGreaterThan(before);
    expect(mostHolders).toBe(1);
  });

  test('an agent that was stopped for longer than its lease never believes in the old one again', async () => {
    startAgents();
    await waitUntil('all are connected', 60_000, all('connected'));
    const path = fileURLToPath(new URL('lease-holder.mjs', import.meta.url));
    const args = [path, 'paris', JSON.stringify(TIMES), ...nats.urls];
    const paris = await startProcess({ command: process.execPath, args, stdout: 'pipe' });
    const said: LeaseView[] = [];
    paris.stdout?.setEncoding('utf8').on('data', (lines: string) => {
      for (const line of lines.trim().split('\n')) said.push(JSON.parse(line));
    });
    try {
      await waitUntil(
        'paris holds the lease',
        60_000,
        () => said.at(-1)?.is === 'ours',
        () => `${JSON.stringify(said.at(-1))} ${paris.lastWords()}`,
      );
      const [london] = agents;
      london?.seek();
      const held = epochOf(said.at(-1) ?? { is: 'unknown' });
      paris.signal('SIGSTOP');
      // What it printed before it stood still is still on its way.
      await wait(500);
      const stoppedAfter = said.length;
      await waitUntil('london has it', 30_000, () => london?.lease().is === 'ours');
      expect(epochOf(london?.lease() ?? { is: 'unknown' })).toBe(held + 1);
      paris.signal('SIGCONT');
      await waitUntil('paris has seen it', 30_000, () => said.at(-1)?.is === 'theirs');
      const since = said.slice(stoppedAfter);
      expect(since.filter((lease) => lease.is === 'ours')).toEqual([]);
    } finally {
      await paris.stop();
    }
  });
});
