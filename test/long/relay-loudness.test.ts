import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/platform/clock.ts';
import { type RelayHouse, startRelayHouse } from '../e2e/relay-house.ts';
import { capture } from '../e2e/relay-sound.ts';

/** The studio as loud as pop is, its second encoder turned down by mistake, the AutoDJ quieter still. */
const SOURCES = {
  primary: { music: 'studio' },
  secondary: { music: 'studio', gainDb: -14, delayMs: 300 },
  autodj: { music: 'calm', gainDb: -12, delayMs: 600 },
} as const;
const NAMES = ['primary', 'secondary', 'autodj'] as const;

const TARGET_LUFS = -16;
const CEILING_DBTP = -1;
const SETTLED_MS = 10_000;
const WINDOW_MS = 60_000;
/** Icecast begins with what it has in store. */
const BURST_MS = 4_000;

let house: RelayHouse;

beforeAll(async () => {
  house = await startRelayHouse({
    host: '127.0.0.44',
    sources: SOURCES,
    tripMs: 2_000,
    restoreMs: 5_000,
    processing: { preset: 'music' },
  });
});

afterAll(() => house?.stop());

/** By ffmpeg, which knows nothing of ours. */
function measured(pcm: Float32Array) {
  const raw = ['-f', 'f32le', '-ar', '48000', '-ac', '2', '-i', 'pipe:0'];
  const { stderr, status } = spawnSync(
    'ffmpeg',
    ['-hide_banner', '-nostdin', ...raw, '-af', 'ebur128=peak=true', '-f', 'null', '-'],
    { input: new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength), encoding: 'utf8' },
  );
  expect(status, stderr).toBe(0);
  const summary = stderr.slice(stderr.lastIndexOf('Summary:'));
  const figure = (pattern: RegExp) => Number(pattern.exec(summary)?.[1]);
  return { lufs: figure(/I:\s+(-?[\d.]+) LUFS/), peakDbtp: figure(/Peak:\s+(-?[\d.]+) dBFS/) };
}

/** What a listener of a mount hears for a minute. */
async function heardOn(mount: string, ms: number) {
  const listener = await capture(`${house.icecast.url}${mount}`);
  await sleep(systemClock, ms + BURST_MS);
  const { pcm } = await listener.stop();
  return measured(pcm.subarray(-2 * 48 * ms));
}

it('a listener of the public mount hears studio, second encoder and AutoDJ within 1 LU of each other', async () => {
  const { agent } = house;
  const before = await Promise.all(NAMES.map((name) => heardOn(`/${name}`, 20_000)));
  const heard: { lufs: number; peakDbtp: number }[] = [];
  for (const name of NAMES) {
    agent.force(name);
    await house.onAir(name, 30_000);
    // As it is told when it is spliced in, which is heard when the chain has given it out.
    await sleep(systemClock, SETTLED_MS + (agent.relay.view.processing?.latencyMs ?? 0));
    heard.push(await heardOn('/stream', WINDOW_MS));
  }
  console.log(JSON.stringify({ before, heard }));
  const spread = (all: readonly { lufs: number }[]) => {
    const levels = all.map(({ lufs }) => lufs);
    return Math.max(...levels) - Math.min(...levels);
  };
  expect(spread(before)).toBeGreaterThan(10);
  expect(spread(heard)).toBeLessThanOrEqual(1);
  for (const { lufs } of heard) expect(Math.abs(lufs - TARGET_LUFS)).toBeLessThanOrEqual(1);
  // MP3 adds something to it: docs/bench/processing.md has how much.
  for (const { peakDbtp } of heard) expect(peakDbtp).toBeLessThanOrEqual(CEILING_DBTP + 1);
});
