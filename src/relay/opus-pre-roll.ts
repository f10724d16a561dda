import { PCM_CHANNELS, PCM_RATE_HZ } from '../audio/decode-command.ts';

/**
 * An Opus decoder needs 80 ms until it has caught up with a stream (RFC 7845, 4.6), and many don't start afresh at a new
 * link of a chain: the first 20 ms would be far too loud. So a link begins with sound that was played already, and says
 * that it is to be skipped.
 */
export const PRE_ROLL_FRAMES = 0.08 * PCM_RATE_HZ;
const PRE_ROLL_SAMPLES = PRE_ROLL_FRAMES * PCM_CHANNELS;

/** The newest sound, as much as a pre-roll takes. */
export class PreRoll {
  #blocks: Float32Array[] = [];
  #samples = 0;

  note(pcm: Float32Array): void {
    this.#blocks.push(pcm);
    this.#samples += pcm.length;
    while (this.#samples - (this.#blocks[0]?.length ?? 0) >= PRE_ROLL_SAMPLES) {
      this.#samples -= this.#blocks.shift()?.length ?? 0;
    }
  }

  /** Null while there is less. */
  take(): Float32Array | null {
    if (this.#samples < PRE_ROLL_SAMPLES) return null;
    const all = new Float32Array(this.#samples);
    let at = 0;
    for (const block of this.#blocks) {
      all.set(block, at);
      at += block.length;
    }
    return all.slice(-PRE_ROLL_SAMPLES);
  }
}

/** The first page of an Opus link: the page's head with one segment, and `OpusHead`. */
const FIRST_PAGE_BYTES = 28 + 19;
const CHECKSUM_AT = 22;
const PRE_SKIP_AT = 28 + 10;

/** Has the pre-roll skipped: passes bytes of one link on, the pre-skip in its first page raised. */
export class PreSkip {
  #first: Buffer | null = Buffer.alloc(0);

  pass(bytes: Buffer): Buffer {
    if (this.#first === null) return bytes;
    const all = Buffer.concat([this.#first, bytes]);
    if (all.length < FIRST_PAGE_BYTES) {
      this.#first = all;
      return Buffer.alloc(0);
    }
    this.#first = null;
    if (all.toString('latin1', 28, 36) !== 'OpusHead') return all;
    all.writeUInt16LE(all.readUInt16LE(PRE_SKIP_AT) + PRE_ROLL_FRAMES, PRE_SKIP_AT);
    all.writeUInt32LE(0, CHECKSUM_AT);
    all.writeUInt32LE(checksumOf(all.subarray(0, FIRST_PAGE_BYTES)), CHECKSUM_AT);
    return all;
  }
}

/** CRC-32 of an Ogg page with its own field at 0: polynomial 04c11db7, nothing reflected (RFC 3533, 6). */
function checksumOf(page: Uint8Array): number {
  let sum = 0;
  for (const byte of page) {
    sum ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 0x80000000 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  }
  return sum >>> 0;
}
