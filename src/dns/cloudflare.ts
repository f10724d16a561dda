import { formatMark, MARK_TTL_SECONDS, markName, readMark } from './epoch-mark.ts';
import { refuse } from './failure.ts';
import { callJson, type HttpAnswer } from './http-call.ts';
import type { AddressRecord, DnsProvider, DnsRefusal, DnsWrite, Key, ZoneState } from './provider.ts';
import {
  canonicalName,
  canonicalRecord,
  describeMark,
  isAddressType,
  RecordCollector,
  sameState,
} from './records.ts';
import { fieldsOf, listOf, textOf, unquoteTxt, wholeOf } from './shape.ts';

export interface CloudflareSettings {
  /** `https://api.cloudflare.com/client/v4`, unless a test says otherwise. */
  readonly url: string;
  readonly token: Key;
  readonly zone: string;
  /** Null: it is looked up by the zone's name once, for which the token needs Zone Read. */
  readonly zoneId: string | null;
  readonly names: readonly string[];
}

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly ttlSeconds: number;
}

interface Look {
  readonly ok: true;
  readonly state: ZoneState;
  readonly listed: readonly Listed[];
  readonly records: string;
}

const WHO = 'Cloudflare';
/** Ids are random; nothing has this one. */
const NO_RECORD = '0'.repeat(32);

/**
 * Cloudflare's API (v4). A write is one batch, which it carries out in one transaction. The old mark is deleted by its id
 * in it, and ids are never used again, so that of two writers who read the same mark the second fails.
 */
export function cloudflare(settings: CloudflareSettings): DnsProvider {
  const { url, token } = settings;
  const names = settings.names.map(canonicalName);
  const [first = ''] = names;
  let zoneId = settings.zoneId;
  const call = (method: 'GET' | 'POST', path: string, signal: AbortSignal, body?: unknown) =>
    callJson({
      who: WHO,
      method,
      url: `${url.replace(/\/$/, '')}${path}`,
      headers: { authorization: `Bearer ${token.reveal()}` },
      keyName: 'dns.apiKeyFile and the permissions of the token',
      keys: [token],
      signal,
      ...(body === undefined ? {} : { body }),
    });

  const findZone = async (signal: AbortSignal): Promise<string | DnsRefusal> => {
    if (zoneId !== null) return zoneId;
    const answer = await call(
      'GET',
      `/zones?name=${encodeURIComponent(canonicalName(settings.zone))}`,
      signal,
    );
    if (!answer.ok) return { ok: false, failure: answer.failure };
    const result = fieldsOf(answer.json)?.['result'];
    if (!Array.isArray(result))
      return refuse('bad-answer', `${WHO} answered with something that is no list of zones`);
    const id = textOf(fieldsOf(result[0])?.['id']);
    if (id === null)
      return refuse('not-found', `${WHO} shows this token no zone ${settings.zone}: check dns.zone`);
    zoneId = id;
    return id;
  };

  const look = async (signal: AbortSignal): Promise<Look | DnsRefusal> => {
    const zone = await findZone(signal);
    if (typeof zone !== 'string') return zone;
    const records = `/zones/${encodeURIComponent(zone)}/dns_records`;
    const answers = await Promise.all(
      [markName(first), ...names].map((name) =>
        call('GET', `${records}?name.exact=${encodeURIComponent(name)}&per_page=100`, signal),
      ),
    );
    const listed: Listed[] = [];
    for (const answer of answers) {
      if (!answer.ok) return { ok: false, failure: answer.failure };
      const entries = listedIn(answer.json);
      if (entries === null)
        return refuse('bad-answer', `${WHO} answered with something that is no list of records`);
      listed.push(...entries);
    }
    const state = stateOf(listed, names);
    return 'ok' in state ? state : { ok: true, state, listed, records };
  };

  return {
    name: 'cloudflare',
    fencing: 'atomic',
    async read(signal) {
      const found = await look(signal);
      return found.ok ? { ok: true, state: found.state } : found;
    },
    async write(write, signal) {
      const found = await look(signal);
      if (!found.ok) return found;
      if (!sameState(found.state, write.expected)) {
        return refuse('conflict', `${WHO} holds ${describeMark(found.state.mark)} by now: read again`);
      }
      const answer = await call(
        'POST',
        `${found.records}/batch`,
        signal,
        batchFor(write, found.listed, first),
      );
      if (answer.ok) return { ok: true };
      return goneMeanwhile(answer)
        ? refuse('conflict', `${WHO}: a record changed meanwhile`)
        : refusalOf(answer);
    },
    async mayWrite(signal) {
      const zone = await findZone(signal);
      if (typeof zone !== 'string') return zone;
      // To delete what is not there changes nothing, and who may not write is told that first.
      const path = `/zones/${encodeURIComponent(zone)}/dns_records/batch`;
      const answer = await call('POST', path, signal, { deletes: [{ id: NO_RECORD }] });
      return answer.ok || goneMeanwhile(answer) ? { ok: true } : refusalOf(answer);
    },
  };
}

