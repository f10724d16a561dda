import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { mount } from '../../../src/domain/ids.ts';
import { sleep, systemClock } from '../../../src/platform/clock.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { type Publisher, startPublisher } from '../../../src/relay/publisher.ts';

interface Visit {
  readonly atMs: number;
  readonly socket: Socket;
  head: string;
  bodyBytes: number;
}

const ACCEPT = 'HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\nHTTP/1.0 200 OK\r\n\r\n';
const stops: (() => unknown)[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A server that answers one connection after the other as it is told; the last answer stands for all that follow. */
async function serverThat(answers: readonly string[]) {
  const sources: Visit[] = [];
  const titles: string[] = [];
  const server: Server = createServer((socket) => {
    const visit: Visit = { atMs: systemClock.nowMs(), socket, head: '', bodyBytes: 0 };
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      if (visit.head.includes('\r\n\r\n')) {
        visit.bodyBytes += chunk.length;
        return;
      }
      visit.head += chunk.toString('latin1');
      if (!visit.head.includes('\r\n\r\n')) return;
      const song = /song=(\S*)/.exec(visit.head)?.[1];
      if (song !== undefined) {
        titles.push(decodeURIComponent(song));
        socket.end(
          'HTTP/1.0 200 OK\r\n\r\n<?xml version="1.0"?><iceresponse><message>Metadata update successful</message><return>1</return></iceresponse>',
        );
        return;
      }
      sources.push(visit);
      socket.write(answers[Math.min(sources.length, answers.length) - 1] ?? ACCEPT);
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  stops.push(() => {
    for (const { socket } of sources) socket.destroy();
    server.close();
  });
  return { sources, titles, port };
}

function publishTo(port: number, ready: () => void = () => {}): Publisher {
  const publisher = startPublisher({
    server: { host: '127.0.0.1', port, tls: false },
    credentials: { user: 'source', password: 'ä:b' },
    mount: mount('/stream'),
    format: { codec: 'mp3', bitrateKbps: 128, sampleRateHz: 44_100, channels: 2, mp3Quality: null },
    words: { name: 'My FM\r\nX-Evil: 1', genre: 'Talk' },
    clock: systemClock,
    random: systemRandom,
    log: silentLogger(),
    onReady: ready,
  });
  stops.push(() => publisher.stop());
  return publisher;
}

/** What a working encoder gives, from now on until what is returned is called. */
function sound(publisher: Publisher): () => void {
  const cancel = systemClock.every(20, () => publisher.write(new Uint8Array(320)));
  stops.push(cancel);
  return cancel;
}

const pause = (ms: number) => sleep(systemClock, ms);

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let round = 0; round < 1_500; round += 1) {
    if (holds()) return;
    await pause(20);
  }
  throw new Error(`never: ${what}`);
}

describe('our own source client', () => {
  it('asks with Expect: 100-continue, says what the stream is, and lets no header be smuggled in', async () => {
    const server = await serverThat([ACCEPT]);
    const publisher = publishTo(server.port);
    sound(publisher);
    await until('feeding', () => publisher.state.is === 'feeding');
    const head = server.sources[0]?.head ?? '';
    expect(head).toMatch(/^PUT \/stream HTTP\/1.1\r\n/);
    expect(head).toContain('Expect: 100-continue\r\n');
    expect(head).toContain('Content-Type: audio/mpeg\r\n');
    expect(head).toContain('Ice-Bitrate: 128\r\n');
    expect(head).toContain('Ice-Genre: Talk\r\n');
    expect(head).not.toMatch(/^X-Evil/m);
  });

  it('sends sound only once it is accepted', async () => {
    const server = await serverThat(['HTTP/1.0 403 Forbidden\r\n\r\n', ACCEPT]);
    const publisher = publishTo(server.port);
    sound(publisher);
    await until('bytes at the second attempt', () => (server.sources[1]?.bodyBytes ?? 0) > 3_000);
    expect(server.sources[0]?.bodyBytes).toBe(0);
  });

  it('holds no mount before there is sound, and lets it go when the sound ends', async () => {
    const server = await serverThat([ACCEPT]);
    const publisher = publishTo(server.port);
    await pause(500);
    expect(server.sources).toHaveLength(0);
    expect(publisher.state.is).toBe('connecting');
    const silence = sound(publisher);
    await until('feeding', () => publisher.state.is === 'feeding');
    const first = server.sources[0]?.socket;
    silence();
    await pause(6_500);
    expect(publisher.state.is).toBe('no-sound');
    expect(first?.readyState).not.toBe('open');
    expect(server.sources).toHaveLength(1);
    sound(publisher);
    await until('fed again', () => publisher.state.is === 'feeding');
    expect(publisher.connections).toBe(2);
    expect(server.sources).toHaveLength(2);
  });

  it('is not feeding on a connection on which no byte was sent', async () => {
    const server = await serverThat([ACCEPT]);
    const publisher = publishTo(server.port);
    publisher.write(new Uint8Array(320));
    await until('the connection', () => publisher.connections === 1);
    await pause(200);
    expect(publisher.state.is).toBe('connecting');
    publisher.write(new Uint8Array(320));
    expect(publisher.state.is).toBe('feeding');
  });

  it('is back at once when the server hangs up', async () => {
    const server = await serverThat([ACCEPT]);
    let ready = 0;
    const publisher = publishTo(server.port, () => {
      ready += 1;
    });
    sound(publisher);
    await until('feeding', () => publisher.state.is === 'feeding');
    const atMs = systemClock.nowMs();
    server.sources[0]?.socket.destroy();
    await until('the second connection', () => publisher.connections === 2);
    expect((server.sources[1]?.atMs ?? 0) - atMs).toBeLessThan(5_000);
    expect(ready).toBe(2);
  });

  it('does not hammer a server that refuses the password', async () => {
    const server = await serverThat(['HTTP/1.0 401 Unauthorized\r\n\r\n']);
    const publisher = publishTo(server.port);
    sound(publisher);
    await pause(1_800);
    expect(server.sources.length).toBeLessThanOrEqual(2);
    expect(publisher.state).toMatchObject({ is: 'failed', failure: 'unauthorised' });
  });

  it('tells the title once, and again on a new connection', async () => {
    const server = await serverThat([ACCEPT]);
    const publisher = publishTo(server.port);
    sound(publisher);
    publisher.setTitle('Ein Lied: ä & b');
    await until('the title', () => server.titles.length === 1);
    publisher.setTitle('Ein Lied: ä & b');
    await pause(600);
    expect(server.titles).toEqual(['Ein Lied: ä & b']);
    server.sources[0]?.socket.destroy();
    await until('the title again', () => server.titles.length === 2);
  });
});
