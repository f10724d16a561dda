import { describe, expect, it } from 'vitest';
import { mp3EncoderProblem, openMp3Encoder } from '../../../native-bindings/mp3-encoder.ts';
import { waitUntil } from '../../../src/demo/rig/index.ts';
import { runFfmpeg } from '../../../src/demo/rig/material.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import type { OutputFormat } from '../../../src/relay/encode-command.ts';
import { startLameEncoder } from '../../../src/relay/lame-encoder.ts';

const RATE_HZ = 48_000;
const BLOCK_FRAMES = 5_760;
const SECONDS = 3;

const format = (more: Partial<OutputFormat> = {}): OutputFormat => ({
  codec: 'mp3',
  bitrateKbps: 128,
  sampleRateHz: 44_100,
  channels: 2,
  mp3Quality: null,
  ...more,
});

/** Tones of 0.3, one frequency a channel, block by block. */
function* blocksOf(leftHz: number, rightHz: number): Generator<Float32Array> {
  for (let from = 0; from < SECONDS * RATE_HZ; from += BLOCK_FRAMES) {
    yield Float32Array.from({ length: 2 * BLOCK_FRAMES }, (_, i) => {
      const hz = i % 2 === 0 ? leftHz : rightHz;
      return 0.3 * Math.sin((2 * Math.PI * hz * (from + (i >> 1))) / RATE_HZ);
    });
  }
}

async function encoded(of: OutputFormat, blocks: Iterable<Float32Array>) {
  const pieces: Buffer[] = [];
  const encoder = startLameEncoder({
    format: of,
    ffmpegPath: 'ffmpeg',
    clock: systemClock,
    log: silentLogger(),
    onBytes: (bytes) => pieces.push(bytes),
  });
  for (const block of blocks) {
    encoder.write(block);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const enough = (SECONDS - 0.2) * of.bitrateKbps * 125;
  await waitUntil('the sound', 10_000, () => pieces.reduce((sum, { length }) => sum + length, 0) > enough);
  await encoder.stop();
  const { output, complaints } = await runFfmpeg(
    ['-f', 'mp3', '-i', 'pipe:0', '-f', 'f32le', '-ac', String(of.channels), 'pipe:1'],
    Buffer.concat(pieces),
  );
  const all = new Float32Array(output.buffer.slice(output.byteOffset, output.byteOffset + output.length));
  const channel = (index: number) => all.filter((_, i) => i % of.channels === index);
  return { channel, complaints, rebuilds: encoder.rebuilds };
}

/** Amplitude of one frequency (a Fourier sum) in the middle of a decoded channel. */
function amplitudeOf(sound: Float32Array, hz: number, rateHz: number): number {
  const middle = sound.subarray(rateHz / 2, 2 * rateHz);
  let [re, im] = [0, 0];
  middle.forEach((sample, i) => {
    re += sample * Math.cos((2 * Math.PI * hz * i) / rateHz);
    im += sample * Math.sin((2 * Math.PI * hz * i) / rateHz);
  });
  return (2 * Math.hypot(re, im)) / middle.length;
}

describe('MP3 encoded in this process', () => {
  it('is possible here: libmp3lame comes with Debian’s ffmpeg', () => {
    expect(mp3EncoderProblem()).toBeNull();
  });

  it.each([48_000, 44_100, 32_000, 22_050])('carries both channels as they are at %i Hz', async (rateHz) => {
    const { channel, complaints, rebuilds } = await encoded(
      format({ sampleRateHz: rateHz, bitrateKbps: 96 }),
      blocksOf(1_000, 5_000),
    );
    expect(complaints).toBe('');
    expect(rebuilds).toBe(0);
    expect(channel(0).length / rateHz).toBeGreaterThan(SECONDS - 0.3);
    expect(amplitudeOf(channel(0), 1_000, rateHz)).toBeCloseTo(0.3, 2);
    expect(amplitudeOf(channel(1), 5_000, rateHz)).toBeCloseTo(0.3, 2);
    expect(amplitudeOf(channel(0), 5_000, rateHz)).toBeLessThan(0.003);
  });

  it('folds nothing over the new Nyquist frequency back into what can be heard', async () => {
    const { channel } = await encoded(format({ sampleRateHz: 32_000 }), blocksOf(19_000, 1_000));
    expect(amplitudeOf(channel(0), 32_000 - 19_000, 32_000)).toBeLessThan(0.3 * 10 ** (-70 / 20));
  });

  it('is the middle of both channels where it is mono', async () => {
    const { channel } = await encoded(format({ channels: 1, bitrateKbps: 64 }), blocksOf(1_000, 3_000));
    expect(amplitudeOf(channel(0), 1_000, 44_100)).toBeCloseTo(0.15, 2);
    expect(amplitudeOf(channel(0), 3_000, 44_100)).toBeCloseTo(0.15, 2);
  });

  it('gets over sound that is no number', async () => {
    const blocks = [...blocksOf(1_000, 1_000)];
    blocks.splice(2, 0, new Float32Array(2 * BLOCK_FRAMES).fill(Number.NaN));
    const { channel } = await encoded(format(), blocks);
    expect(amplitudeOf(channel(0), 1_000, 44_100)).toBeGreaterThan(0.2);
  });

  it('refuses what MP3 does not have, and two calls at once', async () => {
    expect(() => openMp3Encoder({ bitrateKbps: 128, sampleRateHz: 44_101, channels: 2 })).toThrow(
      /sample rate/,
    );
    expect(() => openMp3Encoder({ bitrateKbps: 0, sampleRateHz: 44_100, channels: 2 })).toThrow(
      /bitrateKbps/,
    );
    const encoder = openMp3Encoder({ bitrateKbps: 128, sampleRateHz: 44_100, channels: 2 });
    const first = encoder.encode([new Float32Array(2 * RATE_HZ)]);
    expect(() => encoder.encode([new Float32Array(2)])).toThrow(/wait for its promise/);
    await first;
    expect(() => encoder.encode([new Float32Array(3)])).toThrow(/stereo frames/);
  });
});
