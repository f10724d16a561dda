import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AgentProcess, createAgentProcess } from '../../src/demo/agent-process.ts';
import {
  freePort,
  type IcecastServer,
  startIcecast,
  temporaryDirectory,
  waitUntil,
} from '../../src/demo/rig/index.ts';
import { mount } from '../../src/domain/ids.ts';
import type { LegView, StationView } from '../../src/domain/view.ts';
import { openSource } from '../../src/icecast/source-client.ts';
import { systemClock } from '../../src/platform/clock.ts';
// @ts-expect-error: a script without types.
import { createFeeder, encodeLoop } from '../bench/feeder.mjs';
// @ts-expect-error: a script without types.
import { measureCpu, measureMemory } from '../bench/usage.mjs';

const HOST = '127.0.0.46';
/** As one agent is meant to carry them; a smaller machine may ask for fewer. */
const STATIONS = Number(process.env['SUSTAIN_STATIONS'] ?? 100);
/** So many of them in relay mode, which costs ten times as much. */
const RELAYED = Number(process.env['SUSTAIN_STATIONS_RELAYED'] ?? 4);
const WINDOW_MS = 20_000;
/** 128 kbit/s in tenths of a second. */
const BYTES_PER_WRITE = 1600;

const nameOf = (index: number) => `fm-${String(index + 1).padStart(3, '0')}`;
const GOOD = Array.from({ length: STATIONS - 3 }, (_, index) => nameOf(index));
/** Nothing is on their mounts; a page of HTML is; a kind of stream that nobody here can decode is. */
const [NOWHERE, PAGE, UNKNOWN] = ['bad-nowhere', 'bad-page', 'bad-unknown'] as const;
/** The encoder of this one ends in the middle. */
const LOST = nameOf(STATIONS - 4);
/** Its file has a fault in it. */
const UNREADABLE = 'bad-config';

let icecast: IcecastServer;
let agent: AgentProcess;
let feeder: { feed(mounts: readonly string[]): Promise<void>; failure(): string | null; stop(): void };
let endLost: () => void;
const stops: (() => unknown)[] = [];

/** Feeds a mount with the same bytes again and again, sound or not, at the pace of a stream; the result ends it. */
function feedBytes(path: string, contentType: string, bytes: Buffer): Promise<() => void> {
  const { host, port, user, password } = icecast.source;
  const server = { host, port, tls: false };
  return new Promise((resolve, reject) => {
    let sent = 0;
    const connection = openSource(
      systemClock,
      { server, mount: mount(path), credentials: { user, password }, contentType },
      { ready: () => resolve(end), failed: (why, detail) => reject(new Error(`${path}: ${why}, ${detail}`)) },
    );
    const timer = setInterval(() => {
      const at = sent % bytes.length;
      const piece = bytes.subarray(at, at + BYTES_PER_WRITE);
      connection.write(piece);
      sent += piece.length;
    }, 100);
    const end = () => {
      clearInterval(timer);
      connection.destroy();
    };
    stops.push(end);
  });
}

function writeStations(folder: string): void {
  const write = (name: string, text: string) => writeFileSync(join(folder, `${name}.yaml`), text);
  const sources = (name: string) =>
    `sources:\n  - { name: primary, mount: /${name}-1 }\n  - { name: autodj, mount: /${name}-2 }\n`;
  for (const [index, name] of GOOD.entries()) {
    const relay = `serve: { mode: relay, outputs: [{ mount: /${name}, codec: mp3, bitrate: 128k }] }\n`;
    write(name, sources(name) + (index < RELAYED ? relay : 'serve: { mode: guard }\n'));
  }
  for (const name of [PAGE, UNKNOWN]) write(name, `${sources(name)}serve: { mode: guard }\n`);
  // In relay mode nothing of it is ever on air, which must not keep the others from being ready.
  write(
    NOWHERE,
    `${sources(NOWHERE)}serve: { mode: relay, outputs: [{ mount: /${NOWHERE}, codec: mp3 }] }\n`,
  );
  write(UNREADABLE, `${sources(UNREADABLE)}silence: { trip: 5 }\n`);
}

async function prepareAgent(): Promise<AgentProcess> {
  const directory = temporaryDirectory('hundred', null);
  stops.push(() => directory.remove());
  const secret = (name: string, text: string) => {
    const path = join(directory.path, name);
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    return path;
  };
  const [viewerToken, operatorToken] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
  const listen = `${HOST}:${await freePort(HOST)}`;
  for (const name of ['state', 'stations.d']) mkdirSync(join(directory.path, name), { mode: 0o700 });
  writeStations(join(directory.path, 'stations.d'));
  const configPath = join(directory.path, 'sustain.yaml');
  writeFileSync(
    configPath,
    `server: london
servers:
  london:
    url: "${icecast.url}"
    admin: { user: ${icecast.admin.user}, passwordFile: ${secret('admin', icecast.admin.password)} }
    source: { user: source, passwordFile: ${secret('source', icecast.source.password)} }
web: { listen: "${listen}", viewerTokenFile: ${secret('viewer', viewerToken)}, operatorTokenFile: ${secret('operator', operatorToken)} }
state: { directory: ${join(directory.path, 'state')} }
`,
  );
  return createAgentProcess({
    server: 'london',
    configPath,
    webUrl: `http://${listen}`,
    viewerToken,
    operatorToken,
  });
}

