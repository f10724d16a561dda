import { loadNative } from './index.ts';
import type { SoundRing } from './sound-ring.ts';

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

/** Whole frames that a ring holds. */
export interface HeldSound {
  readonly ring: SoundRing;
  readonly fromFrame: number;
  readonly frames: number;
}

interface SpliceFunctions {
  correlate(needle: Float32Array, haystack: Float32Array): Promise<Correlation | null>;
  correlateHeld(
    needleRing: SoundRing,
    needleFrame: number,
    needleFrames: number,
    haystackRing: SoundRing,
    haystackFrame: number,
    haystackFrames: number,
  ): Promise<Correlation | null>;
  interpolate(source: Float32Array, startFrame: number, rate: number, out: Float32Array): void;
}

function hasSplice(value: object): value is SpliceFunctions {
  return 'correlate' in value && 'correlateHeld' in value && 'interpolate' in value;
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

/**
 * The same for what two rings hold, which is not copied to JavaScript for it; they may forget it meanwhile. Null as well when
 * one of them doesn't hold all of that.
 * @throws NativeArgumentError, NativeLoadError
 */
export function correlateHeld(needle: HeldSound, haystack: HeldSound): Promise<Correlation | null> {
  return splice().correlateHeld(
    needle.ring,
    needle.fromFrame,
    needle.frames,
    haystack.ring,
    haystack.fromFrame,
    haystack.frames,
  );
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
