import { describe, expect, test } from 'vitest';
import { type Config, Secret } from '../../../src/config/index.ts';
import { noMemory } from '../../../src/decide/state.ts';
import { monitorId, type ServerName, stationName } from '../../../src/domain/ids.ts';
import type { OperatorRequest } from '../../../src/domain/operator.ts';
import { MOST_MARKS, parseUserAgent, userAgentOf } from '../../../src/icecast/user-agent.ts';
import { Station } from '../../../src/station.ts';
import { SharedHolds } from '../../../src/wiring/shared-holds.ts';
import { AUTODJ, DUBLIN, goodLook, LONDON, MYFM, PRIMARY, policyWith } from '../decide/builders.ts';
import { manualClock } from '../platform/clocks.ts';

const NOW = Date.UTC(2026, 10, 8, 10, 59);
const HOUR_MS = 3_600_000;
const HOLD = { do: 'hold', server: LONDON, author: 'Ann Ó Súilleabháin', forMs: HOUR_MS } as const;

/** An agent with its stations, its monotonic clock at `nowMs`. */
function agentOf(
  self: ServerName,
  { password = 'shared', names = ['myfm'], sources = [PRIMARY, AUTODJ] } = {},
) {
  const clock = manualClock(NOW);
  const admin = { user: 'admin', password: new Secret(password, 'the test') };
  const config = { servers: [LONDON, DUBLIN].map((name) => ({ name, admin })) } as unknown as Config;
  const hands = { command: () => {}, event: () => {} };
  const stations = names.map((name) => {
    const policy = policyWith({ self, station: stationName(name), sources });
    return new Station(policy, noMemory, clock.nowMs(), hands);
  });
  const holds = new SharedHolds({
    ...{ config, clock, stations: () => stations },
    input: (station, input) => station.take(input),
  });
  const ask = (request: OperatorRequest, station = stations[0]) => {
    const atMs = clock.nowMs();
    const unixMs = clock.wallTime().getTime();
    station?.take({ kind: 'operator', atMs, unixMs, request });
  };
  const holdOf = (name = MYFM, server = LONDON) =>
    stations.find(({ policy }) => policy.station === name)?.state.desks.get(server)?.hold ?? null;
  return { clock, holds, stations, ask, holdOf };
}

/** What one agent's sign of life says, as another reads it out of the list of listeners. */
function say(from: ReturnType<typeof agentOf>, to: ReturnType<typeof agentOf>, agent = LONDON): void {
  const marks = from.holds.marksFor(DUBLIN);
  const said = userAgentOf({ role: 'presence', agent, id: monitorId('ab'), marks });
  const heard = parseUserAgent(said)?.marks ?? [];
  const atMs = to.clock.nowMs();
  to.holds.saw(goodLook(atMs, [], [{ agent, connectedSeconds: 1, marks: heard }]));
}

