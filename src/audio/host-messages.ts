/** What is said between us and the decoder process; `native-bindings/src/decoder-host/messages.h` is the other end. */
const HEAD_BYTES = 12;
/** What one request carries at most. */
export const MOST_REQUEST_BYTES = 4096;
/** Far more than the sound that one request can hold. */
const MOST_ANSWER_BYTES = 16 * 1024 * 1024;

const REQUESTS = { open: 1, bytes: 2, close: 3, past: 4, 'go-on': 5 } as const;

export type HostRequest = keyof typeof REQUESTS;

export type HostAnswer =
  /** To be used at once: the memory is given back afterwards. */
  | { readonly is: 'sound'; readonly stream: number; readonly pcm: Float32Array }
  | { readonly is: 'taken'; readonly stream: number }
  | { readonly is: 'rejected'; readonly stream: number; readonly because: string };

/** One request, or as many as the bytes need. */
export function hostRequests(
  kind: HostRequest,
  stream: number,
  bytes: Uint8Array = new Uint8Array(0),
): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length || at === 0; at += MOST_REQUEST_BYTES) {
    const body = bytes.subarray(at, at + MOST_REQUEST_BYTES);
    parts.push(new Uint8Array(Uint32Array.of(REQUESTS[kind], stream, body.length).buffer), body);
  }
  return parts;
}

/** An answer of which only the beginning has come. */
interface Begun {
  readonly kind: number;
  readonly stream: number;
  readonly body: Uint8Array;
  filled: number;
}

/** Puts answers together out of a pipe's chunks, which may end anywhere; what is whole in a chunk is not copied. */
export class HostAnswers {
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headFilled = 0;
  #begun: Begun | null = null;

  /** False when what came is no answer, so that nothing after it can be understood. */
  push(chunk: Uint8Array, tell: (answer: HostAnswer) => void): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#begun !== null) {
        at += this.#fill(this.#begun, chunk.subarray(at), tell);
        continue;
      }
      const part = chunk.subarray(at, at + HEAD_BYTES - this.#headFilled);
      this.#head.set(part, this.#headFilled);
      this.#headFilled += part.length;
      at += part.length;
      if (this.#headFilled < HEAD_BYTES) break;
      this.#headFilled = 0;
      const [kind = 0, stream = 0, bytes = 0] = new Uint32Array(this.#head.buffer);
      if (!isAnswer(kind) || bytes > MOST_ANSWER_BYTES) return false;
      if (chunk.length - at >= bytes) {
        tell(answerOf(kind, stream, chunk.subarray(at, at + bytes)));
        at += bytes;
      } else this.#begun = { kind, stream, body: new Uint8Array(bytes), filled: 0 };
    }
    return true;
  }

  #fill(begun: Begun, chunk: Uint8Array, tell: (answer: HostAnswer) => void): number {
    const part = chunk.subarray(0, begun.body.length - begun.filled);
    begun.body.set(part, begun.filled);
    begun.filled += part.length;
    if (begun.filled === begun.body.length) {
      this.#begun = null;
      tell(answerOf(begun.kind, begun.stream, begun.body));
    }
    return part.length;
  }
}

const SOUND = 17;
const TAKEN = 18;
const REJECTED = 19;

const isAnswer = (kind: number) => kind >= SOUND && kind <= REJECTED;

function answerOf(kind: number, stream: number, body: Uint8Array): HostAnswer {
  if (kind === TAKEN) return { is: 'taken', stream };
  if (kind === SOUND) return { is: 'sound', stream, pcm: samplesOf(body) };
  return { is: 'rejected', stream, because: new TextDecoder().decode(body).trim() };
}

function samplesOf(body: Uint8Array): Float32Array {
  const isAligned = body.byteOffset % Float32Array.BYTES_PER_ELEMENT === 0;
  // Not `slice`, which does not copy where the bytes are a Buffer.
  const { buffer, byteOffset } = isAligned ? body : new Uint8Array(body);
  return new Float32Array(buffer, byteOffset, Math.floor(body.length / Float32Array.BYTES_PER_ELEMENT));
}
