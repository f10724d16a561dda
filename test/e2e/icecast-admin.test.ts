import { describe, expect, test } from 'vitest';
import type { ServerLook } from '../../src/domain/icecast.ts';
import { monitorId, mount, serverName } from '../../src/domain/ids.ts';
import { createLook } from '../../src/icecast/look.ts';
import { commandOutcomeOf } from '../../src/icecast/move.ts';
import { openSource } from '../../src/icecast/source-client.ts';
import { userAgentOf } from '../../src/icecast/user-agent.ts';
import { startLooker } from '../../src/listen/looker.ts';
import { startMonitor } from '../../src/listen/monitor.ts';
import { startPresence } from '../../src/listen/presence.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { eventually, pause } from '../unit/icecast/eventually.ts';
import {
  adminOf,
  ear,
  ears,
  feed,
  icecast,
  LONDON,
  move,
  mp3,
  mustList,
  ODD_PASSWORD,
  OGG,
  PRIMARY,
  patiently,
  plainIcecast,
  SECONDARY,
  stops,
} from './icecast-admin-support.ts';

describe('a look at a real server', () => {
  test('shows mounts, people, our monitors and the other agents apart, through an odd password (T18)', async () => {
    const server = await icecast({
      mounts: [{ mount: PRIMARY, maxListeners: 20, fallbackMount: SECONDARY }],
    });
    await feed(server, PRIMARY);
    await feed(server, OGG, 'ogg');
    const monitor = { role: 'monitor', agent: LONDON, id: monitorId('beef') } as const;
    await ears(server, PRIMARY, 2);
    await ear(server, PRIMARY, userAgentOf(monitor));
    await ear(server, PRIMARY, userAgentOf({ ...monitor, agent: serverName('dublin'), id: monitorId('aa') }));
    await ear(
      server,
      OGG,
      userAgentOf({ role: 'presence', agent: serverName('dublin'), id: monitorId('bb') }),
    );
    await ear(server, OGG, userAgentOf({ role: 'presence', agent: LONDON, id: monitorId('cc') }));
    const look = createLook({
      clock: systemClock,
      client: server.client,
      agent: LONDON,
      mounts: [PRIMARY, SECONDARY, OGG],
    });
    const seen = await look();
    if (!seen.ok) throw new Error(seen.detail);
    const byMount = new Map(seen.mounts.map((view) => [view.mount, view]));
    expect([...byMount.keys()].sort()).toEqual([OGG, PRIMARY]);
    expect(byMount.get(PRIMARY)).toEqual({
      mount: PRIMARY,
      contentType: 'audio/mpeg',
      sourceConnectedSeconds: expect.any(Number),
      listeners: 2,
      clients: 4,
      fallback: SECONDARY,
      maxListeners: 20,
      monitors: ['beef'],
      audio: { sampleRateHz: 44_100, channels: 2, bitrateKbps: 128 },
    });
    expect(byMount.get(OGG)).toMatchObject({
      listeners: 0,
      maxListeners: null,
      contentType: 'application/ogg',
    });
    expect(seen.presences).toEqual([{ agent: 'dublin', connectedSeconds: expect.any(Number) }]);
  });

  test('says "unauthorised" to a wrong password, not "down" (T17)', async () => {
    const server = await plainIcecast();
    const client = adminOf(server.address, 'wrong');
    const seen = await createLook({ clock: systemClock, client, agent: LONDON, mounts: [PRIMARY] })();
    expect(seen).toMatchObject({ ok: false, failure: 'unauthorised' });
    expect(JSON.stringify(seen)).not.toContain('wrong');
  });

  test('says "overloaded" when the server has no room for another client (T9)', async () => {
    const server = await icecast({ limits: { clients: 4 } });
    await feed(server, PRIMARY);
    await ear(server, PRIMARY, 'first');
    await ear(server, PRIMARY, 'second');
    // The place of a request that has just been answered is free only a moment later.
    await patiently('the last place', () => mustList(server));
    const third = await patiently('the third listener', () => ear(server, PRIMARY, 'third', false));
    for (let round = 0; round < 3; round += 1) {
      const refused = await server.client.listMounts();
      expect(refused).toMatchObject({ ok: false, failure: 'overloaded' });
    }
    third.connection.destroy();
    await patiently('room again', () => mustList(server));
  });

  test('says "timed-out" of a stopped process and "refused" of one that is gone (T13)', async () => {
    const server = await icecast({});
    server.icecast.pause();
    expect(await server.client.listMounts({ deadlineMs: 400 })).toMatchObject({
      ok: false,
      failure: 'timed-out',
    });
    server.icecast.resume();
    expect(await server.client.listMounts()).toEqual({ ok: true, value: [] });
    await server.icecast.kill();
    expect(await server.client.listMounts()).toMatchObject({ ok: false, failure: 'refused' });
  });
});

