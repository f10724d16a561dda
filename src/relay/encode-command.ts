import ffmpegCommand from 'fluent-ffmpeg';
import { argumentsOf, PCM_CHANNELS, PCM_RATE_HZ } from '../audio/decode-command.ts';

/** How one public mount is encoded. */
export interface OutputFormat {
  readonly codec: 'mp3' | 'aac' | 'opus' | 'vorbis';
  readonly bitrateKbps: number;
  readonly sampleRateHz: number;
  readonly channels: 1 | 2;
  /** LAME's own scale, 0 the best and 9 the fastest; null: its default. */
  readonly mp3Quality: number | null;
}

/** What Icecast and players go by. `application/ogg` is what Icecast 2.4 knows both Ogg codecs by. */
export const CONTENT_TYPE_OF = {
  mp3: 'audio/mpeg',
  aac: 'audio/aac',
  opus: 'application/ogg',
  vorbis: 'application/ogg',
} as const satisfies Record<OutputFormat['codec'], string>;

/** An Ogg stream can only be joined at its headers, so each connection needs a fresh encoder. */
export function needsHeaders(codec: OutputFormat['codec']): boolean {
  return codec === 'opus' || codec === 'vorbis';
}

/** Pages this long, as live encoders send them; ffmpeg would hold a second back. */
const PAGE_MICROSECONDS = 100_000;

/** What an Ogg stream says of itself; `serial` sets the links of one chain apart. */
export interface OggLink {
  readonly serial: number;
  readonly title: string | null;
}

/** The words after `ffmpeg` that turn PCM on stdin into one stream on stdout, each frame as soon as it is ready. */
export function encodeArguments(
  format: OutputFormat,
  link: OggLink = { serial: 0, title: null },
): readonly string[] {
  const command = ffmpegCommand()
    .input('pipe:0')
    .inputFormat('f32le')
    .inputOptions([
      '-v error',
      `-ar ${PCM_RATE_HZ}`,
      `-ac ${PCM_CHANNELS}`,
      '-threads 1',
      '-fflags nobuffer',
      '-probesize 32',
      '-protocol_whitelist pipe',
    ])
    .noVideo()
    .audioFrequency(format.codec === 'opus' ? 48_000 : format.sampleRateHz)
    .audioChannels(format.channels)
    .audioBitrate(`${format.bitrateKbps}k`)
    .outputOptions([...codecOptions(format), '-threads 1', '-filter_threads 1', '-flush_packets 1'])
    .output('pipe:1');
  const words = argumentsOf(command);
  if (!needsHeaders(format.codec)) return words;
  // Beside fluent-ffmpeg, which would split a title at its spaces.
  const said = ['-serial_offset', String(link.serial)];
  if (link.title !== null) said.push('-metadata', `title=${link.title}`);
  return [...words.slice(0, -1), ...said, ...words.slice(-1)];
}

function codecOptions({ codec, mp3Quality }: OutputFormat): string[] {
  switch (codec) {
    case 'mp3':
      return [
        '-c:a libmp3lame',
        ...(mp3Quality === null ? [] : [`-compression_level ${mp3Quality}`]),
        '-write_xing 0',
        '-id3v2_version 0',
        '-f mp3',
      ];
    case 'aac':
      return ['-c:a aac', '-f adts'];
    case 'opus':
      return ['-c:a libopus', `-page_duration ${PAGE_MICROSECONDS}`, '-f ogg'];
    case 'vorbis':
      return ['-c:a libvorbis', `-page_duration ${PAGE_MICROSECONDS}`, '-f ogg'];
  }
}
