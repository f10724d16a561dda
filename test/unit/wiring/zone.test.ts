import { describe, expect, test } from 'vitest';
import type { AddressRecord } from '../../../src/dns/index.ts';
import { DUBLIN, LONDON } from '../../../src/simulate/station.ts';
import { type Names, publishedIn, recordsFor } from '../../../src/wiring/zone.ts';

const STREAM = 'stream.myfm.example';
const LISTEN = 'listen.myfm.example';
const NAMES: Names = {
  names: [STREAM, LISTEN],
  ttlSeconds: 30,
  addresses: new Map([
    [LONDON, ['203.0.113.10', '2001:db8::10']],
    [DUBLIN, ['198.51.100.10']],
  ]),
};
const a = (name: string, address: string, ttlSeconds = 30): AddressRecord => ({
  name,
  type: 'A',
  addresses: [address],
  ttlSeconds,
});
const published = (...records: readonly AddressRecord[]) => publishedIn(NAMES, { records, mark: null });

describe('what stands in the DNS', () => {
  test('is a server with nothing amiss when all of it is as it would be written', () => {
    for (const server of [LONDON, DUBLIN])
      expect(published(...recordsFor(NAMES, NAMES.addresses.get(server) ?? []))).toEqual({
        is: 'server',
        server,
        amiss: null,
      });
  });

  test('is that server still when another name has no address yet', () => {
    expect(published(a(STREAM, '198.51.100.10'))).toEqual({
      is: 'server',
      server: DUBLIN,
      amiss: `${LISTEN} has no A record`,
    });
    expect(published(a(LISTEN, '198.51.100.10'))).toMatchObject({ is: 'server', server: DUBLIN });
  });

  test('is the server of the name that comes first when the names differ', () => {
    expect(published(a(STREAM, '198.51.100.10'), a(LISTEN, '203.0.113.10'))).toEqual({
      is: 'server',
      server: DUBLIN,
      amiss: `the A record of ${LISTEN} is 203.0.113.10 and not 198.51.100.10`,
    });
  });

  test('has a TTL that is not the configured one amiss, and a family that is not there', () => {
    const records = recordsFor(NAMES, NAMES.addresses.get(LONDON) ?? []).filter(
      ({ type, name }) => type === 'A' || name !== STREAM,
    );
    const old = records.map((record) => (record.name === LISTEN ? record : { ...record, ttlSeconds: 3_600 }));
    expect(published(...old)).toEqual({
      is: 'server',
      server: LONDON,
      amiss: `the A record of ${STREAM} has a TTL of 3600 s and not 30 s; ${STREAM} has no AAAA record`,
    });
  });

  test('has no address amiss that was tried and not heard, as it is left out', () => {
    const records = [a(STREAM, '203.0.113.10'), a(LISTEN, '203.0.113.10')];
    const isSilent = (_: unknown, address: string) => address === '2001:db8::10';
    expect(publishedIn(NAMES, { records, mark: null }, isSilent)).toEqual({
      is: 'server',
      server: LONDON,
      amiss: null,
    });
    expect(published(...records)).toMatchObject({ amiss: expect.stringContaining('has no AAAA record') });
  });

  test('has a family amiss that is another server’s', () => {
    const aaaa = { name: STREAM, type: 'AAAA' as const, addresses: ['2001:db8::10'], ttlSeconds: 30 };
    expect(published(a(STREAM, '198.51.100.10'), aaaa, a(LISTEN, '198.51.100.10'))).toEqual({
      is: 'server',
      server: DUBLIN,
      amiss: `${STREAM} has an AAAA record: 2001:db8::10`,
    });
    // Where no name says which of them it is, it is none.
    expect(published(a(STREAM, '198.51.100.10'), aaaa)).toEqual({ is: 'missing' });
  });

  test('is missing when no name points anywhere, and foreign when one does to none of the servers', () => {
    expect(published()).toEqual({ is: 'missing' });
    expect(published(a(STREAM, '203.0.113.10'), a(LISTEN, '192.0.2.1'))).toMatchObject({ is: 'foreign' });
  });
});
