import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import type { Cancel, Clock } from '../platform/clock.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import { hostAndPort, type ServerAddress } from './address.ts';
import { ChunkedDecoder } from './chunked.ts';
import { HeadParser, type ResponseHead } from './response-head.ts';

/** How an exchange can fail on the wire, before anyone looks at what the answer means. */
export type WireFailure = 'name-not-found' | 'refused' | 'timed-out' | 'tls' | 'bad-response' | 'closed';

export type ConnectionStep = 'connected' | 'secured';

export interface WireRequest {
  readonly address: ServerAddress;
  /** The whole request head (and body, if any), ready to send. */
  readonly request: string;
  /** From the start of connecting to the end of the answer's head. */
  readonly headWithinMs: number;
  /** A source client's connection goes on after an answer of length zero. */
  readonly ignoreLength?: boolean;
}

/** After `head`, `body` comes as it arrives; one of `ended` and `failed` is last. Nothing comes after `destroy`. */
export interface WireHandlers {
  /** How far the connection has got; over TLS `secured` comes second. */
  reached?(step: ConnectionStep): void;
  /** An interim answer (100 Continue). With this handler it ends the waiting for the answer, too. */
  interim?(): void;
  head(head: ResponseHead): void;
  body(chunk: Buffer): void;
  /** `whole`: the answer was as long as it said. False also when it never said. */
  ended(whole: boolean): void;
  failed(failure: WireFailure, detail: string): void;
}

export interface Exchange {
  /** What was written and has not left this machine's memory yet. */
  readonly unsentBytes: number;
  /** Sends more of the request's body. Does nothing when the exchange is over. */
  write(chunk: Uint8Array): void;
  destroy(): void;
}

/** One request and its answer over one connection, which is gone for certain when this is over. */
export function exchange(clock: Clock, request: WireRequest, handlers: WireHandlers): Exchange {
  try {
    return new WireExchange(clock, request, handlers);
  } catch (thrown) {
    // Node throws where it should report: an unreadable certificate authority, a port that is none.
    const cancel = clock.after(0, () => handlers.failed('tls', messageOf(thrown)));
    return { unsentBytes: 0, write: () => {}, destroy: cancel };
  }
}

const NO_WAY_THERE = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EACCES', 'EINVAL'];
const NOT_TLS = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', ...NO_WAY_THERE];

class WireExchange implements Exchange {
  readonly #handlers: WireHandlers;
  readonly #where: string;
  readonly #socket: Socket;
  readonly #ignoreLength: boolean;
  readonly #cancelDeadline: Cancel;
  #parser = new HeadParser();
  #framing: 'none-yet' | 'until-close' | 'length' | ChunkedDecoder = 'none-yet';
  #left = 0;
  #connected = false;
  #over = false;

