import { expect, it } from 'vitest';
import { mount } from '../../../src/domain/ids.ts';
import type { AdminClient } from '../../../src/icecast/admin-client.ts';
import { endListeners } from '../../../src/icecast/end-listeners.ts';
import type { Clock } from '../../../src/platform/clock.ts';
import { manualClock } from '../platform/clocks.ts';

/** A server with so many people on one mount, where each call takes a while. */
function serverWith(people: number, clock: Clock, callMs: number) {
  const endedAtMs: number[] = [];
  const client: Pick<AdminClient, 'listClients' | 'killClient'> = {
    listClients: () =>
      Promise.resolve({
        ok: true,
        value: Array.from({ length: people }, (_, id) => ({
          id: String(id),
          userAgent: 'a player',
          connectedSeconds: 60,
        })),
      }),
    async killClient() {
      if (callMs > 0) await new Promise<void>((resolve) => clock.after(callMs, resolve));
      endedAtMs.push(clock.nowMs());
      return { ok: true, value: { accepted: true, sentence: '' } };
    },
  };
  return { client: client as AdminClient, endedAtMs };
}

it.each([
  { lateMs: 0, callMs: 0 },
  { lateMs: 20, callMs: 0 },
  { lateMs: 20, callMs: 3 },
])(
  'listeners are hung up on 50 a second, though waits are $lateMs ms late and calls take $callMs ms',
  async (how) => {
    const clock = manualClock();
    const late: Clock = { ...clock, after: (delayMs, run) => clock.after(delayMs + how.lateMs, run) };
    const { client, endedAtMs } = serverWith(2_000, clock, how.callMs);
    const stop = new AbortController();
    const done = endListeners({
      clock: late,
      client,
      mounts: [mount('/stream')],
      perSecond: 50,
      signal: stop.signal,
    });
    const pass = async () => {
      clock.advance(1);
      for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
    };
    for (let ms = 0; ms < 10_000; ms += 1) await pass();
    expect(endedAtMs.length).toBeGreaterThan(480);
    expect(endedAtMs.length).toBeLessThanOrEqual(502);
    stop.abort();
    for (let ms = 0; ms < 10; ms += 1) await pass();
    await done;
  },
);
