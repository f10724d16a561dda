import { request } from 'node:http';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { sourceName, stationName } from '../../../src/domain/ids.ts';
import type { AgentView, EventView } from '../../../src/domain/view.ts';
import { RequestLimiter } from '../../../src/web/access/request-limiter.ts';
import { LONDON, PRIMARY } from '../decide/builders.ts';
import { manualClock } from '../platform/clocks.ts';
import { startTestWeb, VIEW } from './support.ts';

const HOLD = { server: 'london', author: 'ann', forMs: 60_000 };

describe('health', () => {
  test('is open to everybody', async () => {
    const { get } = await startTestWeb();
    expect((await get('/healthz')).status).toBe(200);
    expect(await (await get('/readyz')).json()).toEqual({ ready: true });
  });

  test('an agent that knows nothing yet is alive, but not ready', async () => {
    const { get } = await startTestWeb({}, { isReady: () => false });
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(503);
  });

  test.each(['/healthz', '/api/v1/state', '/nowhere'])(
    '%s has headers that keep browsers out',
    async (path) => {
      const { headers } = await (await startTestWeb()).get(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    },
  );
});

describe('the state', () => {
  test.each([
    ['no token', '', 401],
    ['another scheme', 'Basic c2VlOmRv', 401],
    ['a token that is empty', 'Bearer ', 401],
    ['a wrong token', 'Bearer sea', 403],
    ['the viewer token', 'Bearer see', 200],
    ['the operator token', 'Bearer do', 200],
    ['a scheme in small letters, as RFC 7235 allows', 'bearer see', 200],
  ])('with %s: %s is answered %i', async (_what, authorization, status) => {
    const { get } = await startTestWeb();
    const answer = await get('/api/v1/state', authorization);
    expect(answer.status).toBe(status);
    if (status === 200) expect(await answer.json()).toEqual(VIEW);
    if (status === 401) expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('is for nobody where no token was configured', async () => {
    const { get } = await startTestWeb({ viewerToken: null, operatorToken: null });
    expect((await get('/api/v1/state', 'Bearer null')).status).toBe(403);
  });

  test('that cannot be told gives an error without its inner life', async () => {
    const { get } = await startTestWeb(
      {},
      {
        view: () => {
          throw new Error('at /home/sustain with secret');
        },
      },
    );
    const answer = await get('/api/v1/state', 'Bearer see');
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({ error: 'something went wrong here' });
  });
});

describe('the state of a large house', () => {
  const [myfm] = VIEW.stations;
  const happened = (to: string): EventView => ({
    time: '2026-11-28T11:00:00.000Z',
    event: {
      kind: 'switched',
      atMs: 1,
      server: LONDON,
      from: PRIMARY,
      to: sourceName(to),
      trigger: 'fault',
      because: `primary on london is silent: ${'under -50 dBFS for 5.0 s; '.repeat(20)}`,
    },
  });
  const events = Array.from({ length: 20 }, (_, index) => happened(index < 19 ? 'autodj' : 'secondary'));
  const view = (): AgentView => ({
    ...VIEW,
    stations: ['a', 'b', 'c'].flatMap((name) =>
      myfm === undefined ? [] : [{ ...myfm, station: stationName(name), events }],
    ),
  });

  test('has the events of the one station that is looked at, and everything else of all', async () => {
    const { get } = await startTestWeb({}, { view });
    const of = async (query: string) => {
      const { stations } = (await (await get(`/api/v1/state${query}`, 'Bearer see')).json()) as AgentView;
      return stations.map((one) => [one.station, one.events.length, one.servers.length]);
    };
    expect(await of('?events=5&eventsOf=b')).toEqual([
      ['a', 0, 1],
      ['b', 5, 1],
      ['c', 0, 1],
    ]);
    expect((await of('?eventsOf=')).map(([, count]) => count)).toEqual([0, 0, 0]);
    expect((await of('')).map(([, count]) => count)).toEqual([20, 20, 20]);
  });

  test('comes packed to who takes that, and is a tenth', async () => {
    const { web } = await startTestWeb({}, { view });
    const answer = (encoding: string) =>
      new Promise<{ encoding: string | undefined; body: Buffer }>((resolve) => {
        const headers = { authorization: 'Bearer see', 'accept-encoding': encoding };
        request(`${web.url}/api/v1/state`, { headers }, async (response) => {
          const body = Buffer.concat(await response.toArray());
          resolve({ encoding: response.headers['content-encoding'], body });
        }).end();
      });
    const plain = await answer('identity');
    const packed = await answer('gzip, deflate, br');
    expect([plain.encoding, packed.encoding]).toEqual([undefined, 'gzip']);
    expect(packed.body.length).toBeLessThan(plain.body.length / 10);
    const unpacked = JSON.parse(gunzipSync(packed.body).toString()) as AgentView;
    expect(unpacked).toEqual(JSON.parse(plain.body.toString()));
  });
});

describe("an operator's wish", () => {
  test.each([
    ['hold', HOLD, { do: 'hold', server: 'london', author: 'ann', forMs: 60_000 }],
    [
      'force',
      { ...HOLD, source: 'autodj', override: true },
      { do: 'force', server: 'london', author: 'ann', forMs: 60_000, source: 'autodj', override: true },
    ],
    [
      'force',
      { ...HOLD, source: 'autodj' },
      { do: 'force', server: 'london', author: 'ann', forMs: 60_000, source: 'autodj', override: false },
    ],
    ['release', { server: 'london', author: 'ann' }, { do: 'release', server: 'london', author: 'ann' }],
  ])('to %s is handed on', async (what, body, request) => {
    const { post, asked } = await startTestWeb();
    expect((await post(`myfm/${what}`, body)).status).toBe(202);
    expect(asked).toEqual([{ station: 'myfm', request }]);
  });

  test('is refused to a viewer', async () => {
    const { post, asked } = await startTestWeb();
    expect(await post('myfm/hold', HOLD, 'see')).toEqual({
      status: 403,
      body: { error: 'this token may not operate' },
    });
    expect(asked).toEqual([]);
  });

  test.each([
    ['station', 'nofm/hold', HOLD, 'there is no station nofm'],
    ['server', 'myfm/hold', { ...HOLD, server: 'paris' }, 'there is no server paris'],
    ['source', 'myfm/force', { ...HOLD, source: 'autodi' }, 'there is no source autodi'],
  ])('for a %s that does not exist is answered 404', async (_what, path, body, error) => {
    const { post } = await startTestWeb();
    expect(await post(path, body)).toEqual({ status: 404, body: { error } });
  });

  test.each([
    ['no JSON', 'hold', '{"server":', 'JSON'],
    ['no author, with a token', 'hold', { ...HOLD, author: undefined }, "'author'"],
    ['an empty author', 'hold', { ...HOLD, author: '' }, 'body/author'],
    ['no end', 'hold', { server: 'london', author: 'ann' }, "'forMs'"],
    [
      'an end too far away',
      'hold',
      { ...HOLD, forMs: 8 * 24 * 3_600_000 },
      'body/forMs must be <= 604800000',
    ],
    ['a duration as text', 'hold', { ...HOLD, forMs: '60000' }, 'body/forMs must be integer'],
    ['no source to force', 'force', HOLD, "'source'"],
    [
      'a word misspelt',
      'force',
      { ...HOLD, source: 'autodj', overide: true },
      "body must NOT have additional properties, such as 'overide'",
    ],
    [
      'a name that could forge a line',
      'hold',
      { ...HOLD, author: 'a\nb' },
      'must have no control characters',
    ],
    ['a list', 'hold', [HOLD], 'must be object'],
    [
      'keys that reach for the prototype',
      'hold',
      '{"__proto__":{"admin":true},"server":"london"}',
      'not valid JSON',
    ],
    [
      'a constructor that reaches for it',
      'hold',
      '{"constructor":{"prototype":{"admin":true}},"server":"london"}',
      'not valid JSON',
    ],
  ])('with %s is answered 400, and told why', async (_what, path, body, sentence) => {
    const { post, asked } = await startTestWeb();
    const answer = await post(`myfm/${path}`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toContain(sentence);
    expect(asked).toEqual([]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test.each([
    ['events?from=yesterday', 'querystring/from must be a moment such as 2026-11-08T11:00:00Z'],
    ['events?limit=many', 'querystring/limit must be a whole number of at most 4 digits'],
    ['incidents?open=maybe', 'querystring/open must be equal to one of the allowed values: true'],
  ])('as %s is answered in words that say what to write', async (path, error) => {
    const answer = await (await startTestWeb()).get(`/api/v1/${path}`, 'Bearer see');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ error });
  });

  test('of more than 16 KiB is not read', async () => {
    const { post } = await startTestWeb();
    expect((await post('myfm/hold', { ...HOLD, author: 'a'.repeat(20_000) })).status).toBe(413);
  });

  test('without a token is not even read', async () => {
    const { web } = await startTestWeb();
    const answer = await fetch(`${web.url}/api/v1/stations/myfm/hold`, { method: 'POST', body: '{' });
    expect(answer.status).toBe(401);
  });
});

describe('starting and stopping', () => {
  test('on an address that is taken fails with a code of its own and the address', async () => {
    const { web } = await startTestWeb();
    const port = Number(new URL(web.url).port);
    const second = startTestWeb({ port });
    await expect(second).rejects.toMatchObject({
      code: 'web-not-listening',
      message: `web.listen 127.0.0.1:${port}: something listens there already (EADDRINUSE): end that, or write another port`,
    });
  });

  test('does not wait for a client that is in no hurry', async () => {
    const { web } = await startTestWeb();
    const socket = connect(Number(new URL(web.url).port), '127.0.0.1');
    socket.on('error', () => {});
    await new Promise<void>((resolve) => {
      socket.once('connect', () => resolve());
    });
    const head = 'POST /api/v1/stations/myfm/hold HTTP/1.1\r\nhost: x\r\nauthorization: Bearer do\r\n';
    socket.write(`${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const startedAtMs = performance.now();
    await web.stop();
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
    socket.destroy();
  });
});

describe('the limit on requests', () => {
  test('lets a studio ask, and stops who guesses tokens, also at the meters', async () => {
    const { get, web } = await startTestWeb();
    for (let request = 0; request < 60; request += 1)
      expect((await get('/api/v1/state?events=0', 'Bearer see')).status).toBe(200);
    const guesses: number[] = [];
    for (let guess = 0; guess < 40 && guesses.at(-1) !== 429; guess += 1)
      guesses.push((await get('/api/v1/state', `Bearer guess-${guess}`)).status);
    expect(guesses.at(-1)).toBe(429);
    const upgraded = await fetch(`${web.url}/api/v1/levels`, { headers: { authorization: 'Bearer see' } });
    expect(upgraded.status).toBe(429);
    expect(upgraded.headers.get('retry-after')).toBe('1');
  });

  test('is one for each address, and fills again', () => {
    const clock = manualClock();
    const limiter = new RequestLimiter(clock);
    while (limiter.take('a'));
    expect(limiter.take('b')).toBe(true);
    clock.advance(1_000);
    let taken = 0;
    while (limiter.take('a')) taken += 1;
    expect(taken).toBe(200);
    limiter.charge('a', 1_000_000);
    clock.advance(5_000);
    expect(limiter.take('a')).toBe(false);
    clock.advance(1_000);
    expect(limiter.take('a')).toBe(true);
  });
});
