import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type IcecastServer,
  startIcecast,
  startProcess,
  temporaryDirectory,
  waitUntil,
} from '../../src/demo/rig/index.ts';
import type { RigProcess } from '../../src/demo/rig/process.ts';
import { blockText } from '../docs-blocks.ts';

const BLOCK = blockText('docs/how-to/encoders.md ini 2');
const HOSTS = { london: '127.0.0.171', dublin: '127.0.0.172' } as const;
const DISPLAY = ':171';

let folder: ReturnType<typeof temporaryDirectory>;
const stops: (() => unknown)[] = [];
beforeAll(async () => {
  for (const [command, name] of [
    ['/usr/bin/butt', 'butt'],
    ['/usr/bin/Xvfb', 'xvfb'],
  ] as const)
    if (!existsSync(command)) throw new Error(`${command} is missing: apt-get install ${name}`);
  folder = temporaryDirectory('butt', null);
  stops.push(() => folder.remove());
  // There is no sound card here: a device that is always there, and silent.
  writeFileSync(join(folder.path, '.asoundrc'), 'pcm.!default { type plug slave.pcm { type null } }\n');
  const screen = await startProcess({
    command: 'Xvfb',
    args: [DISPLAY, '-screen', '0', '1024x768x8', '-nolisten', 'tcp'],
  });
  stops.push(() => screen.stop());
  await waitUntil('the screen', 10_000, () => existsSync('/tmp/.X11-unix/X171'));
});

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

const startButt = (config: string): Promise<RigProcess> =>
  startProcess({
    command: 'butt',
    args: ['-c', config, '-x'],
    env: { HOME: folder.path, DISPLAY, LC_ALL: 'C.UTF-8' },
  });

/** The keys of the page in the file that BUTT itself has written. */
function withKeys(text: string, keys: string): string {
  let section = '';
  let result = text;
  for (const line of keys.split('\n').filter((one) => one.trim() !== '')) {
    if (line.startsWith('[')) {
      section = line;
      if (!result.includes(`${line}\n`)) result += `\n${line}\n`;
      continue;
    }
    const [key = ''] = line.split(' =');
    const at = result.indexOf(`${section}\n`);
    const next = result.indexOf('\n[', at);
    const inside = result.slice(at, next === -1 ? undefined : next);
    const known = new RegExp(`^${key} =.*$`, 'm');
    const changed = known.test(inside) ? inside.replace(known, line) : `${inside.trimEnd()}\n${line}\n`;
    result = result.slice(0, at) + changed + (next === -1 ? '' : result.slice(next));
  }
  return result;
}

it('two BUTTs with the configuration of the page feed both servers', async () => {
  expect(BLOCK).toContain('connect_at_startup = 1');
  for (const [name, host] of Object.entries(HOSTS)) {
    const server: IcecastServer = await startIcecast({ host, limits: { clients: 50, sources: 4 } });
    stops.push(() => server.stop());
    const config = join(folder.path, `${name}.cfg`);
    const first = await startButt(config);
    await waitUntil(
      'the file of its own',
      20_000,
      () => existsSync(config) && readFileSync(config, 'utf8').includes('[wav_codec_rec]'),
      () => first.lastWords(),
    );
    await first.stop();
    const keys = BLOCK.replaceAll('london', name)
      .replace('10.0.0.1', host)
      .replace('8000', String(server.source.port))
      .replace('PASSWORD', server.source.password);
    writeFileSync(config, withKeys(readFileSync(config, 'utf8'), keys));
    const butt = await startButt(config);
    stops.push(() => butt.stop());
    await waitUntil(
      `/primary on ${name}`,
      20_000,
      async () => (await server.mounts()).includes('/primary'),
      () => butt.lastWords(),
    );
  }
});
