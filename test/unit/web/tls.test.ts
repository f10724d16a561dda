import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestWeb } from './support.ts';

const at = (name: string) =>
  readFileSync(new URL(`../../../fixtures/servers/${name}`, import.meta.url), 'utf8');
const TLS = { cert: at('self-signed.cert.pem'), key: at('self-signed.key.pem') };

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: { readonly csrf?: string };
}

/** A server with a certificate of its own, no proxy before it, and somebody who signed in there. */
async function signedIn() {
  const { web, asked } = await startTestWeb({ tls: TLS });
  const ask = async (method: string, path: string, headers: object, body?: object): Promise<Answer> => {
    const asking = request(`${web.url}${path}`, {
      method,
      rejectUnauthorized: false,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    });
    asking.end(body === undefined ? undefined : JSON.stringify(body));
    const [answer] = await once(asking, 'response');
    let text = '';
    for await (const piece of answer) text += piece;
    return { status: answer.statusCode, headers: answer.headers, body: JSON.parse(text) };
  };
  const answer = await ask('POST', '/api/v1/session', { origin: web.url }, { name: 'ann', password: 'do' });
  const [cookie = ''] = answer.headers['set-cookie'] ?? [];
  const key = /=([^;]+)/.exec(cookie)?.[1] ?? '';
  return { url: web.url, ask, asked, answer, cookie, key, csrf: answer.body.csrf ?? '' };
}

/** The status of the answer to whoever would open the meters; 101 when they open. */
function opening(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace('https', 'wss')}/api/v1/levels`, {
      headers,
      rejectUnauthorized: false,
    });
    socket.on('error', () => {});
    socket.once('unexpected-response', (_request, answer) => resolve(answer.statusCode));
    socket.once('open', () => {
      socket.terminate();
      resolve(101);
    });
  });
}

describe('over TLS of our own', () => {
  test('who signs in gets a cookie for this host and this transport only, and the browser is told to stay with it', async () => {
    const { cookie, answer } = await signedIn();
    expect(cookie).toMatch(/^__Host-sustain=\S{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
    expect(answer.headers['strict-transport-security']).toContain('max-age=');
  });

  test('the name that the cookie has without TLS opens nothing, as any page of the host could have set it', async () => {
    const { ask, key } = await signedIn();
    expect((await ask('GET', '/api/v1/state', { cookie: `sustain=${key}` })).status).toBe(401);
    expect((await ask('GET', '/api/v1/state', { cookie: `__Host-sustain=${key}` })).status).toBe(200);
  });

  test.each([
    ['with the mark of the session and from our page', 202, true, true],
    ['without the mark', 403, false, true],
    ['from the same host without TLS', 403, true, false],
  ])('an act %s is answered %i', async (_what, status, hasMark, isOwnPage) => {
    const { url, ask, key, csrf, asked } = await signedIn();
    const headers = {
      cookie: `__Host-sustain=${key}`,
      origin: isOwnPage ? url : url.replace('https', 'http'),
      ...(hasMark ? { 'x-csrf-token': csrf } : {}),
    };
    const body = { server: 'london', forMs: 60_000 };
    expect((await ask('POST', '/api/v1/stations/myfm/hold', headers, body)).status).toBe(status);
    expect(asked).toHaveLength(status === 202 ? 1 : 0);
  });

  test('the meters open for our own page, and not for another site, another transport, or no page at all', async () => {
    const { url, key } = await signedIn();
    const cookie = `__Host-sustain=${key}`;
    expect(await opening(url, { cookie, origin: url })).toBe(101);
    expect(await opening(url, { cookie, origin: 'https://evil.example' })).toBe(403);
    expect(await opening(url, { cookie, origin: url.replace('https', 'http') })).toBe(403);
    expect(await opening(url, { cookie, origin: 'null' })).toBe(403);
    expect(await opening(url, { cookie })).toBe(403);
    expect(await opening(url, { cookie: `sustain=${key}`, origin: url })).toBe(401);
    expect(await opening(url, { authorization: 'Bearer see' })).toBe(101);
  });
});

test('without TLS no cookie is called one that only comes over TLS, and one so called is not believed', async () => {
  const { web } = await startTestWeb();
  const answer = await fetch(`${web.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: web.url },
    body: JSON.stringify({ name: 'ann', password: 'do' }),
  });
  const cookie = answer.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/^sustain=\S{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  expect(answer.headers.get('strict-transport-security')).toBeNull();
  const asSecure = cookie.split(';')[0]?.replace('sustain=', '__Host-sustain=') ?? '';
  expect((await fetch(`${web.url}/api/v1/state`, { headers: { cookie: asSecure } })).status).toBe(401);
});
