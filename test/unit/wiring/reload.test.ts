import { describe, expect, test } from 'vitest';
import { type Config, loadConfigText } from '../../../src/config/index.ts';
import { planReload } from '../../../src/wiring/reload.ts';
import { Reloader } from '../../../src/wiring/reloader.ts';
import { keptLog } from './support.ts';

const GUARD = 'serve: { mode: guard }';
const RELAY =
  'serve: { mode: relay, outputs: [{ mount: /stream, codec: mp3 }], processing: { preset: music } }';

const yaml = ({ serve = GUARD, station = '', rest = '', url = 'http://10.0.0.1:8000' } = {}) => `
server: london
servers:
  london: { url: "${url}", admin: { passwordEnv: PW }, source: { passwordEnv: PW } }
  dublin: { url: "http://10.1.0.1:8000", admin: { passwordEnv: PW }, source: { passwordEnv: PW } }
stations:
  myfm:
    sources: [ { name: primary, mount: /primary }, { name: autodj, mount: /autodj } ]
    ${serve}
    ${station}
${rest}`;

async function configOf(text: string, password = 'x'): Promise<Config> {
  const loaded = await loadConfigText(text, '/etc/sustain/sustain.yaml', { PW: password }, {});
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.config;
}

async function plan(before: string, after: string) {
  const made = planReload(await configOf(before), await configOf(after));
  return { ...made, waiting: made.waiting.map(({ path }) => path) };
}

describe('what of a changed config is used at once', () => {
  test('nothing of one that says the same', async () => {
    expect(await plan(yaml(), yaml())).toMatchObject({ changed: [], waiting: [] });
  });

  test.each([
    ['silence: { threshold: -40 dBFS }', 'stations.myfm.silence'],
    ['programme: { preset: talk }', 'stations.myfm.programme'],
    ['stall: { trip: 3s }', 'stations.myfm.stall'],
    ['switching: { dwell: 1m }', 'stations.myfm.switching'],
  ])('of a station: %s', async (station, path) => {
    for (const serve of [GUARD, RELAY]) {
      const made = await plan(yaml({ serve }), yaml({ serve, station }));
      expect(made).toMatchObject({ changed: [path], waiting: [] });
      const key = path.split('.')[2] as 'silence';
      const wanted = await configOf(yaml({ serve, station }));
      expect(made.config.stations[0]?.[key]).toEqual(wanted.stations[0]?.[key]);
    }
  });

  test('a chain that is turned twice, in a relay whose delay is not written', async () => {
    const turned = (preset: string) => yaml({ serve: RELAY.replace('preset: music', `preset: ${preset}`) });
    const once = planReload(await configOf(turned('music')), await configOf(turned('loud')));
    const twice = planReload(once.config, await configOf(turned('talk')));
    expect(twice).toMatchObject({ changed: ['stations.myfm.serve.processing'], waiting: [] });
    expect(planReload(twice.config, await configOf(turned('talk')))).toMatchObject({
      changed: [],
      waiting: [],
    });
  });

  test('the deputy delay, the web side and a chain that is turned', async () => {
    const rest = 'deputy: { after: 20s }\nweb: { viewerTokenEnv: PW }';
    const made = await plan(
      yaml({ serve: RELAY }),
      yaml({ serve: RELAY.replace('preset: music', 'preset: loud'), rest }),
    );
    expect([...made.changed].sort()).toEqual(['deputy', 'stations.myfm.serve.processing', 'web']);
    expect(made.config.stations[0]?.serve.processing?.preset).toBe('loud');
  });

  test('who is told, and a heartbeat; what says the same stays the same object', async () => {
    const alerts = (url: string) => yaml({ rest: `alerts: [{ webhook: "${url}" }]` });
    const before = await configOf(alerts('https://one.example/'));
    const made = planReload(before, await configOf(alerts('https://two.example/')));
    expect(made).toMatchObject({ changed: ['alerts'], waiting: [] });
    const [hook] = made.config.alerts.hooks;
    expect(hook?.target.kind === 'webhook' && hook.target.url.reveal()).toBe('https://two.example/');
    expect(planReload(before, await configOf(alerts('https://one.example/'))).config.alerts).toBe(
      before.alerts,
    );
    const beat = yaml({ rest: 'alerts: [{ heartbeat: "https://beat.example/" }]' });
    expect(planReload(before, await configOf(beat)).changed).toEqual(['alerts']);
  });

  test('a secret that was exchanged in its place', async () => {
    const text = yaml({ rest: 'web: { viewerTokenEnv: PW }' });
    const made = planReload(await configOf(text, 'old'), await configOf(text, 'new'));
    expect(made.changed).toEqual(['web']);
    expect(made.waiting.map(({ path }) => path)).toEqual(['servers']);
    expect(made.config.web?.viewerToken?.reveal()).toBe('new');
    expect(made.config.servers[0]?.admin.password.reveal()).toBe('old');
  });
});