  constructor(clock: Clock, request: WireRequest, handlers: WireHandlers) {
    this.#handlers = handlers;
    this.#socket = dial(request.address, (chunk) => this.#data(chunk));
    this.#ignoreLength = request.ignoreLength ?? false;
    this.#where = hostAndPort(request.address);
    this.#cancelDeadline = clock.after(request.headWithinMs, () => this.#deadline(request.headWithinMs));
    this.#socket.once('connect', () => this.#reached('connected', !request.address.tls));
    if (request.address.tls) this.#socket.once('secureConnect', () => this.#reached('secured', true));
    this.#socket.setNoDelay(true);
    // A peer that vanished without a word is found by the kernel too, not by our watchdogs alone.
    this.#socket.setKeepAlive(true, 10_000);
    this.#socket.on('end', () => this.#end());
    this.#socket.on('close', () => this.#end());
    this.#socket.on('error', (error) => this.#error(error, request.address.tls));
    this.#socket.write(request.request);
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  write(chunk: Uint8Array): void {
    if (!this.#over) this.#socket.write(chunk);
  }

  destroy(): void {
    this.#finish(() => {});
  }

  #reached(step: ConnectionStep, isUsable: boolean): void {
    if (this.#over) return;
    this.#connected = isUsable;
    this.#handlers.reached?.(step);
  }

  #data(chunk: Buffer): void {
    if (this.#over) return;
    if (this.#framing !== 'none-yet') {
      this.#body(chunk);
      return;
    }
    let progress = this.#parser.push(chunk);
    while (progress.is === 'head' && progress.head.status < 200) {
      // An interim answer (100 Continue): the real one follows.
      this.#parser = new HeadParser();
      this.#toldInterim();
      if (this.#over || progress.rest.length === 0) return;
      progress = this.#parser.push(progress.rest);
    }
    if (progress.is === 'more') return;
    if (progress.is === 'bad') {
      this.#fail('bad-response', `${this.#where}: ${progress.detail}`);
      return;
    }
    this.#cancelDeadline();
    const expectsBody = this.#chooseFraming(progress.head);
    this.#handlers.head(progress.head);
    if (this.#over) return;
    if (!expectsBody) this.#finish(() => this.#handlers.ended(true));
    else if (progress.rest.length > 0) this.#body(progress.rest);
  }

  #toldInterim(): void {
    if (this.#handlers.interim === undefined) return;
    this.#cancelDeadline();
    this.#handlers.interim();
  }

  /** False when the answer says that it has no body. */
  #chooseFraming(head: ResponseHead): boolean {
    this.#framing = 'until-close';
    if (head.protocol !== 'http' || this.#ignoreLength) return true;
    const length = head.headers.get('content-length') ?? '';
    if (/\bchunked\b/i.test(head.headers.get('transfer-encoding') ?? '')) {
      this.#framing = new ChunkedDecoder();
    } else if (/^\d{1,15}$/.test(length)) {
      this.#framing = 'length';
      this.#left = Number(length);
      return this.#left > 0;
    }
    return true;
  }

  #body(chunk: Buffer): void {
    const framing = this.#framing;
    if (framing instanceof ChunkedDecoder) {
      const result = framing.push(chunk);
      for (const piece of result.data) if (!this.#over) this.#handlers.body(piece);
      if (result.is === 'end') this.#finish(() => this.#handlers.ended(true));
      if (result.is === 'bad') this.#fail('bad-response', `${this.#where}: its chunked transfer is broken`);
      return;
    }
    if (framing !== 'length') {
      this.#handlers.body(chunk);
      return;
    }
    const piece = chunk.subarray(0, this.#left);
    this.#left -= piece.length;
    if (piece.length > 0) this.#handlers.body(piece);
    if (this.#left === 0) this.#finish(() => this.#handlers.ended(true));
  }

  #end(): void {
    if (this.#over) return;
    if (this.#framing !== 'none-yet') {
      this.#finish(() => this.#handlers.ended(false));
      return;
    }
    const how = this.#parser.isEmpty ? 'without an answer' : 'in the middle of the head of its answer';
    this.#fail('closed', `${this.#where} hung up ${how}`);
  }

  #error(error: Error, tls: boolean): void {
    const code = codeOf(error);
    if (this.#framing !== 'none-yet' || (this.#connected && code === 'ECONNRESET')) {
      this.#end();
      return;
    }
    if (code === 'ENOTFOUND' || code.startsWith('EAI_')) {
      this.#fail('name-not-found', `the name in ${this.#where} can't be resolved (${code})`);
      return;
    }
    if (code === 'ETIMEDOUT') {
      this.#fail('timed-out', `${this.#where} did not answer (${code})`);
      return;
    }
    if (NO_WAY_THERE.includes(code)) {
      const what = code === 'ECONNREFUSED' ? 'refuses connections' : "can't be reached";
      this.#fail('refused', `${this.#where} ${what} (${code})`);
      return;
    }
    if (tls && !this.#connected && !NOT_TLS.includes(code)) {
      this.#fail('tls', `no TLS with ${this.#where} (${code === '' ? error.name : code})`);
      return;
    }
    this.#fail('closed', `the connection to ${this.#where} broke (${code === '' ? error.name : code})`);
  }

  #deadline(headWithinMs: number): void {
    const waitingFor = !this.#connected
      ? 'connection'
      : this.#parser.isEmpty
        ? 'answer'
        : 'whole head of an answer';
    this.#fail('timed-out', `${this.#where} gave no ${waitingFor} within ${headWithinMs} ms`);
  }

  #fail(failure: WireFailure, detail: string): void {
    this.#finish(() => this.#handlers.failed(failure, detail));
  }

  #finish(tell: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelDeadline();
    this.#socket.destroy();
    tell();
  }
}

/** Every connection is read into this one, and what came is copied out at its own length, where Node would make 64 KiB for each. */
const inbox = Buffer.allocUnsafeSlow(64 * 1024);

function dial(address: ServerAddress, onBytes: (chunk: Buffer) => void): Socket {
  const { host, port } = address;
  const onread = {
    buffer: inbox,
    callback(count: number): boolean {
      onBytes(Buffer.from(inbox.subarray(0, count)));
      return true;
    },
  };
  if (!address.tls) return connectTcp({ host, port, onread });
  const name = address.name ?? host;
  const isName = !/^[\d.]+$|:/.test(name);
  return connectTls({
    ...{ host, port, onread },
    ...(isName ? { servername: name } : {}),
    ...(address.ca === undefined ? {} : { secureContext: trusting(address.ca) }),
  });
}

const contexts = new Map<string, SecureContext>();

/** To trust these authorities beside those that Node.js knows. Kept, as reading more than a hundred of them takes its time. */
function trusting(ca: string): SecureContext {
  const context = contexts.get(ca) ?? createSecureContext({ ca: [...rootCertificates, ca] });
  contexts.set(ca, context);
  return context;
}
