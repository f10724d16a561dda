import { type Bind, type DnsServer, dig, type PowerDns } from '../../src/demo/rig/index.ts';
import {
  type AddressRecord,
  type Authority,
  createDnsWriter,
  createProvider,
  type DnsEvent,
  type DnsProvider,
  type DnsWriter,
  type WantedRecords,
} from '../../src/dns/index.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { systemRandom } from '../../src/platform/random.ts';

export const ZONE = 'myfm.example';
export const STREAM = 'stream.myfm.example';
export const LISTEN = 'listen.myfm.example';
export const TSIG = {
  name: 'sustain',
  secret: Buffer.from('a key that only this test knows!').toString('base64'),
};

export const LONDON = '203.0.113.10';
export const LONDON6 = '2001:db8::10';
export const DUBLIN = '198.51.100.10';

export const keyOf = (text: string) => ({ reveal: () => text });

export function powerDnsAt(server: PowerDns, apiKey = server.apiKey, zone = ZONE): DnsProvider {
  const settings = { url: server.url, apiKey: keyOf(apiKey), zone, names: [STREAM, LISTEN] };
  return createProvider({ provider: 'powerdns', ...settings }, systemClock);
}

export function updatesTo(
  server: Pick<Bind, 'dnsAddress'>,
  key: {
    name?: string;
    secret?: string;
    clock?: typeof systemClock;
    zone?: string;
    names?: string[];
  } = {},
): DnsProvider {
  const { name = TSIG.name, secret = TSIG.secret, clock = systemClock, zone = ZONE } = key;
  const { names = [STREAM, LISTEN] } = key;
  return createProvider(
    {
      provider: 'rfc2136',
      server: server.dnsAddress,
      zone,
      names,
      keyName: name,
      keyAlgorithm: 'hmac-sha256',
      keySecret: keyOf(secret),
    },
    clock,
  );
}

export function writerFor(
  provider: DnsProvider,
  authorities: readonly Authority[],
): { writer: DnsWriter; events: DnsEvent[] } {
  const events: DnsEvent[] = [];
  const writer = createDnsWriter({
    provider,
    zone: ZONE,
    authorities,
    clock: systemClock,
    random: systemRandom,
    onEvent: (event) => events.push(event),
  });
  return { writer, events };
}

/** Both names lead to one server: with IPv4, and IPv6 where it has that. */
export function wanted(epoch: number, writer: string, v4: string, v6: string | null = null): WantedRecords {
  const records = [STREAM, LISTEN].flatMap((name): AddressRecord[] => [
    { name, type: 'A', addresses: [v4], ttlSeconds: 30 },
    { name, type: 'AAAA', addresses: v6 === null ? [] : [v6], ttlSeconds: 30 },
  ]);
  return { records, mark: { epoch, writer } };
}

export const soon = { deadlineMs: 30_000, writeUntilMs: () => Number.POSITIVE_INFINITY };

export function digAt(server: DnsServer, name: string, type: string): readonly string[] {
  return dig(server.dnsAddress.host, server.dnsAddress.port, name, type);
}
