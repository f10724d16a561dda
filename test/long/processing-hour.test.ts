import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProcessor } from '../../src/audio/processor.ts';
import { NAMED_LOUDNESS, PROCESSING_PRESETS, type ProcessingPreset } from '../../src/domain/processing.ts';
import { chainValues, RATE_HZ } from '../native/support/chain.ts';
import { buildOracle, type Oracle } from '../native/support/oracle.ts';
import { windowsOf } from '../native/support/windows.ts';

/** An hour of mixed programme, by libebur128: docs/bench/processing.md has the figures. */
const HOUR_SECONDS = 3_600;
const CEILING_DBTP = -1;
let folder: string;
let hour: string;
let oracle: Oracle;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sustain-hour-'));
  hour = join(folder, 'hour.f32');
  oracle = buildOracle();
  const maker = fileURLToPath(new URL('../../fixtures/corpus/mixed.mjs', import.meta.url));
  execFileSync(process.execPath, [maker, 'hour', hour]);
}, 900_000);
afterAll(() => {
  oracle?.remove();
  rmSync(folder, { recursive: true });
});

/** Second by second, as an hour is more than should be held in memory. */
function* secondsOf(path: string): Generator<Float32Array> {
  const file = openSync(path, 'r');
  const second = new Float32Array(2 * RATE_HZ);
  const bytes = new Uint8Array(second.buffer);
  try {
    for (let read = readSync(file, bytes); read > 0; read = readSync(file, bytes))
      yield second.subarray(0, read / 4);
  } finally {
    closeSync(file);
  }
}

/** In step with what went in. */
function* through(preset: ProcessingPreset, loudness: number): Generator<Float32Array> {
  const processor = createProcessor({ values: chainValues(preset, { loudness, ceiling: CEILING_DBTP }) });
  let skip = 2 * processor.latencyFrames;
  for (const samples of secondsOf(hour)) {
    processor.process(samples);
    const skipped = Math.min(skip, samples.length);
    skip -= skipped;
    yield samples.subarray(skipped);
  }
}

function figuresOf(momentary: readonly number[], targetLufs: number) {
  const windows = windowsOf(momentary).map((window) => ({ ...window, lu: window.lufs - targetLufs }));
  const all = windows.map(({ lu }) => lu);
  return {
    windows: windows.length,
    lowestLu: Math.min(...all),
    highestLu: Math.max(...all),
    outside: windows.filter(({ lu }) => Math.abs(lu) > 1),
  };
}

const told = (
  what: string,
  { windows, lowestLu, highestLu, outside }: ReturnType<typeof figuresOf>,
  dbtp: number,
) =>
  console.log(
    `${what}: ${windows} minutes, ${lowestLu.toFixed(2)} to ${highestLu.toFixed(2)} LU, ${outside.length} beyond 1 LU, ${dbtp.toFixed(2)} dBTP`,
  );

test('before the chain, the minutes of the hour are 20 LU apart', async () => {
  const { momentary, truePeakDbtp } = await oracle.briefOf(secondsOf(hour), RATE_HZ, 2);
  const figures = figuresOf(momentary, -16);
  told('before', figures, truePeakDbtp);
  expect(figures.highestLu - figures.lowestLu).toBeGreaterThan(20);
});

const cases = PROCESSING_PRESETS.filter((preset) => preset !== 'off').flatMap((preset) =>
  Object.values(NAMED_LOUDNESS).map((loudness) => ({ preset, loudness })),
);

test.each(cases)(
  '$preset at $loudness LUFS: every minute of the hour is within 1 LU of it, no true peak over the ceiling',
  async ({ preset, loudness }) => {
    const { momentary, truePeakDbtp } = await oracle.briefOf(through(preset, loudness), RATE_HZ, 2);
    const figures = figuresOf(momentary, loudness);
    told(`${preset} at ${loudness}`, figures, truePeakDbtp);
    expect(figures.windows).toBeGreaterThan(HOUR_SECONDS - 100);
    expect(figures.outside).toEqual([]);
    expect(truePeakDbtp).toBeLessThanOrEqual(CEILING_DBTP);
  },
);
