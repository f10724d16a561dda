import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { monitorId, mount, serverName, sourceName, stationName } from '../../../src/domain/ids.ts';
import { basicAuthorization, mountPath, parseServerUrl } from '../../../src/icecast/address.ts';
import { formatKindOf, formatOf, sniffContentType } from '../../../src/icecast/format.ts';
import { isSustain, parseUserAgent, userAgentOf } from '../../../src/icecast/user-agent.ts';

describe('the User-Agent of our connections', () => {
  test('says who it is and can be read back, for every server name that the config allows', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('monitor' as const, 'presence' as const),
        fc.stringMatching(/^[a-z0-9-]{1,40}$/),
        fc.stringMatching(/^[0-9a-f]{1,32}$/),
        (role, agent, id) => {
          const client = { role, agent: serverName(agent), id: monitorId(id) };
          expect(parseUserAgent(userAgentOf(client))).toEqual(client);
          expect(isSustain(userAgentOf(client))).toBe(true);
        },
      ),
    );
  });

  test('tells what its agent has on air, as far as there is room', () => {
    const client = { role: 'presence' as const, agent: serverName('dublin'), id: monitorId('ab') };
    const onAir = new Map([
      [stationName('myfm'), sourceName('primary')],
      [stationName('other-fm'), sourceName('auto-dj')],
    ]);
    expect(parseUserAgent(userAgentOf({ ...client, onAir }))).toEqual({ ...client, onAir });
    const many = new Map(
      Array.from({ length: 40 }, (_, at) => [stationName(`station-${at}`), sourceName('primary')]),
    );
    const some = parseUserAgent(userAgentOf({ ...client, onAir: many }))?.onAir;
    expect(some?.size).toBeGreaterThan(3);
    expect([...(some ?? [])]).toEqual([...many].slice(0, some?.size));
  });

  test.each([
    '',
    'VLC/3.0',
    'Sustain',
    'Sustain/1',
    'Sustain/1 (monitor)',
    'Sustain/1 (monitor; agent=; id=ab)',
    'Sustain/1 (monitor; agent=a; id=)',
    'Sustain/1 (monitor; agent=a; id=xyz)',
    'Sustain/1 (spy; agent=a; id=ab)',
    'Sustain/1 (monitor; agent=<b>; id=ab)',
    'Mozilla Sustain/1 (monitor; agent=a; id=ab)',
  ])('%j is no monitor', (userAgent) => {
    expect(parseUserAgent(userAgent)).toBeNull();
  });

  test('never makes the reader throw', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseUserAgent(`Sustain/1 (${text})`)));
  });
});

describe('addresses', () => {
  test.each([
    ['http://10.0.0.1:8000', { host: '10.0.0.1', port: 8000, tls: false }],
    ['https://radio.example', { host: 'radio.example', port: 443, tls: true }],
    ['http://[::1]:8000/', { host: '::1', port: 8000, tls: false }],
    ['ftp://x', null],
    ['http://user:pw@x', null],
    ['nonsense', null],
  ])('%s is %j', (url, expected) => {
    expect(parseServerUrl(url)).toEqual(expected);
  });

  test('any mount name becomes a path that decodes to the same name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const path = mountPath(mount(`/${name}`));
        expect(path).toMatch(/^\/[A-Za-z0-9\-._~/%]*$/);
        expect(decodeURIComponent(path)).toBe(`/${name}`);
      }),
    );
  });

  test('passwords go into Basic authentication byte for byte', () => {
    const header = basicAuthorization({ user: 'admin', password: 'ä:b@c%d' });
    expect(Buffer.from(header.slice(6), 'base64').toString()).toBe('admin:ä:b@c%d');
  });
});

describe('formats', () => {
  test.each([
    ['audio/mpeg', 'generic', 'mp3'],
    ['AUDIO/MPEG; charset=x', 'generic', 'mp3'],
    ['audio/aac', 'generic', 'aac'],
    ['audio/aacp', 'generic', 'aac'],
    ['application/ogg', 'ogg', 'ogg'],
    ['audio/ogg; codecs=opus', 'ogg', 'ogg'],
    ['audio/webm', 'ebml', 'matroska'],
    ['audio/flac', 'generic', 'flac'],
  ])('%s is of the kind %s and read as %s', (type, kind, demuxer) => {
    expect(formatOf(type)).toEqual({ kind, demuxer });
    expect(formatKindOf(type)).toBe(kind);
  });

  test.each(['text/html', 'audio/x-mpegurl', '', 'toString', 'application/json'])(
    '%j is no format',
    (type) => {
      expect(formatOf(type)).toBeNull();
    },
  );

  test('bytes show what they are, wherever in a frame they begin', () => {
    const late = Buffer.concat([Buffer.alloc(300, 0x55), Buffer.from([0xff, 0xfb, 0x90, 0x64])]);
    expect(sniffContentType(late)).toBe('audio/mpeg');
    expect(sniffContentType(Buffer.from([0xff, 0xf1, 0x50, 0x80]))).toBe('audio/aac');
    expect(sniffContentType(Buffer.from('OggS\0'))).toBe('application/ogg');
    expect(sniffContentType(Buffer.from('ordinary text'))).toBeNull();
  });
});
