import type { Config, DnsConfig, ServerConfig } from '../config/index.ts';
import type { ProviderSettings } from '../dns/index.ts';
import type { FailoverPolicy } from '../domain/failover.ts';
import { parseServerUrl, type ServerAddress } from '../icecast/address.ts';
import type { Names } from './zone.ts';

/** What other agents say counts for so long: they say it every second. */
const FRESH_MS = 6_000;
const WRITE_WITHIN_MS = 10_000;
const CONTESTED_MS = 600_000;
/** Silence on a public mount is the source switch's to cure first; this long after it should have. */
const SWITCH_GRACE_MS = 10_000;
const VERIFIED_WITHIN_MS = 5_000;
const HOLD_DOWN_MAX_MS = 3_600_000;
const HALF_LIFE_MS = 900_000;

/** Everything that the DNS decision may know of what the config wants. */
export function failoverPolicy(config: Config, dns: DnsConfig): FailoverPolicy {
  const silence = Math.max(...config.stations.map((station) => station.silence.tripMs));
  return {
    self: config.self,
    servers: dns.prefer,
    stations: config.stations.map((station) => station.name),
    ...dns.health,
    silenceMs: silence + SWITCH_GRACE_MS,
    soundMs: Math.max(...config.stations.map((station) => station.silence.soundMs)),
    restoreMs: dns.restoreMs,
    verifiedWithinMs: VERIFIED_WITHIN_MS,
    freshMs: FRESH_MS,
    colleagueMs: config.deputy.afterMs,
    contestedMs: CONTESTED_MS,
    writeWithinMs: WRITE_WITHIN_MS,
    endListenersAfterMs: dns.endListenersAfterMs,
    flap: { holdDownMs: dns.restoreMs, holdDownMaxMs: HOLD_DOWN_MAX_MS, halfLifeMs: HALF_LIFE_MS },
    mode: config.cluster === null ? 'alone' : 'cluster',
  };
}

export function namesOf(config: Config, { names, ttlSeconds }: DnsConfig): Names {
  const addresses = new Map(config.servers.map(({ name, publicAddresses }) => [name, publicAddresses]));
  return { names, ttlSeconds, addresses };
}

/** The provider with its secrets, which stay wrapped until the moment of use. */
export function providerSettings({ provider, zone, names }: DnsConfig): ProviderSettings {
  switch (provider.provider) {
    case 'powerdns':
      return { ...provider, zone, names };
    case 'rfc2136': {
      const { key, ...rest } = provider;
      return { ...rest, keySecret: key, zone, names };
    }
    case 'cloudflare': {
      const { apiKey, url, ...rest } = provider;
      return { ...rest, url: url ?? CLOUDFLARE, token: apiKey, zone, names };
    }
    case 'route53':
      return { ...provider, names };
    case 'command':
      return { ...provider, zone, names };
  }
}

const CLOUDFLARE = 'https://api.cloudflare.com/client/v4';

/**
 * Where the other addresses that the DNS answers with for a server are tried: the second family has a way of its own. With
 * publicUrl none is, as it is there for a network that can't reach them.
 */
export function otherAddressesOf(server: ServerConfig, dns: DnsConfig): ReadonlyMap<string, ServerAddress> {
  const judged = publicAddressOf(server, dns);
  const [, ...others] = server.publicUrl === null && judged !== null ? server.publicAddresses : [];
  return new Map(others.flatMap((host) => (judged === null ? [] : [[host, { ...judged, host }]])));
}

/** Where a server is judged as its listeners reach it, asked for under their name; null when its URL is none. */
export function publicAddressOf(server: ServerConfig, dns: DnsConfig): ServerAddress | null {
  const [name] = dns.names;
  const address = listenersAddressOf(server);
  return address === null || name === undefined ? address : { ...address, name };
}

/** Where listeners reach a server, without the station's name; null when its URL is none. */
export function listenersAddressOf(server: ServerConfig): ServerAddress | null {
  if (server.publicUrl !== null) return parseServerUrl(server.publicUrl, server.ca);
  const own = parseServerUrl(server.url, server.ca);
  const [pinned] = server.publicAddresses;
  return own === null || pinned === undefined ? own : { ...own, host: pinned };
}
