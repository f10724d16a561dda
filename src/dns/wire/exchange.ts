import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

export interface Authority {
  readonly host: string;
  readonly port: number;
}

/** What came back, or why nothing did. */
export type Exchanged =
  | { readonly is: 'answered'; readonly bytes: Buffer }
  | { readonly is: 'aborted' }
  | { readonly is: 'failed'; readonly thrown: unknown };

export function authorityText({ host, port }: Authority): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** How long one UDP packet is waited for before it counts as lost and is sent again: a reading has 4 s, and needs all of its answers. */
const UDP_RESEND_MS = 400;
const HEADER_BYTES = 12;

/**
 * One message over UDP, sent again while no answer comes, as packets may be lost. Answers with another id, or from
 * elsewhere (the socket is connected), are not ours.
 */
export function askOverUdp(authority: Authority, message: Buffer, signal: AbortSignal): Promise<Exchanged> {
  return new Promise((resolve) => {
    const socket = createSocket(authority.host.includes(':') ? 'udp6' : 'udp4');
    let resend: NodeJS.Timeout | null = null;
    let isOver = false;
    const finish = (result: Exchanged) => {
      if (isOver) return;
      isOver = true;
      if (resend !== null) clearInterval(resend);
      signal.removeEventListener('abort', onAbort);
      socket.close();
      resolve(result);
    };
    const onAbort = () => finish({ is: 'aborted' });
    const send = () => socket.send(message);
    socket.on('error', (thrown) => finish({ is: 'failed', thrown }));
    socket.on('message', (bytes) => {
      if (bytes.length >= HEADER_BYTES && bytes.readUInt16BE(0) === message.readUInt16BE(0))
        finish({ is: 'answered', bytes });
    });
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort);
    socket.connect(authority.port, authority.host, (thrown?: Error) => {
      if (isOver) return;
      if (thrown) return finish({ is: 'failed', thrown });
      send();
      resend = setInterval(send, UDP_RESEND_MS);
    });
  });
}

/** One message over TCP: two bytes of length before each message (RFC 1035, 4.2.2). */
export function askOverTcp(authority: Authority, message: Buffer, signal: AbortSignal): Promise<Exchanged> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ is: 'aborted' });
    const socket = connect({ host: authority.host, port: authority.port });
    let received = Buffer.alloc(0);
    const finish = (result: Exchanged) => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(result);
    };
    const onAbort = () => finish({ is: 'aborted' });
    signal.addEventListener('abort', onAbort);
    socket.on('error', (thrown) => finish({ is: 'failed', thrown }));
    socket.on('close', () => finish({ is: 'failed', thrown: new Error('closed') }));
    socket.on('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    });
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2) return;
      const end = 2 + received.readUInt16BE(0);
      if (received.length >= end) finish({ is: 'answered', bytes: received.subarray(2, end) });
    });
  });
}
