import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { mp3Frames } from '../../../fixtures/servers/frames.ts';
import {
  type MisbehavingServer,
  startMisbehaving,
  startServing,
} from '../../../fixtures/servers/misbehaving-server.ts';
import type { MisbehaviourName } from '../../../fixtures/servers/misbehaviours.ts';
import { mount, serverName } from '../../../src/domain/ids.ts';
import { parseUserAgent } from '../../../src/icecast/user-agent.ts';
import { type MonitorOptions, startMonitor } from '../../../src/listen/monitor.ts';
import { eventually, pause } from '../icecast/eventually.ts';
import { ManualClock } from '../icecast/manual-clock.ts';
import { rssMiB } from '../platform/processes.ts';
import { countingRandom, recorder } from './support.ts';

const stops: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function serve(name: MisbehaviourName): Promise<MisbehavingServer> {
  const server = await startMisbehaving(name);
  stops.push(() => server.stop());
  return server;
}

function monitorOf(server: MisbehavingServer, more: Partial<MonitorOptions> = {}) {
  const clock = new ManualClock();
  const record = recorder();
  const monitor = startMonitor({
    clock,
    random: countingRandom(),
    server: server.address,
    mount: mount('/primary'),
    agent: serverName('london'),
    handlers: record.handlers,
    ...more,
  });
  stops.push(() => monitor.stop());
  return { clock, monitor, ...record };
}

/** The ids under which the monitor came to the server, in order. */
function idsAt(server: MisbehavingServer): (string | undefined)[] {
  return server.requests.map((head) => parseUserAgent(/User-Agent: (.*)\r\n/.exec(head)?.[1] ?? '')?.id);
}

