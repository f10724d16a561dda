import { readdirSync, readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mp3Frames } from '../../../fixtures/servers/frames.ts';
import {
  listen,
  type MisbehavingServer,
  startMisbehaving,
  startServing,
} from '../../../fixtures/servers/misbehaving-server.ts';
import { MISBEHAVIOURS, type MisbehaviourName } from '../../../fixtures/servers/misbehaviours.ts';
import { monitorId, mount, serverName, sourceName, stationName } from '../../../src/domain/ids.ts';
import { resolveProcessing } from '../../../src/domain/processing.ts';
import type { LinkFailure } from '../../../src/domain/readings.ts';
import type { ServerAddress } from '../../../src/icecast/address.ts';
import { openStream, type StreamHead, type StreamRequest } from '../../../src/icecast/stream-client.ts';
import { parseUserAgent, userAgentOf } from '../../../src/icecast/user-agent.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { rssMiB } from '../platform/processes.ts';
import { eventually, pause } from './eventually.ts';
import { ManualClock } from './manual-clock.ts';

interface Heard {
  head: StreamHead | null;
  bytes: number;
  failure: LinkFailure | null;
  detail: string;
  endings: number;
}

const clock = new ManualClock();
const stops: (() => unknown)[] = [];
let pendingBefore = 0;

beforeEach(() => {
  pendingBefore = clock.pending;
});

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  expect(clock.pending, 'timers left behind').toBe(pendingBefore);
});

async function serve(name: MisbehaviourName): Promise<MisbehavingServer> {
  const server = await startMisbehaving(name);
  stops.push(() => server.stop());
  return server;
}

function listenTo(server: ServerAddress, more: Partial<StreamRequest> = {}, at = '/primary') {
  const heard: Heard = { head: null, bytes: 0, failure: null, detail: '', endings: 0 };
  const connection = openStream(
    clock,
    { server, mount: mount(at), userAgent: 'Sustain/0 (test)', icyMetadata: false, ...more },
    {
      opened: (head) => {
        heard.head = head;
      },
      bytes: (chunk) => {
        heard.bytes += chunk.length;
      },
      failed: (failure, detail) => {
        heard.failure = failure;
        heard.detail = detail;
        heard.endings += 1;
      },
    },
  );
  stops.push(() => connection.destroy());
  return { heard, connection };
}

describe('the User-Agent', () => {
  test('of an agent with much to say arrives whole, so that the other agent can read that this one lives', async () => {
    const stations = Array.from({ length: 100 }, (_, at) => stationName(`station-${at}`));
    const values = resolveProcessing({
      preset: 'music',
      changes: {},
      loudnessLufs: null,
      ceilingDbtp: null,
      lowestBitrateKbps: null,
    });
    const client = {
      role: 'presence' as const,
      agent: serverName('london'),
      id: monitorId('a1b2c3d4e5f60718'),
      // The longest words of an operator with all that is said beside them.
      marks: Array.from({ length: 17 }, (_, at) => `m${at}${'0'.repeat(at < 4 ? 164 : 52)}`),
      onAir: new Map(stations.map((station) => [station, sourceName('secondary')])),
      chains: stations.map((station) => ({ station, fingerprint: 'ab12cd34ef56', values })),
    };
    const server = await serve('icy-status');
    listenTo(server.address, { userAgent: userAgentOf(client) });
    await eventually('the request', () => server.requests.length > 0);
    const arrived = /^User-Agent: (.*)$/m.exec(server.requests[0] ?? '')?.[1] ?? '';
    const read = parseUserAgent(arrived);
    expect(read).toMatchObject({ agent: 'london', marks: client.marks });
    expect(client.marks.join('.').length).toBeGreaterThan(1_300);
    expect(read?.onAir?.size).toBeGreaterThan(10);
    expect(read?.chains?.length).toBeGreaterThan(10);
    // Icecast takes 4096 bytes for all headers.
    expect(server.requests[0]?.length).toBeLessThan(3_600);
  });
});

