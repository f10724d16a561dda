import { printable } from './text.ts';

/** `none`: the server sent its bytes with no head before them, as HTTP/0.9 did. */
export type HeadProtocol = 'http' | 'icy' | 'none';

export interface ResponseHead {
  readonly protocol: HeadProtocol;
  readonly status: number;
  readonly reason: string;
  /** Names in lower case; the first of several wins. */
  readonly headers: ReadonlyMap<string, string>;
}

export type HeadProgress =
  | { readonly is: 'more' }
  | { readonly is: 'head'; readonly head: ResponseHead; readonly rest: Buffer }
  | { readonly is: 'bad'; readonly detail: string };

export const MAX_HEAD_BYTES = 16 * 1024;
const LF = 0x0a;
const CR = 0x0d;
const STATUS_LINE = /^(HTTP\/\d(?:\.\d+)?|ICY)[ \t]+(\d{3})(?:[ \t]+(.*))?$/i;

/**
 * Reads the head of an answer as streaming servers really send it: `ICY 200 OK`, lines that end in LF alone, control
 * bytes, no head at all. Node's own parser refuses all of these.
 */
export class HeadParser {
  readonly #maxBytes: number;
  #bytes: Buffer = Buffer.alloc(0);
  #scannedTo = 0;

  constructor(maxBytes: number = MAX_HEAD_BYTES) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): HeadProgress {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const start = startOfHead(this.#bytes);
    const kind = looksLike(this.#bytes.subarray(start));
    if (kind === 'no-head') return { is: 'head', head: headless(), rest: this.#bytes };
    if (kind === 'too-short') return { is: 'more' };
    const end = this.#findEnd(start);
    if (end === null) {
      if (this.#bytes.length <= this.#maxBytes) return { is: 'more' };
      return {
        is: 'bad',
        detail: `the head of the answer is longer than ${this.#maxBytes} bytes`,
      };
    }
    if (end.headEnd > this.#maxBytes) {
      return {
        is: 'bad',
        detail: `the head of the answer is longer than ${this.#maxBytes} bytes`,
      };
    }
    const head = parseHead(this.#bytes.subarray(start, end.headEnd).toString('latin1'));
    if (head === null)
      return {
        is: 'bad',
        detail: 'the first line of the answer has no status',
      };
    return { is: 'head', head, rest: this.#bytes.subarray(end.bodyStart) };
  }

  /** True while nothing at all has arrived. */
  get isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  /** The blank line: LF, perhaps CR, LF. Scanning goes on where it stopped, so that a dripped head costs no more. */
  #findEnd(start: number): { headEnd: number; bodyStart: number } | null {
    let at = Math.max(start, this.#scannedTo - 2);
    for (;;) {
      const lf = this.#bytes.indexOf(LF, at);
      if (lf === -1) break;
      const next = this.#bytes[lf + 1];
      if (next === LF) return { headEnd: lf, bodyStart: lf + 2 };
      if (next === CR && this.#bytes[lf + 2] === LF) return { headEnd: lf, bodyStart: lf + 3 };
      at = lf + 1;
    }
    this.#scannedTo = this.#bytes.length;
    return null;
  }
}

/** Some servers put empty lines before their answer. */
function startOfHead(bytes: Buffer): number {
  let at = 0;
  while (at < 4 && (bytes[at] === CR || bytes[at] === LF)) at += 1;
  return at;
}

function looksLike(bytes: Buffer): 'head' | 'no-head' | 'too-short' {
  const seen = bytes.subarray(0, 5).toString('latin1').toUpperCase();
  if (seen.startsWith('HTTP/') || seen.startsWith('ICY ')) return 'head';
  return 'HTTP/'.startsWith(seen) || 'ICY '.startsWith(seen) ? 'too-short' : 'no-head';
}

function headless(): ResponseHead {
  return { protocol: 'none', status: 200, reason: '', headers: new Map() };
}

function parseHead(text: string): ResponseHead | null {
  const lines = text.split('\n');
  const status = STATUS_LINE.exec((lines.shift() ?? '').replace(/\r$/, ''));
  if (status === null) return null;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    if (!headers.has(name)) headers.set(name, printable(line.slice(colon + 1), 1024));
  }
  return {
    protocol: (status[1] ?? '').toUpperCase() === 'ICY' ? 'icy' : 'http',
    status: Number(status[2]),
    reason: printable(status[3] ?? '', 100),
    headers,
  };
}
