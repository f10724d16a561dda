import { describe, expect, test } from 'vitest';
import { howBehind } from '../../../src/cli/check/judge-dns.ts';
import type { ZoneState } from '../../../src/dns/index.ts';

const NAME = 'stream.myfm.example';
const zone = (address: string | null, epoch: number | null, ttlSeconds = 30): ZoneState => ({
  records: address === null ? [] : [{ name: NAME, type: 'A', addresses: [address], ttlSeconds }],
  mark: epoch === null ? null : { epoch, writer: 'dublin' },
});

describe('a name server beside the provider', () => {
  test('is in order when both have the same', () => {
    expect(howBehind(zone('192.0.2.1', 4), zone('192.0.2.1', 4))).toBeNull();
    expect(howBehind(zone(null, null), zone(null, null))).toBeNull();
  });

  test('is behind with another epoch', () => {
    expect(howBehind(zone('192.0.2.1', 4), zone('192.0.2.1', null))).toBe(
      'it has no epoch, and the provider 4',
    );
  });

  test('is behind with another answer, also before any agent has written', () => {
    expect(howBehind(zone('192.0.2.1', null), zone(null, null))).toBe(
      `for ${NAME} A it answers nothing, and the provider 192.0.2.1 for 30 s`,
    );
    expect(howBehind(zone('192.0.2.1', 4), zone('192.0.2.1', 4, 3600))).toBe(
      `for ${NAME} A it answers 192.0.2.1 for 3600 s, and the provider 192.0.2.1 for 30 s`,
    );
    expect(howBehind(zone(null, 4), zone('192.0.2.9', 4))).toBe(
      `for ${NAME} A it answers 192.0.2.9 for 30 s, and the provider nothing`,
    );
  });
});
