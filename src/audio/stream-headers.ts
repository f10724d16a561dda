import type { Demuxer } from './decode-command.ts';

/**
 * Remembers what stands at the beginning of a stream and is needed to decode any of the rest, so that a decoder
 * started in the middle of a connection understands it. MP3, ADTS and FLAC frames need nothing.
 */
export interface StreamHeaders {
  push(bytes: Uint8Array): void;
  /** What a fresh decoder must be given first; empty when nothing. */
  replay(): Uint8Array;
}

/** Cover pictures in Opus and Vorbis comments can be large; a header larger than this is not kept. */
const MOST_KEPT_BYTES = 1024 * 1024;

export function streamHeadersFor(demuxer: Demuxer): StreamHeaders {
  if (demuxer === 'ogg') return new OggHeaders();
  if (demuxer === 'matroska') return new MatroskaHeaders();
  return { push: () => {}, replay: () => new Uint8Array(0) };
}

/** Bytes put one behind the other, up to a limit past which they are all forgotten. */
class Kept {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  add(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes > MOST_KEPT_BYTES) this.#parts = [];
    else this.#parts.push(part.slice());
  }

  clear(): void {
    this.#parts = [];
    this.#bytes = 0;
  }

  all(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}

const PAGE_HEAD_BYTES = 27;
const BEGINS_STREAM = 0x02;

/**
 * The header pages of an Ogg chain's current link: from the pages that begin it up to the first one on which a packet
 * of sound ends, which is the first whose granule position is neither 0 nor "none ends here".
 */
export class OggHeaders implements StreamHeaders {
  readonly #kept = new Kept();
  #head = new Uint8Array(0);
  #collecting = false;
  #bodyLeft = 0;
  #keepBody = false;
  /** Parts of a page are added to `#kept` only when it is complete. */
  #page: Uint8Array[] = [];

  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#bodyLeft > 0) at += this.#takeBody(bytes.subarray(at));
      else at += this.#takeHead(bytes.subarray(at));
    }
  }

  replay(): Uint8Array {
    return this.#kept.all();
  }

  #takeBody(bytes: Uint8Array): number {
    const part = bytes.subarray(0, this.#bodyLeft);
    if (this.#keepBody) this.#page.push(part.slice());
    this.#bodyLeft -= part.length;
    if (this.#bodyLeft === 0) this.#endPage();
    return part.length;
  }

  #endPage(): void {
    if (this.#keepBody) for (const part of this.#page) this.#kept.add(part);
    this.#page = [];
  }

  /** Adds bytes to the head until it is whole; throws away what can't be the beginning of a page. */
  #takeHead(bytes: Uint8Array): number {
    const before = this.#head.length;
    const joined = Buffer.concat([this.#head, bytes.subarray(0, PAGE_HEAD_BYTES + 255 - before)]);
    const start = joined.indexOf('OggS', 0, 'latin1');
    if (start !== 0) {
      // Up to three bytes may be the beginning of a capture pattern that goes on in the next chunk.
      const from = start > 0 ? start : Math.max(0, joined.length - 3);
      if (start < 0 && 'OggS'.startsWith(joined.toString('latin1'))) return this.#waitWith(joined, before);
      this.#head = new Uint8Array(0);
      return this.#skipTo(joined, from, before);
    }
    const segments = joined[26];
    if (segments === undefined || joined.length < PAGE_HEAD_BYTES + segments)
      return this.#waitWith(joined, before);
    this.#head = new Uint8Array(0);
    this.#beginPage(joined.subarray(0, PAGE_HEAD_BYTES + segments));
    return PAGE_HEAD_BYTES + segments - before;
  }

  #waitWith(joined: Uint8Array, before: number): number {
    this.#head = joined.slice();
    return joined.length - before;
  }

  #skipTo(joined: Uint8Array, from: number, before: number): number {
    // Bytes that came with an earlier chunk can't be given back, so they are kept as the head instead.
    if (from >= before) return Math.max(1, from - before);
    this.#head = joined.slice(from);
    return joined.length - before;
  }

  #beginPage(head: Uint8Array): void {
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    const begins = (view.getUint8(5) & BEGINS_STREAM) !== 0;
    const granule = view.getBigInt64(6, true);
    if (begins && !this.#collecting) this.#kept.clear();
    this.#collecting = begins || (this.#collecting && (granule === 0n || granule === -1n));
    this.#keepBody = this.#collecting;
    this.#page = this.#keepBody ? [head.slice()] : [];
    this.#bodyLeft = head.subarray(PAGE_HEAD_BYTES).reduce((sum, segment) => sum + segment, 0);
    if (this.#bodyLeft === 0) this.#endPage();
  }
}

const CLUSTER = Buffer.from([0x1f, 0x43, 0xb6, 0x75]);

/** Everything before the first cluster of a Matroska or WebM stream. */
export class MatroskaHeaders implements StreamHeaders {
  #header = Buffer.alloc(0);
  #complete = false;

  push(bytes: Uint8Array): void {
    if (this.#complete) return;
    const joined = Buffer.concat([this.#header, bytes]);
    const cluster = joined.indexOf(CLUSTER);
    this.#complete = cluster >= 0 || joined.length > MOST_KEPT_BYTES;
    this.#header = cluster >= 0 ? Buffer.from(joined.subarray(0, cluster)) : joined;
  }

  replay(): Uint8Array {
    return this.#complete && this.#header.length <= MOST_KEPT_BYTES ? this.#header : new Uint8Array(0);
  }
}
