import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startServing } from '../../../fixtures/servers/misbehaving-server.ts';
import { noMemory } from '../../../src/decide/state.ts';
import { mount } from '../../../src/domain/ids.ts';
import { createLogger } from '../../../src/platform/logger.ts';
import { FAILOVER_DEFAULTS, LONDON, policyFor, STATION } from '../../../src/simulate/station.ts';
import { Station } from '../../../src/station.ts';
import { startFailover } from '../../../src/wiring/failover.ts';
import { badDecoders } from '../audio/decoders.ts';
import { eventually, pause } from '../icecast/eventually.ts';
import { ManualClock } from '../icecast/manual-clock.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sustain-probes-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** London's agent in guard mode, whose chance always falls on `chance`, and who comes to the server's two addresses. */
async function started(chance: number) {
  const clock = new ManualClock();
  const serve = { serve: () => undefined };
  const [first, second] = [await startServing(serve), await startServing(serve)];
  const failover = await startFailover({
    policy: { ...FAILOVER_DEFAULTS, servers: [LONDON] },
    names: { names: ['stream.myfm.example'], ttlSeconds: 30, addresses: new Map([[LONDON, ['v4', 'v6']]]) },
    servers: [{ name: LONDON, public: first.address, others: new Map([['v6', second.address]]), link: null }],
    stations: [
      {
        name: STATION,
        station: new Station(policyFor(LONDON), noMemory, 0, { event: () => {}, command: () => {} }),
        mounts: [mount('/primary')],
        metersOf: () => null,
      },
    ],
    writer: {
      look: () => new Promise(() => undefined),
      apply: () => Promise.resolve({ is: 'stopped' }),
      verify: () => Promise.resolve([]),
      stop: () => undefined,
    },
    cluster: null,
    decoders: badDecoders(clock, 'forever'),
    probeWithinMs: 2_000,
    stateDirectory: directory,
    clock,
    random: { next: () => chance, token: () => 'ab' },
    log: createLogger({ level: 'silent', agent: 'london' }),
  });
  return {
    clock,
    arrived: () => [first.requests.length, second.requests.length],
    async stop() {
      const ended = failover.stop();
      clock.advance(10_000);
      await Promise.all([ended, first.stop(), second.stop()]);
    },
  };
}

/** A tick is 200 ms, and the fast interval 1 s, of which a fifth is left to chance. */
describe('the tries of a server', () => {
  test('come at both of its addresses, put off by chance so that the agents are not all there at once', async () => {
    const { clock, arrived, stop } = await started(0.5);
    clock.advance(200);
    clock.advance(99);
    await pause(100);
    expect(arrived()).toEqual([0, 0]);
    clock.advance(1);
    await eventually('a try at each address', () => arrived().join() === '1,1');
    await stop();
  });

  test('come at once where chance has it so', async () => {
    const { clock, arrived, stop } = await started(0);
    clock.advance(200);
    clock.advance(1);
    await eventually('a try at each address', () => arrived().join() === '1,1');
    await stop();
  });
});
