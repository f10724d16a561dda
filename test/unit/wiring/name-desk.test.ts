import { describe, expect, test } from 'vitest';
import type { Cluster, PeerObservation } from '../../../src/cluster/index.ts';
import { noFailoverMemory } from '../../../src/decide/failover/state.ts';
import type {
  ApplyOptions,
  AuthorityView,
  DnsRead,
  DnsWriter,
  WantedRecords,
} from '../../../src/dns/index.ts';
import { createLogger } from '../../../src/platform/logger.ts';
import { FAILOVER_DEFAULTS, LONDON, STATION } from '../../../src/simulate/station.ts';
import { AddressProofs } from '../../../src/wiring/address-proofs.ts';
import { NameDesk } from '../../../src/wiring/name-desk.ts';
import type { WireObservation } from '../../../src/wiring/observation.ts';
import { ManualClock } from '../icecast/manual-clock.ts';
import { oneAddressEach } from './support.ts';

const NAME = 'stream.myfm.example';
const AT_LONDON: DnsRead = {
  ok: true,
  state: {
    records: [{ name: NAME, type: 'A', addresses: ['203.0.113.10'], ttlSeconds: 30 }],
    mark: { epoch: 4, writer: 'dublin' },
  },
};
const UNREACHED: DnsRead = { ok: false, failure: { is: 'unreachable', text: 'nothing listens there' } };

const LONDON6 = '2001:db8::10';

/** A desk that finds no address in the DNS yet, and hears london all the time; its second address as is set. */
function firstWrite(isHeardAt6: boolean) {
  const clock = new ManualClock();
  const published = new Map([[LONDON, ['203.0.113.10', LONDON6]]]);
  const written: { wanted: WantedRecords; options: ApplyOptions }[] = [];
  const world = { isHeardAt6 };
  const desk = new NameDesk({
    policy: { ...FAILOVER_DEFAULTS, self: LONDON, servers: [LONDON] },
    names: { names: [NAME], ttlSeconds: 30, addresses: published },
    proofs: new AddressProofs({
      clock,
      published,
      others: new Map([[LONDON, new Map([[LONDON6, { host: LONDON6, port: 8000, tls: false }]])]]),
      provenForMs: FAILOVER_DEFAULTS.verifiedWithinMs,
      isHeardAt: () => Promise.resolve(world.isHeardAt6),
    }),
    memory: noFailoverMemory,
    writer: {
      look: () => Promise.resolve({ ok: true, state: { records: [], mark: null } }),
      apply(wanted, options) {
        written.push({ wanted, options });
        return new Promise(() => undefined);
      },
      verify: () => Promise.resolve([]),
      stop: () => undefined,
    },
    cluster: null,
    clock,
    log: createLogger({ level: 'silent', agent: 'london' }),
    event: () => undefined,
    probe: () => undefined,
    endListeners: () => undefined,
  });
  const of = { server: LONDON, station: STATION };
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000);
      const atMs = clock.nowMs();
      desk.take({ kind: 'ear', atMs, ...of, ear: { is: 'hearing' } });
      desk.take({ kind: 'heard', atMs, ...of, block: { atMs, durationMs: 1_000, audibleMs: 1_000 } });
      desk.take({ kind: 'probe', atMs, beganAtMs: atMs, ...of, probe: { ok: true } });
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    }
  };
  return { clock, written, world, pass };
}

describe('a name with two addresses to answer with', () => {
  const addressesOf = (written: readonly { wanted: WantedRecords }[]) =>
    written.map(({ wanted }) => wanted.records.map(({ type, addresses }) => [type, addresses]));

  test('gets both when both are heard, and neither any more when the second falls silent while the provider hangs', async () => {
    const { clock, written, world, pass } = firstWrite(true);
    await pass(4);
    expect(addressesOf(written)).toEqual([
      [
        ['A', ['203.0.113.10']],
        ['AAAA', [LONDON6]],
      ],
    ]);
    await pass(2);
    expect(written[0]?.options.writeUntilMs()).toBeGreaterThan(clock.nowMs());
    world.isHeardAt6 = false;
    await pass(2);
    expect(written[0]?.options.writeUntilMs()).toBeLessThan(clock.nowMs());
  });

  test('gets only the one that is heard', async () => {
    const { clock, written, pass } = firstWrite(false);
    await pass(6);
    expect(addressesOf(written)).toEqual([
      [
        ['A', ['203.0.113.10']],
        ['AAAA', []],
      ],
    ]);
    expect(written[0]?.options.writeUntilMs()).toBeGreaterThan(clock.nowMs());
  });
});

