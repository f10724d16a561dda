import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  createEncoder,
  createProgramme,
  loadMaterial,
  PILOTS_HZ,
  startProcess,
  temporaryDirectory,
  waitUntil,
} from '../../src/demo/rig/index.ts';
import { unprivilegedAccount } from '../../src/demo/rig/process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HOSTS = { 'icecast-london': '127.0.0.176', 'icecast-dublin': '127.0.0.177', powerdns: '127.0.0.178' };
const SECRETS = ['icecast-admin', 'icecast-source', 'viewer', 'operator', 'pdns'] as const;
const compose = parse(readFileSync(join(ROOT, '.deploy/compose.yaml'), 'utf8'), { merge: true }) as {
  services: Record<string, { command: string[] }>;
};

let folder: ReturnType<typeof temporaryDirectory>;
const stops: (() => unknown)[] = [];
beforeAll(() => {
  folder = temporaryDirectory('compose', null);
  stops.push(() => folder.remove());
  chmodSync(folder.path, 0o755);
  mkdirSync(join(folder.path, 'secrets'));
  for (const name of SECRETS)
    writeFileSync(join(folder.path, 'secrets', name), `${name}-0f1e2d\n`, { mode: 0o600 });
});
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

const config = (name: string) => readFileSync(join(ROOT, '.deploy/config', name), 'utf8');

/** What a container of the service runs, with the paths of a container here, and its packages installed already. */
async function startService(name: keyof typeof HOSTS, changes: readonly [from: string, to: string][]) {
  const own = join(folder.path, name);
  let script = (compose.services[name]?.command.at(-1) ?? '').replaceAll('$$', '$');
  script = script.replace(/^apt-get .*$/m, 'true').replaceAll('/run/secrets', `${folder.path}/secrets`);
  for (const [from, to] of changes) {
    expect(script).toContain(from);
    script = script.replaceAll(from, to);
  }
  const started = await startProcess({ command: 'sh', args: ['-ec', script.replaceAll('/tmp/', `${own}/`)] });
  stops.push(() => started.stop());
  return started;
}

async function startIcecast(name: 'icecast-london' | 'icecast-dublin'): Promise<void> {
  const own = join(folder.path, name);
  const host = HOSTS[name];
  mkdirSync(join(own, 'log'), { recursive: true });
  chmodSync(join(own, 'log'), 0o777);
  const xml = config('icecast.xml')
    .replace(
      '<listen-socket><port>8000</port>',
      `<listen-socket><port>8000</port><bind-address>${host}</bind-address>`,
    )
    .replace('127.0.0.1', host)
    .replace('/var/log/icecast2', join(own, 'log'));
  writeFileSync(join(own, 'template.xml'), xml);
  await startService(name, [['/etc/icecast.xml', join(own, 'template.xml')]]);
}

async function startPowerdns(): Promise<void> {
  const own = join(folder.path, 'powerdns');
  const host = HOSTS.powerdns;
  mkdirSync(join(own, 'data'), { recursive: true });
  const text = config('pdns.conf')
    .replaceAll('0.0.0.0', host)
    .replace('172.16.0.0/12', '127.0.0.0/8')
    .replace('/var/lib/powerdns', join(own, 'data'));
  // What a container has to itself: the folder of the socket, and the rights of its one user.
  writeFileSync(join(own, 'template.conf'), `${text}socket-dir=${own}\n`);
  await startService('powerdns', [
    ['/etc/pdns.template', join(own, 'template.conf')],
    ['/var/lib/powerdns', join(own, 'data')],
  ]);
}

async function feed(): Promise<void> {
  for (const name of ['primary', 'secondary', 'autodj'] as const) {
    const material = await loadMaterial({
      music: name === 'autodj' ? 'autodj' : 'studio',
      pilotHz: PILOTS_HZ[name],
    });
    const encoder = createEncoder({
      name,
      programme: createProgramme({ name, material }),
      targets: (['icecast-london', 'icecast-dublin'] as const).map((server) => ({
        server: { host: HOSTS[server], port: 8000, user: 'source', password: 'icecast-source-0f1e2d' },
        mount: `/${name}`,
      })),
    });
    stops.push(() => encoder.stop());
    await encoder.start();
  }
}

it('the Icecasts and PowerDNS of the compose file start as it says, and sustain check finds no fault in the whole', async () => {
  expect(unprivilegedAccount('icecast2')).not.toBeNull();
  await startIcecast('icecast-london');
  await startIcecast('icecast-dublin');
  await startPowerdns();
  for (const name of ['icecast-london', 'icecast-dublin'] as const)
    await waitUntil(name, 10_000, async () => (await fetch(`http://${HOSTS[name]}:8000/status-json.xsl`)).ok);
  await waitUntil(
    'PowerDNS',
    20_000,
    async () => (await fetch(`http://${HOSTS.powerdns}:8081/api`)).status === 401,
  );
  await feed();
  let text = config('sustain.yaml').replaceAll('/run/secrets', `${folder.path}/secrets`);
  for (const [name, host] of Object.entries(HOSTS))
    text = text.replaceAll(`//${name}`, `//${host}`).replaceAll(`"${name}:`, `"${host}:`);
  // The three NATS have tests of their own, which start them just so.
  text = text.replace(/^cluster:.*$/m, '').replace('0.0.0.0:8080', '127.0.0.178:8080');
  writeFileSync(join(folder.path, 'sustain.yaml'), text);
  const cli = join(ROOT, 'dist/src/cli/main.js');
  const { code, said } = await new Promise<{ code: number; said: string }>((resolve) => {
    execFile(
      process.execPath,
      [cli, 'check', '--config', join(folder.path, 'sustain.yaml')],
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), said: stdout + stderr }),
    );
  });
  expect(code, said).toBe(0);
});
