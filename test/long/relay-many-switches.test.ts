import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { waitUntil } from '../../src/demo/rig/index.ts';
import { sleep, systemClock } from '../../src/platform/clock.ts';
import { type RelayHouse, startRelayHouse } from '../e2e/relay-house.ts';
import { decodeRecording, longestQuiet } from '../e2e/relay-sound.ts';

const LISTENERS = 200;
const SWITCHES = 100;
const SOURCES = ['primary', 'secondary', 'autodj'];

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

afterAll(() => house?.stop());

interface Recorder {
  readonly chunks: Buffer[];
  ended: boolean;
  close(): void;
}

function record(): Promise<Recorder> {
  return new Promise((resolve, reject) => {
    const request = get(`${house.icecast.url}/stream`, { agent: false }, (response) => {
      const recorder: Recorder = { chunks: [], ended: false, close: () => request.destroy() };
      response.on('data', (chunk: Buffer) => recorder.chunks.push(chunk));
      response.on('error', () => {});
      response.once('close', () => {
        recorder.ended = true;
      });
      resolve(recorder);
    });
    request.once('error', reject);
  });
}

it('200 listeners stay through 100 switches, and every byte of every one of them decodes', async () => {
  const { agent } = house;
  const recorders: Recorder[] = [];
  for (let i = 0; i < LISTENERS; i += 1) recorders.push(await record());
  const memoryBefore = process.memoryUsage();
  const from = agent.events.length;
  for (let round = 0; round < SWITCHES; round += 1) {
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
  const memoryAfter = process.memoryUsage();
  expect(recorders.filter((recorder) => recorder.ended)).toEqual([]);
  for (const recorder of recorders) recorder.close();

  const quiet: { atMs: number; durationMs: number }[] = [];
  const complaints: string[] = [];
  for (const [index, { chunks }] of recorders.entries()) {
    // Every recording is decoded; as all are of one stream, the sound of a few is looked at.
    const isLookedAt = index % 40 === 0;
    const heard = await decodeRecording(chunks, 'mp3', isLookedAt);
    if (isLookedAt) quiet.push(longestQuiet(heard.pcm));
    if (isLookedAt && process.env['SUSTAIN_KEEP'] !== undefined)
      writeFileSync(`${process.env['SUSTAIN_KEEP']}/many-${index}.mp3`, Buffer.concat(chunks));
    // It begins in the middle of a frame.
    complaints.push(...heard.complaints.filter((line) => !/Header missing|Error while decoding/.test(line)));
  }
  const hitless = agent.events.filter((event) => event.kind === 'relay-switched' && event.hitless).length;
  console.log(
    JSON.stringify({
      quiet,
      all: new Set(recorders.map(({ chunks }) => Buffer.concat(chunks).length)).size,
      complaints: complaints.length,
      toNoLeg: agent.events.filter((event) => event.kind === 'relay-switched' && event.to === null),
      hitless,
      receivedMiB: recorders.reduce((sum, one) => sum + Buffer.concat(one.chunks).length, 0) / 2 ** 20,
      heapMiB: [memoryBefore.heapUsed / 2 ** 20, memoryAfter.heapUsed / 2 ** 20],
      relay: agent.relay.view,
    }),
  );
  expect(Math.max(...quiet.map(({ durationMs }) => durationMs))).toBeLessThan(50);
  expect(complaints).toEqual([]);
  expect(agent.relay.view.dryMs).toBe(0);
}, 420_000);
