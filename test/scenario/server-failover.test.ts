import { describe, expect, it } from 'vitest';
import { failoverStep } from '../../src/decide/failover/step.ts';
import type { FailoverPolicy } from '../../src/domain/failover.ts';
import { DnsWorld, DUBLIN, LONDON, type Truth } from '../../src/simulate/dns-world.ts';
import { movesOf } from './failover-guard.ts';

const MODES = ['alone', 'cluster'] as const;
const seconds = (ms: number) => ms / 1_000;

/** A world that has run for long enough to know everything. */
function settled(mode: (typeof MODES)[number], changes: Partial<FailoverPolicy> = {}): DnsWorld {
  const world = new DnsWorld(mode, { policy: changes });
  world.pass(60);
  expect(world.writes).toEqual([]);
  return world;
}

const kinds = (world: DnsWorld, agent: string, kind: string) =>
  world.events.filter((one) => one.agent === agent && one.event.kind === kind).map(({ event }) => event);

describe.each(MODES)('the name of a station (%s)', (mode) => {
  it.each<Truth>(['dead', 'hung'])(
    'leaves a server that is %s within 10 s, and comes back after its restore delay',
    (truth) => {
      const world = settled(mode);
      const brokeMs = world.nowMs;
      world.truth.set(LONDON, truth);
      world.pass(15);
      expect(world.writes.map(({ server }) => server)).toEqual([DUBLIN]);
      expect(seconds((world.writes[0]?.atMs ?? 0) - brokeMs)).toBeLessThan(10);
      world.truth.set(LONDON, 'fine');
      const mendedMs = world.nowMs;
      world.pass(300);
      expect(world.writes.map(({ server }) => server)).toEqual([DUBLIN, LONDON]);
      const backAfterS = seconds((world.writes[1]?.atMs ?? 0) - mendedMs);
      expect(backAfterS).toBeGreaterThanOrEqual(180);
      expect(backAfterS).toBeLessThan(200);
    },
  );

  it('leaves a server that is silent while the other is not, after the source switch has had its time', () => {
    const world = settled(mode);
    const brokeMs = world.nowMs;
    world.truth.set(LONDON, 'mute');
    world.pass(60);
    expect(world.writes.map(({ server }) => server)).toEqual([DUBLIN]);
    const afterS = seconds((world.writes[0]?.atMs ?? 0) - brokeMs);
    expect(afterS).toBeGreaterThan(15);
    expect(afterS).toBeLessThan(30);
  });

  it('stays where it is when both are silent, for that is the studio', () => {
    const world = settled(mode);
    world.truth.set(LONDON, 'mute');
    world.truth.set(DUBLIN, 'mute');
    world.pass(600);
    expect(world.writes).toEqual([]);
    world.truth.set(LONDON, 'fine');
    world.truth.set(DUBLIN, 'fine');
    world.pass(600);
    expect(world.writes).toEqual([]);
  });

  it('stays where it is when every server is dead', () => {
    const world = settled(mode);
    world.truth.set(LONDON, 'dead');
    world.truth.set(DUBLIN, 'dead');
    world.pass(600);
    expect(world.writes).toEqual([]);
    expect(kinds(world, 'dublin', 'dns-alert-opened')).toContainEqual(
      expect.objectContaining({ code: 'dns-no-server-well' }),
    );
  });

  it('escapes again at once when the standby dies 20 s after it was moved there', () => {
    const world = settled(mode);
    world.truth.set(LONDON, 'dead');
    world.pass(20);
    world.truth.set(LONDON, 'fine');
    world.pass(20);
    expect(world.dns.server).toBe(DUBLIN);
    const brokeMs = world.nowMs;
    world.truth.set(DUBLIN, 'dead');
    world.pass(15);
    expect(world.dns.server).toBe(LONDON);
    expect(seconds((world.writes.at(-1)?.atMs ?? 0) - brokeMs)).toBeLessThan(10);
  });

  it('goes back ever later to a server that keeps failing', () => {
    const world = settled(mode);
    for (let relapse = 0; relapse < 20; relapse += 1) {
      world.truth.set(LONDON, 'dead');
      world.pass(30);
      world.truth.set(LONDON, 'fine');
      world.pass(210);
    }
    const returns = world.writes.filter(({ server }) => server === LONDON).length;
    // 80 min of a server that fails every four: without the hold-down it would be gone back to each time.
    expect(returns).toBeLessThanOrEqual(3);
  });

  it('is moved to no server whose sound was not heard in the 5 s before', () => {
    const world = settled(mode);
    world.truth.set(DUBLIN, 'mute');
    world.pass(6);
    world.truth.set(LONDON, 'dead');
    world.pass(120);
    expect(world.writes).toEqual([]);
    world.truth.set(DUBLIN, 'fine');
    world.pass(20);
    expect(world.dns.server).toBe(DUBLIN);
  });

  it('is moved to no server that came back to life without sound, however it sounded before', () => {
    const world = settled(mode);
    world.truth.set(DUBLIN, 'dead');
    world.pass(60);
    world.truth.set(DUBLIN, 'mute');
    world.pass(2);
    world.truth.set(LONDON, 'dead');
    world.pass(60);
    expect(world.writes).toEqual([]);
    const well = kinds(world, 'dublin', 'health-changed').filter(
      (event) => event.kind === 'health-changed' && event.server === DUBLIN && event.to.is === 'well',
    );
    // At the start, and not when it was back without a sound.
    expect(well).toHaveLength(1);
  });

  it('is moved by nothing automatic while somebody holds it, and by that somebody only to what is heard', () => {
    const world = settled(mode);
    for (const { name } of world.agents) world.ask(name, { do: 'hold', author: 'eve', forMs: 600_000 });
    world.truth.set(LONDON, 'dead');
    world.pass(60);
    expect(world.writes).toEqual([]);
    world.ask('dublin', { do: 'force', server: LONDON, author: 'eve', forMs: 600_000, override: false });
    expect(kinds(world, 'dublin', 'dns-refused')).toHaveLength(1);
    world.pass(600);
    expect(world.dns.server).toBe(DUBLIN);
    expect(world.writes).toHaveLength(1);
  });

  it('is not sent by hand to a server that went silent before the write could begin', () => {
    const world = settled(mode);
    for (const { name } of world.agents) world.noDns.add(name);
    const force = { do: 'force', server: DUBLIN, author: 'eve', forMs: 600_000, override: false } as const;
    for (const { name } of world.agents) world.ask(name, force);
    world.truth.set(DUBLIN, 'dead');
    world.pass(20);
    world.noDns.clear();
    world.pass(60);
    expect(world.writes).toEqual([]);
    for (const { name } of world.agents) world.ask(name, { ...force, override: true });
    world.pass(10);
    expect(world.dns.server).toBe(DUBLIN);
  });

  it('is not written any more once somebody holds it, though the write was ordered before', () => {
    const world = settled(mode);
    world.writeBeginsAfterMs = 5_000;
    world.truth.set(LONDON, 'dead');
    const isOrdered = () => world.agents.some(({ state }) => state.publishing !== null);
    while (!isOrdered()) world.advance(100);
    for (const { name } of world.agents) world.ask(name, { do: 'hold', author: 'eve', forMs: 600_000 });
    world.pass(60);
    expect(world.writes).toEqual([]);
  });

  it('is not written to where it was sent by hand once that was taken back', () => {
    const world = settled(mode);
    world.writeBeginsAfterMs = 5_000;
    const force = { do: 'force', server: DUBLIN, author: 'eve', forMs: 600_000, override: false } as const;
    world.ask('dublin', force);
    while (world.agents.every(({ state }) => state.publishing === null)) world.advance(100);
    world.ask('dublin', { do: 'release', author: 'eve' });
    world.pass(60);
    expect(world.writes).toEqual([]);
  });

  it('ends listeners of a server that was left when resolvers have forgotten it, and of no other', () => {
    const world = settled(mode);
    world.truth.set(LONDON, 'mute');
    world.pass(120);
    const movedMs = world.writes[0]?.atMs ?? 0;
    expect(world.ended.map(({ server }) => server)).toEqual([LONDON]);
    expect(world.ended[0]?.atMs).toBeGreaterThanOrEqual(movedMs + 60_000);
    world.truth.set(LONDON, 'fine');
    world.pass(600);
    expect(world.dns.server).toBe(LONDON);
    expect(world.ended).toHaveLength(1);
  });

  it('ends those again who came back with an old answer, ever more seldom, and lets them be in the end', () => {
    const world = settled(mode);
    world.truth.set(LONDON, 'mute');
    world.pass(4 * 3_600);
    expect(world.ended.map(({ server }) => server)).toEqual(Array(7).fill(LONDON));
    const times = world.ended.map(({ atMs }) => Math.round(seconds(atMs - (world.ended[0]?.atMs ?? 0))));
    // After the TTL of 60 s, and then each time after twice as long.
    expect(times.map((at) => Math.round(at / 60))).toEqual([0, 1, 3, 7, 15, 31, 63]);
  });

  it('ends nobody any more as soon as the server is heard again, though the name is elsewhere still', () => {
    const world = settled(mode);
    world.truth.set(LONDON, 'mute');
    world.pass(120);
    expect(world.ended).toHaveLength(1);
    world.truth.set(LONDON, 'fine');
    world.pass(120);
    expect([world.ended.length, world.dns.server]).toEqual([1, DUBLIN]);
  });

  it('ends nobody while the server is dead, and does when it comes back without sound', () => {
    const world = settled(mode);
    world.truth.set(LONDON, 'dead');
    world.pass(600);
    expect([world.ended.length, world.dns.server]).toEqual([0, DUBLIN]);
    world.truth.set(LONDON, 'mute');
    world.pass(30);
    expect(world.ended.map(({ server }) => server)).toEqual([LONDON]);
  });

  it('ends nobody while there is no better server to go to', () => {
    const world = settled(mode);
    world.truth.set(LONDON, 'mute');
    world.pass(50);
    expect(world.dns.server).toBe(DUBLIN);
    world.truth.set(DUBLIN, 'mute');
    world.pass(600);
    expect(world.ended).toEqual([]);
    world.truth.set(DUBLIN, 'fine');
    world.pass(30);
    expect(world.ended.map(({ server }) => server)).toEqual([LONDON]);
  });

  it('goes back in time to a server that stayed dead while its agents stood still and knew nothing of it', () => {
    const world = settled(mode);
    world.truth.set(LONDON, 'dead');
    for (let pause = 0; pause < 3; pause += 1) {
      world.pass(20);
      for (const agent of world.agents) agent.isPaused = true;
      world.pass(5);
      for (const agent of world.agents) agent.isPaused = false;
    }
    world.pass(20);
    world.truth.set(LONDON, 'fine');
    world.pass(200);
    expect(world.writes.map(({ server }) => server)).toEqual([DUBLIN, LONDON]);
  });

  it('ends nobody where that is not wanted', () => {
    const world = settled(mode, { endListenersAfterMs: null });
    world.truth.set(LONDON, 'mute');
    world.pass(1_200);
    expect([world.ended.length, world.dns.server]).toEqual([0, DUBLIN]);
  });

  it('is not moved for an agent that stood still', () => {
    const world = settled(mode);
    for (const agent of world.agents) {
      agent.isPaused = true;
      world.pass(20);
      agent.isPaused = false;
      world.pass(30);
    }
    expect(world.writes).toEqual([]);
  });

  it('is not moved by what agents knew before they went deaf', () => {
    const world = settled(mode);
    world.truth.set(DUBLIN, 'mute');
    world.pass(6);
    world.truth.set(LONDON, 'hung');
    world.pass(8);
    for (const agent of world.agents) agent.isDeaf = true;
    for (const server of [LONDON, DUBLIN]) world.truth.set(server, 'fine');
    world.pass(120);
    for (const agent of world.agents) agent.isDeaf = false;
    world.pass(60);
    expect(world.writes).toEqual([]);
  });

  it('goes back only to a server that was heard for the whole restore delay', () => {
    const world = settled(mode);
    world.truth.set(LONDON, 'dead');
    world.pass(60);
    world.truth.set(LONDON, 'fine');
    world.pass(20);
    for (const agent of world.agents) agent.isDeaf = true;
    world.pass(200);
    for (const agent of world.agents) agent.isDeaf = false;
    world.pass(120);
    expect(world.dns.server).toBe(DUBLIN);
    world.pass(120);
    expect(world.dns.server).toBe(LONDON);
  });

  it('is left alone by an agent that cannot reach the DNS, and that is told', () => {
    const world = settled(mode);
    for (const { name } of world.agents) world.noDns.add(name);
    world.truth.set(LONDON, 'dead');
    world.pass(60);
    expect(world.writes).toEqual([]);
    expect(kinds(world, 'dublin', 'dns-alert-opened')).toContainEqual(
      expect.objectContaining({ code: 'dns-not-read' }),
    );
    world.noDns.clear();
    world.pass(15);
    expect(world.dns.server).toBe(DUBLIN);
  });
});

