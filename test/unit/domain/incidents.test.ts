import { describe, expect, test } from 'vitest';
import type { AlertCode, StationEvent } from '../../../src/domain/events.ts';
import { CALM_MS } from '../../../src/domain/incident-calm.ts';
import {
  heardWords,
  type IncidentBook,
  type IncidentChange,
  newIncidentBook,
  noteInBook,
  openAsOf,
  passTime,
} from '../../../src/domain/incidents.ts';
import type { RecordedEvent } from '../../../src/domain/record.ts';
import { AUTODJ, audible, DUBLIN, faulty, LONDON, MYFM, POLICY, PRIMARY } from '../decide/builders.ts';

/** A book and the changes that its events have brought, told in one line each. */
class Story {
  book: IncidentBook = newIncidentBook(POLICY, 0);
  readonly changes: IncidentChange[] = [];

  at(unixMs: number, event: RecordedEvent): this {
    const { book, changes } = noteInBook(this.book, { unixMs, station: MYFM, event });
    this.book = book;
    this.changes.push(...changes);
    return this;
  }

  pass(unixMs: number): this {
    const { book, changes } = passTime(this.book, unixMs);
    this.book = book;
    this.changes.push(...changes);
    return this;
  }

  get told(): string[] {
    return this.changes.map(({ is, incident }) => `${is} ${incident.thread} ${incident.severity}`);
  }
}

const primary = POLICY.legs[0]?.id ?? ('' as never);
const silentFrom = (sinceMs: number, atMs: number): StationEvent => ({
  kind: 'leg-changed',
  atMs,
  leg: primary,
  from: audible(0, 0),
  to: faulty(sinceMs),
});
const soundsAgain = (atMs: number): StationEvent => ({
  kind: 'leg-changed',
  atMs,
  leg: primary,
  from: faulty(0),
  to: audible(atMs, atMs),
});
const tookOver: StationEvent = {
  kind: 'took-over',
  atMs: 0,
  server: LONDON,
  source: PRIMARY,
  because: 'it was on air before',
};
const away: StationEvent = {
  kind: 'switched',
  atMs: 0,
  server: LONDON,
  from: PRIMARY,
  to: AUTODJ,
  trigger: 'fault',
  because: '/primary is silent',
};
const back: StationEvent = { ...away, from: AUTODJ, to: PRIMARY, trigger: 'return', because: 'it is good' };
const nothing = (kind: 'alert-opened' | 'alert-closed', atMs = 0): StationEvent => ({
  kind,
  atMs,
  code: 'nothing-audible',
  subject: LONDON,
  detail: '/primary is silent',
});
const started: RecordedEvent = {
  kind: 'agent-started',
  atMs: 0,
  agent: LONDON,
  version: '0',
  lastSeenUnixMs: null,
};

