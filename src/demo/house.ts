import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentProcess, createAgentProcess } from './agent-process.ts';
import { DNS_NAME, DNS_TTL_MS, type HouseDns, startHouseDns } from './house-names.ts';
import {
  createEncoder,
  createProgramme,
  type DnsServer,
  type Encoder,
  type EncoderKind,
  freePort,
  type IcecastOptions,
  type IcecastServer,
  type Listener,
  type ListenerOptions,
  loadMaterial,
  type NameWatch,
  type NatsCluster,
  PILOTS_HZ,
  type Sites,
  type StreamFormat,
  startIcecast,
  startListener,
  startNats,
  temporaryDirectory,
  watchName,
} from './rig/index.ts';

export const SERVER_NAMES = ['london', 'dublin'] as const;
export type HouseServer = (typeof SERVER_NAMES)[number];

export interface HouseOptions {
  /** Loopback addresses of the two servers. */
  readonly hosts?: readonly [string, string];
  readonly port?: number;
  /** A server's public address over IPv6, and whether it listens there. */
  readonly public6?: Partial<Readonly<Record<HouseServer, { address: string; isServed: boolean }>>>;
  /** Each server and its agent in a network of its own; `hosts`, `port` and PowerDNS are then to be found there. */
  readonly sites?: Sites<HouseServer>;
  /** Changes to each Icecast's layout. */
  readonly icecast?: Partial<IcecastOptions>;
  readonly encoderKinds?: {
    readonly encoder1?: EncoderKind;
    readonly encoder2?: EncoderKind;
    readonly autodj?: EncoderKind;
  };
  readonly autodjFormat?: Partial<StreamFormat>;
  readonly silence?: string;
  readonly switching?: string;
  readonly titlesEveryMs?: number;
  /** In relay mode the public mount is `/stream`, which falls back to `/primary` when the agent is gone. */
  readonly mode?: 'guard' | 'relay';
  /** This much later encoder 2 sends the same programme, as over a slower line. */
  readonly encoder2DelayMs?: number;
  /** The name that listeners use is kept in a real DNS, which the agents may write. */
  readonly dns?: 'powerdns' | 'bind';
  /** Keys of the `dns` section that are to be otherwise than in the demo, as they stand in YAML. */
  readonly dnsSettings?: Readonly<Record<string, string>>;
  /** The agents and a witness share what they hear over three NATS servers, and one lease of so long. */
  readonly cluster?: { readonly lease: string };
  /** What the agents take for the admin password, when it is not the right one. */
  readonly agentAdminPassword?: string;
  /** In relay mode: the public mount goes through the processing chain. */
  readonly processing?: boolean;
  /** Who is told what goes wrong, as it stands in YAML. */
  readonly alerts?: string;
  /** Another build of the command, for all agents or for those named. */
  readonly agentCli?: string | Partial<Readonly<Record<HouseServer | 'witness', string>>>;
}