function refusalOf(answer: DnsRefusal): DnsRefusal {
  return { ok: false, failure: answer.failure };
}

function listedIn(json: unknown): Listed[] | null {
  const answer = fieldsOf(json);
  if (answer?.['success'] !== true || !Array.isArray(answer['result'])) return null;
  const listed: Listed[] = [];
  for (const entry of answer['result']) {
    const fields = fieldsOf(entry);
    const id = textOf(fields?.['id']);
    const name = textOf(fields?.['name']);
    const type = textOf(fields?.['type']);
    const content = textOf(fields?.['content']);
    if (id === null || name === null || type === null || content === null) return null;
    listed.push({ id, name: canonicalName(name), type, content, ttlSeconds: wholeOf(fields?.['ttl']) ?? 1 });
  }
  return listed;
}

function stateOf(listed: readonly Listed[], names: readonly string[]): ZoneState | DnsRefusal {
  const [first = ''] = names;
  const collector = new RecordCollector(names);
  const texts: string[] = [];
  for (const { name, type, content, ttlSeconds } of listed) {
    if (isAddressType(type)) {
      if (!collector.add(name, type, content, ttlSeconds))
        return refuse('bad-answer', `${WHO} answered with a record that holds no address`);
    } else if (type === 'TXT' && name === markName(first)) texts.push(unquoteTxt(content));
  }
  const mark = readMark(first, texts);
  return mark.ok ? { records: collector.records(), mark: mark.mark } : refuse('bad-answer', mark.text);
}

/**
 * The batch. Addresses are rewritten in place, never deleted and made anew: changes travel to Cloudflare's servers one by
 * one, and in between nobody may be told that the name does not exist.
 */
function batchFor(write: DnsWrite, listed: readonly Listed[], first: string) {
  const deletes: { id: string }[] = [];
  const patches: object[] = [];
  const posts: object[] = [];
  for (const record of write.records.map(canonicalRecord)) {
    const standing = listed.filter(({ name, type }) => name === record.name && type === record.type);
    for (const [index, content] of record.addresses.entries()) {
      const old = standing[index];
      if (old === undefined) posts.push(fieldsFor(record, content));
      else patches.push({ id: old.id, ...fieldsFor(record, content) });
    }
    deletes.push(...standing.slice(record.addresses.length).map(({ id }) => ({ id })));
  }
  const marks = listed.filter(({ name, type }) => name === markName(first) && type === 'TXT');
  deletes.push(...marks.map(({ id }) => ({ id })));
  posts.push({
    name: markName(first),
    type: 'TXT',
    content: `"${formatMark(write.mark)}"`,
    ttl: MARK_TTL_SECONDS,
  });
  return { deletes, patches, posts };
}

function fieldsFor({ name, type, ttlSeconds }: AddressRecord, content: string) {
  return { name, type, content, ttl: ttlSeconds, proxied: false };
}

/** 81043 and 81044: no such record. Somebody deleted the mark that we read, and put another in its place. */
function goneMeanwhile(answer: Extract<HttpAnswer, { ok: false }>): boolean {
  return listOf(fieldsOf(answer.json)?.['errors']).some((error) => {
    const code = fieldsOf(error)?.['code'];
    return code === 81_043 || code === 81_044;
  });
}
