import { describe, expect, test } from 'vitest';
import { type LegState, withLink, withPulse } from '../../../src/decide/leg.ts';
import {
  judgeServer,
  newServer,
  roleOn,
  type ServerState,
  withServerGap,
  withServerLook,
} from '../../../src/decide/server.ts';
import type { AdminFailure } from '../../../src/domain/icecast.ts';
import type { ServerName } from '../../../src/domain/ids.ts';
import {
  CORK,
  DUBLIN,
  failedLook,
  goodLook,
  LONDON,
  legOf,
  MYFM,
  openLink,
  POLICY,
  PRIMARY,
  policyWith,
  pulse,
} from './builders.ts';

const silentLegs = [legOf(PRIMARY)];
const legWithBytesAt = (atMs: number): LegState =>
  withPulse(withLink(legOf(PRIMARY), openLink(0)), pulse(atMs));

/** A server after good looks, and then looks that failed like this, half a second apart from 10 s on. */
function afterLooks(...failures: readonly AdminFailure[]): ServerState {
  let server = withServerLook(newServer(LONDON, POLICY, 0), goodLook(9500, []), MYFM);
  server = { ...server, condition: judgeServer(server, silentLegs, 9510, POLICY) };
  for (const [index, failure] of failures.entries())
    server = withServerLook(server, failedLook(10_000 + index * 500, failure), MYFM);
  return server;
}

describe('the condition of a server', () => {
  test('is unknown before the first look, and up after a good one', () => {
    const fresh = newServer(LONDON, POLICY, 0);
    expect(judgeServer(fresh, [], 100, POLICY)).toEqual({ is: 'unknown', sinceMs: 0 });
    expect(afterLooks().condition).toMatchObject({ is: 'up' });
  });

  test('does not change for one failed look', () => {
    expect(judgeServer(afterLooks('refused'), silentLegs, 10_100, POLICY)).toMatchObject({ is: 'up' });
  });

  test.each([
    ['unauthorised', 'misconfigured'],
    ['overloaded', 'overloaded'],
    ['refused', 'down'],
    ['timed-out', 'down'],
    ['bad-answer', 'unknown'],
  ] as const)('after two looks that were %s is %s', (failure, is) => {
    expect(judgeServer(afterLooks(failure, failure), silentLegs, 10_600, POLICY)).toMatchObject({
      is,
      sinceMs: 10_000,
    });
  });

  test('is not down while any monitor on it still brings bytes', () => {
    const down = afterLooks('timed-out', 'timed-out');
    expect(judgeServer(down, [legWithBytesAt(9000)], 10_900, POLICY)).toMatchObject({ is: 'unknown' });
    expect(judgeServer(down, [legWithBytesAt(9000)], 11_000, POLICY)).toMatchObject({ is: 'down' });
  });

  test('stays what it was from when it was, and is up again after one good look', () => {
    const down = afterLooks('refused', 'refused');
    const judged = { ...down, condition: judgeServer(down, silentLegs, 10_600, POLICY) };
    expect(judgeServer(judged, silentLegs, 60_000, POLICY)).toBe(judged.condition);
    const back = withServerLook(judged, goodLook(61_000, []), MYFM);
    expect(judgeServer(back, silentLegs, 61_010, POLICY)).toEqual({ is: 'up', sinceMs: 61_010 });
  });

  test('says so when a server that was refused hangs instead', () => {
    const down = afterLooks('refused', 'refused');
    const judged = { ...down, condition: judgeServer(down, silentLegs, 10_600, POLICY) };
    const hangs = withServerLook(judged, failedLook(20_000, 'timed-out'), MYFM);
    expect(judgeServer(hangs, silentLegs, 20_010, POLICY)).toMatchObject({ fault: 'unresponsive' });
  });
});

/** What London sees: each server's looks have been good since 0, and its agent was last seen then. */
function seen(lastSeenMs: Readonly<Record<string, number | null>>): readonly ServerState[] {
  return Object.entries(lastSeenMs).map(([name, agentSeenAtMs]) => ({
    ...newServer(name as ServerName, POLICY, 0),
    lastGoodLookAtMs: 0,
    watchedFromMs: 0,
    agentSeenAtMs,
  }));
}

function roleOf(server: ServerName, all: readonly ServerState[], nowMs: number, policy = POLICY): string {
  const state = all.find((one) => one.server === server);
  if (state === undefined) throw new Error(`no server ${server}`);
  return roleOn(state, all, nowMs, policy).role;
}

