import { describe, expect, test } from 'vitest';
import { alertsOf } from '../../../src/decide/alerts.ts';
import type { Desk } from '../../../src/decide/desk.ts';
import type { LegState } from '../../../src/decide/leg.ts';
import { newServer, type ServerState } from '../../../src/decide/server.ts';
import type { ServerCondition } from '../../../src/domain/conditions.ts';
import { mount } from '../../../src/domain/ids.ts';
import {
  AUTODJ,
  audible,
  DUBLIN,
  deskWith,
  faulty,
  LONDON,
  legThat,
  POLICY,
  PRIMARY,
  SECONDARY,
} from './builders.ts';

const NOW_MS = 100_000;
const good = audible(0, NOW_MS);
const UP: ServerCondition = { is: 'up', sinceMs: 0 };
const serverThat = (changes: Partial<ServerState> = {}): ServerState => ({
  ...newServer(LONDON, POLICY, 0),
  condition: UP,
  ...changes,
});
const SECONDARY_LEG = legThat(SECONDARY, good).leg.id;
const allGood = [PRIMARY, SECONDARY, AUTODJ].map((source) => legThat(source, good));
const alerts = (legs: readonly LegState[] = allGood, desk: Desk = deskWith(), server = serverThat()) =>
  alertsOf(server, desk, legs, NOW_MS, POLICY);
const keys = (...given: Parameters<typeof alerts>) => alerts(...given).map(({ key }) => key);

test('when all is well there is nothing to tell', () => {
  expect(alerts()).toEqual([]);
});

describe('of the server', () => {
  test.each([
    [{ is: 'misconfigured', sinceMs: 0, detail: 'wrong password' }, 'admin-unauthorised london'],
    [{ is: 'overloaded', sinceMs: 0, detail: 'full' }, 'admin-overloaded london'],
    [{ is: 'down', sinceMs: 0, fault: 'refused', detail: 'gone' }, 'server-down london'],
  ] as const)('%o is told, with nothing of its legs', (condition, key) => {
    const silent = [legThat(PRIMARY, faulty(0))];
    expect(keys(silent, deskWith(), serverThat({ condition }))).toEqual([key]);
  });

  test('an unknown one is not at first, but it is when we have been blind for half a minute', () => {
    const unknownFor = (ms: number) => serverThat({ condition: { is: 'unknown', sinceMs: NOW_MS - ms } });
    expect(keys(allGood, deskWith(), unknownFor(10_000))).toEqual([]);
    expect(keys(allGood, deskWith(), unknownFor(30_000))).toEqual(['cannot-hear london']);
  });

  test('a deputy tells that the agent is gone, one that watches leaves the rest to the other', () => {
    const silent = [legThat(PRIMARY, faulty(0))];
    expect(keys(allGood, deskWith(), serverThat({ role: 'deputy', server: DUBLIN }))).toEqual([
      'agent-gone dublin',
    ]);
    expect(keys(silent, deskWith(), serverThat({ role: 'watching' }))).toEqual([]);
  });
});

test('a second agent by our own name is told once, and not what a restart has left behind', () => {
  const twinFor = (ms: number, server = LONDON) =>
    keys(allGood, deskWith(), serverThat({ server, twinSinceMs: NOW_MS - ms }));
  expect(twinFor(19_000)).toEqual([]);
  expect(twinFor(20_000)).toEqual(['agent-twice london']);
  expect(twinFor(20_000, DUBLIN)).toEqual([]);
});