describe('a move on a real server', () => {
  test('counts those who arrived, and the sound goes on for them', async () => {
    const server = await plainIcecast();
    await feed(server, PRIMARY);
    await feed(server, SECONDARY);
    const listeners = await ears(server, PRIMARY, 3);
    const outcome = await move(server, PRIMARY, SECONDARY);
    expect(outcome).toMatchObject({ is: 'read-back', count: { before: 3, moved: 3, remaining: 0, gone: 0 } });
    expect(commandOutcomeOf(outcome, PRIMARY, SECONDARY).is).toBe('done');
    const before = listeners.map((one) => one.heard());
    await eventually('each hears more', () =>
      listeners.every((one, index) => one.heard() > (before[index] ?? Number.POSITIVE_INFINITY)),
    );
  });

  test('is not believed when Icecast says "moved" and moved nobody (T1: MP3 to Ogg)', async () => {
    const server = await plainIcecast();
    await feed(server, PRIMARY);
    await feed(server, OGG, 'ogg');
    await ears(server, PRIMARY, 2);
    expect(await server.client.moveClients(PRIMARY, OGG)).toMatchObject({
      ok: true,
      value: { accepted: true },
    });
    const outcome = await move(server, PRIMARY, OGG);
    expect(outcome).toMatchObject({ is: 'read-back', count: { before: 2, moved: 0, remaining: 2 } });
    expect(commandOutcomeOf(outcome, PRIMARY, OGG)).toMatchObject({ is: 'not-done' });
  });

  test('finds those who landed on a third mount (T2: the destination has gone to its fallback)', async () => {
    const third = mount('/third');
    const server = await icecast({ mounts: [{ mount: SECONDARY, fallbackMount: third }] });
    await feed(server, PRIMARY);
    await feed(server, third);
    await ears(server, PRIMARY, 2);
    const outcome = await move(server, PRIMARY, SECONDARY);
    expect(commandOutcomeOf(outcome, PRIMARY, SECONDARY).is).toBe('not-done');
    expect(outcome).toMatchObject({ is: 'read-back', count: { moved: 0, remaining: 0, elsewhere: 2 } });
  });

  test('counts those whom a full destination dropped (T8)', async () => {
    const server = await icecast({ mounts: [{ mount: SECONDARY, maxListeners: 2 }] });
    await feed(server, PRIMARY);
    await feed(server, SECONDARY);
    const listeners = await ears(server, PRIMARY, 5);
    const outcome = await move(server, PRIMARY, SECONDARY);
    expect(outcome).toMatchObject({ is: 'read-back', count: { before: 5, moved: 2, gone: 3 } });
    const dropped = () => listeners.filter((one) => one.failure() !== null);
    await eventually('three know that they were dropped', () => dropped().length >= 3);
    expect(dropped()).toHaveLength(3);
  });

  test('to a mount that is not there is refused, and from one that is not there is nothing to do', async () => {
    const server = await plainIcecast();
    await feed(server, PRIMARY);
    await ear(server, PRIMARY);
    expect(await move(server, PRIMARY, SECONDARY)).toMatchObject({ is: 'refused' });
    expect(await move(server, SECONDARY, PRIMARY)).toEqual({ is: 'nothing-to-move' });
  });

  test('leaves our own monitor where it is when nobody else is there, and tells when it was carried off', async () => {
    const server = await plainIcecast();
    await feed(server, PRIMARY);
    await feed(server, SECONDARY);
    const userAgent = userAgentOf({ role: 'monitor', agent: LONDON, id: monitorId('beef') });
    await ear(server, PRIMARY, userAgent);
    expect(await move(server, PRIMARY, SECONDARY)).toEqual({ is: 'nothing-to-move' });
    const look = createLook({
      clock: systemClock,
      client: server.client,
      agent: LONDON,
      mounts: [PRIMARY, SECONDARY],
    });
    const monitorsOn = async () => {
      const seen = await look();
      return seen.ok ? seen.mounts.filter((view) => view.monitors.length > 0).map((view) => view.mount) : [];
    };
    expect(await monitorsOn()).toEqual([PRIMARY]);
    await ear(server, PRIMARY);
    await move(server, PRIMARY, SECONDARY);
    // For a moment it is on neither.
    await patiently('it is on the other', async () => expect(await monitorsOn()).toEqual([SECONDARY]));
  });
});

