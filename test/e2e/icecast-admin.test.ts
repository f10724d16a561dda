import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type IcecastOptions, type IcecastServer, startIcecast } from '../../src/demo/rig/icecast-server.ts';
import { type Mount, monitorId, mount, serverName } from '../../src/domain/ids.ts';
import { parseServerUrl, type ServerAddress } from '../../src/icecast/address.ts';
import { type AdminClient, createAdminClient } from '../../src/icecast/admin-client.ts';
import { createLook } from '../../src/icecast/look.ts';
import { commandOutcomeOf, moveListeners } from '../../src/icecast/move.ts';
import { openSource, type SourceConnection } from '../../src/icecast/source-client.ts';
import { openStream, type StreamConnection } from '../../src/icecast/stream-client.ts';
import { userAgentOf } from '../../src/icecast/user-agent.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { eventually, pause } from '../unit/icecast/eventually.ts';

const HOST = '127.0.0.11';
const PRIMARY = mount('/primary');
const SECONDARY = mount('/secondary');
const OGG = mount('/autodj.ogg');
const LONDON = serverName('london');
/** Everything a password can have that breaks URLs, Basic authentication or XML. */
const ODD_PASSWORD = 'ä:b@c%d/ß<&"';

let mp3: Buffer;
let ogg: Buffer;
const stops: (() => unknown)[] = [];

beforeAll(async () => {
  const encode = async (args: string[]) => {
    const run = promisify(execFile);
    const input = [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      'sine=frequency=440:duration=60',
      '-ac',
      '2',
      '-b:a',
      '128k',
    ];
    const { stdout } = await run('ffmpeg', [...input, ...args, 'pipe:1'], {
      encoding: 'buffer',
      maxBuffer: 1 << 24,
    });
    return stdout;
  };
  mp3 = await encode(['-c:a', 'libmp3lame', '-f', 'mp3']);
  ogg = await encode(['-c:a', 'libvorbis', '-f', 'ogg']);
});

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

afterAll(async () => {
  await plain?.icecast.stop();
});

interface Server {
  readonly icecast: IcecastServer;
  readonly address: ServerAddress;
  readonly client: AdminClient;
}

/** The one that most tests share: a start and an orderly end take a second and a half. */
let plain: Server | null = null;

async function plainIcecast(): Promise<Server> {
  plain ??= await launch({});
  return plain;
}

async function icecast(options: Partial<IcecastOptions>): Promise<Server> {
  const server = await launch(options);
  stops.push(() => server.icecast.stop());
  return server;
}

async function launch(options: Partial<IcecastOptions>): Promise<Server> {
  const started = await startIcecast({
    adminPassword: ODD_PASSWORD,
    sourcePassword: ODD_PASSWORD,
    ...options,
    host: HOST,
  });
  const address = parseServerUrl(started.url);
  if (address === null) throw new Error(started.url);
  return { icecast: started, address, client: adminOf(address, ODD_PASSWORD) };
}

function adminOf(server: ServerAddress, password: string): AdminClient {
  return createAdminClient({ clock: systemClock, server, credentials: { user: 'admin', password } });
}

/** Feeds a mount at the pace of its sound, for a minute at most. */
async function feed(server: Server, at: Mount, kind: 'mp3' | 'ogg' = 'mp3'): Promise<SourceConnection> {
  const sound = kind === 'mp3' ? mp3 : ogg;
  const perTick = Math.ceil(sound.length / 600);
  const source = await new Promise<SourceConnection>((resolve, reject) => {
    const connection = openSource(
      systemClock,
      {
        server: server.address,
        mount: at,
        credentials: { user: 'source', password: server.icecast.source.password },
        contentType: kind === 'mp3' ? 'audio/mpeg' : 'application/ogg',
        headers: { 'ice-audio-info': 'ice-samplerate=44100;ice-channels=2;ice-bitrate=128' },
      },
      {
        ready: () => resolve(connection),
        failed: (failure, detail) => reject(new Error(`${failure}: ${detail}`)),
      },
    );
  });
  let sent = 0;
  const cancel = systemClock.every(100, () => {
    source.write(sound.subarray(sent, sent + perTick));
    sent += perTick;
  });
  source.write(sound.subarray(0, 32_000));
  sent = 32_000;
  stops.push(() => {
    cancel();
    source.destroy();
  });
  return source;
}

interface Ear {
  readonly connection: StreamConnection;
  readonly heard: () => number;
  readonly failure: () => string | null;
}

/** A listener (or, with another User-Agent, one of ours) that has heard something. */
async function ear(server: Server, at: Mount, userAgent = 'VLC/3.0.18', isListed = true): Promise<Ear> {
  let bytes = 0;
  let ended: string | null = null;
  const connection = openStream(
    systemClock,
    { server: server.address, mount: at, userAgent, icyMetadata: false },
    {
      opened: () => {},
      bytes: (chunk) => {
        bytes += chunk.length;
      },
      failed: (failure) => {
        ended = failure;
      },
    },
  );
  stops.push(() => connection.destroy());
  const result: Ear = { connection, heard: () => bytes, failure: () => ended };
  await eventually('sound', () => bytes > 0);
  if (isListed) await seated(server, at, userAgent);
  return result;
}

/** Icecast sends sound to a client a moment before it lists it. */
async function seated(server: Server, at: Mount, userAgent: string): Promise<void> {
  for (let round = 0; round < 50; round += 1) {
    const clients = await server.client.listClients(at);
    if (clients.ok && clients.value?.some((client) => client.userAgent === userAgent)) return;
    await pause(20);
  }
  throw new Error(`${userAgent} never showed on ${at}`);
}

function ears(server: Server, at: Mount, count: number): Promise<Ear[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => ear(server, at, `VLC/${index}`)));
}

function move(server: Server, from: Mount, to: Mount) {
  return moveListeners({ clock: systemClock, client: server.client, from, to });
}

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
    expect(await server.client.listMounts()).toMatchObject({ ok: true });
    const third = await ear(server, PRIMARY, 'third', false);
    for (let round = 0; round < 3; round += 1) {
      const refused = await server.client.listMounts();
      expect(refused).toMatchObject({ ok: false, failure: 'overloaded' });
    }
    third.connection.destroy();
    await seatedAgain(server);
  });

  test('says "timed-out" of a stopped process and "refused" of one that is gone (T13)', async () => {
    const server = await plainIcecast();
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

async function seatedAgain(server: Server): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    if ((await server.client.listMounts()).ok) return;
    await pause(100);
  }
  throw new Error('the admin API stayed shut although there was room again');
}

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
    await pause(500);
    listeners.forEach((one, index) => {
      expect(one.heard()).toBeGreaterThan(before[index] ?? 0);
    });
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
    expect(listeners.filter((one) => one.failure() !== null)).toHaveLength(3);
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
    expect(await monitorsOn()).toEqual([SECONDARY]);
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
    for (let round = 0; round < 50 && shown === null; round += 1) {
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
    await pause(300);
    await server.icecast.askAdmin('/admin/killsource?mount=/primary');
    expect(await ended).toBe('closed');
  });
});

