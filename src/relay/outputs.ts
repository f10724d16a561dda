import { mp3EncoderProblem } from '../audio/mp3-encoder.ts';
import type { Mount } from '../domain/ids.ts';
import type { Credentials, ServerAddress } from '../icecast/address.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import { needsHeaders, type OutputFormat } from './encode-command.ts';
import type { Encoder, EncoderOptions } from './encoder.ts';
import { startFfmpegEncoder } from './ffmpeg-encoder.ts';
import { startLameEncoder } from './lame-encoder.ts';
import { type Publisher, type PublisherState, type StreamWords, startPublisher } from './publisher.ts';

/** One public mount on our own server. */
export interface RelayOutput {
  readonly mount: Mount;
  readonly format: OutputFormat;
  readonly server: ServerAddress;
  readonly credentials: Credentials;
  readonly words: StreamWords;
}

export interface OutputView {
  readonly mount: Mount;
  readonly state: PublisherState;
  readonly connections: number;
  readonly rebuilds: number;
  readonly encoder: Encoder['kind'];
  readonly encoderPid: number | null;
}

export interface OutputsOptions {
  readonly outputs: readonly RelayOutput[];
  readonly ffmpegPath: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Every public mount of one station: the same sound into one encoder and one source client each. */
export interface RelayOutputs {
  readonly view: readonly OutputView[];
  write(pcm: Float32Array): void;
  setTitle(title: string): void;
  stop(): Promise<void>;
}

/** MP3 is encoded in this process where libmp3lame is at hand; everything else, and all where it isn't, by ffmpeg. */
function startEncoder(options: EncoderOptions): Encoder {
  if (options.format.codec !== 'mp3') return startFfmpegEncoder(options);
  const problem = mp3EncoderProblem();
  if (problem === null) {
    try {
      return startLameEncoder(options);
    } catch (thrown) {
      options.log.warn({ err: messageOf(thrown) }, 'LAME takes this format only through ffmpeg');
    }
  } else options.log.info({ problem }, 'MP3 is encoded by ffmpeg, which costs more: install libmp3lame0');
  return startFfmpegEncoder(options);
}

export function openOutputs(options: OutputsOptions): RelayOutputs {
  return new Outputs(options);
}

class Outputs implements RelayOutputs {
  readonly #lanes: readonly { output: RelayOutput; encoder: Encoder; publisher: Publisher }[];
  #title: string | null = null;

  constructor(options: OutputsOptions) {
    const { ffmpegPath, clock, random, log } = options;
    this.#lanes = options.outputs.map((output) => {
      const { format } = output;
      const encoder = startEncoder({
        format,
        ffmpegPath,
        clock,
        log: log.child({ mount: output.mount }),
        onBytes: (bytes) => publisher.write(bytes),
      });
      const publisher = startPublisher({
        ...output,
        clock,
        random,
        log,
        onReady: () => {
          if (needsHeaders(format.codec)) encoder.renew();
        },
      });
      return { output, encoder, publisher };
    });
  }

  get view(): readonly OutputView[] {
    return this.#lanes.map(({ output, encoder, publisher }) => ({
      mount: output.mount,
      state: publisher.state,
      connections: publisher.connections,
      rebuilds: encoder.rebuilds,
      encoder: encoder.kind,
      encoderPid: encoder.pid,
    }));
  }

  write(pcm: Float32Array): void {
    for (const { encoder } of this.#lanes) encoder.write(pcm);
  }

  setTitle(title: string): void {
    if (title === this.#title) return;
    this.#title = title;
    for (const { publisher, encoder } of this.#lanes) {
      publisher.setTitle(title);
      encoder.setTitle(title);
    }
  }

  async stop(): Promise<void> {
    for (const { publisher } of this.#lanes) publisher.stop();
    await Promise.all(this.#lanes.map(({ encoder }) => encoder.stop()));
  }
}
