import { describe, expect, test } from 'vitest';
import { EXAMPLE_ENV } from '../../../fixtures/config/catalogue.ts';
import { type Config, loadConfigText, policyOf } from '../../../src/config/index.ts';
import { type FailoverState, newFailover, noFailoverMemory } from '../../../src/decide/failover/state.ts';
import { failoverStep } from '../../../src/decide/failover/step.ts';
import { noMemory } from '../../../src/decide/state.ts';
import type { FailoverInput } from '../../../src/domain/failover.ts';
import type { ServerName } from '../../../src/domain/ids.ts';
import { Station } from '../../../src/station.ts';
import { m3u, pls } from '../../../src/web/playlist.ts';
import { failoverPolicy } from '../../../src/wiring/failover-settings.ts';
import { playlistOf } from '../../../src/wiring/playlists.ts';

const DNS =
  'dns: { provider: command, command: [/bin/true], zone: myfm.example, record: stream.myfm.example }';

async function configOf(dns: string, london = ''): Promise<Config> {
  const text = `
server: london
servers:
  london: { url: "http://10.0.0.1:8000", publicAddress: 203.0.113.10, ${london}admin: { passwordEnv: ICECAST_ADMIN } }
  dublin: { url: "http://10.1.0.1:8000", publicAddress: 198.51.100.10, admin: { passwordEnv: ICECAST_ADMIN } }
stations:
  myfm: { sources: [{ name: primary, mount: /primary }] }
  jazz: { sources: [{ name: primary, mount: /jazz one }] }
${dns}
`;
  const loaded = await loadConfigText(text, 'sustain.yaml', EXAMPLE_ENV, {});
  if (!loaded.ok) throw new Error(loaded.faults.map(({ message }) => message).join('\n'));
  return loaded.config;
}

function stationIn(config: Config, name: string): Station {
  const found = config.stations.find((station) => station.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return new Station(policyOf(config, found), noMemory, 0, { event: () => {}, command: () => {} });
}

/** What an agent alone makes of 20 s in which these mounts are heard, and all others are not there. */
function heard(config: Config, mounts: readonly string[], at: string | null = null): FailoverState {
  if (config.dns === null) throw new Error('it has no dns');
  const policy = failoverPolicy(config, config.dns);
  let state = newFailover(policy, noFailoverMemory, 0);
  const take = (input: FailoverInput) => {
    state = failoverStep(state, input, policy).state;
  };
  for (let atMs = 1_000; atMs <= 20_000; atMs += 1_000) {
    for (const server of policy.servers)
      for (const station of policy.stations) {
        const isHeard = mounts.includes(`${station}@${server}`);
        const of = { atMs, server, station };
        take({
          kind: 'ear',
          ...of,
          ear: isHeard ? { is: 'hearing' } : { is: 'disconnected', detail: '404' },
        });
        if (isHeard) take({ kind: 'heard', ...of, block: { atMs, durationMs: 1_000, audibleMs: 1_000 } });
        take({
          kind: 'probe',
          beganAtMs: atMs,
          ...of,
          probe: isHeard ? { ok: true } : { ok: false, stage: 'http', detail: '404' },
        });
      }
    if (at !== null)
      take({
        kind: 'record',
        atMs,
        record: { is: 'server', server: at as ServerName, amiss: null },
        epoch: 1,
      });
  }
  return state;
}

const urlsOf = (config: Config, station: string, failover: FailoverState | null) =>
  playlistOf(config, stationIn(config, station), failover).map(({ url }) => url);

const EVERYTHING = ['myfm@london', 'jazz@london', 'myfm@dublin', 'jazz@dublin'];
const LONDON_URL = 'http://203.0.113.10:8000/primary';
const DUBLIN_URL = 'http://198.51.100.10:8000/primary';

describe('the list of servers for players', () => {
  test('begins with the server that the name points to, while it is well', async () => {
    const config = await configOf(DNS);
    expect(urlsOf(config, 'myfm', heard(config, EVERYTHING))).toEqual([LONDON_URL, DUBLIN_URL]);
    expect(urlsOf(config, 'myfm', heard(config, EVERYTHING, 'dublin'))).toEqual([DUBLIN_URL, LONDON_URL]);
    const withoutDublin = heard(config, ['myfm@london', 'jazz@london'], 'dublin');
    expect(urlsOf(config, 'myfm', withoutDublin)).toEqual([LONDON_URL, DUBLIN_URL]);
  });

  test('goes by the own mount of the station, where a server counts as well for another that is heard there', async () => {
    const config = await configOf(DNS);
    const state = heard(config, ['jazz@london', 'myfm@dublin', 'jazz@dublin'], 'london');
    expect(state.verdicts.get('london' as ServerName)?.is).toBe('well');
    expect(urlsOf(config, 'myfm', state)).toEqual([DUBLIN_URL, LONDON_URL]);
    expect(urlsOf(config, 'jazz', state)[0]).toBe('http://203.0.113.10:8000/jazz%20one');
  });

  test('has the public addresses without a name to keep too, and the publicUrl where there is one', async () => {
    expect(urlsOf(await configOf(''), 'myfm', null)).toEqual([LONDON_URL, DUBLIN_URL]);
    const config = await configOf('', 'publicUrl: "https://london.myfm.example", ');
    expect(urlsOf(config, 'myfm', null)).toEqual(['https://london.myfm.example/primary', DUBLIN_URL]);
  });

  test('is read by players of either kind', async () => {
    const config = await configOf(DNS);
    const entries = playlistOf(config, stationIn(config, 'myfm'), heard(config, EVERYTHING));
    expect(m3u(entries)).toBe(
      ['#EXTM3U', '#EXTINF:-1,myfm (london)', LONDON_URL, '#EXTINF:-1,myfm (dublin)', DUBLIN_URL, ''].join(
        '\r\n',
      ),
    );
    expect(pls(entries)).toBe(
      [
        '[playlist]',
        'NumberOfEntries=2',
        `File1=${LONDON_URL}`,
        'Title1=myfm (london)',
        'Length1=-1',
        `File2=${DUBLIN_URL}`,
        'Title2=myfm (dublin)',
        'Length2=-1',
        'Version=2',
        '',
      ].join('\r\n'),
    );
  });
});
