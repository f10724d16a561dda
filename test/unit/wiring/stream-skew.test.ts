import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import type { DecoderFactory } from '../../../src/audio/decoder.ts';
import { mount } from '../../../src/domain/ids.ts';
import { startStreamSkew } from '../../../src/wiring/stream-skew.ts';
import { DUBLIN, LONDON, policyWith } from '../decide/builders.ts';
import { ManualClock } from '../icecast/manual-clock.ts';
import { countingRandom } from '../listen/support.ts';
import { keptLog } from './support.ts';

const noDecoders: DecoderFactory = {
  open() {
    throw new Error('nothing is heard, so nothing is decoded');
  },
};

/** A port on which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('streams that could not be compared, however often, are compared again within a minute', async () => {
  const address = { host: '127.0.0.1', port: await deadPort(), tls: false };
  const clock = new ManualClock();
  const skew = startStreamSkew({
    policy: policyWith({ mode: 'relay' }),
    mount: mount('/stream'),
    servers: [LONDON, DUBLIN].map((server) => ({ server, address })),
    decoders: noDecoders,
    clock,
    random: countingRandom(),
    log: keptLog().log,
    isPlaying: () => true,
  });
  const madeAtMs = new Set<number>();
  for (let passedMs = 0; passedMs < 300_000; passedMs += 500) {
    clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
    for (const { agoMs } of skew.views) madeAtMs.add(clock.nowMs() - agoMs);
  }
  skew.stop();
  const times = [...madeAtMs];
  const gaps = times.slice(1).map((atMs, at) => atMs - (times[at] ?? 0));
  expect(times.length).toBeGreaterThanOrEqual(5);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(60_000);
});
