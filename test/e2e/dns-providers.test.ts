import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bind, type PowerDns, startBind, startKnot, startPowerDns } from '../../src/demo/rig/index.ts';
import type { DnsProvider, DnsRead, ZoneState } from '../../src/dns/index.ts';
import { systemClock } from '../../src/platform/clock.ts';
import {
  DUBLIN,
  digAt,
  keyOf,
  LISTEN,
  LONDON,
  LONDON6,
  powerDnsAt,
  STREAM,
  soon,
  TSIG,
  updatesTo,
  wanted,
  writerFor,
  ZONE,
} from './dns-support.ts';

const API_KEY = 'an API key that only this test knows';
const MARK = `_sustain.${STREAM}`;

let powerDns: PowerDns;
let primary: Bind;
let secondary: Bind;
let knot: Bind;

beforeAll(async () => {
  powerDns = await startPowerDns({ host: '127.0.0.61', zone: ZONE, apiKey: API_KEY });
  const may = [STREAM, LISTEN, MARK];
  primary = await startBind({ zone: ZONE, tsigKey: TSIG, mayChange: may });
  secondary = await startBind({ zone: ZONE, tsigKey: TSIG, primary });
  knot = await startKnot({ host: '127.0.0.62', zone: ZONE, tsigKey: TSIG, mayChange: may });
});
afterAll(async () => {
  await Promise.all([powerDns?.stop(), primary?.stop(), secondary?.stop(), knot?.stop()]);
});

const never = (): AbortSignal => new AbortController().signal;
const within = (limitMs: number): AbortSignal => AbortSignal.timeout(limitMs);

function stateOf(read: DnsRead): ZoneState {
  if (!read.ok) throw new Error(`could not read: ${read.failure.text}`);
  return read.state;
}

describe.each([
  ['PowerDNS', () => ({ provider: powerDnsAt(powerDns), server: powerDns })],
  ['BIND', () => ({ provider: updatesTo(primary), server: primary })],
  ['Knot', () => ({ provider: updatesTo(knot), server: knot })],
] as const)('with %s', (_name, of) => {
  test('every name of the station moves, in both families, and dig shows it', async () => {
    const { provider, server } = of();
    const { writer, events } = writerFor(provider, [server.dnsAddress]);
    const first = await writer.apply(wanted(3, 'london', LONDON, '2001:DB8:0::10'), soon);
    expect(first).toMatchObject({ is: 'converged', writes: 1 });
    expect([STREAM, LISTEN].map((name) => digAt(server, name, 'A'))).toEqual([[LONDON], [LONDON]]);
    expect(digAt(server, LISTEN, 'AAAA')).toEqual([LONDON6]);
    expect(digAt(server, MARK, 'TXT')).toEqual(['"v=sustain1 epoch=3 writer=london"']);

    const again = await writer.apply(wanted(3, 'london', LONDON, LONDON6), soon);
    expect(again).toMatchObject({ is: 'converged', writes: 0 });

    const moved = await writer.apply(wanted(4, 'dublin', DUBLIN), soon);
    expect(moved).toMatchObject({ is: 'converged', writes: 1 });
    expect(digAt(server, STREAM, 'A')).toEqual([DUBLIN]);
    expect(digAt(server, STREAM, 'AAAA')).toEqual([]);
    expect(events.map(({ event }) => event)).toEqual([
      'dns-written',
      'dns-converged',
      'dns-converged',
      'dns-written',
      'dns-converged',
    ]);
  });

  test('a writer of an older epoch changes nothing, nor does another of the same epoch', async () => {
    const { provider, server } = of();
    const { writer } = writerFor(provider, [server.dnsAddress]);
    await writer.apply(wanted(7, 'dublin', DUBLIN), soon);
    expect(await writer.apply(wanted(6, 'london', LONDON), soon)).toEqual({
      is: 'fenced',
      standing: { epoch: 7, writer: 'dublin' },
    });
    expect(await writer.apply(wanted(7, 'london', LONDON), soon)).toMatchObject({ is: 'fenced' });
    expect(digAt(server, STREAM, 'A')).toEqual([DUBLIN]);
  });

  test('of two writers that read the same state, the later one is turned away', async () => {
    const { provider, server } = of();
    const expected = stateOf(await provider.read(never()));
    const ours = { ...wanted(20, 'london', LONDON), expected };
    const theirs = { ...wanted(21, 'dublin', DUBLIN), expected };
    expect(await provider.write(theirs, never())).toEqual({ ok: true });
    expect(await provider.write(ours, never())).toMatchObject({ ok: false, failure: { is: 'conflict' } });
    expect(digAt(server, STREAM, 'A')).toEqual([DUBLIN]);
  });

  test('whether our key may write is found out without writing', async () => {
    const { provider, server } = of();
    const shown = () =>
      [STREAM, LISTEN, MARK].flatMap((name) => ['A', 'AAAA', 'TXT'].map((type) => digAt(server, name, type)));
    const before = [stateOf(await provider.read(never())), shown()];
    expect(await provider.mayWrite(never())).toEqual({ ok: true });
    expect([stateOf(await provider.read(never())), shown()]).toEqual(before);
  });

  test('a server that hangs is waited for, and written to once it goes on', async () => {
    const { provider, server } = of();
    const { writer, events } = writerFor(provider, [server.dnsAddress]);
    server.pause();
    try {
      expect(await provider.read(within(300))).toMatchObject({ ok: false, failure: { is: 'timeout' } });
    } catch (thrown) {
      // The tests after this one are about other things.
      server.resume();
      throw thrown;
    }
    const applied = writer.apply(wanted(30, 'london', LONDON), { ...soon, deadlineMs: 15_000 });
    setTimeout(() => server.resume(), 500);
    expect(await applied).toMatchObject({ is: 'converged' });
    expect(events.filter(({ event }) => event === 'dns-written')).toHaveLength(1);
  });
});

