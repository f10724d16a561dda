import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runIcecastConfig } from '../../src/cli/icecast-config.ts';
import {
  createEncoder,
  createProgramme,
  type Encoder,
  type IcecastServer,
  loadMaterial,
  type Material,
  PILOTS_HZ,
  startIcecast,
  temporaryDirectory,
  waitUntil,
} from '../../src/demo/rig/index.ts';
import { sleep, systemClock } from '../../src/platform/clock.ts';
import { capture, jumpsIn, longestQuietMs, placesIn } from './relay-sound.ts';
import { type RelayAgent, startRelayAgent } from './relay-support.ts';

const folder = temporaryDirectory('relay-net', null);
let icecast: IcecastServer;
let material: Material;
let encoder: Encoder;
let agent: RelayAgent | null = null;

const pause = (ms: number) => sleep(systemClock, ms);
const isFed = async () => (await icecast.mounts()).includes('/stream');
const monitorsOn = async (mount: string) =>
  ((await icecast.listenersOf(mount)) ?? []).filter(({ userAgent }) => userAgent.includes('monitor'));

beforeAll(async () => {
  icecast = await startIcecast({
    host: '127.0.0.47',
    limits: { clients: 60, sources: 8 },
    // The looping configuration of icecast.md 4.5.
    mounts: [{ mount: '/primary' }, { mount: '/stream', fallbackMount: '/primary', fallbackOverride: true }],
  });
  material = await loadMaterial({ music: 'studio', pilotHz: PILOTS_HZ.primary });
  encoder = createEncoder({
    name: 'primary',
    programme: createProgramme({ name: 'primary', material }),
    targets: [{ server: icecast.source, mount: '/primary' }],
  });
  await encoder.start();
});

afterAll(async () => {
  await agent?.stop();
  await encoder?.kill();
  await icecast?.stop();
  folder.remove();
});

it('an agent that a looping Icecast makes hear itself leaves, plays none of it, and says what to change', async () => {
  const running = await startRelayAgent({
    servers: { london: icecast },
    sources: ['primary'],
    tripMs: 2_000,
    restoreMs: 5_000,
  });
  agent = running;
  await waitUntil('the public mount', 60_000, isFed, () => JSON.stringify(running.relay.view));
  const recorder = await capture(`${icecast.url}/stream`);
  await waitUntil('the alert', 30_000, () => running.alerts.some(({ code }) => code === 'hears-itself'));
  await pause(9_000);
  const heard = await recorder.stop();
  expect(running.alerts.find(({ code }) => code === 'hears-itself')?.detail).toMatch(
    /\/stream falls back on \/primary itself.*on-demand relay.*sustain icecast-config/,
  );
  expect(await monitorsOn('/primary')).toHaveLength(1);
  const places = await placesIn(heard.pcm, material);
  expect(places.length).toBeGreaterThan(15);
  expect(jumpsIn(places, 90_000)).toEqual([]);
  expect(longestQuietMs(heard.pcm)).toBeLessThan(50);
  expect(running.relay.view.onAir).toBe('myfm/primary@london');
});

it('what icecast-config writes into the file of a running server ends it, and keeps listeners when the agent goes', async () => {
  const running = agent;
  if (running === null) throw new Error('there is no agent');
  const config = join(folder.path, 'sustain.yaml');
  writeFileSync(
    config,
    `server: london
servers: { london: { url: "${icecast.url}", admin: { passwordEnv: ADMIN }, source: { passwordEnv: SOURCE } } }
stations:
  myfm:
    sources: [ { name: primary, mount: /primary } ]
    serve: { mode: relay, outputs: [ { mount: /stream, codec: mp3 } ] }
`,
  );
  const env = { ADMIN: icecast.admin.password, SOURCE: icecast.source.password };
  const said: string[] = [];
  await icecast.edit(async (path) => {
    expect(await runIcecastConfig({ config, into: path, env, print: (text) => said.push(text) })).toBe(0);
  });
  expect(said.join('\n')).toContain('<mount> of /stream: falls back on /stream-safe, with override');
  await waitUntil('the alert is over', 30_000, () =>
    running.alerts.every(({ code }) => code !== 'hears-itself'),
  );
  const recorder = await capture(`${icecast.url}/stream`);
  await pause(3_000);
  agent = null;
  await running.stop();
  await pause(4_000);
  expect(recorder.disconnects()).toBe(0);
  expect(await icecast.mounts()).toContain('/stream-safe');
  expect(await isFed()).toBe(false);
  const heard = await recorder.stop();
  expect(heard.seconds).toBeGreaterThan(6);
  expect(longestQuietMs(heard.pcm)).toBeLessThan(500);
});
