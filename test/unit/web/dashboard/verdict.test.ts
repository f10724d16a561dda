import { describe, expect, test } from 'vitest';
import { mount as mountName } from '../../../../src/domain/ids.ts';
import type {
  AgentView,
  LegView,
  OutputStatus,
  ServerView,
  StationView,
} from '../../../../src/domain/view.ts';
import { serverVerdict, stationVerdict } from '../../../../src/web/dashboard/text/verdict.ts';
import { DUBLIN, LONDON, POLICY, PRIMARY } from '../../decide/builders.ts';
import { VIEW } from '../support.ts';

const [SECONDARY] = POLICY.sources.slice(1);
if (SECONDARY === undefined) throw new Error('no second source');

function legsWith(changes: Partial<Record<string, Partial<LegView>>>): LegView[] {
  return POLICY.legs
    .filter(({ server }) => server === LONDON)
    .map(({ id, source, mount }) => ({
      leg: id,
      source,
      mount,
      condition: 'audible',
      reason: '',
      detail: '',
      forMs: 61_000,
      listeners: 3,
      title: null,
      rmsDbfs: [-20, -20],
      truePeakDbtp: -3,
      momentaryLufs: -18,
      shortTermLufs: -18,
      faults: [],
      warnings: [],
      ...changes[source],
    }));
}

const SILENT = { condition: 'faulty', reason: 'silent', forMs: 4_000 } as const;

function seen(server: Partial<ServerView>, station: Partial<StationView> = {}) {
  const [first] = VIEW.stations;
  const [known] = first?.servers ?? [];
  if (first === undefined || known === undefined) throw new Error('no station');
  const one: ServerView = { ...known, legs: legsWith({}), ...server };
  const whole: StationView = { ...first, servers: [one], ...station };
  const agent: AgentView = { ...VIEW, stations: [whole] };
  return { server: serverVerdict(agent, whole, one), station: stationVerdict(agent, whole) };
}

const RELAY: NonNullable<StationView['relay']> = {
  onAir: null,
  playing: 'noise-floor',
  latencyMs: null,
  wantedLatencyMs: 8_000,
  legs: [],
  outputs: [],
  streams: [],
  heldBytes: 0,
  dryMs: 0,
  sound: null,
  processing: null,
};

