import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type IcecastOptions, type IcecastServer, startIcecast } from '../../src/demo/rig/icecast-server.ts';
import { type Mount, mount, serverName } from '../../src/domain/ids.ts';
import { parseServerUrl, type ServerAddress } from '../../src/icecast/address.ts';
import { type AdminClient, createAdminClient } from '../../src/icecast/admin-client.ts';
import { moveListeners } from '../../src/icecast/move.ts';
import { openSource, type SourceConnection } from '../../src/icecast/source-client.ts';
import { openStream, type StreamConnection } from '../../src/icecast/stream-client.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { messageOf } from '../../src/platform/errors.ts';
import { eventually, pause } from '../unit/icecast/eventually.ts';

const HOST = '127.0.0.11';
export const PRIMARY = mount('/primary');
export const SECONDARY = mount('/secondary');
export const OGG = mount('/autodj.ogg');
export const LONDON = serverName('london');
/** Everything a password can have that breaks URLs, Basic authentication or XML. */
export const ODD_PASSWORD = 'ä:b@c%d/ß<&"';

export let mp3: Buffer;
let ogg: Buffer;
export const stops: (() => unknown)[] = [];
/** The server that most tests share: a start and an orderly end take a second and a half. */
let plain: Server | null = null;

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
  // The next test finds the shared server as empty as a new one.
  for (let round = 0; plain !== null && round < 100; round += 1) {
    const mounts = await plain.client.listMounts();
    if (mounts.ok && mounts.value.length === 0) return;
    await pause(50);
  }
});

afterAll(async () => {
  await plain?.icecast.stop();
});

export interface Server {
  readonly icecast: IcecastServer;
  readonly address: ServerAddress;
  readonly client: AdminClient;
}

export async function plainIcecast(): Promise<Server> {
  plain ??= await launch({});
  return plain;
}

export async function icecast(options: Partial<IcecastOptions>): Promise<Server> {
  const server = await launch(options);
  stops.push(() => server.icecast.stop());
  return server;
}

export async function launch(options: Partial<IcecastOptions>): Promise<Server> {
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

export function adminOf(server: ServerAddress, password: string): AdminClient {
  return createAdminClient({ clock: systemClock, server, credentials: { user: 'admin', password } });
}

function openWith(server: Server, at: Mount, kind: 'mp3' | 'ogg'): Promise<SourceConnection> {
  return new Promise<SourceConnection>((resolve, reject) => {
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
}

/** Feeds a mount at the pace of its sound, for a minute at most. */
export async function feed(
  server: Server,
  at: Mount,
  kind: 'mp3' | 'ogg' = 'mp3',
): Promise<SourceConnection> {
  const sound = kind === 'mp3' ? mp3 : ogg;
  const perTick = Math.ceil(sound.length / 600);
  const source = await patiently(`a source on ${at}`, () => openWith(server, at, kind));
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

export interface Ear {
  readonly connection: StreamConnection;
  readonly heard: () => number;
  readonly failure: () => string | null;
}

/** A listener (or, with another User-Agent, one of ours) that has heard something. */
export async function ear(
  server: Server,
  at: Mount,
  userAgent = 'VLC/3.0.18',
  isListed = true,
): Promise<Ear> {
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
  await eventually('sound or a refusal', () => bytes > 0 || ended !== null);
  if (ended !== null) throw new Error(`refused: ${ended}`);
  if (isListed) await seated(server, at, userAgent);
  return result;
}

/** Icecast sends sound to a client a moment before it lists it. */
export async function seated(server: Server, at: Mount, userAgent: string): Promise<void> {
  for (let round = 0; round < 500; round += 1) {
    const clients = await server.client.listClients(at);
    if (clients.ok && clients.value?.some((client) => client.userAgent === userAgent)) return;
    await pause(20);
  }
  throw new Error(`${userAgent} never showed on ${at}`);
}

export function ears(server: Server, at: Mount, count: number): Promise<Ear[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => ear(server, at, `VLC/${index}`)));
}

export function move(server: Server, from: Mount, to: Mount) {
  return moveListeners({ clock: systemClock, client: server.client, from, to });
}

/** A connection that Icecast has not yet noticed is over takes up room for a moment. */
export async function patiently<Result>(what: string, attempt: () => Promise<Result>): Promise<Result> {
  let why = '';
  for (let round = 0; round < 200; round += 1) {
    try {
      return await attempt();
    } catch (thrown) {
      why = messageOf(thrown);
      await pause(100);
    }
  }
  throw new Error(`${what}: ${why}`);
}

export async function mustList(server: Server): Promise<void> {
  const mounts = await server.client.listMounts();
  if (!mounts.ok) throw new Error(mounts.detail);
}