describe.each(MODES)('a record that is not all as it is to be (%s)', (mode) => {
  const amiss = 'the A record of stream.myfm.example has a TTL of 3600 s and not 30 s';
  const start = (server: typeof LONDON) => {
    const world = new DnsWorld(mode);
    world.dns = { server, epoch: null, amiss };
    return world;
  };

  it('is written anew before anything happens, once, and the name stays where it is', () => {
    const world = start(LONDON);
    world.pass(300);
    expect(world.writes).toMatchObject([{ server: LONDON }]);
    expect(world.writes[0]?.atMs).toBeLessThan(15_000);
  });

  it('sends nobody to a better server before its restore delay', () => {
    const world = start(DUBLIN);
    world.truth.set(LONDON, 'dead');
    world.pass(60);
    world.dns = { ...world.dns, amiss };
    world.truth.set(LONDON, 'fine');
    world.pass(120);
    expect(world.writes.length).toBeGreaterThanOrEqual(2);
    expect(new Set(world.writes.map(({ server }) => server))).toEqual(new Set([DUBLIN]));
  });

  it('is let be while somebody holds the name, and while its server is not heard', () => {
    const world = settled(mode);
    for (const { name } of world.agents) world.ask(name, { do: 'hold', author: 'eve', forMs: 60_000 });
    world.dns = { ...world.dns, amiss };
    world.pass(55);
    for (const server of [LONDON, DUBLIN]) world.truth.set(server, 'dead');
    world.pass(60);
    expect(world.writes).toEqual([]);
  });

  it('is written no more than once a minute when somebody else wants it otherwise', () => {
    const world = settled(mode);
    world.pass(305, () => {
      world.dns = { ...world.dns, amiss };
    });
    expect(world.writes.length).toBeGreaterThanOrEqual(4);
    expect(world.writes.length).toBeLessThanOrEqual(6);
  });
});

