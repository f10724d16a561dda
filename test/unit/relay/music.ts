import { MUSIC, type MusicName, runFfmpeg } from '../../../src/demo/rig/material.ts';

export const RATE_HZ = 48_000;
export const CHANNELS = 2;

const OUT = ['-f', 'f32le', '-ar', String(RATE_HZ), '-ac', String(CHANNELS), 'pipe:1'];
const IN = ['-f', 'f32le', '-ar', String(RATE_HZ), '-ac', String(CHANNELS), '-i', 'pipe:0'];

const pcmOf = (bytes: Buffer): Float32Array =>
  new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length - (bytes.length % 8)),
  );

const bytesOf = (pcm: Float32Array): Uint8Array => new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);

/** Real music as decoded sound: interleaved stereo at 48 kHz. */
export async function music(name: MusicName, seconds: number): Promise<Float32Array> {
  const { path, fromSeconds } = MUSIC[name];
  const { output } = await runFfmpeg([
    ...['-ss', String(fromSeconds), '-t', String(seconds), '-i', path, '-map', '0:a:0'],
    ...OUT,
  ]);
  return pcmOf(output);
}

export interface Codec {
  readonly encode: readonly string[];
  readonly demuxer: string;
}

export const CODECS = {
  'MP3 128': {
    encode: ['-c:a', 'libmp3lame', '-b:a', '128k', '-write_xing', '0', '-f', 'mp3'],
    demuxer: 'mp3',
  },
  'MP3 192': {
    encode: ['-c:a', 'libmp3lame', '-b:a', '192k', '-write_xing', '0', '-f', 'mp3'],
    demuxer: 'mp3',
  },
  'MP3 64': {
    encode: ['-ar', '44100', '-c:a', 'libmp3lame', '-b:a', '64k', '-write_xing', '0', '-f', 'mp3'],
    demuxer: 'mp3',
  },
  'AAC 96': { encode: ['-c:a', 'aac', '-b:a', '96k', '-f', 'adts'], demuxer: 'aac' },
  'Opus 96': { encode: ['-c:a', 'libopus', '-b:a', '96k', '-f', 'ogg'], demuxer: 'ogg' },
  'Vorbis 96': { encode: ['-c:a', 'libvorbis', '-b:a', '96k', '-f', 'ogg'], demuxer: 'ogg' },
} as const satisfies Record<string, Codec>;

/** Through an encoder and back, as a leg would bring it. */
export async function through(pcm: Float32Array, codec: Codec): Promise<Float32Array> {
  const { output } = await runFfmpeg([...IN, ...codec.encode, 'pipe:1'], bytesOf(pcm));
  const decoded = await runFfmpeg(['-f', codec.demuxer, '-i', 'pipe:0', ...OUT], output);
  return pcmOf(decoded.output);
}

/** The frames [from, to) of interleaved stereo. */
export const frames = (pcm: Float32Array, from: number, to: number): Float32Array =>
  pcm.slice(from * CHANNELS, to * CHANNELS);

/** A sound card that is `ppm` too fast plays the same music in fewer frames. Linear interpolation is enough here. */
export function drifted(pcm: Float32Array, ppm: number): Float32Array {
  const rate = 1 + ppm / 1e6;
  const out = new Float32Array(Math.floor(pcm.length / CHANNELS / rate - 1) * CHANNELS);
  for (let frame = 0; frame < out.length / CHANNELS; frame += 1) {
    const at = frame * rate;
    const whole = Math.floor(at);
    for (let channel = 0; channel < CHANNELS; channel += 1) {
      const here = pcm[whole * CHANNELS + channel] ?? 0;
      const next = pcm[(whole + 1) * CHANNELS + channel] ?? 0;
      out[frame * CHANNELS + channel] = here + (next - here) * (at - whole);
    }
  }
  return out;
}