describe('what the page says is on air', () => {
  test('all is well while the first source sounds', () => {
    const { server, station } = seen({});
    expect(server).toMatchObject({ tone: 'good', onAir: 'Primary', says: 'sounding for 61 s' });
    expect(station).toEqual({ tone: 'good', says: 'Primary is on air on London' });
  });

  test('a stand-in wants a look, and says what is wrong with the first', () => {
    const { server, station } = seen({ onAir: SECONDARY, legs: legsWith({ primary: SILENT }) });
    expect(server).toMatchObject({ tone: 'warn', onAir: 'Secondary', says: 'a stand-in: primary is silent' });
    expect(station.says).toBe('London: Secondary – a stand-in: primary is silent');
  });

  test.each([
    ['silence on air', { legs: legsWith({ primary: SILENT }) }, 'bad', 'silent for 4 s: listeners hear it'],
    ['a server that is down', { condition: 'down', detail: 'refused' }, 'bad', 'refused'],
    [
      'our own deafness, which is no fault',
      { legs: legsWith({ primary: { condition: 'unknown', reason: 'decoder' } }) },
      'unknown',
      'can’t hear it: our decoder fails',
    ],
    ['a start', { onAir: null }, 'unknown', 'looking at what is on air'],
    [
      'a full server',
      { condition: 'overloaded', detail: 'no room' },
      'warn',
      'sounding for 61 s, but Icecast is overloaded: no room',
    ],
  ] as const)('%s', (_what, changes, tone, says) => {
    expect(seen(changes).server).toMatchObject({ tone, says });
  });

  test('nothing to play is the worst, though the server has a source on its list', () => {
    expect(seen({}, { relay: RELAY }).server).toMatchObject({ tone: 'bad', onAir: 'Nothing' });
    const emergency = { ...RELAY, playing: 'emergency-file' as const };
    expect(seen({}, { relay: emergency }).server).toMatchObject({ tone: 'bad', onAir: 'Emergency file' });
  });

  describe('of a public mount that is not fed', () => {
    const output = (changes: Partial<OutputStatus>): OutputStatus => ({
      ...{ mount: mountName('/stream'), state: 'feeding', reason: '', detail: '' },
      ...{ connections: 1, rebuilds: 0, encoder: 'lame', encoderPid: null },
      ...changes,
    });
    const [leg] = POLICY.legs;
    if (leg === undefined) throw new Error('no leg');
    const fed = output({});
    const refused = output({ state: 'failed', reason: 'unauthorised', detail: 'the server answered 401' });
    const playing = (...outputs: OutputStatus[]) => ({
      relay: { ...RELAY, onAir: leg.id, playing: 'leg' as const, outputs },
    });

    test('is the largest word, however well the source sounds', () => {
      expect(seen({}, playing(fed)).server).toMatchObject({ tone: 'good', onAir: 'Primary' });
      expect(seen({}, playing(output({ state: 'no-sound' })))).toMatchObject({
        server: {
          tone: 'bad',
          onAir: 'Stream down',
          says: '/stream is let go, as its encoder gives no sound; its listeners are where Icecast’s fallback leads',
        },
        station: { tone: 'bad', says: expect.stringContaining('London: Stream down – /stream is let go') },
      });
      expect(seen({}, playing(refused)).server).toMatchObject({
        tone: 'bad',
        says: expect.stringMatching(/^\/stream is not fed: Icecast says that the source password is wrong;/),
      });
      expect(seen({}, playing(output({ state: 'connecting' }))).server).toMatchObject({
        tone: 'unknown',
        says: '/stream is being connected',
      });
    });

    test('is told beside what the others carry', () => {
      const other = output({ mount: mountName('/stream.opus') });
      expect(seen({}, playing(refused, other)).server).toMatchObject({ tone: 'bad', onAir: 'Primary' });
    });

    test('is told too where the relay could not start, or its encoder comes and goes', () => {
      const alerts = [{ code: 'relay-failed', subject: 'london', detail: 'no room for the ring' }] as const;
      expect(seen({}, { alerts }).server).toMatchObject({
        tone: 'bad',
        onAir: 'Stream down',
        says: 'no room for the ring',
      });
      expect(seen({}, { ...playing(fed), alerts }).server).toMatchObject({ tone: 'warn', onAir: 'Primary' });
      expect(seen({ server: DUBLIN }, { ...playing(fed), alerts }).server).toMatchObject({ tone: 'good' });
    });
  });

  test('what another server gives its listeners is what the ear of the DNS hears there', () => {
    const [first] = VIEW.stations;
    const [known] = first?.servers ?? [];
    if (first === undefined || known === undefined) throw new Error('no station');
    const server: ServerView = { ...known, server: DUBLIN, legs: legsWith({}) };
    const dns = { servers: [{ server: DUBLIN, health: 'ill', detail: 'connect: refused' }] };
    const agent = { ...VIEW, dns } as unknown as AgentView;
    expect(serverVerdict(agent, first, server)).toMatchObject({
      tone: 'bad',
      onAir: 'No sound',
      says: 'listeners there get none (connect: refused)',
    });
  });

  test('where the agent of a relayed server is gone, nobody claims to know', () => {
    const away = seen({ server: DUBLIN, onAir: null, role: 'deputy' }, { relay: RELAY });
    expect(away.server).toMatchObject({ tone: 'warn', onAir: 'No agent' });
  });

  test('where no source has any programme, another server plays nothing, and no old word of its agent stands', () => {
    const told = { kind: 'heard-on-air', atMs: 2, server: DUBLIN, from: PRIMARY, to: SECONDARY } as const;
    const events = [{ time: '2026-11-22T12:05:00.000Z', event: told }];
    const silent = Object.fromEntries(POLICY.sources.map((source) => [source, SILENT]));
    const dublin = { server: DUBLIN, onAir: null, role: 'watching' } as const;
    expect(seen({ ...dublin, legs: legsWith(silent) }, { relay: RELAY, events }).server).toMatchObject({
      tone: 'bad',
      onAir: 'Nothing',
      says: 'no source has any programme',
      why: '',
    });
    expect(seen({ ...dublin, legs: legsWith({ [PRIMARY]: SILENT }) }, { relay: RELAY }).server.tone).toBe(
      'unknown',
    );
  });

  test('the reason is the last switch, with legs as people call them; a hold goes before it', () => {
    const because = 'myfm/primary@london is silent for 5.0 s';
    const event = {
      kind: 'switched',
      atMs: 1,
      server: LONDON,
      from: PRIMARY,
      to: SECONDARY,
      trigger: 'fault',
      because,
    } as const;
    const events = [{ time: '2026-11-22T12:00:00.000Z', event }];
    expect(seen({ onAir: SECONDARY }, { events }).server.why).toMatch(
      /: primary on london is silent for 5.0 s$/,
    );
    const told = { kind: 'heard-on-air', atMs: 2, server: LONDON, from: SECONDARY, to: PRIMARY } as const;
    const later = [...events, { time: '2026-11-22T12:05:00.000Z', event: told }];
    expect(seen({}, { events: later }).server.why).toMatch(/^Since .*, as its agent says$/);
    const hold = { author: 'ann', remainingMs: 600_000, source: SECONDARY };
    expect(seen({ onAir: SECONDARY, hold }, { events }).server.why).toBe('Put on by ann, for 10 min more');
  });
});
