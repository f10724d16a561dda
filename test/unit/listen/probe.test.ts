import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { mp3Frames } from '../../../fixtures/servers/frames.ts';
import { listen, startServing } from '../../../fixtures/servers/misbehaving-server.ts';
import { mount, serverName } from '../../../src/domain/ids.ts';
import type { ServerAddress } from '../../../src/icecast/address.ts';
import { probeMount } from '../../../src/listen/probe.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { systemRandom } from '../../../src/platform/random.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const probe = (server: ServerAddress, withinMs = 2_000) =>
  probeMount({
    clock: systemClock,
    random: systemRandom,
    server,
    mount: mount('/stream'),
    agent: serverName('london'),
    withinMs,
  });

async function answering(answer: string | null): Promise<ServerAddress> {
  const server = await startServing({
    serve: (socket) => {
      if (answer !== null) socket.write(answer);
    },
  });
  stops.push(() => server.stop());
  return server.address;
}

const pem = (name: string) =>
  readFileSync(new URL(`../../../fixtures/servers/${name}`, import.meta.url), 'utf8');

/** Its certificate is its own, and for `localhost`. */
async function answeringTls(): Promise<ServerAddress> {
  const tls = createTlsServer(
    { cert: pem('self-signed.cert.pem'), key: pem('self-signed.key.pem') },
    (socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(`${OK}${mp3Frames(2)}`));
    },
  );
  const server = await listen(tls, new Set(), [], true);
  stops.push(() => tls.close());
  return server.address;
}

const OK = 'HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n';

describe('a new listener', () => {
  test('gets in', async () => {
    expect(await probe(await answering(`${OK}${mp3Frames(2)}`))).toEqual({ ok: true, answered: true });
  });

  test.each<[string, string | null, string, boolean]>([
    ['finds no such mount', 'HTTP/1.0 404 Not Found\r\n\r\n', 'http', true],
    ['gets an answer and no sound', OK, 'first-byte', true],
    ['gets in, and no answer at all', null, 'http', false],
  ])('%s', async (_, answer, stage, answered) => {
    expect(await probe(await answering(answer), 300)).toMatchObject({ ok: false, stage, answered });
  });

  test('is refused', async () => {
    expect(await probe({ host: '127.0.0.1', port: 1, tls: false })).toMatchObject({
      ok: false,
      stage: 'connect',
    });
  });

  test('finds no such name', async () => {
    const server = { host: 'no-such-host.invalid', port: 80, tls: false };
    expect(await probe(server)).toMatchObject({ ok: false, stage: 'resolve' });
  });
});

describe('a new listener over TLS', () => {
  test('gets in where the certificate is for the name of the station, at whichever address', async () => {
    const server = await answeringTls();
    const ca = pem('self-signed.cert.pem');
    expect(await probe({ ...server, ca, name: 'localhost' })).toEqual({ ok: true, answered: true });
  });

  test('finds a server that takes connections, and speaks no TLS at all', async () => {
    const silent = await answering(null);
    expect(await probe({ ...silent, tls: true, name: 'localhost' }, 300)).toMatchObject({
      ok: false,
      stage: 'tls',
      answered: false,
    });
  });

  test('is turned away by a certificate for another name, and by one that nobody vouches for', async () => {
    const server = await answeringTls();
    const ca = pem('self-signed.cert.pem');
    const named = await probe({ ...server, ca, name: 'stream.myfm.example' });
    expect(named).toMatchObject({
      ok: false,
      stage: 'tls',
      detail: expect.stringContaining('ALTNAME'),
    });
    expect(await probe({ ...server, name: 'localhost' })).toMatchObject({ ok: false, stage: 'tls' });
  });
});
