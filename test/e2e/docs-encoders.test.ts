import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type IcecastServer,
  startIcecast,
  startProcess,
  temporaryDirectory,
  waitUntil,
} from '../../src/demo/rig/index.ts';
import { unprivilegedAccount } from '../../src/demo/rig/process.ts';

const PAGE = readFileSync(fileURLToPath(new URL('../../docs/how-to/encoders.md', import.meta.url)), 'utf8');
const MUSIC = '/usr/share/games/asc/music/frontiers.mp3';

let servers: IcecastServer[];
const stops: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  servers = [];
  for (const host of ['127.0.0.161', '127.0.0.162']) {
    const server = await startIcecast({ host, limits: { clients: 50, sources: 4 } });
    servers.push(server);
    stops.push(() => server.stop());
  }
});
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

/** The block of the page, with the addresses, ports and passwords of the servers here. */
function block(language: string): string {
  const text = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(PAGE)?.[1] ?? '';
  expect(text).not.toBe('');
  const [london, dublin] = servers.map(({ source }) => source);
  if (london === undefined || dublin === undefined) throw new Error('no servers');
  return text
    .replace('10.0.0.1:8000', `${london.host}:${london.port}`)
    .replace('10.1.0.1:8000', `${dublin.host}:${dublin.port}`)
    .replace('send("10.0.0.1")', `send("${london.host}", ${london.port})`)
    .replace('send("10.1.0.1")', `send("${dublin.host}", ${dublin.port})`)
    .replace('def send(server) =', 'def send(server, at) =')
    .replace('port=8000', 'port=at')
    .replaceAll('PASSWORD', london.password);
}

async function isOnBoth(mount: string): Promise<boolean> {
  const mounts = await Promise.all(servers.map((server) => server.mounts()));
  return mounts.every((there) => there.includes(mount));
}

test('the ffmpeg command of the page feeds both servers', async () => {
  const line = block('sh').replace(/\\\n/g, ' ').replace('programme.flac', MUSIC);
  const encoder = await startProcess({ command: 'sh', args: ['-c', `exec ${line}`] });
  stops.push(() => encoder.stop());
  await waitUntil(
    '/primary on both',
    60_000,
    () => isOnBoth('/primary'),
    () => encoder.lastWords(),
  );
});

test('the Liquidsoap script of the page feeds both servers', async () => {
  const folder = temporaryDirectory('docs', unprivilegedAccount('nobody'));
  stops.push(async () => folder.remove());
  const script = join(folder.path, 'radio.liq');
  writeFileSync(script, block('liquidsoap').replace('/srv/music', '/usr/share/games/asc/music'));
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
