import { isIPv6 } from 'node:net';
import type { AddressRecord, ZoneState } from '../dns/index.ts';
import type { PublishedRecord } from '../domain/failover.ts';
import type { ServerName } from '../domain/ids.ts';

/** The names that listeners use, and the addresses of each server that they may point to. */
export interface Names {
  readonly names: readonly string[];
  readonly ttlSeconds: number;
  readonly addresses: ReadonlyMap<ServerName, readonly string[]>;
}

/** What every name has to answer for listeners to be sent to these addresses; a family of which there is none is emptied. */
export function recordsFor(
  { names, ttlSeconds }: Omit<Names, 'addresses'>,
  addresses: readonly string[],
): AddressRecord[] {
  return names.flatMap((name) => [
    { name, type: 'A' as const, ttlSeconds, addresses: addresses.filter((address) => !isIPv6(address)) },
    { name, type: 'AAAA' as const, ttlSeconds, addresses: addresses.filter(isIPv6) },
  ]);
}

/** Which of a server's addresses the names answer with. */
export function standingOf(
  { addresses }: Names,
  server: ServerName,
  { records }: ZoneState,
): readonly string[] {
  const standing = records.flatMap((record) => record.addresses);
  return (addresses.get(server) ?? []).filter((address) => standing.includes(address));
}

/** Which server the names point to. Names that differ are as good as none: the next write brings them together. */
export function publishedIn({ names, addresses }: Names, { records }: ZoneState): PublishedRecord {
  const servers = new Set<ServerName | null>();
  for (const name of names) {
    const standing = records.filter((record) => record.name === name).flatMap((record) => record.addresses);
    const unknown = standing.find((address) => serverWith(addresses, address) === null);
    if (unknown !== undefined)
      return { is: 'foreign', detail: `${name} answers ${unknown}, which is no server's publicAddress` };
    const at = new Set(standing.map((address) => serverWith(addresses, address)));
    const [server = null] = at;
    servers.add(at.size === 1 ? server : null);
  }
  const [server = null] = servers;
  return servers.size === 1 && server !== null ? { is: 'server', server } : { is: 'missing' };
}

function serverWith(addresses: Names['addresses'], address: string): ServerName | null {
  for (const [server, own] of addresses) if (own.includes(address)) return server;
  return null;
}
