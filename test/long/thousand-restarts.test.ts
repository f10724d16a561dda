import { afterAll, beforeAll, expect, it } from 'vitest';
import { decoderHostPath } from '../../native-bindings/decoder-host.ts';
import type { DecoderFactory } from '../../src/audio/decoder.ts';
import { legDecoders } from '../../src/audio/shared-decoder.ts';
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
import { makeLeg, mount, serverName, sourceName, stationName } from '../../src/domain/ids.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { type LegListener, startLegListener } from '../../src/wiring/leg-listener.ts';
import { POLICY } from '../unit/decide/builders.ts';
import { childrenOfOurs, openFds, rssMiB } from '../unit/platform/processes.ts';

const LEGS = 4;
const RESTARTS_EACH = 250;
const WARM_UP_EACH = 30;

let icecast: IcecastServer;
let encoder: Encoder;

beforeAll(async () => {
  const material = await loadMaterial({ music: 'studio', pilotHz: PILOTS_HZ.primary });
  icecast = await startIcecast({ host: '127.0.0.44', mounts: [{ mount: '/primary' }] });
  encoder = createEncoder({
    name: 'primary',
    programme: createProgramme({ name: 'primary', material }),
    targets: [{ server: icecast.source, mount: '/primary' }],
  });
  await encoder.start();
  await waitUntil('the mount', 10_000, async () => (await icecast.mounts()).length === 1);
});

afterAll(async () => {
  await encoder?.stop();
  await icecast?.stop();
});

const log = createLogger({ level: 'error', agent: serverName('london') });

/** One leg as the agent listens to it, on the real Icecast with real decoders; counts the connections it was heard on. */
function startLeg(decoders: DecoderFactory) {
  const heardOn = new Set<string>();
  const listener: LegListener = startLegListener({
    leg: makeLeg(stationName('myfm'), sourceName('primary'), serverName('london'), mount('/primary')),
    agent: serverName('london'),
    server: { host: icecast.source.host, port: icecast.source.port, tls: false },
    policy: POLICY,
    decoders,
    clock: systemClock,
    random: systemRandom,
    log,
    input: (input) => {
      if (input.kind === 'levels') heardOn.add(input.reading.monitor);
    },
    title: () => {},
    heard: () => {},
    decoderReplaced: () => {},
  });
  listener.setListed(true);
  return { listener, heardOn };
}

async function restart({ listener, heardOn }: ReturnType<typeof startLeg>, times: number): Promise<void> {
  for (let done = 0; done < times; done += 1) {
    const before = heardOn.size;
    listener.reconnect('again');
    await waitUntil('sound on the new connection', 20_000, async () => heardOn.size > before);
  }
}

it('a leg that is heard over a thousand connections and decoders, one after another, leaves nothing behind', async () => {
  const decoders = legDecoders({
    host: { command: decoderHostPath() ?? '' },
    ffmpegPath: 'ffmpeg',
    clock: systemClock,
    random: systemRandom,
    logger: log,
  });
  const children = () => childrenOfOurs().filter(({ name }) => name !== 'icecast2');
  const encoders = children().length;
  const running = Array.from({ length: LEGS }, () => startLeg(decoders));
  await Promise.all(running.map((leg) => restart(leg, WARM_UP_EACH)));
  const before = { fds: openFds(), rss: rssMiB(), children: children().length };
  await Promise.all(running.map((leg) => restart(leg, RESTARTS_EACH)));
  const after = { fds: openFds(), rss: rssMiB(), children: children().length };
  console.log(JSON.stringify({ restarts: LEGS * RESTARTS_EACH, before, after }));
  // A decoder and connections that are on their way out.
  expect(after.fds).toBeLessThanOrEqual(before.fds + 4 * LEGS);
  expect(after.children).toBeLessThanOrEqual(before.children + 1);
  expect(childrenOfOurs().filter(({ state }) => state === 'Z')).toEqual([]);
  expect(after.rss - before.rss).toBeLessThan(40);
  await Promise.all(running.map(({ listener }) => listener.stop()));
  expect(children()).toHaveLength(encoders);
});
