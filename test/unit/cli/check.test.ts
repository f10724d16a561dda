import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCheck } from '../../../src/cli/check.ts';
import { configText, type FakeIcecast, type FakeOptions, fakeIcecast } from './check-support.ts';

let folder = '';
let fakes: FakeIcecast[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sustain-check-'));
});
afterEach(async () => {
  await Promise.all(fakes.map((fake) => fake.close()));
  fakes = [];
  rmSync(folder, { recursive: true });
});

async function start(options: FakeOptions = {}): Promise<FakeIcecast> {
  const fake = await fakeIcecast(options);
  fakes.push(fake);
  return fake;
}

function put(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** A FFMPEG_PATH that leads nowhere, so that the sound is not measured. */
const env = { ICECAST_ADMIN: 'hunter2', FFMPEG_PATH: '/nowhere/ffmpeg', PATH: '' };

async function check(servers: Readonly<Record<string, string>>, more: object = {}) {
  const said: string[] = [];
  const config = put('sustain.yaml', configText(servers));
  const code = await runCheck({ config, env, print: (text) => said.push(text), ...more });
  return { code, text: said.join('\n') };
}

const well = {
  '/primary': { fallback: '/secondary', audioInfo: 'samplerate=44100;channels=2;bitrate=128' },
  '/secondary': { fallback: '/autodj', audioInfo: 'samplerate=44100;channels=2;bitrate=128' },
  '/autodj': { audioInfo: 'samplerate=44100;channels=2;bitrate=128' },
};

describe('sustain check', () => {
  it('ends with 0 when every server is as it should be, and shows what it found there', async () => {
    const london = await start({ mounts: well });
    const dublin = await start({ mounts: well });
    const { code, text } = await check({ london: london.url, dublin: dublin.url });
    expect(text).toContain('yes, Icecast 2.4.4');
    expect(text).toContain('right (the environment variable ICECAST_ADMIN)');
    expect(text).toMatch(
      /myfm +secondary +\/secondary +yes +audio\/mpeg +\? +44100 Hz +2 +128k +\/autodj +0 +none/,
    );
    expect(text).not.toContain('FAULT');
    expect(code).toBe(0);
  });

  it('warns of a server whose clock is another than ours, and of no other', async () => {
    const london = await start({ mounts: well });
    const dublin = await start({ mounts: well, behindMs: 120_000 });
    const { code, text } = await check({ london: london.url, dublin: dublin.url });
    expect(text).toMatch(/WARNING {2}dublin clock: is (1 min 59|2 min 0) s behind the clock of this machine/);
    expect(text).not.toContain('london clock');
    expect(code).toBe(0);
  });

  it('ends with 2 on faults of the config, prints all of them with their places, and asks no server', async () => {
    const fake = await start({ mounts: well });
    const config = put('bad.yaml', `${configText({ london: fake.url })}log: { level: loud }\nxyz: 1\n`);
    const said: string[] = [];
    const code = await runCheck({ config, env, print: (text) => said.push(text) });
    expect(code).toBe(2);
    expect(said.join('\n')).toContain(`${config}:11:8  log.level  "loud" is not known here`);
    expect(said.join('\n')).toContain('2 faults in the config.');
    expect(fake.asked).toEqual([]);
  });

  it('tells a wrong password from a dead server, and says where it came from but never what it is', async () => {
    const fake = await start({ password: 'other', mounts: well });
    const { code, text } = await check({ london: fake.url });
    expect(code).toBe(1);
    expect(text).toContain('WRONG (the environment variable ICECAST_ADMIN)');
    expect(text).toContain(
      'refuses the password of user admin, which came from the environment variable ICECAST_ADMIN',
    );
    expect(text).not.toContain('hunter2');
  });

  it('finds in relay mode that the source password is wrong, before the agent has to feed a mount with it', async () => {
    const fake = await start({ mounts: well, sourcePassword: 'feed' });
    const text = configText({ london: fake.url })
      .replace(
        '{ passwordEnv: ICECAST_ADMIN } }',
        '{ passwordEnv: ICECAST_ADMIN }, source: { passwordEnv: FEED } }',
      )
      .concat('    serve: { mode: relay, outputs: [ { mount: /stream, codec: mp3 } ] }\n');
    const said = async (password: string) => {
      const lines: string[] = [];
      const print = (line: string) => lines.push(line);
      await runCheck({ config: put('relay.yaml', text), env: { ...env, FEED: password }, print });
      return lines.join('\n');
    };
    expect(await said('feed')).not.toContain('FAULT');
    const wrong = await said('hunter3');
    expect(wrong).toContain(
      'FAULT    london /stream: refuses the password of user source, which came from the environment variable FEED',
    );
    expect(wrong).not.toContain('hunter3');
  });

  it('goes on with the other servers when one refuses connections', async () => {
    const gone = await start();
    await gone.close();
    fakes = [];
    const london = await start({ mounts: well });
    const { code, text } = await check({ london: london.url, dublin: gone.url });
    expect(code).toBe(1);
    expect(text).toContain('FAULT    dublin admin API: ');
    expect(text).toContain('yes, Icecast 2.4.4');
  });

  it('ends within seconds when a server takes the connection and says nothing', async () => {
    const silent = await start({ answer: () => {} });
    const startedMs = performance.now();
    const { code, text } = await check({ london: silent.url });
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    expect(code).toBe(1);
    expect(text).toContain('gave no whole answer');
  });

  it.each([
    ['a web page', 200, '<html><body>It works!</body></html>'],
    ['a fault of its own', 500, 'oh'],
    ['XML that was cut off', 200, '<?xml version="1.0"?><icestats><source mou'],
    ['XML with entities that unfold', 200, '<!DOCTYPE x [<!ENTITY a "aa">]><icestats>&a;</icestats>'],
    ['nothing', 200, ''],
  ])('survives a server that answers %s', async (_, status, body) => {
    const odd = await start({ answer: (response) => response.writeHead(status).end(body) });
    const { code, text } = await check({ london: odd.url });
    expect(code).toBe(1);
    expect(text).toContain('FAULT    london admin API: ');
  });

  it('cannot be made to print control characters by a server', async () => {
    const evil = await start({
      version: 'Icecast 2.4.4\u001b[2J',
      mounts: { '/primary': { type: 'audio/mpeg\u001b]0;x\u0007', fallback: '/\u202eevil' } },
    });
    const { text } = await check({ london: evil.url });
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  it('counts the warnings of the config with those of the servers', async () => {
    const fake = await start({ mounts: well });
    const { text } = await check({ london: fake.url });
    expect(text).toContain('warning: has only one server');
    // That the sound was not measured is the second.
    expect(text.match(/^WARNING/gm)).toHaveLength(1);
    expect(text).toMatch(/Nothing stands in the way \(2 warnings\)\.$/);
  });

  it('gives scripts one JSON document and nothing else', async () => {
    const fake = await start({ mounts: well });
    const { code, text } = await check({ london: fake.url }, { json: true });
    expect(code).toBe(0);
    const report = JSON.parse(text);
    expect(report).toMatchObject({
      ok: true,
      config: { warnings: [{ path: 'servers', line: 3 }] },
      servers: [{ name: 'london', answers: true, version: 'Icecast 2.4.4' }],
    });
    expect(report.servers[0].mounts).toHaveLength(3);
    expect(text).not.toContain('hunter2');
  });

  it('gives scripts the faults of the config as JSON too', async () => {
    const said: string[] = [];
    const config = put('bad.yaml', 'server: 1\n');
    expect(await runCheck({ config, env, json: true, print: (text) => said.push(text) })).toBe(2);
    const report = JSON.parse(said.join(''));
    expect(report.ok).toBe(false);
    expect(report.config.faults[0]).toMatchObject({ line: 1, column: 1, path: 'servers' });
  });

  it('says how to see by hand what only icecast.xml shows, or reads it when it is named', async () => {
    const fake = await start({ mounts: well });
    const without = await check({ london: fake.url });
    expect(without.text).toContain("can't be seen over the admin API");
    const xml = put('icecast.xml', '<icecast><limits><sources>2</sources></limits></icecast>');
    const withFile = await check({ london: fake.url }, { icecastXml: xml });
    expect(withFile.code).toBe(1);
    expect(withFile.text).toContain('FAULT    london icecast.xml: allows 2 sources, but there are 3 mounts');
    expect(withFile.text).not.toContain("can't be seen over the admin API");
    const missing = await check({ london: fake.url }, { icecastXml: join(folder, 'nowhere.xml') });
    expect(missing.code).toBe(1);
    const wrong = await check({ london: fake.url }, { icecastXml: put('x.xml', 'server: london') });
    expect(wrong.text).toContain('is no icecast.xml');
  });
});
