import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { warningOf } from '../../../src/config/files.ts';
import { type Config, legsOf, loadConfig, policyOf, Secret } from '../../../src/config/index.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sustain-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(name: string, content: string | Uint8Array, mode = 0o600): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

const yaml = (extra = '', password = 'passwordFile: ./admin') => `
server: london
servers:
  london: { url: "http://10.0.0.1:8000", admin: { ${password} } }
  dublin: { url: "http://10.1.0.1:8000", admin: { ${password} } }
stations:
  myfm:
    sources: [ { name: primary, mount: /primary }, { name: autodj, mount: /autodj } ]
${extra}`;

async function load(text: string | Uint8Array, env = {}, flags = {}) {
  return loadConfig(put('sustain.yaml', text), env, flags);
}

async function configOf(text: string, env = {}, flags = {}): Promise<Config> {
  const loaded = await load(text, env, flags);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.config;
}

async function faultsOf(text: string | Uint8Array, env = {}, flags = {}) {
  const loaded = await load(text, env, flags);
  return loaded.ok ? [] : loaded.faults;
}

describe('a credential of systemd', () => {
  const text = yaml('', 'passwordFile: $CREDENTIALS_DIRECTORY/admin');

  it('is read from where systemd put it, alone or as a file of a folder', async () => {
    for (const name of ['admin', 'secrets_admin']) {
      put(name, 'hush');
      const config = await configOf(text, { CREDENTIALS_DIRECTORY: folder });
      expect(config.servers[0]?.admin.password.reveal()).toBe('hush');
      rmSync(join(folder, name));
    }
  });

  it('says what is missing, and leaves its folder for nobody', async () => {
    const [unset] = await faultsOf(text);
    expect(unset?.message).toContain('CREDENTIALS_DIRECTORY is not set');
    const [absent] = await faultsOf(text, { CREDENTIALS_DIRECTORY: folder });
    expect(absent?.message).toContain('does not exist');
    const [elsewhere] = await faultsOf(text.replaceAll('/admin }', '/../x }'), {
      CREDENTIALS_DIRECTORY: folder,
    });
    expect(elsewhere?.message).toContain('names no credential');
  });
});

