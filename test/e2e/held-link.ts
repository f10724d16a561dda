import { createServer, connect as dial, type Socket } from 'node:net';

/** A line to a server that can stand still: what is sent meanwhile comes all at once, as over a network that paused. */
export interface HeldLink {
  readonly port: number;
  hold(): void;
  release(): void;
  close(): void;
}

export function startHeldLink(
  host: string,
  to: { readonly host: string; readonly port: number },
): Promise<HeldLink> {
  const sockets = new Set<Socket>();
  const waiting: (() => void)[] = [];
  let isHeld = false;
  const pass = (bytes: Buffer, target: Socket): void => {
    if (isHeld) waiting.push(() => target.write(bytes));
    else target.write(bytes);
  };
  const server = createServer((client) => {
    const upstream = dial(to.port, to.host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
        sockets.delete(socket);
      });
    }
    client.on('data', (bytes: Buffer) => pass(bytes, upstream));
    upstream.on('data', (bytes: Buffer) => pass(bytes, client));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      if (address === null || typeof address !== 'object') return reject(new Error('no port'));
      resolve({
        port: address.port,
        hold() {
          isHeld = true;
        },
        release() {
          isHeld = false;
          for (const send of waiting.splice(0)) send();
        },
        close() {
          for (const socket of sockets) socket.destroy();
          server.close();
        },
      });
    });
  });
}
