import { codeOf } from '../platform/errors.ts';
import type { DnsFailure, DnsRefusal, Key } from './provider.ts';

/** A refusal of a provider, as a value. */
export function refuse(is: Exclude<DnsFailure['is'], 'rate-limited'>, text: string): DnsRefusal {
  return { ok: false, failure: { is, text } };
}

export function rateLimited(text: string, retryAfterMs: number | null): DnsRefusal {
  return { ok: false, failure: { is: 'rate-limited', text, retryAfterMs } };
}

const LONGEST_QUOTE = 160;

/**
 * What a stranger said, fit for a log: one line, short, and without the key, which a hostile or careless server may
 * send back.
 */
export function quote(text: string, keys: readonly Key[]): string {
  let safe = text;
  for (const key of keys) {
    const secret = key.reveal();
    if (secret !== '') safe = safe.replaceAll(secret, '[hidden]');
  }
  const line = safe.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\s]+/gu, ' ').trim();
  return line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE)}…` : line;
}

const WHY: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there'],
  ['ECONNRESET', 'the connection was cut'],
  ['EPIPE', 'the connection was cut'],
  ['UND_ERR_SOCKET', 'the connection was cut'],
  ['ENOTFOUND', 'its name is not known'],
  ['EAI_AGAIN', 'its name could not be looked up'],
  ['EHOSTUNREACH', 'there is no way to it'],
  ['ENETUNREACH', 'there is no way to it'],
  ['ETIMEDOUT', 'it does not answer'],
  ['UND_ERR_CONNECT_TIMEOUT', 'it does not answer'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is signed by itself'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate comes from an authority that is not trusted here'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its certificate comes from an authority that is not trusted here'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name'],
]);

/** Only the code of what was thrown is told: the messages of HTTP clients may quote a header, and so the key. */
export function unreachable(where: string, thrown: unknown): DnsRefusal {
  const code = codeOf(thrown) || codeOf(thrown instanceof Error ? thrown.cause : undefined);
  return refuse('unreachable', `${where} can't be reached: ${WHY.get(code) ?? (code || 'no reason given')}`);
}

export function timedOut(where: string): DnsRefusal {
  return refuse('timeout', `${where} gave no whole answer in time`);
}
