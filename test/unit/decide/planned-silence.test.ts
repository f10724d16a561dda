import { describe, expect, test } from 'vitest';
import { LATE_MS, nextWindow, windowInForce } from '../../../src/decide/planned-silence.ts';
import {
  type PlannedSilence,
  parsePlannedDay,
  parseTimeOfDay,
  plannedDayText,
} from '../../../src/domain/planned-silence.ts';
import { MYFM } from './builders.ts';

function plan(day: string, at = '11:00', timeZone = 'Europe/London'): PlannedSilence {
  const parsed = parsePlannedDay(day);
  if (!parsed.ok) throw new Error(parsed.message);
  return {
    id: 'a',
    station: MYFM,
    day: parsed.day,
    atSeconds: parseTimeOfDay(at) ?? Number.NaN,
    lengthMs: 120_000,
    timeZone,
    says: 'two minutes',
    author: 'ann',
  };
}

/** When it begins next, as people write it. */
function begins(one: PlannedSilence, now: string): string | null {
  const window = nextWindow(one, Date.parse(now));
  return window === null ? null : new Date(window.fromUnixMs).toISOString();
}

describe('a planned silence', () => {
  test.each([
    ['2026-11-08', '2026-11-01T00:00:00Z', '2026-11-08T11:00:00.000Z'],
    ['2026-11-08', '2026-11-08T11:01:59Z', '2026-11-08T11:00:00.000Z'],
    ['2026-11-08', '2026-11-08T11:02:11Z', null],
    ['every 8 november', '2026-11-08T11:02:11Z', '2027-11-08T11:00:00.000Z'],
    ['every second sunday of november', '2026-11-08T12:00:00Z', '2027-11-14T11:00:00.000Z'],
    ['every sunday', '2026-11-08T12:00:00Z', '2026-11-15T11:00:00.000Z'],
    ['every day', '2026-11-08T12:00:00Z', '2026-11-09T11:00:00.000Z'],
    ['every 29 february', '2026-11-08T12:00:00Z', '2028-02-29T11:00:00.000Z'],
    ['every 29 february', '2096-03-01T12:00:00Z', '2104-02-29T11:00:00.000Z'],
  ])('on %s, asked at %s, is next at %s', (day, now, expected) => {
    expect(begins(plan(day), now)).toBe(expected);
  });

  test.each([
    // Clocks in London go forward on 29 March 2026 and back on 25 October.
    ['11:00', 'Europe/London', '2026-07-01T00:00:00Z', '2026-07-01T10:00:00.000Z'],
    ['11:00', 'Europe/London', '2026-03-29T00:00:00Z', '2026-03-29T10:00:00.000Z'],
    ['11:00', 'Europe/London', '2026-10-25T00:00:00Z', '2026-10-25T11:00:00.000Z'],
    // 01:30 is left out in spring and comes twice in autumn; New York's 02:30 and 01:30 likewise, west of UTC.
    ['01:30', 'Europe/London', '2026-03-29T00:00:00Z', '2026-03-29T01:30:00.000Z'],
    ['01:30', 'Europe/London', '2026-10-25T00:00:00Z', '2026-10-25T00:30:00.000Z'],
    ['02:30', 'Europe/London', '2026-10-25T00:00:00Z', '2026-10-25T02:30:00.000Z'],
    ['02:30', 'Europe/Berlin', '2026-03-29T00:00:00Z', '2026-03-29T01:30:00.000Z'],
    ['02:30', 'Europe/Berlin', '2026-10-25T00:00:00Z', '2026-10-25T00:30:00.000Z'],
    ['02:30', 'America/New_York', '2026-03-08T05:00:00Z', '2026-03-08T07:30:00.000Z'],
    ['01:30', 'America/New_York', '2026-11-01T05:00:00Z', '2026-11-01T05:30:00.000Z'],
    ['01:45', 'Australia/Lord_Howe', '2026-04-04T14:00:00Z', '2026-04-04T14:45:00.000Z'],
    ['00:30', 'Pacific/Kiritimati', '2026-07-01T10:00:00Z', '2026-07-01T10:30:00.000Z'],
    ['23:30', 'Pacific/Pago_Pago', '2026-07-01T10:00:00Z', '2026-07-01T10:30:00.000Z'],
    ['11:00', 'Asia/Kathmandu', '2026-07-01T00:00:00Z', '2026-07-01T05:15:00.000Z'],
  ])('at %s in %s goes by the clocks there, asked at %s', (at, zone, now, expected) => {
    expect(begins(plan('every day', at, zone), now)).toBe(expected);
  });

  test('that began before midnight is still in force after it', () => {
    const night = plan('every day', '23:59', 'UTC');
    expect(begins(night, '2026-11-09T00:00:30Z')).toBe('2026-11-08T23:59:00.000Z');
  });

  test('lasts a little longer than it was planned for, as sound comes late to us', () => {
    const window = { fromUnixMs: 1000, untilUnixMs: 2000, says: '' };
    expect(windowInForce([window], 999)).toBeNull();
    expect(windowInForce([window], 1999 + LATE_MS)).toMatchObject({ untilUnixMs: 2000 + LATE_MS });
    expect(windowInForce([window], 2000 + LATE_MS)).toBeNull();
  });
});

describe('the days of a planned silence, as they are written', () => {
  test.each([
    '2026-11-08',
    'every day',
    'every Sunday',
    'every 8 November',
    'every second Sunday of November',
  ])('%s is read and written back', (text) => {
    const parsed = parsePlannedDay(text);
    expect(parsed.ok && plannedDayText(parsed.day)).toBe(text);
  });

  test.each([
    ['8 November', 'may be once or each year: write a date such as 2026-11-08, or every 8 november'],
    ['2026-02-29', 'is no day of the calendar'],
    ['every 31 june', 'is no day of the calendar'],
    ['tomorrow', 'is not understood'],
    ['every sixth sunday of may', 'is not understood'],
  ])('%s is refused with a reason', (text, says) => {
    const parsed = parsePlannedDay(text);
    expect(parsed.ok ? '' : parsed.message).toContain(says);
  });
});
