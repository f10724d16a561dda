import { describe, expect, test } from 'vitest';
import type { FailoverRequest, RequestAnswer } from '../../../src/domain/failover.ts';
import type { StationName } from '../../../src/domain/ids.ts';
import { startTestWeb } from './support.ts';

async function webWith(answer: RequestAnswer) {
  const asked: FailoverRequest[] = [];
  const { web } = await startTestWeb(
    {},
    {
      requestDns(request) {
        asked.push(request);
        return answer;
      },
    },
  );
  const post = async (what: string, body: object, token = 'do') => {
    const response = await fetch(`${web.url}/api/v1/dns/${what}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as unknown };
  };
  return { asked, post };
}

describe("an operator's wish for the DNS", () => {
  test.each<[string, object, FailoverRequest]>([
    ['hold', { author: 'ann', forMs: 60_000 }, { do: 'hold', author: 'ann', forMs: 60_000 }],
    [
      'force',
      { author: 'ann', forMs: 60_000, server: 'dublin' },
      { do: 'force', author: 'ann', forMs: 60_000, server: 'dublin' as never, override: false },
    ],
    ['release', { author: 'ann' }, { do: 'release', author: 'ann' }],
  ])('to %s is handed on', async (what, body, request) => {
    const { asked, post } = await webWith({ is: 'taken' });
    expect(await post(what, body)).toEqual({ status: 202, body: { accepted: true } });
    expect(asked).toEqual([request]);
  });

  test('that is refused is answered 409, with the reason', async () => {
    const { post } = await webWith({ is: 'refused', detail: 'dublin is not audible now' });
    expect(await post('force', { author: 'ann', forMs: 60_000, server: 'dublin' })).toEqual({
      status: 409,
      body: { error: 'dublin is not audible now' },
    });
  });

  test('without a DNS section is answered 404', async () => {
    const { post } = await webWith({ is: 'no-dns' });
    expect((await post('hold', { author: 'ann', forMs: 60_000 })).status).toBe(404);
  });

  test.each([
    ['no end', 'hold', { author: 'ann' }],
    ['no author', 'hold', { forMs: 60_000 }],
    ['no server', 'force', { author: 'ann', forMs: 60_000 }],
    ['a word misspelt', 'force', { author: 'ann', forMs: 60_000, server: 'dublin', overide: true }],
  ])('with %s is answered 400 and goes no further', async (_what, path, body) => {
    const { asked, post } = await webWith({ is: 'taken' });
    expect((await post(path, body)).status).toBe(400);
    expect(asked).toEqual([]);
  });

  test('is refused to a viewer', async () => {
    const { asked, post } = await webWith({ is: 'taken' });
    expect((await post('hold', { author: 'ann', forMs: 60_000 }, 'see')).status).toBe(403);
    expect(asked).toEqual([]);
  });
});

describe('a playlist', () => {
  const playlist = (station: StationName) =>
    station === 'myfm'
      ? [
          { url: 'http://203.0.113.10:8000/stream', title: 'My FM (london)' },
          { url: 'http://198.51.100.10:8000/stream', title: 'My FM (dublin)\r\nFile3=http://evil.example/' },
        ]
      : null;

  test('is open to everybody, and has the best server first', async () => {
    const { get } = await startTestWeb({}, { playlist });
    const m3u = await get('/listen/myfm.m3u');
    expect(m3u.headers.get('content-type')).toContain('audio/x-mpegurl');
    expect((await m3u.text()).split('\r\n')).toEqual([
      '#EXTM3U',
      '#EXTINF:-1,My FM (london)',
      'http://203.0.113.10:8000/stream',
      '#EXTINF:-1,My FM (dublin)  File3=http://evil.example/',
      'http://198.51.100.10:8000/stream',
      '',
    ]);
    const pls = await get('/listen/myfm.pls');
    expect(pls.headers.get('content-type')).toContain('audio/x-scpls');
    expect(await pls.text()).toContain('NumberOfEntries=2\r\nFile1=http://203.0.113.10:8000/stream\r\n');
  });

  test.each(['/listen/nofm.m3u', '/listen/myfm.txt', '/listen/myfm', '/listen/..%2fmyfm.m3u'])(
    'that there is not is answered 404: %s',
    async (path) => {
      const { get } = await startTestWeb({}, { playlist });
      expect((await get(path)).status).toBe(404);
    },
  );
});
