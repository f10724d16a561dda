import { describe, expect, test } from 'vitest';
import type { Desk } from '../../../src/decide/desk.ts';
import type { LegState } from '../../../src/decide/leg.ts';
import { movesNeeded, tidyAway, withMoveResult, withMoveSent } from '../../../src/decide/sweep.ts';
import { commandId } from '../../../src/domain/commands.ts';
import { mount } from '../../../src/domain/ids.ts';
import type { CommandOutcome } from '../../../src/domain/inputs.ts';
import {
  AUTODJ,
  audible,
  deskWith,
  faulty,
  legThat,
  POLICY,
  PRIMARY,
  SECONDARY,
  unknown,
} from './builders.ts';

const FROM = mount('/primary');
const MOVE = { from: FROM, to: mount('/secondary') };
const NOW_MS = 100_000;
const away = (source: typeof PRIMARY, sinceMs = NOW_MS - 1000) => ({ source, sinceMs, emptySinceMs: null });
const onSecondary = (changes: Partial<Desk> = {}): Desk =>
  deskWith({ onAir: SECONDARY, away: [away(PRIMARY)], ...changes });
const legs = (nowMs = NOW_MS, listeners = 10): LegState[] => [
  legThat(PRIMARY, faulty(0), { listeners, clients: listeners + 2 }),
  legThat(SECONDARY, audible(0, nowMs)),
  legThat(AUTODJ, audible(0, nowMs)),
];
const moves = (desk: Desk, nowMs = NOW_MS, from = legs(nowMs)) =>
  movesNeeded(desk, from, nowMs, POLICY).map((move) => `${move.from} ${move.to}`);
const id = commandId('c1');
const ended = (desk: Desk, is: CommandOutcome['is']): Desk => {
  const answered = withMoveResult(desk, id, { is, detail: `it was ${is}` });
  if (answered === null) throw new Error('not a command of this desk');
  return answered.desk;
};

describe('who is moved', () => {
  test('everybody on a mount that listeners were taken from, with a deadline and a reason', () => {
    expect(movesNeeded(onSecondary(), legs(), NOW_MS, POLICY)).toEqual([
      {
        from: '/primary',
        to: '/secondary',
        deadlineMs: NOW_MS + 4000,
        because: '10 listeners on /primary, but secondary is on air',
      },
    ]);
  });

  test('nobody from an empty mount, from one that is gone, or from one that was never left', () => {
    expect(moves(onSecondary(), NOW_MS, legs(NOW_MS, 0))).toEqual([]);
    const gone = legs().map((leg) => ({ ...leg, missing: { sinceMs: 0, looks: 1 } }));
    expect(moves(onSecondary(), NOW_MS, gone)).toEqual([]);
    expect(moves(onSecondary({ away: [] }))).toEqual([]);
  });

  test.each([
    ['is faulty', faulty(0)],
    ['is unknown', unknown()],
    ['was verified too long ago', audible(0, NOW_MS - 5001)],
  ])('nobody onto a source that %s', (_what, condition) => {
    const target = legThat(SECONDARY, condition);
    const [primary] = legs();
    expect(moves(onSecondary(), NOW_MS, primary === undefined ? [] : [primary, target])).toEqual([]);
  });

  test('nobody under a hold, but everybody onto a source that was forced, however it sounds', () => {
    const hold = { author: 'ann', untilMs: NOW_MS + 1000, source: null };
    expect(moves(onSecondary({ hold }))).toEqual([]);
    const silent = legs().map((leg) => ({ ...leg, condition: faulty(0) }));
    expect(moves(onSecondary({ hold: { ...hold, source: SECONDARY } }), NOW_MS, silent)).toEqual([
      '/primary /secondary',
    ]);
    expect(moves(onSecondary({ hold: { ...hold, source: AUTODJ } }))).toEqual([]);
  });

  test('nobody to a mount of another format', () => {
    const [primary] = legs();
    const ogg = legThat(SECONDARY, audible(0, NOW_MS), { contentType: 'application/ogg' });
    expect(moves(onSecondary(), NOW_MS, primary === undefined ? [] : [primary, ogg])).toEqual([]);
  });
});

