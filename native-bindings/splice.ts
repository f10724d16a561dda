import { loadNative } from './index.ts';

/** Where a piece of one recording was found in another, both at 48 kHz. */
export interface Correlation {
  /** Frame of the haystack at which the needle begins. */
  readonly offsetFrames: number;
  /** Magnitude of the normalised correlation there: 1 is the same sound, another programme stays under 0.2. */
  readonly peak: number;
  /** The polarity of one of the two is inverted. */
  readonly inverted: boolean;
  /** How high the best other place is, relative to this one; near 1 for steady tones and exact loops. */
  readonly runnerUp: number;
}

interface SpliceFunctions {
  correlate(needle: Float32Array, haystack: Float32Array): Promise<Correlation | null>;
  interpolate(source: Float32Array, startFrame: number, rate: number, out: Float32Array): void;
}

function hasSplice(value: object): value is SpliceFunctions {
  return 'correlate' in value && 'interpolate' in value;
}

let loaded: SpliceFunctions | undefined;

function splice(): SpliceFunctions {
  if (loaded === undefined) {
    const classes: object = loadNative();
    if (!hasSplice(classes)) throw new Error('the native addon is from another version: run npm rebuild');
    loaded = classes;
  }
  return loaded;
}

/**
 * Searches `needle` in `haystack`, both interleaved stereo; the work is done beside the event loop. Null: there is too
 * little sound in the needle to know it again.
 * @throws NativeArgumentError, NativeLoadError
 */
export function correlate(needle: Float32Array, haystack: Float32Array): Promise<Correlation | null> {
  return splice().correlate(needle, haystack);
}

/** Frames of the source that `interpolate` needs before its first and behind its last position. */
export const INTERPOLATOR_REACH_FRAMES = 16;

/**
 * Fills `out` with the sound at `startFrame`, `startFrame + rate` and so on, between the frames of `source`.
 * @throws NativeArgumentError, NativeLoadError
 */
export function interpolate(source: Float32Array, startFrame: number, rate: number, out: Float32Array): void {
  splice().interpolate(source, startFrame, rate, out);
}
