import { describe, expect, test } from 'vitest';
import type { StationEvent } from '../../../src/domain/events.ts';
import { type LegId, mount } from '../../../src/domain/ids.ts';
import { sentenceOf } from '../../../src/domain/sentences.ts';
import { EventLog } from '../../../src/wiring/event-log.ts';
import { audible, faulty, LONDON, MYFM, PRIMARY, SECONDARY, unknown } from '../decide/builders.ts';
import { manualClock } from '../platform/clocks.ts';
import { keptLog } from './support.ts';

const AT = { atMs: 5, server: LONDON } as const;
const LEG = { atMs: 5, leg: 'myfm/primary@london' as LegId } as const;
const up = { is: 'up', sinceMs: 0 } as const;
const down = { is: 'down', sinceMs: 0, fault: 'refused', detail: '' } as const;
const alert = { atMs: 5, code: 'server-down', subject: 'london', detail: 'connection refused' } as const;

const EVENTS: readonly (readonly [StationEvent, string, 'info' | 'warn'])[] = [
  [
    { kind: 'leg-changed', ...LEG, from: unknown(), to: audible(0, 0) },
    'myfm/primary@london is audible',
    'info',
  ],
  [{ kind: 'leg-changed', ...LEG, from: unknown(), to: faulty(0) }, 'myfm/primary@london is silent', 'warn'],
  [{ kind: 'server-changed', ...AT, from: up, to: down }, 'london is down', 'warn'],
  [{ kind: 'server-changed', ...AT, from: down, to: up }, 'london is up', 'info'],
  [
    { kind: 'role-changed', ...AT, from: 'watching', to: 'deputy', because: 'its agent is gone' },
    'london: deputy, because its agent is gone',
    'info',
  ],
  [
    { kind: 'took-over', ...AT, source: PRIMARY, because: 'it was on air' },
    'london: primary is on air (it was on air)',
    'info',
  ],
  [
    {
      kind: 'switched',
      ...AT,
      from: PRIMARY,
      to: SECONDARY,
      trigger: 'fault',
      because: '/primary is silent',
    },
    'london: primary to secondary, because /primary is silent',
    'warn',
  ],
  [
    { kind: 'heard-on-air', ...AT, from: PRIMARY, to: SECONDARY },
    'london: primary to secondary, as the agent beside it says',
    'info',
  ],
  [
    { kind: 'moved', ...AT, from: mount('/primary'), to: mount('/secondary'), detail: '10 moved' },
    'london: /primary to /secondary: 10 moved',
    'info',
  ],
  [
    { kind: 'hold-changed', ...AT, detail: 'held for 10 min', author: 'ann' },
    'london: held for 10 min by ann',
    'info',
  ],
  [
    { kind: 'refused', ...AT, detail: 'no such source', author: 'ann' },
    'london: refused to ann: no such source',
    'warn',
  ],
  [{ kind: 'alert-opened', ...alert }, 'alert server-down: connection refused', 'warn'],
  [{ kind: 'alert-closed', ...alert }, 'over: server-down (london)', 'info'],
];

test.each(EVENTS)('%o is said as a sentence', (event, sentence) => {
  expect(sentenceOf(event)).toBe(sentence);
});

describe('the log of a station', () => {
  test('has each event with its facts and its sentence, at a level that fits', () => {
    const { log, lines } = keptLog();
    const events = new EventLog(MYFM, manualClock(), log);
    for (const [event] of EVENTS) events.note(event);
    expect(lines.map(({ level }) => (level === 40 ? 'warn' : 'info'))).toEqual(
      EVENTS.map(([, , level]) => level),
    );
    expect(lines[6]).toMatchObject({ station: 'myfm', event: 'switched', from: 'primary', to: 'secondary' });
    expect(lines.map(({ msg }) => msg)).toEqual(EVENTS.map(([, sentence]) => sentence));
  });

  test('keeps the newest two hundred, the newest last, with the time of day', () => {
    const clock = manualClock();
    const events = new EventLog(MYFM, clock, keptLog().log);
    for (let count = 0; count < 500; count += 1) {
      events.note({
        kind: 'alert-closed',
        atMs: count,
        code: 'server-down',
        subject: `${count}`,
        detail: '',
      });
      clock.advance(1000);
    }
    expect(events.events).toHaveLength(200);
    expect(events.events[0]?.event.atMs).toBe(300);
    expect(events.events.at(-1)).toMatchObject({ time: '1970-01-01T00:08:19.000Z', event: { atMs: 499 } });
  });
});
