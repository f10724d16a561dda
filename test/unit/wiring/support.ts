import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { ServerName } from '../../../src/domain/ids.ts';
import type { Clock } from '../../../src/platform/clock.ts';
import type { Logger } from '../../../src/platform/logger.ts';
import { AddressProofs } from '../../../src/wiring/address-proofs.ts';

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

/** For servers of one address each, beside which there is nothing to try. */
export function oneAddressEach(
  published: ReadonlyMap<ServerName, readonly string[]>,
  clock: Clock,
): AddressProofs {
  const isHeardAt = () => Promise.resolve(true);
  return new AddressProofs({ clock, published, others: new Map(), provenForMs: 5_000, isHeardAt });
}
