import { describe, expect, test } from 'vitest';
import type { Bucket, WatchedEntry } from '../../../src/cluster/nats-store.ts';
import { openCluster } from '../../../src/cluster/open.ts';
import { encodePublished } from '../../../src/cluster/wire.ts';
import { newFailover, noFailoverMemory } from '../../../src/decide/failover/state.ts';
import { failoverStep } from '../../../src/decide/failover/step.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { DUBLIN, FAILOVER_DEFAULTS, LONDON } from '../../../src/simulate/station.ts';
import { heardFrom, parseObservation, type WireObservation } from '../../../src/wiring/observation.ts';
import { ManualClock } from '../icecast/manual-clock.ts';

const WEEK_MS = 7 * 86_400_000;
const GROUP = 'stream.myfm.example';

/** What the agent beside dublin said before it went: that london is ill and dublin is to be held. */
const LAST_WORDS: WireObservation = {
  servers: { london: { is: 'ill', verifiedAgoMs: null }, dublin: { is: 'well', verifiedAgoMs: 0 } },
  order: {
    version: 3,
    by: 'dublin',
    hold: { author: 'eve', server: 'dublin', override: true, remainingMs: 3_600_000 },
  },
  reachesDns: true,
};

const spoken = (number: number, observation: WireObservation) =>
  Buffer.from(encodePublished({ session: 'ab', number, observation }));

/** London's agent joins: what stands in the store is shown to it, and what it says and hears goes by hand. */
async function joined(ageMs: number) {
  const clock = new ManualClock();
  const storedAt = new Date(clock.wallTime().getTime() - ageMs);
  const key = `${GROUP}.observed.dublin`;
  const old: WatchedEntry = { key, revision: 7, value: spoken(40, LAST_WORDS), storedAt };
  let hear: (key: string, value: Uint8Array) => void = () => undefined;
  let show: (entry: WatchedEntry) => void = () => undefined;
  const bucket: Bucket = {
    put: () => Promise.resolve({ is: 'stored', revision: 8 }),
    update: () => Promise.resolve({ is: 'refused' }),
    read: () => Promise.resolve(null),
    watch(_prefix, onEntry) {
      show = onEntry;
      onEntry(old);
      return Promise.resolve(() => undefined);
    },
  };
  const cluster = openCluster<WireObservation>(
    { urls: [], login: { by: 'nothing' }, group: GROUP, self: 'london', parse: parseObservation },
    {
      clock,
      random: systemRandom,
      open: () =>
        Promise.resolve({
          isClosed: () => false,
          announce: () => undefined,
          listen(_prefix, onMessage) {
            hear = onMessage;
          },
          openBucket: () => Promise.resolve(bucket),
          storage: () => Promise.resolve(),
          close: () => Promise.resolve(),
        }),
    },
  );
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  expect(cluster.link().is).toBe('connected');
  return {
    clock,
    cluster,
    show: () => show(old),
    say: (number: number) => hear(key, spoken(number, LAST_WORDS)),
  };
}

/** What london's agent makes of what the others said, having just started. */
function decided({ clock, cluster }: Awaited<ReturnType<typeof joined>>) {
  const policy = { ...FAILOVER_DEFAULTS, mode: 'cluster' as const };
  let state = newFailover(policy, noFailoverMemory, clock.nowMs());
  for (const { from, observation, seenAtMs } of cluster.peers()) {
    const heard = heardFrom(from, observation, seenAtMs);
    state = failoverStep(
      state,
      { kind: 'observation', atMs: clock.nowMs(), observation: heard },
      policy,
    ).state;
  }
  return state;
}

describe('an agent that joins the others', () => {
  test('takes the last word of one that has been gone for a week for no news, and its hold for over', async () => {
    const agent = await joined(WEEK_MS);
    expect(agent.cluster.peers()).toMatchObject([
      { from: 'dublin', seenAtMs: agent.clock.nowMs() - WEEK_MS },
    ]);
    expect(decided(agent).hold).toBeNull();
  });

  test('learns of a hold that still runs, for as long as it still runs', async () => {
    const agent = await joined(600_000);
    const { hold } = decided(agent);
    expect(hold).toMatchObject({ author: 'eve', server: DUBLIN });
    expect((hold?.untilMs ?? 0) - agent.clock.nowMs()).toBe(3_600_000 - 600_000);
  });

  test('hears one that lives at once, and is shown its old word again for nothing', async () => {
    const agent = await joined(WEEK_MS);
    agent.say(41);
    agent.show();
    expect(agent.cluster.peers()).toMatchObject([{ from: 'dublin', seenAtMs: agent.clock.nowMs() }]);
    expect(decided(agent).observations.get('dublin')?.servers.get(LONDON)?.is).toBe('ill');
  });

  test('believes no word out of the store that was put there tomorrow', async () => {
    const agent = await joined(-86_400_000);
    expect(agent.cluster.peers()).toEqual([]);
    agent.say(41);
    expect(agent.cluster.peers()).toHaveLength(1);
  });
});
