import { describe, expect, test } from 'vitest';
import type { DnsProvider, DnsRead } from '../../../src/dns/index.ts';
import { createDnsWriter } from '../../../src/dns/index.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { ManualClock } from '../icecast/manual-clock.ts';

const STANDING: DnsRead = { ok: true, state: { records: [], mark: null } };

/** A writer whose provider asks once to be left alone for so long, and counts who comes. */
function writerAsked(retryAfterMs: number | null) {
  const clock = new ManualClock();
  const calls: string[] = [];
  let isAsking = true;
  const limited = { ok: false, failure: { is: 'rate-limited', text: 'slow down', retryAfterMs } } as const;
  const said = <Answer>(call: string, answer: Answer) => {
    calls.push(call);
    if (!isAsking) return Promise.resolve(answer);
    isAsking = false;
    return Promise.resolve(limited);
  };
  const provider: DnsProvider = {
    name: 'cloudflare',
    fencing: 'atomic',
    read: () => said('read', STANDING),
    write: () => said('write', { ok: true }),
    mayWrite: () => Promise.resolve(null),
  };
  const writer = createDnsWriter({
    provider,
    zone: 'myfm.example',
    authorities: [],
    clock,
    random: systemRandom,
  });
  return { clock, calls, writer };
}

describe('a provider that asks to be left alone for two minutes', () => {
  test('is not called again before they are over, by any look', async () => {
    const { clock, calls, writer } = writerAsked(120_000);
    expect(await writer.look(4_000)).toMatchObject({ failure: { is: 'rate-limited', text: 'slow down' } });
    clock.advance(119_000);
    expect(await writer.look(4_000)).toMatchObject({
      failure: { is: 'rate-limited', text: 'cloudflare asked to be left alone for 1 s more' },
    });
    expect(calls).toEqual(['read']);
    clock.advance(1_000);
    expect(await writer.look(4_000)).toEqual(STANDING);
    expect(calls).toEqual(['read', 'read']);
  });

  test('nor by a write that comes after the one which it refused', async () => {
    const { clock, calls, writer } = writerAsked(120_000);
    const options = { deadlineMs: 10_000, writeUntilMs: () => Number.POSITIVE_INFINITY };
    for (let tries = 0; tries < 3; tries += 1) {
      const applied = writer.apply({ records: [], mark: { epoch: 1, writer: 'dublin' } }, options);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      clock.advance(10_000);
      expect(await applied).toMatchObject({ is: 'failed', failure: { is: 'rate-limited' } });
    }
    expect(calls).toEqual(['read']);
  });

  test('is not left alone for ever, whatever it asks', async () => {
    const { clock, calls, writer } = writerAsked(86_400_000);
    await writer.look(4_000);
    clock.advance(3_600_000);
    expect(await writer.look(4_000)).toEqual(STANDING);
    expect(calls).toHaveLength(2);
  });

  test('may be called at once where it did not say for how long', async () => {
    const { calls, writer } = writerAsked(null);
    await writer.look(4_000);
    expect(await writer.look(4_000)).toEqual(STANDING);
    expect(calls).toHaveLength(2);
  });
});
