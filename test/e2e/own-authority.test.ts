import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCheck } from '../../src/cli/check.ts';
import { createAgentProcess } from '../../src/demo/agent-process.ts';
import {
  createEncoder,
  createProgramme,
  type Encoder,
  freePort,
  type IcecastServer,
  startIcecast,
  temporaryDirectory,
  waitUntil,
} from '../../src/demo/rig/index.ts';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/servers/${name}.pem`, import.meta.url));
const OURS = fixture('own-ca.cert');
const ANOTHER = fixture('self-signed.cert');

const folder = temporaryDirectory('own-authority', null);
let icecast: IcecastServer;
let encoder: Encoder;
let tls: Server;

beforeAll(async () => {
  icecast = await startIcecast({ host: '127.0.0.1', mounts: [{ mount: '/primary' }, { mount: '/stream' }] });
  tls = await startTls(icecast);
  const material = { samples: new Int16Array(2 * 44_100), pilotHz: 6_100 };
  const programme = createProgramme({ name: 'primary', material });
  programme.play({ is: 'tone', frequencyHz: 440, levelDbfs: -20 });
  encoder = createEncoder({
    name: 'primary',
    programme,
    targets: [{ server: icecast.source, mount: '/primary' }],
  });
  await encoder.start();
});

afterAll(async () => {
  await encoder?.kill();
  tls?.close();
  await icecast?.stop();
  folder.remove();
});

/** The only way in: a certificate for 127.0.0.1 from an authority that nobody else knows. */
function startTls({ source }: IcecastServer): Promise<Server> {
  const server = createServer(
    {
      cert: readFileSync(fixture('own-ca-server.cert')),
      key: readFileSync(fixture('own-ca-server.key')),
    },
    (client) => {
      const upstream = connect(source.port, source.host);
      for (const socket of [client, upstream]) {
        socket.on('error', () => {});
        socket.on('close', () => {
          client.destroy();
          upstream.destroy();
        });
      }
      client.pipe(upstream).pipe(client);
    },
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

function put(caFile: string | null, web: string | null = null): string {
  const address = tls.address();
  const port = typeof address === 'object' ? address?.port : null;
  const { admin, source } = icecast;
  const secrets = {
    admin: admin.password,
    source: source.password,
    viewer: 'v'.repeat(20),
    operator: 'o'.repeat(20),
  };
  for (const [name, secret] of Object.entries(secrets))
    writeFileSync(join(folder.path, name), secret, { mode: 0o600 });
  const config = join(folder.path, 'sustain.yaml');
  writeFileSync(
    config,
    `
server: london
servers:
  london:
    url: "https://127.0.0.1:${port}"
    admin: { user: ${admin.user}, passwordFile: ./admin }
    source: { user: ${source.user}, passwordFile: ./source }
    ${caFile === null ? '' : `tls: { caFile: ${caFile} }`}
stations:
  myfm:
    sources: [ { name: primary, mount: /primary } ]
    serve: { mode: relay, outputs: [ { mount: /stream, codec: mp3, bitrate: 128k } ] }
state: { directory: ./state }
${web === null ? '' : `web: { listen: "${web}", viewerTokenFile: ./viewer, operatorTokenFile: ./operator }`}
`,
  );
  return config;
}

async function check(config: string, more: object = {}) {
  const said: string[] = [];
  await runCheck({ config, print: (text) => said.push(text), ...more });
  return said.join('\n');
}

test.each([
  ['no authority is named', null],
  ['another authority is named', ANOTHER],
])(
  'a server whose certificate comes from an authority of its own is not believed where %s',
  async (_, caFile) => {
    const text = await check(put(caFile));
    expect(text).toContain('no TLS with 127.0.0.1');
    expect(text).toContain('from an authority that Node.js knows, or that tls.caFile names');
  },
);

test('it is asked and listened to by sustain check where that authority is named', async () => {
  const [london] = JSON.parse(await check(put(OURS), { json: true })).servers;
  expect(london.version).toBe('Icecast 2.4.4');
  expect(london.mounts).toMatchObject([{ mount: '/primary', sound: { codec: 'mp3', from: 'measured' } }]);
});

test('an agent listens to it, asks it, and feeds it', async () => {
  const web = `127.0.0.1:${await freePort('127.0.0.1')}`;
  const agent = createAgentProcess({
    server: 'london',
    configPath: put(OURS, web),
    webUrl: `http://${web}`,
    viewerToken: 'v'.repeat(20),
    operatorToken: 'o'.repeat(20),
  });
  try {
    await agent.start();
    const story = () => JSON.stringify(agent.log().slice(-8), null, 1);
    // Over the agent's own monitor, its proof by the admin API, and its source client.
    const onAir = async () => (await agent.state()).stations[0]?.servers[0]?.legs[0]?.condition === 'audible';
    await waitUntil('the monitor hears it', 30_000, onAir, story);
    await waitUntil(
      'the public mount',
      30_000,
      async () => (await icecast.mounts()).includes('/stream'),
      story,
    );
  } finally {
    await agent.stop();
  }
});
