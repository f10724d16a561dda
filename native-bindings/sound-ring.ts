import { loadNative } from './index.ts';

/**
 * The newest decoded sound of one connection (interleaved stereo) by absolute frame numbers that only ever grow, outside
 * of JavaScript's memory. Kept in 16 bits with 6 dB of room over full scale: an error of -95 dBFS.
 */
export interface SoundRing {
  readonly startFrame: number;
  readonly endFrame: number;
  readonly heldBytes: number;
  /** @throws NativeArgumentError */
  push(pcm: Float32Array): void;
  /** Copies whole frames into `out`; false, and nothing copied, when some of them aren't here. */
  read(fromFrame: number, out: Float32Array): boolean;
  forgetBefore(frame: number): void;
}

interface RingParts {
  readonly SoundRing: new (mostFrames: number) => SoundRing;
  letGo(buffer: ArrayBuffer): void;
}

function hasRing(value: object): value is RingParts {
  return 'SoundRing' in value && 'letGo' in value;
}

let loaded: RingParts | undefined;

function parts(): RingParts {
  if (loaded === undefined) {
    const classes: object = loadNative();
    if (!hasRing(classes)) throw new Error('the native addon is from another version: run npm rebuild');
    loaded = classes;
  }
  return loaded;
}

/** What is older than `mostFrames` is forgotten by itself. @throws NativeArgumentError, NativeLoadError */
export function createSoundRing(mostFrames: number): SoundRing {
  return new (parts().SoundRing)(mostFrames);
}

/**
 * Gives the memory behind a chunk back at once: ten megabytes of sound a second would otherwise have V8 search its whole
 * heap every second. Only where the chunk is all that its memory holds; every view of it is empty afterwards.
 * @throws NativeLoadError
 */
export function letGo(chunk: Uint8Array | Float32Array): void {
  const { buffer } = chunk;
  if (buffer instanceof ArrayBuffer && chunk.byteLength === buffer.byteLength) parts().letGo(buffer);
}
