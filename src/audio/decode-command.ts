import ffmpegCommand from 'fluent-ffmpeg';

/** What decoded sound looks like everywhere in Sustain: interleaved 32 bit floats. */
export const PCM_RATE_HZ = 48_000;
export const PCM_FRAMES_PER_MS = PCM_RATE_HZ / 1_000;
export const PCM_CHANNELS = 2;
export const PCM_FRAME_BYTES = PCM_CHANNELS * Float32Array.BYTES_PER_ELEMENT;

/** The containers that are decoded. None of them can name a file or an address, as a playlist would. */
export const DEMUXERS = ['mp3', 'aac', 'ogg', 'flac', 'matroska'] as const;
export type Demuxer = (typeof DEMUXERS)[number];

const DEMUXER_OF_TYPE: Readonly<Record<string, Demuxer>> = {
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
  'audio/x-mp3': 'mp3',
  'audio/mpeg3': 'mp3',
  'audio/x-mpeg': 'mp3',
  'audio/aac': 'aac',
  'audio/aacp': 'aac',
  'audio/x-aac': 'aac',
  'audio/aac-adts': 'aac',
  'application/ogg': 'ogg',
  'audio/ogg': 'ogg',
  'video/ogg': 'ogg',
  'audio/opus': 'ogg',
  'audio/vorbis': 'ogg',
  'audio/flac': 'flac',
  'audio/x-flac': 'flac',
  'audio/webm': 'matroska',
  'video/webm': 'matroska',
  'audio/x-matroska': 'matroska',
};

export function isDemuxer(text: string): text is Demuxer {
  return DEMUXERS.some((known) => known === text);
}

/** The demuxer for a `Content-Type`, parameters and case ignored; null when it is not sound that we decode. */
export function demuxerFor(contentType: string): Demuxer | null {
  const plain = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  return Object.hasOwn(DEMUXER_OF_TYPE, plain) ? (DEMUXER_OF_TYPE[plain] ?? null) : null;
}

/**
 * Any layout as its listeners hear it from two loudspeakers: more than two channels are mixed as ITU-R BS.775 does, in
 * floats, as ffmpeg makes the whole mix quieter in integers. But its own mix takes 3 dB off a mono stream, which players
 * don't, so that one goes to both sides as it is. Stereo stays as it is to the bit.
 */
const TWO_SIDES = 'aformat=sample_fmts=fltp:channel_layouts=mono|stereo,pan=stereo|FL=FL+FC|FR=FR+FC';

/**
 * The words after `ffmpeg` that turn stdin into PCM on stdout as soon as it can be.
 *
 * fluent-ffmpeg only puts them together: it is archived upstream, and its own start asks several more ffmpegs for
 * their capabilities before the one that matters, and owns a process that our supervisor must own.
 */
export function decodeArguments(demuxer: Demuxer): readonly string[] {
  const command = ffmpegCommand()
    .input('pipe:0')
    .inputFormat(demuxer)
    .inputOptions([
      '-v error',
      '-threads 1',
      // Bytes from strangers may be read from the pipe and from nowhere else.
      '-protocol_whitelist pipe',
      // Search up to 64 KiB for the first frame of a stream joined in its middle (ADTS gives up at the probe size),
      // but stop analysing at the first packet: 0 would mean the default of several seconds.
      '-probesize 65536',
      '-analyzeduration 1',
    ])
    .noVideo()
    .audioFilters(TWO_SIDES)
    .audioFrequency(PCM_RATE_HZ)
    .audioChannels(PCM_CHANNELS)
    .format('f32le')
    // What ffmpeg writes if it is let (32 KiB, 85 ms) is seen too late on a meter.
    .outputOptions(['-flush_packets 1'])
    .output('pipe:1');
  // A write for every frame of the codec costs this process a third more, so that it is 50 ms at a time. MP3 is read by
  // 1024 bytes (64 ms at 128 kbit/s), and what they hold comes in one go: what was kept back of it would be a piece late.
  if (demuxer !== 'mp3') command.audioFilters('asetnsamples=n=2400:p=0');
  return argumentsOf(command);
}

/** `_getArguments` is what fluent-ffmpeg calls itself and its tests rely on; it is missing from its types. */
export function argumentsOf(command: object): readonly string[] {
  if (!('_getArguments' in command) || typeof command._getArguments !== 'function') {
    throw new Error('this fluent-ffmpeg has no _getArguments');
  }
  const words: unknown = command._getArguments();
  if (!Array.isArray(words)) throw new Error('fluent-ffmpeg gave no list of arguments');
  return words.map((word) => String(word));
}
