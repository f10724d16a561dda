import { randomInt } from 'node:crypto';
import packet, { type DecodedPacket, type RecordType } from 'dns-packet';
import { codeOf } from '../../platform/errors.ts';
import { canonicalName } from '../records.ts';
import { type Authority, askOverTcp, askOverUdp, type Exchanged } from './exchange.ts';

/** An authority's answer to one question. */
export type Asked = { readonly is: 'answer'; readonly records: readonly AnswerRecord[] } | NotAnswered;

export interface NotAnswered {
  readonly is: 'refused' | 'not-found' | 'bad-answer' | 'unreachable' | 'timeout';
  /** How a sentence about this authority goes on: `it answers REFUSED`. */
  readonly reason: string;
}

export interface AnswerRecord {
  readonly name: string;
  readonly type: string;
  readonly ttlSeconds: number;
  readonly data: unknown;
}

const RCODES: ReadonlyMap<number, string> = new Map([
  [1, 'FORMERR'],
  [2, 'SERVFAIL'],
  [4, 'NOTIMP'],
  [5, 'REFUSED'],
  [9, 'NOTAUTH'],
]);
const SERVFAIL = 2;
const NXDOMAIN = 3;
/** What is safe to be sent in one piece over any path (DNS flag day 2020). */
const UDP_BYTES = 1232;

/** Asks one authority itself, without recursion: over UDP, and over TCP when the answer was cut. */
export async function ask(
  authority: Authority,
  name: string,
  type: RecordType,
  signal: AbortSignal,
): Promise<Asked> {
  const query = packet.encode({
    type: 'query',
    id: randomInt(65_536),
    questions: [{ name, type }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: UDP_BYTES,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
  const overUdp = understand(await askOverUdp(authority, query, signal), name, type);
  if (overUdp !== 'cut') return overUdp;
  const overTcp = understand(await askOverTcp(authority, query, signal), name, type);
  return overTcp === 'cut' ? { is: 'bad-answer', reason: 'its answer is cut even over TCP' } : overTcp;
}

function understand(exchanged: Exchanged, name: string, type: RecordType): Asked | 'cut' {
  if (exchanged.is === 'aborted') return { is: 'timeout', reason: 'it gave no answer in time' };
  if (exchanged.is === 'failed') return { is: 'unreachable', reason: whyNot(exchanged.thrown) };
  let answer: DecodedPacket;
  try {
    answer = packet.decode(exchanged.bytes);
  } catch {
    return { is: 'bad-answer', reason: 'its answer is no DNS message' };
  }
  const [question] = answer.questions ?? [];
  const isOurs =
    answer.type === 'response' &&
    question?.type === type &&
    canonicalName(question.name) === canonicalName(name);
  const rcode = exchanged.bytes.readUInt8(3) & 0x0f;
  if (rcode !== 0 && rcode !== NXDOMAIN) {
    const reason = `it answers ${RCODES.get(rcode) ?? `with code ${rcode}`}`;
    return { is: rcode === SERVFAIL ? 'unreachable' : 'refused', reason };
  }
  if (!isOurs) return { is: 'bad-answer', reason: 'its answer is to another question' };
  if (answer.flag_tc) return 'cut';
  if (!answer.flag_aa) return { is: 'not-found', reason: 'it is no authority for the zone' };
  const records = (answer.answers ?? []).flatMap((record): AnswerRecord[] =>
    'data' in record
      ? [
          {
            name: canonicalName(record.name),
            type: record.type,
            ttlSeconds: record.ttl ?? 0,
            data: record.data,
          },
        ]
      : [],
  );
  return { is: 'answer', records };
}

export function whyNot(thrown: unknown): string {
  const code = codeOf(thrown);
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name is not known';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'there is no way to it';
  return code || 'the connection was cut';
}

/** The text of a TXT record's data, its strings joined; anything else is no text. */
export function txtOf(data: unknown): string | null {
  const parts: readonly unknown[] = Array.isArray(data) ? data : [data];
  if (!parts.every((part) => typeof part === 'string' || Buffer.isBuffer(part))) return null;
  return parts.map((part) => (typeof part === 'string' ? part : Buffer.from(part).toString('utf8'))).join('');
}
