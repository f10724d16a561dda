import { describe, expect, test } from 'vitest';
import { type MonitorId, monitorId, mount, serverName } from '../../../src/domain/ids.ts';
import type { AdminClient } from '../../../src/icecast/admin-client.ts';
import { createLook } from '../../../src/icecast/look.ts';
import { commandOutcomeOf, moveListeners } from '../../../src/icecast/move.ts';
import { type SustainRole, userAgentOf } from '../../../src/icecast/user-agent.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { manualClock } from '../platform/clocks.ts';
import { FakeIcecast } from './fake-admin.ts';

const A = mount('/a');
const B = mount('/b');
const LONDON = serverName('london');

function ours(role: SustainRole, agent: string, id: string): string {
  return userAgentOf({ role, agent: serverName(agent), id: monitorId(id) });
}

function lookAt(icecast: FakeIcecast, mounts = [A, B], statsEvery = 40) {
  return createLook({ clock: systemClock, client: icecast.client, agent: LONDON, mounts, statsEvery });
}

describe('a look', () => {
  test('counts people as listeners, and nobody of Sustain, whichever agent it is from', async () => {
    const icecast = new FakeIcecast();
    icecast.seat('/a', {
      1: 'VLC',
      2: '',
      3: ours('monitor', 'london', 'beef'),
      4: ours('monitor', 'dublin', 'cafe'),
      5: ours('presence', 'dublin', 'aa'),
      6: 'Sustain/9.9 (something new)',
      7: ours('presence', 'london', 'bb'),
    });
    const seen = await lookAt(icecast)();
    if (!seen.ok) throw new Error(seen.detail);
    expect(seen.mounts).toHaveLength(1);
    expect(seen.mounts[0]).toMatchObject({ mount: A, listeners: 2, monitors: ['beef'] });
    expect(seen.presences).toEqual([{ agent: 'dublin', connectedSeconds: 5 }]);
    expect(seen.startedAtMs).toBeLessThan(seen.atMs);
  });

  test('tells another agent by our own name from our own signs of life, and from what a dead one left', async () => {
    const icecast = new FakeIcecast();
    const seen = async (clients: Readonly<Record<string, string>>) => {
      icecast.seat('/a', clients);
      const isOurPresence = (id: MonitorId) => id === 'bb';
      const { client } = icecast;
      const look = await createLook({
        clock: systemClock,
        client,
        agent: LONDON,
        mounts: [A],
        isOurPresence,
      })();
      return look.ok && look.isTwinThere === true;
    };
    expect(await seen({ 1: ours('presence', 'london', 'bb'), 2: ours('presence', 'dublin', 'cc') })).toBe(
      false,
    );
    expect(await seen({ 1: ours('presence', 'london', 'bb'), 2: ours('presence', 'london', 'cc') })).toBe(
      true,
    );
    expect(await seen({ 1: ours('presence', 'london', 'bb'), 40: ours('presence', 'london', 'cc') })).toBe(
      false,
    );
  });

  test('after another tells who sits there then', async () => {
    const icecast = new FakeIcecast();
    const monitor = ours('monitor', 'london', 'beef');
    const look = lookAt(icecast);
    const monitorsAfter = async (clients: Readonly<Record<string, string>>) => {
      icecast.seat('/a', clients);
      const seen = await look();
      return seen.ok && seen.mounts[0]?.monitors;
    };
    expect(await monitorsAfter({ 1: monitor, 2: 'Sustain/9.9 (something new)' })).toEqual(['beef']);
    expect(await monitorsAfter({ 1: monitor, 2: ours('monitor', 'london', 'cafe') })).toEqual([
      'beef',
      'cafe',
    ]);
    expect(await monitorsAfter({ 3: 'VLC' })).toEqual([]);
    expect(await monitorsAfter({ 1: monitor })).toEqual(['beef']);
  });

  test('takes the younger of two presences of one agent', async () => {
    const icecast = new FakeIcecast();
    icecast.seat('/a', { 9: ours('presence', 'dublin', 'aa') });
    icecast.seat('/b', { 2: ours('presence', 'dublin', 'bb'), 30: ours('presence', 'paris', 'cc') });
    const seen = await lookAt(icecast)();
    expect(seen.ok && seen.presences).toEqual([
      { agent: 'dublin', connectedSeconds: 2 },
      { agent: 'paris', connectedSeconds: 30 },
    ]);
  });

  test('at hundreds of mounts takes its time: none of them waits for the sum of the others', async () => {
    const clock = manualClock();
    const icecast = new FakeIcecast();
    const names = Array.from({ length: 200 }, (_, index) => `/m${index}`);
    for (const name of names) icecast.seat(name, { 1: 'VLC' });
    const deadlines: number[] = [];
    // Each answer takes 12 ms: 2.4 s one after another, more than a look at a few mounts may take.
    const listClients: AdminClient['listClients'] = async (at, options) => {
      clock.advance(12);
      deadlines.push(options?.deadlineMs ?? 0);
      return icecast.client.listClients(at, options);
    };
    const client = { ...icecast.client, listClients };
    const look = createLook({ clock, client, agent: LONDON, mounts: names.map(mount), deadlineMs: 2_000 });
    const seen = await look();
    expect(seen.ok && seen.mounts).toHaveLength(200);
    expect(icecast.mostAtOnce).toBe(8);
    expect(new Set(deadlines)).toEqual(new Set([2_000]));
  });

  test('asks a server that does not answer for no more than it has asked already', async () => {
    const icecast = new FakeIcecast();
    const names = Array.from({ length: 200 }, (_, index) => `/m${index}`);
    for (const name of names) icecast.seat(name, { 1: 'VLC' });
    let asked = 0;
    const listClients: AdminClient['listClients'] = async () => {
      asked += 1;
      return { ok: false, failure: 'timed-out', detail: 'no answer' };
    };
    const client = { ...icecast.client, listClients };
    const look = createLook({ clock: systemClock, client, agent: LONDON, mounts: names.map(mount) });
    expect(await look()).toMatchObject({ ok: false, failure: 'timed-out' });
    expect(asked).toBeLessThanOrEqual(8);
  });

  test('asks about mounts of the station that are there and have clients, three at a time', async () => {
    const icecast = new FakeIcecast();
    const names = Array.from({ length: 9 }, (_, index) => `/m${index}`);
    for (const name of names) icecast.seat(name, { 1: 'VLC' });
    icecast.seat('/empty');
    icecast.seat('/other-station', { 1: 'VLC' });
    const seen = await lookAt(icecast, [...names, '/empty', '/absent'].map(mount))();
    expect(seen.ok && seen.mounts.map((view) => view.mount)).toEqual([...names, '/empty']);
    expect(icecast.asked.filter((what) => what.startsWith('listclients'))).toHaveLength(9);
    expect(icecast.mostAtOnce).toBe(3);
  });

  test('asks for what changes slowly now and then, and for a new source at once', async () => {
    const icecast = new FakeIcecast();
    icecast.seat('/a');
    icecast.maxListeners.set(A, 7);
    const look = lookAt(icecast, [A], 5);
    const statsAfter = async (looks: number) => {
      icecast.asked.length = 0;
      for (let round = 0; round < looks; round += 1) await look();
      return icecast.asked.filter((what) => what === 'stats').length;
    };
    expect(await statsAfter(1)).toBe(1);
    expect(await statsAfter(5)).toBe(0);
    expect(await statsAfter(1)).toBe(1);
    icecast.ages.set(A, 0);
    expect(await statsAfter(1)).toBe(1);
    const seen = await look();
    expect(seen.ok && seen.mounts[0]?.maxListeners).toBe(7);
  });

  test('tries again for a new source that the statistics do not know yet, but not for ever', async () => {
    const icecast = new FakeIcecast();
    icecast.seat('/a');
    const look = lookAt(icecast, [A], 1000);
    await look();
    icecast.maxListeners.set(A, 7);
    await look();
    const seen = await look();
    expect(seen.ok && seen.mounts[0]?.maxListeners).toBe(7);

    const without = new FakeIcecast();
    without.seat('/file-fallback');
    const second = lookAt(without, [mount('/file-fallback')], 1000);
    for (let round = 0; round < 30; round += 1) await second();
    expect(without.asked.filter((what) => what === 'stats').length).toBeLessThan(10);
  });

  test('that fails says why', async () => {
    const icecast = new FakeIcecast();
    icecast.refusal = { ok: false, failure: 'unauthorised', detail: 'no' };
    expect(await lookAt(icecast)()).toMatchObject({ ok: false, failure: 'unauthorised', detail: 'no' });
  });
});

