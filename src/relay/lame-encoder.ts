import { type Mp3Encoder, openMp3Encoder } from '../audio/mp3-encoder.ts';
import { messageOf } from '../platform/errors.ts';
import type { OutputFormat } from './encode-command.ts';
import type { Encoder, EncoderOptions } from './encoder.ts';

/** More blocks than this wait only when the machine has no time left at all; the oldest are let go. */
const MOST_WAITING_BLOCKS = 50;

/**
 * MP3 by libmp3lame in this process: no second process to wake for every block, and none of its memory.
 * @throws NativeArgumentError for a rate and bitrate that MP3 doesn't have together
 */
export function startLameEncoder(options: EncoderOptions): Encoder {
  return new LameEncoder(options);
}

class LameEncoder implements Encoder {
  readonly kind = 'lame';
  readonly pid = null;
  readonly #options: EncoderOptions;
  #lame: Mp3Encoder;
  #waiting: Float32Array[] = [];
  #work: Promise<void> | null = null;
  #rebuilds = 0;
  #stopped = false;

  constructor(options: EncoderOptions) {
    this.#options = options;
    this.#lame = open(options.format);
  }

  get rebuilds(): number {
    return this.#rebuilds;
  }

  write(pcm: Float32Array): void {
    if (this.#stopped) return;
    this.#waiting.push(pcm);
    if (this.#waiting.length > MOST_WAITING_BLOCKS) this.#waiting.shift();
    this.#work ??= this.#encode().finally(() => {
      this.#work = null;
    });
  }

  renew(): void {
    this.#lame = open(this.#options.format);
  }

  /** Icecast puts titles between MP3. */
  setTitle(): void {}

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting = [];
    await this.#work;
  }

  /** One piece after another: LAME is a machine with a memory. */
  async #encode(): Promise<void> {
    while (this.#waiting.length > 0) {
      const blocks = this.#waiting;
      this.#waiting = [];
      try {
        const bytes = await this.#lame.encode(blocks);
        if (!this.#stopped && bytes.length > 0) this.#options.onBytes(bytes);
      } catch (thrown) {
        this.#rebuilds += 1;
        this.#options.log.warn({ because: messageOf(thrown), codec: 'mp3' }, 'an encoder is rebuilt');
        this.#lame = open(this.#options.format);
      }
    }
  }
}

function open({ bitrateKbps, sampleRateHz, channels, mp3Quality }: OutputFormat): Mp3Encoder {
  return openMp3Encoder({
    bitrateKbps,
    sampleRateHz,
    channels,
    ...(mp3Quality === null ? {} : { quality: mp3Quality }),
  });
}
