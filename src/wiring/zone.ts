import { isIPv6 } from 'node:net';
import { type AddressRecord, changesFor, recordIn, sameAnswer, type ZoneState } from '../dns/index.ts';
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

/**
 * Which server the names point to. Where they differ the first that points to one counts, and the others are amiss. An
 * address that was tried and not heard is not missed.
 */
export function publishedIn(
  zone: Names,
  state: ZoneState,
  isSilent: (server: ServerName, address: string) => boolean = () => false,
): PublishedRecord {
  const { names, addresses } = zone;
  const { records } = state;
  let current: ServerName | null = null;
  for (const name of names) {
    const standing = records.filter((record) => record.name === name).flatMap((record) => record.addresses);
    const unknown = standing.find((address) => serverWith(addresses, address) === null);
    if (unknown !== undefined)
      return { is: 'foreign', detail: `${name} answers ${unknown}, which is no server's publicAddress` };
    const [server = null, ...others] = new Set(standing.map((address) => serverWith(addresses, address)));
    if (others.length === 0) current ??= server;
  }
  if (current === null) return { is: 'missing' };
  const server = current;
  const standing = standingOf(zone, server, state);
  const wanted = (addresses.get(server) ?? []).filter(
    (address) => standing.includes(address) || !isSilent(server, address),
  );
  const amiss = changesFor(recordsFor(zone, wanted), records).map((record) =>
    describeChange(record, recordIn(records, record.name, record.type)),
  );
  return { is: 'server', server, amiss: amiss.length === 0 ? null : amiss.join('; ') };
}

function describeChange(wanted: AddressRecord, standing: AddressRecord | undefined): string {
  const { name, type, ttlSeconds } = wanted;
  if (standing === undefined || standing.addresses.length === 0) return `${name} has no ${type} record`;
  const is = standing.addresses.join(', ');
  const should = wanted.addresses.join(', ');
  if (should === '') return `${name} has an ${type} record: ${is}`;
  if (standing.ttlSeconds !== ttlSeconds && sameAnswer({ ...standing, ttlSeconds }, wanted))
    return `the ${type} record of ${name} has a TTL of ${standing.ttlSeconds} s and not ${ttlSeconds} s`;
  return `the ${type} record of ${name} is ${is} and not ${should}`;
}

function serverWith(addresses: Names['addresses'], address: string): ServerName | null {
  for (const [server, own] of addresses) if (own.includes(address)) return server;
  return null;
}
