import { describe, expect, test } from 'vitest';
import { loadConfigText } from '../../../src/config/index.ts';
import { noMemory } from '../../../src/decide/state.ts';
import type { StationEvent } from '../../../src/domain/events.ts';
import { type StationName, serverName, stationName } from '../../../src/domain/ids.ts';
import { Station } from '../../../src/station.ts';
import type { LegListener, LegListenerOptions } from '../../../src/wiring/leg-listener.ts';
import type { Running } from '../../../src/wiring/running.ts';
import type { ServerLink } from '../../../src/wiring/server-link.ts';
import { StationParts } from '../../../src/wiring/station-parts.ts';
import type { StationRelay, StationRelayOptions } from '../../../src/wiring/station-relay.ts';
import { realDecoders } from '../audio/decoders.ts';
import { LONDON, policyWith } from '../decide/builders.ts';
import { manualClock } from '../platform/clocks.ts';
import { keptLog } from './support.ts';

const NAMES = ['one', 'two', 'three'].map(stationName);

const YAML = `server: london
servers:
  london: { url: "http://10.0.0.1:8000", admin: { passwordEnv: PW }, source: { passwordEnv: PW } }
stations:
${NAMES.map(
  (name) => `  ${name}:
    sources: [ { name: primary, mount: /${name}-1 }, { name: autodj, mount: /${name}-2 } ]
    serve: { mode: relay, outputs: [{ mount: /${name}, codec: mp3 }] }`,
).join('\n')}
`;

interface Breaks {
  /** A station whose relay throws as it starts, now. */
  relay: StationName | null;
  /** A station whose listeners do. */
  listener: StationName | null;
  /** Why no emergency file can be played now. */
  emergency: string | null;
  /** How the outputs of a station look now. */
  outputs: Record<string, readonly { mount: string; state: { is: string }; rebuilds: number }[]>;
}

/** Three stations in relay mode, with relays and listeners that do nothing but be there. */
async function threeStations() {
  const loaded = await loadConfigText(YAML, '/etc/sustain/sustain.yaml', { PW: 'x' }, {});
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  const clock = manualClock();
  const { log, lines } = keptLog();
  const breaks: Breaks = { relay: null, listener: null, outputs: {}, emergency: null };
  const relays: { name: StationName; atMs: number; options: StationRelayOptions; stopped: boolean }[] = [];
  const listeners: { leg: string; options: LegListenerOptions; anew: number }[] = [];
  const events: { name: StationName; event: StationEvent }[] = [];
  const startRelay = (options: StationRelayOptions): StationRelay => {
    const name = options.station.policy.station;
    if (breaks.relay === name) throw new Error('no room for the ring');
    const one = { name, atMs: clock.nowMs(), options, stopped: false };
    relays.push(one);
    const feed = { bytes() {}, title() {}, loudness() {}, close() {} };
    return {
      processing: null,
      streams: [],
      get emergencyProblem() {
        return breaks.emergency;
      },
      get view() {
        return { playing: 'leg', outputs: breaks.outputs[name] ?? [] } as unknown as StationRelay['view'];
      },
      openFeed: () => ({
        ...feed,
        pcm() {
          if (breaks.relay === name) throw new Error('the sound is too long');
        },
      }),
      stop: async () => {
        one.stopped = true;
      },
    };
  };
  const startListener = (options: LegListenerOptions): LegListener => {
    if (breaks.listener === options.leg.station) throw new Error('no such ear');
    const one = { leg: options.leg.id as string, options, anew: 0 };
    listeners.push(one);
    return {
      setListed: () => {},
      reconnect: () => {},
      change: () => {},
      feedAnew: () => {
        one.anew += 1;
      },
      stop: async () => {},
    };
  };
  const runnings = loaded.config.stations.map(({ name, sources }): Running => {
    const legs = sources.map(({ name: source, mount }) => ({
      id: `${name}/${source}@london` as never,
      station: name,
      source,
      server: LONDON,
      mount,
    }));
    const policy = policyWith({ station: name, mode: 'relay', servers: [LONDON], legs });
    return {
      station: new Station(policy, noMemory, 0, { event: () => {}, command: () => {} }),
      levels: { played: () => {}, heard: () => {}, processedBy: () => {}, fed: () => {} },
      records: { noteDecoderRestart: () => {} },
      note: (event: StationEvent) => void events.push({ name, event }),
    } as unknown as Running;
  });
  const parts = new StationParts({
    config: loaded.config,
    ffmpegPath: 'ffmpeg',
    decoders: realDecoders(clock),
    clock,
    random: { next: () => 0.5, token: () => 'a' },
    log,
    links: () => new Map([[serverName('london'), { address: {} } as ServerLink]]),
    input: () => {},
    heard: () => {},
    startRelay,
    startListener,
  });
  parts.start(runnings);
  const alerts = () =>
    events.map(({ name, event }) => `${name} ${event.kind} ${'code' in event ? event.code : ''}`);
  const stations = runnings.map(({ station }) => station);
  return { parts, clock, breaks, relays, listeners, alerts, lines, stations };
}

