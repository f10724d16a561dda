import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  createEncoder,
  createProgramme,
  type Encoder,
  type IcecastServer,
  loadMaterial,
  PILOTS_HZ,
  startIcecast,
  waitUntil,
} from '../../src/demo/rig/index.ts';
import type { MusicName } from '../../src/demo/rig/material.ts';
import { sleep, systemClock } from '../../src/platform/clock.ts';
import { capture } from '../e2e/relay-sound.ts';
import { type RelayAgent, startRelayAgent } from '../e2e/relay-support.ts';

/** The studio as loud as pop is, its second encoder turned down by mistake, the AutoDJ quieter still. */
const SOURCES = [
  { name: 'primary', music: 'studio', gainDb: 0 },
  { name: 'secondary', music: 'studio', gainDb: -14 },
  { name: 'autodj', music: 'calm', gainDb: -12 },
] as const satisfies readonly { name: keyof typeof PILOTS_HZ; music: MusicName; gainDb: number }[];

const TARGET_LUFS = -16;
const CEILING_DBTP = -1;
const SETTLED_MS = 10_000;
const WINDOW_MS = 60_000;
/** Icecast begins with what it has in store. */
const BURST_MS = 4_000;

let icecast: IcecastServer;
const encoders: Encoder[] = [];
let agent: RelayAgent;

beforeAll(async () => {
  icecast = await startIcecast({
    host: '127.0.0.44',
    limits: { clients: 60, sources: 8 },
    mounts: [...SOURCES.map(({ name }) => name), 'stream'].map((name) => ({ mount: `/${name}` })),
  });
  for (const [index, { name, music, gainDb }] of SOURCES.entries()) {
    const material = await loadMaterial({ music, pilotHz: PILOTS_HZ[name] });
    const programme = createProgramme({ name, material, delayMs: index * 300 });
    programme.play({ is: 'quiet-music', gainDb });
    const encoder = createEncoder({
      name,
      programme,
      targets: [{ server: icecast.source, mount: `/${name}` }],
    });
    encoders.push(encoder);
    await encoder.start();
  }
  agent = await startRelayAgent({
    servers: { london: icecast },
    tripMs: 2_000,
    restoreMs: 5_000,
    processing: { preset: 'music' },
  });
  await waitUntil(
    'the public mount',
    60_000,
    async () => (await icecast.mounts()).includes('/stream'),
    () => JSON.stringify(agent.relay.view),
  );
});

afterAll(async () => {
  await agent?.stop();
  for (const encoder of encoders) await encoder.kill();
  await icecast?.stop();
});

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
  const listener = await capture(`${icecast.url}${mount}`);
  await sleep(systemClock, ms + BURST_MS);
  const { pcm } = await listener.stop();
  return measured(pcm.subarray(-2 * 48 * ms));
}

it('a listener of the public mount hears studio, second encoder and AutoDJ within 1 LU of each other', async () => {
  const before = await Promise.all(SOURCES.map(({ name }) => heardOn(`/${name}`, 20_000)));
  const heard: { lufs: number; peakDbtp: number }[] = [];
  for (const { name } of SOURCES) {
    agent.force(name);
    await waitUntil(
      `${name} on air`,
      30_000,
      () => agent.relay.view.onAir?.includes(`/${name}@`) === true,
      () => JSON.stringify(agent.relay.view),
    );
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
