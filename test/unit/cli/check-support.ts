import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Config } from '../../../src/config/index.ts';
import { loadConfigText } from '../../../src/config/index.ts';

/** One mount as a fake Icecast shows it. */
export interface FakeMount {
  readonly type?: string;
  readonly fallback?: string;
  readonly listeners?: number;
  readonly maxListeners?: number;
  readonly audioInfo?: string;
  /** A file fallback has none. */
  readonly connected?: number | null;
}

export interface FakeIcecast {
  readonly url: string;
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export interface FakeOptions {
  readonly password?: string;
  /** That of the common source password. */
  readonly sourcePassword?: string;
  readonly version?: string;
  readonly mounts?: Readonly<Record<string, FakeMount>>;
  /** How far its clock is behind. */
  readonly behindMs?: number;
  /** Answers in place of Icecast, to everything. */
  readonly answer?: (response: ServerResponse) => void;
}

const sourceXml = (mount: string, facts: FakeMount): string => {
  const connected = facts.connected === undefined ? 60 : facts.connected;
  return `<source mount="${mount}"><fallback>${facts.fallback ?? ''}</fallback>
    <listeners>${facts.listeners ?? 0}</listeners>
    ${connected === null ? '' : `<Connected>${connected}</Connected>`}
    <content-type>${facts.type ?? 'audio/mpeg'}</content-type><server_type>${facts.type ?? 'audio/mpeg'}</server_type>
    <max_listeners>${facts.maxListeners ?? 'unlimited'}</max_listeners>
    <audio_info>${facts.audioInfo ?? ''}</audio_info></source>`;
};

function statsXml(options: FakeOptions): string {
  const mounts = Object.entries(options.mounts ?? {});
  const listeners = mounts.reduce((sum, [, { listeners = 0 }]) => sum + listeners, 0);
  return `<?xml version="1.0"?><icestats><clients>${listeners + mounts.length}</clients><listeners>${listeners}</listeners>
    <sources>${mounts.length}</sources><server_id>${options.version ?? 'Icecast 2.4.4'}</server_id>
    ${mounts.map(([mount, facts]) => sourceXml(mount, facts)).join('')}</icestats>`;
}

/** Enough of an Icecast's admin API for `check`, on loopback and a free port. */
export async function fakeIcecast(options: FakeOptions = {}): Promise<FakeIcecast> {
  const asked: string[] = [];
  const right = `Basic ${Buffer.from(`admin:${options.password ?? 'hunter2'}`).toString('base64')}`;
  const sourceRight = `Basic ${Buffer.from(`source:${options.sourcePassword}`).toString('base64')}`;
  const server: Server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.setHeader('date', new Date(Date.now() - (options.behindMs ?? 0)).toUTCString());
    if (options.answer !== undefined) options.answer(response);
    else if (request.headers.authorization === sourceRight)
      response.writeHead(400).end('Source does not exist');
    else if (request.headers.authorization !== right) response.writeHead(401).end('You need to authenticate');
    else response.writeHead(200, { 'content-type': 'text/xml' }).end(statsXml(options));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const configText = (servers: Readonly<Record<string, string>>): string => `
server: ${Object.keys(servers)[0]}
servers:
${Object.entries(servers)
  .map(([name, url]) => `  ${name}: { url: "${url}", admin: { passwordEnv: ICECAST_ADMIN } }`)
  .join('\n')}
stations:
  myfm:
    sources:
      - { name: primary, mount: /primary }
      - { name: secondary, mount: /secondary }
      - { name: autodj, mount: /autodj }
`;

export async function configOf(servers: Readonly<Record<string, string>>): Promise<Config> {
  const env = { ICECAST_ADMIN: 'hunter2' };
  const loaded = await loadConfigText(configText(servers), '/sustain.yaml', env, {});
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.config;
}
