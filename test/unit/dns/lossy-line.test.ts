import { createSocket, type Socket } from 'node:dgram';
import packet from 'dns-packet';
import { afterEach, expect, test } from 'vitest';
import { ask } from '../../../src/dns/wire/query.ts';

let server: Socket | null = null;
afterEach(() => server?.close());

/** A name server behind a line that swallows so many packets before it lets one through. */
async function startBehindLoss(lost: number): Promise<number> {
  const socket = createSocket('udp4');
  server = socket;
  let left = lost;
  socket.on('message', (bytes, from) => {
    left -= 1;
    if (left >= 0) return;
    const { id, questions = [] } = packet.decode(bytes);
    const [question] = questions;
    if (question === undefined) return;
    const answers = [{ name: question.name, type: 'A' as const, ttl: 30, data: '203.0.113.10' }];
    const flags = packet.AUTHORITATIVE_ANSWER;
    socket.send(
      packet.encode({ type: 'response', ...(id === undefined ? {} : { id }), flags, questions, answers }),
      from.port,
      from.address,
    );
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.101', resolve));
  return socket.address().port;
}

test('an answer comes through a line that loses most packets, in the 4 s that a reading has', async () => {
  const port = await startBehindLoss(6);
  const signal = AbortSignal.timeout(4_000);
  const asked = await ask({ host: '127.0.0.101', port }, 'stream.myfm.example', 'A', signal);
  expect(asked).toMatchObject({ is: 'answer', records: [{ data: '203.0.113.10' }] });
});
