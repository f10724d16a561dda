import type { PlannedDay, PlannedSilence, SilenceWindow } from '../domain/planned-silence.ts';
import type { LevelReading } from '../domain/readings.ts';
import type { SoundSensor } from './sound.ts';

const DAY_MS = 24 * 3_600_000;
/** Encoder, network and Icecast's buffer bring the end of a silence to us so much later than the studio has it, at the most. */
export const LATE_MS = 10_000;
/** Every fourth year, and the 29th of February with a year of a century between. */
const LOOK_AHEAD_DAYS = 8 * 366 + 1;

/** The silence that is planned for this moment, or the next; null when there is none any more. Both are wall time. */
export function nextWindow(plan: PlannedSilence, nowUnixMs: number): SilenceWindow | null {
  const { day, atSeconds, lengthMs, timeZone, says } = plan;
  // A day before, as it may have begun yesterday, and zones are up to 14 h apart from UTC.
  const firstDay = Math.floor((nowUnixMs - lengthMs) / DAY_MS) - 1;
  const days = day.is === 'once' ? [dayNumber(day.year, day.month, day.day)] : daysFrom(firstDay, day);
  for (const number of days) {
    const fromUnixMs = unixMsOfLocal(number * DAY_MS + atSeconds * 1000, timeZone);
    const untilUnixMs = fromUnixMs + lengthMs;
    if (nowUnixMs < untilUnixMs + LATE_MS) return { fromUnixMs, untilUnixMs, says };
  }
  return null;
}

/** The window that is in force now, the longest of them; its end has the time in it by which sound comes later to us. */
export function windowInForce(windows: readonly SilenceWindow[], nowUnixMs: number): SilenceWindow | null {
  let found: SilenceWindow | null = null;
  for (const window of windows) {
    const untilUnixMs = window.untilUnixMs + LATE_MS;
    if (nowUnixMs < window.fromUnixMs || nowUnixMs >= untilUnixMs) continue;
    if (found === null || untilUnixMs > found.untilUnixMs) found = { ...window, untilUnixMs };
  }
  return found;
}

/** The days of which a plan speaks, from one day on; days count from 1970-01-01. */
function* daysFrom(firstDay: number, day: PlannedDay): Generator<number> {
  for (let number = firstDay; number < firstDay + LOOK_AHEAD_DAYS; number += 1)
    if (isOn(day, number)) yield number;
}

function isOn(day: PlannedDay, number: number): boolean {
  const weekday = (((number + 4) % 7) + 7) % 7;
  const date = dateOf(number);
  switch (day.is) {
    case 'once':
      return dayNumber(day.year, day.month, day.day) === number;
    case 'daily':
      return true;
    case 'weekly':
      return day.weekday === weekday;
    case 'yearly':
      return day.month === date.month && day.day === date.day;
    case 'nth':
      return day.month === date.month && day.weekday === weekday && Math.ceil(date.day / 7) === day.nth;
  }
}

/** Days since 1970-01-01 of a day of the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms"). */
function dayNumber(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Back from there; the year is not needed. */
function dateOf(number: number): { readonly month: number; readonly day: number } {
  const shifted = number + 719_468;
  const dayOfEra = shifted - Math.floor(shifted / 146_097) * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  return { month: monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9, day };
}

/**
 * The moment at which clocks in a zone show this; `localMs` is what they show, as if it were UTC. What they show twice when
 * they go back is the first; what they leave out when they go forward is as much later as they jump.
 */
function unixMsOfLocal(localMs: number, timeZone: string): number {
  const asBefore = localMs - offsetMs(localMs - DAY_MS, timeZone);
  const asAfter = localMs - offsetMs(localMs + DAY_MS, timeZone);
  const isShownAt = (unixMs: number) => unixMs + offsetMs(unixMs, timeZone) === localMs;
  return isShownAt(asBefore) || !isShownAt(asAfter) ? asBefore : asAfter;
}

/** How far clocks in a zone are ahead of UTC at a moment, in ms. */
function offsetMs(unixMs: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const shown: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(unixMs)) shown[type] = Number(value);
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = shown;
  const localMs = dayNumber(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000;
  return localMs - Math.floor(unixMs / 1000) * 1000;
}

/** A planned silence as the decision knows it: monotonic ms. */
export interface ExpectedSilence {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly says: string;
}

export function isInForce(silence: ExpectedSilence | null, nowMs: number): boolean {
  return silence !== null && nowMs >= silence.fromMs && nowMs < silence.untilMs;
}

/**
 * Quiet that was asked for is as good as sound. A leg that has been silent since before stays so: that silence is not the
 * one that was planned.
 */
export function asExpected(
  reading: LevelReading,
  sensor: SoundSensor,
  silence: ExpectedSilence | null,
): LevelReading {
  if (!isInForce(silence, reading.atMs) || sensor.verdict === 'silent') return reading;
  const quiet = reading.audibleMs === 0 ? ({ isWantedQuiet: true } as const) : {};
  return { ...reading, ...quiet, audibleMs: reading.durationMs, faults: [] };
}