describe('without a cluster', () => {
  it('the agent beside the second server moves the name, also when the first agent is dead', () => {
    const world = settled('alone');
    world.kill('london');
    world.truth.set(LONDON, 'dead');
    world.pass(15);
    expect(world.writes).toMatchObject([{ by: 'dublin', server: DUBLIN }]);
  });

  it('the agent that writes obeys what another was asked for, until it is released at any', () => {
    const world = settled('alone');
    world.ask('london', { do: 'hold', author: 'eve', forMs: 600_000 });
    world.pass(2);
    expect(kinds(world, 'dublin', 'dns-hold-changed')).toMatchObject([
      { detail: 'held at london', author: 'eve' },
    ]);
    world.truth.set(LONDON, 'dead');
    world.pass(60);
    expect(world.writes).toEqual([]);
    world.truth.set(LONDON, 'fine');
    world.pass(30);
    world.ask('london', { do: 'force', server: DUBLIN, author: 'eve', forMs: 600_000, override: false });
    world.pass(10);
    expect(world.writes).toMatchObject([{ by: 'dublin', server: DUBLIN }]);
    world.ask('dublin', { do: 'release', author: 'ann' });
    world.pass(2);
    expect(world.agents.map(({ state }) => state.hold)).toEqual([null, null]);
  });

  it('the agent that writes goes by the newest word, also when it hears of an older one late', () => {
    const world = settled('alone');
    world.cut('london', 'dublin');
    world.ask('london', { do: 'hold', author: 'eve', forMs: 3_600_000 });
    world.pass(2);
    world.ask('dublin', { do: 'hold', author: 'bob', forMs: 3_600_000 });
    world.ask('dublin', { do: 'release', author: 'bob' });
    world.cuts.clear();
    world.pass(10);
    expect(world.agents.map(({ state }) => state.hold)).toEqual([null, null]);
  });

  it('an order of a person ends what two sites contested', () => {
    const world = settled('alone');
    world.cut('london', 'dublin');
    world.pass(120);
    const contested = world.agents.filter(({ state }) => state.contest !== null);
    expect(contested.length).toBeGreaterThan(0);
    for (const { name } of contested) {
      const hold = { author: 'eve', untilMs: world.nowMs + 60_000, server: LONDON, override: false };
      const order = { version: 2_000_000_000, by: 'york', hold };
      const { state, policy } = world.agent(name);
      const heard = failoverStep(state, { kind: 'heard-order', atMs: world.nowMs, order }, policy);
      expect(heard.state.contest).toBeNull();
    }
  });

  it('the other agent does it when the one that should is gone', () => {
    const world = settled('alone');
    world.truth.set(LONDON, 'dead');
    world.pass(20);
    world.truth.set(LONDON, 'fine');
    world.kill('dublin');
    world.pass(300);
    expect(world.writes.map(({ by, server }) => `${by} ${server}`)).toEqual([
      `dublin ${DUBLIN}`,
      `london ${LONDON}`,
    ]);
  });

  it('two sites that cannot see each other move it at most once each way in 10 min', () => {
    const world = settled('alone');
    world.cut('london', 'dublin');
    world.pass(3_600);
    const moves = movesOf(world);
    for (const { atMs } of moves) {
      const inWindow = moves.filter((write) => write.atMs >= atMs && write.atMs < atMs + 600_000);
      for (const server of [LONDON, DUBLIN])
        expect(inWindow.filter((write) => write.server === server).length).toBeLessThanOrEqual(1);
    }
    expect(world.writes.length).toBeGreaterThan(0);
    world.cuts.clear();
    world.pass(1_200);
    expect(world.dns.server).toBe(LONDON);
  });
});