describe('the stations of one agent', () => {
  test('start one after another', async () => {
    const { clock, relays, listeners } = await threeStations();
    clock.advance(1_000);
    expect(relays.map(({ name, atMs }) => [name, atMs])).toEqual([
      ['one', 0],
      ['two', 50],
      ['three', 100],
    ]);
    expect(listeners).toHaveLength(6);
  });

  test('start all but one whose relay cannot: it is told as that one, and tried again until it can', async () => {
    const { parts, clock, breaks, relays, listeners, alerts, lines } = await threeStations();
    breaks.relay = stationName('two');
    clock.advance(1_000);
    expect(relays.map(({ name }) => name)).toEqual(['one', 'three']);
    expect(listeners).toHaveLength(6);
    expect(listeners[2]?.options.openFeed?.()).toBeNull();
    expect(parts.relayOf(stationName('two'))).toBeNull();
    expect(parts.alertsOf(stationName('one'))).toEqual([]);
    expect(parts.alertsOf(stationName('two'))).toMatchObject([
      { code: 'relay-failed', subject: 'london', detail: expect.stringContaining('no room for the ring') },
    ]);
    clock.advance(60_000);
    expect(lines.length).toBeGreaterThan(2);
    expect(alerts()).toEqual(['two alert-opened relay-failed']);

    breaks.relay = null;
    clock.advance(300_000);
    expect(relays.map(({ name }) => name)).toEqual(['one', 'three', 'two']);
    expect(parts.alertsOf(stationName('two'))).toEqual([]);
    expect(alerts()).toEqual(['two alert-opened relay-failed', 'two alert-closed relay-failed']);
    // What its listeners hear already goes to the new one.
    expect(listeners.map(({ anew }) => anew)).toEqual([0, 0, 1, 1, 0, 0]);
  });

  test('tell of an encoder that gives no sound, and when it gives some', async () => {
    const { parts, clock, breaks, alerts } = await threeStations();
    const output = (is: string, rebuilds: number) => [{ mount: '/two', state: { is }, rebuilds }];
    breaks.outputs['two'] = output('feeding', 0);
    clock.advance(5_000);
    expect(alerts()).toEqual([]);
    breaks.outputs['two'] = output('no-sound', 2);
    clock.advance(2_000);
    expect(parts.alertsOf(stationName('two'))).toMatchObject([
      { code: 'relay-failed', subject: 'london', detail: expect.stringContaining('/two gives no sound') },
    ]);
    expect(parts.alertsOf(stationName('one'))).toEqual([]);
    breaks.outputs['two'] = output('feeding', 2);
    clock.advance(2_000);
    expect(parts.alertsOf(stationName('two'))).toEqual([]);
    expect(alerts()).toEqual(['two alert-opened relay-failed', 'two alert-closed relay-failed']);
  });

  test('tell of a public mount that Icecast takes from nobody, but not of one on a server that does not answer', async () => {
    const { parts, clock, breaks, alerts, stations } = await threeStations();
    const output = (state: object) => [{ mount: '/two', rebuilds: 0, state: state as { is: string } }];
    const refused = output({ is: 'failed', failure: 'unauthorised', detail: 'the server answered 401' });
    const look = (ok: boolean) => {
      const atMs = clock.nowMs();
      const failed = { ok: false, failure: 'timed-out', detail: 'no answer' } as const;
      const found = { ok: true, mounts: [], presences: [] } as const;
      const one = { startedAtMs: atMs, atMs, ...(ok ? found : failed) };
      stations[1]?.take({ kind: 'look', atMs, server: LONDON, look: one });
    };
    breaks.outputs['two'] = refused;
    clock.advance(9_000);
    look(false);
    clock.advance(30_000);
    expect(alerts()).toEqual([]);
    look(true);
    clock.advance(12_000);
    expect(parts.alertsOf(stationName('two'))).toMatchObject([
      {
        code: 'relay-failed',
        detail: expect.stringContaining('/two (unauthorised: the server answered 401)'),
      },
    ]);
    // It is told once, whatever becomes of the server.
    look(false);
    clock.advance(12_000);
    breaks.outputs['two'] = output({ is: 'feeding' });
    clock.advance(2_000);
    expect(alerts()).toEqual(['two alert-opened relay-failed', 'two alert-closed relay-failed']);
  });

  test('tell of an emergency file that cannot be played, until it can', async () => {
    const { parts, clock, breaks, alerts } = await threeStations();
    breaks.emergency = 'gone.mp3 does not exist';
    clock.advance(3_000);
    expect(parts.alertsOf(stationName('one'))).toMatchObject([
      { code: 'backup-not-proven', detail: expect.stringContaining('gone.mp3 does not exist') },
    ]);
    breaks.emergency = null;
    clock.advance(3_000);
    expect(parts.alertsOf(stationName('one'))).toEqual([]);
    expect(alerts().filter((alert) => alert.startsWith('one'))).toEqual([
      'one alert-opened backup-not-proven',
      'one alert-closed backup-not-proven',
    ]);
  });

  test('tell of an encoder that is replaced again and again, until a minute has passed without', async () => {
    const { parts, clock, breaks } = await threeStations();
    for (let rebuilds = 0; rebuilds <= 3; rebuilds += 1) {
      expect(parts.alertsOf(stationName('two'))).toEqual([]);
      breaks.outputs['two'] = [{ mount: '/two', state: { is: 'feeding' }, rebuilds }];
      clock.advance(10_000);
    }
    expect(parts.alertsOf(stationName('two'))).toMatchObject([
      { code: 'relay-failed', detail: expect.stringContaining('replaced 3 times within a minute') },
    ]);
    clock.advance(61_000);
    expect(parts.alertsOf(stationName('two'))).toEqual([]);
  });

  test.each(['in a timer', 'in the sound that it is given'])(
    'go on when the relay of one fails later %s',
    async (where) => {
      const { clock, breaks, relays, listeners, alerts } = await threeStations();
      clock.advance(10_000);
      breaks.relay = stationName('one');
      if (where === 'in a timer') {
        relays[0]?.options.clock.every(20, () => {
          throw new Error('a bug of ours');
        });
        clock.advance(100);
      } else {
        const feed = listeners[0]?.options.openFeed?.();
        expect(() => feed?.pcm(new Float32Array(2))).not.toThrow();
      }
      expect(relays.map(({ name, stopped }) => [name, stopped])).toEqual([
        ['one', true],
        ['two', false],
        ['three', false],
      ]);
      expect(alerts()).toEqual(['one alert-opened relay-failed']);
      breaks.relay = null;
      clock.advance(11_000);
      expect(relays.map(({ name }) => name)).toEqual(['one', 'two', 'three', 'one']);
    },
  );

  test('start all but one whose listeners cannot, which are tried again', async () => {
    const { parts, clock, breaks, listeners, lines } = await threeStations();
    breaks.listener = stationName('one');
    clock.advance(1_000);
    expect(listeners).toHaveLength(4);
    expect(lines[0]).toMatchObject({ leg: 'one/primary@london', err: 'no such ear' });
    breaks.listener = null;
    clock.advance(6_000);
    expect(listeners).toHaveLength(6);
    await parts.stop();
  });

  test('start nothing any more once they were stopped', async () => {
    const { parts, clock, breaks, relays } = await threeStations();
    breaks.relay = stationName('two');
    clock.advance(1_000);
    await parts.stop();
    breaks.relay = null;
    clock.advance(600_000);
    expect(relays.map(({ name, stopped }) => [name, stopped])).toEqual([
      ['one', true],
      ['three', true],
    ]);
  });
});
