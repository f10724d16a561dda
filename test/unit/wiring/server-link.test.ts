import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { Secret } from '../../../src/config/index.ts';
import type { ServerLook } from '../../../src/domain/icecast.ts';
import { mount } from '../../../src/domain/ids.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { startServerLink } from '../../../src/wiring/server-link.ts';
import { DUBLIN, LONDON } from '../decide/builders.ts';

let server: Server | null = null;
afterEach(() => server?.close());

/** An Icecast without mounts, as far away as this. */
async function farServer(answerAfterMs: number): Promise<number> {
  const far = createServer((_request, response) => {
    setTimeout(() => response.end('<?xml version="1.0"?><icestats></icestats>'), answerAfterMs);
  });
  server = far;
  await new Promise<void>((resolve) => {
    far.listen(0, '127.0.0.1', () => resolve());
  });
  const address = far.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** How it is looked at for five seconds. */
async function lookAt(port: number): Promise<{ areOk: boolean; longestGapMs: number; count: number }> {
  const looks: ServerLook[] = [];
  const link = startServerLink({
    name: DUBLIN,
    self: LONDON,
    address: { host: '127.0.0.1', port, tls: false },
    admin: { user: 'admin', password: new Secret('hackme', 'the test') },
    mounts: [mount('/primary')],
    onAir: () => new Map(),
    clock: systemClock,
    random: systemRandom,
    marks: () => [],
    seen: (look) => looks.push(look),
  });
  await new Promise((resolve) => setTimeout(resolve, 5000));
  link.stop();
  const gapsMs = looks.slice(1).map((look, index) => look.atMs - (looks[index]?.startedAtMs ?? 0));
  return {
    areOk: looks.every((look) => look.ok),
    longestGapMs: Math.max(...gapsMs),
    count: looks.length,
  };
}

test('a server far away is looked at often enough for its legs to stay known', async () => {
  const port = await farServer(300);
  const rounds: Awaited<ReturnType<typeof lookAt>>[] = [];
  // Nothing is claimed of a leg without news for three seconds.
  const areEnough = ({ areOk, longestGapMs, count }: (typeof rounds)[number]) =>
    areOk && longestGapMs < 3000 && count >= 3;
  // A machine that stands still can only make it worse.
  while (!rounds.some(areEnough) && rounds.length < 3) rounds.push(await lookAt(port));
  expect(rounds.some(areEnough), JSON.stringify(rounds)).toBe(true);
});
