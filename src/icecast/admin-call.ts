import type { AdminFailure } from '../domain/icecast.ts';
import type { Clock } from '../platform/clock.ts';
import { basicAuthorization, type Credentials, hostAndPort, type ServerAddress } from './address.ts';
import type { ResponseHead } from './response-head.ts';
import { printable } from './text.ts';
import { PLAIN_USER_AGENT } from './user-agent.ts';
import { type Exchange, exchange, type WireFailure } from './wire.ts';

/** Admin answers are values: a server that says no is an ordinary day. */
export type AdminResult<Value> = { readonly ok: true; readonly value: Value } | AdminRefusal;

export interface AdminRefusal {
  readonly ok: false;
  readonly failure: AdminFailure;
  readonly detail: string;
}

export interface AdminAnswer {
  readonly status: number;
  readonly body: string;
  /** What time it was for the server, in whole seconds, as HTTP writes it. */
  readonly date: string | null;
}

export interface AdminCall {
  readonly server: ServerAddress;
  readonly credentials: Credentials;
  /** With its leading slash, encoded: `/admin/listmounts`. */
  readonly path: string;
  readonly deadlineMs: number;
  readonly maxBytes: number;
}

/**
 * One admin call on a connection of its own: Icecast 2.4 answers `HTTP/1.0` with `Connection: Close` whatever is asked.
 * Answers with a status below 500 other than 401 and 403 are for the caller to understand.
 */
export function callAdmin(clock: Clock, call: AdminCall): Promise<AdminResult<AdminAnswer>> {
  return new Promise((resolve) => {
    const where = hostAndPort(call.server);
    const chunks: Buffer[] = [];
    let size = 0;
    let head: ResponseHead | null = null;
    let connection: Exchange | null = null;
    const finish = (result: AdminResult<AdminAnswer>): void => {
      cancelDeadline();
      connection?.destroy();
      resolve(result);
    };
    const fail = (failure: AdminFailure, detail: string): void => finish({ ok: false, failure, detail });
    const cancelDeadline = clock.after(call.deadlineMs, () =>
      fail('timed-out', `${where} gave no whole answer within ${call.deadlineMs} ms`),
    );
    const answer = (): void => {
      if (head === null) fail('bad-answer', `${where} gave no answer`);
      else finish(understand(head, Buffer.concat(chunks).toString('utf8'), where));
    };
    connection = exchange(
      clock,
      {
        address: call.server,
        request: requestHead(call),
        headWithinMs: call.deadlineMs,
      },
      {
        head: (received) => {
          head = received;
        },
        body: (chunk) => {
          size += chunk.length;
          if (size > call.maxBytes) fail('bad-answer', `${where} gave more than ${call.maxBytes} bytes`);
          else chunks.push(chunk);
        },
        ended: (whole) => {
          const isCut = !whole && head?.headers.has('content-length') === true && head.status === 200;
          if (isCut) fail('bad-answer', `${where} hung up in the middle of its answer`);
          else answer();
        },
        failed: (failure, detail) => fail(adminFailureOf(failure), detail),
      },
    );
  });
}

function requestHead(call: AdminCall): string {
  const lines = [
    `GET ${call.path} HTTP/1.0`,
    `Host: ${hostAndPort(call.server)}`,
    `User-Agent: ${PLAIN_USER_AGENT}`,
    `Authorization: ${basicAuthorization(call.credentials)}`,
    'Connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function understand(head: ResponseHead, body: string, where: string): AdminResult<AdminAnswer> {
  const said = `${where} answered ${head.status} ${head.reason}`.trim();
  if (head.protocol !== 'http')
    return {
      ok: false,
      failure: 'bad-answer',
      detail: `${where} is no web server`,
    };
  if (head.status === 401)
    return {
      ok: false,
      failure: 'unauthorised',
      detail: `${said} to our password`,
    };
  if (head.status === 403 || head.status === 503) {
    return {
      ok: false,
      failure: 'overloaded',
      detail: `${said} (${sentenceOf(body)})`,
    };
  }
  if (head.status >= 300 && head.status < 400) {
    return {
      ok: false,
      failure: 'bad-answer',
      detail: `${said}: a redirect is not followed`,
    };
  }
  if (head.status >= 500) return { ok: false, failure: 'bad-answer', detail: said };
  return { ok: true, value: { status: head.status, body, date: head.headers.get('date') ?? null } };
}

/** The words of one of Icecast's HTML error pages. */
export function sentenceOf(html: string): string {
  const body = /<body[^>]*>([\s\S]*)<\/body>/i.exec(html)?.[1] ?? html;
  return printable(
    body
      .slice(0, 2000)
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' '),
    160,
  );
}

function adminFailureOf(failure: WireFailure): AdminFailure {
  switch (failure) {
    case 'timed-out':
      return 'timed-out';
    // A full Icecast hangs up on whoever comes next, and its 403 is often lost on the way.
    case 'closed':
      return 'overloaded';
    case 'bad-response':
    case 'tls':
      return 'bad-answer';
    case 'refused':
    case 'name-not-found':
      return failure;
  }
}
