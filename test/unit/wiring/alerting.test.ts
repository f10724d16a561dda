import { afterEach, describe, expect, test } from 'vitest';
import { type Config, Secret } from '../../../src/config/index.ts';
import type { LegCondition } from '../../../src/domain/conditions.ts';
import type { StationEvent } from '../../../src/domain/events.ts';
import { monitorId, type ServerName, type SourceName } from '../../../src/domain/ids.ts';
import { CALM_MS } from '../../../src/domain/incident-calm.ts';
import { directPort, type StorePort } from '../../../src/history/port.ts';
import { parseUserAgent, userAgentOf } from '../../../src/icecast/user-agent.ts';
import { Alerting } from '../../../src/wiring/alerting.ts';
import { Chronicle } from '../../../src/wiring/chronicle.ts';
import { Colleagues } from '../../../src/wiring/colleagues.ts';
import { type Receiver, startReceiver } from '../alerts/support.ts';
import {
  AUTODJ,
  audible,
  DUBLIN,
  faulty,
  goodLook,
  LONDON,
  MYFM,
  PRIMARY,
  policyWith,
} from '../decide/builders.ts';
import { temporaryFolder } from '../history/support.ts';
import { type ManualClock, manualClock } from '../platform/clocks.ts';
import { keptLog } from './support.ts';

const started: { readonly alerting: Alerting; readonly chronicle: Chronicle }[] = [];
afterEach(async () => {
  for (const { alerting, chronicle } of started.splice(0)) {
    alerting.stop();
    await chronicle.stop();
  }
});

function configOf(self: ServerName, url: string): Config {
  const admin = { user: 'admin', password: new Secret('shared', 'the test') };
  const target = { kind: 'webhook', url: new Secret(url, 'the test'), secret: null } as const;
  return {
    self,
    servers: [LONDON, DUBLIN].map((name) => ({ name, admin })),
    alerts: {
      hooks: [{ name: 'webhook', minimum: 'warning', stations: null, target }],
      heartbeats: [],
    },
  } as unknown as Config;
}

/** A witness, which stands beside no server. */
const PARIS = 'paris' as ServerName;

interface Disk {
  readonly directory?: string;
  /** It answers when this is over. */
  readonly hangsFor?: Promise<void>;
}

async function agent(
  self: ServerName,
  url: string,
  clock: ManualClock,
  { directory = temporaryFolder(), hangsFor = Promise.resolve() }: Disk = {},
) {
  const { log, lines } = keptLog();
  const direct = directPort({ directory, wallTime: () => clock.wallTime(), setAside: () => {} });
  const port: StorePort = {
    ...direct,
    call: (name, ...args) => hangsFor.then(() => direct.call(name, ...args)),
  };
  const chronicle = await Chronicle.open({ agent: self, directory, clock, log, port });
  chronicle.settings(policyWith({ self }));
  const colleagues = new Colleagues(clock);
  const alerting = await Alerting.start({
    config: configOf(self, url),
    chronicle,
    colleagues,
    troublesOf: () => [],
    isWell: () => true,
    clock,
    random: { next: () => 0.5, token: () => 'a' },
    log,
  });
  const one = { self, chronicle, colleagues, alerting, directory, lines };
  started.push(one);
  return one;
}
type TestAgent = Awaited<ReturnType<typeof agent>>;

/** What one agent says on a server, as another reads it out of the list of listeners. */
function overheard(agent: ServerName, marks: readonly string[]): readonly string[] {
  const said = userAgentOf({ role: 'presence', agent, id: monitorId('ab'), marks });
  return parseUserAgent(said)?.marks ?? [];
}

/** Marks by which an agent says that people know of an incident from it. */
const toldMarks = (alerting: Alerting) => alerting.marksFor(DUBLIN).filter((mark) => /^[wc]/.test(mark));

