import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readIcecastXml, settingsOf } from '../../../src/cli/check/icecast-xml.ts';
import { runIcecastConfig } from '../../../src/cli/icecast-config.ts';
import { type InitOptions, runInit } from '../../../src/cli/init.ts';
import { loadConfig } from '../../../src/config/index.ts';

let folder: string;
let printed: string[];
let complained: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sustain-init-'));
  printed = [];
  complained = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    complained.push(String(text));
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const config = () => join(folder, 'sustain.yaml');
const text = (name: string) => readFileSync(join(folder, name), 'utf8');

function init(options: Partial<InitOptions> = {}): Promise<number> {
  return runInit({
    config: config(),
    yes: true,
    check: false,
    print: (line) => printed.push(line),
    ...options,
  });
}

/** An icecast.xml of somebody who has changed it. */
const OWN_XML = `<icecast>
  <limits><clients>500</clients><sources>2</sources><source-timeout>5</source-timeout></limits>
  <authentication><source-password>our-source</source-password><admin-user>admin</admin-user>
    <admin-password>our-admin</admin-password></authentication>
  <listen-socket><port>9000</port></listen-socket>
  <mount type="normal"><mount-name>/live</mount-name><password>of-its-own</password>
    <fallback-mount>/backup</fallback-mount><fallback-override>1</fallback-override></mount>
  <mount type="normal"><mount-name>/backup</mount-name></mount>
</icecast>`;

function ownXml(xml = OWN_XML): string {
  writeFileSync(join(folder, 'icecast.xml'), xml);
  return join(folder, 'icecast.xml');
}

/** The same with an encoder on what will be the public mount. */
const ON_STREAM = OWN_XML.replace(
  '</icecast>',
  '<mount type="normal"><mount-name>/stream</mount-name><password>for-stream</password></mount></icecast>',
);

/** The blocks for a server, as Icecast would read them. */
const blocksOf = (server: string) => readIcecastXml(`<icecast>${text(`icecast-${server}.xml`)}</icecast>`);

