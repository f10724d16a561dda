import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Made by fixtures/corpus/mixed.mjs: interleaved stereo at 48 kHz. */
export function shortMix(): Float32Array {
  const folder = mkdtempSync(join(tmpdir(), 'sustain-mix-'));
  try {
    const path = join(folder, 'mix.f32');
    const maker = fileURLToPath(new URL('../../../fixtures/corpus/mixed.mjs', import.meta.url));
    execFileSync(process.execPath, [maker, 'short', path]);
    return new Float32Array(Uint8Array.from(readFileSync(path)).buffer);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const ABSOLUTE_GATE_LUFS = -70;
const RELATIVE_GATE = 0.1;
const energyOf = (lufs: number) => 10 ** (lufs / 10);

/** Gated loudness (BS.1770-5, Annex 1) of blocks of 400 ms that an independent meter read every 100 ms. */
export function gatedLufs(momentary: readonly number[]): number {
  const heard = momentary.filter((lufs) => lufs > ABSOLUTE_GATE_LUFS).map(energyOf);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const gate = mean(heard) * RELATIVE_GATE;
  return 10 * Math.log10(mean(heard.filter((energy) => energy > gate)));
}

export interface Window {
  readonly fromSeconds: number;
  readonly lufs: number;
}

/** Each window of so many seconds, a new one beginning every second, from the end of settling on. */
export function windowsOf(momentary: readonly number[], seconds = 60, settledSeconds = 10): Window[] {
  const windows: Window[] = [];
  for (let from = settledSeconds * 10; from + seconds * 10 <= momentary.length; from += 10) {
    // The first 300 ms of momentary loudness still look back before the window.
    const inside = momentary.slice(from + 3, from + seconds * 10);
    windows.push({ fromSeconds: from / 10, lufs: gatedLufs(inside) });
  }
  return windows;
}
