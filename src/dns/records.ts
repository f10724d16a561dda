import { isIPv4, isIPv6 } from 'node:net';
import { shortestIpv6 } from '../domain/ip-address.ts';
import { sameMark } from './epoch-mark.ts';
import type { AddressRecord, AddressType, EpochMark, ZoneState } from './provider.ts';

/** Lower case, without the dot at the end, so that names from anywhere can be compared. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** Null unless it is an address of that family; IPv6 in its shortest form. */
export function canonicalAddress(type: AddressType, address: string): string | null {
  if (type === 'A') return isIPv4(address) ? address : null;
  if (!isIPv6(address) || address.includes('%')) return null;
  return shortestIpv6(address);
}

export function isAddressType(type: unknown): type is AddressType {
  return type === 'A' || type === 'AAAA';
}

/** Names in their canonical form, addresses too and sorted, without twice the same. */
export function canonicalRecord(record: AddressRecord): AddressRecord {
  const addresses = record.addresses.map((address) => canonicalAddress(record.type, address) ?? address);
  return {
    ...record,
    name: canonicalName(record.name),
    addresses: [...new Set(addresses)].sort(),
  };
}

/** What one RRset would have to become; its own order of addresses counts for nothing. */
export function sameAnswer(a: AddressRecord | undefined, b: AddressRecord | undefined): boolean {
  const left = a === undefined ? null : canonicalRecord(a);
  const right = b === undefined ? null : canonicalRecord(b);
  if ((left?.addresses.length ?? 0) === 0 && (right?.addresses.length ?? 0) === 0) return true;
  return left?.addresses.join() === right?.addresses.join() && left?.ttlSeconds === right?.ttlSeconds;
}

export function recordIn(
  records: readonly AddressRecord[],
  name: string,
  type: AddressType,
): AddressRecord | undefined {
  return records.find((record) => record.type === type && canonicalName(record.name) === canonicalName(name));
}

/** The wanted RRsets that differ from what stands there. */
export function changesFor(
  wanted: readonly AddressRecord[],
  standing: readonly AddressRecord[],
): readonly AddressRecord[] {
  return wanted.filter((record) => !sameAnswer(record, recordIn(standing, record.name, record.type)));
}

/** Whether two readings of the zone are of one state, for providers that can only look before they write. */
export function sameState(a: ZoneState, b: ZoneState): boolean {
  return (
    sameMark(a.mark, b.mark) &&
    changesFor(a.records, b.records).length === 0 &&
    changesFor(b.records, a.records).length === 0
  );
}

/** Collects single resource records into RRsets, leaving out what is not asked for or is no address. */
export class RecordCollector {
  readonly #names: ReadonlySet<string>;
  readonly #records = new Map<string, { ttlSeconds: number; addresses: string[] }>();

  constructor(names: readonly string[]) {
    this.#names = new Set(names.map(canonicalName));
  }

  /** False when the address is none of its type: the answer is not to be believed. */
  add(name: string, type: AddressType, address: string, ttlSeconds: number): boolean {
    const wanted = canonicalName(name);
    if (!this.#names.has(wanted)) return true;
    const canonical = canonicalAddress(type, address);
    if (canonical === null || !Number.isFinite(ttlSeconds)) return false;
    const key = `${type} ${wanted}`;
    const record = this.#records.get(key) ?? { ttlSeconds, addresses: [] };
    record.addresses.push(canonical);
    this.#records.set(key, record);
    return true;
  }

  records(): readonly AddressRecord[] {
    return [...this.#records].map(([key, { ttlSeconds, addresses }]) => {
      const [type = '', name = ''] = key.split(' ');
      return canonicalRecord({ name, type: type === 'A' ? 'A' : 'AAAA', addresses, ttlSeconds });
    });
  }
}

/** A short word for a mark in a sentence. */
export function describeMark(mark: EpochMark | null): string {
  return mark === null ? 'no epoch' : `epoch ${mark.epoch} of ${mark.writer}`;
}
