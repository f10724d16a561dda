import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createAgentProcess } from '../../src/demo/agent-process.ts';
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
/** Addresses for documents, and where the servers are here. */
const PUBLIC = [
  ['203.0.113.10', HOSTS['icecast-london']],
  ['198.51.100.10', HOSTS['icecast-dublin']],
] as const;
const SECRETS = ['icecast-admin', 'icecast-source', 'viewer', 'operator', 'pdns'] as const;
const compose = parse(readFileSync(join(ROOT, '.deploy/compose.yaml'), 'utf8'), { merge: true }) as {
  services: Record<string, { command: string[] }>;
};

let folder: ReturnType<typeof temporaryDirectory>;
const stops: (() => unknown)[] = [];
const said = new Map<keyof typeof HOSTS, () => string>();
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
  // The folder of the test is below /tmp itself, so that this goes first.
  script = script.replaceAll('/tmp/', '@OWN@/').replace(/^apt-get .*$/m, 'true');
  script = script.replaceAll('/run/secrets', `${folder.path}/secrets`);
  for (const [from, to] of changes) {
    expect(script).toContain(from);
    script = script.replaceAll(from, to);
  }
  const started = await startProcess({ command: 'sh', args: ['-ec', script.replaceAll('@OWN@', own)] });
  stops.push(() => started.stop());
  said.set(name, () => started.lastWords());
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
    .replace('<server>127.0.0.1<', `<server>${host}<`)
    .replace('/var/log/icecast2', join(own, 'log'));
  writeFileSync(join(own, 'template.xml'), xml);
  await startService(name, [['/etc/icecast.xml', join(own, 'template.xml')]]);
}

async function startPowerdns(): Promise<void> {
  const own = join(folder.path, 'powerdns');
  const host = HOSTS.powerdns;
  mkdirSync(join(own, 'data'), { recursive: true });
  const text = config('pdns.conf')
    .replaceAll(/=0\.0\.0\.0$/gm, `=${host}`)
    .replace('/tmp/pdns', join(own, 'pdns'))
    .replace('172.16.0.0/12', '127.0.0.0/8')
    .replace('/var/lib/powerdns', join(own, 'data'));
  writeFileSync(join(own, 'template.conf'), text);
  await startService('powerdns', [
    ['/etc/pdns.template', join(own, 'template.conf')],
    ['/var/lib/powerdns', join(own, 'data')],
    ['203.0.113.10', HOSTS['icecast-london']],
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

it('the Icecasts and PowerDNS of the compose file start as it says, and an agent on its config feeds the station and reads the name', async () => {
  expect(unprivilegedAccount('icecast2')).not.toBeNull();
  await startIcecast('icecast-london');
  await startIcecast('icecast-dublin');
  await startPowerdns();
  for (const name of ['icecast-london', 'icecast-dublin'] as const)
    await waitUntil(
      name,
      10_000,
      async () => (await fetch(`http://${HOSTS[name]}:8000/status-json.xsl`)).ok,
      () => said.get(name)?.() ?? '',
    );
  await waitUntil(
    'PowerDNS',
    20_000,
    async () => (await fetch(`http://${HOSTS.powerdns}:8081/api`)).status === 401,
  );
  await feed();
  let text = config('sustain.yaml').replaceAll('/run/secrets', `${folder.path}/secrets`);
  for (const [name, host] of Object.entries(HOSTS))
    text = text.replaceAll(`//${name}`, `//${host}`).replaceAll(`"${name}:`, `"${host}:`);
  for (const [address, host] of PUBLIC) text = text.replaceAll(address, host);
  // The three NATS have tests of their own, which start them just so.
  text = text.replace(/^cluster:.*$/m, '').replace('0.0.0.0:8080', '127.0.0.178:8080');
  mkdirSync(join(folder.path, 'state'), { mode: 0o700 });
  text += `state: { directory: ${join(folder.path, 'state')} }\n`;
  writeFileSync(join(folder.path, 'sustain.yaml'), text);
  const agent = createAgentProcess({
    server: 'london',
    configPath: join(folder.path, 'sustain.yaml'),
    webUrl: `http://${HOSTS.powerdns}:8080`,
    viewerToken: 'viewer-0f1e2d',
    operatorToken: 'operator-0f1e2d',
  });
  stops.push(() => agent.stop());
  await agent.start();
  await waitUntil(
    'the public mount is fed, and the name is read',
    30_000,
    async () => {
      const { stations, dns } = await agent.state();
      const outputs = stations[0]?.relay?.outputs ?? [];
      return outputs.some((output) => output.state === 'feeding') && dns?.alerts.length === 0;
    },
    () =>
      agent
        .log()
        .slice(-20)
        .map((line) => JSON.stringify(line))
        .join('\n'),
  );
});
