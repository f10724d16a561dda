import { decodeText, printable } from './text.ts';

const MAX_TITLE_LENGTH = 512;
const PAGE_HEAD_BYTES = 27;
const BEGINS_STREAM = 0x02;
/** Comments with a cover picture in them can be large; past this nobody looks for a title in them. */
const MOST_HEADER_BYTES = 256 * 1024;
/** What the second packet of a stream begins with, before its comments: RFC 7845 5.2, Vorbis I 4.2.1. */
const COMMENT_HEADS = ['OpusTags', '\u0003vorbis'];

export interface OggTitleReader {
  push(bytes: Uint8Array): void;
}

/** Tells what each link of an Ogg chain is called, as soon as its comments are here. The bytes are only looked at. */
export function createOggTitleReader(onTitle: (title: string) => void): OggTitleReader {
  return new OggTitles(onTitle);
}

class OggTitles implements OggTitleReader {
  readonly #onTitle: (title: string) => void;
  /** Bytes of a page head that is not whole yet. */
  #head: Buffer = Buffer.alloc(0);
  #bodyLeft = 0;
  /** The pages of a link from its beginning to its comments; null when they are over. */
  #headers: Buffer[] | null = null;
  #headerBytes = 0;

  constructor(onTitle: (title: string) => void) {
    this.#onTitle = onTitle;
  }

  push(bytes: Uint8Array): void {
    let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    while (rest.length > 0) {
      if (this.#bodyLeft > 0) {
        const part = rest.subarray(0, this.#bodyLeft);
        rest = rest.subarray(part.length);
        this.#bodyLeft -= part.length;
        this.#keep(part);
        if (this.#bodyLeft === 0) this.#look();
        continue;
      }
      const joined = this.#head.length === 0 ? rest : Buffer.concat([this.#head, rest]);
      const after = this.#takeHead(joined);
      if (after === null) return;
      rest = joined.subarray(after);
    }
  }

  /** Where the body of the next page begins; null when the head has to wait for more bytes. */
  #takeHead(joined: Buffer): number | null {
    const start = joined.indexOf('OggS', 0, 'latin1');
    const segments = start < 0 ? undefined : joined[start + 26];
    const end = start + PAGE_HEAD_BYTES + (segments ?? 0);
    if (segments === undefined || joined.length < end) {
      this.#head = Buffer.from(start < 0 ? joined.subarray(-3) : joined.subarray(start));
      return null;
    }
    this.#head = Buffer.alloc(0);
    if (((joined[start + 5] ?? 0) & BEGINS_STREAM) !== 0) {
      this.#headers = [];
      this.#headerBytes = 0;
    }
    this.#bodyLeft = joined.subarray(start + PAGE_HEAD_BYTES, end).reduce((sum, segment) => sum + segment, 0);
    return end;
  }

  #keep(part: Buffer): void {
    if (this.#headers === null) return;
    this.#headers.push(Buffer.from(part));
    this.#headerBytes += part.length;
    if (this.#headerBytes > MOST_HEADER_BYTES) this.#headers = null;
  }

  #look(): void {
    if (this.#headers === null) return;
    const all = Buffer.concat(this.#headers);
    for (const head of COMMENT_HEADS) {
      const at = all.indexOf(head, 0, 'latin1');
      if (at < 0) continue;
      const comments = commentsIn(all.subarray(at + head.length));
      // A page may end in the middle of them.
      if (comments === null) return;
      this.#headers = null;
      const title = titleOf(comments);
      if (title !== '') this.#onTitle(title);
      return;
    }
  }
}

/** `NAME=value` by upper-case name, the first of each; null while some are missing. */
function commentsIn(block: Buffer): ReadonlyMap<string, string> | null {
  let at = 0;
  const number = (): number | null => {
    if (at + 4 > block.length) return null;
    at += 4;
    return block.readUInt32LE(at - 4);
  };
  const text = (): string | null => {
    const length = number();
    if (length === null || at + length > block.length) return null;
    at += length;
    return decodeText(block.subarray(at - length, at));
  };
  const comments = new Map<string, string>();
  if (text() === null) return null;
  const count = number();
  if (count === null) return null;
  for (let i = 0; i < count; i += 1) {
    const comment = text();
    if (comment === null) return null;
    const equals = comment.indexOf('=');
    const name = comment.slice(0, Math.max(0, equals)).toUpperCase();
    if (equals > 0 && !comments.has(name)) comments.set(name, comment.slice(equals + 1));
  }
  return comments;
}

/** As players show it, and as it stands in a StreamTitle: artist and title. */
function titleOf(comments: ReadonlyMap<string, string>): string {
  const parts = [comments.get('ARTIST'), comments.get('TITLE')].filter((part) => part !== undefined);
  return printable(parts.join(' - '), MAX_TITLE_LENGTH);
}
