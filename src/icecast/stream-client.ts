import type { Mount } from '../domain/ids.ts';
import type { LinkFailure } from '../domain/readings.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import {
  basicAuthorization,
  type Credentials,
  hostAndPort,
  mountPath,
  parseServerUrl,
  type ServerAddress,
} from './address.ts';
import { isCertainlyNotAudio, sniffContentType } from './format.ts';
import type { ResponseHead } from './response-head.ts';
import { printable } from './text.ts';
import { MOST_USER_AGENT_CHARS } from './user-agent.ts';
import { type ConnectionStep, type Exchange, exchange } from './wire.ts';

export interface StreamLimits {
  /** From the start of connecting to the end of the answer's head. */
  readonly headWithinMs: number;
  /** What may come at once (Icecast sends its burst as fast as the line allows). */
  readonly burstBytes: number;
  /** What may come per second for ever after. */
  readonly bytesPerSecond: number;
  /** Zero for servers out of the config: an Icecast has no reason to send its monitors elsewhere. */
  readonly maxRedirects: number;
}

export const STREAM_LIMITS: StreamLimits = {
  headWithinMs: 5_000,
  burstBytes: 2 * 1024 * 1024,
  bytesPerSecond: 500_000,
  maxRedirects: 0,
};

export interface StreamRequest {
  readonly server: ServerAddress;
  readonly mount: Mount;
  readonly userAgent: string;
  /** Ask for titles between the sound. */
  readonly icyMetadata: boolean;
  readonly credentials?: Credentials;
  readonly limits?: Partial<StreamLimits>;
}

export interface StreamHead {
  /** What the server said, or what the first bytes look like when it didn't. */
  readonly contentType: string;
  /** Sound bytes between two metadata blocks; null when there are none. */
  readonly icyMetaint: number | null;
  readonly headers: ReadonlyMap<string, string>;
}

/** `opened` once, then `bytes`; `failed` last, at most once. Nothing comes after `destroy`. */
export interface StreamHandlers {
  reached?(step: ConnectionStep): void;
  opened(head: StreamHead): void;
  bytes(chunk: Buffer): void;
  failed(failure: LinkFailure, detail: string): void;
}

export interface StreamConnection {
  /** When the connection was asked for, monotonic. */
  readonly startedAtMs: number;
  /** When the last byte of the body came; null before the first. */
  readonly lastByteAtMs: number | null;
  destroy(): void;
}

/** Listens to one mount until it fails or is destroyed. A body that stalls shows in `lastByteAtMs` only. */
export function openStream(clock: Clock, request: StreamRequest, handlers: StreamHandlers): StreamConnection {
  return new IcecastStream(clock, request, handlers);
}

/** Longer than the longest frame of MPEG audio, so a stream of it has begun one by then. */
const SNIFF_BYTES = 2048;

class IcecastStream implements StreamConnection {
  readonly startedAtMs: number;
  readonly #clock: Clock;
  readonly #request: StreamRequest;
  readonly #handlers: StreamHandlers;
  readonly #limits: StreamLimits;
  readonly #visited = new Set<string>();
  #exchange: Exchange | null = null;
  #head: ResponseHead | null = null;
  #isOpen = false;
  #over = false;
  #cancelSniffing: Cancel = () => {};
  #lastByteAtMs: number | null = null;
  #held: Buffer = Buffer.alloc(0);
  #allowance: number;
  #allowanceAtMs: number;

  constructor(clock: Clock, request: StreamRequest, handlers: StreamHandlers) {
    this.#clock = clock;
    this.#request = request;
    this.#handlers = handlers;
    this.#limits = { ...STREAM_LIMITS, ...request.limits };
    this.startedAtMs = clock.nowMs();
    this.#allowance = this.#limits.burstBytes;
    this.#allowanceAtMs = this.startedAtMs;
    this.#ask(request.server, mountPath(request.mount));
  }

  get lastByteAtMs(): number | null {
    return this.#lastByteAtMs;
  }

  destroy(): void {
    this.#over = true;
    this.#cancelSniffing();
    this.#exchange?.destroy();
  }