describe('an incident', () => {
  test('is one from the first switch to a lasting calm, with its cause, its length and what was heard', () => {
    const story = new Story()
      .at(0, tookOver)
      .at(1, soundsAgain(1))
      .at(15_000, silentFrom(10_000, 15_000))
      .at(15_100, away)
      .at(59_000, soundsAgain(59_000))
      .at(60_000, back)
      .pass(60_000 + CALM_MS - 1);
    expect(story.told).toEqual(['opened sound warning', 'changed sound warning']);
    story.pass(60_000 + CALM_MS);
    const closed = story.changes.at(-1);
    expect(closed).toMatchObject({
      is: 'closed',
      incident: { cause: '/primary is silent', openedUnixMs: 15_100, closedUnixMs: 60_000 },
    });
    // From where the silence began, not from where it was found.
    expect(closed?.incident.deadAirMs).toEqual({ [LONDON]: 5_100 });
    expect(closed?.incident.steps.map(({ is }) => is)).toEqual(['opened', 'eased', 'closed']);
  });

  test('that comes and goes for an hour is told twice, and one that comes after an hour of peace as ever', () => {
    const story = new Story();
    for (let unixMs = 0; unixMs < 3_600_000; unixMs += 90_000)
      story.at(unixMs, nothing('alert-opened')).at(unixMs + 45_000, nothing('alert-closed'));
    story.pass(7_200_000);
    const told = ['opened sound critical', 'closed sound critical'];
    expect(story.told.filter((one) => !one.startsWith('changed'))).toEqual([...told, ...told]);
    expect(story.changes.at(-1)?.incident).toMatchObject({ openedUnixMs: 90_000, closedUnixMs: 3_555_000 });
    story
      .at(7_200_000, nothing('alert-opened'))
      .at(7_210_000, nothing('alert-closed'))
      .pass(7_210_000 + CALM_MS);
    expect(story.told.at(-1)).toBe('closed sound critical');
  });

  test('keeps its length and its dead air though the clock is put back by an hour in the middle of it', () => {
    const story = new Story()
      .at(3_600_000, tookOver)
      .at(3_600_000, soundsAgain(0))
      .at(3_620_000, silentFrom(15_000, 20_000))
      .at(3_620_000, nothing('alert-opened'))
      .at(25_000, { kind: 'time-missed', atMs: 0, is: 'clock-put', fromUnixMs: 3_625_000, forMs: -3_600_000 })
      .at(60_000, soundsAgain(60_000))
      .at(60_000, nothing('alert-closed'))
      .pass(60_000 + CALM_MS);
    expect(story.changes.at(-1)).toMatchObject({
      is: 'closed',
      incident: { openedUnixMs: 20_000, closedUnixMs: 60_000, deadAirMs: { [LONDON]: 45_000 } },
    });
  });

  test('that was calm when the agent ended is over soon, though the clock is behind at the start', () => {
    const story = new Story().at(100_000, away).at(110_000, back);
    story.book = newIncidentBook(POLICY, 10_000, story.book.open);
    expect(story.pass(10_000 + CALM_MS).told).toEqual([
      'opened sound warning',
      'changed sound warning',
      'closed sound warning',
    ]);
  });

  test('takes a relapse within the calm for itself', () => {
    const story = new Story().at(0, away).at(10_000, back).at(20_000, away).at(30_000, back).pass(40_000);
    expect(story.book.open).toHaveLength(1);
    expect(story.told.filter((told) => told.startsWith('opened'))).toHaveLength(1);
  });

  test('is critical as soon as nothing sounds, and is acknowledged once', () => {
    const story = new Story().at(0, away).at(1000, nothing('alert-opened'));
    expect(story.told).toEqual(['opened sound warning', 'escalated sound critical']);
    const incident = story.book.open[0]?.id ?? '';
    const acknowledged: RecordedEvent = { kind: 'acknowledged', atMs: 0, incident, author: 'ann' };
    story.at(2000, acknowledged).at(3000, { ...acknowledged, author: 'bob' });
    expect(story.book.open[0]?.acknowledged).toEqual({ author: 'ann', unixMs: 2000 });
    expect(story.told.filter((told) => told.startsWith('acknowledged'))).toHaveLength(1);
  });
});

describe('the title of an alert', () => {
  const titleOf = (code: AlertCode, subject: string, detail: string) =>
    new Story().at(0, { kind: 'alert-opened', atMs: 0, code, subject, detail }).changes[0]?.incident.title;

  test('says where and what in words, and no name of ours', () => {
    expect(titleOf('server-down', LONDON, 'connection refused')).toBe(
      'london: Icecast is down: connection refused',
    );
    expect(titleOf('nothing-audible', LONDON, 'no source is audible')).toBe('london: no source is audible');
    expect(titleOf('programme-fault', primary, 'the meter finds hum')).toBe(
      'primary on london: the meter finds hum',
    );
    expect(titleOf('cannot-hear', 'dns', 'nothing is known')).toBe('nothing is known');
    expect(titleOf('agent-gone', LONDON, 'london: it is gone')).toBe('london: it is gone');
  });
});

test('what the relay plays where no leg sounds is called by its name', () => {
  const [leg] = POLICY.legs;
  const switched = {
    kind: 'relay-switched',
    atMs: 0,
    from: leg?.id ?? null,
    to: null,
    trigger: 'fault',
  } as const;
  const titleOf = (event: Partial<StationEvent & { kind: 'relay-switched' }>) =>
    new Story().at(0, { ...switched, hitless: false, because: 'no leg is audible', ...event }).changes[0]
      ?.incident.title;
  expect(titleOf({})).toBe('london: the noise floor on air, because no leg is audible');
  expect(titleOf({ filler: 'emergency-file' })).toContain('the emergency file on air');
});

