import { PCM_FRAME_BYTES } from './decode-command.ts';

const SAMPLE_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Cuts a pipe's chunks, which may end anywhere, into whole frames; without a copy where the memory is aligned. */
export class PcmFrames {
  #carry = new Uint8Array(0);

  /** The whole frames that are complete now; empty when there is none. */
  push(chunk: Uint8Array): Float32Array {
    const joined = this.#carry.length === 0 ? chunk : join(this.#carry, chunk);
    const wholeBytes = joined.length - (joined.length % PCM_FRAME_BYTES);
    this.#carry = joined.slice(wholeBytes);
    if (joined.byteOffset % SAMPLE_BYTES === 0) {
      return new Float32Array(joined.buffer, joined.byteOffset, wholeBytes / SAMPLE_BYTES);
    }
    return new Float32Array(joined.slice(0, wholeBytes).buffer);
  }
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