/** Agents that see each other's sign of life, and time that passes for all of them. */
async function pass(clock: ManualClock, seconds: number, seeing: readonly TestAgent[]): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1_000);
    for (const one of seeing)
      for (const other of seeing) {
        if (one === other) continue;
        const marks = overheard(other.self, other.alerting.marksFor(one.self === PARIS ? DUBLIN : one.self));
        one.colleagues.saw(goodLook(clock.nowMs(), [], [{ agent: other.self, connectedSeconds: 1, marks }]));
      }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
}

const away = (server: ServerName): StationEvent & { kind: 'switched' } => ({
  kind: 'switched',
  atMs: 0,
  server,
  from: PRIMARY,
  to: AUTODJ,
  trigger: 'fault',
  because: '/primary is silent',
});
const tookOver: StationEvent & { kind: 'took-over' } = {
  kind: 'took-over',
  atMs: 0,
  server: LONDON,
  source: PRIMARY,
  because: 'it was on air before',
};
const serverDown: StationEvent & { kind: 'alert-opened' } = {
  kind: 'alert-opened',
  atMs: 0,
  code: 'server-down',
  subject: LONDON,
  detail: 'london refuses connections',
};
const formatsDiffer: StationEvent & { kind: 'alert-opened' } = {
  ...serverDown,
  code: 'formats-differ',
  detail: 'mono',
};
const told = (receiver: Receiver): string[] =>
  receiver.received.map(({ body }) => {
    const { type, data } = JSON.parse(body) as { type: string; data: { agent: string } };
    return `${type} ${data.agent}`;
  });

