import type { Mount } from '../domain/ids.ts';
import type { Clock } from '../platform/clock.ts';
import {
  basicAuthorization,
  type Credentials,
  hostAndPort,
  mountPath,
  type ServerAddress,
} from './address.ts';
import type { ResponseHead } from './response-head.ts';
import { printable } from './text.ts';
import { PLAIN_USER_AGENT } from './user-agent.ts';
import { exchange, type WireFailure } from './wire.ts';

/** Why a mount can't be fed. `rejected`: in use, no room for another source, or a content type it won't take. */
export type SourceFailure = WireFailure | 'unauthorised' | 'rejected' | 'too-slow';

export interface SourceRequest {
  readonly server: ServerAddress;
  readonly mount: Mount;
  readonly credentials: Credentials;
  /** Icecast decides by it how the mount's sound is cut; without one it answers 403. */
  readonly contentType: string;
  /** `ice-name`, `ice-audio-info` and the like. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly answerWithinMs?: number;
  /** More than this unsent means that the server no longer takes what it is given. */
  readonly maxUnsentBytes?: number;
}

/** `ready` once, when sound may be written; `failed` last, at most once. Nothing comes after `destroy`. */
export interface SourceHandlers {
  ready(): void;
  failed(failure: SourceFailure, detail: string): void;
}

export interface SourceConnection {
  readonly unsentBytes: number;
  /** Before `ready` and after the end it does nothing: sound waits for nobody. */
  write(sound: Uint8Array): void;
  destroy(): void;
}

const ANSWER_WITHIN_MS = 5_000;
const MAX_UNSENT_BYTES = 512 * 1024;

/** Feeds one mount over HTTP PUT, as source clients of Icecast 2.4 and later do. */
export function openSource(clock: Clock, request: SourceRequest, handlers: SourceHandlers): SourceConnection {
  const maxUnsentBytes = request.maxUnsentBytes ?? MAX_UNSENT_BYTES;
  let state: 'asking' | 'feeding' | 'over' = 'asking';
  const ready = (): void => {
    if (state !== 'asking') return;
    state = 'feeding';
    handlers.ready();
  };
  const fail = (failure: SourceFailure, detail: string): void => {
    if (state === 'over') return;
    state = 'over';
    connection.destroy();
    handlers.failed(failure, detail);
  };
  const connection = exchange(
    clock,
    {
      address: request.server,
      request: requestHead(request),
      headWithinMs: request.answerWithinMs ?? ANSWER_WITHIN_MS,
      ignoreLength: true,
    },
    {
      // Icecast 2.4 says "100 Continue" and "200 OK" in one breath; others save the 200 for the end.
      interim: ready,
      head: (head) => {
        if (head.status === 200) ready();
        else fail(head.status === 401 ? 'unauthorised' : 'rejected', refusalIn(head));
      },
      body: () => {},
      ended: () => {
        fail('closed', 'the server took the source off');
      },
      failed: fail,
    },
  );
  return {
    get unsentBytes() {
      return connection.unsentBytes;
    },
    write(sound) {
      if (state !== 'feeding') return;
      connection.write(sound);
      if (connection.unsentBytes > maxUnsentBytes) fail('too-slow', 'the server no longer takes the sound');
    },
    destroy() {
      state = 'over';
      connection.destroy();
    },
  };
}

function refusalIn(head: ResponseHead): string {
  return `the server answered ${head.status} ${head.reason}`.trim();
}

function requestHead(request: SourceRequest): string {
  const extra = Object.entries(request.headers ?? {}).map(
    ([name, value]) => `${name.replace(/[^A-Za-z0-9-]/g, '')}: ${printable(value, 512)}`,
  );
  const lines = [
    `PUT ${mountPath(request.mount)} HTTP/1.1`,
    `Host: ${hostAndPort(request.server)}`,
    `User-Agent: ${PLAIN_USER_AGENT}`,
    `Authorization: ${basicAuthorization(request.credentials)}`,
    `Content-Type: ${printable(request.contentType, 100)}`,
    ...extra,
    'Expect: 100-continue',
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
