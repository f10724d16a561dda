import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createHook } from '../../../src/alerts/hooks/create.ts';
import type { AlertMessage } from '../../../src/alerts/message.ts';
import { readIcecastXml } from '../../../src/cli/check/icecast-xml.ts';
import { icecastBlocks } from '../../../src/cli/init/icecast-blocks.ts';
import { loadConfig, loadRatesText } from '../../../src/config/index.ts';
import { powerDns } from '../../../src/dns/powerdns.ts';
import { mount } from '../../../src/domain/ids.ts';
import type { LevelChannel, StationLevels } from '../../../src/domain/levels.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { usualCauses } from '../../../src/simulate/faults.ts';
import { LevelsHub } from '../../../src/web/levels/hub.ts';
import { blockText, ROOT } from '../../docs-blocks.ts';
import { message, startReceiver } from '../alerts/support.ts';
import { DUBLIN, LONDON, MYFM, PRIMARY } from '../decide/builders.ts';
import { LEG } from '../history/support.ts';
import { stationLevels } from '../web/support.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sustain-docs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('files beside the config', () => {
  test('of a station are found in stations.d, called after their file', async () => {
    const block = blockText('docs/many-stations.md yaml 1');
    const name = /^# (stations\.d\/(\w+)\.yaml)\n/.exec(block);
    mkdirSync(join(folder, 'stations.d'));
    put(name?.[1] ?? '', block);
    const server = 'url: "http://10.0.0.1:8000", admin: { passwordEnv: PW }';
    const config = put('sustain.yaml', `server: london\nservers: { london: { ${server} } }\n`);
    const loaded = await loadConfig(config, { PW: 'x' }, {});
    expect(loaded.ok ? loaded.config.stations : loaded.faults).toMatchObject([
      { name: name?.[2], silence: { tripMs: 8_000 }, sources: [{ name: 'primary' }, { name: 'autodj' }] },
    ]);
  });

  test('of rates are read, every kind of fault known', () => {
    const causes = usualCauses([LONDON, DUBLIN]).map(({ id }) => id);
    expect(loadRatesText(blockText('docs/simulate.md yaml 1'), causes)).toMatchObject({
      ok: true,
      rates: { faults: { 'link-cut': { perYear: 0 } }, check: { interval: 30_000 } },
    });
  });
});

describe('units of systemd', () => {
  /** What systemd itself finds wrong with a unit; programs and users that are not on this machine aside. */
  function verified(path: string): string {
    const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], {
      encoding: 'utf8',
      env: { ...process.env, SYSTEMD_LOG_TARGET: 'console' },
    });
    return `${stdout}${stderr}`
      .split('\n')
      .filter((line) => line.includes(folder) || line.includes('Unknown'))
      .filter((line) => !/is not executable/.test(line))
      .join('\n');
  }

  test('that a page changes are still units', () => {
    const unit = join(folder, 'sustain.service');
    copyFileSync(join(ROOT, '.deploy/systemd/sustain.service'), unit);
    mkdirSync(`${unit}.d`);
    const block = blockText('docs/many-stations.md ini 1');
    expect(block).toContain('# systemctl edit sustain\n');
    put('sustain.service.d/override.conf', block);
    expect(verified(unit)).toBe('');
    put('sustain.service.d/override.conf', block.replace('TasksMax', 'TaskMax'));
    expect(verified(unit)).toContain('TaskMax');
  });

  test('that a page has whole are units', () => {
    const unit = blockText('docs/how-to/encoders.md ini 1');
    expect(verified(put('autodj.service', unit))).toBe('');
    expect(verified(put('broken.service', unit.replace('Restart=', 'Restarts=')))).toContain('Restarts');
  });
});

describe('blocks of an icecast.xml', () => {
  const closely = (xml: string) => xml.replaceAll(/\s+/g, '');
  const made = (mode: 'relay' | 'guard') => {
    const server = { name: 'london', url: 'http://10.0.0.1:8000', adminUser: 'admin', publicAddress: null };
    const answers = {
      self: 'london',
      servers: [],
      station: 'myfm',
      codec: 'mp3',
      webListen: '127.0.0.1:8080',
    };
    const sources = ['primary', 'secondary', 'autodj'].map((name) => ({ name, mount: `/${name}` }));
    return icecastBlocks({ ...answers, sources, mode }, server, null).map(({ xml }) => xml);
  };

  test('of relay mode are those that Sustain itself writes', () => {
    const [, mount = '', relay = ''] = made('relay');
    expect(closely(blockText('docs/relay.md xml 1'))).toBe(closely(mount + relay));
  });

  test('of guard mode are those that Sustain itself writes, but for the last source, which falls back on nothing', () => {
    const [limits = '', primary = '', secondary = ''] = made('guard');
    const [first = '', ...mounts] = blockText('docs/guard.md xml 1').split(/^(?=<mount)/m);
    expect(closely(mounts.join(''))).toBe(closely(primary + secondary));
    const read = (text: string) => readIcecastXml(`<icecast>${text}</icecast>`)?.limits;
    const clients = read(limits)?.clients;
    expect(read(first.replace('…', String(clients)))).toEqual({ ...read(limits), sources: 8 });
    expect(read(limits)?.sources).toBeLessThanOrEqual(8);
  });
});

