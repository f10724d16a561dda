import { setMaxListeners } from 'node:events';
import { markName, readMark, sameMark } from './epoch-mark.ts';
import type { AddressRecord, AuthorityView, EpochMark } from './provider.ts';
import { canonicalName, changesFor, describeMark, isAddressType, RecordCollector } from './records.ts';
import { fieldsOf, wholeOf } from './shape.ts';
import { type Authority, authorityText } from './wire/exchange.ts';
import { type AnswerRecord, ask, type NotAnswered, txtOf } from './wire/query.ts';

/** What one authority answers for our names. */
export type Seen =
  | {
      readonly is: 'seen';
      readonly records: readonly AddressRecord[];
      readonly mark: EpochMark | null;
      readonly serial: number | null;
    }
  | NotAnswered
  /** What stands at the mark's name is not ours. */
  | { readonly is: 'foreign-mark'; readonly reason: string };

export interface ReadBack {
  readonly authorities: readonly Authority[];
  readonly zone: string;
  readonly records: readonly AddressRecord[];
  readonly mark: EpochMark;
}

/** Asks every authority for every name, by real DNS queries, and holds the answers against what was wanted. */
export async function readBack(wanted: ReadBack, signal: AbortSignal): Promise<readonly AuthorityView[]> {
  const names = [...new Set(wanted.records.map((record) => canonicalName(record.name)))];
  const seen = await Promise.all(
    wanted.authorities.map(async (authority) => ({
      authority: authorityText(authority),
      seen: await lookAt(authority, wanted.zone, names, signal),
    })),
  );
  const newest = newestSerial(seen.map((one) => (one.seen.is === 'seen' ? one.seen.serial : null)));
  return seen.map((one) => judge(one.authority, one.seen, wanted, newest));
}

/** What stands at one authority; also how an RFC 2136 server is read, which has no API but DNS. */
export async function lookAt(
  authority: Authority,
  zone: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Seen> {
  const [first = ''] = names;
  const questions = [
    { name: zone, type: 'SOA' as const },
    { name: markName(first), type: 'TXT' as const },
    ...names.flatMap((name) => [
      { name, type: 'A' as const },
      { name, type: 'AAAA' as const },
    ]),
  ];
  // One signal for many questions is meant, and no leak.
  setMaxListeners(0, signal);
  const answers = await Promise.all(questions.map(({ name, type }) => ask(authority, name, type, signal)));
  const found: AnswerRecord[] = [];
  for (const answer of answers) {
    if (answer.is === 'answer') found.push(...answer.records);
    else return answer;
  }
  return understand(found, names);
}

function understand(found: readonly AnswerRecord[], names: readonly string[]): Seen {
  const [first = ''] = names;
  const collector = new RecordCollector(names);
  const texts: string[] = [];
  let serial: number | null = null;
  for (const { name, type, data, ttlSeconds } of found) {
    if (isAddressType(type)) {
      if (typeof data !== 'string' || !collector.add(name, type, data, ttlSeconds))
        return { is: 'bad-answer', reason: 'it answers with something that is no address' };
    } else if (type === 'TXT' && name === markName(first)) texts.push(txtOf(data) ?? '');
    else if (type === 'SOA') serial = wholeOf(fieldsOf(data)?.['serial']);
  }
  const mark = readMark(first, texts);
  if (!mark.ok) return { is: 'foreign-mark', reason: mark.text };
  return { is: 'seen', records: collector.records(), mark: mark.mark, serial };
}

function judge(authority: string, seen: Seen, wanted: ReadBack, newest: number | null): AuthorityView {
  const serial = seen.is === 'seen' ? seen.serial : null;
  const stale = (reason: 'old-addresses' | 'old-epoch', text: string): AuthorityView => ({
    is: 'stale',
    authority,
    serial,
    reason,
    text: `${authority}: ${text}`,
  });
  if (seen.is === 'foreign-mark') return stale('old-epoch', seen.reason);
  if (seen.is !== 'seen') return { is: 'unreachable', authority, text: `${authority}: ${seen.reason}` };
  const behind = serial !== null && newest !== null && isBefore(serial, newest);
  const why = behind ? `, with serial ${serial} while ${newest} is the newest: zone transfers lag` : '';
  const changes = changesFor(wanted.records, seen.records);
  if (changes.length > 0) {
    const names = changes.map(({ name, type }) => `${name} ${type}`).join(', ');
    return stale('old-addresses', `still has other addresses or another TTL for ${names}${why}`);
  }
  if (!sameMark(seen.mark, wanted.mark)) {
    return stale('old-epoch', `has ${describeMark(seen.mark)} and not ${describeMark(wanted.mark)}${why}`);
  }
  return { is: 'converged', authority, serial };
}

/** RFC 1982, 3.2: serials go round. */
export function isBefore(serial: number, other: number): boolean {
  const ahead = (other - serial + 2 ** 32) % 2 ** 32;
  return ahead !== 0 && ahead < 2 ** 31;
}

function newestSerial(serials: readonly (number | null)[]): number | null {
  let newest: number | null = null;
  for (const serial of serials) {
    if (serial !== null && (newest === null || isBefore(newest, serial))) newest = serial;
  }
  return newest;
}
