import type { Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { startMisbehaving, startServing } from '../../../fixtures/servers/misbehaving-server.ts';
import { mount } from '../../../src/domain/ids.ts';
import { createAdminClient } from '../../../src/icecast/admin-client.ts';
import { parseClientList, parseMountList } from '../../../src/icecast/lists.ts';
import {
  child,
  children,
  countOf,
  decodeEntities,
  parseIcecastXml,
  textOf,
} from '../../../src/icecast/xml.ts';
import { systemClock } from '../../../src/platform/clock.ts';

const PASSWORD = 'hunter2:ä@%';
const stops: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function served(serve: (socket: Socket, request: string) => void) {
  const server = await startServing({ serve });
  stops.push(() => server.stop());
  const client = createAdminClient({
    clock: systemClock,
    server: server.address,
    credentials: { user: 'admin', password: PASSWORD },
    deadlineMs: 5_000,
    maxBytes: 100_000,
  });
  return { server, client };
}

function answering(status: string, body: string) {
  return served((socket) =>
    socket.end(`HTTP/1.0 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
  );
}

const html = (sentence: string) =>
  `<html><head><title>Error 400</title></head><body><b>400 - ${sentence}</b></body></html>`;

describe('an admin call', () => {
  test('carries the password in its header and nowhere else', async () => {
    const { server, client } = await answering('200 OK', '<icestats></icestats>');
    expect(await client.listMounts()).toEqual({ ok: true, value: [] });
    const request = server.requests[0] ?? '';
    const basic = /Authorization: Basic (\S+)/.exec(request)?.[1] ?? '';
    expect(Buffer.from(basic, 'base64').toString()).toBe(`admin:${PASSWORD}`);
    expect(request.split('\r\n')[0]).toBe('GET /admin/listmounts HTTP/1.0');
  });

  test.each([
    ['401 Authentication Required', 'unauthorised'],
    ['403 Forbidden', 'overloaded'],
    ['503 Service Unavailable', 'overloaded'],
    ['302 Found', 'bad-answer'],
    ['500 Internal Server Error', 'bad-answer'],
    ['404 File Not Found', 'bad-answer'],
  ])('answered %s is %s, and the password is in no message', async (status, failure) => {
    const { client } = await answering(status, html('Icecast connection limit reached'));
    const result = await client.listMounts();
    expect(result).toMatchObject({ ok: false, failure });
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });

  test('ends within its deadline, whatever the server does, and leaves no socket', async () => {
    for (const name of ['silent', 'dripped-head', 'stall', 'flood'] as const) {
      const server = await startMisbehaving(name);
      stops.push(() => server.stop());
      const client = createAdminClient({
        clock: systemClock,
        server: server.address,
        credentials: { user: 'admin', password: PASSWORD },
        // What floods has to be ended for its size, and not by the deadline.
        deadlineMs: name === 'flood' ? 5_000 : 100,
        maxBytes: 100_000,
      });
      const startMs = performance.now();
      const result = await client.listMounts();
      expect(result).toMatchObject({ ok: false, failure: name === 'flood' ? 'bad-answer' : 'timed-out' });
      expect(performance.now() - startMs).toBeLessThan(name === 'flood' ? 5_000 : 2_000);
      for (let round = 0; round < 1_000 && server.openSockets() > 0; round += 1) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect(server.openSockets()).toBe(0);
    }
  });

  test.each([
    ['reset', 'overloaded'],
    ['hangs-up', 'overloaded'],
    ['half-a-head', 'overloaded'],
    ['no-status', 'bad-answer'],
    ['icy-status', 'timed-out'],
    ['html-page', 'bad-answer'],
  ] as const)('to a server of the kind %s is %s', async (name, failure) => {
    const server = await startMisbehaving(name);
    stops.push(() => server.stop());
    const client = createAdminClient({
      clock: systemClock,
      server: server.address,
      credentials: { user: 'admin', password: PASSWORD },
      deadlineMs: failure === 'timed-out' ? 100 : 5_000,
    });
    expect(await client.listMounts()).toMatchObject({ ok: false, failure });
  });

  test('cut short in its answer is a bad answer', async () => {
    const { client } = await served((socket) =>
      socket.end('HTTP/1.0 200 OK\r\nContent-Length: 900\r\n\r\n<icestats>'),
    );
    expect(await client.listMounts()).toMatchObject({ ok: false, failure: 'bad-answer' });
  });

  test('encodes mounts, so that no mount name becomes a second parameter', async () => {
    const { server, client } = await answering(
      '200 OK',
      '<iceresponse><message>x</message><return>1</return></iceresponse>',
    );
    await client.moveClients(mount('/a&destination=/b'), mount('/c d#'));
    expect(server.requests[0]?.split('\r\n')[0]).toBe(
      'GET /admin/moveclients?mount=%2Fa%26destination%3D%2Fb&destination=%2Fc%20d%23 HTTP/1.0',
    );
  });

  test('tells a missing mount from a bad answer', async () => {
    const missing = await answering('400 Bad Request', html('Source does not exist'));
    expect(await missing.client.listClients(mount('/x'))).toEqual({ ok: true, value: null });
    const bad = await answering('400 Bad Request', html('Missing parameter'));
    expect(await bad.client.listClients(mount('/x'))).toMatchObject({ ok: false, failure: 'bad-answer' });
  });
});

describe('Icecast XML', () => {
  const listener = (id: number, agent: string, names = ['UserAgent', 'Connected', 'ID']) =>
    `<listener id="${id}"><IP>1.2.3.4</IP><${names[0]}>${agent}</${names[0]}><${names[1]}>7</${names[1]}><${names[2]}>${id}</${names[2]}></listener>`;

  test('of 2.4 and of 2.5 gives the same clients', () => {
    const expected = [
      { id: '1', userAgent: 'VLC & <friends>', connectedSeconds: 7 },
      { id: '2', userAgent: '', connectedSeconds: 7 },
    ];
    const wrap = (inner: string) =>
      `<?xml version="1.0"?>\n<icestats><source mount="/a">${inner}</source></icestats>`;
    const old = `<Listeners>2</Listeners>${listener(1, 'VLC &amp; &lt;friends&gt;')}${listener(2, '')}`;
    expect(parseClientList(wrap(old))).toEqual(expected);
    const names = ['useragent', 'connected', 'id'];
    const young = `<listeners>2</listeners>${listener(1, 'VLC &amp; &lt;friends&gt;', names)}${listener(2, '', names)}`;
    expect(parseClientList(wrap(young))).toEqual(expected);
  });

  const escaped = (text: string) =>
    text.replace(/[&<>"]/g, (char) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' }[char]};`);
  const source = fc
    .record({
      name: fc.string({ minLength: 1 }).map((name) => `/${name.replace(/\s/g, '')}`),
      fallback: fc.option(fc.constantFrom('/b', '/c&d', '/<e>', '/source', '')),
      listeners: fc.nat(),
      connected: fc.option(fc.nat()),
      type: fc.option(fc.constantFrom('audio/mpeg', 'application/ogg', 'audio/aacp; charset="x"')),
      young: fc.boolean(),
    })
    .map(({ name, fallback, listeners, connected, type, young }) => {
      const tag = (wanted: string, text: string | null) => {
        const named = young ? wanted.toLowerCase() : wanted;
        if (text === null) return '';
        return text === '' ? `<${named}/>` : `<${named}>${escaped(text)}</${named}>`;
      };
      const inner = `${tag('fallback', fallback)}${tag('listeners', String(listeners))}${tag('Connected', connected === null ? null : String(connected))}${tag('content-type', type)}`;
      return inner.length % 7 === 0
        ? `<source mount="${escaped(name)}"/>`
        : `<source mount="${escaped(name)}">${inner}</source>`;
    });

  test('with the list of mounts says by plain search what it says to the XML parser', () => {
    fc.assert(
      fc.property(fc.array(source), fc.boolean(), (sources, isSpaced) => {
        const xml = `<?xml version="1.0"?>\n<icestats>${sources.join(isSpaced ? '\n  ' : '')}</icestats>\n`;
        const icestats = child(parseIcecastXml(xml) ?? {}, 'icestats') ?? {};
        expect(parseMountList(xml)).toEqual(
          children(icestats, 'source').map((one) => ({
            mount: textOf(one, '@mount'),
            contentType: textOf(one, 'content-type') ?? '',
            sourceConnectedSeconds: countOf(one, 'connected'),
            clients: countOf(one, 'listeners') ?? 0,
            fallback: textOf(one, 'fallback') || null,
          })),
        );
      }),
    );
    expect(parseMountList('<icestats/>')).toEqual([]);
  });

  test('that was cut short, with no length to tell by, is no list with fewer in it', () => {
    const mounts = '<icestats><source mount="/a"></source><source mount="/b"></source></icestats>';
    expect(parseMountList(mounts)).toHaveLength(2);
    const clients = `<icestats><source mount="/a">${listener(1, 'VLC')}${listener(2, 'VLC')}</source></icestats>`;
    expect(parseClientList(clients)).toHaveLength(2);
    for (const left of [1, 10, 20, 40]) {
      expect(parseMountList(mounts.slice(0, -left))).toBeNull();
      expect(parseClientList(clients.slice(0, -left))).toBeNull();
    }
  });

  test('with a document type is refused unread: entities would be next', async () => {
    const bomb =
      '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><icestats><source mount="&b;"/></icestats>';
    expect(parseIcecastXml(bomb)).toBeNull();
    expect(parseClientList(bomb)).toBeNull();
    const { client } = await answering('200 OK', bomb);
    expect(await client.listMounts()).toMatchObject({ ok: false, failure: 'bad-answer' });
  });

  test('with names of object internals does no harm', () => {
    expect(parseIcecastXml('<icestats><__proto__><polluted>1</polluted></__proto__></icestats>')).toBeNull();
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('that is none never makes the readers throw', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseIcecastXml(text);
        parseIcecastXml(`<icestats>${text}</icestats>`);
        parseClientList(`<icestats>${text}</icestats>`);
        parseMountList(`<icestats><source mount="${text}</source></icestats>`);
      }),
    );
  });

  test('has titles as text, even those that look like numbers', async () => {
    const { client } = await answering(
      '200 OK',
      '<icestats><source mount="/a&amp;b"><title>007</title><max_listeners>5</max_listeners><server_type>audio/mpeg</server_type></source></icestats>',
    );
    const stats = await client.stats();
    expect(stats.ok && stats.value.mounts).toMatchObject([{ mount: '/a&b', title: '007', maxListeners: 5 }]);
  });

  test.each([
    ['<audio_info>ice-samplerate=44100;ice-bitrate=128;ice-channels=2</audio_info>', [44_100, 2, 128]],
    ['<audio_info>bitrate=96;channels=1;samplerate=48000</audio_info><bitrate>96</bitrate>', [48_000, 1, 96]],
    [
      '<audio_bitrate>128000</audio_bitrate><audio_channels>2</audio_channels><audio_samplerate>44100</audio_samplerate>',
      [44_100, 2, 128],
    ],
    ['<audio_info>nonsense;;=;ice-bitrate=Quality 3</audio_info>', [null, null, null]],
    ['', [null, null, null]],
  ])('%j says of the sound: %j', async (inside, [sampleRateHz, channels, bitrateKbps]) => {
    const { client } = await answering(
      '200 OK',
      `<icestats><source mount="/a">${inside}</source></icestats>`,
    );
    const stats = await client.stats();
    expect(stats.ok && stats.value.mounts[0]?.audio).toEqual({ sampleRateHz, channels, bitrateKbps });
  });

  test('of ten thousand listeners is read before anyone notices', () => {
    const agent =
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36';
    const inner = Array.from({ length: 10_000 }, (_, id) => listener(id, agent)).join('');
    const xml = `<icestats><source mount="/a">${inner}</source></icestats>`;
    const tookMs = Array.from({ length: 5 }, () => {
      const startMs = performance.now();
      expect(parseClientList(xml)).toHaveLength(10_000);
      return performance.now() - startMs;
    });
    // The best of five, for a busy machine is not what is measured.
    expect(Math.min(...tookMs)).toBeLessThan(100);
  });

  test('entities are undone once and only those of XML', () => {
    expect(decodeEntities('&amp;lt; &lt; &#65; &#x41; &quot; &nbsp; &#xD800; &#9999999; & &')).toBe(
      '&lt; < A A " &nbsp; &#xD800; &#9999999; & &',
    );
  });
});
