import { describe, expect, test } from 'vitest';
import type { Desk } from '../../../src/decide/desk.ts';
import type { LegState } from '../../../src/decide/leg.ts';
import { expireHold, obey } from '../../../src/decide/operator.ts';
import { type SourceName, sourceName } from '../../../src/domain/ids.ts';
import {
  AUTODJ,
  audible,
  deskWith,
  faulty,
  LONDON,
  legThat,
  POLICY,
  PRIMARY,
  SECONDARY,
} from './builders.ts';

const NOW_MS = 100_000;
const legs = [
  legThat(PRIMARY, audible(0, NOW_MS)),
  legThat(SECONDARY, faulty(0)),
  legThat(AUTODJ, audible(0, NOW_MS), { contentType: 'application/ogg' }),
];
const BY_ANN = { server: LONDON, author: 'ann' } as const;

const ask = (
  desk: Desk,
  request: Parameters<typeof obey>[2],
  acting = true,
  from: readonly LegState[] = legs,
) => obey(desk, from, request, acting, NOW_MS, POLICY);
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
