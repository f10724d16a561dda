import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeWholeFile, type WholeFile } from '../../../src/audio/whole-file.ts';
import { runFfmpeg } from '../../../src/demo/rig/material.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { emergencyOf } from '../../../src/relay/emergency.ts';
import { CHANNELS, RATE_HZ } from './music.ts';

const folder = mkdtempSync(join(tmpdir(), 'sustain-emergency-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function fileWith(name: string, ...what: string[]): Promise<string> {
  const { output } = await runFfmpeg(['-f', 'lavfi', '-i', ...what, 'pipe:1']);
  const path = join(folder, name);
  writeFileSync(path, output);
  return path;
}

const decode = (path: string, mostSeconds = 60): Promise<WholeFile> =>
  decodeWholeFile({ path, ffmpegPath: 'ffmpeg', clock: systemClock, mostSeconds, thresholdDbfs: -50 });

describe('an emergency file', () => {
  it('goes round for ever without a gap or a click at its seam', async () => {
    const path = await fileWith('tone.mp3', 'sine=997:duration=3', '-b:a', '128k', '-f', 'mp3');
    const file = await decode(path);
    const { source, loudness } = emergencyOf(file);
    expect(loudness.lufs).toBeGreaterThan(-30);
    const frames = 12 * RATE_HZ;
    const out = new Float32Array(frames * CHANNELS);
    expect(source.read(0, out)).toBe(true);
    let steepest = 0;
    const steps: number[] = [];
    for (let at = CHANNELS * 4_800; at + 960 < out.length; at += 960) {
      const piece = out.subarray(at, at + 960);
      steps.push(Math.sqrt(piece.reduce((sum, sample) => sum + sample * sample, 0) / piece.length));
      for (let i = CHANNELS; i < piece.length; i += 1)
        steepest = Math.max(steepest, Math.abs((piece[i] ?? 0) - (piece[i - CHANNELS] ?? 0)));
    }
    expect(Math.min(...steps)).toBeGreaterThan(0.02);
    // The steepest place of a sine of 997 Hz at an eighth of full scale, and what a fade of two of them may add.
    expect(steepest).toBeLessThan(0.125 * 2 * Math.PI * (997 / RATE_HZ) * 1.6);
  });

  it('is cut where it is longer than is wanted', async () => {
    const path = await fileWith('long.wav', 'sine=440:duration=9', '-f', 'wav');
    const file = await decode(path, 2);
    expect(file.isCut).toBe(true);
    expect(file.samples.length).toBe(2 * RATE_HZ * CHANNELS);
  });

  it.each([
    ['that does not exist', () => join(folder, 'none.mp3'), 'does not exist'],
    ['that is a folder', () => folder, 'is a folder'],
  ])('%s is refused with the reason', async (_what, path, says) => {
    await expect(decode(path())).rejects.toThrow(says);
  });

  it('with no sound in it is refused: silent, empty, no sound at all, or broken', async () => {
    const silent = await fileWith('silent.wav', 'anullsrc=r=48000:d=2', '-f', 'wav');
    await expect(decode(silent)).rejects.toThrow('is silent: nowhere over -50 dBFS');
    for (const [name, bytes, says] of [
      ['empty.mp3', '', 'is empty'],
      ['text.mp3', 'This is a letter and no sound. '.repeat(100), 'is no sound that is known here'],
      ['broken.flac', `fLaC${'x'.repeat(5_000)}`, 'could not be decoded'],
    ] as const) {
      writeFileSync(join(folder, name), bytes);
      await expect(decode(join(folder, name))).rejects.toThrow(says);
    }
  });
});
