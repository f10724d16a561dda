const LF = 0x0a;
const MAX_LINE_BYTES = 256;

export type ChunkedResult =
  | { readonly is: 'data'; readonly data: readonly Buffer[] }
  | { readonly is: 'end'; readonly data: readonly Buffer[] }
  | { readonly is: 'bad'; readonly data: readonly Buffer[] };

/** Undoes HTTP chunked transfer, however the bytes are cut. Trailers are not read: nobody needs them. */
export class ChunkedDecoder {
  #state: 'size' | 'data' | 'after-data' = 'size';
  #line = '';
  #left = 0;

  push(bytes: Buffer): ChunkedResult {
    const data: Buffer[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === 'data') {
        const piece = bytes.subarray(at, at + this.#left);
        data.push(piece);
        at += piece.length;
        this.#left -= piece.length;
        if (this.#left === 0) this.#state = 'after-data';
        continue;
      }
      const lf = bytes.indexOf(LF, at);
      const lineEnd = lf === -1 ? bytes.length : lf;
      this.#line += bytes.subarray(at, lineEnd).toString('latin1');
      if (this.#line.length > MAX_LINE_BYTES) return { is: 'bad', data };
      if (lf === -1) return { is: 'data', data };
      at = lf + 1;
      const line = this.#line.replace(/\r$/, '');
      this.#line = '';
      if (this.#state === 'after-data') {
        if (line !== '') return { is: 'bad', data };
        this.#state = 'size';
        continue;
      }
      const size = /^[0-9a-fA-F]{1,8}(?=$|[ \t;])/.exec(line);
      if (size === null) return { is: 'bad', data };
      this.#left = Number.parseInt(size[0], 16);
      if (this.#left === 0) return { is: 'end', data };
      this.#state = 'data';
    }
    return { is: 'data', data };
  }
}