describe('a monitor', () => {
  test('connects, says under which id, and hands on sound and titles', async () => {
    const server = await serve('titles');
    const { clock, monitor, links, titles, totalBytes, bytesOf } = monitorOf(server);
    expect(links).toEqual([]);
    clock.advance(0);
    expect(links).toEqual([{ is: 'connecting', sinceMs: 1000 }]);
    await eventually('all sound', () => totalBytes() === 8417);
    expect(titles).toEqual(Array.from({ length: 8 }, (_, index) => `Song ${index}`));
    const open = links.at(-1);
    if (open?.is !== 'open') throw new Error('not open');
    expect([...bytesOf.keys()]).toEqual([open.monitor]);
    expect(idsAt(server)).toEqual([open.monitor]);
    expect(monitor.pulse()).toEqual({ monitor: open.monitor, openedAtMs: 1000, lastByteAtMs: 1000 });
  });

  test('comes again after a failure, later each time, until it waits ten seconds', async () => {
    const server = await serve('not-found');
    const { clock, links } = monitorOf(server);
    const waitsMs: number[] = [];
    clock.advance(0);
    for (let round = 1; round <= 7; round += 1) {
      await eventually('a failure', () => links.filter((link) => link.is === 'failed').length === round);
      const failedAtMs = clock.nowMs();
      while (links.at(-1)?.is === 'failed') clock.advance(10);
      waitsMs.push(clock.nowMs() - failedAtMs);
    }
    expect(waitsMs).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    expect(links[1]).toMatchObject({ is: 'failed', failure: 'mount-not-found' });
    expect(new Set(idsAt(server)).size).toBe(server.requests.length);
  });

  test('connects anew at once when told to, under a new id, and the old connection is gone', async () => {
    const server = await serve('stall');
    const { clock, monitor, links } = monitorOf(server);
    clock.advance(0);
    await eventually('open', () => links.at(-1)?.is === 'open');
    const first = monitor.pulse()?.monitor;
    monitor.reconnect('it sits on the wrong mount');
    expect(monitor.pulse()).toBeNull();
    await eventually('open again', () => links.at(-1)?.is === 'open');
    expect(monitor.pulse()?.monitor).not.toBe(first);
    await eventually('one socket', () => server.openSockets() === 1);
  });

  test('hangs up while it is not wanted, connects at once when it is, and forgets its failures', async () => {
    const server = await serve('stall');
    const { clock, monitor, links, states } = monitorOf(server, { wanted: false });
    clock.advance(60_000);
    expect(states()).toEqual([]);
    monitor.reconnect('in vain');
    expect(states()).toEqual([]);
    monitor.setWanted(true);
    await eventually('open', () => links.at(-1)?.is === 'open');
    monitor.setWanted(false);
    expect(states()).toEqual(['connecting', 'open', 'waiting']);
    expect(monitor.pulse()).toBeNull();
    await eventually('no socket', () => server.openSockets() === 0);
    clock.advance(60_000);
    expect(server.requests).toHaveLength(1);
  });

  test('leaves out titles with a server whose interval lies, and so hears the sound whole', async () => {
    const server = await serve('lying-metaint');
    const { clock, links, totalBytes } = monitorOf(server);
    clock.advance(0);
    await eventually('second connection', () => server.requests.length === 2);
    expect(server.requests[0]).toContain('Icy-MetaData: 1');
    expect(server.requests[1]).not.toContain('Icy-MetaData');
    await eventually('open', () => links.at(-1)?.is === 'open' && totalBytes() >= 8417);
    expect(links.some((link) => link.is === 'failed')).toBe(false);
  });

  test('survives an interval that would exhaust the stack', async () => {
    const server = await serve('metaint-of-one');
    const { clock, totalBytes } = monitorOf(server);
    clock.advance(0);
    await eventually('sound without titles', () => totalBytes() > 0);
  });

  test('shows a stall in its pulse and gives the connection up only when the peer may have vanished', async () => {
    const server = await serve('stall');
    const { clock, monitor, links } = monitorOf(server);
    clock.advance(0);
    await eventually('open', () => monitor.pulse() !== null);
    await pause(20);
    const lastByteAtMs = monitor.pulse()?.lastByteAtMs;
    clock.advance(29_000);
    expect(monitor.pulse()?.lastByteAtMs).toBe(lastByteAtMs);
    clock.advance(2_000);
    expect(links.at(-2)).toMatchObject({ is: 'failed', failure: 'timed-out' });
  });

  test.each([
    [2_000, 1_000],
    [6_000, 500],
  ])('that heard sound for %i ms and lost it comes again after %i ms', async (soundMs, waitMs) => {
    let hear = (): void => {};
    let hangUp = (): void => {};
    const server = await startServing({
      serve: (socket) => {
        hear = () => socket.write(mp3Frames(1));
        hangUp = () => socket.destroy();
        socket.write('HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n');
        hear();
      },
    });
    stops.push(() => server.stop());
    const { clock, links, totalBytes } = monitorOf(server);
    const waits = async (): Promise<number> => {
      await eventually('a failure', () => links.at(-1)?.is === 'failed');
      const failedAtMs = clock.nowMs();
      while (links.at(-1)?.is === 'failed') clock.advance(10);
      return clock.nowMs() - failedAtMs;
    };
    clock.advance(0);
    await eventually('sound', () => totalBytes() === 417);
    hangUp();
    expect(await waits()).toBe(500);
    await eventually('sound again', () => totalBytes() === 2 * 417);
    clock.advance(soundMs);
    hear();
    await eventually('more sound', () => totalBytes() === 3 * 417);
    clock.advance(1_000);
    hangUp();
    expect(await waits()).toBe(waitMs);
  });

  test('that waits to come again does not come twice, and not at all when it is no longer wanted', async () => {
    const server = await serve('not-found');
    const { clock, monitor, links } = monitorOf(server);
    const failures = () => links.filter((link) => link.is === 'failed').length;
    clock.advance(0);
    await eventually('a failure', () => failures() === 1);
    monitor.reconnect('now');
    await eventually('another', () => failures() === 2);
    clock.advance(999);
    await pause(20);
    expect(server.requests).toHaveLength(2);
    monitor.setWanted(false);
    clock.advance(60_000);
    await pause(20);
    expect(server.requests).toHaveLength(2);
    expect(links.at(-1)).toEqual({ is: 'waiting' });
  });

  test('may be stopped from inside any of its own calls, and is silent from then on', async () => {
    for (const stopAt of ['connecting', 'open', 'failed']) {
      const server = await serve(stopAt === 'failed' ? 'not-found' : 'titles');
      const clock = new ManualClock();
      const seen: string[] = [];
      const monitor = startMonitor({
        clock,
        random: countingRandom(),
        server: server.address,
        mount: mount('/primary'),
        agent: serverName('london'),
        handlers: {
          link: (link) => {
            seen.push(link.is);
            if (link.is === stopAt) monitor.stop();
          },
          bytes: () => seen.push('bytes'),
        },
      });
      clock.advance(0);
      await eventually('stopped', () => seen.includes(stopAt));
      await eventually('no socket', () => server.openSockets() === 0);
      clock.advance(60_000);
      await pause(10);
      expect(seen.at(-1)).toBe(stopAt);
      expect(clock.pending).toBe(0);
    }
  });

  test('leaves nothing behind over a thousand restarts', async () => {
    const openFiles = () => readdirSync('/proc/self/fd').length;
    const server = await serve('titles');
    const { clock, monitor, links } = monitorOf(server);
    clock.advance(0);
    await eventually('open', () => links.at(-1)?.is === 'open');
    const filesBefore = openFiles();
    const timersBefore = clock.pending;
    let memoryBefore = 0;
    for (let round = 0; round < 1000; round += 1) {
      // What is compiled and cached for good is there by then.
      if (round === 200) memoryBefore = rssMiB();
      monitor.reconnect('again');
      if (round % 4 !== 0) await eventually('open', () => links.at(-1)?.is === 'open');
    }
    await eventually('open', () => links.at(-1)?.is === 'open');
    await eventually('one socket', () => server.openSockets() === 1);
    expect(openFiles()).toBeLessThanOrEqual(filesBefore + 2);
    expect(rssMiB() - memoryBefore).toBeLessThan(40);
    expect(clock.pending).toBe(timersBefore);
  }, 30_000);
});
