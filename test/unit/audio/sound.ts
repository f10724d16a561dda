import { execFileSync } from 'node:child_process';

/** Bitrate 128 kbit/s, 44.1 kHz (Opus: 48 kHz), as encoders of stations send it. */
const CODEC_ARGS = {
  mp3: ['-c:a', 'libmp3lame', '-b:a', '128k', '-f', 'mp3'],
  aac: ['-c:a', 'aac', '-b:a', '128k', '-f', 'adts'],
  vorbis: ['-c:a', 'libvorbis', '-b:a', '128k', '-f', 'ogg'],
  opus: ['-c:a', 'libopus', '-b:a', '128k', '-ar', '48000', '-f', 'ogg'],
  flac: ['-c:a', 'flac', '-f', 'flac'],
  webm: ['-c:a', 'libopus', '-b:a', '128k', '-ar', '48000', '-f', 'webm'],
} as const;

export type Codec = keyof typeof CODEC_ARGS;

export const DEMUXER_OF = {
  mp3: 'mp3',
  aac: 'aac',
  vorbis: 'ogg',
  opus: 'ogg',
  flac: 'flac',
  webm: 'matroska',
} as const;

/** Encoded sound from a lavfi source, -20 dBFS peak of noise and tone unless told otherwise. */
export function encode(codec: Codec, seconds: number, source = tone()): Buffer {
  const args = [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    source,
    '-t',
    `${seconds}`,
    ...CODEC_ARGS[codec],
    'pipe:1',
  ];
  return execFileSync('ffmpeg', args, { maxBuffer: 2 ** 28 });
}

/** A stereo sine with this peak. */
export function tone(peakDbfs = -20, hz = 997): string {
  const peak = 10 ** (peakDbfs / 20);
  return `aevalsrc=${peak}*sin(${hz}*2*PI*t)|${peak}*sin(${hz}*2*PI*t):s=44100`;
}

/** Tones in noise: unlike a pure tone it fills its frames with bytes as chance has them, as music does. */
export function programme(): string {
  const left = '0.3*sin(440*2*PI*t)+0.1*random(0)';
  return `aevalsrc=${left}|0.3*sin(550*2*PI*t)+0.1*random(1):s=44100`;
}

/** Cuts as a network does: nobody sends whole frames. */
export function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
