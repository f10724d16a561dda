import type { FailoverRequest } from '../../src/domain/failover.ts';
import {
  type DnsWorld,
  DUBLIN,
  type FailoverCore,
  LONDON,
  type Truth,
} from '../../src/simulate/dns-world.ts';
import { type DnsGuard, goesTo, lastMoveS, of, settled, stays } from './failover-guards-judging.ts';
import { WatchedDns } from './failover-watch.ts';

const AN_HOUR = { author: 'eve', forMs: 3_600_000 };

const asked = (world: DnsWorld, request: FailoverRequest) => {
  for (const { name } of world.agents) world.ask(name, request);
};

const orders = (world: DnsWorld, agent?: string) =>
  world.events.filter(
    (one) => one.event.kind === 'dns-moving' && (agent === undefined || one.agent === agent),
  );

const isTold = (world: DnsWorld, code: string) =>
  world.events.some(({ event }) => event.kind === 'dns-alert-opened' && event.code === code);

/** What is wrong with how often listeners of a silent server were ended in an hour or more, if anything. */
function endings(
  core: FailoverCore,
  seconds: number,
  are: (atS: readonly number[]) => boolean,
): string | null {
  const world = settled(core);
  world.truth.set(LONDON, 'mute');
  world.pass(seconds, () => {}, 500);
  const movedMs = world.writes[0]?.atMs ?? Number.NaN;
  const atS = world.ended.map(({ atMs }) => Math.round((atMs - movedMs) / 1_000));
  return are(atS) ? null : `listeners were ended after ${atS.join(', ') || 'nothing'} s`;
}

/** The writer is killed right after the move, and started again when the TTL has run and london is as it is then. */
function endedAfterRestart(core: FailoverCore, london: Truth, times: number): string | null {
  const world = settled(core);
  world.truth.set(LONDON, 'mute');
  world.pass(35);
  world.kill('dublin');
  world.pass(70);
  world.truth.set(LONDON, london);
  world.restart('dublin', true);
  world.pass(40);
  if (world.dns.server !== DUBLIN) return `the name is at ${world.dns.server ?? 'nothing'}`;
  return world.ended.length === times ? null : `listeners were ended ${world.ended.length} times`;
}

function movesInPartition(core: FailoverCore): string | null {
  const world = settled(core);
  world.cut('london', 'dublin');
  world.pass(1_300, () => {}, 500);
  for (const { atMs, server } of world.writes) {
    const same = world.writes.filter(
      (one) => one.server === server && one.atMs >= atMs && one.atMs < atMs + 600_000,
    );
    if (same.length > 1) return `two sites moved the name to ${server} ${same.length} times in 10 min`;
  }
  return null;
}

/** A cluster in which the agents of two places cannot do what is needed, so that the third has to. */
function leftToWitness(core: FailoverCore, hinder: (world: DnsWorld) => void): string | null {
  const world = settled(core, 'cluster');
  hinder(world);
  world.pass(30);
  world.truth.set(LONDON, 'dead');
  world.pass(30);
  return goesTo(world, DUBLIN);
}