describe('two agents that see the same trouble', () => {
  async function both(urls?: readonly [string, string]) {
    const receiver = await startReceiver();
    const clock = manualClock(1_800_000_000_000);
    const [first, second] = urls ?? [receiver.url, receiver.url];
    const london = await agent(LONDON, first, clock);
    const dublin = await agent(DUBLIN, urls === undefined ? second : receiver.url, clock);
    return { receiver, clock, london, dublin };
  }

  test('tell of it once, from its beginning to its end', async () => {
    const { receiver, clock, london, dublin } = await both();
    await pass(clock, 3, [london, dublin]);
    for (const one of [london, dublin]) one.chronicle.note(MYFM, away(one.self));
    await pass(clock, 20, [london, dublin]);
    expect(told(receiver)).toEqual(['incident.opened london']);
    for (const one of [london, dublin])
      one.chronicle.note(MYFM, { ...away(one.self), from: AUTODJ, to: PRIMARY, trigger: 'return' });
    await pass(clock, CALM_MS / 1000 + 3, [london, dublin]);
    expect(told(receiver)).toEqual(['incident.opened london', 'incident.closed london']);
  });

  test('tell nobody again of what is calm, though one waits longer for its end', async () => {
    const { receiver, clock, london, dublin } = await both();
    const over: StationEvent = { ...serverDown, kind: 'alert-closed' };
    await pass(clock, 3, [london, dublin]);
    dublin.chronicle.note(MYFM, serverDown);
    await pass(clock, 15, [london, dublin]);
    dublin.chronicle.note(MYFM, over);
    await pass(clock, CALM_MS / 1000 + 15, [london, dublin]);
    const ofDublin = ['incident.opened dublin', 'incident.closed dublin'];
    expect(told(receiver)).toEqual(ofDublin);
    for (const one of [london, dublin]) one.chronicle.note(MYFM, serverDown);
    await pass(clock, 20, [london, dublin]);
    for (const one of [london, dublin]) one.chronicle.note(MYFM, over);
    await pass(clock, 4 * (CALM_MS / 1000) + 3, [london, dublin]);
    expect(told(receiver)).toEqual([...ofDublin, 'incident.opened london', 'incident.closed london']);
  });

  test('tell each of many troubles once, though the first gathers what comes on top of five', async () => {
    const { receiver, clock, london, dublin } = await both();
    await pass(clock, 3, [london, dublin]);
    const of = (station: number): StationEvent => ({ ...formatsDiffer, subject: `station ${station}` });
    for (let station = 1; station <= 30; station += 1)
      for (const one of [london, dublin]) one.chronicle.note(MYFM, of(station));
    await pass(clock, 90, [london, dublin]);
    const bodies = receiver.received.map(({ body }) => body);
    expect(bodies.filter((body) => body.includes('"agent":"dublin"'))).toEqual([]);
    for (let station = 1; station <= 30; station += 1)
      expect(bodies.join().match(new RegExp(`formats-differ station ${station}"`, 'g'))).toHaveLength(1);
  });

  test('tell once that they process the sound differently, though each means the other', async () => {
    const { receiver, clock, london, dublin } = await both();
    await pass(clock, 3, [london, dublin]);
    const differs = (subject: ServerName): StationEvent => ({
      ...serverDown,
      code: 'processing-differs',
      subject,
      detail: `the chain beside ${subject} is another`,
    });
    london.chronicle.note(MYFM, differs(DUBLIN));
    dublin.chronicle.note(MYFM, differs(LONDON));
    await pass(clock, 30, [london, dublin]);
    expect(told(receiver)).toEqual(['incident.opened london']);
  });

  test('and a witness tell once that a server died together with the first agent', async () => {
    const { receiver, clock, london, dublin } = await both();
    const paris = await agent(PARIS, receiver.url, clock);
    await pass(clock, 3, [london, dublin, paris]);
    for (const one of [dublin, paris]) one.chronicle.note(MYFM, serverDown);
    await pass(clock, 40, [dublin, paris]);
    expect(told(receiver)).toEqual(['incident.opened dublin']);
  });

  test('and a witness go on with what the first told before it died, once', async () => {
    const { receiver, clock, london, dublin } = await both();
    const paris = await agent(PARIS, receiver.url, clock);
    const all = [london, dublin, paris];
    await pass(clock, 3, all);
    for (const one of all) one.chronicle.note(MYFM, serverDown);
    await pass(clock, 30, all);
    expect(told(receiver)).toEqual(['incident.opened london']);
    await pass(clock, 60, [dublin, paris]);
    expect(told(receiver)).toEqual(['incident.opened london', 'incident.opened dublin']);
  });

  test('both say what listeners heard, though each knows its own server only', async () => {
    const { receiver, clock, london, dublin } = await both();
    const fromUnixMs = clock.nowMs();
    await pass(clock, 5, [london, dublin]);
    const legOf = (server: ServerName, of: SourceName) =>
      policyWith({}).legs.find((leg) => leg.server === server && leg.source === of)?.id ?? ('' as never);
    const heard = (one: TestAgent, of: SourceName, to: LegCondition) =>
      one.chronicle.note(MYFM, {
        kind: 'leg-changed',
        atMs: clock.nowMs(),
        leg: legOf(one.self, of),
        from: to,
        to,
      });
    for (const one of [london, dublin]) {
      one.chronicle.note(MYFM, { ...tookOver, server: one.self });
      heard(one, AUTODJ, audible(0, clock.nowMs()));
      heard(one, PRIMARY, faulty(fromUnixMs + (one === london ? 3_000 : 0)));
      one.chronicle.note(MYFM, away(one.self));
    }
    await pass(clock, 20, [london, dublin]);
    for (const one of [dublin, london]) {
      heard(one, PRIMARY, audible(clock.nowMs(), clock.nowMs()));
      one.chronicle.note(MYFM, { ...away(one.self), from: AUTODJ, to: PRIMARY, trigger: 'return' });
      await pass(clock, 2, [london, dublin]);
    }
    await pass(clock, CALM_MS / 1000 + 3, [london, dublin]);
    expect(told(receiver)).toEqual(['incident.opened london', 'incident.closed london']);
    expect(JSON.parse(receiver.received.at(-1)?.body ?? '')).toMatchObject({
      data: {
        servers: [LONDON, DUBLIN],
        deadAirMs: { london: 2_000, dublin: 5_000 },
        unheard: [],
        says: expect.stringMatching(/; 2.0 s of dead air on london, 5.0 s of dead air on dublin$/) as string,
      },
    });
  });

  test('a fault that comes to the other server later is told too, and so is its end', async () => {
    const { receiver, clock, london, dublin } = await both();
    await pass(clock, 3, [london, dublin]);
    london.chronicle.note(MYFM, away(LONDON));
    await pass(clock, 60, [london, dublin]);
    expect(told(receiver)).toEqual(['incident.opened london']);
    dublin.chronicle.note(MYFM, away(DUBLIN));
    await pass(clock, 20, [london, dublin]);
    expect(told(receiver)).toEqual(['incident.opened london', 'incident.opened dublin']);
    dublin.chronicle.note(MYFM, { ...away(DUBLIN), from: AUTODJ, to: PRIMARY, trigger: 'return' });
    await pass(clock, CALM_MS / 1000 + 3, [london, dublin]);
    expect(told(receiver).slice(2)).toEqual(['incident.closed dublin']);
  });

  test('a fault that comes to the other server later is told also when one agent sees to both', async () => {
    const { receiver, clock, london, dublin } = await both();
    london.chronicle.note(MYFM, away(LONDON));
    london.chronicle.note(MYFM, away(DUBLIN));
    await pass(clock, 2, [london]);
    london.chronicle.note(MYFM, { ...away(DUBLIN), from: AUTODJ, to: PRIMARY, trigger: 'return' });
    london.chronicle.note(MYFM, { ...away(LONDON), from: AUTODJ, to: PRIMARY, trigger: 'return' });
    await pass(clock, CALM_MS / 1000 + 3, [london]);
    dublin.chronicle.note(MYFM, away(DUBLIN));
    await pass(clock, 60, [dublin]);
    dublin.chronicle.note(MYFM, away(LONDON));
    await pass(clock, 2, [dublin]);
    expect(told(receiver)).toEqual([
      'incident.opened london',
      'incident.closed london',
      'incident.opened dublin',
      'incident.widened dublin',
    ]);
    expect(JSON.parse(receiver.received.at(-1)?.body ?? '')).toMatchObject({
      data: {
        servers: [DUBLIN, LONDON],
        says: expect.stringMatching(/^london: primary to autodj/) as string,
      },
    });
  });

  test('what was left to one that has ended its part first is ended once', async () => {
    const { receiver, clock, london, dublin } = await both();
    await pass(clock, 3, [london, dublin]);
    for (const one of [london, dublin]) one.chronicle.note(MYFM, away(one.self));
    await pass(clock, 20, [london, dublin]);
    for (const one of [london, dublin]) {
      one.chronicle.note(MYFM, { ...away(one.self), from: AUTODJ, to: PRIMARY, trigger: 'return' });
      await pass(clock, 12, [london, dublin]);
    }
    await pass(clock, CALM_MS / 1000 + 3, [london, dublin]);
    expect(dublin.chronicle.openIncidents).toEqual([]);
    expect(told(receiver)).toEqual(['incident.opened london', 'incident.closed london']);
  });

  test('what was left to another is left to it after a restart as well', async () => {
    const { receiver, clock, london, dublin } = await both();
    await pass(clock, 3, [london, dublin]);
    for (const one of [london, dublin]) one.chronicle.note(MYFM, away(one.self));
    await pass(clock, 20, [london, dublin]);
    dublin.alerting.stop();
    const again = await agent(DUBLIN, receiver.url, clock, dublin);
    await pass(clock, 3, [london, again]);
    await pass(clock, 40, [again]);
    expect(told(receiver)).toEqual(['incident.opened london', 'incident.opened dublin']);
  });

  test('an acknowledgement on one is one on both, and is told by the one that told of the trouble', async () => {
    const { receiver, clock, london, dublin } = await both();
    await pass(clock, 3, [london, dublin]);
    for (const one of [london, dublin]) one.chronicle.note(MYFM, away(one.self));
    await pass(clock, 20, [london, dublin]);
    const [incident] = dublin.chronicle.openIncidents;
    expect(dublin.chronicle.acknowledge(incident?.id ?? '', 'Zoë')).toBe(true);
    await pass(clock, 5, [london, dublin]);
    for (const { chronicle } of [london, dublin])
      expect(chronicle.openIncidents).toMatchObject([{ acknowledged: { author: 'Zoë' } }]);
    expect(told(receiver)).toEqual(['incident.opened london', 'incident.acknowledged london']);
  });

  test('an acknowledgement is of this trouble, not of one of the same kind that comes later', async () => {
    const { clock, london, dublin } = await both();
    for (const one of [london, dublin]) one.chronicle.note(MYFM, away(one.self));
    await pass(clock, 20, [london, dublin]);
    dublin.chronicle.acknowledge(dublin.chronicle.openIncidents[0]?.id ?? '', 'ann');
    await pass(clock, 3, [london, dublin]);
    const over = { ...away(LONDON), from: AUTODJ, to: PRIMARY, trigger: 'return' } as const;
    london.chronicle.note(MYFM, over);
    await pass(clock, CALM_MS / 1000 + 60, [london, dublin]);
    london.chronicle.note(MYFM, away(LONDON));
    await pass(clock, 5, [london, dublin]);
    expect(dublin.chronicle.openIncidents).toMatchObject([{ acknowledged: { author: 'ann' } }]);
    expect(london.chronicle.openIncidents).toMatchObject([{ acknowledged: null }]);
  });

  test('the second tells when the first does not get through', async () => {
    const { receiver, clock, london, dublin } = await both(['http://127.0.0.1:1/', '']);
    await pass(clock, 3, [london, dublin]);
    for (const one of [london, dublin]) one.chronicle.note(MYFM, away(one.self));
    await pass(clock, 10, [london, dublin]);
    expect(told(receiver)).toEqual([]);
    await pass(clock, 4, [london, dublin]);
    expect(told(receiver)).toEqual(['incident.opened dublin']);
  });

  test('both tell when they cannot see each other: rather twice than never', async () => {
    const { receiver, clock, london, dublin } = await both();
    for (const one of [london, dublin]) one.chronicle.note(MYFM, away(one.self));
    await pass(clock, 1, []);
    expect(told(receiver).sort()).toEqual(['incident.opened dublin', 'incident.opened london']);
  });

  test('the second goes on with it when the first has told and dies', async () => {
    const { receiver, clock, london, dublin } = await both();
    await pass(clock, 3, [london, dublin]);
    for (const one of [london, dublin]) one.chronicle.note(MYFM, away(one.self));
    await pass(clock, 20, [london, dublin]);
    await pass(clock, 40, []);
    expect(told(receiver)).toEqual(['incident.opened london', 'incident.opened dublin']);
  });
});

