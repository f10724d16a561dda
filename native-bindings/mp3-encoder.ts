import { loadNative } from './index.ts';

export interface Mp3Settings {
  /** One of LAME's bitrates, 8 to 320. */
  readonly bitrateKbps: number;
  /** One of the rates that MP3 has, 8000 to 48000. */
  readonly sampleRateHz: number;
  readonly channels: 1 | 2;
  /** LAME's own scale, 0 the best and 9 the fastest; its default when left out. */
  readonly quality?: number;
}

/** One MP3 stream, encoded in this process by the system's libmp3lame. */
export interface Mp3Encoder {
  /**
   * Interleaved stereo at 48 kHz, of any length, is copied and encoded beside the event loop. Resolves to the frames
   * that are complete. One call at a time.
   * @throws NativeArgumentError
   */
  encode(blocks: readonly Float32Array[]): Promise<Buffer>;
}

interface Mp3Parts {
  readonly Mp3Encoder: new (settings: Mp3Settings) => Mp3Encoder;
  mp3EncoderProblem(): string;
}

function hasMp3Encoder(value: object): value is Mp3Parts {
  return 'Mp3Encoder' in value && 'mp3EncoderProblem' in value;
}

let loaded: Mp3Parts | undefined;

function parts(): Mp3Parts {
  if (loaded === undefined) {
    const classes: object = loadNative();
    if (!hasMp3Encoder(classes)) throw new Error('the native addon is from another version: run npm rebuild');
    loaded = classes;
  }
  return loaded;
}

/** Why MP3 can't be encoded in this process; null when it can. @throws NativeLoadError */
export function mp3EncoderProblem(): string | null {
  const problem = parts().mp3EncoderProblem();
  return problem === '' ? null : problem;
}

/** @throws NativeArgumentError for a rate and bitrate that MP3 doesn't have together, NativeLoadError */
export function openMp3Encoder(settings: Mp3Settings): Mp3Encoder {
  return new (parts().Mp3Encoder)(settings);
}