beforeAll(async () => {
  icecast = await startIcecast({ host: HOST, limits: { clients: 2000, sources: 2 * STATIONS + 20 } });
  stops.push(() => icecast.stop());
  const loop = (await encodeLoop()) as Buffer;
  feeder = createFeeder({ server: icecast.source, loop });
  stops.push(() => feeder.stop());
  const mounts = GOOD.flatMap((name) => [`/${name}-1`, `/${name}-2`]);
  await feeder.feed(mounts.filter((path) => path !== `/${LOST}-1`));
  endLost = await feedBytes(`/${LOST}-1`, 'audio/mpeg', loop);
  const page = Buffer.from('<p>This station has moved to another address.</p>\n'.repeat(500));
  for (const number of [1, 2]) {
    await feedBytes(`/${PAGE}-${number}`, 'audio/mpeg', page);
    await feedBytes(`/${UNKNOWN}-${number}`, 'video/x-of-tomorrow', page);
  }
  agent = await prepareAgent();
  stops.push(() => agent.stop());
}, 300_000);

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

/** The state of a hundred stations is worth a few tens of ms of the agent's time, so that it is not asked all the time. */
async function look(): Promise<readonly StationView[]> {
  await new Promise((resolve) => setTimeout(resolve, 500));
  return (await agent.state()).stations;
}

const legsOf = ({ servers }: StationView): readonly LegView[] => servers.flatMap(({ legs }) => legs);
const stationOf = (views: readonly StationView[], name: string) =>
  views.find(({ station }) => station === name);

it(`one agent carries ${STATIONS} stations, some of them bad, and each fault stays with its own`, async () => {
  const fromMs = performance.now();
  const since = () => performance.now() - fromMs;
  await agent.start({ ready: false });
  const answersMs = since();
  let views: readonly StationView[] = [];
  const deaf = () =>
    GOOD.filter((name) => {
      const station = stationOf(views, name);
      return station === undefined || legsOf(station).some(({ condition }) => condition !== 'audible');
    });
  const atMs: number[] = [];
  await waitUntil(
    'every good station is heard',
    120_000,
    async () => {
      views = await look();
      const heard = GOOD.length - deaf().length;
      for (const share of [0.1, 0.5, 1]) if (heard >= share * GOOD.length) atMs[share * 10] ??= since();
      return heard === GOOD.length;
    },
    () => deaf().join(' '),
  );
  const heardMs = since();

  // What is bad is known to be so, by its own station alone.
  expect(views).toHaveLength(STATIONS);
  expect(agent.log().find(({ msg }) => String(msg).includes(`${UNREADABLE}: `))).toBeDefined();
  for (const name of [NOWHERE, PAGE, UNKNOWN]) {
    const bad = stationOf(views, name);
    expect(bad === undefined ? [] : legsOf(bad).map(({ condition }) => condition), name).not.toContain(
      'audible',
    );
  }
  await waitUntil('the bad ones keep nobody from being ready', 60_000, async () => {
    return (await fetch(`${agent.webUrl}/readyz`)).status === 200;
  });
  const readyMs = since();
  await waitUntil(
    'the bad ones are told of',
    60_000,
    async () => {
      views = await look();
      return [NOWHERE, PAGE, UNKNOWN].every((name) => (stationOf(views, name)?.alerts.length ?? 0) > 0);
    },
    () => [NOWHERE, PAGE, UNKNOWN].map((name) => JSON.stringify(stationOf(views, name))).join('\n'),
  );

  const pid = agent.pid();
  expect(feeder.failure()).toBeNull();
  const cpu = (await measureCpu([pid], WINDOW_MS)) as { core: number; nodeCore: number; otherCore: number };
  const memory = (await measureMemory([pid])) as { rss: number; pss: number };

  views = await look();
  expect(deaf()).toEqual([]);
  const disturbed = agent.log().filter(({ msg }) => String(msg).includes('stood still'));
  const switchedStations = () =>
    views.flatMap(({ station, events }) =>
      events.some(({ event }) => event.kind === 'switched') ? [station] : [],
    );
  expect(switchedStations()).toEqual([]);
  const lostAtMs = performance.now();
  endLost();
  await waitUntil('the station that lost its encoder is on its autodj', 30_000, async () => {
    views = await look();
    return switchedStations().length > 0;
  });
  const switchedMs = performance.now() - lostAtMs;
  expect(switchedStations()).toEqual([LOST]);
  expect(deaf()).toEqual([LOST]);
  const stopMs = await agent.stop();
  expect(stopMs).toBeLessThan(10_000);

  const said = {
    stations: STATIONS,
    legs: views.flatMap(legsOf).length,
    relayed: RELAYED,
    answersMs: Math.round(answersMs),
    tenthHeardMs: Math.round(atMs[1] ?? 0),
    halfHeardMs: Math.round(atMs[5] ?? 0),
    allHeardMs: Math.round(heardMs),
    readyMs: Math.round(readyMs),
    corePercent: Math.round(cpu.core),
    nodeCorePercent: Math.round(cpu.nodeCore),
    restOfMachinePercent: Math.round(cpu.otherCore),
    rssMiB: Math.round(memory.rss),
    pssMiB: Math.round(memory.pss),
    stoodStill: disturbed.length,
    lostEncoderSwitchedMs: Math.round(switchedMs),
    stopMs: Math.round(stopMs),
  };
  process.stdout.write(`${JSON.stringify(said, null, 2)}\n`);
});
