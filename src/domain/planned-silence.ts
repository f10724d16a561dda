import type { StationName } from './ids.ts';

export const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
] as const;
export const WEEKDAYS = [
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
] as const;

/** On which days a planned silence is. Months and days count from 1, weekdays from 0 (Sunday). */
export type PlannedDay =
  | { readonly is: 'once'; readonly year: number; readonly month: number; readonly day: number }
  | { readonly is: 'daily' }
  | { readonly is: 'weekly'; readonly weekday: number }
  | { readonly is: 'yearly'; readonly month: number; readonly day: number }
  /** The second Sunday in November. */
  | { readonly is: 'nth'; readonly nth: number; readonly weekday: number; readonly month: number };

/** A silence that is wanted: while it lasts nothing is switched and nobody is called. */
export interface PlannedSilence {
  readonly id: string;
  readonly station: StationName;
  readonly day: PlannedDay;
  /** Wall time of the day in `timeZone`, in seconds since midnight. */
  readonly atSeconds: number;
  readonly lengthMs: number;
  /** By its IANA name. */
  readonly timeZone: string;
  /** What it is for; may be empty. */
  readonly says: string;
  /** Null: it stands in the config. */
  readonly author: string | null;
}

/** One time that a planned silence is in force; wall time in ms since 1970. */
export interface SilenceWindow {
  readonly fromUnixMs: number;
  readonly untilUnixMs: number;
  readonly says: string;
}

/** The shortest and the longest, in ms. */
export const PLANNED_SHORTEST_MS = 1_000;
export const PLANNED_LONGEST_MS = 4 * 3_600_000;
const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const ORDINALS: Readonly<Record<string, number>> = {
  first: 1,
  second: 2,
  third: 3,
  fourth: 4,
  fifth: 5,
  '1st': 1,
  '2nd': 2,
  '3rd': 3,
  '4th': 4,
  '5th': 5,
};
const MONTH = `(${MONTHS.join('|')})`;
const WEEKDAY = `(${WEEKDAYS.join('|')})`;
const FORMS = '2026-11-08, every day, every sunday, every 8 november, or every second sunday of november';

export type ParsedDay =
  | { readonly ok: true; readonly day: PlannedDay }
  | { readonly ok: false; readonly message: string };

/** `2026-11-08`, `every day`, `every sunday`, `every 8 november`, `every second sunday of november`. */
export function parsePlannedDay(text: string): ParsedDay {
  const words = text.trim().toLowerCase();
  const fault = (message: string): ParsedDay => ({ ok: false, message });
  const date = /^(\d{4})-(\d{2})-(\d{2})$/.exec(words);
  if (date !== null) {
    const [year = 0, month = 0, day = 0] = date.slice(1).map(Number);
    const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
    if (!isDay(month, day) || (month === 2 && day === 29 && !isLeap))
      return fault('is no day of the calendar');
    return { ok: true, day: { is: 'once', year, month, day } };
  }
  if (words === 'every day') return { ok: true, day: { is: 'daily' } };
  const weekly = new RegExp(`^every ${WEEKDAY}$`).exec(words);
  if (weekly !== null) return { ok: true, day: { is: 'weekly', weekday: indexIn(WEEKDAYS, weekly[1]) } };
  const yearly = new RegExp(`^(every )?(\\d{1,2}) ${MONTH}$`).exec(words);
  if (yearly !== null) {
    const day = Number(yearly[2]);
    const month = indexIn(MONTHS, yearly[3]) + 1;
    if (!isDay(month, day)) return fault('is no day of the calendar');
    if (yearly[1] === undefined)
      return fault(`may be once or each year: write a date such as 2026-11-08, or every ${words}`);
    return { ok: true, day: { is: 'yearly', month, day } };
  }
  const nth = new RegExp(`^every (\\w+) ${WEEKDAY} (?:of|in) ${MONTH}$`).exec(words);
  const count = ORDINALS[nth?.[1] ?? ''];
  if (nth !== null && count !== undefined) {
    const month = indexIn(MONTHS, nth[3]) + 1;
    return { ok: true, day: { is: 'nth', nth: count, weekday: indexIn(WEEKDAYS, nth[2]), month } };
  }
  return fault(`is not understood: write ${FORMS}`);
}

function isDay(month: number, day: number): boolean {
  return day >= 1 && day <= (DAYS_OF_MONTH[month - 1] ?? 0);
}

function indexIn(words: readonly string[], word: string | undefined): number {
  return words.indexOf(word ?? '');
}

const two = (value: number): string => String(value).padStart(2, '0');
const capital = (word: string | undefined): string =>
  word === undefined ? '' : word.charAt(0).toUpperCase() + word.slice(1);

/** As `parsePlannedDay` takes it. */
export function plannedDayText(day: PlannedDay): string {
  switch (day.is) {
    case 'once':
      return `${String(day.year).padStart(4, '0')}-${two(day.month)}-${two(day.day)}`;
    case 'daily':
      return 'every day';
    case 'weekly':
      return `every ${capital(WEEKDAYS[day.weekday])}`;
    case 'yearly':
      return `every ${day.day} ${capital(MONTHS[day.month - 1])}`;
    case 'nth': {
      const nth = Object.keys(ORDINALS)[day.nth - 1];
      return `every ${nth} ${capital(WEEKDAYS[day.weekday])} of ${capital(MONTHS[day.month - 1])}`;
    }
  }
}

/** `11:00` or `11:00:30` to seconds since midnight; null for anything else. */
export function parseTimeOfDay(text: string): number | null {
  const match = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text.trim());
  if (match === null) return null;
  const [hour = 0, minute = 0, second = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return hour > 23 || minute > 59 || second > 59 ? null : hour * 3600 + minute * 60 + second;
}

export function timeOfDayText(seconds: number): string {
  const rest = seconds % 60;
  const text = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}`;
  return rest === 0 ? text : `${text}:${two(rest)}`;
}

/** Whether it is a time zone that is known here. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return name !== '';
  } catch {
    return false;
  }
}

/** One planned silence for people: times in ISO 8601. */
export interface PlannedSilenceView {
  readonly id: string;
  /** As `parsePlannedDay` takes it. */
  readonly day: string;
  readonly at: string;
  readonly forMs: number;
  readonly timeZone: string;
  readonly says: string;
  readonly author: string | null;
  /** What stands in the config is changed there; what a colleague planned, on its own page. */
  readonly from: 'config' | 'operator' | 'colleague';
  readonly inForce: boolean;
  /** The one that is in force, or the next; null: it is over for good. */
  readonly next: { readonly from: string; readonly until: string } | null;
}

/** What an operator asks for. */
export interface PlanRequest {
  readonly day: PlannedDay;
  readonly atSeconds: number;
  readonly lengthMs: number;
  /** Null: the station's own. */
  readonly timeZone: string | null;
  readonly says: string;
  readonly author: string;
}