describe('names and texts of strangers', () => {
  test.each(['/rock & röll', '/a b+c', '/50%', '/a/b.mp3', '/日本'])(
    'the mount %j can be fed, heard, listed and moved from (T19)',
    async (name) => {
      const server = await plainIcecast();
      const odd = mount(name);
      await feed(server, odd);
      await feed(server, PRIMARY);
      await ear(server, odd);
      const mounts = await server.client.listMounts();
      expect(mounts.ok && mounts.value.map((one) => one.mount)).toContain(odd);
      const outcome = await move(server, odd, PRIMARY);
      expect(outcome).toMatchObject({ is: 'read-back', count: { moved: 1 } });
      expect(await move(server, PRIMARY, odd)).toMatchObject({ is: 'read-back', count: { moved: 1 } });
    },
  );

  test('a listener with a hostile User-Agent hides nobody else', async () => {
    const server = await plainIcecast();
    await feed(server, PRIMARY);
    await ear(server, PRIMARY, '</UserAgent><ID>1</ID></listener><listener>&amp;&lt;');
    await ear(server, PRIMARY, 'ordinary');
    const clients = await server.client.listClients(PRIMARY);
    expect(clients.ok && clients.value?.map((client) => client.userAgent).sort()).toEqual([
      '</UserAgent><ID>1</ID></listener><listener>&amp;&lt;',
      'ordinary',
    ]);
  });

  test('a title with an umlaut and a quote arrives in the stream', async () => {
    const server = await plainIcecast();
    await feed(server, PRIMARY);
    const title = "Motörhead - It's 'on'";
    expect(await server.client.setTitle(PRIMARY, title)).toMatchObject({
      ok: true,
      value: { accepted: true },
    });
    // The statistics follow a little later.
    let shown: string | null = null;
    for (let round = 0; round < 400 && shown === null; round += 1) {
      await pause(50);
      const stats = await server.client.stats();
      shown = stats.ok ? (stats.value.mounts[0]?.title ?? null) : null;
    }
    expect(shown).toBe(title);
  });

  test('one listener can be put out, and no other', async () => {
    const server = await plainIcecast();
    await feed(server, PRIMARY);
    await ear(server, PRIMARY, 'stays');
    const leaves = await ear(server, PRIMARY, 'leaves');
    const clients = await server.client.listClients(PRIMARY);
    const id = clients.ok ? (clients.value?.find((client) => client.userAgent === 'leaves')?.id ?? '') : '';
    expect(await server.client.killClient(PRIMARY, id)).toMatchObject({
      ok: true,
      value: { accepted: true },
    });
    await eventually('put out', () => leaves.failure() === 'closed');
    const after = await server.client.listClients(PRIMARY);
    expect(after.ok && after.value?.map((client) => client.userAgent)).toEqual(['stays']);
  });
});

