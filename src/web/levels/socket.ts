import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Cancel, Clock } from '../../platform/clock.ts';
import { neighbourhoodOf } from '../access/client.ts';
import type { Gate, Person } from '../access/gate.ts';
import { type RequestLimiter, WRONG_TOKEN_COST } from '../access/request-limiter.ts';
import type { LevelsHub } from './hub.ts';

export const LEVELS_PATH = '/api/v1/levels';

/** A reader has nothing to say, so its first word is its last. */
const MOST_MESSAGE_BYTES = 1024;
const MOST_READERS = 1_000;
const MOST_READERS_PER_SESSION = 20;
/** Whoever doesn't answer a ping before the next one is gone; who isn't signed in any more goes. */
const PING_EVERY_MS = 20_000;
/** Who was refused and doesn't take the answer is let go of after this. */
const REFUSED_MS = 2_000;

/** Codes of a close, as RFC 6455 7.4 has them; from 4000 on they are our own. */
const CLOSE = { stopping: 1001, unasked: 1008, signedOut: 4401 } as const;

export interface LevelSocketsOptions {
  readonly hub: LevelsHub;
  readonly gate: Gate;
  readonly limiter: RequestLimiter;
  readonly clock: Clock;
}

interface Open {
  readonly person: Person;
  readonly leave: Cancel;
  answered: boolean;
}

/** The WebSocket side of `/api/v1/levels`: nothing but frames goes out, and nothing at all comes in. */
export class LevelSockets {
  readonly #options: LevelSocketsOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MOST_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  readonly #open = new Map<WebSocket, Open>();
  readonly #cancel: Cancel;

  constructor(server: Server, options: LevelSocketsOptions) {
    this.#options = options;
    this.#cancel = options.clock.every(PING_EVERY_MS, () => this.#ping());
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  stop(): void {
    this.#cancel();
    this.#options.hub.stop();
    for (const socket of this.#open.keys()) {
      socket.close(CLOSE.stopping, 'the agent stops');
      socket.terminate();
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const { hub, gate, limiter, clock } = this.#options;
    const refuse = (status: number, error: string) => answerAndLeave(socket, status, error, clock);
    const from = neighbourhoodOf(gate.clientOf(request).address);
    const [path, query = ''] = (request.url ?? '').split('?', 2);
    const station = new URLSearchParams(query).get('station');
    const place = station === null ? null : hub.placeOf(station);
    if (path !== LEVELS_PATH) refuse(404, 'there is nothing here');
    else if (!limiter.take(from)) refuse(429, 'too many requests: wait a little');
    else {
      const asked = gate.askSocket(request);
      if (!asked.ok && request.headers.authorization !== undefined) limiter.charge(from, WRONG_TOKEN_COST);
      if (!asked.ok) refuse(asked.status, asked.error);
      else if (station !== null && place === null) refuse(404, `there is no station ${station}`);
      else if (this.#isFull(asked.person)) refuse(503, 'too many are watching');
      else
        this.#server.handleUpgrade(request, socket, head, (open) => this.#welcome(open, asked.person, place));
    }
  }

  #isFull(person: Person): boolean {
    if (this.#open.size >= MOST_READERS) return true;
    if (person.by === 'token') return false;
    const own = [...this.#open.values()].filter(
      (one) => one.person.by === 'session' && one.person.key === person.key,
    );
    return own.length >= MOST_READERS_PER_SESSION;
  }

  #welcome(socket: WebSocket, person: Person, place: number | null): void {
    const reader = {
      get bufferedBytes() {
        return socket.bufferedAmount;
      },
      send: (message: Uint8Array | string) => socket.send(message),
    };
    const leave = this.#options.hub.add(reader, place);
    this.#open.set(socket, { person, leave, answered: true });
    socket.on('pong', () => {
      const open = this.#open.get(socket);
      if (open !== undefined) open.answered = true;
    });
    socket.on('message', () => socket.close(CLOSE.unasked, 'nothing is to be said here'));
    // A broken connection is told by its close as well.
    socket.on('error', () => socket.terminate());
    socket.once('close', () => {
      leave();
      this.#open.delete(socket);
    });
  }

  #ping(): void {
    for (const [socket, open] of this.#open) {
      if (!open.answered) socket.terminate();
      else if (!this.#options.gate.mayStay(open.person)) socket.close(CLOSE.signedOut, 'signed out');
      else {
        open.answered = false;
        socket.ping();
      }
    }
  }
}

const REASONS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

/** An upgraded connection has no time limit and may stay half open for ever, so it is not only ended. */
function answerAndLeave(socket: Duplex, status: number, error: string, clock: Clock): void {
  const body = JSON.stringify({ error });
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Error'}`,
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  const leave = () => socket.destroy();
  socket.once('close', clock.after(REFUSED_MS, leave));
  socket.once('finish', leave);
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
