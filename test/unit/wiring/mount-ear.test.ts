import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { DecoderFactory, DecoderOptions } from '../../../src/audio/decoder.ts';
import { mount } from '../../../src/domain/ids.ts';
import type { Link } from '../../../src/domain/readings.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { startMountEar } from '../../../src/wiring/mount-ear.ts';
import { LONDON } from '../decide/builders.ts';
import { countingRandom } from '../listen/support.ts';
import { until } from '../platform/processes.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A server whose mounts give bytes for ever, as what `type` says; each listener is kept, to be hung up on. */
async function radio(type: string) {
  const listeners: ServerResponse[] = [];
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': type });
    listeners.push(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const timer = setInterval(() => {
    for (const listener of listeners) listener.write(Buffer.alloc(400, 0x55));
  }, 5);
  stops.push(() => {
    clearInterval(timer);
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, listeners };
}

/** Decoders that give a tenth of a second of sound for each write, and say what became of them. */
function puppets() {
  const opened: { options: DecoderOptions; closed: boolean }[] = [];
  const decoders: DecoderFactory = {
    open(options) {
      const one = { options, closed: false };
      opened.push(one);
      return {
        write: () => options.onPcm(new Float32Array(9600).fill(0.25)),
        state: 'running',
        lastPcmAtMs: 0,
        droppedBytes: 0,
        async close() {
          one.closed = true;
        },
      };
    },
  };
  return { decoders, opened };
}

async function listening(type: string) {
  const { port, listeners } = await radio(type);
  const { decoders, opened } = puppets();
  const told = { links: [] as Link[], pcm: 0, bytes: 0, undecodable: [] as string[] };
  const ear = startMountEar({
    server: { host: '127.0.0.1', port, tls: false },
    mount: mount('/stream'),
    agent: LONDON,
    settings: { thresholdDbfs: -50, preset: 'music' },
    backoff: { firstMs: 10, maxMs: 20 },
    decoders,
    clock: systemClock,
    random: countingRandom(),
    handlers: {
      link: (link) => told.links.push(link),
      reading: () => {},
      pcm: () => {
        told.pcm += 1;
      },
      bytes: (count) => {
        told.bytes += count;
      },
      undecodable: (contentType) => told.undecodable.push(contentType),
    },
  });
  stops.push(() => ear.stop());
  return { ear, told, opened, listeners };
}

describe('an ear on a mount', () => {
  test('has a decoder of its own for each connection, and closes what is over', async () => {
    const { told, opened, listeners, ear } = await listening('audio/mpeg');
    await until(() => told.pcm > 2);
    expect(opened.map(({ closed }) => closed)).toEqual([false]);
    listeners[0]?.destroy();
    await until(() => opened.length === 2 && told.pcm > 6);
    expect(opened.map(({ closed }) => closed)).toEqual([true, false]);
    expect(told.links.filter(({ is }) => is === 'open')).toHaveLength(2);
    await ear.stop();
    expect(opened.map(({ closed }) => closed)).toEqual([true, true]);
    const { pcm } = told;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(told.pcm).toBe(pcm);
  });

  test('says what it cannot decode, and stays connected', async () => {
    const { told, opened } = await listening('audio/x-unheard-of');
    await until(() => told.bytes > 0);
    expect([told.undecodable, opened]).toEqual([['audio/x-unheard-of'], []]);
  });
});
