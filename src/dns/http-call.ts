import { retryAfterMs } from '../platform/retry-after.ts';
import { quote, rateLimited, refuse, timedOut, unreachable } from './failure.ts';
import type { DnsRefusal, Key } from './provider.ts';

export interface HttpCall {
  /** How the other side is called in sentences: `PowerDNS at 127.0.0.1:8081`. */
  readonly who: string;
  readonly method: 'GET' | 'PATCH' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Which key of the config holds the credential: `apiKeyFile`. */
  readonly keyName: string;
  /** What must not be quoted. */
  readonly keys: readonly Key[];
  readonly signal: AbortSignal;
}

export type HttpAnswer =
  | { readonly ok: true; readonly status: number /** Null: empty. */; readonly json: unknown }
  | (DnsRefusal & { readonly status: number | null; readonly json: unknown });

const MAX_BYTES = 8 * 1024 * 1024;

/** One JSON call: no redirects, a bounded answer, and every way it can go wrong as a failure. */
export async function callJson(call: HttpCall): Promise<HttpAnswer> {
  const failed = (refusal: DnsRefusal): HttpAnswer => ({ ...refusal, status: null, json: null });
  let response: Response;
  let body: string | null;
  try {
    response = await fetch(call.url, {
      method: call.method,
      headers: {
        accept: 'application/json',
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      redirect: 'manual',
      signal: call.signal,
    });
    body = await readBody(response);
  } catch (thrown) {
    return failed(call.signal.aborted ? timedOut(call.who) : unreachable(call.who, thrown));
  }
  if (body === null) {
    return failed(refuse('bad-answer', `${call.who} gave more than ${MAX_BYTES} bytes: check the address`));
  }
  return understand(call, response, body);
}

async function readBody(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function understand(call: HttpCall, response: Response, body: string): HttpAnswer {
  const { status } = response;
  const json = parseJson(body);
  if (status >= 200 && status < 300) {
    if (json !== undefined) return { ok: true, status, json };
    const refusal = refuse('bad-answer', `${call.who} answered ${status} with something that is not JSON`);
    return { ...refusal, status, json: null };
  }
  const refusal = refusalOf(call, response, body);
  return { ...refusal, status, json: json ?? null };
}

function refusalOf(call: HttpCall, response: Response, body: string): DnsRefusal {
  const { status } = response;
  const said = `${call.who} answered ${status}${body.trim() === '' ? '' : ` (${quote(body, call.keys)})`}`;
  if (status === 401 || status === 403) {
    return refuse('wrong-key', `${said}: the key is wrong or lacks the right; check ${call.keyName}`);
  }
  if (status === 404) return refuse('not-found', `${said}: check the zone's name and the address of the API`);
  if (status === 409) return refuse('conflict', `${said}: somebody else wrote at the same time`);
  if (status === 429)
    return rateLimited(`${said}: too many calls`, retryAfterMs(response.headers, Date.now()));
  if (status >= 300 && status < 400) {
    return refuse('bad-answer', `${call.who} answered ${status}, a redirect: write the address it leads to`);
  }
  if (status >= 500) return refuse('unreachable', `${said}: it is in trouble itself`);
  return refuse('refused', `${said}: it does not allow this`);
}

/** Undefined unless it is JSON or nothing at all. */
function parseJson(body: string): unknown {
  if (body.trim() === '') return null;
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