describe('damping without a cluster', () => {
  const link = { one: 'london', other: 'dublin' };
  const partition = (world: DnsWorld, lastsS: number) => {
    world.cut(link.one, link.other);
    world.pass(lastsS, () => {}, 500);
    world.cuts.clear();
  };
  /** How long it takes until the name has left london, which has just died with its agent, in s. */
  const escapeS = (world: DnsWorld) => {
    const diedMs = world.nowMs;
    world.truth.set(LONDON, 'dead');
    world.kill('london');
    world.pass(900);
    expect(world.dns.server).toBe(DUBLIN);
    return seconds((world.writes.at(-1)?.atMs ?? 0) - diedMs);
  };

  it('does not grow with partitions that are long over', () => {
    const world = settled('alone');
    for (let turn = 0; turn < 2; turn += 1) {
      partition(world, 120);
      world.pass(3_600, () => {}, 500);
    }
    partition(world, 120);
    world.pass(660, () => {}, 500);
    expect(world.dns.server).toBe(LONDON);
    expect(escapeS(world)).toBeLessThan(10);
  });

  it('is over as soon as the sites see each other again, and a server that dies then is left within 10 s', () => {
    const world = settled('alone');
    partition(world, 120);
    world.pass(20);
    expect(world.dns.server).toBe(LONDON);
    expect(escapeS(world)).toBeLessThan(10);
  });

  it('lasts longer over a link that goes again and again, though never beyond 10 min', () => {
    const world = settled('alone');
    for (let turn = 0; turn < 6; turn += 1) {
      partition(world, 60);
      world.pass(60);
    }
    const toDublin = world.writes.filter(({ server }) => server === DUBLIN);
    expect(toDublin.length).toBeLessThanOrEqual(2);
    expect(escapeS(world)).toBeLessThan(610);
  });
});

