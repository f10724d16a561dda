import { MONTHS, WEEKDAYS } from '../../../domain/planned-silence.ts';

export type Repeats = 'once' | 'daily' | 'weekly' | 'yearly' | 'nth';

export const REPEATS: readonly { readonly is: Repeats; readonly says: string }[] = [
  { is: 'once', says: 'on that day only' },
  { is: 'daily', says: 'every day' },
  { is: 'weekly', says: 'every week on that weekday' },
  { is: 'yearly', says: 'every year on that date' },
  { is: 'nth', says: 'every year on that weekday of the month' },
];

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth'];

/** What the agent calls the days: `2026-11-08`, `every day`, `every sunday`, `every second sunday of november`. */
export function dayOf(date: string, repeats: Repeats): string {
  const [, month = 1, day = 1] = date.split('-').map(Number);
  const monthName = MONTHS[month - 1] ?? '';
  const weekday = WEEKDAYS[new Date(`${date}T12:00:00Z`).getUTCDay()] ?? '';
  switch (repeats) {
    case 'once':
      return date;
    case 'daily':
      return 'every day';
    case 'weekly':
      return `every ${weekday}`;
    case 'yearly':
      return `every ${day} ${monthName}`;
    case 'nth':
      return `every ${ORDINALS[Math.ceil(day / 7) - 1] ?? ''} ${weekday} of ${monthName}`;
  }
}

/** As the agent writes it: a browser may give the seconds, too, where there are none. */
export const timeOf = (at: string): string => at.replace(/^(\d\d:\d\d):00$/, '$1');

/** `Europe/London` as people write it in a sentence: `Europe/London time`. */
export const zoneWords = (timeZone: string): string =>
  timeZone === '' || timeZone === 'UTC' ? timeZone : `${timeZone.replaceAll('_', ' ')} time`;
