import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Logger } from '../../../src/platform/logger.ts';

/** A logger whose lines can be looked at. */
export function keptLog(): { readonly log: Logger; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString('utf8')) as Record<string, unknown>);
      done();
    },
  });
  return { log: pino({ level: 'debug', base: {} }, sink), lines };
}
