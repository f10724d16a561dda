import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { waitUntil } from '../../src/demo/rig/index.ts';
import { sleep, systemClock } from '../../src/platform/clock.ts';
import { type RelayHouse, startRelayHouse } from '../e2e/relay-house.ts';
import { decodeRecording, longestQuiet } from '../e2e/relay-sound.ts';
import { wholeFrames } from './mp3-frames.ts';

const LISTENERS = 200;
const SWITCHES = 100;
/** What caches and pools of Node may still fill after the first switches. */
const WARM_UP_SWITCHES = 20;
const MOST_GROWTH_MIB = 16;
const SOURCES = ['primary', 'secondary', 'autodj'];

const folder = mkdtempSync(join(tmpdir(), 'sustain-'));
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
let house: RelayHouse;

beforeAll(async () => {
  house = await startRelayHouse({
    host: '127.0.0.43',
    clients: LISTENERS + 60,
    sources: {
      primary: { music: 'studio' },
      secondary: { music: 'studio', delayMs: 300 },
      autodj: { music: 'autodj', delayMs: 600 },
    },
    tripMs: 2_000,
    restoreMs: 5_000,
  });
});

afterAll(async () => {
  await house?.stop();
  rmSync(folder, { recursive: true });
});

interface Recorder {
  readonly file: string;
  ended: boolean;
  /** Resolves when all that came is in the file. */
  close(): Promise<void>;
}

/** Into a file, as the agent's memory is looked at and the agent is in this process. */
function record(index: number): Promise<Recorder> {
  const file = join(folder, `${index}.mp3`);
  return new Promise((resolve, reject) => {
    const request = get(`${house.icecast.url}/stream`, { agent: false }, (response) => {
      const written = createWriteStream(file);
      const recorder: Recorder = {
        file,
        ended: false,
        close: () =>
          new Promise((closed) => {
            request.destroy();
            written.end(closed);
          }),
      };
      response.on('data', (chunk: Buffer) => written.write(chunk));
      response.on('error', () => {});
      response.once('close', () => {
        recorder.ended = true;
      });
      resolve(recorder);
    });
    request.once('error', reject);
  });
}

/** What is still held after everything that nobody needs was let go, without the sound that the relay keeps on purpose. */
function heldMiB(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external - house.agent.relay.view.heldBytes) / 2 ** 20;
}

it('200 listeners stay through 100 switches, and every byte of every one of them decodes', async () => {
  const { agent } = house;
  const recorders: Recorder[] = [];
  for (let i = 0; i < LISTENERS; i += 1) recorders.push(await record(i));
  let heldBeforeMiB = Number.NaN;
  const from = agent.events.length;
  for (let round = 0; round < SWITCHES; round += 1) {
    if (round === WARM_UP_SWITCHES) heldBeforeMiB = heldMiB();
    agent.force(SOURCES[(round + 1) % SOURCES.length] ?? null);
    await waitUntil(
      `switch ${round + 1}`,
      10_000,
      () => agent.events.slice(from).filter((event) => event.kind === 'relay-switched').length > round,
      () => JSON.stringify(agent.relay.view),
    );
    await sleep(systemClock, 100);
  }
  agent.force(null);
  await sleep(systemClock, 2_000);
  const heldAfterMiB = heldMiB();
  expect(recorders.filter((recorder) => recorder.ended)).toEqual([]);
  await Promise.all(recorders.map((recorder) => recorder.close()));

  const quiet: { atMs: number; durationMs: number }[] = [];
  const complaints: string[] = [];
  const sizes: number[] = [];
  for (const [index, { file }] of recorders.entries()) {
    // Every recording is decoded; as all are of one stream, the sound of a few is looked at.
    const isLookedAt = index % 40 === 0;
    const recording = readFileSync(file);
    // It begins and ends in the middle of a frame. All between has to be frame after frame, and decode without a word.
    const { frames, lostAt } = wholeFrames(recording);
    if (lostAt !== null) complaints.push(`recording ${index}: no frame where one should be, at ${lostAt}`);
    const heard = await decodeRecording([frames], 'mp3', isLookedAt);
    if (isLookedAt) quiet.push(longestQuiet(heard.pcm));
    if (isLookedAt && process.env['SUSTAIN_KEEP'] !== undefined)
      writeFileSync(`${process.env['SUSTAIN_KEEP']}/many-${index}.mp3`, recording);
    complaints.push(...heard.complaints);
    sizes.push(recording.length);
  }
  const hitless = agent.events.filter((event) => event.kind === 'relay-switched' && event.hitless).length;
  console.log(
    JSON.stringify({
      quiet,
      all: new Set(sizes).size,
      complaints: complaints.slice(0, 10),
      toNoLeg: agent.events.filter((event) => event.kind === 'relay-switched' && event.to === null),
      hitless,
      receivedMiB: sizes.reduce((sum, size) => sum + size, 0) / 2 ** 20,
      heldMiB: [heldBeforeMiB, heldAfterMiB],
      relay: agent.relay.view,
    }),
  );
  expect(Math.max(...quiet.map(({ durationMs }) => durationMs))).toBeLessThan(50);
  expect(complaints).toEqual([]);
  expect(heldAfterMiB - heldBeforeMiB).toBeLessThan(MOST_GROWTH_MIB);
  expect(agent.relay.view.dryMs).toBe(0);
}, 420_000);