describe('with a cluster', () => {
  it('a partition of the two sites moves nothing, for the third sees both', () => {
    const world = settled('cluster');
    world.cut('london', 'dublin');
    world.pass(3_600);
    expect(world.writes).toEqual([]);
  });

  it('a site cut off from both others is left', () => {
    const world = settled('cluster');
    world.cut('london', 'dublin');
    world.cut('london', 'witness');
    world.pass(40);
    expect(world.writes.map(({ server }) => server)).toEqual([DUBLIN]);
    expect(world.writes[0]?.by).not.toBe('london');
  });

  it('a witness that is cut off moves nothing', () => {
    const world = settled('cluster');
    world.cut('witness', 'dublin');
    world.cut('witness', 'london');
    world.pass(600);
    expect(world.writes).toEqual([]);
  });

  it('whoever held the lease and stood still for 20 s writes nothing under its old epoch', () => {
    const world = settled('cluster');
    const holder = world.agents.find(({ state }) => state.lease.is === 'ours');
    if (holder === undefined) throw new Error('nobody holds the lease');
    world.truth.set(LONDON, 'dead');
    world.pass(1);
    holder.isPaused = true;
    world.pass(20);
    holder.isPaused = false;
    world.pass(30);
    const epochs = world.writes.map(({ epoch }) => epoch);
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    expect(world.writes.map(({ by }) => by)).not.toContain(holder.name);
    expect(world.dns.server).toBe(DUBLIN);
  });

  it('stays where it is while NATS is gone, and says so', () => {
    const world = settled('cluster');
    world.isNatsUp = false;
    world.pass(60);
    world.truth.set(LONDON, 'dead');
    world.pass(300);
    expect(world.writes).toEqual([]);
    expect(kinds(world, 'dublin', 'dns-alert-opened')).toContainEqual(
      expect.objectContaining({ code: 'dns-no-lease' }),
    );
    world.isNatsUp = true;
    world.pass(30);
    expect(world.dns.server).toBe(DUBLIN);
  });
});
