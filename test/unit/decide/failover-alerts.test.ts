import { expect, test } from 'vitest';
import { failoverAlerts } from '../../../src/decide/failover/alerts.ts';
import { newFailover, noFailoverMemory } from '../../../src/decide/failover/state.ts';
import { failoverStep } from '../../../src/decide/failover/step.ts';
import type { FailoverInput } from '../../../src/domain/failover.ts';
import { failoverSentence } from '../../../src/domain/sentences.ts';
import { DnsWorld, DUBLIN, LONDON } from '../../../src/simulate/dns-world.ts';
import { FAILOVER_DEFAULTS } from '../../../src/simulate/station.ts';

/** What is opened and closed, in its order, by inputs that come one a second. */
function told(...inputs: readonly FailoverInput[]): readonly string[] {
  let state = newFailover(FAILOVER_DEFAULTS, noFailoverMemory, 0);
  return inputs.flatMap((input) => {
    const step = failoverStep(state, input, FAILOVER_DEFAULTS);
    state = step.state;
    return step.events.flatMap((event) => {
      if (event.kind === 'dns-alert-opened') return [`${event.code}: ${event.detail}`];
      return event.kind === 'dns-alert-closed' ? [`${event.code} is over`] : [];
    });
  });
}

const record = (atMs: number, is: 'foreign' | 'server'): FailoverInput => ({
  kind: 'record',
  atMs,
  epoch: 1,
  record: is === 'foreign' ? { is, detail: '192.0.2.1' } : { is, server: LONDON, amiss: null },
});

test('a name that somebody else pointed elsewhere is told until it is one of ours again', () => {
  expect(told(record(1_000, 'server'), record(2_000, 'foreign'), record(3_000, 'server'))).toEqual([
    'dns-foreign: 192.0.2.1: nothing is moved until it is one of ours',
    'dns-foreign is over',
  ]);
});

test('authorities that are behind are told until they are not', () => {
  const behind = 'ns2 is stale: old addresses';
  expect(
    told(
      record(1_000, 'server'),
      { kind: 'authorities', atMs: 2_000, behind },
      { kind: 'authorities', atMs: 3_000, behind },
      { kind: 'authorities', atMs: 4_000, behind: null },
    ),
  ).toEqual([
    `dns-not-everywhere: some authorities do not answer what was written: ${behind}`,
    'dns-not-everywhere is over',
  ]);
});

test('a contest is told by whoever stops for it, and is over when the sites hear each other again', () => {
  const world = new DnsWorld('alone');
  world.pass(60);
  world.cut('london', 'dublin');
  world.pass(60);
  const heard = (kind: string) =>
    world.events
      .filter(({ event }) => event.kind === kind && 'code' in event && event.code === 'dns-contested')
      .map(({ agent }) => agent);
  expect(heard('dns-alert-opened')).toEqual([DUBLIN]);
  expect(heard('dns-alert-closed')).toEqual([]);
  world.cuts.clear();
  world.pass(10);
  expect(heard('dns-alert-closed')).toEqual([DUBLIN]);
});

test('a name that an operator holds on a server without sound is told while another has it: nothing automatic helps', () => {
  const world = new DnsWorld('cluster');
  world.pass(60);
  world.ask('dublin', { do: 'hold', author: 'eve', forMs: 3_600_000 });
  const heard = () =>
    world.events.flatMap(({ agent, event }) =>
      (event.kind === 'dns-alert-opened' || event.kind === 'dns-alert-closed') && event.code === 'dns-held'
        ? [{ agent, kind: event.kind, subject: event.subject, detail: event.detail }]
        : [],
    );
  world.pass(60);
  expect(heard()).toEqual([]);
  world.truth.set(LONDON, 'dead');
  world.pass(60);
  expect(heard().map(({ agent }) => agent)).toEqual(expect.arrayContaining([DUBLIN, 'witness']));
  expect(heard()[0]).toMatchObject({
    subject: LONDON,
    detail: 'eve holds the name on london, which gives listeners no sound; dublin does: release the name',
  });
  world.ask('dublin', { do: 'release', author: 'eve' });
  world.pass(30);
  expect(world.dns.server).toBe(DUBLIN);
  expect(heard().filter(({ kind }) => kind === 'dns-alert-opened')).toHaveLength(heard().length / 2);
});

test('a held name is nothing to be told where no server would be better', () => {
  const world = new DnsWorld('cluster');
  world.pass(60);
  world.ask('dublin', { do: 'hold', author: 'eve', forMs: 3_600_000 });
  for (const server of [LONDON, DUBLIN]) world.truth.set(server, 'dead');
  world.pass(60);
  const codes = world.events.flatMap(({ event }) => (event.kind === 'dns-alert-opened' ? [event.code] : []));
  expect(codes).toContain('dns-no-server-well');
  expect(codes).not.toContain('dns-held');
});

test('nobody is called because a lease was handed on, and everybody who misses it for longer', () => {
  const policy = { ...FAILOVER_DEFAULTS, mode: 'cluster' } as const;
  let state = newFailover(policy, noFailoverMemory, 0);
  const calledAtS: number[] = [];
  for (let second = 1; second <= 100; second += 1) {
    const isLost = (second > 60 && second <= 65) || second > 80;
    const lease = isLost
      ? ({ is: 'lost', detail: 'nobody' } as const)
      : ({ is: 'theirs', holder: 'x' } as const);
    const step = failoverStep(state, { kind: 'lease', atMs: second * 1_000, lease }, policy);
    state = step.state;
    if (step.events.some(({ kind }) => kind === 'dns-alert-opened')) calledAtS.push(second);
  }
  expect(calledAtS).toEqual([91]);
});

