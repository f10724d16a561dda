import { readFileSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type IcecastServer,
  startIcecast,
  startListener,
  startProcess,
  temporaryDirectory,
  waitUntil,
} from '../../src/demo/rig/index.ts';
import { unprivilegedAccount } from '../../src/demo/rig/process.ts';
import { blockText, commandsIn, ROOT } from '../docs-blocks.ts';

const MUSIC = '/usr/share/games/asc/music/frontiers.mp3';

async function added(path: string, blocks: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('</icecast>', `${blocks}</icecast>`));
}

let servers: IcecastServer[];
const stops: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  servers = [];
  for (const host of ['127.0.0.161', '127.0.0.162']) {
    const server = await startIcecast({ host, limits: { clients: 50, sources: 4 } });
    servers.push(server);
    stops.push(() => server.stop());
  }
  // What an administrator does with the blocks of the pages: guard mode on the one, relay mode on the other.
  await servers[0]?.edit((path) => added(path, blockText('docs/guard.md xml 1').replace('…', '1000')));
  await servers[1]?.edit((path) => {
    const { host, port } = servers[1]?.source ?? {};
    const here = `<server>${host}</server><port>${port}</port>`;
    const text = blockText('docs/relay.md xml 1');
    return added(path, text.replace('<server>127.0.0.1</server><port>8000</port>', here));
  });
});
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

/** The block of the page, with the addresses, ports and passwords of the servers here. */
function block(key: string): string {
  const [london, dublin] = servers.map(({ source }) => source);
  if (london === undefined || dublin === undefined) throw new Error('no servers');
  return blockText(key)
    .replace('10.0.0.1:8000', `${london.host}:${london.port}`)
    .replace('10.1.0.1:8000', `${dublin.host}:${dublin.port}`)
    .replace('send("10.0.0.1")', `send("${london.host}", ${london.port})`)
    .replace('send("10.1.0.1")', `send("${dublin.host}", ${dublin.port})`)
    .replace('def send(server) =', 'def send(server, at) =')
    .replace('port=8000', 'port=at')
    .replaceAll('PASSWORD', london.password);
}

async function startFfmpeg(mount: string) {
  const line = block('docs/how-to/encoders.md sh 1').replace(/\\\n/g, ' ').replace('programme.flac', MUSIC);
  const args = ['-c', `exec ${line.replaceAll('/primary', mount)}`];
  const encoder = await startProcess({ command: 'sh', args });
  stops.push(() => encoder.stop());
  await waitUntil(
    `${mount} on both`,
    60_000,
    () => isOnBoth(mount),
    () => encoder.lastWords(),
  );
  return encoder;
}

async function isOnBoth(mount: string): Promise<boolean> {
  const mounts = await Promise.all(servers.map((server) => server.mounts()));
  return mounts.every((there) => there.includes(mount));
}

test('the ffmpeg command of the page feeds both servers, and Icecast does with its listeners what the pages say', async () => {
  const [london, dublin] = servers;
  if (london === undefined || dublin === undefined) throw new Error('no servers');
  const primary = await startFfmpeg('/primary');
  // The agent is not there, and so neither is /stream: Icecast has its net ready some seconds after it was told of it.
  await waitUntil('the net', 60_000, async () => (await dublin.mounts()).includes('/stream-safe'));
  const net = await startListener({ name: 'on the net', url: `${dublin.url}/stream` });
  const guarded = await startListener({ name: 'guarded', url: `${london.url}/primary` });
  await startFfmpeg('/secondary');
  const isOn = (mount: string, server: IcecastServer) => async () =>
    ((await server.listenersOf(mount)) ?? []).length > 0;
  await waitUntil('the listener of /stream on its net', 60_000, isOn('/stream-safe', dublin));
  await primary.stop();
  await waitUntil('the listener of /primary on /secondary', 60_000, isOn('/secondary', london));
  expect((await guarded.stop()).disconnects).toBe(0);
  await net.stop();
});

test('the demo of the README starts everything, and leaves nothing behind', async () => {
  expect(commandsIn(blockText('README.md sh 1'))[0]).toBe('npm run demo');
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  // What npm would start, without npm in between: whatever ends this test then ends the demo too.
  const demo = await startProcess({
    command: 'sh',
    args: ['-c', `exec ${scripts.demo}`],
    directory: ROOT,
  });
  stops.push(() => demo.stop());
  await waitUntil(
    'the demo',
    240_000,
    () => demo.lastWords().includes('Ctrl-C ends the demo.'),
    () => demo.lastWords(),
  );
  demo.signal('SIGINT');
  await demo.exited;
  expect(demo.lastWords()).toContain('demo: stopped, nothing is left running');
});

test('the Liquidsoap script of the page feeds both servers', async () => {
  const folder = temporaryDirectory('docs', unprivilegedAccount('nobody'));
  stops.push(async () => folder.remove());
  const script = join(folder.path, 'radio.liq');
  writeFileSync(
    script,
    block('docs/how-to/encoders.md liquidsoap 1').replace('/srv/music', '/usr/share/games/asc/music'),
  );
  const encoder = await startProcess({
    command: 'liquidsoap',
    args: [script],
    as: unprivilegedAccount('nobody'),
  });
  stops.push(() => encoder.stop());
  await waitUntil(
    '/autodj on both',
    60_000,
    () => isOnBoth('/autodj'),
    () => encoder.lastWords(),
  );
});
