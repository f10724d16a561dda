import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCheck } from '../../src/cli/check.ts';
import { icecastXml } from '../../src/demo/rig/icecast-xml.ts';
import {
  createEncoder,
  createProgramme,
  type Encoder,
  type IcecastServer,
  type StreamFormat,
  startIcecast,
  temporaryDirectory,
} from '../../src/demo/rig/index.ts';

/** Everything a password can have that breaks URLs, Basic authentication or XML. */
const ODD_PASSWORD = 'ä:b@c%d/ß<&"';

const folder = temporaryDirectory('check', null);
const encoders: Encoder[] = [];
let icecast: IcecastServer;

beforeAll(async () => {
  icecast = await startIcecast({
    host: '127.0.0.14',
    adminPassword: ODD_PASSWORD,
    limits: { sources: 4 },
    mounts: [
      { mount: '/primary', password: 'one', fallbackMount: '/secondary', fallbackOverride: true },
      { mount: '/secondary', password: 'two', fallbackMount: '/autodj' },
      { mount: '/autodj', password: 'three', maxListeners: 50 },
    ],
  });
  await encode('/primary', 'one', {});
  await encode('/secondary', 'two', {});
  await encode('/autodj', 'three', { codec: 'aac', sampleRateHz: 48_000, channels: 1 });
});

afterAll(async () => {
  await Promise.all(encoders.map((encoder) => encoder.kill()));
  await icecast?.stop();
  folder.remove();
});

async function encode(mount: string, password: string, format: Partial<StreamFormat>): Promise<void> {
  const material = { samples: new Int16Array(2 * 44_100), pilotHz: 6_100 };
  const programme = createProgramme({ name: mount, material });
  programme.play({ is: 'tone', frequencyHz: 440, levelDbfs: -20 });
  const server = { ...icecast.source, password };
  const encoder = createEncoder({ name: mount, programme, targets: [{ server, mount }], format });
  encoders.push(encoder);
  await encoder.start();
}

async function check(more: object = {}, password = ODD_PASSWORD) {
  const config = join(folder.path, 'sustain.yaml');
  writeFileSync(join(folder.path, 'admin'), `${password}\n`, { mode: 0o600 });
  writeFileSync(
    config,
    `
server: london
servers: { london: { url: "${icecast.url}", admin: { passwordFile: ./admin } } }
stations:
  myfm:
    sources: [ { name: primary, mount: /primary }, { name: secondary, mount: /secondary }, { name: autodj, mount: /autodj } ]
`,
  );
  const said: string[] = [];
  const code = await runCheck({ config, print: (text) => said.push(text), ...more });
  return { code, text: said.join('\n') };
}

it('measures what a real Icecast sends, and finds the source that listeners cannot be moved to', async () => {
  const { code, text } = await check({ json: true });
  const report = JSON.parse(text);
  expect(report.servers[0].version).toBe('Icecast 2.4.4');
  const sounds = Object.fromEntries(
    report.servers[0].mounts.map((one: { mount: string; sound: object }) => [one.mount, one.sound]),
  );
  expect(sounds).toMatchObject({
    '/primary': { codec: 'mp3', sampleRateHz: 44_100, channels: 2, bitrateKbps: 128, from: 'measured' },
    '/secondary': { codec: 'mp3', sampleRateHz: 44_100, channels: 2, bitrateKbps: 128, from: 'measured' },
    '/autodj': { codec: 'aac', sampleRateHz: 48_000, channels: 1, from: 'measured' },
  });
  const faults = report.findings.filter(({ severity }: { severity: string }) => severity === 'fault');
  expect(new Set(faults.map(({ about }: { about: string }) => about))).toEqual(new Set(['/autodj']));
  expect(faults).toHaveLength(3);
  expect(code).toBe(1);
});

it('finds in the real icecast.xml what the admin API does not show', async () => {
  const xml = join(folder.path, 'icecast.xml');
  writeFileSync(xml, icecastXml(icecast.layout, folder.path));
  const { text } = await check({ icecastXml: xml });
  expect(text).toContain('FAULT    london /primary: has fallback-override');
  expect(text).not.toContain('allows 4 sources');
  expect(text).toContain('WARNING  london /autodj: takes at most 50 listeners');
  expect(text).not.toContain(ODD_PASSWORD);
});

it('tells a wrong password by what a real Icecast answers to it', async () => {
  const { code, text } = await check({}, 'wrong-one');
  expect(code).toBe(1);
  expect(text).toContain(`refuses the password of user admin, which came from the file ${folder.path}/admin`);
  expect(text).not.toContain('wrong-one');
});

it('finds a mount whose encoder has stalled: Icecast still sends what it has in store, and nothing after it', async () => {
  const [, secondary] = encoders;
  secondary?.pause();
  const { text } = await check();
  secondary?.resume();
  expect(text).toContain(
    'FAULT    london /secondary: is there but gives a listener nothing: nothing came after',
  );
});
