import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readIcecastXml, settingsOf } from '../../../src/cli/check/icecast-xml.ts';
import { type Config, loadConfigText } from '../../../src/config/index.ts';
import { optionsOf } from '../docs/reference.ts';

interface Service {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

interface Compose {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: object;
}

const HERE = fileURLToPath(new URL('../../../.deploy', import.meta.url));
const compose = parse(readFileSync(join(HERE, 'compose.yaml'), 'utf8'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const agents = services.filter(([, { image }]) => image?.startsWith('sustain') === true);
const scriptOf = (name: string) => compose.services[name]?.command?.at(-1) ?? '';

/** The secrets as an engine would mount them, and the config that an agent of the file reads. */
const folder = mkdtempSync(join(tmpdir(), 'sustain-compose-'));
mkdirSync(join(folder, 'secrets'));
for (const name of Object.keys(compose.secrets))
  writeFileSync(join(folder, 'secrets', name), `${name}-of-the-test\n`, { mode: 0o600 });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function configOf({ command = [] }: Service): Promise<Config> {
  const text = readFileSync(join(HERE, 'config/sustain.yaml'), 'utf8').replaceAll(
    '/run/secrets',
    `${folder}/secrets`,
  );
  const flagOf = (name: string) => command[command.indexOf(name) + 1];
  const flags = command.includes('--witness')
    ? { witness: flagOf('--witness') }
    : { server: flagOf('--server') };
  // Not at /etc/sustain, where the file is that of the service of systemd, which can't read what root alone can.
  const loaded = await loadConfigText(text, join(folder, 'sustain.yaml'), {}, flags);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  // That the page can be reached from outside of the container is meant: it is published on loopback only, which is tested.
  expect(loaded.warnings.map(({ path }) => path)).toEqual(['web.listen']);
  return loaded.config;
}

describe('the compose file', () => {
  test('is one by the specification, as Debian ships it', () => {
    const schema = new URL('../../../fixtures/compose/compose-spec.json', import.meta.url);
    const ajv = new Ajv2019({
      strict: false,
      formats: { subnet_ip_address: true, ports: true, expose: true, duration: true, uri: true },
    });
    const {
      id: _id,
      $schema: _schema,
      ...specification
    } = JSON.parse(readFileSync(schema, 'utf8')) as Record<string, object>;
    const isOne = ajv.compile(withoutOldIds(specification));
    // The name of a project came into the specification after this schema.
    const { name: _name, ...known } = compose;
    expect(isOne(known) ? [] : isOne.errors).toEqual([]);
    const wrong = { ...known, services: { one: { image: 'x', comand: [] } } };
    expect(isOne(wrong)).toBe(false);
  });

  test('has the two Icecasts, two agents, a witness, three NATS and PowerDNS', () => {
    const names = services.map(([name]) => name);
    const wanted = [
      'icecast-london',
      'icecast-dublin',
      'agent-london',
      'agent-dublin',
      'witness',
      'powerdns',
    ];
    expect(names.filter((name) => !name.startsWith('nats')).sort()).toEqual(wanted.sort());
    expect(names.filter((name) => name.startsWith('nats'))).toHaveLength(3);
  });

  test('mounts only files that are there, and names only what it has', () => {
    for (const [name, service] of services) {
      for (const other of service.depends_on ?? []) expect(compose.services, name).toHaveProperty(other);
      for (const secret of service.secrets ?? []) expect(compose.secrets, name).toHaveProperty(secret);
      for (const volume of service.volumes ?? []) {
        const [from = ''] = volume.split(':');
        if (from.startsWith('.')) expect(existsSync(join(HERE, from)), from).toBe(true);
        else expect(compose.volumes, name).toHaveProperty(from);
      }
    }
  });

  test('opens no port of the machine twice', () => {
    const published = services.flatMap(([, { ports = [] }]) =>
      ports.map((port) => port.replace(/:\d+(\/|$)/, '$1')),
    );
    expect(new Set(published).size).toBe(published.length);
  });

  test('gives no secret but by a file', () => {
    const text = readFileSync(join(HERE, 'compose.yaml'), 'utf8');
    expect(text).not.toMatch(/(PASSWORD|TOKEN|API_?KEY)\s*[:=]\s*\S/i);
    for (const [name, { file }] of Object.entries(compose.secrets)) expect(file).toBe(`./secrets/${name}`);
  });
});

describe('the agents in it', () => {
  test.each(agents)(
    '%s starts with options that there are, on a config without a fault',
    async (_name, service) => {
      for (const option of (service.command ?? []).filter((word) => word.startsWith('--')))
        expect(optionsOf('run')).toContain(option);
      const config = await configOf(service);
      // What the health check asks and what is published is where it listens.
      const webPort = config.web?.listen.port;
      expect(service.environment?.['SUSTAIN_HEALTH_URL']).toBe(`http://127.0.0.1:${webPort}/readyz`);
      for (const port of service.ports ?? [])
        expect(port).toMatch(new RegExp(`^127\\.0\\.0\\.1:\\d+:${webPort}$`));
      for (const secret of ['icecast-admin', 'icecast-source', 'viewer', 'operator', 'pdns'])
        expect(service.secrets).toContain(secret);
    },
  );

  test('reach every other part by its name and the port that it listens at', async () => {
    const [, first] = agents[0] ?? [];
    if (first === undefined) throw new Error('no agent');
    const config = await configOf(first);
    const icecast = readIcecastXml(readFileSync(join(HERE, 'config/icecast.xml'), 'utf8'));
    for (const { url } of config.servers) {
      expect(compose.services).toHaveProperty(new URL(url).hostname);
      expect(icecast?.ports).toEqual([Number(new URL(url).port)]);
    }
    const pdns = readFileSync(join(HERE, 'config/pdns.conf'), 'utf8');
    const dns = config.dns?.provider;
    expect(dns?.provider === 'powerdns' && dns.url).toBe(
      `http://powerdns:${/webserver-port=(\d+)/.exec(pdns)?.[1]}/`,
    );
    expect(config.cluster?.urls).toEqual(['nats-1', 'nats-2', 'nats-3'].map((name) => `nats://${name}:4222`));
  });
});

describe('the Icecast in it', () => {
  const xml = readIcecastXml(readFileSync(join(HERE, 'config/icecast.xml'), 'utf8'));

  test('has room for every source, and the net under the public mount', async () => {
    const [, first] = agents[0] ?? [];
    if (first === undefined || xml === null) throw new Error('no agent, or no icecast.xml');
    const [station] = (await configOf(first)).stations;
    const [output] = station?.serve.outputs ?? [];
    expect(xml.limits.sources).toBeGreaterThanOrEqual((station?.sources.length ?? 0) + 2);
    expect(settingsOf(xml, String(output?.mount))).toMatchObject({
      fallback: '/stream-safe',
      fallbackOverride: true,
    });
    expect(xml.relays).toEqual([{ localMount: '/stream-safe', onDemand: true }]);
  });

  test('is given its passwords by the script that starts it', () => {
    const script = scriptOf('icecast-london');
    expect(scriptOf('icecast-dublin')).toBe(script);
    for (const name of ['ADMIN', 'SOURCE'])
      expect(script).toContain(`s/@${name}@/$$(cat /run/secrets/icecast-${name.toLowerCase()})/`);
  });
});

/** The file uses `id` as drafts before 2019 did, where it is a name and not an address. */
function withoutOldIds(schema: object): object {
  return JSON.parse(
    JSON.stringify(schema, (key, value: unknown) =>
      key === 'id' && typeof value === 'string' ? undefined : value,
    ),
  ) as object;
}
