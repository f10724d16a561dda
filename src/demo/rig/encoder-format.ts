/** How a station encodes. The default is what most send: MP3, 128 kbit/s, 44.1 kHz, stereo. */
export interface StreamFormat {
  readonly codec: 'mp3' | 'aac' | 'vorbis';
  readonly bitrateKbps: number;
  readonly sampleRateHz: number;
  readonly channels: 1 | 2;
}

export const DEFAULT_FORMAT: StreamFormat = {
  codec: 'mp3',
  bitrateKbps: 128,
  sampleRateHz: 44_100,
  channels: 2,
};

export const CONTENT_TYPE = {
  mp3: 'audio/mpeg',
  aac: 'audio/aac',
  vorbis: 'application/ogg',
} as const;

/** ffmpeg's arguments from PCM on stdin up to the muxer; the destination follows. */
export function ffmpegEncodeArgs(
  format: StreamFormat,
  pcm: { sampleRateHz: number; channels: number },
): string[] {
  return [
    ...[
      '-nostdin',
      '-hide_banner',
      '-v',
      'warning',
      '-filter_threads',
      '1',
      '-fflags',
      'nobuffer',
      '-probesize',
      '32',
    ],
    ...['-f', 's16le', '-ar', String(pcm.sampleRateHz), '-ac', String(pcm.channels), '-i', 'pipe:0'],
    ...['-ar', String(format.sampleRateHz), '-ac', String(format.channels)],
    ...['-b:a', `${format.bitrateKbps}k`, '-flush_packets', '1', ...muxerArgs(format)],
  ];
}

function muxerArgs(format: StreamFormat): string[] {
  switch (format.codec) {
    case 'mp3':
      return ['-c:a', 'libmp3lame', '-write_xing', '0', '-id3v2_version', '0', '-f', 'mp3'];
    case 'aac':
      return ['-c:a', 'aac', '-f', 'adts'];
    case 'vorbis':
      // Short pages, as live encoders send them; ffmpeg would otherwise hold a second back.
      return ['-c:a', 'libvorbis', '-page_duration', '100000', '-f', 'ogg'];
  }
}
