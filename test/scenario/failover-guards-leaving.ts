import {
  type DnsWorld,
  DUBLIN,
  type FailoverCore,
  LONDON,
  type Truth,
} from '../../src/simulate/dns-world.ts';
import { AN_HOUR, asked, type DnsGuard, of, settled } from './failover-guard.ts';

const isTold = (world: DnsWorld, code: string) =>
  world.events.some(({ event }) => event.kind === 'dns-alert-opened' && event.code === code);

/** Whether people are called for something while no agent has reached the name server for so long, and a while after. */
function isToldOfUnreached(core: FailoverCore, seconds: number, code: string): boolean {
  const world = settled(core, 'cluster');
  for (const { name } of world.agents) world.noDns.add(name);
  world.pass(seconds);
  world.noDns.clear();
  world.pass(30);
  return isTold(world, code);
}

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

export const guardsOfLeaving: readonly DnsGuard[] = [
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
    whole: "if (policy.mode === 'cluster' && isMissed &&",
    broken: "if (policy.mode === 'alone' && isMissed &&",
    mistake: (core) => {
      const world = settled(core, 'cluster');
      world.isNatsUp = false;
      world.pass(40);
      return isTold(world, 'dns-no-lease') ? null : 'nobody was told that the name can move no more';
    },
  },
  {
    guard: 'nobody is called because the lease is missed for a moment',
    file: of('alerts'),
    whole: ' && !isHandedOn)',
    broken: ')',
    mistake: (core) => {
      const world = settled(core, 'cluster');
      world.isNatsUp = false;
      world.pass(5);
      world.isNatsUp = true;
      world.pass(60);
      return isTold(world, 'dns-no-lease')
        ? 'people were called for a lease that was missed for a moment'
        : null;
    },
  },
  {
    guard: 'nobody looks for the lease while no agent reaches the name server',
    file: of('alerts'),
    whole: "state.lease.is === 'lost' && unread === null",
    broken: "state.lease.is === 'lost'",
    mistake: (core) =>
      isToldOfUnreached(core, 60, 'dns-no-lease') ? 'people were sent to NATS for a name server' : null,
  },
  {
    guard: 'nor in the moment when it is reached again',
    file: of('published'),
    whole: 'wasUnread ? atMs',
    broken: 'wasUnread ? state.noLeaseSinceMs',
    mistake: (core) =>
      isToldOfUnreached(core, 60, 'dns-no-lease') ? 'people were sent to NATS for a name server' : null,
  },
  {
    guard: 'nobody is called because a name server was restarted',
    file: of('alerts'),
    whole: 'const UNREAD_FOR_MS = 12_000',
    broken: 'const UNREAD_FOR_MS = 0',
    mistake: (core) =>
      isToldOfUnreached(core, 5, 'dns-not-read') ? 'people were called for a restart' : null,
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
    guard: 'a write that is wanted no more has not failed',
    file: of('step'),
    whole: 'return isOver ? {',
    broken: 'return isOver && nowMs < 0 ? {',
    mistake: (core) => {
      const world = settled(core);
      world.writing = 'refused';
      world.truth.set(LONDON, 'dead');
      world.pass(30);
      world.truth.set(LONDON, 'fine');
      world.pass(60);
      const after = world.events.length;
      world.writing = 'well';
      world.truth.set(LONDON, 'dead');
      world.pass(20);
      const called = world.events.slice(after).filter(({ event }) => event.kind === 'dns-alert-opened');
      return called.some(({ event }) => 'code' in event && event.code === 'dns-not-written')
        ? 'people were called for a write of long ago'
        : null;
    },
  },
  {
    guard: 'it is told that the name could not be moved',
    file: of('alerts'),
    whole: 'if (state.writeFailed !== null && isKnownToLast',
    broken: 'if (state.writeFailed !== null && policy.writeWithinMs < 0 && isKnownToLast',
    mistake: (core) => {
      const world = settled(core);
      world.writing = 'refused';
      world.truth.set(LONDON, 'dead');
      world.pass(30);
      return isTold(world, 'dns-not-written') ? null : 'nobody was told that the name could not be moved';
    },
  },
];