test('an agent that is killed before anybody was told tells when it is back, and shows it in its sign of life', async () => {
  const receiver = await startReceiver();
  receiver.answer = { status: 503 };
  const clock = manualClock(1_800_000_000_000);
  const killed = await agent(LONDON, receiver.url, clock);
  killed.chronicle.note(MYFM, away(LONDON));
  await pass(clock, 2, []);
  expect(toldMarks(killed.alerting)).toEqual([]);
  killed.alerting.stop();
  receiver.answer = { status: 204 };
  receiver.received.length = 0;
  const next = await agent(LONDON, receiver.url, clock, killed);
  await pass(clock, 10, []);
  expect(told(receiver)).toEqual(['incident.opened london']);
  expect(toldMarks(next.alerting)).toHaveLength(1);
  expect(JSON.stringify([...killed.lines, ...next.lines])).not.toContain(receiver.url);
});

test('an incident that people know of is known after a restart, however many came and went since', async () => {
  const receiver = await startReceiver();
  const clock = manualClock(1_800_000_000_000);
  const { chronicle, alerting, directory } = await agent(LONDON, receiver.url, clock);
  chronicle.note(MYFM, away(LONDON));
  await pass(clock, 2, []);
  const [sent] = await chronicle.port.call('outbox', 'sent');
  if (sent === undefined) throw new Error('nothing was sent');
  // Older ones, and more than are remembered.
  const older = Array.from({ length: 1_100 }, (_, index) => ({
    ...sent,
    id: `myfm-london-${index}-sound.closed webhook`,
    createdUnixMs: index,
  }));
  await chronicle.port.call('apply', { events: [], incidents: [], outbox: older });
  alerting.stop();
  const next = await agent(LONDON, receiver.url, clock, { directory });
  expect(toldMarks(next.alerting)).toHaveLength(1);
});

