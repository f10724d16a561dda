import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProcessor } from '../../src/audio/processor.ts';
import { PROCESSING_PRESETS, type ProcessingPreset } from '../../src/domain/processing.ts';
import { chainValues, RATE_HZ } from '../native/support/chain.ts';
import { type BriefFigures, buildOracle, type Oracle } from '../native/support/oracle.ts';
import { windowsOf } from '../native/support/windows.ts';

/** An hour of mixed programme, by libebur128: docs/bench/processing.md has the figures. */
let folder: string;
let oracle: Oracle;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sustain-hour-'));
  oracle = buildOracle();
  const maker = fileURLToPath(new URL('../../fixtures/corpus/mixed.mjs', import.meta.url));
  execFileSync(process.execPath, [maker, 'hour', join(folder, 'hour.f32')]);
}, 600_000);
afterAll(() => {
  oracle?.remove();
  rmSync(folder, { recursive: true });
});

/** Piece by piece, as an hour is more than should be held in memory. */
function hourThrough(preset: ProcessingPreset): BriefFigures {
  const processor = createProcessor({ values: chainValues(preset) });
  const [input, output] = [openSync(join(folder, 'hour.f32'), 'r'), openSync(join(folder, 'out.f32'), 'w')];
  let skip = 2 * processor.latencyFrames;
  const piece = new Float32Array(2 * RATE_HZ);
  const bytes = new Uint8Array(piece.buffer);
  for (let read = readSync(input, bytes); read > 0; read = readSync(input, bytes)) {
    const samples = piece.subarray(0, read / 4);
    processor.process(samples);
    const out = samples.subarray(Math.min(skip, samples.length));
    skip -= samples.length - out.length;
    writeSync(output, new Uint8Array(out.buffer, out.byteOffset, out.byteLength));
  }
  closeSync(input);
  closeSync(output);
  return oracle.briefOfFile(join(folder, 'out.f32'), RATE_HZ, 2);
}

test.each(PROCESSING_PRESETS.filter((preset) => preset !== 'off'))(
  '%s: every minute of an hour is within 1 LU of the target, no true peak over the ceiling',
  (preset) => {
    const { momentary, truePeakDbtp } = hourThrough(preset);
    const windows = windowsOf(momentary);
    expect(windows.length).toBeGreaterThan(3_500);
    const outside = windows.filter(({ lufs }) => Math.abs(lufs + 16) > 1);
    expect(outside).toEqual([]);
    expect(truePeakDbtp).toBeLessThanOrEqual(-1);
  },
);