describe('sustain init', () => {
  test.each(['relay', 'guard'])(
    'writes a config for %s mode that has no fault and no warning',
    async (mode) => {
      const servers = 'london=http://10.0.0.1:8000,dublin=10.1.0.1:8000';
      expect(await init({ mode, servers, public: 'london=203.0.113.10', server: 'dublin' })).toBe(0);
      const loaded = await loadConfig(config(), {}, {});
      expect(loaded).toMatchObject({ ok: true, warnings: [] });
      if (!loaded.ok) return;
      expect(loaded.config.self).toBe('dublin');
      expect(loaded.config.servers.map(({ url }) => url)).toEqual([
        'http://10.0.0.1:8000',
        'http://10.1.0.1:8000',
      ]);
      expect(loaded.config.stations[0]?.serve.mode).toBe(mode);
    },
  );

  test('makes a name of any mount, and leaves the mount as it is', async () => {
    const mounts = '/live.mp3,/live.ogg,/Radio/8000/,/1,/a{b}.aac';
    expect(await init({ sources: mounts, mode: 'guard' })).toBe(0);
    const loaded = await loadConfig(config(), {}, {});
    expect(loaded.ok && loaded.config.stations[0]?.sources).toEqual([
      { name: 'live', mount: '/live.mp3' },
      { name: 'live-2', mount: '/live.ogg' },
      { name: 'radio-8000', mount: '/Radio/8000/' },
      { name: 'source-4', mount: '/1' },
      { name: 'a-b', mount: '/a{b}.aac' },
    ]);
    expect(blocksOf('london')?.mounts[0]).toMatchObject({ mount: '/live.mp3', fallback: '/live.ogg' });
  });

  test('asks for what is not given, and takes an empty answer for the default', async () => {
    const asked: string[] = [];
    const answers: Readonly<Record<string, string>> = { station: 'jazz', relay: 'guard' };
    const ask = async (question: string, fallback: string) => {
      asked.push(question);
      return Object.entries(answers).find(([word]) => question.includes(word))?.[1] ?? fallback;
    };
    expect(await init({ yes: false, ask, sources: 'main,spare' })).toBe(0);
    expect(asked).toHaveLength(5);
    const loaded = await loadConfig(config(), {}, {});
    expect(loaded.ok && loaded.config.stations[0]).toMatchObject({ name: 'jazz', serve: { mode: 'guard' } });
  });

  test('asks again for what cannot be used, and says what is wrong with it', async () => {
    const answers = [
      'london',
      'london=10.0.0.1:8000',
      'paris',
      'london',
      '',
      'My FM',
      'jazz',
      'guard',
      'main',
    ];
    const ask = async () => answers.shift() ?? '';
    expect(await init({ yes: false, ask })).toBe(0);
    expect(answers).toEqual([]);
    expect(complained).toEqual([
      'london is not name=value\n',
      'paris is not one of the servers: london\n',
      'My FM is no name for a station: write small letters, digits and hyphens, such as myfm\n',
    ]);
  });

  test('of a path that cannot be written says which, and of a folder that it is one', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(await init({ config: join(file, 'sustain.yaml') })).toBe(2);
    expect(complained.pop()).toMatch(`sustain init: ENOTDIR: not a directory, mkdir '${file}/secrets'`);
    expect(await init({ config: '/proc/x/y/sustain.yaml' })).toBe(2);
    expect(complained.pop()).toMatch("sustain init: ENOENT: no such file or directory, mkdir '/proc/x'");
    expect(await init({ secrets: file })).toBe(2);
    expect(complained.pop()).toMatch(`sustain init: EEXIST: file already exists, mkdir '${file}'`);
    for (const force of [false, true]) {
      expect(await init({ config: folder, force })).toBe(2);
      expect(complained.pop()).toBe(`sustain init: ${folder} is a folder: name the file in it\n`);
    }
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('is on the server that SUSTAIN_SERVER names, as everything else is', async () => {
    vi.stubEnv('SUSTAIN_SERVER', 'dublin');
    expect(await init({ icecastXml: ownXml() })).toBe(0);
    expect(text('sustain.yaml')).toContain('\nserver: dublin\n');
    expect(text('icecast-dublin.xml')).toContain('<authentication> stays as it is');
    expect(text('icecast-london.xml')).toContain('<admin-password>our-admin</');
    expect(await init({ server: 'london', force: true })).toBe(0);
    expect(text('sustain.yaml')).toContain('\nserver: london\n');
  });

  test('says the flags where nobody can be asked', async () => {
    const before = process.stdin.isTTY;
    process.stdin.isTTY = false;
    expect(await init({ yes: false })).toBe(2);
    process.stdin.isTTY = before;
    expect(complained.join('')).toContain('--yes');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('keeps a config and secrets that are there, and prints no secret', async () => {
    await init();
    const secrets = readdirSync(join(folder, 'secrets')).map((name) => text(`secrets/${name}`).trim());
    expect(new Set(secrets).size).toBe(4);
    for (const name of readdirSync(join(folder, 'secrets')))
      expect(statSync(join(folder, 'secrets', name)).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'secrets')).mode & 0o777).toBe(0o700);
    const before = text('sustain.yaml');
    expect(await init({ station: 'other' })).toBe(2);
    expect(complained.join('')).toContain('--force');
    expect(text('sustain.yaml')).toBe(before);
    expect(await init({ station: 'other', force: true })).toBe(0);
    expect(text('sustain.yaml')).toContain('  other:');
    expect(readdirSync(join(folder, 'secrets')).map((name) => text(`secrets/${name}`).trim())).toEqual(
      secrets,
    );
    for (const secret of secrets) expect(printed.join('\n')).not.toContain(secret);
  });

  test.each([
    [{ servers: 'london' }, 'name=value'],
    [{ servers: 'london=ftp://x' }, 'no address'],
    [{ servers: 'London=http://10.0.0.1:8000' }, 'small letters'],
    [{ server: 'paris' }, 'london, dublin'],
    [{ public: 'london=here' }, 'no IP address'],
    [{ station: 'My FM' }, 'small letters'],
    [{ sources: ',' }, 'at least one mount'],
    [{ mode: 'both' }, 'relay or guard'],
    [{ sources: 'main,/main' }, 'named twice'],
    [{ sources: '/what?' }, 'not a mount'],
    [{ sources: 'main,/stream' }, 'let that encoder send to another mount'],
    [{ servers: 'london=http://10.0.0.1:8000,london=http://10.1.0.1:8000' }, 'london is named twice'],
    [{ servers: 'london=http://10.0.0.1:8000/admin' }, 'servers.london.url has something after the host'],
    [{ servers: 'london=http://10.0.0.1:1,dublin=http://10.0.0.1:1' }, 'the same Icecast as servers.london'],
    [{ public: 'london=203.0.113.1,london=203.0.113.2' }, 'london is named twice'],
    [{ codec: 'flac' }, '"flac" is not known here: write mp3, aac, opus or vorbis'],
    [{ web: '8080' }, '"8080" is not an address and port'],
  ])('refuses %o with a sentence, and writes nothing', async (options, said) => {
    expect(await init(options)).toBe(2);
    expect(complained.join('')).toContain(said);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('what Icecast has to be told', () => {
  test('in relay mode is a net under the public mount, on the server itself', async () => {
    await init({ servers: 'london=http://127.0.0.5:9001,dublin=http://10.1.0.1:8000' });
    const london = readIcecastXml(`<icecast>${text('icecast-london.xml')}</icecast>`);
    expect(london && settingsOf(london, '/stream')).toMatchObject({
      fallback: '/stream-safe',
      fallbackOverride: true,
    });
    expect(london?.relays).toEqual([{ localMount: '/stream-safe', onDemand: true }]);
    expect(london?.limits).toMatchObject({ sources: 7, sourceTimeoutSeconds: 5 });
    expect(text('icecast-london.xml')).toMatch(/<server>127\.0\.0\.5<\/server>\s*<port>9001</);
    expect(text('icecast-dublin.xml')).toMatch(/<server>127\.0\.0\.1<\/server>\s*<port>8000</);
    expect(statSync(join(folder, 'icecast-london.xml')).mode & 0o777).toBe(0o600);
  });

  test('is the same net, with the same reasons, that sustain icecast-config writes, and well-formed', async () => {
    await init({ servers: 'london=http://127.0.0.1:1,dublin=http://127.0.0.1:2' });
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    expect(await runIcecastConfig({ config: config(), print })).toBe(0);
    const [ofInit, ofConfig] = [text('icecast-london.xml'), lines.join('\n')];
    const netOf = (file: string) => file.slice(file.indexOf('<!-- when the agent is gone')).trim();
    const guess = '. The server could not be asked: /primary is taken for MP3';
    expect(netOf(ofConfig)).toContain(guess);
    expect(netOf(ofConfig).replace(guess, '').replaceAll(/\s+/g, ' ')).toBe(
      netOf(ofInit).replaceAll(/\s+/g, ' '),
    );
    for (const file of [ofInit, ofConfig])
      for (const [, comment] of file.matchAll(/<!--([\s\S]*?)-->/g)) expect(comment).not.toContain('--');
  });

  test('in guard mode is a chain of fallbacks without override', async () => {
    await init({ mode: 'guard' });
    const xml = readIcecastXml(`<icecast>${text('icecast-london.xml')}</icecast>`);
    expect(xml?.mounts).toMatchObject([
      { mount: '/primary', fallback: '/secondary', fallbackOverride: false },
      { mount: '/secondary', fallback: '/autodj', fallbackOverride: false },
      { mount: '/autodj', fallback: null, fallbackOverride: false },
    ]);
  });

  test('beside an icecast.xml that is there: its mounts, port and passwords are taken, changes are said', async () => {
    expect(await init({ icecastXml: ownXml(), mode: 'guard' })).toBe(0);
    expect(text('sustain.yaml')).toContain('/live');
    expect(text('sustain.yaml')).toContain('http://127.0.0.1:9000');
    expect(text('secrets/icecast-admin')).toBe('our-admin\n');
    expect(text('secrets/icecast-source')).toBe('our-source\n');
    const said = printed.join('\n');
    expect(said).toContain('/live has fallback-override');
    expect(said).not.toMatch(/our-admin|our-source|of-its-own/);
    expect(said).not.toContain('<clients>');
    expect(said).not.toContain('<source-timeout>');
    expect(text('icecast-london.xml')).not.toMatch(/our-admin|our-source/);
  });

  test('the passwords of the other server, whose icecast.xml was not read, are to be set; each keeps its administrator', async () => {
    const xml = OWN_XML.replace('<admin-user>admin<', '<admin-user>boss<').replace(
      'our-admin',
      'our&amp;admin',
    );
    expect(await init({ icecastXml: ownXml(xml) })).toBe(0);
    expect(text('icecast-london.xml')).toContain('<authentication> stays as it is');
    const dublin = text('icecast-dublin.xml');
    expect(dublin).not.toContain('stays as it is');
    for (const line of ['source-password>our-source', 'admin-user>admin', 'admin-password>our&amp;admin'])
      expect(dublin).toContain(`<${line}</`);
    const loaded = await loadConfig(config(), {}, {});
    expect(loaded.ok && loaded.config.servers.map(({ admin }) => admin.user)).toEqual(['boss', 'admin']);
    expect(text('secrets/icecast-admin')).toBe('our&admin\n');
    expect(printed.join('\n')).toMatch(/icecast-dublin\.xml \(with the passwords to set/);
  });

  test('a secret that was there before goes before the password in icecast.xml, which then has to change', async () => {
    mkdirSync(join(folder, 'secrets'));
    writeFileSync(join(folder, 'secrets', 'icecast-admin'), 'older\n', { mode: 0o600 });
    expect(await init({ icecastXml: ownXml() })).toBe(0);
    expect(text('icecast-london.xml')).toContain('<admin-password>older</');
    expect(text('icecast-london.xml')).toContain('<source-password>our-source</');
  });

  test('no limit that is there is lowered, none is lost, and where all do there is no block', async () => {
    const large = '<clients>5000</clients><sources>40</sources><queue-size>1048576</queue-size>';
    const limits = (more: string) =>
      OWN_XML.replace(/<limits>.*<\/limits>/, `<limits>${large}${more}</limits>`);
    expect(
      await init({ icecastXml: ownXml(limits('<burst-size>9</burst-size><threadpool>5</threadpool>')) }),
    ).toBe(0);
    const london = text('icecast-london.xml');
    for (const line of [
      'clients>5000',
      'sources>40',
      'queue-size>1048576',
      'source-timeout>5',
      'burst-size>9',
    ])
      expect(london).toContain(`<${line}</`);
    expect(london).toContain('<threadpool>5</');
    expect(text('icecast-dublin.xml')).toContain('Where yours allows more, let it');
    expect(
      await init({ icecastXml: ownXml(limits('<source-timeout>3</source-timeout>')), force: true }),
    ).toBe(0);
    expect(text('icecast-london.xml')).not.toContain('<limits>');
    expect(text('icecast-dublin.xml')).toContain('<limits>');
  });

  test('an encoder on the public mount has to move, and is told where; a password of that mount has to go', async () => {
    expect(await init({ icecastXml: ownXml(ON_STREAM), sources: 'live,primary' })).toBe(0);
    const said = printed.join('\n');
    expect(said).toContain('An encoder that sends there has to move to /primary before the agent starts');
    expect(said).toContain('/stream has a <password> of its own: take it out');
    expect(said).not.toContain('for-stream');
    printed = [];
    expect(await init({ icecastXml: ownXml(ON_STREAM), sources: 'live,backup', force: true })).toBe(0);
    expect(printed.join('\n')).toContain('has to move to another mount, which `sources` then has to name');
  });

  test('an encoder on /stream is a source of guard mode, and passwords of mounts are to be kept', async () => {
    expect(await init({ icecastXml: ownXml(ON_STREAM), mode: 'guard' })).toBe(0);
    const loaded = await loadConfig(config(), {}, {});
    expect(loaded.ok && loaded.config.stations[0]?.sources.map(({ mount }) => mount)).toEqual([
      '/live',
      '/backup',
      '/stream',
    ]);
    expect(text('icecast-london.xml').match(/Keep the <password>/g)).toHaveLength(2);
    expect(text('icecast-dublin.xml')).not.toContain('Keep the <password>');
  });

  test('what an earlier init brought into icecast.xml is nothing to move', async () => {
    await init({ sources: 'live,backup' });
    const net = text('icecast-london.xml').replace(/<limits>[\s\S]*<\/limits>/, '');
    const xml = OWN_XML.replace('</icecast>', `${net.slice(net.indexOf('<mount '))}</icecast>`);
    printed = [];
    expect(await init({ icecastXml: ownXml(xml), mode: 'guard', force: true })).toBe(0);
    expect(text('sustain.yaml')).not.toContain('mount: /stream');
    expect(await init({ icecastXml: ownXml(xml), force: true })).toBe(0);
    expect(printed.join('\n')).not.toMatch(/has to move|\/stream needs/);
  });

  test('one encoder that is there is the first of the usual ones', async () => {
    expect(
      await init({ icecastXml: ownXml(OWN_XML.replace(/<mount type="normal"><mount-name>\/backup.*/, '')) }),
    ).toBe(0);
    const loaded = await loadConfig(config(), {}, {});
    expect(loaded.ok && loaded.config.stations[0]?.sources.map(({ name }) => name)).toEqual([
      'live',
      'secondary',
      'autodj',
    ]);
  });

  test('that the example passwords of Debian are in use is said, and new ones are made', async () => {
    expect(await init({ icecastXml: '/etc/icecast2/icecast.xml' })).toBe(0);
    expect(printed.join('\n')).toContain('a new one was made');
    expect(text('secrets/icecast-admin')).not.toContain('hackme');
  });

  test.each([
    ['no such file', () => join(folder, 'nowhere.xml')],
    [
      'no icecast.xml',
      () => {
        mkdirSync(join(folder, 'x'), { recursive: true });
        writeFileSync(join(folder, 'x', 'page.html'), '<html></html>');
        return join(folder, 'x', 'page.html');
      },
    ],
  ])('a file that is %s is refused', async (_what, path) => {
    expect(await init({ icecastXml: path() })).toBe(2);
    expect(complained.join('')).toContain('sustain init:');
  });
});