export const guardsOfActing: readonly DnsGuard[] = [
  {
    guard: 'only the holder of the lease writes',
    file: of('writer'),
    whole: "case 'theirs':\n      return no(",
    broken: "case 'theirs':\n      return { may: true, epoch: 1, untilMs: nowMs + 9_000 };\n      no(",
    mistake: (core) => {
      const watched = new WatchedDns(core, 'cluster').run(30);
      watched.apply({ do: 'server', server: LONDON, is: 'dead' });
      return watched.run(30).broken[0] ?? null;
    },
  },
  {
    guard: 'nothing is ordered under a lease that has run out',
    file: of('writer'),
    whole: 'return nowMs < lease.stepDownAtMs\n',
    broken: 'return nowMs < lease.stepDownAtMs + 60_000\n',
    mistake: (core) => {
      const world = settled(core, 'cluster');
      const holder = world.agents.find(({ state }) => state.lease.is === 'ours');
      if (holder === undefined) return 'nobody holds the lease';
      asked(world, { do: 'hold', ...AN_HOUR });
      world.truth.set(LONDON, 'dead');
      world.pass(15);
      const lease = { is: 'ours' as const, epoch: 9, stepDownAtMs: world.nowMs - 1 };
      const state = { ...holder.state, hold: null, lease };
      const { commands } = core.failoverStep(state, { kind: 'tick', atMs: world.nowMs }, holder.policy);
      return commands.some(({ kind }) => kind === 'publish')
        ? 'ordered a move under a lease that has run out'
        : null;
    },
  },
  {
    guard: 'no write under an epoch that is older than what stands in the DNS',
    file: of('writer'),
    whole: "if (policy.mode === 'cluster' && right.epoch < standing) {",
    broken: "if (policy.mode === 'cluster' && right.epoch < 0) {",
    mistake: (core) => {
      const world = settled(core, 'cluster');
      // NATS lost all it knew, and counts anew.
      world.dns = { server: LONDON, epoch: 50 };
      world.pass(10);
      world.truth.set(LONDON, 'dead');
      world.pass(30);
      return orders(world).length === 0 ? null : 'ordered a write under an epoch that is over';
    },
  },
  {
    guard: 'two sites that cannot see each other do not take turns',
    file: of('writer'),
    whole: 'if (state.contest !== null) {',
    broken: 'if (state.contest !== null && nowMs < 0) {',
    mistake: movesInPartition,
  },
  {
    guard: 'whoever finds its write undone notes it',
    file: of('published'),
    whole: 'contest: isContested ? {',
    broken: 'contest: isContested && policy.contestedMs < 0 ? {',
    mistake: movesInPartition,
  },
  {
    guard: 'a site that stays cut off may be dead: it is left when the time of the contest is up',
    file: of('contest'),
    whole: 'nowMs >= contest.untilMs',
    broken: 'nowMs < 0',
    mistake: (core) => {
      const world = settled(core);
      world.cut('london', 'dublin');
      world.pass(60);
      world.truth.set(LONDON, 'dead');
      world.kill('london');
      world.pass(600, () => {}, 500);
      return goesTo(world, DUBLIN, LONDON, DUBLIN);
    },
  },
  {
    guard: 'a contest is over when the sites see each other again',
    file: of('contest'),
    whole: 'const isOver = ',
    broken: 'const isOver = nowMs < 0 && ',
    mistake: (core) => {
      const world = settled(core);
      world.cut('london', 'dublin');
      world.pass(60);
      world.cuts.clear();
      world.pass(20);
      const diedMs = world.nowMs;
      world.truth.set(LONDON, 'dead');
      world.kill('london');
      world.pass(60);
      const afterS = lastMoveS(world, diedMs);
      return afterS > 0 && afterS < 10 ? null : `the escape took ${afterS} s`;
    },
  },
  {
    guard: 'a link that goes again and again is trusted ever later',
    file: of('contest'),
    whole: '>= holdDownAt(flapOf(state, server), nowMs, policy.flap);',
    broken: '>= 0 * holdDownAt(flapOf(state, server), nowMs, policy.flap);',
    mistake: (core) => {
      const world = settled(core);
      for (let turn = 0; turn < 5; turn += 1) {
        world.cut('london', 'dublin');
        world.pass(60, () => {}, 500);
        world.cuts.clear();
        world.pass(60, () => {}, 500);
      }
      const { length } = world.writes.filter(({ server }) => server === DUBLIN);
      return length <= 2 ? null : `a link that flaps took the name to dublin ${length} times in 10 min`;
    },
  },
  {
    guard: 'the agent beside the second server writes before the first',
    file: of('writer'),
    whole: '[...others.slice(0, 1), first, ...others.slice(1)]',
    broken: '[first, ...others]',
    mistake: (core) => {
      const world = settled(core);
      // A witness of what went on: the first agent lives, and sees its server dead as well.
      world.truth.set(LONDON, 'mute');
      world.pass(40);
      const by = world.writes[0]?.by;
      return by === 'dublin' ? null : `${by ?? 'nobody'} wrote, and dublin should`;
    },
  },
  {
    guard: 'whoever shows no life on a server that answers is stood in for',
    file: of('writer'),
    whole: 'state.startedAtMs) >= policy.colleagueMs;',
    broken: 'state.startedAtMs) >= 1_000 * policy.colleagueMs;',
    mistake: (core) => {
      const world = settled(core);
      world.kill('dublin');
      world.truth.set(LONDON, 'mute');
      world.pass(60);
      return goesTo(world, DUBLIN);
    },
  },
  {
    guard: 'nobody stands in for a colleague who is at work',
    file: of('writer'),
    whole: 'state.startedAtMs) >= policy.colleagueMs;',
    broken: 'state.startedAtMs) >= 0;',
    mistake: (core) => {
      const world = settled(core);
      world.noDns.add('dublin');
      world.truth.set(LONDON, 'mute');
      world.pass(60);
      return stays(world);
    },
  },
  {
    guard: 'an agent whose server is gone is not waited for',
    file: of('writer'),
    whole: "if (state.verdicts.get(server)?.is === 'ill') return true;",
    broken: '',
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(LONDON, 'dead');
      world.pass(20);
      world.truth.set(LONDON, 'fine');
      world.pass(20);
      const diedMs = world.nowMs;
      world.truth.set(DUBLIN, 'dead');
      world.kill('dublin');
      world.pass(30);
      const afterS = lastMoveS(world, diedMs);
      return afterS < 10 ? null : `the escape took ${afterS} s`;
    },
  },
  {
    guard: 'one write at a time',
    file: of('step'),
    whole: 'if (state.publishing !== null) return quietly(state);',
    broken: '',
    mistake: (core) => {
      const world = settled(core);
      world.writeBeginsAfterMs = 4_000;
      world.truth.set(LONDON, 'dead');
      world.pass(20);
      return orders(world).length === 1 ? null : `${orders(world).length} orders for one move`;
    },
  },
  {
    guard: 'a write that was refused is not asked for ten times a second',
    file: of('step'),
    whole: 'nowMs - state.writeFailed.atMs < WRITE_AGAIN_MS',
    broken: 'nowMs - state.writeFailed.atMs < 0',
    mistake: (core) => {
      const world = settled(core);
      world.writing = 'refused';
      world.truth.set(LONDON, 'dead');
      world.pass(60);
      return orders(world).length <= 30 ? null : `${orders(world).length} tries in a minute`;
    },
  },
  {
    guard: 'a hold ends when it was to end',
    file: of('step'),
    whole: 'nowMs >= state.hold.untilMs ? null',
    broken: 'nowMs < 0 ? null',
    mistake: (core) => {
      const world = settled(core);
      asked(world, { do: 'hold', author: 'eve', forMs: 30_000 });
      world.truth.set(LONDON, 'dead');
      world.pass(60);
      return goesTo(world, DUBLIN);
    },
  },
  {
    guard: 'an operator cannot send listeners to silence without saying so twice',
    file: of('operator'),
    whole: 'if (!override && !isFit(',
    broken: 'if (override && !isFit(',
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(DUBLIN, 'dead');
      world.pass(20);
      asked(world, { do: 'force', server: DUBLIN, ...AN_HOUR, override: false });
      return world.agents.every(({ state }) => state.hold === null) ? null : 'a dead server was forced';
    },
  },
  {
    guard: 'a hold stops a write that was ordered before it',
    file: of('choice'),
    whole: "return wish.is === 'move' && wish.to === server;",
    broken: 'return isFit(state, server, nowMs, policy);',
    mistake: (core) => {
      const world = settled(core);
      world.writeBeginsAfterMs = 5_000;
      world.truth.set(LONDON, 'dead');
      world.pass(4);
      asked(world, { do: 'hold', ...AN_HOUR });
      world.pass(30);
      return stays(world);
    },
  },
  {
    guard: 'what is amiss is written anew before it matters',
    file: of('choice'),
    whole: 'if (amiss === null ||',
    broken: 'if (amiss === null || nowMs > 0 ||',
    mistake: (core) => {
      const world = settled(core);
      world.dns = { ...world.dns, amiss: 'a TTL of 3600 s' };
      world.pass(20);
      return goesTo(world, LONDON);
    },
  },
  {
    guard: 'what is amiss is not written for a server that is not heard',
    file: of('choice'),
    whole: 'amiss === null || !isFit(state, current, nowMs, policy)',
    broken: 'amiss === null',
    mistake: (core) => {
      const world = settled(core);
      for (const server of [LONDON, DUBLIN]) world.truth.set(server, 'mute');
      world.pass(10);
      world.dns = { ...world.dns, amiss: 'a TTL of 3600 s' };
      world.pass(60);
      return stays(world);
    },
  },
  {
    guard: 'who wants the record otherwise is not fought',
    file: of('choice'),
    whole: 'nowMs - repairedAtMs < REPAIR_AGAIN_MS',
    broken: 'nowMs - repairedAtMs < 0',
    mistake: (core) => {
      const world = settled(core);
      world.pass(120, () => {
        world.dns = { ...world.dns, amiss: 'a TTL of 3600 s' };
      });
      return world.writes.length <= 3 ? null : `wrote the record ${world.writes.length} times in 2 min`;
    },
  },
  {
    guard: 'an older order of an operator does not come back',
    file: of('operator'),
    whole: 'if (heard === null || !isNewer(heard, state.order)) return unchanged;',
    broken: 'if (heard === null) return unchanged;',
    mistake: (core) => {
      const world = settled(core, 'cluster');
      world.ask('london', { do: 'hold', ...AN_HOUR });
      world.pass(3);
      // It can tell nobody of its hold any more, and hears of no release.
      world.agent('london').isPaused = true;
      world.pass(1);
      world.ask('dublin', { do: 'release', author: 'ann' });
      world.agent('london').isPaused = false;
      world.pass(10);
      return world.agents.every(({ state }) => state.hold === null) ? null : 'a hold outlived its release';
    },
  },
  {
    guard: 'a hold outlives a restart',
    file: of('state'),
    whole: 'hold: hold === null ? null : { ...held(hold), untilMs: atMs + hold.remainingMs },',
    broken: 'hold: null,',
    mistake: (core) => {
      const world = settled(core);
      asked(world, { do: 'hold', ...AN_HOUR });
      for (const { name } of world.agents) world.restart(name, true);
      world.truth.set(LONDON, 'dead');
      world.pass(60);
      return stays(world);
    },
  },
  {
    guard: 'a contest outlives a restart',
    file: of('state'),
    whole: 'contest: contest === null ? null : { untilMs: atMs + contest.remainingMs },',
    broken: 'contest: null,',
    mistake: (core) => {
      const world = settled(core);
      world.cut('london', 'dublin');
      world.pass(60, () => {}, 500);
      const before = world.writes.length;
      for (const { name } of world.agents) world.restart(name, true);
      world.pass(300, () => {}, 500);
      return world.writes.length === before ? null : 'the turns were begun anew by a restart';
    },
  },
  {
    guard: 'the agent beside the name lets the lease be while another can write',
    file: of('lease-rule'),
    whole: "record?.is === 'server' && record.server === policy.self;",
    broken: "record?.is === 'foreign' && record.detail === policy.self;",
    mistake: (core) => {
      const world = settled(core, 'cluster');
      const diedMs = world.nowMs;
      world.kill('london');
      world.truth.set(LONDON, 'dead');
      world.pass(30);
      const afterS = lastMoveS(world, diedMs);
      return afterS < 10 ? null : `the name followed its server's death after ${afterS} s`;
    },
  },
  {
    guard: 'the agent beside the name takes the lease when nobody else can write',
    file: of('lease-rule'),
    whole: 'agent !== policy.self && reaches && nowMs - heardAtMs <= policy.freshMs,',
    broken: 'agent !== policy.self && nowMs - heardAtMs <= policy.freshMs,',
    mistake: (core) =>
      leftToWitness(core, (world) => {
        world.noDns.add('dublin');
        world.noDns.add('witness');
      }),
  },
  {
    guard: 'an agent that cannot reach the DNS lets the lease be',
    file: of('lease-rule'),
    whole: 'nowMs - readAtMs <= REACHES_MS && !isBenched',
    broken: '!isBenched',
    mistake: (core) => {
      const world = settled(core, 'cluster');
      world.noDns.add('dublin');
      world.pass(30);
      return world.agent('dublin').state.lease.is === 'ours'
        ? 'an agent kept the lease that cannot reach the DNS'
        : null;
    },
  },
  {
    guard: 'an agent whose write failed lets another try',
    file: of('lease-rule'),
    whole: 'nowMs - readAtMs <= REACHES_MS && !isBenched',
    broken: 'nowMs - readAtMs <= REACHES_MS',
    mistake: (core) => leftToWitness(core, (world) => world.mayNotWrite.add('dublin')),
  },
  {
    guard: 'listeners are ended only when the TTL has run',
    file: of('leaving'),
    whole: 'atMs: nowMs + afterMs,',
    broken: 'atMs: nowMs,',
    mistake: (core) => endings(core, 120, (atS) => (atS[0] ?? 0) >= 60),
  },
  {
    guard: 'listeners who came back with an old answer are ended again',
    file: of('leaving'),
    whole: 'return times < MOST_TIMES ? [',
    broken: 'return times < 1 ? [',
    mistake: (core) => endings(core, 300, (atS) => atS.length === 3),
  },
  {
    guard: 'listeners who never ask again are let be in the end',
    file: of('leaving'),
    whole: 'return times < MOST_TIMES ? [',
    broken: 'return times > 0 ? [',
    mistake: (core) => endings(core, 5 * 3_600, (atS) => atS.length === 7),
  },
  {
    guard: 'endings come ever more seldom',
    file: of('leaving'),
    whole: 'gapMs: 2 * one.gapMs',
    broken: 'gapMs: one.gapMs',
    mistake: (core) => endings(core, 400, (atS) => atS.length === 3),
  },
  {
    guard: 'listeners of a server that is heard again are let be',
    file: of('leaving'),
    whole: '|| !isIll ||',
    broken: '||',
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(LONDON, 'mute');
      world.pass(45);
      world.truth.set(LONDON, 'fine');
      world.pass(120);
      return world.ended.length === 0 ? null : 'ended listeners of a server that is heard again';
    },
  },
  {
    guard: 'who was left once is not ended at once when others leave it again later',
    file: of('leaving'),
    whole: 'if (current === server) return [];',
    broken: '',
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(LONDON, 'mute');
      world.pass(45);
      // A person points the name there again, and away again when it is silent once more.
      asked(world, { do: 'hold', ...AN_HOUR });
      world.truth.set(LONDON, 'fine');
      world.dns = { server: LONDON, epoch: (world.dns.epoch ?? 0) + 1 };
      world.pass(60);
      world.truth.set(LONDON, 'mute');
      world.pass(40);
      world.dns = { server: DUBLIN, epoch: (world.dns.epoch ?? 0) + 1 };
      world.pass(10);
      return world.ended.length === 0 ? null : 'ended listeners before the TTL had run';
    },
  },
  {
    guard: 'nobody is ended on a server that takes no connections',
    file: of('leaving'),
    whole: 'if (nowMs < one.atMs || !isIll || isGone || !isBetterElsewhere) return [one];',
    broken: 'if (nowMs < one.atMs || !isIll || !isBetterElsewhere) return [one];',
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(LONDON, 'dead');
      world.pass(120);
      return world.ended.length === 0 ? null : 'said that listeners of a dead server were ended';
    },
  },
  {
    guard: 'nobody is ended while it is no better elsewhere',
    file: of('leaving'),
    whole: 'if (nowMs < one.atMs || !isIll || isGone || !isBetterElsewhere) return [one];',
    broken: 'if (nowMs < one.atMs || !isIll || isGone) return [one];',
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(LONDON, 'mute');
      world.pass(45);
      world.truth.set(DUBLIN, 'mute');
      world.pass(120);
      return world.ended.length === 0 ? null : 'ended listeners with nowhere to go';
    },
  },
  {
    guard: 'listeners of a server that was left are ended after a restart too',
    file: of('state'),
    whole: 'leaving: memory.leaving.map(',
    broken: 'leaving: memory.leaving.slice(0, 0).map(',
    mistake: (core) => endedAfterRestart(core, 'mute', 1),
  },
  {
    guard: 'nobody is ended after a restart whose server may be well by then',
    file: of('leaving'),
    whole: '|| !isIll ||',
    broken: '||',
    mistake: (core) => endedAfterRestart(core, 'fine', 0),
  },
  {
    guard: 'whoever takes the name from a sick server, its listeners are to follow',
    file: of('leaving'),
    whole: "verdicts.get(from)?.is !== 'ill'",
    broken: "verdicts.get(from)?.is === 'ill'",
    mistake: (core) => {
      const world = settled(core);
      asked(world, { do: 'hold', ...AN_HOUR });
      world.truth.set(LONDON, 'mute');
      world.pass(40);
      asked(world, { do: 'force', server: DUBLIN, ...AN_HOUR, override: false });
      world.pass(90);
      return world.ended.length > 0 ? null : 'listeners stayed on a sick server';
    },
  },
  {
    guard: 'it is told that nobody may write',
    file: of('alerts'),
    whole: "if (policy.mode === 'cluster' && state.lease.is === 'lost' && !isStarting)",
    broken: "if (policy.mode === 'alone' && state.lease.is === 'lost' && !isStarting)",
    mistake: (core) => {
      const world = settled(core, 'cluster');
      world.isNatsUp = false;
      world.pass(40);
      return isTold(world, 'dns-no-lease') ? null : 'nobody was told that the name can move no more';
    },
  },
  {
    guard: 'it is told that no server is well',
    file: of('alerts'),
    whole: 'if (policy.servers.every(isIll))',
    broken: 'if (policy.servers.length === 0)',
    mistake: (core) => {
      const world = settled(core);
      for (const server of [LONDON, DUBLIN]) world.truth.set(server, 'dead');
      world.pass(30);
      return isTold(world, 'dns-no-server-well') ? null : 'nobody was told that no server is well';
    },
  },
  {
    guard: 'it is told that the name could not be moved',
    file: of('alerts'),
    whole: 'if (state.writeFailed !== null && (',
    broken: 'if (state.writeFailed !== null && policy.writeWithinMs < 0 && (',
    mistake: (core) => {
      const world = settled(core);
      world.writing = 'refused';
      world.truth.set(LONDON, 'dead');
      world.pass(30);
      return isTold(world, 'dns-not-written') ? null : 'nobody was told that the name could not be moved';
    },
  },
];
