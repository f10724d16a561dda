// A child of levels.bench.mjs: so many readers of the meters, each of which counts what it gets and what it misses.
import { WebSocket } from 'ws';

const [url, count] = [process.argv[2], Number(process.argv[3])];
/** The kinds of binary messages, as docs/api.md has them. */
const PROCESSING = 2;
const totals = { frames: 0, processing: 0, lost: 0, bytes: 0 };
const next = new Map();
const sockets = [];
for (let n = 0; n < count; n += 1) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/levels`, {
    headers: { authorization: 'Bearer bench' },
    perMessageDeflate: false,
  });
  socket.on('message', (data, isBinary) => {
    if (!isBinary) return;
    totals.bytes += data.length;
    if (data[0] === PROCESSING) {
      totals.processing += 1;
      return;
    }
    const sequence = data.readUInt32LE(4);
    const expected = next.get(socket);
    if (expected !== undefined) totals.lost += sequence - expected;
    next.set(socket, sequence + 1);
    totals.frames += 1;
  });
  sockets.push(socket);
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
}
process.send({ open: sockets.length });
process.on('message', (message) => {
  // Half of them stop reading: what they don't fetch must not pile up in the server.
  if (message === 'stall') for (const socket of sockets.slice(count / 2)) socket.pause();
  process.send({ ...totals });
});
process.on('disconnect', () => process.exit(0));