describe('JSON', () => {
  test('of a webhook is what is sent for that incident, to the letter', async () => {
    const page = JSON.parse(blockText('docs/alerts.md json 1'));
    const { agent, durationMs: _duration, openedAt, closedAt, ...incident } = page.data;
    const times = { openedUnixMs: Date.parse(openedAt), closedUnixMs: Date.parse(closedAt) };
    const kind = page.type.replace('incident.', '') as AlertMessage['kind'];
    const told = message(kind, { ...incident, ...times }, Date.parse(page.timestamp));
    const receiver = await startReceiver();
    const target = { kind: 'webhook', url: receiver.url, secret: null } as const;
    const hook = createHook({ name: 'hook', minimum: 'warning', stations: null, target }, systemClock);
    await hook.deliver([{ ...told, agent }], AbortSignal.timeout(5_000));
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toEqual(page);
  });

  test('of the hello of the levels has the fields of the type, and is what the hub says for those stations', () => {
    const ofLeg = { leg: LEG.id, source: PRIMARY, mount: LEG.mount };
    const channels: readonly LevelChannel[] = [
      { kind: 'output', server: LONDON, mount: mount('/stream'), thresholdDbfs: -50 },
      { kind: 'leg', server: LONDON, ...ofLeg, thresholdDbfs: -50 },
    ];
    const said: unknown[] = [];
    const stations: StationLevels[] = [{ ...stationLevels(), station: MYFM, channels }];
    const hub = new LevelsHub({ clock: systemClock, stations });
    hub.add({ bufferedBytes: 0, send: (text) => said.push(text) });
    hub.stop();
    expect(JSON.parse(blockText('docs/api.md json 1'))).toEqual(JSON.parse(String(said[0])));
  });

  test('of the policy for Route 53 allows what is called there, for the names and kinds that are written', () => {
    const policy = JSON.parse(blockText('docs/dns.md json 1')) as {
      Version: string;
      Statement: { Effect: string; Action: string; Resource: string; Condition?: Record<string, object> }[];
    };
    const source = readFileSync(join(ROOT, 'src/dns/route53.ts'), 'utf8');
    const called = [...source.matchAll(/new sdk\.(\w+)Command\(/g)].map((match) => `route53:${match[1]}`);
    const { dns } = parse(blockText('docs/dns.md yaml 1')) as {
      dns: { record: string; otherRecords: string[] };
    };
    const names = [dns.record, ...dns.otherRecords, `_sustain.${dns.record}`];
    expect(policy.Version).toBe('2012-10-17');
    expect(policy.Statement.map(({ Action }) => Action).sort()).toEqual([...new Set(called)].sort());
    for (const { Effect, Resource, ...rest } of policy.Statement) {
      expect(Effect).toBe('Allow');
      expect(Resource).toMatch(/^arn:aws:route53:::hostedzone\/Z[0-9A-Z]+$/);
      if (rest.Action !== 'route53:ChangeResourceRecordSets') continue;
      expect(rest.Condition).toEqual({
        'ForAllValues:StringEquals': {
          'route53:ChangeResourceRecordSetsNormalizedRecordNames': names,
          'route53:ChangeResourceRecordSetsRecordTypes': ['A', 'AAAA', 'TXT'],
        },
      });
    }
  });
});

describe('settings of other programs', () => {
  test('are a config that BIND takes', () => {
    const key = 'key "sustain" { algorithm hmac-sha256; secret "c2VjcmV0"; };\n';
    const check = (text: string) =>
      spawnSync('/usr/bin/named-checkconf', [put('named.conf', key + text)], { encoding: 'utf8' });
    const block = blockText('docs/dns.md plain 1');
    expect(check(block)).toMatchObject({ status: 0, stdout: '' });
    expect(check(block.replace('update-policy', 'update-polcy')).status).toBe(1);
  });

  // Nginx itself is not among the packages of the tests, so that its words are compared with what is asked of PowerDNS.
  test('let the proxy before PowerDNS pass on what an agent asks, and nothing else', async () => {
    const block = blockText('docs/dns.md plain 2');
    const form =
      /^location = (\S+) \{ limit_except ((?:[A-Z]+ )+)\{ deny all; \} proxy_pass (\S+); \}\nlocation \/ \{ deny all; \}\n$/;
    const [, path = '', methods = '', upstream] = form.exec(block) ?? [];
    expect(upstream).toBe('http://127.0.0.1:8081');
    const asked: string[] = [];
    const receiver = await startReceiver();
    receiver.answer = { status: 200, body: '{"rrsets":[]}' };
    const zone = 'stream.myfm.example';
    const provider = powerDns({ url: receiver.url, apiKey: { reveal: () => 'key' }, zone, names: [zone] });
    const state = await provider.read(AbortSignal.timeout(5_000));
    if (!state.ok) throw new Error('the stand-in for PowerDNS was not understood');
    await provider.mayWrite(AbortSignal.timeout(5_000));
    asked.push(...receiver.received.map((one) => one.path.replace(/\?.*/, '')));
    expect(new Set(asked)).toEqual(new Set([path]));
    const used = /call = \(method: ([^,]+),/.exec(
      readFileSync(join(ROOT, 'src/dns/powerdns.ts'), 'utf8'),
    )?.[1];
    expect(methods.trim().split(' ').sort()).toEqual(used?.replaceAll("'", '').split(' | ').sort());
  });
});
