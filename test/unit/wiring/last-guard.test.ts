import { describe, expect, test } from 'vitest';
import type { Cluster, LeaseView } from '../../../src/cluster/index.ts';
import { reachesDns } from '../../../src/decide/failover/lease-rule.ts';
import { noFailoverMemory } from '../../../src/decide/failover/state.ts';
import {
  type ApplyOutcome,
  createDnsWriter,
  type DnsProvider,
  type DnsWriter,
  type EpochMark,
} from '../../../src/dns/index.ts';
import type { DnsRefusal } from '../../../src/dns/provider.ts';
import type { FailoverPolicy, FailoverRequest } from '../../../src/domain/failover.ts';
import type { ServerName } from '../../../src/domain/ids.ts';
import { createLogger } from '../../../src/platform/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { DUBLIN, FAILOVER_DEFAULTS, LONDON, STATION } from '../../../src/simulate/station.ts';
import { NameDesk } from '../../../src/wiring/name-desk.ts';
import type { WireObservation } from '../../../src/wiring/observation.ts';
import { ManualClock } from '../icecast/manual-clock.ts';
import { oneAddressEach } from './support.ts';

const NAME = 'stream.myfm.example';
const ADDRESSES = new Map<ServerName, readonly string[]>([
  [LONDON, ['203.0.113.10']],
  [DUBLIN, ['198.51.100.10']],
]);
const HOLD: FailoverRequest = { do: 'hold', author: 'ann', forMs: 600_000 };

/** A zone with one name, as a provider has it that can be cut off and can take its time. */
class Zone {
  isDown = false;
  /** While true, a write, or a read, is answered only when it is broken off. */
  isSlow = false;
  isReadSlow = false;
  mark: EpochMark = { epoch: 4, writer: 'witness' };
  address = '203.0.113.10';
  readonly written: string[] = [];
  readonly brokenOffAtMs: number[] = [];
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  readonly provider: DnsProvider = {
    name: 'command',
    fencing: 'atomic',
    read: async (signal) => {
      if (this.isReadSlow) return brokenOff(signal);
      if (this.isDown) return { ok: false, failure: { is: 'unreachable', text: 'gone' } };
      const records = [{ name: NAME, type: 'A' as const, addresses: [this.address], ttlSeconds: 30 }];
      return { ok: true, state: { records, mark: this.mark } };
    },
    write: async ({ records, mark }, signal) => {
      if (this.isSlow) {
        const refusal = await brokenOff(signal);
        this.brokenOffAtMs.push(this.#clock.nowMs());
        return refusal;
      }
      const [address = ''] = records.find(({ type }) => type === 'A')?.addresses ?? [];
      this.address = address;
      this.mark = mark;
      this.written.push(address);
      return { ok: true };
    },
    mayWrite: async () => null,
  };
}

function brokenOff(signal: AbortSignal): Promise<DnsRefusal> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () =>
      resolve({ ok: false, failure: { is: 'timeout', text: 'broken off' } }),
    );
  });
}

interface House {
  readonly mode?: FailoverPolicy['mode'];
  readonly writer?: DnsWriter;
}