  #ask(address: ServerAddress, path: string): void {
    this.#visited.add(`${address.tls} ${hostAndPort(address)} ${path}`);
    this.#head = null;
    this.#exchange = exchange(
      this.#clock,
      {
        address,
        request: this.#requestHead(address, path),
        headWithinMs: this.#limits.headWithinMs,
      },
      {
        reached: (step) => this.#handlers.reached?.(step),
        head: (head) => this.#answered(head, address, path),
        body: (chunk) => this.#body(chunk),
        ended: (whole) => this.#fail('closed', whole ? 'the server ended the stream' : 'the server hung up'),
        failed: (failure, detail) => this.#fail(failure, detail),
      },
    );
  }

  #requestHead(address: ServerAddress, path: string): string {
    const { credentials, userAgent, icyMetadata, server } = this.#request;
    // A password is for the server it was configured for, and for no other that this one may point to.
    const isOwn = hostAndPort(address) === hostAndPort(server) && address.tls === server.tls;
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: ${hostAndPort({ ...address, host: address.name ?? address.host })}`,
      `User-Agent: ${printable(userAgent, MOST_USER_AGENT_CHARS)}`,
      'Accept: */*',
      ...(icyMetadata ? ['Icy-MetaData: 1'] : []),
      ...(credentials && isOwn ? [`Authorization: ${basicAuthorization(credentials)}`] : []),
      'Connection: close',
    ];
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  #answered(head: ResponseHead, address: ServerAddress, path: string): void {
    if (head.status >= 300 && head.status < 400) {
      this.#redirected(head, address, path);
      return;
    }
    const refusal = refusalOf(head);
    if (refusal !== null) {
      this.#fail(refusal.failure, refusal.detail);
      return;
    }
    this.#head = head;
    const contentType = head.headers.get('content-type') ?? '';
    if (isCertainlyNotAudio(contentType)) {
      this.#fail('not-audio', `the server sends ${printable(contentType, 80)}, which is no sound`);
      return;
    }
    if (!needsSniffing(contentType)) {
      this.#open(contentType);
      return;
    }
    const { headWithinMs } = this.#limits;
    this.#cancelSniffing = this.#clock.after(headWithinMs, () =>
      this.#fail('not-audio', `nothing that could be known as sound within ${headWithinMs} ms`),
    );
  }

  #redirected(head: ResponseHead, address: ServerAddress, path: string): void {
    const location = head.headers.get('location') ?? '';
    const shown = printable(withoutSecrets(location), 120);
    if (this.#limits.maxRedirects === 0) {
      this.#fail('redirected', `the server redirects to "${shown}", which is not followed`);
      return;
    }
    if (this.#visited.size > this.#limits.maxRedirects) {
      this.#fail('redirected', `more than ${this.#limits.maxRedirects} redirects`);
      return;
    }
    const base = `${address.tls ? 'https' : 'http'}://${hostAndPort(address)}${path}`;
    const url = URL.canParse(location, base) ? new URL(location, base) : null;
    const next = url === null ? null : parseServerUrl(url.href, address.ca ?? null);
    if (url === null || next === null) {
      this.#fail('redirected', `the server redirects to "${shown}", which is no http address`);
      return;
    }
    const nextPath = `${url.pathname}${url.search}`;
    if (this.#visited.has(`${next.tls} ${hostAndPort(next)} ${nextPath}`)) {
      this.#fail('redirected', `the redirects go round in a circle at "${shown}"`);
      return;
    }
    this.#exchange?.destroy();
    this.#ask(next, nextPath);
  }

  #open(contentType: string): void {
    const metaint = this.#request.icyMetadata ? (this.#head?.headers.get('icy-metaint') ?? '') : '';
    this.#isOpen = true;
    this.#handlers.opened({
      contentType,
      icyMetaint: /^\d{1,9}$/.test(metaint) ? Number(metaint) : null,
      headers: this.#head?.headers ?? new Map(),
    });
  }

  #body(chunk: Buffer): void {
    if (this.#over) return;
    const isFirst = this.#lastByteAtMs === null;
    this.#lastByteAtMs = this.#clock.nowMs();
    if (!this.#isAllowed(chunk.length)) {
      const { bytesPerSecond } = this.#limits;
      this.#fail('too-fast', `more than ${bytesPerSecond} bytes a second for longer than a burst`);
      return;
    }
    if (!this.#isOpen) {
      this.#sniff(chunk);
      return;
    }
    const looksLike = isFirst ? sniffContentType(chunk) : null;
    if (looksLike !== null && isCertainlyNotAudio(looksLike)) this.#failAsPage();
    else this.#handlers.bytes(chunk);
  }

  /** Holds the first bytes back until they show what they are, for a server that doesn't say. */
  #sniff(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    const looksLike = sniffContentType(this.#held);
    if (looksLike === null) {
      if (this.#held.length >= SNIFF_BYTES)
        this.#fail('not-audio', 'the server sends bytes of no known kind of sound');
      return;
    }
    if (isCertainlyNotAudio(looksLike)) {
      this.#failAsPage();
      return;
    }
    this.#cancelSniffing();
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    this.#open(looksLike);
    if (!this.#over) this.#handlers.bytes(held);
  }

  #failAsPage(): void {
    this.#fail('not-audio', 'the server sends a web page or a playlist in place of sound');
  }

  /** A bucket that fills by the second: a burst may empty it, a flood does. */
  #isAllowed(bytes: number): boolean {
    const nowMs = this.#clock.nowMs();
    const earned = ((nowMs - this.#allowanceAtMs) / 1000) * this.#limits.bytesPerSecond;
    this.#allowance = Math.min(this.#limits.burstBytes, this.#allowance + earned) - bytes;
    this.#allowanceAtMs = nowMs;
    return this.#allowance >= 0;
  }

  #fail(failure: LinkFailure, detail: string): void {
    if (this.#over) return;
    this.destroy();
    this.#handlers.failed(failure, detail);
  }
}

function needsSniffing(contentType: string): boolean {
  return contentType === '' || /^(application|binary)\/(octet-stream|unknown)/i.test(contentType);
}

function refusalOf(head: ResponseHead): { failure: LinkFailure; detail: string } | null {
  const said = `the server answered ${head.status} ${head.reason}`.trim();
  if (head.status === 200) return null;
  if (head.status === 404 || head.status === 410) return { failure: 'mount-not-found', detail: said };
  if (head.status === 401) return { failure: 'unauthorised', detail: said };
  // Icecast 2.4 says 403 when a mount or the whole server has no room for another listener.
  if (head.status === 403 || head.status === 503) return { failure: 'server-full', detail: said };
  return { failure: 'bad-response', detail: said };
}

function withoutSecrets(location: string): string {
  return location.replace(/\/\/[^/@]*@/, '//').replace(/\?.*$/, '?…');
}
