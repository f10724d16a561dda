import { afterEach, expect, test } from 'vitest';
import { mp3Frames } from '../../../fixtures/servers/frames.ts';
import { type MisbehavingServer, startServing } from '../../../fixtures/servers/misbehaving-server.ts';
import {
  mount,
  type SourceName,
  type StationName,
  serverName,
  sourceName,
  stationName,
} from '../../../src/domain/ids.ts';
import { parseUserAgent } from '../../../src/icecast/user-agent.ts';
import { type PresenceOptions, startPresence } from '../../../src/listen/presence.ts';
import { eventually, pause } from '../icecast/eventually.ts';
import { ManualClock } from '../icecast/manual-clock.ts';
import { countingRandom } from './support.ts';

const stops: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Gives sound on `/secondary` and has no `/primary`. */
async function secondaryOnly(): Promise<MisbehavingServer> {
  const server = await startServing({
    serve: (socket, request) => {
      if (request.startsWith('GET /secondary ')) {
        socket.write(`HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n${mp3Frames(2)}`);
      } else {
        socket.end('HTTP/1.0 404 File Not Found\r\n\r\n');
      }
    },
  });
  stops.push(() => server.stop());
  return server;
}

function presenceOn(
  server: MisbehavingServer,
  mounts: readonly string[],
  said: Partial<PresenceOptions> = {},
) {
  const clock = new ManualClock();
  const presence = startPresence({
    clock,
    random: countingRandom(),
    server: server.address,
    agent: serverName('dublin'),
    mounts: mounts.map(mount),
    ...said,
  });
  stops.push(() => presence.stop());
  return { clock, presence };
}

test('a presence shows itself as such, under a new id every five seconds, one at a time', async () => {
  const server = await secondaryOnly();
  const { clock, presence } = presenceOn(server, ['/secondary']);
  await eventually('shown', () => presence.isShown);
  for (let round = 2; round <= 4; round += 1) {
    clock.advance(5_000);
    await eventually('renewed', () => server.requests.length === round);
    expect(presence.isShown).toBe(true);
    await eventually('the old one gone', () => server.openSockets() === 1);
  }
  const clients = server.requests.map((head) => parseUserAgent(/User-Agent: (.*)\r\n/.exec(head)?.[1] ?? ''));
  expect(clients.every((client) => client?.role === 'presence' && client.agent === 'dublin')).toBe(true);
  expect(new Set(clients.map((client) => client?.id)).size).toBe(4);
});

test('a presence tells at once that something else is on air', async () => {
  const server = await secondaryOnly();
  const onAir = new Map<StationName, SourceName>([[stationName('myfm'), sourceName('primary')]]);
  const { clock, presence } = presenceOn(server, ['/secondary'], {
    onAir: () => onAir,
  });
  await eventually('shown', () => presence.isShown);
  clock.advance(1_000);
  await pause(50);
  expect(server.requests).toHaveLength(1);
  onAir.set(stationName('myfm'), sourceName('autodj'));
  clock.advance(500);
  await eventually('told', () => server.requests.length === 2);
  const said = server.requests.map(
    (head) => parseUserAgent(/User-Agent: (.*)\r\n/.exec(head)?.[1] ?? '')?.onAir,
  );
  expect(said.map((one) => one?.get(stationName('myfm')))).toEqual(['primary', 'autodj']);
});

test('a presence tells at once that there is news among its marks', async () => {
  const server = await secondaryOnly();
  let news = '';
  const { clock, presence } = presenceOn(server, ['/secondary'], {
    marks: () => ['always', ...(news === '' ? [] : [news])],
    news: () => news,
  });
  await eventually('shown', () => presence.isShown);
  clock.advance(1_000);
  await pause(50);
  expect(server.requests).toHaveLength(1);
  news = 'held';
  clock.advance(500);
  await eventually('told', () => server.requests.length === 2);
  const said = server.requests.map(
    (head) => parseUserAgent(/User-Agent: (.*)\r\n/.exec(head)?.[1] ?? '')?.marks,
  );
  expect(said).toEqual([['always'], ['always', 'held']]);
});

test('a presence sits where there is room, and goes there first from then on', async () => {
  const server = await secondaryOnly();
  const { clock, presence } = presenceOn(server, ['/primary', '/secondary']);
  await eventually('shown', () => presence.isShown);
  expect(server.requests).toHaveLength(2);
  clock.advance(5_000);
  await eventually('renewed', () => server.requests.length === 3);
  expect(server.requests[2]).toContain('GET /secondary ');
});

test('a presence without any mount to sit on tries again every five seconds, not faster', async () => {
  const server = await secondaryOnly();
  const { clock, presence } = presenceOn(server, ['/primary', '/autodj']);
  await eventually('both tried', () => server.requests.length === 2);
  await eventually('both refusals read', () => server.openSockets() === 0);
  await pause(20);
  expect(presence.isShown).toBe(false);
  clock.advance(4_999);
  expect(server.requests).toHaveLength(2);
  clock.advance(1);
  await eventually('both tried again', () => server.requests.length === 4);
});

test('a presence leaves nothing behind when it stops', async () => {
  const server = await secondaryOnly();
  const { clock, presence } = presenceOn(server, ['/secondary']);
  await eventually('shown', () => presence.isShown);
  clock.advance(5_000);
  presence.stop();
  await eventually('no socket', () => server.openSockets() === 0);
  expect(clock.pending).toBe(0);
});