/** A whole station on one machine: two Icecasts, two encoders and an AutoDJ that feed both, an agent beside each. */
export interface House {
  readonly servers: Readonly<Record<HouseServer, IcecastServer>>;
  readonly agents: Readonly<Record<HouseServer, AgentProcess>>;
  readonly encoder1: Encoder;
  readonly encoder2: Encoder;
  readonly autodj: Encoder;
  readonly configPath: string;
  /** Null without `dns`. */
  readonly name: NameWatch | null;
  /** The name server itself; null without `dns`. */
  readonly dns: DnsServer | null;
  /** Null without `cluster`. */
  readonly nats: NatsCluster | null;
  readonly witness: AgentProcess | null;
  /** Where listeners of the station come in. */
  readonly publicMount: string;
  listen(server: HouseServer, options?: Partial<ListenerOptions> & { mount?: string }): Promise<Listener>;
  /** A player that goes where the name points each time it connects. */
  listenByName(): Promise<Listener>;
  /** Everything on, everything healthy: what was killed or ended is started, programmes are unmuted. */
  heal(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The public mount of relay mode and its net: an on-demand relay of `/primary` on the server itself. To name `/primary`
 * as the fallback would carry the agent's own monitor to its own output as soon as the agent connects.
 */
const PUBLIC_MOUNT = { mount: '/stream', fallbackMount: '/stream-safe', fallbackOverride: true };

/** `/primary` falls back to `/secondary`, that to `/autodj`; the agent brings listeners back, so nothing overrides. */
const MOUNTS = [
  { mount: '/primary', fallbackMount: '/secondary', fallbackOverride: false },
  { mount: '/secondary', fallbackMount: '/autodj', fallbackOverride: false },
  { mount: '/autodj' },
];

type SourceOfHouse = keyof typeof PILOTS_HZ & ('primary' | 'secondary' | 'autodj');

/** In a network of its own every port is free. */
const SITE_PORT = 8000;
const SITE_WEB_PORT = 8080;

export async function startHouse(options: HouseOptions = {}): Promise<House> {
  const stops: (() => Promise<unknown>)[] = [];
  try {
    return await build(options, stops);
  } catch (thrown) {
    for (const stop of stops.reverse()) await stop().catch(() => undefined);
    throw thrown;
  }
}

async function build(options: HouseOptions, stops: (() => Promise<unknown>)[]): Promise<House> {
  const { sites } = options;
  const places = SERVER_NAMES.map((name) => sites?.sites[name].host);
  const [londonHost = '127.0.0.21', dublinHost = '127.0.0.22'] = options.hosts ?? places;
  // One name means one port on every server.
  const wantedPort = options.port ?? (sites === undefined ? null : SITE_PORT);
  const commonPort = wantedPort ?? (options.dns === undefined ? null : await freePort(dublinHost));
  const icecast = async (host: string, name: HouseServer) => {
    const port = commonPort ?? (await freePort(host));
    const relayed = options.mode === 'relay';
    const public6 = options.public6?.[name];
    const server = await startIcecast({
      host,
      ...(public6?.isServed ? { host6: public6.address } : {}),
      port,
      mounts: relayed ? [...MOUNTS, PUBLIC_MOUNT] : MOUNTS,
      relays: relayed ? [{ host, port, mount: '/primary', localMount: '/stream-safe', onDemand: true }] : [],
      limits: { clients: 400, sources: 8 },
      ...(sites === undefined ? {} : { namespace: sites.sites[name].namespace }),
      ...options.icecast,
    });
    stops.push(() => server.stop());
    return server;
  };
  // The music is decoded while the servers start.
  const material = (name: SourceOfHouse) =>
    loadMaterial({ music: name === 'autodj' ? 'autodj' : 'studio', pilotHz: PILOTS_HZ[name] });
  const materials = {
    primary: material('primary'),
    secondary: material('secondary'),
    autodj: material('autodj'),
  };
  // What went wrong with it is told where it is waited for.
  for (const pending of Object.values(materials)) pending.catch(() => undefined);
  const servers = {
    london: await icecast(londonHost, 'london'),
    dublin: await icecast(dublinHost, 'dublin'),
  };

  const encoder = async (name: SourceOfHouse, kind: EncoderKind) => {
    const made = createEncoder({
      name,
      kind,
      programme: createProgramme({
        name,
        material: await materials[name],
        delayMs: name === 'secondary' ? (options.encoder2DelayMs ?? 0) : 0,
      }),
      targets: SERVER_NAMES.map((server) => ({ server: servers[server].source, mount: `/${name}` })),
      ...(name === 'autodj' && options.autodjFormat !== undefined ? { format: options.autodjFormat } : {}),
      ...(options.titlesEveryMs === undefined ? {} : { titlesEveryMs: options.titlesEveryMs }),
    });
    stops.push(() => made.stop());
    await made.start();
    return made;
  };
  const kinds = options.encoderKinds ?? {};
  // One after another: Icecast 2.4.4 has been seen to crash when several sources connect in the same moment.
  const encoder1 = await encoder('primary', kinds.encoder1 ?? 'ffmpeg');
  const encoder2 = await encoder('secondary', kinds.encoder2 ?? 'ffmpeg');
  const autodj = await encoder('autodj', kinds.autodj ?? 'ffmpeg');

  const dns =
    options.dns === undefined ? null : await startHouseDns(options.dns, options.dnsSettings, sites?.outside);
  if (dns !== null) stops.push(() => dns.server.stop());
  const name = dns === null ? null : watchName(dns.server, DNS_NAME, DNS_TTL_MS);
  stops.push(async () => name?.stop());

  const nats = options.cluster === undefined ? null : await startNats({ nodes: 3 });
  if (nats !== null) stops.push(() => nats.stop());

  const { configPaths, agents, witness, remove } = await prepareAgents(options, servers, dns, nats);
  stops.push(async () => remove());
  const all = [...Object.values(agents), ...(witness === null ? [] : [witness])];
  for (const agent of all) stops.push(() => agent.stop());
  // An agent that may not look at its servers never becomes ready, which is what some tests are about.
  const ready = options.agentAdminPassword === undefined;
  await Promise.all(all.map((agent) => agent.start({ ready })));

  const publicMount = options.mode === 'relay' ? '/stream' : '/primary';
  return {
    servers,
    agents,
    publicMount,
    name,
    dns: dns?.server ?? null,
    nats,
    witness,
    encoder1,
    encoder2,
    autodj,
    configPath: configPaths.london,
    listen(server, { mount = publicMount, ...rest } = {}) {
      return startListener({ name: `listener of ${server}`, url: `${servers[server].url}${mount}`, ...rest });
    },
    listenByName() {
      const url = () =>
        `http://${name?.resolve() ?? 'name.invalid'}:${servers.london.admin.port}${publicMount}`;
      return startListener({ name: 'listener by name', url, reconnectMs: 500, readTimeoutMs: 5_000 });
    },
    async heal() {
      for (const server of Object.values(servers))
        await (server.pid() === null ? server.restart() : server.resume());
      for (const agent of all) if (agent.pid() === null) await agent.start({ ready });
      for (const one of [encoder1, encoder2, autodj]) {
        one.resume();
        one.programme.unmute();
        await one.start();
      }
    },
    async stop() {
      for (const stop of stops.reverse()) await stop().catch(() => undefined);
    },
  };
}

async function prepareAgents(
  options: HouseOptions,
  servers: Record<HouseServer, IcecastServer>,
  dns: HouseDns | null,
  nats: NatsCluster | null,
) {
  const directory = temporaryDirectory('agents', null);
  const secret = (name: string, text: string) => {
    const path = join(directory.path, name);
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    return path;
  };
  const viewerToken = randomBytes(16).toString('hex');
  const operatorToken = randomBytes(16).toString('hex');
  const paths = {
    admin: secret('icecast-admin', options.agentAdminPassword ?? servers.london.admin.password),
    source: secret('icecast-source', servers.london.source.password),
    viewer: secret('viewer', viewerToken),
    operator: secret('operator', operatorToken),
    dns: dns === null ? null : dns.section(secret('dns-key', dns.secret)),
  };
  const configPaths = { london: '', dublin: '', witness: '' };
  const prepare = async (name: HouseServer | 'witness', host: string) => {
    const site = name === 'witness' ? undefined : options.sites?.sites[name];
    const port = site === undefined ? await freePort(host) : SITE_WEB_PORT;
    const stateDirectory = join(directory.path, `state-${name}`);
    mkdirSync(stateDirectory, { mode: 0o700 });
    configPaths[name] = join(directory.path, `${name}.yaml`);
    const text = configText(options, servers, paths, `${host}:${port}`, stateDirectory);
    writeFileSync(configPaths[name], text + clusterText(options, nats));
    const { agentCli } = options;
    const cli = typeof agentCli === 'string' ? agentCli : agentCli?.[name];
    return createAgentProcess({
      server: name,
      isWitness: name === 'witness',
      ...(site === undefined ? {} : { namespace: site.namespace }),
      configPath: configPaths[name],
      webUrl: `http://${host}:${port}`,
      viewerToken,
      operatorToken,
      ...(cli === undefined ? {} : { cli }),
    });
  };
  const agents = {
    london: await prepare('london', servers.london.admin.host),
    dublin: await prepare('dublin', servers.dublin.admin.host),
  };
  const witness = nats === null ? null : await prepare('witness', WITNESS_HOST);
  return { configPaths, agents, witness, remove: () => directory.remove() };
}

const WITNESS_HOST = '127.0.0.23';

function clusterText({ cluster }: HouseOptions, nats: NatsCluster | null): string {
  if (cluster === undefined || nats === null) return '';
  return `cluster: { nats: [${nats.urls.map((url) => `"${url}"`).join(', ')}], lease: ${cluster.lease} }\n`;
}

const relaySection = (processing: boolean) =>
  `{ mode: relay, outputs: [{ mount: /stream, codec: mp3, bitrate: 128k }], stream: { name: My FM }${processing ? ', processing: { preset: music }' : ''} }`;

function configText(
  options: HouseOptions,
  servers: Record<HouseServer, IcecastServer>,
  paths: { admin: string; source: string; viewer: string; operator: string; dns: string | null },
  webListen: string,
  stateDirectory: string,
): string {
  const public6 = (name: HouseServer) => {
    const address = options.public6?.[name]?.address;
    return address === undefined ? '' : ` publicAddress6: "${address}",`;
  };
  const lines = SERVER_NAMES.map(
    (name) =>
      `  ${name}: { url: "${servers[name].url}", publicAddress: ${servers[name].admin.host},${public6(name)} admin: { user: ${servers[name].admin.user}, passwordFile: ${paths.admin} }, source: { user: source, passwordFile: ${paths.source} } }`,
  );
  return `server: london
servers:
${lines.join('\n')}
stations:
  myfm:
    sources:
      - { name: primary,   mount: /primary }
      - { name: secondary, mount: /secondary }
      - { name: autodj,    mount: /autodj }
    silence: ${options.silence ?? '{ threshold: -50 dBFS, trip: 5s, restore: 10s }'}
    switching: ${options.switching ?? '{ dwell: 5s }'}
    serve: ${options.mode === 'relay' ? relaySection(options.processing === true) : '{ mode: guard }'}
${paths.dns === null ? '' : `dns: ${paths.dns}\n`}web: { listen: "${webListen}", viewerTokenFile: ${paths.viewer}, operatorTokenFile: ${paths.operator} }
state: { directory: ${stateDirectory} }
${options.alerts === undefined ? '' : `alerts: ${options.alerts}\n`}`;
}