describe('of what is on air', () => {
  test('nothing audible is told once nothing else is proven either', () => {
    const legs = [legThat(PRIMARY, faulty(NOW_MS)), legThat(SECONDARY, faulty(NOW_MS))];
    expect(keys(legs)).toEqual(['nothing-audible london']);
    expect(keys([legThat(PRIMARY, faulty(NOW_MS)), legThat(SECONDARY, good)])).toEqual([]);
  });

  test('a server that has just come back is no trouble of its sources until each was tried again', () => {
    const down = [PRIMARY, SECONDARY].map((source) => legThat(source, faulty(10_000, 'unresponsive')));
    const backFor = (ms: number) =>
      keys(down, deskWith(), serverThat({ condition: { is: 'up', sinceMs: NOW_MS - ms } }));
    expect(backFor(3_000)).toEqual([]);
    expect(backFor(12_000)).toEqual(['nothing-audible london', `backup-not-proven ${SECONDARY_LEG}`]);
    const absent = [PRIMARY, SECONDARY].map((source) => legThat(source, faulty(NOW_MS - 1_000, 'absent')));
    const back = serverThat({ condition: { is: 'up', sinceMs: NOW_MS - 3_000 } });
    expect(keys(absent, deskWith(), back)).toEqual(['nothing-audible london']);
  });

  test('moves that failed three times are told with the last reason', () => {
    const sweep = { command: null, sentAtMs: 0, lastDetail: 'nobody moved', to: mount('/secondary') };
    const failing = (failures: number) =>
      deskWith({ onAir: SECONDARY, sweeps: new Map([[mount('/primary'), { ...sweep, failures }]]) });
    expect(keys(allGood, failing(2))).toEqual([]);
    expect(alerts(allGood, failing(3))).toMatchObject([
      { key: 'move-not-converging london/primary', detail: expect.stringContaining('nobody moved') },
    ]);
  });
});

describe('of the backups', () => {
  const backup = (sinceMs: number) => [legThat(PRIMARY, good), legThat(SECONDARY, faulty(sinceMs))];

  test('one that is faulty for half a minute is told before it is needed', () => {
    expect(keys(backup(NOW_MS - 29_900))).toEqual([]);
    expect(keys(backup(NOW_MS - 30_000))).toEqual(['backup-not-proven myfm/secondary@london']);
  });

  test('one that listeners cannot be moved to is told at once, unless it is gone', () => {
    const ogg = { contentType: 'application/ogg' };
    const legs = [legThat(PRIMARY, good), legThat(SECONDARY, good, ogg)];
    expect(keys(legs)).toEqual(['formats-differ myfm/secondary@london']);
    const gone = [
      legThat(PRIMARY, good),
      legThat(SECONDARY, good, ogg, { missing: { sinceMs: 0, looks: 2 } }),
    ];
    expect(keys(gone)).toEqual([]);
  });

  test('one that would be too small is told, but not for listeners who are there already', () => {
    const small = legThat(SECONDARY, good, { clients: 90, maxListeners: 100 });
    const missing = { missing: { sinceMs: 0, looks: 2 } };
    expect(keys([legThat(PRIMARY, good, { clients: 90 }), small])).toEqual([
      'destination-full myfm/secondary@london',
    ]);
    expect(keys([legThat(PRIMARY, good, { clients: 90 }, missing), small])).toEqual([]);
  });

  test('a fault in the sound that is not acted on is told', () => {
    const legs = [legThat(PRIMARY, good, {}, { found: ['phase-inverted'] })];
    expect(keys(legs)).toEqual(['programme-fault myfm/primary@london']);
  });
});

describe('of a public mount that falls back on one of our own sources', () => {
  const policy = { ...POLICY, mode: 'relay', publicMounts: [mount('/stream')] } as const;
  const found = (fallbacks: Record<string, string>, carriedOffAtMs: number | null, server = LONDON) => {
    const chain = new Map(Object.entries(fallbacks).map(([from, to]) => [mount(from), mount(to)]));
    const legs = [{ ...legThat(PRIMARY, good), carriedOffAtMs }, legThat(SECONDARY, good)];
    return alertsOf(serverThat({ server, fallbacks: chain }), deskWith(), legs, NOW_MS, policy);
  };

  test('is told when it carried our monitor off, with what to change', () => {
    const [alert] = found({ '/stream': '/primary' }, 50_000);
    expect(alert?.key).toBe('hears-itself london/stream');
    expect(alert?.detail).toContain('/stream falls back on /primary itself');
    expect(alert?.detail).toContain('`sustain icecast-config`');
    expect(found({ '/stream': '/other', '/other': '/primary', '/primary': '/stream' }, 50_000)).toHaveLength(
      1,
    );
  });

  test('is not while nothing was carried off, the net is a relay, or the server is another one', () => {
    expect(found({ '/stream': '/primary' }, null)).toEqual([]);
    expect(found({ '/stream': '/stream-safe', '/primary': '/secondary' }, 50_000)).toEqual([]);
    expect(found({ '/stream': '/secondary' }, 50_000)).toEqual([]);
    expect(found({ '/stream': '/primary' }, 50_000, DUBLIN)).toEqual([]);
  });
});