describe('the role on a server', () => {
  test('is our own beside us, whatever is seen', () => {
    expect(roleOf(LONDON, seen({ london: null, dublin: 0 }), 60_000)).toBe('own');
  });

  test.each([
    [11_900, 'watching'],
    [12_000, 'deputy'],
  ])('of two: %i ms after the last sign of life it is %s', (nowMs, role) => {
    expect(roleOf(DUBLIN, seen({ london: null, dublin: 0 }), nowMs)).toBe(role);
  });

  test('is not deputy of a server whose admin API does not answer', () => {
    const [london, dublin] = seen({ london: null, dublin: 0 });
    if (london === undefined || dublin === undefined) throw new Error('two servers');
    expect(roleOf(DUBLIN, [london, { ...dublin, watchedFromMs: null }], 60_000)).toBe('watching');
  });

  test.each([
    ['the first living agent in order stands in', LONDON, 60_000, 'deputy'],
    ['the others know that it does', DUBLIN, 60_000, 'watching'],
    ['and step in when it is gone too', DUBLIN, null, 'deputy'],
  ] as const)('of three: %s', (_what, self, londonSeenAtMs, role) => {
    const servers = [LONDON, DUBLIN, CORK];
    const all = seen({ london: londonSeenAtMs, dublin: 60_000, cork: 0 });
    expect(roleOf(CORK, all, 60_000, policyWith({ self, servers }))).toBe(role);
  });

  test('a presence that is old belongs to an agent that no longer runs', () => {
    const server = newServer(DUBLIN, POLICY, 0);
    const look = (connectedSeconds: number) =>
      withServerLook(server, goodLook(1000, [], [{ agent: DUBLIN, connectedSeconds }]), MYFM);
    expect(look(12).agentSeenAtMs).toBe(1010);
    expect(look(13).agentSeenAtMs).toBeNull();
    const stranger = goodLook(1000, [], [{ agent: CORK, connectedSeconds: 1 }]);
    expect(withServerLook(server, stranger, MYFM).agentSeenAtMs).toBeNull();
  });
});

describe('what a failed look means for the deputy', () => {
  const watched = withServerLook(newServer(DUBLIN, POLICY, 0), goodLook(0, []), MYFM);
  const both = (dublin: ServerState) => [newServer(LONDON, POLICY, 0), dublin];

  test('one between good ones neither ends its work nor delays it', () => {
    const once = withServerLook(watched, failedLook(20_000, 'timed-out'), MYFM);
    expect(roleOf(DUBLIN, both(once), 22_000)).toBe('deputy');
    const again = withServerLook(once, goodLook(22_100, []), MYFM);
    expect(roleOf(DUBLIN, both(again), 22_200)).toBe('deputy');
  });

  test('two in a row do: nothing can be seen, so nothing is known to be missing', () => {
    const twice = [20_000, 22_000].reduce(
      (server, atMs) => withServerLook(server, failedLook(atMs, 'timed-out'), MYFM),
      watched,
    );
    expect(roleOf(DUBLIN, both(twice), 24_100)).toBe('watching');
    const back = withServerLook(twice, goodLook(30_000, []), MYFM);
    expect(roleOf(DUBLIN, both(back), 42_000)).toBe('watching');
    expect(roleOf(DUBLIN, both(back), 42_100)).toBe('deputy');
  });
});

describe('after a standstill of our own', () => {
  const watched = withServerLook(
    newServer(DUBLIN, POLICY, 0),
    goodLook(0, [], [{ agent: DUBLIN, connectedSeconds: 1 }]),
    MYFM,
  );

  test('the other agent is not taken for dead, as we could not see it', () => {
    const gap = withServerGap(watched, 30_000);
    const both = [newServer(LONDON, POLICY, 0), gap];
    expect(roleOf(DUBLIN, both, 30_000)).toBe('watching');
    const looked = withServerLook(gap, goodLook(30_050, []), MYFM);
    expect(roleOf(DUBLIN, [newServer(LONDON, POLICY, 0), looked], 30_100)).toBe('watching');
  });

  test('a look that timed out meanwhile is our failure, not that of the server', () => {
    const gap = withServerGap(watched, 30_000);
    expect(withServerLook(gap, failedLook(500, 'timed-out'), MYFM).failing).toBeNull();
    expect(withServerLook(gap, failedLook(30_000, 'timed-out'), MYFM).failing).not.toBeNull();
  });
});
