import { type DnsWorld, DUBLIN, type FailoverCore, LONDON } from '../../src/simulate/dns-world.ts';
import {
  AN_HOUR,
  asked,
  type DnsGuard,
  goesTo,
  lastMoveS,
  movesOf,
  of,
  settled,
  stays,
} from './failover-guard.ts';
import { WatchedDns } from './failover-watch.ts';

const orders = (world: DnsWorld, agent?: string) =>
  world.events.filter(
    (one) => one.event.kind === 'dns-moving' && (agent === undefined || one.agent === agent),
  );

function movesInAnHourApart(core: FailoverCore): string | null {
  const moves = movesOf(partedFor(core, 3_600)).length;
  return moves === 2 ? null : `moved the name ${moves} times in an hour`;
}

function movesInPartition(core: FailoverCore): string | null {
  const world = settled(core);
  world.cut('london', 'dublin');
  world.pass(1_300, () => {}, 500);
  const moves = movesOf(world);
  for (const { atMs, server } of moves) {
    const same = moves.filter(
      (one) => one.server === server && one.atMs >= atMs && one.atMs < atMs + 600_000,
    );
    if (same.length > 1) return `two sites moved the name to ${server} ${same.length} times in 10 min`;
  }
  return null;
}

/** Both sites work, and cannot see each other, for so long. */
export function partedFor(core: FailoverCore, seconds: number): DnsWorld {
  const world = settled(core);
  world.cut('london', 'dublin');
  world.pass(seconds, () => {}, 500);
  return world;
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

export const guardsOfWriting: readonly DnsGuard[] = [
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
    guard: 'whoever has just got the lease looks at what stands there before it decides',
    file: of('writer'),
    whole: '(leaseSinceMs ?? nowMs))',
    broken: 'Number.NEGATIVE_INFINITY)',
    mistake: (core) => {
      const world = settled(core, 'cluster');
      world.truth.set(LONDON, 'dead');
      world.pass(30);
      const ordered = world.events.filter(({ event }) => event.kind === 'dns-moving');
      return ordered.length === 1 ? null : `one escape was ordered ${ordered.length} times`;
    },
  },
  {
    guard: 'nothing is ordered under a lease that has run out',
    file: of('writer'),
    whole: 'if (nowMs >= lease.stepDownAtMs)',
    broken: 'if (nowMs >= lease.stepDownAtMs + 60_000)',
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
    file: of('contest'),
    whole: 'if (wrote !== null && disagrees(state, wrote.server, server))',
    broken: 'if (wrote !== null && policy.contestedMs < 0)',
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
    guard: 'who undid a move shows that it lives, and the name is left with it',
    file: of('contest'),
    whole: "const isUndoing = dispute === 'theirs' && trigger === 'fault';",
    broken: 'const isUndoing = false;',
    mistake: movesInAnHourApart,
  },
  {
    guard: 'what another shows is believed, for as long as it takes to show it again',
    file: of('contest'),
    whole: 'return { untilMs: Math.max(contest.untilMs, atMs + believedForMs(policy)) };',
    broken: 'return contest;',
    mistake: movesInAnHourApart,
  },
  {
    guard: 'a sign of life is no word of a server that is dead',
    file: of('contest'),
    whole: '0.5 * contestedMs',
    broken: '2 * contestedMs',
    mistake: (core) => {
      const world = partedFor(core, 1_800);
      world.truth.set(LONDON, 'dead');
      world.pass(310, () => {}, 500);
      return world.dns.server === DUBLIN ? null : 'left a dead server later than after 5 min';
    },
  },
  {
    guard: 'signs of life are given no more often than they have to be',
    file: of('contest'),
    whole: 'nowMs - dispute.shownAtMs >= shownEveryMs(policy)',
    broken: 'nowMs >= dispute.shownAtMs',
    mistake: (core) => {
      const { length } = partedFor(core, 1_200).writes;
      return length <= 2 + 5 ? null : `wrote ${length} times in 20 min`;
    },
  },
  {
    guard: 'who is seen again is given no sign of life',
    file: of('contest'),
    whole: 'return isAnyIll ? dispute : null;',
    broken: 'return isAnyIll || dispute !== null ? dispute : null;',
    mistake: (core) => {
      const world = partedFor(core, 1_200);
      world.cuts.clear();
      world.pass(1_200, () => {}, 500);
      const { length } = world.writes;
      world.truth.set(DUBLIN, 'dead');
      world.kill('dublin');
      world.pass(1_200, () => {}, 500);
      return world.writes.length === length ? null : 'wrote although nobody took anything from it';
    },
  },
  {
    guard: 'who waited for a contest to end, and finds nobody any more, gives no signs of life',
    file: of('contest'),
    whole: 'before !== null && contest === null && disagrees(state, before, server)',
    broken: 'before !== null && disagrees(state, before, server)',
    mistake: (core) => {
      const world = partedFor(core, 60);
      world.truth.set(LONDON, 'dead');
      world.kill('london');
      world.pass(3_600, () => {}, 500);
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
];