describe('what an operator asked of one agent', () => {
  test('is known to the other as it was given, on its own clock', () => {
    const [london, dublin] = [agentOf(LONDON), agentOf(DUBLIN)];
    london.ask(HOLD);
    london.clock.advance(60_000);
    dublin.clock.advance(60_000);
    say(london, dublin);
    expect(dublin.holdOf()).toEqual({ author: HOLD.author, untilMs: NOW + HOUR_MS, source: null });
  });

  test('is known with the source that was forced, and ends when it is released', () => {
    const [london, dublin] = [agentOf(LONDON), agentOf(DUBLIN)];
    london.stations[0]?.take({
      ...{ kind: 'heard-order', atMs: NOW },
      order: {
        ...{ unixSeconds: NOW / 1000, by: LONDON, author: 'ann', server: LONDON },
        hold: { untilMs: NOW + HOUR_MS, source: AUTODJ },
      },
    });
    say(london, dublin);
    expect(dublin.holdOf()).toMatchObject({ author: 'ann', source: AUTODJ });
    london.ask({ do: 'release', server: LONDON, author: 'bob' });
    say(london, dublin);
    expect(dublin.holdOf()).toBeNull();
    expect(dublin.stations[0]?.state.desks.get(LONDON)?.order).toMatchObject({ by: LONDON, author: 'bob' });
  });

  test('comes back to an agent that has lost its memory', () => {
    const [london, dublin, anew] = [agentOf(LONDON), agentOf(DUBLIN), agentOf(LONDON)];
    london.ask(HOLD);
    say(london, dublin);
    say(dublin, anew, DUBLIN);
    expect(anew.holdOf()).toEqual(london.holdOf());
  });

  test('is no news when it is said again, whatever was asked here meanwhile', () => {
    const [london, dublin] = [agentOf(LONDON), agentOf(DUBLIN)];
    london.ask(HOLD);
    say(london, dublin);
    const { state } = dublin.stations[0] ?? {};
    say(london, dublin);
    dublin.clock.advance(HOUR_MS / 2);
    say(agentOf(DUBLIN), dublin);
    say(london, dublin);
    expect(dublin.stations[0]?.state).toBe(state);
  });

  test('makes another text of what is new, so that a sign of life is given at once', () => {
    const london = agentOf(LONDON);
    expect(london.holds.news).toBe('');
    london.ask(HOLD);
    const first = london.holds.news;
    london.ask({ do: 'release', server: LONDON, author: 'ann' });
    expect(new Set(['', first, london.holds.news]).size).toBe(3);
  });

  test('is said no more when nobody can believe in an older word', () => {
    const london = agentOf(LONDON);
    london.ask(HOLD);
    london.clock.advance(7 * 24 * HOUR_MS - 1_000);
    expect(london.holds.marksFor(DUBLIN)).toHaveLength(1);
    london.clock.advance(1_000);
    expect(london.holds.marksFor(DUBLIN)).toEqual([]);
  });

  test.each([
    ['from who does not know the password of the server', { password: 'guessed' }],
    ['from an agent of other stations', { names: ['jazz'] }],
    ['from an agent that has other sources', { sources: [AUTODJ, PRIMARY] }],
  ])('is not believed %s', (_who, other) => {
    const [london, dublin] = [agentOf(LONDON, other), agentOf(DUBLIN)];
    london.ask(HOLD);
    expect(london.holds.marksFor(DUBLIN)).toHaveLength(1);
    say(london, dublin);
    expect(dublin.holdOf()).toBeNull();
  });

  test.each([
    ['another hour', (mark: string) => mark.replace(/^(o[^x]+x[^x]+x)1/, (_all, before) => `${before}2`)],
    ['another name', (mark: string) => mark.replace(/x416e6e/, 'x426e6e')],
    ['a piece missing', (mark: string) => mark.slice(0, -1)],
  ])('is not believed with %s', (_what, spoil) => {
    const [london, dublin] = [agentOf(LONDON), agentOf(DUBLIN)];
    london.ask(HOLD);
    const [mark = ''] = london.holds.marksFor(DUBLIN);
    const marks = [spoil(mark)];
    expect(marks).not.toEqual([mark]);
    dublin.holds.saw(goodLook(NOW, [], [{ agent: LONDON, connectedSeconds: 1, marks }]));
    expect(dublin.holdOf()).toBeNull();
  });

  test('lasts no longer than a hold may, whatever the clock of the other agent shows', () => {
    const [london, dublin] = [agentOf(LONDON), agentOf(DUBLIN)];
    london.clock.advance(400 * 24 * HOUR_MS);
    london.ask(HOLD);
    say(london, dublin);
    expect(dublin.holdOf()?.untilMs).toBe(NOW + 7 * 24 * HOUR_MS);
  });
});

describe('holds of many stations', () => {
  const names = Array.from({ length: 40 }, (_, index) => `station-${index}`);

  test('are all known to the other after some renewals, the newest at once', () => {
    const [london, dublin] = [agentOf(LONDON, { names }), agentOf(DUBLIN, { names })];
    for (const station of london.stations) {
      london.clock.advance(2_000);
      london.ask({ ...HOLD, author: 'x'.repeat(64) }, station);
    }
    const known = () => names.filter((name) => dublin.holdOf(stationName(name)) !== null);
    say(london, dublin);
    expect(known()).toEqual(expect.arrayContaining(['station-39', 'station-38']));
    for (let renewals = 0; renewals < 20; renewals += 1) say(london, dublin);
    expect(known()).toEqual(names);
  });

  test('leave the room for the other marks that an agent has when it says the longest', () => {
    const names = Array.from({ length: 4 }, (_, index) => `s${index}${'-station'.repeat(3)}`);
    const london = agentOf(LONDON, { names });
    for (const station of london.stations) london.ask({ ...HOLD, author: 'ß'.repeat(64) }, station);
    const marks = london.holds.marksFor(DUBLIN);
    expect(marks.map(({ length }) => length)).toEqual([162, 162, 162, 162]);
    // A few long ones, or one for each of the incidents of a house with many stations.
    for (const [count, chars] of [
      [13, 50],
      [MOST_MARKS - marks.length, 23],
    ] as const) {
      const others = Array.from({ length: count }, (_, at) => `${'c'.repeat(chars)}${at}`);
      const said = userAgentOf({
        role: 'presence',
        agent: LONDON,
        id: monitorId('ab'),
        marks: [...marks, ...others],
      });
      expect(parseUserAgent(said)?.marks).toEqual([...marks, ...others]);
    }
  });
});