test('every agent notes where the name points, whoever has written it', () => {
  const world = new DnsWorld('cluster');
  world.pass(60);
  world.dns = { ...world.dns, server: DUBLIN };
  world.pass(10);
  const found = world.events.filter(({ event }) => event.kind === 'dns-found');
  expect(found.map(({ agent }) => agent).sort()).toEqual(world.agents.map(({ name }) => name).sort());
  expect(found[0]?.event).toMatchObject({ from: LONDON, to: DUBLIN });
  expect(found[0]?.event).not.toHaveProperty('isHome');
});

test('a write that another agent was faster with is told only when what stands there is still not as it should be', () => {
  const state = newFailover(FAILOVER_DEFAULTS, noFailoverMemory, 0);
  const record = { record: { is: 'server', server: LONDON, amiss: 'the TTL' }, epoch: 9, atMs: 0 } as const;
  const codes = (by: 'right' | 'provider', readAtMs: number) => {
    const failed = {
      ...state,
      record,
      readAtMs,
      writeFailed: { detail: 'dublin wrote epoch 10', atMs: 1_000, by },
    };
    return [...failoverAlerts(failed, 1_200, FAILOVER_DEFAULTS).state.alerts.values()].map(
      ({ code }) => code,
    );
  };
  expect(codes('right', 900)).toEqual([]);
  expect(codes('right', 1_100)).toEqual(['dns-not-written']);
  expect(codes('provider', 900)).toEqual(['dns-not-written']);
});

test('that the name was moved is noted with who asked for it', () => {
  const world = new DnsWorld('cluster');
  world.pass(60);
  world.ask('dublin', { do: 'force', server: DUBLIN, author: 'eve', forMs: 60_000, override: false });
  world.pass(10);
  const moved = world.events.flatMap(({ event }) =>
    event.kind === 'dns-moved' ? [failoverSentence(event)] : [],
  );
  expect(moved).toEqual([
    expect.stringMatching(/^every authority answers with dublin, after [\d.]+ s: eve asked for it$/),
  ]);
});

/** What the agents of a world did and were told after a moment, without when. */
function happened(world: DnsWorld, fromMs: number, ...kinds: readonly string[]): readonly string[] {
  return world.events.flatMap(({ agent, event }) => {
    if (event.atMs < fromMs || !kinds.includes(event.kind)) return [];
    return [`${agent} ${'code' in event ? event.code : event.kind}`];
  });
}

test('the name goes and comes back: each is done once, and nobody is called because of a write that was never needed', () => {
  const world = new DnsWorld('cluster');
  world.pass(60);
  world.truth.set(LONDON, 'dead');
  world.pass(60);
  expect(happened(world, 60_000, 'dns-moving')).toEqual(['dublin dns-moving']);
  world.truth.set(LONDON, 'fine');
  world.pass(300);
  expect(happened(world, 120_000, 'dns-moving')).toHaveLength(1);
  const called = new Set(happened(world, 60_000, 'dns-alert-opened').map((one) => one.split(' ')[1]));
  expect([...called]).toEqual(['dns-server-ill']);
});

test('a write that failed and is not wanted any more says nothing of the next one', () => {
  const policy = { ...FAILOVER_DEFAULTS, self: DUBLIN };
  const state = {
    ...newFailover(policy, noFailoverMemory, 0),
    record: { record: { is: 'server', server: LONDON, amiss: null }, epoch: 1, atMs: 0 } as const,
    writeFailed: { detail: 'no answer', atMs: 60_000, by: 'provider' } as const,
  };
  const after = (ms: number) =>
    failoverStep(state, { kind: 'tick', atMs: 60_000 + ms }, policy).state.writeFailed;
  expect(after(9_000)).not.toBeNull();
  expect(after(10_000)).toBeNull();
});

test('a name server that nobody reaches is one trouble, that it was restarted is none, and the lease is not looked for meanwhile', () => {
  const world = new DnsWorld('cluster');
  world.pass(61);
  const all = world.agents.map(({ name }) => name);
  const isReached = (is: boolean) => {
    for (const name of all) is ? world.noDns.delete(name) : world.noDns.add(name);
  };
  const called = (fromMs: number) => happened(world, fromMs, 'dns-alert-opened');
  isReached(false);
  world.pass(5);
  isReached(true);
  world.pass(54);
  expect(called(60_000)).toEqual([]);
  const lostMs = world.nowMs;
  isReached(false);
  world.pass(60);
  isReached(true);
  world.pass(30);
  expect(called(lostMs)).toEqual(all.map((name) => `${name} dns-not-read`));
  expect(happened(world, lostMs, 'dns-alert-closed')).toEqual(all.map((name) => `${name} dns-not-read`));
});

test('that the DNS is not read is told at once when the name would have to move', () => {
  const world = new DnsWorld('cluster');
  world.pass(61);
  for (const { name } of world.agents) world.noDns.add(name);
  world.truth.set(LONDON, 'dead');
  world.pass(5);
  expect(happened(world, 61_000, 'dns-alert-opened')).toContain('dublin dns-not-read');
});