/** A desk beside `self`, in a cluster whose other agents are given, and whether it seeks the lease. */
function deskOf(self: string, read: DnsRead, peers: readonly { reachesDns: boolean; from: string }[]) {
  const clock = new ManualClock();
  const known: {
    read: DnsRead;
    isSought: boolean;
    silentSinceMs: number | null;
    authorities: readonly AuthorityView[];
  } = { read, isSought: false, silentSinceMs: null, authorities: [] };
  const cluster: Cluster<WireObservation> = {
    link: () => ({ is: 'connected', sinceMs: 0 }),
    publish: () => undefined,
    peers: () =>
      peers.map(
        ({ from, reachesDns }): PeerObservation<WireObservation> => ({
          from,
          observation: { servers: {}, order: null, reachesDns },
          seenAtMs: known.silentSinceMs ?? clock.nowMs(),
        }),
      ),
    lease: () => ({ is: 'free', lastEpoch: 4 }),
    seek: () => {
      known.isSought = true;
    },
    yield: () => {
      known.isSought = false;
    },
    noteMark: () => undefined,
    close: () => Promise.resolve(),
  };
  const writer: DnsWriter = {
    look: () => Promise.resolve(known.read),
    apply: () => Promise.resolve({ is: 'stopped' }),
    verify: () => Promise.resolve(known.authorities),
    stop: () => undefined,
  };
  const published = new Map([[LONDON, ['203.0.113.10']]]);
  const desk = new NameDesk({
    policy: { ...FAILOVER_DEFAULTS, self, mode: 'cluster' },
    names: { names: [NAME], ttlSeconds: 30, addresses: published },
    proofs: oneAddressEach(published, clock),
    memory: noFailoverMemory,
    writer,
    cluster,
    clock,
    log: createLogger({ level: 'silent', agent: self }),
    event: () => undefined,
    probe: () => undefined,
    endListeners: () => undefined,
  });
  /** Readings of the DNS come back between the seconds. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000);
      await Promise.resolve();
      await Promise.resolve();
    }
  };
  return { desk, known, clock, pass };
}

describe('the lease is sought', () => {
  test('by an agent that reaches the DNS', async () => {
    const { known, pass } = deskOf('dublin', AT_LONDON, []);
    await pass(2);
    expect(known.isSought).toBe(true);
  });

  test('by none that does not, as it would only keep the others from it', async () => {
    const { known, pass } = deskOf('dublin', UNREACHED, []);
    await pass(3);
    expect(known.isSought).toBe(false);
    known.read = AT_LONDON;
    await pass(10);
    expect(known.isSought).toBe(true);
    known.read = UNREACHED;
    await pass(20);
    expect(known.isSought).toBe(false);
  });

  test('not beside the server that the name points to, which it would go down with, while another can write', async () => {
    const { known, clock, pass } = deskOf('london', AT_LONDON, [{ from: 'dublin', reachesDns: true }]);
    await pass(3);
    expect(known.isSought).toBe(false);
    known.silentSinceMs = clock.nowMs();
    await pass(10);
    expect(known.isSought).toBe(true);
  });

  test('beside it all the same when nobody else reaches the DNS', async () => {
    const { known, pass } = deskOf('london', AT_LONDON, [{ from: 'dublin', reachesDns: false }]);
    await pass(3);
    expect(known.isSought).toBe(true);
  });
});

describe('authorities are held against the DNS though nothing was written', () => {
  const lagging: AuthorityView = {
    is: 'stale',
    authority: 'ns2',
    serial: 3,
    reason: 'old-addresses',
    text: 'ns2 still has other addresses',
  };

  test('one that is behind is told, until it is not', async () => {
    const { desk, known, pass } = deskOf('dublin', AT_LONDON, []);
    await pass(50);
    known.authorities = [lagging];
    await pass(40);
    expect(desk.state.alerts.get('dns-not-everywhere dns')?.detail).toContain(
      'ns2 still has other addresses',
    );
    known.authorities = [];
    await pass(6);
    expect(desk.state.alerts.has('dns-not-everywhere dns')).toBe(false);
  });

  test('one that was restarted just then is not', async () => {
    const { desk, known, pass } = deskOf('dublin', AT_LONDON, []);
    known.authorities = [lagging];
    await pass(67);
    known.authorities = [];
    await pass(60);
    expect(desk.state.behind).toBeNull();
  });
});
