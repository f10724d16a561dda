import { describe, expect, test } from 'vitest';
import type { Desk } from '../../../src/decide/desk.ts';
import type { LegState } from '../../../src/decide/leg.ts';
import { expireHold, follow, obey } from '../../../src/decide/operator.ts';
import { type SourceName, sourceName } from '../../../src/domain/ids.ts';
import type { HoldOrder } from '../../../src/domain/operator.ts';
import {
  AUTODJ,
  audible,
  DUBLIN,
  deskWith,
  faulty,
  LONDON,
  legThat,
  POLICY,
  PRIMARY,
  policyWith,
  SECONDARY,
} from './builders.ts';

const NOW_MS = 100_000;
const UNIX_MS = 1_700_000_000_000;
const legs = [
  legThat(PRIMARY, audible(0, NOW_MS)),
  legThat(SECONDARY, faulty(0)),
  legThat(AUTODJ, audible(0, NOW_MS), { contentType: 'application/ogg' }),
];
const BY_ANN = { server: LONDON, author: 'ann' } as const;

const ask = (
  desk: Desk,
  request: Parameters<typeof obey>[2]['request'],
  acting = true,
  from: readonly LegState[] = legs,
) => obey(desk, from, { kind: 'operator', atMs: NOW_MS, unixMs: UNIX_MS, request }, acting, POLICY);
const force = (source: SourceName, override = false, desk = deskWith(), from: readonly LegState[] = legs) =>
  ask(desk, { do: 'force', ...BY_ANN, source, override, forMs: 600_000 }, true, from);
const said = (answer: ReturnType<typeof obey>): string[] =>
  answer.events.map((event) => `${event.kind}: ${'detail' in event ? event.detail : ''}`);

describe('a hold', () => {
  const held = ask(deskWith(), { do: 'hold', ...BY_ANN, forMs: 600_000 });

  test('has an author and an end', () => {
    expect(held.desk.hold).toEqual({ author: 'ann', untilMs: NOW_MS + 600_000, source: null });
    expect(said(held)).toEqual(['hold-changed: held for 10 min']);
  });

  test.each([
    [1_000, '1 s'],
    [20_000, '20 s'],
    [60_000, '1 min'],
    [90_000, '1 min 30 s'],
    [3_600_000, '60 min'],
  ])('of %i ms is told as one of %s', (forMs, length) => {
    expect(said(ask(deskWith(), { do: 'hold', ...BY_ANN, forMs }))).toEqual([
      `hold-changed: held for ${length}`,
    ]);
  });

  test('can be released, and only then', () => {
    const released = ask(held.desk, { do: 'release', ...BY_ANN });
    expect(released.desk.hold).toBeNull();
    expect(said(released)).toEqual(['hold-changed: released']);
    expect(said(ask(deskWith(), { do: 'release', ...BY_ANN }))).toEqual([
      'refused: there is no hold to release',
    ]);
  });

  test('ends by itself, and says whose it was', () => {
    expect(expireHold(held.desk, NOW_MS + 599_900)).toEqual({ desk: held.desk, events: [] });
    const over = expireHold(held.desk, NOW_MS + 600_000);
    expect(over.desk.hold).toBeNull();
    expect(over.events).toMatchObject([{ kind: 'hold-changed', detail: 'expired', author: 'ann' }]);
  });
});

describe('a source that is forced', () => {
  test('goes on air at once and is held there', () => {
    const forced = force(PRIMARY, false, deskWith({ onAir: SECONDARY }));
    expect(forced.desk).toMatchObject({ onAir: PRIMARY, hold: { author: 'ann', source: PRIMARY } });
    expect(forced.events).toMatchObject([
      { kind: 'hold-changed' },
      { kind: 'switched', from: SECONDARY, to: PRIMARY, trigger: 'operator', because: 'ann asked for it' },
    ]);
  });

  test('that is on air already is only held', () => {
    expect(force(PRIMARY).events).toMatchObject([{ kind: 'hold-changed' }]);
  });

  test('may be silent if the operator says so', () => {
    expect(said(force(SECONDARY))[0]).toContain('refused: /secondary is not audible on london now');
    expect(force(SECONDARY, true).desk.onAir).toBe(SECONDARY);
  });

  test.each([
    ['it does not exist', force(sourceName('nope')), 'there is no source nope'],
    ['its mount is of another format, override or not', force(AUTODJ, true), "can't be moved there"],
    ['nothing is known yet', force(PRIMARY, true, deskWith({ onAir: null })), 'only just started'],
  ])('is refused when %s, and nothing changes', (_what, answer, sentence) => {
    expect(said(answer)[0]).toContain(sentence);
    expect(answer.desk.hold).toBeNull();
  });

  test('is not refused for the listeners of a mount that is gone', () => {
    const gone = { missing: { sinceMs: 0, looks: 9 } };
    const from = [
      legThat(PRIMARY, faulty(0, 'absent'), { clients: 90 }, gone),
      legThat(SECONDARY, audible(0, NOW_MS), { clients: 90, maxListeners: 100 }),
    ];
    expect(force(SECONDARY, false, deskWith(), from).desk.onAir).toBe(SECONDARY);
  });
});

