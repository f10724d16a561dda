import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import type { AlertMessage } from '../../../src/alerts/message.ts';
import { MYFM } from '../decide/builders.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** What it answers from now on; null: nothing at all. */
  answer: {
    readonly status: number;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  } | null;
}

/** A real HTTP server that keeps what it was sent. */
export async function startReceiver(): Promise<Receiver> {
  const receiver: { received: Received[]; answer: Receiver['answer'] } = {
    received: [],
    answer: { status: 204 },
  };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      receiver.received.push({ path: request.url ?? '', headers: request.headers, body });
      if (receiver.answer === null) return;
      response.writeHead(receiver.answer.status, receiver.answer.headers);
      response.end(receiver.answer.body);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, { url: `http://127.0.0.1:${port}` });
}

export function message(
  kind: AlertMessage['kind'] = 'opened',
  changes: Partial<AlertMessage['incident']> = {},
  unixMs = 1_800_000_000_000,
): AlertMessage {
  const incident = {
    id: 'myfm-london-abc-sound',
    station: MYFM,
    thread: 'sound',
    severity: 'warning',
    title: 'london: primary to autodj',
    cause: '/primary is silent for 5.1 s',
    openedUnixMs: unixMs - 65_000,
    closedUnixMs: kind === 'closed' ? unixMs : null,
    acknowledgedBy: kind === 'acknowledged' ? 'ann' : null,
    servers: ['london'],
    deadAirMs: { london: 5100 },
    unheard: [],
    says: 'london: primary to autodj',
    also: [],
    ...changes,
  } as const;
  return { id: `${incident.id}.${kind}`, kind, unixMs, agent: 'london', incident };
}
