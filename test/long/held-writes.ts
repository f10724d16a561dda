import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The way to an HTTP API, on which writes can be held up while reads go through. */
export interface HeldWrites {
  readonly url: string;
  /** Known only when the API runs; until then everything is answered 503. */
  leadTo(url: string): void;
  hold(): void;
  /** What was held is hung up on and never arrives; what comes from now on goes through. */
  drop(): void;
  close(): void;
}

export async function startHeldWrites(host: string): Promise<HeldWrites> {
  let to: string | null = null;
  let isHeld = false;
  const held: ServerResponse[] = [];
  const server = createServer((incoming, answer) => {
    if (to === null) {
      answer.writeHead(503).end();
      return;
    }
    if (isHeld && incoming.method !== 'GET') {
      incoming.resume();
      held.push(answer);
      return;
    }
    const { method, headers } = incoming;
    const onward = request(new URL(incoming.url ?? '/', to), { method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    leadTo(url) {
      to = url;
    },
    hold() {
      isHeld = true;
    },
    drop() {
      isHeld = false;
      for (const answer of held.splice(0)) answer.destroy();
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
