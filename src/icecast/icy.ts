import { StreamReader } from 'icecast-parser/dist/StreamReader.js';
import { decodeText, printable } from './text.ts';

export const MAX_TITLE_LENGTH = 512;
/** So many blocks in a row that are no metadata: the interval is a lie and the sound is being cut up. */
const BAD_BLOCKS_OF_A_LIAR = 3;
const MIN_METAINT = 256;
const MAX_METAINT = 1 << 24;
/** `StreamReader` recurses once per block inside a chunk, so chunks are handed to it in small pieces. */
const MAX_PIECE_BYTES = 4096;

/** Keys that servers put into a metadata block; a value ends only where one of these (or the end) follows. */
const KNOWN_KEYS = 'StreamTitle|StreamUrl|adw_ad|adId|durationMilliseconds|insertionType|metadata';
const FIELD = new RegExp(`(${KNOWN_KEYS})=(['"])`, 'iy');
const NEXT_FIELD = new RegExp(`(['"]);(?=\\s*(?:(?:${KNOWN_KEYS})=['"]|$))`, 'ig');

/** One metadata block, as text to show. Never anything to fetch, whatever it looks like. */
export interface IcyMetadata {
  readonly title: string | null;
  readonly url: string | null;
}

/** Null when the block begins with no known key, which real metadata always does. */
export function parseIcyBlock(block: Uint8Array): IcyMetadata | null {
  const end = block.findLastIndex((byte) => byte !== 0) + 1;
  const text = decodeText(block.subarray(0, end));
  const fields = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    FIELD.lastIndex = at;
    const field = FIELD.exec(text);
    if (field === null) break;
    const valueAt = FIELD.lastIndex;
    const close = closingOf(text, valueAt, field[2] ?? "'");
    const key = (field[1] ?? '').toLowerCase();
    if (!fields.has(key)) fields.set(key, printable(text.slice(valueAt, close.valueEnd), MAX_TITLE_LENGTH));
    at = close.next;
    while (text[at] === ' ') at += 1;
  }
  if (fields.size === 0) return null;
  return {
    title: fields.get('streamtitle') ?? null,
    url: fields.get('streamurl') ?? null,
  };
}

/** Nothing is escaped in a block, so `';` inside a title is part of it unless a known key or the end follows. */
function closingOf(text: string, from: number, quote: string): { valueEnd: number; next: number } {
  NEXT_FIELD.lastIndex = from;
  for (let close = NEXT_FIELD.exec(text); close !== null; close = NEXT_FIELD.exec(text)) {
    if (close[1] === quote) return { valueEnd: close.index, next: NEXT_FIELD.lastIndex };
  }
  return { valueEnd: text.replace(/['"]?;?$/, '').length, next: text.length };
}

export interface IcyHandlers {
  audio(chunk: Buffer): void;
  metadata(metadata: IcyMetadata): void;
  /** The interval is a lie: connect anew without asking for metadata. Nothing comes after this. */
  lied(detail: string): void;
}

export interface IcyReader {
  push(chunk: Buffer): void;
  destroy(): void;
}

/** Takes titles out from between the sound. What it passes on is the sound alone. */
export function createIcyReader(metaint: number, handlers: IcyHandlers): IcyReader {
  if (!Number.isInteger(metaint) || metaint < MIN_METAINT || metaint > MAX_METAINT) {
    let told = false;
    const tell = () => {
      if (!told) handlers.lied(`an interval of ${metaint} bytes between titles can't be true`);
      told = true;
    };
    return { push: tell, destroy: () => {} };
  }
  return new GuardedReader(metaint, handlers);
}

const DONE = (): void => {};

/**
 * The package's own metadata parser cuts a title at the first `';` and takes every charset for UTF-8, so only its
 * splitting of the stream is used: each block comes to us raw, and both go on at once, past the queues of a stream.
 */
class RawBlockReader extends StreamReader {
  readonly #onSound: (chunk: Buffer) => void;
  readonly #onBlock: (block: Buffer) => void;

  constructor(metaint: number, onSound: (chunk: Buffer) => void, onBlock: (block: Buffer) => void) {
    super(metaint);
    this.#onSound = onSound;
    this.#onBlock = onBlock;
  }

  split(chunk: Buffer): void {
    this._transform(chunk, 'buffer', DONE);
  }

  override push(sound: Buffer): boolean {
    this.#onSound(sound);
    return true;
  }

  protected override onMetaData(block: Buffer): void {
    this.passthrough(this.icyMetaInt, this.onMetaSectionStart.bind(this));
    this.#onBlock(block);
  }
}

class GuardedReader implements IcyReader {
  readonly #reader: RawBlockReader;
  readonly #handlers: IcyHandlers;
  #badBlocks = 0;
  #over = false;

  constructor(metaint: number, handlers: IcyHandlers) {
    this.#handlers = handlers;
    this.#reader = new RawBlockReader(
      metaint,
      (sound) => {
        if (!this.#over && sound.length > 0) handlers.audio(sound);
      },
      (block) => this.#block(block),
    );
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && !this.#over; at += MAX_PIECE_BYTES) {
      this.#reader.split(chunk.subarray(at, at + MAX_PIECE_BYTES));
    }
  }

  destroy(): void {
    this.#over = true;
    this.#reader.destroy();
  }

  #block(block: Buffer): void {
    if (this.#over) return;
    const metadata = parseIcyBlock(block);
    if (metadata !== null) {
      this.#badBlocks = 0;
      this.#handlers.metadata(metadata);
      return;
    }
    // Some servers send whole blocks of NUL where a length of zero would do.
    if (block.every((byte) => byte === 0)) return;
    this.#badBlocks += 1;
    if (this.#badBlocks >= BAD_BLOCKS_OF_A_LIAR) {
      this.#lie(`${this.#badBlocks} blocks in a row where titles should be are none`);
    }
  }

  #lie(detail: string): void {
    if (this.#over) return;
    this.destroy();
    this.#handlers.lied(detail);
  }
}
