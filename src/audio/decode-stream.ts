import { type Child, type ChildExit, startChild } from '../platform/child.ts';
import type { Clock } from '../platform/clock.ts';
import { ChildWriter } from './child-writer.ts';
import { DEMUXERS, type Demuxer, decodeArguments } from './decode-command.ts';
import { PcmFrames } from './pcm-frames.ts';

/** What a file may be: what a stream may be, and two containers that only files come in. */
export const CONTAINERS = [...DEMUXERS, 'wav', 'mov'] as const;
export type Container = (typeof CONTAINERS)[number];

export interface DecodeStreamOptions {
  readonly ffmpegPath: string;
  readonly container: Container;
  readonly clock: Clock;
  /** Interleaved stereo at 48 kHz, to be used at once: nothing is kept. */
  onPcm(pcm: Float32Array): void;
}

/** How a decoder ended, and what ffmpeg said of the bytes. */
export interface DecodeEnd {
  readonly exit: ChildExit;
  readonly complaints: readonly string[];
}

/** Decodes something that has an end, as fast as it is written; its colleague for what never ends is `Decoder`. */
export interface DecodeStream {
  /** Resolves when more can be taken; false when the decoder is gone and nobody listens. */
  write(bytes: Uint8Array): Promise<boolean>;
  /** No more bytes will come: resolves when the last of them is decoded. */
  end(): Promise<DecodeEnd>;
  /** Ends it now. Nothing is heard from it from the moment of the call. */
  stop(): Promise<void>;
}

export function openDecodeStream(options: DecodeStreamOptions): DecodeStream {
  return new FfmpegStream(options);
}

class FfmpegStream implements DecodeStream {
  readonly #child: Child;
  readonly #frames = new PcmFrames();
  readonly #writer = new ChildWriter();

  constructor({ ffmpegPath, container, clock, onPcm }: DecodeStreamOptions) {
    this.#child = startChild({
      command: ffmpegPath,
      // The words are the same for every container, and what keeps strangers' bytes harmless is written once.
      args: decodeArguments(container as Demuxer),
      clock,
      onStdout: (chunk) => {
        if (this.#writer.isClosed) return;
        const pcm = this.#frames.push(chunk);
        if (pcm.length > 0) onPcm(pcm);
      },
      onDrain: this.#writer.wake,
      onExit: this.#writer.wake,
    });
  }

  async write(bytes: Uint8Array): Promise<boolean> {
    if (!this.#writer.push(this.#child, bytes)) return false;
    await this.#writer.ready();
    return !this.#writer.isClosed;
  }

  async end(): Promise<DecodeEnd> {
    this.#child.endInput();
    const exit = await this.#child.exited;
    return { exit, complaints: complaintsOf(this.#child) };
  }

  async stop(): Promise<void> {
    this.#writer.close();
    this.#child.kill('SIGKILL');
    await this.#child.exited;
  }
}

/** What an ffmpeg said was wrong, a line each. */
export function complaintsOf(child: Child): readonly string[] {
  return child
    .stderrTail()
    .split('\n')
    .map(withoutAddress)
    .filter((line) => line !== '');
}

/** `[mp3float @ 0x55b4d617e240] Header missing` and `pipe:0: End of file` without what only a debugger needs. */
function withoutAddress(line: string): string {
  return line
    .trim()
    .replace(/^\[([^\]@]+) @ 0x[0-9a-f]+\]/, '$1:')
    .replace(/^pipe:0: /, '');
}
