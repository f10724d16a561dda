import { formatMark, MARK_TTL_SECONDS, markName, readMark } from './epoch-mark.ts';
import { refuse } from './failure.ts';
import { callJson, type HttpAnswer } from './http-call.ts';
import type { AddressRecord, DnsProvider, DnsRead, DnsWrite, DnsWritten, Key } from './provider.ts';
import { canonicalName, describeMark, isAddressType, RecordCollector, sameState } from './records.ts';
import { fieldsOf, listOf, textOf, unquoteTxt, wholeOf } from './shape.ts';

export interface PowerDnsSettings {
  /** `http://127.0.0.1:8081`. */
  readonly url: string;
  readonly apiKey: Key;
  readonly zone: string;
  readonly names: readonly string[];
}

/**
 * PowerDNS's HTTP API (v1, server `localhost`). All RRsets change in one PATCH, which PowerDNS carries out in one
 * transaction; it knows no condition, so that between our look and our PATCH another's write can get lost.
 */
export function powerDns(settings: PowerDnsSettings): DnsProvider {
  const { zone, apiKey } = settings;
  const names = settings.names.map(canonicalName);
  const [first = ''] = names;
  const api = `${settings.url.replace(/\/$/, '')}/api/v1/servers/localhost/zones/${encodeURIComponent(`${canonicalName(zone)}.`)}`;
  const who = `PowerDNS at ${new URL(settings.url).host}`;
  const call = (method: 'GET' | 'PATCH', query: string, signal: AbortSignal, body?: unknown) =>
    callJson({
      who,
      method,
      url: `${api}${query}`,
      headers: { 'x-api-key': apiKey.reveal() },
      keyName: 'dns.apiKeyFile',
      keys: [apiKey],
      signal,
      ...(body === undefined ? {} : { body }),
    });

  const read = async (signal: AbortSignal): Promise<DnsRead> => {
    const asked = [markName(first), ...names];
    const answers = await Promise.all(
      asked.map((name) => call('GET', `?rrset_name=${encodeURIComponent(`${name}.`)}`, signal)),
    );
    return stateIn(answers, names, who);
  };

  const patch = async (rrsets: readonly object[], signal: AbortSignal): Promise<DnsWritten> => {
    const answer = await call('PATCH', '', signal, { rrsets });
    return answer.ok ? { ok: true } : { ok: false, failure: answer.failure };
  };

  return {
    name: 'powerdns',
    fencing: 'checked-before',
    read,
    async write(write: DnsWrite, signal: AbortSignal): Promise<DnsWritten> {
      const now = await read(signal);
      if (!now.ok) return now;
      if (!sameState(now.state, write.expected)) {
        return refuse('conflict', `${who} holds ${describeMark(now.state.mark)} by now: read again`);
      }
      const rrsets = [
        ...write.records.map(addressChange),
        {
          name: `${markName(first)}.`,
          type: 'TXT',
          changetype: 'REPLACE',
          ttl: MARK_TTL_SECONDS,
          records: [{ content: `"${formatMark(write.mark)}"`, disabled: false }],
        },
      ];
      return patch(rrsets, signal);
    },
    // A change of nothing: a key that may only read, or an API that is set to that, is turned away.
    mayWrite: (signal) => patch([], signal),
  };
}

function addressChange({ name, type, addresses, ttlSeconds }: AddressRecord) {
  const rrset = { name: `${canonicalName(name)}.`, type };
  if (addresses.length === 0) return { ...rrset, changetype: 'DELETE' };
  return {
    ...rrset,
    changetype: 'REPLACE',
    ttl: ttlSeconds,
    records: addresses.map((content) => ({ content, disabled: false })),
  };
}

function stateIn(answers: readonly HttpAnswer[], names: readonly string[], who: string): DnsRead {
  const [first = ''] = names;
  const collector = new RecordCollector(names);
  const marks = new Set<string>();
  for (const answer of answers) {
    if (!answer.ok) return { ok: false, failure: answer.failure };
    const rrsets = fieldsOf(answer.json)?.['rrsets'];
    if (!Array.isArray(rrsets)) {
      return refuse('bad-answer', `${who} answered with something that is no zone: check dns.url`);
    }
    for (const entry of rrsets) {
      if (!takeRrset(entry, first, collector, marks))
        return refuse('bad-answer', `${who} answered with an RRset that makes no sense`);
    }
  }
  const mark = readMark(first, [...marks]);
  if (!mark.ok) return refuse('bad-answer', mark.text);
  return { ok: true, state: { records: collector.records(), mark: mark.mark } };
}

/** False when the RRset is malformed. PowerDNS before 4.9 gives the whole zone whatever is asked, so this picks ours. */
function takeRrset(entry: unknown, first: string, collector: RecordCollector, marks: Set<string>): boolean {
  const rrset = fieldsOf(entry);
  const name = canonicalName(textOf(rrset?.['name']) ?? '');
  const type = rrset?.['type'];
  for (const record of listOf(rrset?.['records'])) {
    const fields = fieldsOf(record);
    const content = textOf(fields?.['content']);
    if (fields?.['disabled'] === true) continue;
    if (content === null) return false;
    if (isAddressType(type)) {
      if (!collector.add(name, type, content, wholeOf(rrset?.['ttl']) ?? Number.NaN)) return false;
    } else if (type === 'TXT' && name === markName(first)) marks.add(unquoteTxt(content));
  }
  return name !== '';
}