describe('what a server may send', () => {
  for (const [name, { expected, origin }] of Object.entries(MISBEHAVIOURS)) {
    test(`${name} gives: ${expected} (${origin})`, async () => {
      const server = await serve(name as MisbehaviourName);
      const { heard, connection } = listenTo(server.address);
      if (expected === 'sound' || expected === 'stall') {
        await eventually('sound', () => heard.bytes >= 3000);
        expect(heard.head?.contentType).toMatch(/^audio\/mpeg/);
        expect(connection.lastByteAtMs).toBe(clock.nowMs());
        expect(heard.failure).toBeNull();
        connection.destroy();
      } else {
        if (expected === 'timed-out') await pause(80);
        clock.advance(4_999);
        if (expected === 'timed-out') expect(heard.failure).toBeNull();
        clock.advance(expected === 'timed-out' ? 1 : 0);
        if (name === 'ssh-greeting') {
          await pause(80);
          clock.advance(5_000);
        }
        await eventually('a failure', () => heard.failure !== null);
        expect(heard.failure).toBe(expected);
        expect(heard.detail.length).toBeGreaterThan(10);
      }
      await eventually('no socket left', () => server.openSockets() === 0);
      expect(heard.endings).toBeLessThanOrEqual(1);
    });
  }

  test('a stall shows in the time of the last byte and ends nothing', async () => {
    const server = await serve('stall');
    const { heard, connection } = listenTo(server.address);
    await eventually('sound', () => heard.bytes > 0);
    const lastByteAtMs = connection.lastByteAtMs;
    clock.advance(60_000);
    await pause(20);
    expect(connection.lastByteAtMs).toBe(lastByteAtMs);
    expect(heard.failure).toBeNull();
  });

  test('a flood is cut off after a burst, and sound at the permitted pace goes on for ever', async () => {
    const flood = await serve('flood');
    const { heard } = listenTo(flood.address);
    await eventually('cut off', () => heard.failure === 'too-fast');
    expect(heard.bytes).toBeLessThan(2.2 * 1024 * 1024);

    const paced = await startServing({
      serve: (socket) => {
        socket.write('HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n');
        socket.on('data', (chunk) => socket.write(mp3Frames(chunk.length)));
      },
    });
    stops.push(() => paced.stop());
    const slow = listenTo(paced.address, { limits: { burstBytes: 10_000, bytesPerSecond: 10_000 } });
    await eventually('open', () => slow.heard.head !== null);
    expect(slow.heard.failure).toBeNull();
  });
});

describe('what cannot be reached', () => {
  test('a port on which nobody listens is refused', async () => {
    const server = await serve('silent');
    await server.stop();
    const { heard } = listenTo(server.address);
    await eventually('refused', () => heard.failure === 'refused');
    expect(heard.detail).toContain(String(server.address.port));
  });

  test('a name that does not exist is not found', async () => {
    const { heard } = listenTo({ host: 'no-such-host.invalid', port: 80, tls: false });
    await eventually('not found', () => heard.failure !== null);
    expect(heard.failure).toBe('name-not-found');
  });

  test('TLS with a server that speaks none, or with a certificate nobody vouches for, is a TLS failure', async () => {
    const plain = await serve('ssh-greeting');
    const toPlain = listenTo({ ...plain.address, tls: true });
    await eventually('no TLS', () => toPlain.heard.failure !== null);
    expect(toPlain.heard.failure).toBe('tls');

    const { server, cert } = await serveTls();
    const untrusted = listenTo(server.address);
    await eventually('no trust', () => untrusted.heard.failure !== null);
    expect(untrusted.heard.failure).toBe('tls');
    const trusted = listenTo({ ...server.address, ca: cert });
    await eventually('sound over TLS', () => trusted.heard.bytes > 0);
  });

  test('a certificate authority that is no certificate is a TLS failure and nothing is thrown', async () => {
    const { heard } = listenTo({ host: '127.0.0.1', port: 1, tls: true, ca: 'not a certificate' });
    clock.advance(1);
    await eventually('a failure', () => heard.failure !== null);
  });
});

async function serveTls(): Promise<{ server: MisbehavingServer; cert: string }> {
  const at = (name: string) =>
    readFileSync(new URL(`../../../fixtures/servers/${name}`, import.meta.url), 'utf8');
  const cert = at('self-signed.cert.pem');
  const tls = createTlsServer({ cert, key: at('self-signed.key.pem') }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write('HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n');
      socket.write(mp3Frames(2));
    });
  });
  const server = await listen(tls, new Set(), [], true);
  stops.push(() => tls.close());
  return { server, cert };
}

