import { describe, expect, it } from 'vitest';
import type { ServerName } from '../../../src/domain/ids.ts';
import { DnsCheck, type DnsCheckPolicy } from '../../../src/simulate/dns-check.ts';
import { DUBLIN, LONDON } from '../../../src/simulate/station.ts';

/** When the name moved and where to, with london down from `fromMs` to `toMs`. */
function moves(
  policy: DnsCheckPolicy,
  fromMs: number,
  toMs: number,
  canWrite = true,
): [number, ServerName][] {
  const check = new DnsCheck(policy, [LONDON, DUBLIN]);
  const found: [number, ServerName][] = [];
  let name: ServerName = LONDON;
  for (let atMs = 0; atMs <= 400_000; atMs += 100) {
    const next = check.advance(
      atMs,
      name,
      canWrite,
      (server) => server !== LONDON || atMs < fromMs || atMs >= toMs,
    );
    if (next !== name) found.push([atMs, next]);
    name = next;
  }
  return found;
}

describe('a plain DNS check', () => {
  it('moves the name at the first check that fails, and back at the first that does not', () => {
    expect(moves({ intervalMs: 30_000, fall: 1, rise: 1 }, 40_000, 100_000)).toEqual([
      [60_300, DUBLIN],
      [120_300, LONDON],
    ]);
  });

  it('waits for as many as it was told', () => {
    expect(moves({ intervalMs: 30_000, fall: 3, rise: 2 }, 40_000, 200_000)).toEqual([
      [120_300, DUBLIN],
      [240_300, LONDON],
    ]);
  });

  it('does not see what is over between two checks, and moves nothing that it may not write', () => {
    expect(moves({ intervalMs: 30_000, fall: 1, rise: 1 }, 31_000, 59_000)).toEqual([]);
    expect(moves({ intervalMs: 30_000, fall: 1, rise: 1 }, 40_000, 100_000, false)).toEqual([]);
  });
});
