import { describe, expect, test } from 'vitest';
import { type TellingSituation, whoTells } from '../../../src/decide/telling.ts';

type Sight = TellingSituation['colleagues'][number];
const colleague = (agent: string, changes: Partial<Sight> = {}): Sight => ({
  agent,
  seenAgoMs: 3_000,
  hasTold: false,
  ...changes,
});
const situation = (changes: Partial<TellingSituation>): TellingSituation => ({
  self: 'dublin',
  order: ['london', 'dublin'],
  colleagues: [colleague('london')],
  leftTo: null,
  is: 'opened',
  toldByUs: false,
  waitedMs: 0,
  ...changes,
});
const hasTold = { hasTold: true };

describe('of two agents that see the same', () => {
  test('the first in the order tells at once', () => {
    expect(whoTells(situation({ self: 'london', colleagues: [colleague('dublin')] }))).toEqual({
      do: 'tell',
    });
  });

  test('the second waits for it, and leaves it to the first when that has told', () => {
    expect(whoTells(situation({}))).toEqual({ do: 'wait', forMs: 12_000 });
    expect(whoTells(situation({ waitedMs: 4_000, colleagues: [colleague('london', hasTold)] }))).toEqual({
      do: 'leave',
      to: 'london',
    });
  });

  test('the second tells when the first has not, though it lives: it may not see it, or not get through', () => {
    expect(whoTells(situation({ waitedMs: 12_000 }))).toEqual({ do: 'tell' });
  });

  test('also the first leaves it to the second when that has told already', () => {
    const colleagues = [colleague('dublin', hasTold)];
    expect(whoTells(situation({ self: 'london', colleagues })).do).toBe('leave');
  });
});

describe('an agent that cannot see the other', () => {
  test.each([[[]], [[colleague('london', { seenAgoMs: 13_000, ...hasTold })]]])(
    'tells at once, as it may be the only one: %o',
    (colleagues) => {
      expect(whoTells(situation({ colleagues }))).toEqual({ do: 'tell' });
    },
  );
});

test('who has begun a thread goes on with it, whatever the other has told', () => {
  const colleagues = [colleague('london', hasTold)];
  for (const is of ['escalated', 'acknowledged', 'closed'] as const)
    expect(whoTells(situation({ is, toldByUs: true, colleagues }))).toEqual({ do: 'tell' });
});

describe('the end of what was left to another', () => {
  test('is told by nobody while that one lives, as it has ended it already', () => {
    expect(whoTells(situation({ is: 'closed', leftTo: 'london' }))).toEqual({ do: 'leave', to: 'london' });
  });

  test('is told when that one is gone', () => {
    const gone = colleague('london', { seenAgoMs: 13_000 });
    expect(whoTells(situation({ is: 'closed', leftTo: 'london', colleagues: [gone] })).do).toBe('tell');
  });

  test('and that it has become worse is news', () => {
    const is = 'escalated';
    expect(whoTells(situation({ is, leftTo: 'london', waitedMs: 12_000 })).do).toBe('tell');
  });
});

test('a witness comes after every agent that stands beside a server', () => {
  expect(whoTells(situation({ self: 'witness', colleagues: [colleague('dublin')] })).do).toBe('wait');
  expect(whoTells(situation({ self: 'dublin', colleagues: [colleague('witness')] })).do).toBe('tell');
});

describe('of three agents that see the same', () => {
  const order = ['london', 'dublin'];
  const waits = (self: string, ...others: string[]) =>
    whoTells(situation({ self, order, colleagues: others.map((agent) => colleague(agent)) }));

  test('each waits for all before it, as the first may have died of what is to be told', () => {
    expect(waits('london', 'dublin', 'witness')).toEqual({ do: 'tell' });
    expect(waits('dublin', 'london', 'witness')).toEqual({ do: 'wait', forMs: 12_000 });
    expect(waits('witness', 'london', 'dublin')).toEqual({ do: 'wait', forMs: 24_000 });
  });

  test('of two witnesses one comes first', () => {
    expect(waits('oslo', 'paris')).toEqual({ do: 'tell' });
    expect(waits('paris', 'oslo')).toEqual({ do: 'wait', forMs: 12_000 });
  });
});