describe('a provider that says no', () => {
  const refusalOf = async (provider: DnsProvider) => {
    const expected = stateOf(await updatesTo(primary).read(never()));
    const written = await provider.write({ ...wanted(90, 'london', LONDON), expected }, never());
    return written.ok ? null : written.failure;
  };

  test('PowerDNS does not know the key', async () => {
    const read = await powerDnsAt(powerDns, 'not the key').read(never());
    expect(read).toMatchObject({ ok: false, failure: { is: 'wrong-key' } });
    expect(JSON.stringify(read)).not.toContain('not the key');
    const may = await powerDnsAt(powerDns, 'not the key').mayWrite(never());
    expect(may).toMatchObject({ ok: false, failure: { is: 'wrong-key' } });
  });

  test('PowerDNS does not know the zone', async () => {
    const read = await powerDnsAt(powerDns, API_KEY, 'other.example').read(never());
    expect(read).toMatchObject({ ok: false, failure: { is: 'not-found' } });
  });

  test('BIND finds the secret wrong', async () => {
    const failure = await refusalOf(updatesTo(primary, { secret: Buffer.from('x').toString('base64') }));
    expect(failure).toMatchObject({ is: 'wrong-key', text: expect.stringContaining('BADSIG') });
  });

  test('BIND does not know the name of the key', async () => {
    const failure = await refusalOf(updatesTo(primary, { name: 'stranger' }));
    expect(failure).toMatchObject({ is: 'wrong-key', text: expect.stringContaining('BADKEY') });
  });

  test('BIND finds our clock wrong', async () => {
    const clock = { ...systemClock, wallTime: () => new Date(Date.now() - 3_600_000) };
    const failure = await refusalOf(updatesTo(primary, { clock }));
    expect(failure).toMatchObject({ is: 'wrong-key', text: expect.stringContaining('NTP') });
  });

  test('Knot lets the key change no other name, and has no other zone', async () => {
    const names = await updatesTo(knot, { names: [STREAM, `mail.${ZONE}`] }).mayWrite(never());
    expect(names).toMatchObject({
      ok: false,
      failure: { text: expect.stringContaining('its acl keeps the key') },
    });
    const zone = await updatesTo(knot, { zone: 'other.example' }).mayWrite(never());
    expect(zone).toMatchObject({ ok: false, failure: { text: expect.stringContaining('check dns.zone') } });
  });

  test('BIND lets the key change no other name', async () => {
    const read = stateOf(await updatesTo(primary).read(never()));
    const other = { ...wanted(90, 'london', LONDON), expected: read };
    const records = [{ name: `mail.${ZONE}`, type: 'A' as const, addresses: [LONDON], ttlSeconds: 30 }];
    const written = await updatesTo(primary).write({ ...other, records }, never());
    expect(written).toMatchObject({ ok: false, failure: { is: 'refused' } });
    expect(stateOf(await updatesTo(primary).read(never()))).toEqual(read);
    const may = await updatesTo(primary, { names: [STREAM, `mail.${ZONE}`] }).mayWrite(never());
    expect(may).toMatchObject({ ok: false, failure: { is: 'refused' } });
  });
});

describe('an authority that lags', () => {
  test('is told as half-applied, and converges when zone transfers work again', async () => {
    // The primary tells nobody of changes, so that the secondary is behind until it is started anew.
    const provider = updatesTo(primary);
    const { writer, events } = writerFor(provider, [primary.dnsAddress, secondary.dnsAddress]);
    const standing = stateOf(await provider.read(never())).mark?.epoch ?? 0;
    const target = wanted(standing + 1, 'dublin', LONDON, LONDON6);
    const outcome = await writer.apply(target, { ...soon, deadlineMs: 4_000 });
    expect(outcome).toMatchObject({
      is: 'half-applied',
      authorities: [{ is: 'converged' }, { is: 'stale', reason: 'old-addresses' }],
    });
    secondary.pause();
    const views = await writer.verify(target, 3_000);
    expect(views.map(({ is }) => is)).toEqual(['converged', 'unreachable']);
    secondary.resume();
    await secondary.stop();
    secondary = await startBind({ zone: ZONE, tsigKey: TSIG, primary, port: secondary.dnsAddress.port });
    expect(await writer.apply(target, soon)).toMatchObject({ is: 'converged', writes: 0 });
    const told = events.filter(({ event }) => event === 'dns-half-applied');
    expect(told.length).toBeGreaterThan(0);
    expect(JSON.stringify(events)).not.toContain(keyOf(TSIG.secret).reveal());
  });
});
