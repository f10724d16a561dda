import { afterEach, describe, expect, it } from 'vitest';
import { runFfmpeg } from '../../../src/demo/rig/material.ts';
import { createOggTitleReader } from '../../../src/icecast/ogg-titles.ts';
import { sleep, systemClock } from '../../../src/platform/clock.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { encodeArguments, type OutputFormat } from '../../../src/relay/encode-command.ts';
import type { Encoder } from '../../../src/relay/encoder.ts';
import { startFfmpegEncoder } from '../../../src/relay/ffmpeg-encoder.ts';
import { BLOCK_FRAMES, OutputClock, TICK_MS } from '../../../src/relay/output-clock.ts';
import { CHANNELS } from './music.ts';

const MP3: OutputFormat = {
  codec: 'mp3',
  bitrateKbps: 128,
  sampleRateHz: 44_100,
  channels: 2,
  mp3Quality: null,
};
const DEMUXER = { mp3: 'mp3', aac: 'aac', opus: 'ogg', vorbis: 'ogg' } as const;

const encoders: Encoder[] = [];
afterEach(async () => {
  await Promise.all(encoders.splice(0).map((encoder) => encoder.stop()));
});

/** A tone in real time and in the relay's blocks into an encoder, and every piece that came out with its time. */
function run(
  format: OutputFormat,
  options: { argumentsFor?: () => readonly string[]; ffmpegPath?: string } = {},
) {
  const pieces: { atMs: number; bytes: Buffer }[] = [];
  const encoder = startFfmpegEncoder({
    format,
    ffmpegPath: options.ffmpegPath ?? 'ffmpeg',
    clock: systemClock,
    log: silentLogger(),
    onBytes: (bytes) => pieces.push({ atMs: systemClock.nowMs(), bytes }),
    ...(options.argumentsFor === undefined ? {} : { argumentsFor: options.argumentsFor }),
  });
  encoders.push(encoder);
  const owed = new OutputClock();
  owed.begin(systemClock.nowMs());
  const cancel = systemClock.every(TICK_MS, () => {
    for (let left = owed.blocksDue(systemClock.nowMs()); left > 0; left -= 1) {
      const from = owed.givenFrames;
      const toneAt = (i: number) => 0.3 * Math.sin((from + (i >> 1)) * 0.0576);
      encoder.write(Float32Array.from({ length: BLOCK_FRAMES * CHANNELS }, (_, i) => toneAt(i)));
      owed.gave(BLOCK_FRAMES);
    }
  });
  return {
    encoder,
    pieces,
    /** At 128 kbit/s a millisecond is 16 bytes. */
    async caughtUp() {
      for (let round = 0; round < 200; round += 1) {
        await pause(50);
        if (pieces.reduce((sum, { bytes }) => sum + bytes.length, 0) / 16 > owed.givenFrames / 48 - 300)
          return;
      }
    },
    async finish() {
      cancel();
      // What is on its way is not held back.
      for (let before = -1; before < pieces.length; ) {
        before = pieces.length;
        await pause(500);
      }
      const { output, complaints } = await runFfmpeg(
        ['-f', DEMUXER[format.codec], '-i', 'pipe:0', '-f', 'f32le', '-ar', '48000', '-ac', '2', 'pipe:1'],
        Buffer.concat(pieces.map(({ bytes }) => bytes)),
      );
      const pcm = new Float32Array(output.buffer.slice(output.byteOffset, output.byteOffset + output.length));
      return { decodedMs: output.length / 8 / 48, writtenMs: owed.givenFrames / 48, pcm, complaints };
    },
  };
}

const pause = (ms: number) => sleep(systemClock, ms);

