import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
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
import { sleep, systemClock } from '../../src/platform/clock.ts';
import { decodeRecording, longestQuiet } from '../e2e/relay-sound.ts';
import { type RelayAgent, startRelayAgent } from '../e2e/relay-support.ts';

const LISTENERS = 200;
const SWITCHES = 100;
const SOURCES = ['primary', 'secondary', 'autodj'];

let icecast: IcecastServer;
const encoders: Encoder[] = [];
let agent: RelayAgent;

beforeAll(async () => {
  icecast = await startIcecast({
    host: '127.0.0.43',
    limits: { clients: LISTENERS + 60, sources: 8 },
    mounts: [...SOURCES, 'stream'].map((name) => ({ mount: `/${name}` })),
  });
  const studio = await loadMaterial({ music: 'studio', pilotHz: PILOTS_HZ.primary });
  const other = await loadMaterial({ music: 'autodj', pilotHz: PILOTS_HZ.autodj });
  for (const [index, name] of SOURCES.entries()) {
    const material = name === 'autodj' ? other : studio;
    const encoder = createEncoder({
      name,
      programme: createProgramme({ name, material, delayMs: index * 300 }),
      targets: [{ server: icecast.source, mount: `/${name}` }],
    });
    encoders.push(encoder);
    await encoder.start();
  }
  agent = await startRelayAgent({ servers: { london: icecast }, tripMs: 2_000, restoreMs: 5_000 });
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

interface Recorder {
  readonly chunks: Buffer[];
  ended: boolean;
  close(): void;
}

function record(): Promise<Recorder> {
  return new Promise((resolve, reject) => {
    const request = get(`${icecast.url}/stream`, { agent: false }, (response) => {
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