describe('our ear on a real server', () => {
  test('hears sound and titles, shows in a look under its id, and comes back when it is put out', async () => {
    const server = await plainIcecast();
    await feed(server, PRIMARY);
    const titles: (string | null)[] = [];
    const opened: string[] = [];
    let bytes = 0;
    const monitor = startMonitor({
      clock: systemClock,
      random: systemRandom,
      server: server.address,
      mount: PRIMARY,
      agent: LONDON,
      handlers: {
        link: (link) => {
          if (link.is === 'open') opened.push(link.monitor);
        },
        bytes: (chunk) => {
          bytes += chunk.length;
        },
        title: ({ title }) => titles.push(title),
      },
    });
    stops.push(() => monitor.stop());
    await eventually('sound', () => bytes > 30_000);
    await server.client.setTitle(PRIMARY, "Motörhead - It's 'on'; loud");
    await eventually('the title', () => titles.includes("Motörhead - It's 'on'; loud"));
    const clients = await server.client.listClients(PRIMARY);
    const own = clients.ok
      ? clients.value?.find((client) => client.userAgent.includes(opened[0] ?? '?'))
      : undefined;
    await server.client.killClient(PRIMARY, own?.id ?? '');
    await eventually('a new connection', () => opened.length === 2);
    expect(opened[1]).not.toBe(opened[0]);
  });

  test('lets the others know that its agent lives, and is gone from the list when it stops', async () => {
    const server = await plainIcecast();
    await feed(server, SECONDARY);
    const presence = startPresence({
      clock: systemClock,
      random: systemRandom,
      server: server.address,
      agent: serverName('dublin'),
      mounts: [PRIMARY, SECONDARY],
      renewEveryMs: 300,
    });
    stops.push(() => presence.stop());
    const looks: ServerLook[] = [];
    const looker = startLooker({
      clock: systemClock,
      client: server.client,
      agent: LONDON,
      mounts: [PRIMARY, SECONDARY],
      intervalMs: 100,
      seen: (look) => looks.push(look),
    });
    stops.push(() => looker.stop());
    const agents = () =>
      looks.slice(-3).map((look) => (look.ok ? look.presences.map(({ agent }) => agent) : []));
    const allShow = () => agents().length === 3 && agents().every((shown) => shown.length === 1);
    await eventually('dublin shows', allShow);
    await pause(1_000);
    // A connection that is renewed ends at the first byte of the new one, and Icecast lists that a moment later.
    await eventually('dublin still shows', allShow);
    expect(agents()).toEqual([['dublin'], ['dublin'], ['dublin']]);
    presence.stop();
    await eventually('dublin is gone', () => agents().every((shown) => shown.length === 0), 15_000);
  });
});

describe('a source client', () => {
  test('is refused with a reason: wrong password, mount in use', async () => {
    const server = await plainIcecast();
    await feed(server, PRIMARY);
    const refusal = (password: string) =>
      new Promise<string>((resolve) => {
        openSource(
          systemClock,
          {
            server: server.address,
            mount: PRIMARY,
            credentials: { user: 'source', password },
            contentType: 'audio/mpeg',
          },
          { ready: () => resolve('ready'), failed: resolve },
        );
      });
    expect(await refusal('wrong')).toBe('unauthorised');
    expect(await refusal(ODD_PASSWORD)).toBe('rejected');
  });

  test('learns that the server took it off', async () => {
    const server = await plainIcecast();
    const ended = new Promise<string>((resolve) => {
      const source = openSource(
        systemClock,
        {
          server: server.address,
          mount: PRIMARY,
          credentials: { user: 'source', password: ODD_PASSWORD },
          contentType: 'audio/mpeg',
        },
        { ready: () => source.write(mp3.subarray(0, 50_000)), failed: resolve },
      );
    });
    await patiently('the mount', async () => expect(await server.icecast.mounts()).toContain(PRIMARY));
    await server.icecast.askAdmin('/admin/killsource?mount=/primary');
    expect(await ended).toBe('closed');
  });
});