/** Nothing of this process goes on, as on a machine that swaps. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('an encoder of a public mount', () => {
  it('gives MP3, AAC, Opus and Vorbis as they are written, without holding them back', async () => {
    const codecs = ['mp3', 'aac', 'opus', 'vorbis'] as const;
    const encodings = codecs.map((codec) => ({ codec, ...run({ ...MP3, codec, bitrateKbps: 96 }) }));
    await pause(3_000);
    for (const { codec, encoder, finish } of encodings) {
      const { decodedMs, writtenMs } = await finish();
      expect(writtenMs - decodedMs, codec).toBeLessThan(500);
      expect(encoder.rebuilds, codec).toBe(0);
    }
  });

  it.each(['opus', 'vorbis'] as const)(
    'tells titles within %s without a hole in the sound',
    async (codec) => {
      const { encoder, pieces, finish } = run({ ...MP3, codec, bitrateKbps: 96 });
      await pause(1_200);
      encoder.setTitle('one, Ö "and" \\ a half');
      await pause(1_500);
      encoder.setTitle('two');
      encoder.setTitle('three');
      await pause(1_500);
      const titles: string[] = [];
      const reader = createOggTitleReader((title) => titles.push(title));
      const { decodedMs, writtenMs, pcm, complaints } = await finish();
      for (const { bytes } of pieces) reader.push(bytes);
      expect(titles).toEqual(['one, Ö "and" \\ a half', 'three']);
      expect(complaints).toBe('');
      expect(encoder.rebuilds).toBe(0);
      expect(writtenMs - decodedMs).toBeLessThan(500);
      expect(decodedMs - writtenMs).toBeLessThan(20);
      // Ten milliseconds of the tone are always as loud as the next ten.
      const levels = Array.from({ length: Math.floor(pcm.length / 960) }, (_, i) =>
        Math.sqrt(pcm.subarray(i * 960, (i + 1) * 960).reduce((sum, x) => sum + x * x, 0) / 960),
      ).slice(10, -10);
      expect(Math.min(...levels)).toBeGreaterThan(0.15);
      expect(Math.max(...levels)).toBeLessThan(0.3);
    },
  );

  it('is rebuilt at once when it is killed or hangs, and nothing of the sound is lost', async () => {
    const encodings = (['SIGKILL', 'SIGSTOP'] as const).map((signal) => ({ signal, ...run(MP3) }));
    await pause(1_500);
    const atMs = systemClock.nowMs();
    for (const { signal, encoder } of encodings) process.kill(encoder.pid ?? 0, signal);
    await pause(2_000);
    for (const { signal, encoder, pieces, finish, caughtUp } of encodings) {
      await caughtUp();
      const { decodedMs, writtenMs } = await finish();
      const after = pieces.filter((piece) => piece.atMs > atMs + 20);
      const gapsMs = after.map((piece, i) => piece.atMs - (after[i - 1]?.atMs ?? atMs));
      // Some 0.3 s and 0.8 s on a machine that has nothing else to do.
      expect(Math.max(...gapsMs), signal).toBeLessThan(2_000);
      expect(encoder.rebuilds, signal).toBe(1);
      expect(Math.abs(decodedMs - writtenMs), signal).toBeLessThan(400);
    }
  });

  it('is not blamed for a standstill of our own, and neither is the one that is started after it', async () => {
    const encoding = run(MP3);
    await pause(1_500);
    standStill(2_500);
    await pause(1_000);
    expect(encoding.encoder.rebuilds).toBe(0);
    process.kill(encoding.encoder.pid ?? 0, 'SIGKILL');
    standStill(4_000);
    await encoding.caughtUp();
    expect(encoding.encoder.rebuilds).toBe(1);
    const { decodedMs, writtenMs } = await encoding.finish();
    expect(Math.abs(decodedMs - writtenMs)).toBeLessThan(400);
  });

  it('is tried again, not too often, while ffmpeg cannot be started', async () => {
    const encoding = run(MP3, { ffmpegPath: '/nonexistent/ffmpeg' });
    await pause(1_500);
    expect(encoding.encoder.rebuilds).toBeGreaterThan(2);
    expect(encoding.encoder.rebuilds).toBeLessThan(8);
    expect(encoding.pieces).toEqual([]);
  });

  it('takes its sound from the pipe and from nowhere else', () => {
    expect(encodeArguments(MP3).join(' ')).toMatch(
      /-protocol_whitelist pipe .*-i pipe:0 .*libmp3lame .*pipe:1$/,
    );
  });
});