describe('a move', () => {
  const move = (icecast: FakeIcecast) =>
    moveListeners({ clock: systemClock, client: icecast.client, from: A, to: B, deadlineMs: 300 });
  const crowd = (icecast: FakeIcecast) => {
    icecast.seat('/a', { 1: 'VLC', 2: 'VLC', 3: ours('monitor', 'london', 'beef') });
    icecast.seat('/b', { 4: 'VLC' });
  };

  test('counts listeners, not our own connections', async () => {
    const icecast = new FakeIcecast();
    crowd(icecast);
    const outcome = await move(icecast);
    expect(outcome).toMatchObject({
      is: 'read-back',
      count: { before: 2, moved: 2, remaining: 0, arrived: 0 },
    });
    expect(commandOutcomeOf(outcome, A, B)).toEqual({ is: 'done', detail: '2 of 2 moved from /a to /b' });
  });

  test('of our own connections alone is not made', async () => {
    const icecast = new FakeIcecast();
    icecast.seat('/a', { 3: ours('monitor', 'london', 'beef') });
    icecast.seat('/b');
    expect(await move(icecast)).toEqual({ is: 'nothing-to-move' });
    expect(icecast.asked.some((what) => what.startsWith('move'))).toBe(false);
  });

  test.each([
    ['says "moved" and moves nobody', (icecast: FakeIcecast) => void icecast, { moved: 0, remaining: 2 }],
    ['loses them all', (icecast: FakeIcecast) => icecast.seats.get(A)?.clear(), { moved: 0, gone: 2 }],
    [
      'puts them elsewhere',
      (icecast: FakeIcecast) => {
        icecast.seat('/c');
        icecast.moveAll(A, mount('/c'));
      },
      { moved: 0, elsewhere: 2 },
    ],
  ])('that %s is not done', async (_what, really, count) => {
    const icecast = new FakeIcecast();
    crowd(icecast);
    icecast.onMove = () => really(icecast);
    const outcome = await move(icecast);
    expect(outcome).toMatchObject({ is: 'read-back', count });
    expect(commandOutcomeOf(outcome, A, B).is).toBe('not-done');
  });

  test('does not hold newcomers against Icecast', async () => {
    const icecast = new FakeIcecast();
    crowd(icecast);
    icecast.onMove = (from, to) => {
      icecast.moveAll(from, to);
      icecast.seats.get(A)?.set('99', 'VLC');
    };
    const outcome = await move(icecast);
    expect(outcome).toMatchObject({ is: 'read-back', count: { moved: 2, remaining: 0, arrived: 1 } });
  });

  test('waits for a server that takes its time', async () => {
    const icecast = new FakeIcecast();
    crowd(icecast);
    icecast.onMove = (from, to) => {
      setTimeout(() => icecast.moveAll(from, to), 60);
    };
    expect(await move(icecast)).toMatchObject({ is: 'read-back', count: { moved: 2 } });
  });

  test('that cannot be made fails with the reason', async () => {
    const icecast = new FakeIcecast();
    icecast.seat('/a', { 1: 'VLC' });
    expect(await move(icecast)).toEqual({ is: 'refused', detail: 'No such destination' });
    icecast.refusal = { ok: false, failure: 'timed-out', detail: 'slow' };
    expect(commandOutcomeOf(await move(icecast), A, B)).toEqual({ is: 'failed', detail: 'slow' });
  });
});
