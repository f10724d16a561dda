import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { runFfmpeg } from '../../../src/demo/rig/material.ts';
import { keepEmergency } from '../../../src/wiring/station-relay.ts';
import { manualClock } from '../platform/clocks.ts';
import { keptLog } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'sustain-emergency-'));
const path = join(folder, 'loop.wav');
afterEach(() => rmSync(folder, { recursive: true }));

async function until(holds: () => boolean): Promise<void> {
  for (let round = 0; round < 400 && !holds(); round += 1)
    await new Promise((resolve) => setTimeout(resolve, 25));
  expect(holds()).toBe(true);
}

describe('the emergency file', () => {
  test('is tried again until it can be played, and what is wrong with it is said meanwhile', async () => {
    const clock = manualClock();
    const { log, lines } = keptLog();
    const station = { policy: { silence: { thresholdDbfs: -50 } } };
    const kept = keepEmergency({
      serve: { emergencyFile: path },
      station,
      ffmpegPath: 'ffmpeg',
      clock,
      log,
    } as unknown as Parameters<typeof keepEmergency>[0]);
    await until(() => kept.problem !== null);
    expect(kept.problem).toContain('loop.wav');
    clock.advance(31_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(kept.loaded).toBeNull();
    expect(lines.length).toBe(1);

    const made = join(folder, 'made.wav');
    await runFfmpeg(['-f', 'lavfi', '-i', 'sine=d=2', made, '-f', 'null', '-']);
    copyFileSync(made, path);
    clock.advance(31_000);
    await until(() => kept.loaded !== null);
    expect(kept.problem).toBeNull();
    kept.stop();
  });
});