describe('an agent that starts', () => {
  test('and finds another source on air than the first opens the incident that its death may have swallowed', () => {
    const found: StationEvent = { ...tookOver, source: AUTODJ };
    expect(new Story().at(0, found).told).toEqual(['opened sound warning']);
    expect(new Story().at(0, { ...found, held: true }).told).toEqual([]);
  });

  test('closes what it does not find again, and keeps what it does', () => {
    const before = new Story().at(0, away);
    before.at(0, {
      kind: 'alert-opened',
      atMs: 0,
      code: 'backup-not-proven',
      subject: 'myfm/autodj@london',
      detail: '',
    });
    const story = new Story();
    story.book = newIncidentBook(POLICY, 100_000, before.book.open);
    story
      .at(100_000, started)
      .at(101_000, { ...tookOver, source: AUTODJ })
      .pass(190_001)
      .pass(190_001 + CALM_MS);
    expect(story.book.open.map(({ reasons }) => reasons)).toEqual([['away london']]);
    expect(story.told.at(-1)).toBe('closed backup-not-proven myfm/autodj@london warning');
  });

  test('as a deputy no longer leaves nothing open of the server that it stood in for', () => {
    const story = new Story().at(0, { ...away, server: DUBLIN }).at(5000, {
      kind: 'role-changed',
      atMs: 0,
      server: DUBLIN,
      from: 'deputy',
      to: 'watching',
      because: 'its own agent is at work',
    });
    expect(story.pass(5000 + CALM_MS).book.open).toEqual([]);
  });
});

const alert = (
  kind: 'alert-opened' | 'alert-closed',
  code: 'server-down' | 'backup-not-proven' | 'programme-fault' | 'agent-gone',
  subject: string,
): StationEvent => ({ kind, atMs: 0, code, subject, detail: code });

describe('dead air', () => {
  const deadOf = (story: Story) =>
    Object.fromEntries(
      [...story.changes.map(({ incident }) => incident), ...story.book.open].map(({ thread, deadAirMs }) => [
        thread,
        deadAirMs,
      ]),
    );
  const sounding = () => new Story().at(0, tookOver).at(1, soundsAgain(1));

  test('is that of the sound, and not of what else is wrong on the same server meanwhile', () => {
    const story = sounding()
      .at(1000, alert('alert-opened', 'backup-not-proven', 'myfm/secondary@london'))
      .at(1000, alert('alert-opened', 'agent-gone', LONDON))
      .at(15_000, silentFrom(10_000, 15_000))
      .at(15_100, away)
      .at(16_000, back);
    expect(deadOf(story)).toEqual({
      sound: { [LONDON]: 5_100 },
      'backup-not-proven myfm/secondary@london': {},
      [`server ${LONDON}`]: {},
    });
  });

  test('is also that of a fault of the very source on air, and of a server that is down', () => {
    const story = sounding()
      .at(15_000, silentFrom(10_000, 15_000))
      .at(15_000, alert('alert-opened', 'programme-fault', primary))
      .at(16_000, soundsAgain(16_000))
      .at(16_000, alert('alert-closed', 'programme-fault', primary))
      .at(20_000, {
        kind: 'server-changed',
        atMs: 20_000,
        server: LONDON,
        from: { is: 'up', sinceMs: 0 },
        to: { is: 'down', sinceMs: 20_000, fault: 'refused', detail: '' },
      })
      .at(21_000, alert('alert-opened', 'server-down', LONDON))
      .at(24_000, {
        kind: 'server-changed',
        atMs: 24_000,
        server: LONDON,
        from: { is: 'down', sinceMs: 20_000, fault: 'refused', detail: '' },
        to: { is: 'up', sinceMs: 24_000 },
      })
      .at(24_000, alert('alert-closed', 'server-down', LONDON))
      // The server is up, and its source is not there yet.
      .at(25_000, silentFrom(24_000, 25_000))
      .at(29_000, soundsAgain(29_000));
    expect(deadOf(story)[`server ${LONDON}`]).toEqual({ [LONDON]: 9_000 });
    expect(deadOf(story)[`programme-fault ${primary}`]?.[LONDON]).toBeGreaterThanOrEqual(6_000);
  });
});

describe('the name', () => {
  const moving = {
    kind: 'dns-moving',
    atMs: 0,
    from: LONDON,
    to: DUBLIN,
    trigger: 'fault',
    because: 'london is dead',
  } as const;
  const openAfter = (...events: readonly RecordedEvent[]) =>
    events.reduce((story, event, index) => story.at(1_000 * (index + 1), event), new Story()).pass(90_000)
      .book.open;

  test('that has fled is an incident until it is home again, whoever brought it there', () => {
    expect(openAfter(moving)).toHaveLength(1);
    expect(openAfter(moving, { ...moving, from: DUBLIN, to: LONDON, trigger: 'return' })).toEqual([]);
    const found = { kind: 'dns-found', atMs: 0, from: DUBLIN, to: LONDON } as const;
    expect(openAfter(moving, { ...found, isHome: true })).toEqual([]);
    expect(openAfter(moving, found)).toHaveLength(1);
  });

  test('that has fled home is none that waits for its return', () => {
    expect(openAfter({ ...moving, from: DUBLIN, to: LONDON, isHome: true })).toEqual([]);
  });
});