/** The desk beside dublin, which hears both servers for as long as they are said to be fine. */
function house({ mode = 'alone', writer }: House = {}) {
  const clock = new ManualClock();
  const zone = new Zone(clock);
  const known: { lease: LeaseView; dead: Set<ServerName> } = {
    lease: { is: 'ours', epoch: 7, heldUntilMs: Number.POSITIVE_INFINITY },
    dead: new Set(),
  };
  const seen = () => ({
    is: known.dead.has(LONDON) ? ('ill' as const) : ('well' as const),
    verifiedAgoMs: null,
  });
  const cluster: Cluster<WireObservation> = {
    link: () => ({ is: 'connected', sinceMs: 0 }),
    publish: () => undefined,
    peers: () => [
      {
        from: 'witness',
        observation: {
          servers: { london: seen(), dublin: { is: 'well', verifiedAgoMs: 0 } },
          order: null,
          reachesDns: true,
        },
        seenAtMs: clock.nowMs(),
      },
    ],
    lease: () => known.lease,
    seek: () => undefined,
    yield: () => undefined,
    noteMark: () => undefined,
    close: () => Promise.resolve(),
  };
  const desk: NameDesk = new NameDesk({
    policy: { ...FAILOVER_DEFAULTS, self: 'dublin', mode },
    names: { names: [NAME], ttlSeconds: 30, addresses: ADDRESSES },
    proofs: oneAddressEach(ADDRESSES, clock),
    memory: noFailoverMemory,
    writer:
      writer ??
      createDnsWriter({
        provider: zone.provider,
        zone: 'myfm.example',
        authorities: [],
        clock,
        random: systemRandom,
      }),
    cluster: mode === 'cluster' ? cluster : null,
    clock,
    log: createLogger({ level: 'silent', agent: 'dublin' }),
    event: () => undefined,
    probe: (server, station) => {
      const probe = known.dead.has(server)
        ? ({ ok: false, stage: 'connect', detail: 'refused' } as const)
        : ({ ok: true } as const);
      queueMicrotask(() => {
        const atMs = clock.nowMs();
        desk.take({ kind: 'probe', atMs, beganAtMs: atMs, server, station, probe });
      });
    },
    endListeners: () => undefined,
  });
  const hear = (server: ServerName) => {
    const of = { atMs: clock.nowMs(), server, station: STATION };
    if (known.dead.has(server)) {
      desk.take({ kind: 'ear', ...of, ear: { is: 'disconnected', detail: 'ended' } });
      return;
    }
    desk.take({ kind: 'ear', ...of, ear: { is: 'hearing' } });
    desk.take({ kind: 'heard', ...of, block: { atMs: of.atMs, durationMs: 200, audibleMs: 200 } });
  };
  const pass = async (seconds: number, until: () => boolean = () => false) => {
    for (let turn = 0; turn < seconds * 5 && !until(); turn += 1) {
      clock.advance(200);
      for (const server of [LONDON, DUBLIN]) hear(server);
      for (let promise = 0; promise < 12; promise += 1) await Promise.resolve();
    }
  };
  /** Until the write that takes the name from london is ordered. */
  const untilOrdered = async () => {
    known.dead.add(LONDON);
    await pass(30, () => desk.state.publishing !== null);
    expect(desk.state.publishing?.server).toBe(DUBLIN);
  };
  const ask = (request: FailoverRequest) => {
    const atMs = clock.nowMs();
    return desk.take({ kind: 'operator', atMs, unixMs: atMs, request });
  };
  return { clock, zone, known, desk, pass, untilOrdered, ask };
}

describe('a write that is under way while the API is down', () => {
  test('is made as soon as the API is back', async () => {
    const { zone, pass, untilOrdered } = house();
    await pass(30);
    zone.isDown = true;
    await untilOrdered();
    await pass(2);
    zone.isDown = false;
    await pass(10);
    expect(zone.written).toEqual(['198.51.100.10']);
  });

  test.each<[string, FailoverRequest]>([
    ['held', HOLD],
    ['forced to another server', { ...HOLD, do: 'force', server: LONDON, override: true }],
  ])('is not made when the name was %s meanwhile', async (_, request) => {
    const { zone, desk, pass, untilOrdered, ask } = house();
    await pass(30);
    zone.isDown = true;
    await untilOrdered();
    await pass(2);
    ask(request);
    zone.isDown = false;
    await pass(30);
    expect(zone.written).toEqual([]);
    expect(desk.state.publishing).toBeNull();
  });

  test('is not made when all that failed was the way to the outside, which is back', async () => {
    const { zone, known, desk, pass, untilOrdered } = house();
    await pass(30);
    known.dead.add(LONDON);
    // Readings come every 5 s: none of them fails before the write is ordered.
    await pass(30, () => desk.state.sights.get(LONDON)?.health.is === 'doubt');
    zone.isDown = true;
    await untilOrdered();
    await pass(2);
    known.dead.delete(LONDON);
    zone.isDown = false;
    await pass(30);
    expect(zone.written).toEqual([]);
  });

  test('is not made when the server that is to be published died meanwhile', async () => {
    const { zone, known, pass, untilOrdered } = house();
    await pass(30);
    zone.isDown = true;
    await untilOrdered();
    known.dead.add(DUBLIN);
    await pass(8);
    zone.isDown = false;
    await pass(30);
    expect(zone.written).toEqual([]);
  });
});

