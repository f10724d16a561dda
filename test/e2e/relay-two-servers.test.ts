import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  createEncoder,
  createProgramme,
  type Encoder,
  type IcecastServer,
  loadMaterial,
  type Material,
  PILOTS_HZ,
  startIcecast,
  waitUntil,
} from '../../src/demo/rig/index.ts';
import { sleep, systemClock } from '../../src/platform/clock.ts';
import { capture, jumpsIn, longestQuietMs, placesIn } from './relay-sound.ts';
import { type RelayAgent, startRelayAgent } from './relay-support.ts';

let servers: Readonly<Record<'london' | 'dublin', IcecastServer>>;
let material: Material;
const encoders: Record<string, Encoder> = {};
let agent: RelayAgent;

const pause = (ms: number) => sleep(systemClock, ms);

beforeAll(async () => {
  const icecast = (host: string) =>
    startIcecast({
      host,
      limits: { clients: 60, sources: 8 },
      mounts: ['/primary', '/secondary', '/stream'].map((mount) => ({ mount })),
    });
  servers = { london: await icecast('127.0.0.44'), dublin: await icecast('127.0.0.45') };
  material = await loadMaterial({ music: 'studio', pilotHz: PILOTS_HZ.primary });
  for (const [name, delayMs] of [
    ['primary', 0],
    ['secondary', 700],
  ] as const) {
    const encoder = createEncoder({
      name,
      programme: createProgramme({ name, material, delayMs }),
      targets: Object.values(servers).map((server) => ({ server: server.source, mount: `/${name}` })),
    });
    encoders[name] = encoder;
    await encoder.start();
  }
  // The second fault of the primary is a relapse, and its return would be waited for that much longer.
  agent = await startRelayAgent({
    servers,
    sources: ['primary', 'secondary'],
    restoreMs: 8_000,
    holdDown: '2s',
  });
  await waitUntil(
    'the public mount',
    60_000,
    async () => (await servers.london.mounts()).includes('/stream'),
    () => JSON.stringify(agent.relay.view),
  );
});

afterAll(async () => {
  await agent?.stop();
  for (const encoder of Object.values(encoders)) await encoder.kill();
  for (const server of Object.values(servers ?? {})) await server.stop();
});

async function onAir(leg: string): Promise<void> {
  await waitUntil(
    `${leg} on air`,
    60_000,
    () => agent.relay.view.onAir === `myfm/${leg}`,
    () => JSON.stringify({ view: agent.relay.view, events: agent.events.slice(-4) }, null, 1),
  );
}

async function heardDuring(happening: () => Promise<void>) {
  const recorder = await capture(`${servers.london.url}/stream`);
  await pause(2_000);
  const from = agent.events.length;
  await happening();
  const heard = await recorder.stop();
  const places = await placesIn(heard.pcm, material);
  const switches = agent.events
    .slice(from)
    .flatMap((event) =>
      event.kind === 'relay-switched'
        ? [`${event.from} to ${event.to}, hitless ${event.hitless}: ${event.because}`]
        : [],
    );
  const figures = {
    seconds: heard.seconds,
    quietMs: longestQuietMs(heard.pcm),
    found: places.length,
    jumps: jumpsIn(places, 90_000),
    disconnects: recorder.disconnects() - 1,
    switches,
  };
  console.log(JSON.stringify(figures, null, 1), JSON.stringify(agent.relay.view));
  return figures;
}

it('a primary that breaks on our own server is taken from the other server, without a jump', async () => {
  await onAir('primary@london');
  const figures = await heardDuring(async () => {
    await servers.london.askAdmin('/admin/killsource?mount=/primary');
    await onAir('primary@dublin');
    await onAir('primary@london');
    await pause(4_000);
  });
  expect(figures.quietMs).toBeLessThan(50);
  expect(figures.jumps).toEqual([]);
  expect(figures.disconnects).toBe(0);
});

it('a primary that is silent everywhere gives way to our own secondary before the other one', async () => {
  await onAir('primary@london');
  const figures = await heardDuring(async () => {
    encoders['primary']?.programme.mute();
    await onAir('secondary@london');
    await pause(3_000);
    encoders['primary']?.programme.unmute();
    await onAir('primary@london');
    await pause(4_000);
  });
  expect(figures.quietMs).toBeLessThan(50);
  expect(figures.jumps).toEqual([]);
});