test('a disk that hangs keeps no agent from starting and nobody from being told, and what it has is taken up later', async () => {
  const receiver = await startReceiver();
  const clock = manualClock(1_800_000_000_000);
  const before = await agent(LONDON, receiver.url, clock);
  before.chronicle.note(MYFM, away(LONDON));
  const alert: StationEvent = {
    kind: 'alert-opened',
    atMs: 0,
    code: 'backup-not-proven',
    subject: 'myfm/secondary@london',
    detail: 'it is silent',
  };
  before.chronicle.note(MYFM, alert);
  await pass(clock, 2, []);
  before.alerting.stop();
  const [sound, backup] = before.chronicle.openIncidents;
  receiver.received.length = 0;

  let answer = () => {};
  const hangsFor = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const starting = agent(LONDON, receiver.url, clock, { directory: before.directory, hangsFor });
  for (let second = 0; second < 5; second += 1) {
    clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { chronicle, lines, alerting } = await starting;
  expect(lines.find(({ level }) => level === 50)?.['msg']).toMatch(/^the history does not answer/);
  chronicle.note(MYFM, away(LONDON));
  await pass(clock, 8, []);
  expect(told(receiver)).toContain('incident.opened london');
  expect(chronicle.alerts).toMatchObject([
    { code: 'history-not-written', detail: expect.stringContaining('not answered') as string },
  ]);

  answer();
  await pass(clock, 10, []);
  expect(chronicle.alerts).toEqual([]);
  const open = chronicle.openIncidents.map(({ id }) => id);
  expect(open).toContain(backup?.id);
  expect(open).not.toContain(sound?.id);
  expect(toldMarks(alerting).length).toBeGreaterThanOrEqual(2);
  const stored = await chronicle.port.call('incidents', { openOnly: true, limit: 10 });
  expect(stored.map(({ id }) => id).sort()).toEqual([...open].sort());
});

test('who is told is exchanged in the middle of an incident: its end goes to the new one, and it is opened once', async () => {
  const [first, second, beats] = await Promise.all([startReceiver(), startReceiver(), startReceiver()]);
  const clock = manualClock(1_800_000_000_000);
  const { alerting, chronicle } = await agent(LONDON, first.url, clock);
  chronicle.note(MYFM, away(LONDON));
  await pass(clock, 2, []);
  expect(told(first)).toEqual(['incident.opened london']);
  const heartbeat = { name: 'heartbeat', url: new Secret(beats.url, 'the test'), everyMs: 60_000 };
  alerting.change({ ...configOf(LONDON, second.url).alerts, heartbeats: [heartbeat] });
  expect(toldMarks(alerting)).toHaveLength(1);
  chronicle.note(MYFM, { ...away(LONDON), from: AUTODJ, to: PRIMARY, trigger: 'return' });
  await pass(clock, CALM_MS / 1000 + 3, []);
  expect(told(first)).toEqual(['incident.opened london']);
  expect(told(second)).toEqual(['incident.closed london']);
  expect(beats.received).toHaveLength(1);
  alerting.change(configOf(LONDON, second.url).alerts);
  await pass(clock, 90, []);
  expect(beats.received).toHaveLength(1);
});

test('a receiver that cannot be one changes nothing', async () => {
  const receiver = await startReceiver();
  const clock = manualClock(1_800_000_000_000);
  const { alerting, chronicle } = await agent(LONDON, receiver.url, clock);
  const target = {
    kind: 'webhook',
    url: new Secret(receiver.url, 'the test'),
    secret: new Secret('whsec_%%', 'the test'),
  } as const;
  const bad = { name: 'webhook', minimum: 'warning', stations: null, target } as const;
  expect(() => alerting.change({ hooks: [bad], heartbeats: [] })).toThrow();
  chronicle.note(MYFM, away(LONDON));
  await pass(clock, 2, []);
  expect(told(receiver)).toEqual(['incident.opened london']);
});