describe('what has to wait', () => {
  test.each([
    [yaml({ url: 'http://10.0.0.9:8000' }), 'servers'],
    [yaml().replace('server: london', 'server: dublin'), 'server'],
    [yaml().replace('mount: /autodj', 'mount: /other'), 'stations.myfm.sources'],
    [yaml({ serve: RELAY }), 'stations.myfm.serve'],
    [yaml({ rest: 'state: { directory: /elsewhere }' }), 'state'],
    [yaml({ rest: 'log: { level: debug }' }), 'log'],
    [yaml().replace('  myfm:', '  other:'), 'stations.myfm'],
  ])('is said, and runs as before', async (after, path) => {
    const running = await configOf(yaml());
    const made = planReload(running, await configOf(after));
    expect(made.waiting.map((one) => one.path)).toContain(path);
    expect(made.config).toEqual(running);
  });

  test('a trip delay that does not fit into the delay of a running relay', async () => {
    const trip = (time: string) => yaml({ serve: RELAY, station: `silence: { trip: ${time}, restore: 1m }` });
    const longer = await plan(trip('5s'), trip('8s'));
    expect(longer.waiting).toContain('stations.myfm.silence');
    expect(longer.config.stations[0]?.silence.tripMs).toBe(5000);
    const shorter = await plan(trip('5s'), trip('2s'));
    expect(shorter).toMatchObject({ changed: ['stations.myfm.silence'], waiting: [] });
    // The relay goes on with its delay, so that it may be as long as before once more.
    expect(shorter.config.stations[0]?.serve.delayMs).toBe(8000);
    const again = planReload(shorter.config, await configOf(trip('5s')));
    expect(again.config.stations[0]?.silence.tripMs).toBe(5000);
  });
});

describe('a reload', () => {
  async function reloader(text: () => string, env: () => string = () => 'x') {
    const { log, lines } = keptLog();
    const reloaded: Config[] = [];
    const webs: Config[] = [];
    const made = new Reloader({
      agent: { reload: (config) => void reloaded.push(config) },
      running: await configOf(yaml()),
      web: { change: async (config) => void webs.push(config) },
      log,
      load: () => loadConfigText(text(), '/etc/sustain/sustain.yaml', { PW: env() }, {}),
    });
    return { made, lines, reloaded, webs };
  }

  test('of a config with faults changes nothing and says each of them', async () => {
    const { made, lines, reloaded } = await reloader(() =>
      yaml({ station: 'silence: { trip: 5 }\n    stall: { trip: 1h }' }),
    );
    await made.reload();
    expect(reloaded).toEqual([]);
    expect(lines.map(({ path }) => path)).toEqual([
      'stations.myfm.silence.trip',
      'stations.myfm.stall.trip',
      undefined,
    ]);
    expect(lines.at(-1)).toMatchObject({ level: 50, msg: 'the new config has faults: the old one runs on' });
  });

  test('compares with what runs now, not with what was there at the start', async () => {
    let text = yaml({ station: 'stall: { trip: 3s }' });
    const { made, lines, reloaded, webs } = await reloader(() => text);
    await Promise.all([made.reload(), made.reload()]);
    expect(lines.map(({ changed }) => changed)).toEqual([['stations.myfm.stall'], []]);
    text = yaml();
    await made.reload();
    expect(reloaded).toHaveLength(3);
    expect(reloaded.at(-1)?.stations[0]?.stall.tripMs).toBe(2000);
    expect(webs).toEqual([]);
  });
});
