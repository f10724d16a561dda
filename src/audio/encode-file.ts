import { resolve } from 'node:path';
import ffmpegCommand from 'fluent-ffmpeg';
import { type Child, startChild } from '../platform/child.ts';
import type { Clock } from '../platform/clock.ts';
import { ChildWriter } from './child-writer.ts';
import { argumentsOf, PCM_CHANNELS, PCM_RATE_HZ } from './decode-command.ts';
import { complaintsOf, type DecodeEnd } from './decode-stream.ts';

/** What a file is written as, by how its name ends; the lossless ones with 24 bits. */
const FORMATS = {
  // A plain WAV ends at 4 GiB, which are four hours: what is longer has the header of RF64.
  wav: { muxer: 'wav', options: ['-c:a pcm_s24le', '-rf64 auto'], isLossless: true },
  flac: {
    muxer: 'flac',
    options: ['-c:a flac', '-sample_fmt s32', '-bits_per_raw_sample 24'],
    isLossless: true,
  },
  mp3: { muxer: 'mp3', options: ['-c:a libmp3lame'], isLossless: false },
  ogg: { muxer: 'ogg', options: ['-c:a libvorbis'], isLossless: false },
  opus: { muxer: 'ogg', options: ['-c:a libopus'], isLossless: false },
  aac: { muxer: 'adts', options: ['-c:a aac'], isLossless: false },
  m4a: { muxer: 'ipod', options: ['-c:a aac', '-movflags +faststart'], isLossless: false },
} as const satisfies Record<
  string,
  { readonly muxer: string; readonly options: readonly string[]; readonly isLossless: boolean }
>;

export type FileFormat = keyof typeof FORMATS;

export const FILE_FORMATS = Object.keys(FORMATS);

export function isFileFormat(text: string): text is FileFormat {
  return Object.hasOwn(FORMATS, text);
}

export const isLossless = (format: FileFormat): boolean => FORMATS[format].isLossless;

export interface EncodeFileOptions {
  readonly ffmpegPath: string;
  readonly path: string;
  readonly format: FileFormat;
  /** Of the formats that have one. */
  readonly bitrateKbps: number;
  readonly clock: Clock;
}

/** Writes a file of sound, no faster than it is encoded if who writes waits for `ready`. */
export interface EncodeFile {
  /** Interleaved stereo at 48 kHz; the array must not be changed afterwards. */
  write(pcm: Float32Array): void;
  ready(): Promise<void>;
  /** No more comes: resolves when the file is whole, or won't be. */
  end(): Promise<DecodeEnd>;
  stop(): Promise<void>;
}

export function encodeFileArguments(
  options: Omit<EncodeFileOptions, 'ffmpegPath' | 'clock'>,
): readonly string[] {
  const { path, format, bitrateKbps } = options;
  const { muxer, options: words, isLossless: lossless } = FORMATS[format];
  const command = ffmpegCommand()
    .input('pipe:0')
    .inputFormat('f32le')
    .inputOptions(['-v error', `-ar ${PCM_RATE_HZ}`, `-ac ${PCM_CHANNELS}`, '-protocol_whitelist pipe'])
    .outputOptions([...words, ...(lossless ? [] : [`-b:a ${bitrateKbps}k`])])
    .format(muxer)
    // The prefix, as a name may look like an address.
    .output(`file:${resolve(path)}`);
  return argumentsOf(command);
}

export function openEncodeFile(options: EncodeFileOptions): EncodeFile {
  const writer = new ChildWriter();
  const child: Child = startChild({
    command: options.ffmpegPath,
    args: encodeFileArguments(options),
    clock: options.clock,
    onDrain: writer.wake,
    onExit: writer.wake,
  });
  return {
    write(pcm) {
      writer.push(child, new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
    },
    ready: () => writer.ready(),
    async end() {
      child.endInput();
      const exit = await child.exited;
      return { exit, complaints: complaintsOf(child) };
    },
    async stop() {
      writer.close();
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}
