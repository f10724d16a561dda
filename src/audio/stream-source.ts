import type { Readable } from 'node:stream';
import { messageOf } from '../platform/errors.ts';
import { type ByteSource, KNOWN_KINDS, UnreadableSound } from './byte-source.ts';
import { id3Bytes, SNIFF_BYTES, sniffContainer, wavLength } from './sniff.ts';

/** Whatever it is, a pipe or a socket: it can be read once only, so what was looked at is handed on. @throws UnreadableSound */
export async function openStream(
  stream: Readable,
  name: string,
  interrupted?: AbortSignal,
): Promise<ByteSource> {
  const leave = () => void stream.destroy();
  interrupted?.addEventListener('abort', leave, { once: true });
  if (interrupted?.aborted === true) leave();
  try {
    return await begun(stream, name);
  } catch (thrown) {
    if (interrupted?.aborted !== true) throw thrown;
    throw new UnreadableSound(`${name}: stopped before anything was heard`);
  } finally {
    interrupted?.removeEventListener('abort', leave);
  }
}

async function begun(stream: Readable, name: string): Promise<ByteSource> {
  const chunks = readable(stream, name);
  const first: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < SNIFF_BYTES) {
    const next = await chunks.next();
    if (next.done === true) break;
    first.push(next.value);
    bytes += next.value.length;
  }
  if (bytes === 0) throw new UnreadableSound(`${name} is empty`);
  const head = Buffer.concat(first);
  const container = sniffContainer(head) ?? (id3Bytes(head) > 0 ? 'mp3' : null);
  if (container === null) {
    stream.destroy();
    throw new UnreadableSound(`${name} is no sound that is known here (${KNOWN_KINDS})`);
  }
  return {
    container,
    totalBytes: null,
    saidLength: wavLength(head),
    async *chunks() {
      yield head;
      yield* chunks;
    },
    close: async () => void stream.destroy(),
  };
}

async function* readable(stream: Readable, name: string): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (thrown) {
    throw new UnreadableSound(`${name} cannot be read: ${messageOf(thrown)}`);
  }
}
