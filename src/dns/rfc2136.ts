import { randomInt } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import { formatMark, MARK_TTL_SECONDS, markName } from './epoch-mark.ts';
import { refuse } from './failure.ts';
import type { DnsProvider, DnsRead, DnsRefusal, DnsWrite, DnsWritten, Key } from './provider.ts';
import { canonicalName, canonicalRecord } from './records.ts';
import { lookAt } from './verify.ts';
import { type Authority, askOverTcp, authorityText } from './wire/exchange.ts';
import { whyNot } from './wire/query.ts';
import { type Signed, sign, type TsigAlgorithm, type TsigKey, verify } from './wire/tsig.ts';
import { encodeUpdate, type UpdateRecord } from './wire/update.ts';

export interface Rfc2136Settings {
  /** The primary, where updates go. */
  readonly server: Authority;
  readonly zone: string;
  readonly names: readonly string[];
  readonly keyName: string;
  readonly keyAlgorithm: TsigAlgorithm;
  /** In Base64, as `tsig-keygen` prints it. */
  readonly keySecret: Key;
}

/**
 * Dynamic updates (RFC 2136) signed with TSIG (RFC 8945), as BIND and Knot take them. All names change in one message whose
 * prerequisite is the epoch that we read, so that the server itself turns a late writer away.
 */
export function rfc2136(settings: Rfc2136Settings, clock: Clock): DnsProvider {
  const { server, zone } = settings;
  const names = settings.names.map(canonicalName);
  const who = `the DNS server at ${authorityText(server)}`;
  const key = (): TsigKey => ({
    name: settings.keyName,
    algorithm: settings.keyAlgorithm,
    secret: Buffer.from(settings.keySecret.reveal(), 'base64'),
  });
  const nowSeconds = () => Math.floor(clock.wallTime().getTime() / 1000);
  return {
    name: 'rfc2136',
    fencing: 'atomic',
    async read(signal: AbortSignal): Promise<DnsRead> {
      const seen = await lookAt(server, zone, names, signal);
      if (seen.is === 'seen') return { ok: true, state: { records: seen.records, mark: seen.mark } };
      if (seen.is === 'foreign-mark') return refuse('bad-answer', seen.reason);
      return refuse(seen.is, `${who}: ${seen.reason}`);
    },
    write(write: DnsWrite, signal: AbortSignal): Promise<DnsWritten> {
      const [prerequisites, updates] = recordsOf(write, names);
      return update(prerequisites, updates, signal);
    },
    mayWrite: (signal) => update([], deletionsOfNothing(names), signal),
  };

  async function update(
    prerequisites: readonly UpdateRecord[],
    updates: readonly UpdateRecord[],
    signal: AbortSignal,
  ): Promise<DnsWritten> {
    const request = sign(encodeUpdate(randomInt(65_536), zone, prerequisites, updates), key(), nowSeconds());
    const exchanged = await askOverTcp(server, request.message, signal);
    if (exchanged.is === 'aborted') return refuse('timeout', `${who} gave no answer to the update in time`);
    if (exchanged.is === 'failed')
      return refuse('unreachable', `${who} can't be reached: ${whyNot(exchanged.thrown)}`);
    return understand(exchanged.bytes, request, key(), nowSeconds(), who);
  }
}

/** What is never there may be deleted without a change, by whoever may change the name. */
function deletionsOfNothing(names: readonly string[]): UpdateRecord[] {
  const addresses = names.flatMap((name): UpdateRecord[] => [
    { is: 'delete', name, type: 'A', data: '0.0.0.0' },
    { is: 'delete', name, type: 'AAAA', data: '::' },
  ]);
  return [...addresses, { is: 'delete', name: markName(names[0] ?? ''), type: 'TXT', data: 'nobody' }];
}

