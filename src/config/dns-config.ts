import { type ServerName, serverName } from '../domain/ids.ts';
import type { HostAndPort } from './schema/leaves.ts';
import type { ParsedConfig } from './schema/schema.ts';
import type { Secret, SecretRef } from './secret.ts';

/** The name of the station and who answers for it. */
export interface DnsConfig {
  readonly provider: DnsProviderConfig;
  readonly zone: string;
  /** The one that carries the epoch's mark first. */
  readonly names: readonly string[];
  readonly ttlSeconds: number;
  /** In order of preference. */
  readonly prefer: readonly ServerName[];
  readonly restoreMs: number;
  readonly health: {
    readonly intervalMs: number;
    readonly fastIntervalMs: number;
    readonly fall: number;
    readonly rise: number;
  };
  /** Null: those who stay on a sick server are never ended. */
  readonly endListenersAfterMs: number | null;
  readonly authorities: readonly HostAndPort[];
}

type TsigAlgorithm = 'hmac-sha256' | 'hmac-sha384' | 'hmac-sha512';

/** What each provider needs; `url` is null where its own is meant. */
export type DnsProviderConfig =
  | { readonly provider: 'powerdns'; readonly url: string; readonly apiKey: Secret }
  | {
      readonly provider: 'rfc2136';
      readonly server: HostAndPort;
      readonly keyName: string;
      readonly keyAlgorithm: TsigAlgorithm;
      readonly key: Secret;
    }
  | {
      readonly provider: 'cloudflare';
      readonly url: string | null;
      readonly apiKey: Secret;
      readonly zoneId: string | null;
    }
  | {
      readonly provider: 'route53';
      readonly url: string | null;
      readonly zoneId: string;
      /** Null: as AWS's own library finds them. */
      readonly credentials: { readonly accessKeyId: string; readonly secretKey: Secret } | null;
    }
  | { readonly provider: 'command'; readonly command: readonly string[]; readonly key: Secret | null };

export interface ClusterConfig {
  readonly urls: readonly string[];
  readonly login:
    | { readonly by: 'nothing' }
    | { readonly by: 'token'; readonly token: Secret }
    | { readonly by: 'password'; readonly user: string; readonly password: Secret };
  readonly leaseMs: number;
}

type Reveal = (ref: SecretRef) => Secret;

/** The checks before have seen to it that what the provider needs is there. */
export function dnsOf(parsed: ParsedConfig, secret: Reveal): DnsConfig | null {
  const { dns, servers } = parsed;
  if (dns === undefined) return null;
  const { zone, record, otherRecords, ttl, prefer, restore, health, endListenersAfter, authorities } = dns;
  const endMs = endListenersAfter ?? ttl;
  return {
    provider: providerOf(dns, secret),
    zone,
    names: [record, ...otherRecords],
    ttlSeconds: Math.round(ttl / 1000),
    prefer: (prefer.length === 0 ? Object.keys(servers) : prefer).map(serverName),
    restoreMs: restore,
    health,
    endListenersAfterMs: Number.isFinite(endMs) ? endMs : null,
    authorities,
  };
}

function providerOf(dns: NonNullable<ParsedConfig['dns']>, secret: Reveal): DnsProviderConfig {
  const { provider, url = null, zoneId = null } = dns;
  switch (provider) {
    case 'powerdns':
      return { provider, url: needed(url), apiKey: secret(needed(dns.apiKey)) };
    case 'rfc2136': {
      const { server, keyName, keyAlgorithm, key } = dns;
      return {
        provider,
        server: needed(server),
        keyName: needed(keyName),
        keyAlgorithm,
        key: secret(needed(key)),
      };
    }
    case 'cloudflare':
      return { provider, url, zoneId, apiKey: secret(needed(dns.apiKey)) };
    case 'route53': {
      const { accessKeyId, secretKey } = dns;
      const hasKey = accessKeyId !== undefined && secretKey !== null;
      const credentials = hasKey ? { accessKeyId, secretKey: secret(secretKey) } : null;
      return { provider, url, zoneId: needed(zoneId), credentials };
    }
    case 'command':
      return { provider, command: needed(dns.command), key: dns.key && secret(dns.key) };
  }
}

function needed<Value>(value: Value | null | undefined): Value {
  if (value === null || value === undefined)
    throw new Error('dns lacks a key that its provider needs, although the config was found to be in order');
  return value;
}

export function clusterOf(parsed: ParsedConfig, secret: Reveal): ClusterConfig | null {
  const { cluster } = parsed;
  if (cluster === undefined) return null;
  const { nats, user, password, token, leaseMs } = cluster;
  const login = (): ClusterConfig['login'] => {
    if (token !== null) return { by: 'token', token: secret(token) };
    if (user !== undefined && password !== null) return { by: 'password', user, password: secret(password) };
    return { by: 'nothing' };
  };
  return { urls: nats, login: login(), leaseMs };
}