test('an agent that only watches refuses, and says whom to ask', () => {
  const answer = ask(deskWith(), { do: 'hold', ...BY_ANN, forMs: 1000 }, false);
  expect(answer.desk.hold).toBeNull();
  expect(said(answer)).toEqual(['refused: another agent is at work on london: ask that one']);
});

describe('what an operator asked of another agent', () => {
  const FOR_MS = 600_000;
  const asked = (changes: Partial<HoldOrder> = {}): HoldOrder => ({
    ...{ server: LONDON, unixSeconds: 1_700_000_000, by: DUBLIN, author: 'bob' },
    hold: { untilMs: NOW_MS + FOR_MS, source: null },
    ...changes,
  });
  const hear = (order: HoldOrder, desk = deskWith(), acting = true, policy = POLICY) =>
    follow(desk, legs, order, acting, NOW_MS, policy);
  const held = ask(deskWith(), { do: 'hold', ...BY_ANN, forMs: FOR_MS }).desk;

  test('goes for this one too, as long as it was asked for', () => {
    const heard = hear(asked());
    expect(heard?.desk.hold).toEqual({ author: 'bob', untilMs: NOW_MS + FOR_MS, source: null });
    expect(heard?.events).toMatchObject([{ detail: 'held for 10 min at dublin', author: 'bob' }]);
  });

  test('is heard once, and counts when it is newer than what is known', () => {
    const heard = hear(asked())?.desk;
    expect(hear(asked(), heard)).toBeNull();
    const release = asked({ hold: null });
    expect(hear({ ...release, unixSeconds: 1_699_999_999 }, heard)).toBeNull();
    expect(hear({ ...release, unixSeconds: 1_700_000_001 }, heard)?.desk.hold).toBeNull();
  });

  test('of the same second counts as that of the agent whose name comes later, on every agent', () => {
    expect(held.order).toEqual({ unixSeconds: UNIX_MS / 1000, by: LONDON, author: 'ann' });
    expect(hear(asked(), held)).toBeNull();
    const ofDublin = hear(asked())?.desk;
    expect(hear(asked({ by: LONDON, author: 'ann' }), ofDublin)?.desk.hold?.author).toBe('ann');
  });

  test('is older than what is asked here after it, whatever the clock of the other showed', () => {
    const ahead = hear(asked({ unixSeconds: 1_700_009_999 }))?.desk ?? deskWith();
    const released = ask(ahead, { do: 'release', ...BY_ANN }).desk;
    expect(released.order).toEqual({ unixSeconds: 1_700_010_000, by: LONDON, author: 'ann' });
    expect(hear(asked({ unixSeconds: 1_700_009_999 }), released)).toBeNull();
  });

  test('puts what was forced on the air, and says so where this agent acts', () => {
    const forced = asked({ hold: { untilMs: NOW_MS + FOR_MS, source: AUTODJ } });
    const because = 'bob asked for it at dublin';
    expect(hear(forced)?.desk).toMatchObject({ onAir: AUTODJ, away: [{ source: PRIMARY }] });
    expect(hear(forced)?.events).toMatchObject([
      { kind: 'hold-changed', detail: 'forced to autodj for 10 min at dublin' },
      { kind: 'switched', from: PRIMARY, to: AUTODJ, trigger: 'operator', because },
    ]);
    expect(hear(forced, deskWith(), false)?.desk.onAir).toBe(AUTODJ);
    expect(hear(forced, deskWith(), false)?.events).toMatchObject([{ kind: 'hold-changed' }]);
    // In relay mode the relay goes there by itself when it sees the hold.
    expect(hear(forced, deskWith(), true, policyWith({ mode: 'relay' }))?.desk.onAir).toBe(PRIMARY);
  });

  test('for a source that is not known here touches nothing all the same', () => {
    const forced = hear(asked({ hold: { untilMs: NOW_MS + FOR_MS, source: sourceName('nope') } }));
    expect(forced?.desk).toMatchObject({ onAir: PRIMARY, hold: { author: 'bob', source: null } });
  });

  test('holds nothing when its time is over, and ends the hold that it came after', () => {
    const over = asked({ unixSeconds: 1_700_000_001, hold: { untilMs: NOW_MS, source: null } });
    expect(hear(over)).toMatchObject({ desk: { hold: null }, events: [] });
    expect(hear(over, held)).toMatchObject({
      desk: { hold: null },
      events: [{ detail: 'released at dublin' }],
    });
  });
});
