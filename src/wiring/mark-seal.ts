import { createHmac } from 'node:crypto';
import type { Config } from '../config/index.ts';
import type { ServerName } from '../domain/ids.ts';
import { HOLD_MAX_MS } from '../domain/operator.ts';
import type { Clock } from '../platform/clock.ts';

/** Of a to w, so that an x can stand between two numbers of a mark. */
const RADIX = 33;

/** A whole number as marks say it. */
export const numberMark = (value: number): string => value.toString(RADIX);
export const readNumber = (text: string): number => Number.parseInt(text, RADIX);

/** When a hold ends, in seconds since 1970; 0 when there is none. */
export function endMark(hold: { readonly untilMs: number } | null, clock: Clock): string {
  const untilUnixMs = hold === null ? 0 : clock.wallTime().getTime() + hold.untilMs - clock.nowMs();
  return numberMark(Math.round(untilUnixMs / 1000));
}

/** The end of a hold on our own clock; null when there is none. Whatever the other clock shows, no hold is longer than one asked for here. */
export function readEnd(text: string, clock: Clock): number | null {
  const untilUnixMs = readNumber(text) * 1000;
  if (untilUnixMs === 0) return null;
  return clock.nowMs() + Math.min(HOLD_MAX_MS, untilUnixMs - clock.wallTime().getTime());
}

/**
 * A word for a sign of life on a server that only who knows that server's admin password can make or read; null for a server
 * that isn't in the config.
 */
export function sealOn(
  config: Config,
  server: ServerName,
  words: readonly string[],
  length: number,
): string | null {
  const key = config.servers.find(({ name }) => name === server)?.admin.password.reveal();
  if (key === undefined) return null;
  return createHmac('sha256', key).update(JSON.stringify(words)).digest('hex').slice(0, length);
}

/** A person's name as marks say it: as many whole characters as there is room for, in hex. */
export function nameMark(name: string, mostBytes: number): string {
  let text = '';
  for (const character of name) {
    if (Buffer.byteLength(text + character) > mostBytes) break;
    text += character;
  }
  return Buffer.from(text).toString('hex');
}

export const readName = (hex: string): string => Buffer.from(hex, 'hex').toString();