describe('when a move is repeated', () => {
  const sent = withMoveSent(onSecondary(), MOVE, id, NOW_MS);

  test('not while its result may still come', () => {
    expect(moves(sent, NOW_MS + 3900)).toEqual([]);
    expect(moves(sent, NOW_MS + 4000)).toEqual(['/primary /secondary']);
  });

  test('two seconds after the last one when it was done', () => {
    const done = ended(sent, 'done');
    expect(moves(done, NOW_MS + 1900)).toEqual([]);
    expect(moves(done, NOW_MS + 2000)).toEqual(['/primary /secondary']);
  });

  test.each([
    [1, 4000],
    [2, 8000],
    [3, 10_000],
    [9, 10_000],
  ])('after %i failures in a row it waits %i ms', (failures, waitMs) => {
    let desk = onSecondary();
    for (let failure = 0; failure < failures; failure += 1)
      desk = ended(withMoveSent(desk, MOVE, id, NOW_MS), 'not-done');
    expect(moves(desk, NOW_MS + waitMs - 100)).toEqual([]);
    expect(moves(desk, NOW_MS + waitMs)).toHaveLength(1);
  });

  test('a result that never came counts as a failure, a success forgets them', () => {
    const again = withMoveSent(sent, MOVE, commandId('c2'), NOW_MS + 4000);
    expect(again.sweeps.get(FROM)).toMatchObject({ failures: 1, command: 'c2' });
    expect(ended(withMoveSent(again, MOVE, id, NOW_MS + 8000), 'done').sweeps.get(FROM)?.failures).toBe(0);
  });

  test('a late result of a command that was given up is none of ours', () => {
    const again = withMoveSent(sent, MOVE, commandId('c2'), NOW_MS + 4000);
    expect(withMoveResult(again, id, { is: 'done', detail: '' })).toBeNull();
  });
});

describe('the mounts that may still hold listeners', () => {
  const kept = (desk: Desk, nowMs: number, listeners: number) =>
    tidyAway(desk, legs(nowMs, listeners), nowMs).away.map(({ source }) => source);

  test('a better source is watched as long as another is on air', () => {
    expect(kept(onSecondary({ away: [away(PRIMARY, 0)] }), NOW_MS + 3_600_000, 0)).toEqual([PRIMARY]);
  });

  test('after a return, a backup is forgotten once it has been empty for ten seconds', () => {
    const desk = deskWith({ away: [away(SECONDARY, NOW_MS)] });
    const empty = tidyAway(desk, legs(), NOW_MS);
    expect(kept(empty, NOW_MS + 9900, 0)).toEqual([SECONDARY]);
    expect(kept(empty, NOW_MS + 10_000, 0)).toEqual([]);
  });

  test('after a return, who is on a backup a minute later came by himself', () => {
    const desk = deskWith({ onAir: PRIMARY, away: [away(SECONDARY, NOW_MS)] });
    const busy = (nowMs: number) =>
      legs(nowMs).map((leg) => legThat(leg.leg.source, leg.condition, { listeners: 3 }));
    expect(tidyAway(desk, busy(NOW_MS), NOW_MS + 59_900).away).toHaveLength(1);
    expect(tidyAway(desk, busy(NOW_MS), NOW_MS + 60_000).away).toEqual([]);
  });

  test('its moves are forgotten with it', () => {
    const sent = withMoveSent(deskWith({ away: [] }), { from: mount('/secondary'), to: FROM }, id, NOW_MS);
    expect(tidyAway(sent, legs(), NOW_MS).sweeps.size).toBe(0);
  });

  test('the fallback of a source that was away for a moment is looked through', () => {
    const gone = legThat(
      PRIMARY,
      audible(0, NOW_MS),
      { fallback: mount('/autodj') },
      { renewedAtMs: NOW_MS },
    );
    const all = [gone, ...legs().slice(1)];
    expect(tidyAway(deskWith(), all, NOW_MS).away.map(({ source }) => source)).toEqual([AUTODJ]);
  });
});
