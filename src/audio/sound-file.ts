import { constants, openSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { codeOf, messageOf } from '../platform/errors.ts';
import { type ByteSource, KNOWN_KINDS, UnreadableSound } from './byte-source.ts';
import { id3Bytes, SNIFF_BYTES, sniffContainer, wavLength } from './sniff.ts';
import { openStream } from './stream-source.ts';

const CHUNK_BYTES = 128 * 1024;

/** What a command line names: a file, or `-`, its standard input. @throws UnreadableSound, also when `interrupted` */
export async function openSound(word: string, interrupted: AbortSignal): Promise<ByteSource> {
  if (word === '-') return openStream(process.stdin, 'standard input', interrupted);
  const found = await stat(word).catch(() => null);
  if (found?.isFIFO() !== true) return openFile(word);
  return openStream(new Socket({ fd: openPipe(word), writable: false }), word, interrupted);
}

/** Opens a file and looks at what it is; ffmpeg never learns its name. @throws UnreadableSound */
export async function openFile(path: string): Promise<ByteSource> {
  const file = await openForReading(path);
  try {
    return await sourceOf(path, file);
  } catch (thrown) {
    await file.close();
    throw thrown instanceof UnreadableSound
      ? thrown
      : new UnreadableSound(`${path} cannot be read: ${messageOf(thrown)}`);
  }
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (thrown) {
    throw notOpened(path, thrown);
  }
}

/** A named pipe into which nobody writes yet would hold up whoever opens it, and could not be left again. */
function openPipe(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    throw notOpened(path, thrown);
  }
}

function notOpened(path: string, thrown: unknown): UnreadableSound {
  const code = codeOf(thrown);
  if (code === 'ENOENT' || code === 'ENOTDIR') return new UnreadableSound(`${path} does not exist`);
  if (code === 'EACCES') return new UnreadableSound(`${path} may not be read by this user`);
  return new UnreadableSound(`${path} cannot be opened: ${messageOf(thrown)}`);
}

async function sourceOf(path: string, file: FileHandle): Promise<ByteSource> {
  const stat = await file.stat();
  if (stat.isDirectory()) throw new UnreadableSound(`${path} is a folder, not a file`);
  if (!stat.isFile()) return openStream(file.createReadStream(), path);
  const head = await readFully(file, SNIFF_BYTES, 0);
  if (head.length === 0) throw new UnreadableSound(`${path} is empty`);
  const tagBytes = id3Bytes(head);
  const start = tagBytes > 0 ? await readFully(file, SNIFF_BYTES, tagBytes) : head;
  if (start.length === 0) throw new UnreadableSound(`${path} holds an ID3 tag and no sound`);
  const container = sniffContainer(start);
  if (container === null)
    throw new UnreadableSound(`${path} is no sound that is known here (${KNOWN_KINDS})`);
  if (container === 'mov') await mustBeReadableInOrder(path, file);
  return {
    container,
    totalBytes: stat.size,
    saidLength: wavLength(start),
    chunks: () => chunksOf(path, file, head),
    close: () => file.close(),
  };
}

async function* chunksOf(path: string, file: FileHandle, head: Buffer): AsyncIterable<Uint8Array> {
  yield head;
  let at = head.length;
  for (;;) {
    // A buffer of its own for each chunk: the pipe to ffmpeg may hold on to it.
    const chunk = await readFully(file, CHUNK_BYTES, at).catch((thrown: unknown) => {
      throw new UnreadableSound(`${path} cannot be read: ${messageOf(thrown)}`);
    });
    if (chunk.length === 0) return;
    at += chunk.length;
    yield chunk;
  }
}

/** Fewer bytes only where the file ends. */
async function readFully(file: FileHandle, bytes: number, position: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.read(buffer, filled, bytes - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

const BOX_HEAD_BYTES = 16;
const MOST_BOXES = 64;

/** An M4A whose index stands behind the sound can only be read by jumping, and a pipe can't jump. */
async function mustBeReadableInOrder(path: string, file: FileHandle): Promise<void> {
  let at = 0;
  for (let boxes = 0; boxes < MOST_BOXES; boxes += 1) {
    const head = await readFully(file, BOX_HEAD_BYTES, at);
    const type = head.toString('latin1', 4, 8);
    if (head.length < 8 || type === 'moov') return;
    if (type === 'mdat') {
      const how = 'ffmpeg -i in.m4a -c copy -movflags +faststart out.m4a puts it in front';
      throw new UnreadableSound(`${path} has its index at the end, so it cannot be read in order: ${how}`);
    }
    const size = head.readUInt32BE(0);
    const bytes = size === 1 && head.length === BOX_HEAD_BYTES ? Number(head.readBigUInt64BE(8)) : size;
    if (bytes < 8) return;
    at += bytes;
  }
}