describe('redirects', () => {
  async function redirecting(to: (path: string) => string): Promise<MisbehavingServer> {
    const server = await startServing({
      serve: (socket, request) => {
        const path = /^GET (\S+)/.exec(request)?.[1] ?? '';
        const target = to(path);
        if (target === '') socket.write(`HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n${mp3Frames(2)}`);
        else socket.end(`HTTP/1.0 302 Found\r\nLocation: ${target}\r\n\r\n`);
      },
    });
    stops.push(() => server.stop());
    return server;
  }

  test('are not followed unless it is wished', async () => {
    const server = await redirecting((path) => (path === '/primary' ? '/other' : ''));
    const { heard } = listenTo(server.address);
    await eventually('a failure', () => heard.failure !== null);
    expect(heard.failure).toBe('redirected');
  });

  test('are followed three times and no more', async () => {
    const server = await redirecting((path) => (path === '/3' ? '' : `/${Number(path.slice(1)) + 1}`));
    const three = listenTo(server.address, { limits: { maxRedirects: 3 } }, '/0');
    await eventually('sound', () => three.heard.bytes > 0);
    const four = listenTo(server.address, { limits: { maxRedirects: 3 } }, '/-1');
    await eventually('a failure', () => four.heard.failure !== null);
    expect(four.heard.detail).toContain('3 redirects');
  });

  test('in a circle end, and so do those to a file', async () => {
    for (const name of ['redirect-loop', 'redirect-to-file'] as const) {
      const server = await serve(name);
      const { heard } = listenTo(server.address, { limits: { maxRedirects: 3 } }, '/again');
      await eventually('a failure', () => heard.failure !== null);
      expect(heard.failure).toBe('redirected');
    }
  });

  test('take no password to another server', async () => {
    const other = await redirecting(() => '');
    const first = await redirecting(() => `http://127.0.0.1:${other.address.port}/x`);
    const credentials = { user: 'listener', password: 'hunter2' };
    const { heard } = listenTo(first.address, { credentials, limits: { maxRedirects: 1 } });
    await eventually('sound', () => heard.bytes > 0);
    expect(first.requests[0]).toContain('Authorization: Basic');
    expect(other.requests[0]).not.toContain('Authorization');
  });

  test('show no password in the detail', async () => {
    const server = await serve('redirect-with-password');
    const { heard } = listenTo(server.address);
    await eventually('a failure', () => heard.failure !== null);
    expect(heard.detail).not.toContain('hunter2');
  });
});

describe('the request', () => {
  test('asks for any mount name, byte for byte, and cannot be given a second header line', async () => {
    const server = await serve('icy-status');
    const { heard } = listenTo(
      server.address,
      { userAgent: 'a\r\nX-Evil: 1', icyMetadata: true },
      '/rock & röll?#%',
    );
    await eventually('sound', () => heard.bytes > 0);
    const lines = server.requests[0]?.split('\r\n') ?? [];
    expect(lines[0]).toBe('GET /rock%20%26%20r%C3%B6ll%3F%23%25 HTTP/1.1');
    expect(lines).toContain(`Host: 127.0.0.1:${server.address.port}`);
    expect(lines).toContain('User-Agent: aX-Evil: 1');
    expect(lines).toContain('Icy-MetaData: 1');
    expect(lines).toContain('Connection: close');
  });
});

test('a thousand connections leave no socket and no file behind', async () => {
  const openFiles = () => readdirSync('/proc/self/fd').length;
  const names = ['icy-status', 'silent', 'hangs-up', 'endless-head', 'reset'] as const;
  const servers = await Promise.all(names.map(serve));
  const before = openFiles();
  let memoryBefore = 0;
  for (let round = 0; round < 200; round += 1) {
    if (round === 40) memoryBefore = rssMiB();
    const open = servers.map((server) => listenTo(server.address).connection);
    if (round % 2 === 0) await pause(5);
    for (const connection of open) connection.destroy();
  }
  await eventually('all closed', () => servers.every((server) => server.openSockets() === 0));
  expect(openFiles()).toBeLessThanOrEqual(before + 2);
  expect(rssMiB() - memoryBefore).toBeLessThan(40);
  expect(clock.pending).toBe(pendingBefore);
}, 30_000);

test('works with the real clock', async () => {
  const server = await serve('silent');
  const failure = await new Promise<LinkFailure>((resolve) => {
    openStream(
      systemClock,
      {
        server: server.address,
        mount: mount('/x'),
        userAgent: 'x',
        icyMetadata: false,
        limits: { headWithinMs: 50 },
      },
      { opened: () => {}, bytes: () => {}, failed: resolve },
    );
  });
  expect(failure).toBe('timed-out');
});
