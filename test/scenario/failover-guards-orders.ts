import { DUBLIN, LONDON } from '../../src/simulate/dns-world.ts';
import { AN_HOUR, asked, type DnsGuard, goesTo, of, settled, stays } from './failover-guard.ts';

export const guardsOfOrders: readonly DnsGuard[] = [
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
    whole: "if (wish.is !== 'move' || wish.to !== server) return false;",
    broken: "if (wish.is !== 'move' || wish.to !== server) return isFit(state, server, nowMs, policy);",
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
    guard: 'the agent that writes obeys what another was asked for, without a cluster too',
    file: of('step'),
    whole: 'return followOrder(state, input.order, atMs, policy);',
    broken: 'return quietly(state);',
    mistake: (core) => {
      const world = settled(core);
      world.ask('london', { do: 'hold', ...AN_HOUR });
      world.pass(3);
      world.truth.set(LONDON, 'dead');
      world.pass(60);
      return stays(world);
    },
  },
  {
    guard: 'an order that is given after another is the newer, whatever the agent knew of it',
    file: of('operator'),
    whole: 'Math.max(Math.floor(unixMs / 1000), state.order.version + 1)',
    broken: 'state.order.version + 1',
    mistake: (core) => {
      const world = settled(core);
      world.cut('london', 'dublin');
      world.ask('london', { do: 'hold', ...AN_HOUR });
      world.pass(3);
      world.ask('dublin', { do: 'hold', author: 'bob', forMs: 1_000 });
      world.cuts.clear();
      world.pass(10);
      return world.agents.every(({ state }) => state.hold === null)
        ? null
        : 'an older hold came after a newer';
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
];
