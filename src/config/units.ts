import { shown } from './problems.ts';

export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly message: string };

const fault = (message: string): { ok: false; message: string } => ({
  ok: false,
  message,
});

const MS_OF_UNIT: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** What people write for the units, and what is meant. */
const SPOKEN_DURATIONS: ReadonlyMap<string, string> = new Map([
  ...['msec', 'millis', 'milliseconds'].map((word) => [word, 'ms'] as const),
  ...['sec', 'secs', 'second', 'seconds'].map((word) => [word, 's'] as const),
  ...['min', 'mins', 'minute', 'minutes'].map((word) => [word, 'm'] as const),
  ...['hr', 'hrs', 'hour', 'hours'].map((word) => [word, 'h'] as const),
]);

/** A number, what follows it, and nothing else. Decimal commas and typographic minus signs are understood to be told of. */
const NUMBER_AND_UNIT = /^([+\-\u2212]?)(\d{1,9}(?:[.,]\d{1,6})?)\s*(\D*)$/u;

function split(text: string): {
  number: string;
  unit: string;
  comma: boolean;
  typographic: boolean;
} | null {
  const match = NUMBER_AND_UNIT.exec(text.trim());
  if (match === null) return null;
  const [, sign = '', digits = '', unit = ''] = match;
  const number = `${sign === '\u2212' ? '-' : sign}${digits.replace(',', '.')}`;
  return {
    number,
    unit: unit.trim(),
    comma: digits.includes(','),
    typographic: sign === '\u2212',
  };
}

/** `500ms`, `5s`, `1.5m`, `1h` to ms. */
export function parseDuration(text: string): Parsed<number> {
  const parts = split(text);
  if (parts === null) {
    return fault(
      `${shown(text)} is not a duration: write a number and its unit, such as 500ms, 5s, 3m or 1h`,
    );
  }
  const { number, unit, comma } = parts;
  if (unit === '') {
    return fault(`${shown(text)} has no unit: write ${number}s (or ${number}ms, ${number}m, ${number}h)`);
  }
  const lower = unit.toLowerCase();
  const meant = SPOKEN_DURATIONS.get(lower) ?? (MS_OF_UNIT.has(lower) ? lower : undefined);
  const factor = MS_OF_UNIT.get(unit);
  if (factor === undefined || comma) {
    if (meant !== undefined) return fault(`${shown(text)} is not a duration: write ${number}${meant}`);
    return fault(`${shown(text)} has an unknown unit: the units of a duration are ms, s, m and h`);
  }
  const ms = Number(number) * factor;
  if (ms < 0) return fault(`${shown(text)} is negative: a duration is zero or more`);
  return { ok: true, value: Math.round(ms) };
}

export type LevelUnit = 'dBFS' | 'LUFS' | 'dBTP' | 'dB' | 'LU' | 'Hz';

const LEVEL_EXAMPLES: Readonly<Record<LevelUnit, string>> = {
  dBFS: '-50 dBFS',
  LUFS: '-16 LUFS',
  dBTP: '-1 dBTP',
  dB: '-6 dB',
  LU: '6 LU',
  Hz: '120 Hz',
};

/** `-50 dBFS`, `-16 LUFS`, `120 Hz` to the number before the unit. */
export function parseLevel(text: string, unit: LevelUnit): Parsed<number> {
  const parts = split(text);
  const example = LEVEL_EXAMPLES[unit];
  if (parts === null)
    return fault(`${shown(text)} is not a level: write a number and its unit, such as ${example}`);
  const right = `${parts.number} ${unit}`;
  if (parts.unit === '') return fault(`${shown(text)} has no unit: write ${right}`);
  if (parts.unit !== unit) {
    if (['db', unit.toLowerCase()].includes(parts.unit.toLowerCase())) {
      return fault(`${shown(text)} has no exact unit: write ${right}`);
    }
    return fault(`${shown(text)} has the wrong unit: this level is in ${unit}, such as ${example}`);
  }
  if (parts.comma || parts.typographic) return fault(`${shown(text)} is not a level: write ${right}`);
  return { ok: true, value: Number(parts.number) };
}

/** `2.5:1` to the number before the colon. */
export function parseRatio(text: string): Parsed<number> {
  const digits = /^(\d{1,3}(?:\.\d{1,3})?):1$/.exec(text.trim())?.[1];
  return digits === undefined
    ? fault(`${shown(text)} is not a ratio: write one such as 2.5:1`)
    : { ok: true, value: Number(digits) };
}

/** A number without a unit. */
export function parseNumber(text: string): Parsed<number> {
  return /^\d{1,6}(?:\.\d{1,6})?$/.test(text.trim())
    ? { ok: true, value: Number(text) }
    : fault(`${shown(text)} is not a number: write one such as 0.7`);
}

/** `128k` to kbit/s. */
export function parseBitrate(text: string): Parsed<number> {
  const parts = split(text);
  if (parts === null) return fault(`${shown(text)} is not a bitrate: write kilobits a second, such as 128k`);
  const number = Number(parts.number);
  if (parts.unit === '') {
    const kbps = number >= 1_000 ? number / 1_000 : number;
    return fault(`${shown(text)} has no unit: write ${kbps}k (kilobits a second)`);
  }
  if (parts.unit !== 'k' || parts.comma || !Number.isInteger(number)) {
    const whole = Math.round(number);
    const meant = /^(k|kb|kbps|kbit|kbits|kbit\/s|kb\/s)$/i.test(parts.unit) ? `${whole}k` : '128k';
    return fault(`${shown(text)} is not a bitrate: write whole kilobits a second, such as ${meant}`);
  }
  return { ok: true, value: number };
}

/** The way a person would write it: `90s`, `30m`. */
export function durationText(ms: number): string {
  for (const [unit, factor] of [...MS_OF_UNIT].reverse()) {
    if (ms > 0 && ms % factor === 0) return `${ms / factor}${unit}`;
  }
  return `${ms / 1_000}s`;
}
