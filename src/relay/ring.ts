import { PCM_CHANNELS } from '../audio/decode-command.ts';

/** Half a second: small enough that what is forgotten is soon free, large enough that pieces are few. */
const PIECE_FRAMES = 24_000;

/**
 * The newest decoded sound of one take, by absolute frame numbers that only ever grow. It keeps what it is told to
 * keep, in pieces, so that a leg which nobody waits for costs little memory; `mostFrames` bounds it whatever happens.
 */
export class PcmRing {
  readonly #mostFrames: number;
  #pieces: Float32Array[] = [];
  /** A piece that was let go of and can be used again. */
  #spare: Float32Array | null = null;
  /** Frame number of the first sample in the first piece. */
  #baseFrame = 0;
  #startFrame = 0;
  #endFrame = 0;

  constructor(mostFrames: number) {
    this.#mostFrames = mostFrames;
  }

  get startFrame(): number {
    return this.#startFrame;
  }

  get endFrame(): number {
    return this.#endFrame;
  }

  get heldBytes(): number {
    return this.#pieces.length * PIECE_FRAMES * PCM_CHANNELS * Float32Array.BYTES_PER_ELEMENT;
  }

  push(pcm: Float32Array): void {
    let done = 0;
    while (done < pcm.length) {
      const at = (this.#endFrame - this.#baseFrame) * PCM_CHANNELS;
      const index = Math.floor(at / (PIECE_FRAMES * PCM_CHANNELS));
      const within = at - index * PIECE_FRAMES * PCM_CHANNELS;
      const piece = this.#pieces[index] ?? this.#addPiece();
      const part = pcm.subarray(done, done + piece.length - within);
      piece.set(part, within);
      done += part.length;
      this.#endFrame += part.length / PCM_CHANNELS;
    }
    this.forgetBefore(this.#endFrame - this.#mostFrames);
  }

  /** Copies whole frames into `out`; false, and nothing copied, when some of them aren't here. */
  read(fromFrame: number, out: Float32Array): boolean {
    const frames = out.length / PCM_CHANNELS;
    if (fromFrame < this.#startFrame || fromFrame + frames > this.#endFrame) return false;
    let done = 0;
    while (done < out.length) {
      const at = (fromFrame - this.#baseFrame) * PCM_CHANNELS + done;
      const index = Math.floor(at / (PIECE_FRAMES * PCM_CHANNELS));
      const within = at - index * PIECE_FRAMES * PCM_CHANNELS;
      const part = this.#pieces[index]?.subarray(within, within + out.length - done);
      if (part === undefined) return false;
      out.set(part, done);
      done += part.length;
    }
    return true;
  }

  forgetBefore(frame: number): void {
    this.#startFrame = Math.max(this.#startFrame, Math.min(frame, this.#endFrame));
    while (this.#startFrame - this.#baseFrame >= PIECE_FRAMES && this.#pieces.length > 0) {
      this.#spare = this.#pieces.shift() ?? null;
      this.#baseFrame += PIECE_FRAMES;
    }
  }

  #addPiece(): Float32Array {
    const piece = this.#spare ?? new Float32Array(PIECE_FRAMES * PCM_CHANNELS);
    this.#spare = null;
    this.#pieces.push(piece);
    return piece;
  }
}