test('a server that dies is one trouble, however many see it in their own way', () => {
  const opened = { kind: 'alert-opened', atMs: 0, subject: LONDON, detail: 'refused' } as const;
  const story = new Story()
    .at(1_000, { ...opened, kind: 'dns-alert-opened', code: 'dns-server-ill' })
    .at(2_000, { ...opened, code: 'server-down' })
    .at(9_000, { ...opened, code: 'agent-gone' });
  expect(story.book.open.map(({ thread, severity }) => [thread, severity])).toEqual([
    [`server ${LONDON}`, 'critical'],
  ]);
});

test('dead air is also that of a server that listeners do not hear, by whose name the DNS has it', () => {
  const story = new Story().at(0, tookOver).at(1, soundsAgain(1));
  for (const code of ['dns-server-ill', 'dns-held'] as const)
    story.at(10_000, { kind: 'dns-alert-opened', atMs: 10_000, code, subject: LONDON, detail: code });
  story.at(15_000, silentFrom(10_000, 15_000)).at(20_000, soundsAgain(20_000));
  const dead = [...story.book.open].map(({ thread, deadAirMs }) => [thread, deadAirMs]);
  expect(Object.fromEntries(dead)).toMatchObject({
    [`server ${LONDON}`]: { [LONDON]: 10_000 },
    [`dns-held ${LONDON}`]: { [LONDON]: 10_000 },
  });
});

describe('what listeners heard', () => {
  const seconds = (ms: number) => `${ms / 1000} s`;

  test('is not said to be nothing where nobody knew', () => {
    expect(heardWords({ deadAirMs: {} }, seconds)).toBe('no dead air, as far as the log can tell');
    expect(heardWords({ deadAirMs: { london: 5000 }, unheard: [DUBLIN] }, seconds)).toBe(
      '5 s of dead air on london, not known for dublin',
    );
    expect(heardWords({ deadAirMs: { london: 5000 }, unheard: [LONDON] }, seconds)).toBe(
      'at least 5 s of dead air on london',
    );
  });

  test('is not known on a server whose sound is in no event', () => {
    const story = new Story().at(0, tookOver).at(10_000, { ...away, server: DUBLIN });
    story.at(20_000, { ...back, server: DUBLIN }).pass(20_000 + CALM_MS);
    expect(story.changes.at(-1)).toMatchObject({ is: 'closed', incident: { unheard: [DUBLIN] } });
    expect(story.changes.at(-1)?.incident.steps.at(-1)?.says).toBe('over after 10.0 s; not known for dublin');
  });

  test('counts up to now while it lasts, though no event has ended it', () => {
    const story = new Story().at(0, tookOver).at(1, soundsAgain(1)).at(15_000, silentFrom(10_000, 15_000));
    story.at(15_000, nothing('alert-opened'));
    const heardAt = (unixMs: number) => openAsOf(story.book, unixMs).map(({ deadAirMs }) => deadAirMs);
    expect(heardAt(18_000)).toEqual([{ [LONDON]: 8_000 }]);
    expect(heardAt(25_000)).toEqual([{ [LONDON]: 15_000 }]);
  });

  test('is known where the source on air was heard all the time', () => {
    const autodj = POLICY.legs.find(({ server, source }) => server === LONDON && source === AUTODJ)?.id;
    const heard = { kind: 'leg-changed', atMs: 0, from: audible(0, 0), to: audible(0, 0) } as const;
    const story = new Story().at(0, tookOver).at(0, { ...heard, leg: primary });
    story.at(0, { ...heard, leg: autodj ?? ('' as never) });
    story.at(12_000, silentFrom(7_000, 12_000)).at(12_000, away).at(30_000, soundsAgain(30_000));
    story.at(50_000, back).pass(50_000 + CALM_MS);
    expect(story.changes.at(-1)?.incident.unheard).toBeUndefined();
    expect(story.changes.at(-1)?.incident.deadAirMs).toEqual({ london: 5_000 });
  });
});

test('a server that comes into an incident later is told of, and one of the same moment is not', () => {
  const story = new Story().at(0, away).at(5_000, { ...away, server: DUBLIN });
  expect(story.told).toEqual(['opened sound warning', 'changed sound warning']);
  const later = new Story()
    .at(0, away)
    .at(60_000, { ...away, server: DUBLIN })
    .at(61_000, away);
  expect(later.told).toEqual(['opened sound warning', 'widened sound warning', 'changed sound warning']);
});