describe('a write under a lease', () => {
  test('is made while the lease is ours', async () => {
    const { zone, pass, untilOrdered } = house({ mode: 'cluster' });
    await pass(30);
    await untilOrdered();
    await pass(5);
    expect(zone.written).toEqual(['198.51.100.10']);
    expect(zone.mark).toEqual({ epoch: 7, writer: 'dublin' });
  });

  test('is broken off when the lease ends, and not begun again', async () => {
    const { clock, zone, known, desk, pass, untilOrdered } = house({ mode: 'cluster' });
    await pass(30);
    zone.isSlow = true;
    const heldUntilMs = clock.nowMs() + 5_000;
    known.lease = { is: 'ours', epoch: 7, heldUntilMs };
    await untilOrdered();
    await pass(20);
    expect(zone.brokenOffAtMs).toEqual([heldUntilMs]);
    expect(desk.state.publishing).toBeNull();
    // Not the provider's failure, which would be a reason to let another agent try.
    expect(desk.state.writeFailed).toMatchObject({
      by: 'right',
      detail: 'the right to write ended while the write was under way',
    });
    expect(reachesDns(desk.state, clock.nowMs())).toBe(true);
    zone.isSlow = false;
    await pass(20);
    expect(zone.written).toEqual([]);
  });

  test('that was renewed meanwhile goes on, and what the provider leaves unanswered is told as its failure', async () => {
    const { clock, zone, known, desk, pass, untilOrdered } = house({ mode: 'cluster' });
    await pass(30);
    zone.isSlow = true;
    const lateAtMs = clock.nowMs() + 5_000;
    known.lease = { is: 'ours', epoch: 7, heldUntilMs: lateAtMs };
    await untilOrdered();
    known.lease = { is: 'ours', epoch: 7, heldUntilMs: Number.POSITIVE_INFINITY };
    await pass(10, () => desk.state.writeFailed !== null);
    expect(zone.brokenOffAtMs[0]).toBe(lateAtMs);
    expect(desk.state.writeFailed).toMatchObject({ by: 'provider' });
  });

  test('that ended while the provider could not be read is told as ended', async () => {
    const { clock, zone, known, desk, pass, untilOrdered } = house({ mode: 'cluster' });
    await pass(30);
    const heldUntilMs = clock.nowMs() + 5_000;
    known.lease = { is: 'ours', epoch: 7, heldUntilMs };
    zone.isReadSlow = true;
    await untilOrdered();
    await pass(5, () => desk.state.writeFailed !== null);
    expect(desk.state.writeFailed).toMatchObject({ by: 'right', detail: 'the right to write ended' });
  });

  test.each<[string, LeaseView]>([
    ['somebody else has', { is: 'theirs', holder: 'witness', epoch: 8, freeAtMs: 0 }],
    ['nobody knows of', { is: 'unknown' }],
    ['this agent lost and won again', { is: 'ours', epoch: 9, heldUntilMs: Number.POSITIVE_INFINITY }],
  ])('is not made under one that %s by then', async (_, lease) => {
    const { zone, known, desk, pass, untilOrdered } = house({ mode: 'cluster' });
    await pass(30);
    zone.isDown = true;
    await untilOrdered();
    known.lease = lease;
    zone.isDown = false;
    await pass(1.6);
    expect(zone.written).toEqual([]);
    expect(desk.state.writeFailed).toMatchObject({ by: 'right', detail: 'the right to write ended' });
  });

  test('is not made over what somebody wrote since the DNS was read, and the DNS is read again', async () => {
    const { zone, desk, pass, untilOrdered } = house({ mode: 'cluster' });
    await pass(30);
    zone.isDown = true;
    await untilOrdered();
    zone.mark = { epoch: 6, writer: 'london' };
    zone.address = '198.51.100.10';
    zone.isDown = false;
    await pass(2);
    expect(zone.written).toEqual([]);
    expect(desk.state.writeFailed).toMatchObject({ by: 'right', detail: 'london wrote epoch 6' });
    expect(desk.state.record).toMatchObject({ record: { is: 'server', server: DUBLIN }, epoch: 6 });
  });
});

describe('how a write ended', () => {
  const ended = async (outcome: ApplyOutcome) => {
    const zone = new Zone(new ManualClock());
    const writer: DnsWriter = {
      look: () => zone.provider.read(new AbortController().signal),
      apply: () => Promise.resolve(outcome),
      verify: () => Promise.resolve([]),
      stop: () => undefined,
    };
    const { known, desk, pass } = house({ writer });
    await pass(30);
    known.dead.add(LONDON);
    await pass(10, () => desk.state.writeFailed !== null);
    return desk.state;
  };

  test.each<[ApplyOutcome, string]>([
    [{ is: 'superseded' }, 'the write was superseded'],
    [{ is: 'stopped' }, 'the write was stopped'],
    [{ is: 'not-allowed' }, 'the right to write ended'],
    [{ is: 'broken-off' }, 'the right to write ended while the write was under way'],
  ])('a write that is %o was no fault of the provider', async (outcome, detail) => {
    expect((await ended(outcome)).writeFailed).toMatchObject({ by: 'right', detail });
  });

  test('what the provider refused is told with its words', async () => {
    const failure = { is: 'wrong-key', text: 'the key is wrong' } as const;
    const { writeFailed, alerts } = await ended({ is: 'failed', failure });
    expect(writeFailed).toMatchObject({ by: 'provider', detail: 'the key is wrong' });
    expect([...alerts.values()]).toContainEqual(expect.objectContaining({ code: 'dns-not-written' }));
  });
});
