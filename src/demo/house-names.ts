import { randomBytes } from 'node:crypto';
import { type DnsServer, startBind, startPowerDns } from './rig/index.ts';

export const DNS_NAME = 'stream.myfm.example';
const DNS_ZONE = 'myfm.example';
export const DNS_TTL_MS = 5_000;
const TSIG_NAME = 'sustain';

/** A real name server, and what an agent is told of it. */
export interface HouseDns {
  readonly server: DnsServer;
  readonly secret: string;
  /** The `dns` section; the path is where the key stands. */
  section(keyPath: string): string;
}

const SETTINGS = { ttl: '5s', restore: '10s', prefer: '[london, dublin]' };

/** `host`: of PowerDNS; BIND can be on one only. `settings`: keys of the `dns` section that are to be otherwise, as they stand in YAML. */
export async function startHouseDns(
  kind: 'powerdns' | 'bind',
  settings: Readonly<Record<string, string>> = {},
  host = '127.0.0.31',
): Promise<HouseDns> {
  const secret = randomBytes(24).toString('base64');
  const section = (server: DnsServer, keys: Readonly<Record<string, string>>) => {
    const authorities = `["${server.dnsAddress.host}:${server.dnsAddress.port}"]`;
    const all = { zone: DNS_ZONE, record: DNS_NAME, authorities, ...SETTINGS, ...keys, ...settings };
    return `{ ${Object.entries(all)
      .map(([key, value]) => `${key}: ${value}`)
      .join(', ')} }`;
  };
  if (kind === 'powerdns') {
    const server = await startPowerDns({ host, zone: DNS_ZONE, apiKey: secret });
    const url = `"${server.url}"`;
    return {
      server,
      secret,
      section: (apiKeyFile) => section(server, { provider: kind, url, apiKeyFile }),
    };
  }
  const server = await startBind({ zone: DNS_ZONE, tsigKey: { name: TSIG_NAME, secret } });
  const at = `"${server.dnsAddress.host}:${server.dnsAddress.port}"`;
  return {
    server,
    secret,
    section: (keyFile) => section(server, { provider: 'rfc2136', server: at, keyName: TSIG_NAME, keyFile }),
  };
}