describe('a certificate authority of one server', () => {
  const fixture = (name: string) =>
    readFileSync(new URL(`../../../fixtures/servers/${name}.pem`, import.meta.url), 'latin1');
  const text = (caFile: string, url = 'https://10.0.0.1:8443') =>
    yaml('', 'passwordEnv: PW').replace('"http://10.0.0.1:8000"', `"${url}", tls: { caFile: "${caFile}" }`);

  it('is every certificate of the file, and no key that stands there too', async () => {
    const [one, other] = [fixture('own-ca.cert'), fixture('self-signed.cert')];
    put('ca.pem', `our own:\n${one}${fixture('own-ca-server.key')}${other.replaceAll('\n', '\r\n')}`);
    const { servers } = await configOf(text('./ca.pem'), { PW: 'x' });
    expect(servers[0]?.ca?.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(servers[0]?.ca).toContain(one.trim());
    expect(servers[0]?.ca).not.toContain('PRIVATE KEY');
    expect(servers[1]?.ca).toBeNull();
  });

  it('may be what systemd hands over', async () => {
    put('ca.pem', fixture('own-ca.cert'));
    const env = { PW: 'x', CREDENTIALS_DIRECTORY: folder };
    expect((await configOf(text('$CREDENTIALS_DIRECTORY/ca.pem'), env)).servers[0]?.ca).not.toBeNull();
    const [unset] = await faultsOf(text('$CREDENTIALS_DIRECTORY/ca.pem'), { PW: 'x' });
    expect(unset).toMatchObject({ line: 4, path: 'servers.london.tls.caFile' });
  });

  it('is of no use to a server that is reached without TLS, which is told', async () => {
    put('ca.pem', fixture('own-ca.cert'));
    const warned = async (url: string) => {
      const loaded = await load(text('./ca.pem', url), { PW: 'x' });
      return loaded.warnings.map(({ path }) => path);
    };
    expect(await warned('http://10.0.0.1:8000')).toContain('servers.london.tls');
    expect(await warned('https://10.0.0.1:8443')).not.toContain('servers.london.tls');
  });
});

describe('certificate and key of the HTTP side', () => {
  const text = (certFile: string, keyFile: string) =>
    yaml(`web: { tls: { certFile: "${certFile}", keyFile: "${keyFile}" } }`);

  it('are credentials of systemd too, or files beside the config', async () => {
    put('admin', 'x');
    put('secrets_web.key', 'a key');
    const config = await configOf(text('./web.crt', '$CREDENTIALS_DIRECTORY/web.key'), {
      CREDENTIALS_DIRECTORY: folder,
    });
    expect(config.web?.tls).toEqual({
      certFile: join(folder, 'web.crt'),
      keyFile: join(folder, 'secrets_web.key'),
    });
  });

  it('say what is missing where they stand', async () => {
    put('admin', 'x');
    const faults = await faultsOf(
      text('$CREDENTIALS_DIRECTORY/web.crt', '$CREDENTIALS_DIRECTORY/../web.key'),
    );
    expect(faults.map(({ path, message }) => [path, message])).toEqual([
      ['web.tls.certFile', expect.stringContaining('CREDENTIALS_DIRECTORY is not set')],
      ['web.tls.keyFile', expect.stringContaining('names no credential')],
    ]);
  });
});

describe('which server an agent is for', () => {
  it('says the file, unless SUSTAIN_SERVER does, unless --server does', async () => {
    put('admin', 'x');
    expect((await configOf(yaml())).self).toBe('london');
    expect((await configOf(yaml(), { SUSTAIN_SERVER: 'dublin' })).self).toBe('dublin');
    expect((await configOf(yaml(), { SUSTAIN_SERVER: 'nowhere' }, { server: 'dublin' })).self).toBe('dublin');
  });

  it('says the source of a name that is not there', async () => {
    put('admin', 'x');
    const [fromEnv] = await faultsOf(yaml(), { SUSTAIN_SERVER: 'dubln' });
    expect(fromEnv?.message).toBe(
      '"dubln" (from SUSTAIN_SERVER) is not one of the servers: did you mean dublin?',
    );
    const [fromFlag] = await faultsOf(yaml(), {}, { server: 'paris' });
    expect(fromFlag?.message).toBe(
      '"paris" (from --server) is not one of the servers: write one of london, dublin',
    );
  });

  it('says nothing else of a server that is not there', async () => {
    put('admin', 'x');
    const relay = yaml('    serve: { mode: relay, outputs: [ { mount: /stream, codec: mp3 } ] }');
    const faults = await faultsOf(relay, {}, { server: 'paris' });
    expect(faults.map(({ path }) => path)).toEqual(['server']);
  });
});

describe('a secret', () => {
  it('is read from a file beside the config and loses one line break at its end, and nothing else', async () => {
    put('admin', ' pa:s@s%w\u00f6rd \r\n');
    const config = await configOf(yaml());
    expect(config.servers[0]?.admin.password.reveal()).toBe(' pa:s@s%w\u00f6rd ');
    expect(config.servers[0]?.admin.password.origin).toBe(`the file ${folder}/admin`);
  });

  it.each([
    ['/etc/sustain/sustain.yaml', 0, false, 'root may read "/etc/sustain/hook", and the service may not'],
    ['/etc/sustain/sustain.yaml', 0, true, null],
    ['/etc/sustain/sustain.yaml', 10001, false, null],
    ['/root/sustain.yaml', 0, false, null],
  ])('named in %s, read by user %i, a credential: %s', (config, userId, isCredential, said) => {
    const warning = warningOf({ file: '/etc/sustain/hook', isCredential, isOpen: false }, config, userId);
    if (said === null) expect(warning).toBeNull();
    else expect(warning).toContain(said);
  });

  it('is read from the environment', async () => {
    const config = await configOf(yaml('', 'passwordEnv: ICECAST_ADMIN'), { ICECAST_ADMIN: 'hunter2' });
    expect(config.servers[1]?.admin.password.reveal()).toBe('hunter2');
  });

  it('never prints itself, whichever way the config is printed', async () => {
    put('admin', 'hunter2');
    const config = await configOf(yaml());
    const secret = new Secret('hunter2', 'a test');
    const printed = [
      JSON.stringify(config),
      inspect(config, { depth: 20, showHidden: true }),
      `${secret}`,
      String(secret),
      inspect(secret),
      JSON.stringify({ ...secret }),
      Object.values(secret).join(),
    ];
    expect(printed.join('\n')).not.toContain('hunter2');
    expect(secret.reveal()).toBe('hunter2');
  });

  it('that everybody on the machine may read is a warning, and what to do about it', async () => {
    put('admin', 'hunter2', 0o644);
    const loaded = await load(yaml());
    expect(loaded.ok).toBe(true);
    expect(loaded.warnings.map(({ path, line }) => [path, line])).toEqual([
      ['servers.london.admin.passwordFile', 4],
      ['servers.dublin.admin.passwordFile', 5],
    ]);
    expect(loaded.warnings[0]?.message).toContain('run chmod o-r on it');
  });

  it('that is a novel is refused', async () => {
    put('admin', 'x'.repeat(5_000));
    expect((await faultsOf(yaml()))[0]?.message).toContain('is larger than 4 KiB');
  });

  it('is missed also when the rest of the file is wrong', async () => {
    const faults = await faultsOf(yaml('log: { level: loud }'));
    expect(faults.map(({ path }) => path)).toEqual([
      'servers.london.admin.passwordFile',
      'servers.dublin.admin.passwordFile',
      'log.level',
    ]);
  });
});

describe('the file itself', () => {
  it.each([
    ['is larger than 1 MiB', Buffer.alloc(1024 * 1024 + 1, '#'), 'larger than 1024 KiB', 1],
    ['is in UTF-16', Buffer.from('\ufeffserver: london\n', 'utf16le'), 'UTF-16', 1],
    ['is in Latin-1', Buffer.from('a: 1\nb: f\u00fcr\n', 'latin1'), 'not UTF-8', 2],
    ['has a NUL in it', 'a: 1\nb: 2\nc: \u0000\n', 'control character', 3],
  ])('that %s is refused with the line', async (_, content, says, line) => {
    const [fault] = await faultsOf(content);
    expect(fault?.message).toContain(says);
    expect(fault?.line).toBe(line);
  });

  it('that is not there, or a folder, is a fault and not a crash', async () => {
    const missing = await loadConfig(join(folder, 'nowhere.yaml'), {}, {});
    expect(missing.ok ? '' : missing.faults[0]?.message).toBe('the file does not exist: check the path');
    const directory = await loadConfig(folder, {}, {});
    expect(directory.ok ? '' : directory.faults[0]?.message).toContain('is a folder');
  });

  it('may begin with a byte order mark and have the line ends of Windows', async () => {
    put('admin', 'x');
    expect((await configOf(`\ufeff${yaml().replaceAll('\n', '\r\n')}`)).self).toBe('london');
  });

  it('keeps its state beside itself when the folder does not begin with a slash', async () => {
    put('admin', 'x');
    expect((await configOf(yaml('state: { directory: ./state }'))).state.directory).toBe(`${folder}/state`);
    expect((await configOf(yaml())).state.directory).toBe('/var/lib/sustain');
  });
});

describe('what decide may know', () => {
  it('is the station in numbers with their units in the names, the defaults filled in', async () => {
    put('admin', 'x');
    const config = await configOf(yaml());
    const [station] = config.stations;
    if (station === undefined) throw new Error('no station');
    expect(policyOf(config, station)).toEqual({
      station: 'myfm',
      mode: 'guard',
      publicMounts: [],
      self: 'london',
      servers: ['london', 'dublin'],
      sources: ['primary', 'autodj'],
      legs: legsOf(config, station),
      silence: { thresholdDbfs: -50, warnDbfs: -40, tripMs: 5_000, restoreMs: 20_000, soundMs: 1_000 },
      programme: { preset: 'music', actOn: ['noise-only', 'tone', 'stuck-loop'] },
      stallMs: 2_000,
      absentMs: 1_000,
      dwellMs: 30_000,
      verifiedWithinMs: 5_000,
      flap: { holdDownMs: 30_000, holdDownMaxMs: 1_800_000, halfLifeMs: 900_000 },
      processing: null,
      deputyAfterMs: 12_000,
    });
    expect(legsOf(config, station).map(({ id }) => id)).toEqual([
      'myfm/primary@london',
      'myfm/autodj@london',
      'myfm/primary@dublin',
      'myfm/autodj@dublin',
    ]);
  });
});

describe('the HTTP side', () => {
  it('is off without its section, and on loopback with an empty one', async () => {
    put('admin', 'x');
    expect((await configOf(yaml())).web).toBeNull();
    const { web } = await configOf(yaml('web: {}'));
    expect(web).toEqual({
      listen: { host: '127.0.0.1', port: 8080 },
      viewerToken: null,
      operatorToken: null,
      users: [],
      tls: null,
      trustProxy: [],
    });
  });

  it('that others can reach without encryption is a warning', async () => {
    put('admin', 'x');
    const open = await load(yaml('web: { listen: "0.0.0.0:8080" }'));
    expect(open.warnings.map(({ path }) => path)).toEqual(['web.listen']);
    for (const safe of [
      'listen: "[::1]:8080"',
      'listen: "0.0.0.0:8443", tls: { certFile: ./web.crt, keyFile: ./web.key }',
      'listen: "10.0.0.1:8080", trustProxy: [10.0.0.5]',
    ]) {
      expect((await load(yaml(`web: { ${safe} }`))).warnings).toEqual([]);
    }
  });
});

describe('a secret of the environment', () => {
  it('holds no line break, as that of a file may not either', async () => {
    const file = put('sustain.yaml', yaml('', 'passwordEnv: ICECAST_ADMIN'));
    const loaded = await loadConfig(file, { ICECAST_ADMIN: 'hunter2\nhunter3' }, {});
    const said = loaded.ok ? [] : loaded.faults.map(({ message }) => message);
    expect(said[0]).toContain('ICECAST_ADMIN holds a line break or another control character');
    expect(said.join()).not.toContain('hunter');
    expect((await loadConfig(file, { ICECAST_ADMIN: 'hunter2' }, {})).ok).toBe(true);
  });
});