function recordsOf(write: DnsWrite, names: readonly string[]): [UpdateRecord[], UpdateRecord[]] {
  const name = markName(names[0] ?? '');
  const { mark } = write.expected;
  const prerequisite: UpdateRecord =
    mark === null
      ? { is: 'no-rrset', name, type: 'TXT' }
      : { is: 'rrset-is', name, type: 'TXT', text: formatMark(mark) };
  const updates = write.records.map(canonicalRecord).flatMap((record): UpdateRecord[] => [
    { is: 'delete-rrset', name: record.name, type: record.type },
    ...record.addresses.map(
      (data): UpdateRecord => ({
        is: 'add',
        name: record.name,
        type: record.type,
        ttlSeconds: record.ttlSeconds,
        data,
      }),
    ),
  ]);
  return [
    [prerequisite],
    [
      ...updates,
      { is: 'delete-rrset', name, type: 'TXT' },
      { is: 'add', name, type: 'TXT', ttlSeconds: MARK_TTL_SECONDS, data: formatMark(write.mark) },
    ],
  ];
}

const NOTAUTH = 9;
/** YXDOMAIN, YXRRSET, NXRRSET, and NXDOMAIN, which servers give for a name that has nothing: a prerequisite fails. */
const PREREQUISITE_FAILED = [3, 6, 7, 8];

function understand(
  answer: Buffer,
  request: Signed,
  key: TsigKey,
  nowSeconds: number,
  who: string,
): DnsWritten {
  if (answer.length < 12 || answer.readUInt16BE(0) !== request.message.readUInt16BE(0)) {
    return refuse('bad-answer', `${who} answered the update with something that is no answer to it`);
  }
  const rcode = answer.readUInt8(3) & 0x0f;
  const verdict = verify(answer, request, key, nowSeconds);
  if (verdict.is === 'rejected') return keyRefusal(verdict.error, who);
  if (rcode === NOTAUTH && verdict.is === 'valid') {
    return refuse('not-found', `${who} is no authority for the zone: check dns.zone and dns.server`);
  }
  // Knot says no more than this of a zone that it does not have.
  if (rcode === NOTAUTH)
    return refuse('wrong-key', `${who} accepts no update from us for this zone: check dns.zone and the key`);
  if (verdict.is === 'forged') {
    return refuse(
      'bad-answer',
      `${who} answered with a signature that is not of our key: it is not believed`,
    );
  }
  if (PREREQUISITE_FAILED.includes(rcode)) {
    return refuse('conflict', `${who} holds another epoch by now: read again`);
  }
  if (rcode === 5) {
    const text = `${who} refused the update: allow the key to change these names (BIND: update-policy; Knot: acl)`;
    return refuse('refused', text);
  }
  if (rcode === 10) return refuse('refused', `${who} says that a name lies outside the zone: check dns.zone`);
  if (rcode === 2)
    return refuse('unreachable', `${who} could not carry out the update (SERVFAIL): see its log`);
  if (rcode !== 0) return refuse('refused', `${who} answered the update with code ${rcode}`);
  if (verdict.is === 'unsigned') {
    return refuse('bad-answer', `${who} answered without a signature: whether it wrote is unknown`);
  }
  return { ok: true };
}

const BADTIME = 18;

function keyRefusal(error: number, who: string): DnsRefusal {
  if (error === BADTIME) {
    return refuse(
      'wrong-key',
      `${who} finds our clock more than five minutes off (BADTIME): set both by NTP`,
    );
  }
  const word = new Map([
    [16, 'BADSIG: the secret is not the same on both sides'],
    [
      17,
      'BADKEY: it has no key of this name and algorithm, or, on Knot, its acl keeps the key from these names',
    ],
    [22, 'BADTRUNC: the algorithms differ'],
  ]).get(error);
  const why = word === undefined ? '' : ` (${word})`;
  return refuse(
    'wrong-key',
    `${who} does not accept our key${why}: check dns.keyName, keyAlgorithm and keyFile`,
  );
}
