import { once } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { clientOf, isOwnOrigin, neighbourhoodOf } from '../../../src/web/access/client.ts';
import { SignInLimiter } from '../../../src/web/access/limiter.ts';
import { hashPassword, isPassword } from '../../../src/web/access/passwords.ts';
import { Sessions } from '../../../src/web/access/sessions.ts';
import type { User } from '../../../src/web/access/sign-in.ts';
import type { WebOptions } from '../../../src/web/server.ts';
import { manualClock } from '../platform/clocks.ts';
import { startTestWeb } from './support.ts';

const PASSWORD = 'correct horse battery';
let users: readonly User[];
beforeAll(async () => {
  const passwordHash = await hashPassword(PASSWORD);
  users = [
    { name: 'ann', role: 'operator', passwordHash },
    { name: 'bob', role: 'viewer', passwordHash },
  ];
});

interface Session {
  readonly cookie: string;
  readonly csrf: string;
}

async function startWithUsers(changes: Partial<WebOptions> = {}) {
  const test = await startTestWeb({ users, ...changes });
  const { url } = test.web;
  const signIn = (name: string, password: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url, ...headers },
      body: JSON.stringify({ name, password }),
    });
  const signedIn = async (name: string, password = PASSWORD): Promise<Session> => {
    const answer = await signIn(name, password);
    expect(answer.status).toBe(200);
    const { csrf } = (await answer.json()) as { csrf: string };
    return { cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '', csrf };
  };
  const hold = ({ cookie, csrf }: Session, headers: Record<string, string> = {}) =>
    fetch(`${url}/api/v1/stations/myfm/hold`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url, cookie, 'x-csrf-token': csrf, ...headers },
      body: JSON.stringify({ server: 'london', forMs: 60_000, author: 'somebody else' }),
    });
  return { ...test, url, signIn, signedIn, hold };
}

describe('a password', () => {
  test('is known again by its hash, and by no other', async () => {
    const hash = await hashPassword(PASSWORD);
    expect(hash).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/);
    expect(await isPassword(PASSWORD, hash)).toBe(true);
    expect(await isPassword(`${PASSWORD}!`, hash)).toBe(false);
    expect(await hashPassword(PASSWORD)).not.toBe(hash);
  });

  test('typed with another composition of the same letters is the same', async () => {
    expect(await isPassword('caf\u0065\u0301 caf\u00e9', await hashPassword('café café'))).toBe(true);
  });

  test.each(['', 'hunter2', '$scrypt$ln=30,r=8,p=1$aaaaaaaaaaaaaaaaaaaaaa$bbbb', '$2b$10$abc'])(
    'is never right for what is no hash: %s',
    async (stored) => {
      expect(await isPassword(PASSWORD, stored)).toBe(false);
    },
  );
});

describe('who signs in', () => {
  test('gets a cookie that scripts cannot read and other sites cannot send', async () => {
    const { signIn } = await startWithUsers();
    const answer = await signIn('ann', PASSWORD);
    expect(answer.headers.get('set-cookie')).toMatch(/^sustain=\S{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(await answer.json()).toMatchObject({ name: 'ann', role: 'operator' });
  });

  test('over TLS gets it for this host only', async () => {
    const { signIn, web } = await startWithUsers({ proxies: ['127.0.0.1'] });
    const host = new URL(web.url).host;
    const answer = await signIn('ann', PASSWORD, {
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '203.0.113.9',
      origin: `https://${host}`,
    });
    expect(answer.headers.get('set-cookie')).toMatch(
      /^__Host-sustain=\S{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
    );
    expect(answer.headers.get('strict-transport-security')).toContain('max-age=');
  });

  test.each([
    ['a wrong password', 'ann', 'wrong'],
    ['a name that nobody has', 'eve', PASSWORD],
    ["another way to write a user's name", 'ANN', PASSWORD],
    ["a token under a user's name", 'ann', 'do'],
  ])('with %s is told nothing but that', async (_what, name, password) => {
    const { signIn } = await startWithUsers();
    const answer = await signIn(name, password);
    expect(answer.status).toBe(401);
    expect(await answer.json()).toEqual({ error: 'name or password is wrong' });
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  test('from a page of another site is refused', async () => {
    const { signIn } = await startWithUsers();
    expect((await signIn('ann', PASSWORD, { origin: 'http://evil.example' })).status).toBe(403);
  });

  test('through a proxy that nobody named is refused, as its line may be open to all', async () => {
    const { signIn } = await startWithUsers();
    expect((await signIn('ann', PASSWORD, { 'x-forwarded-for': '203.0.113.9' })).status).toBe(403);
  });

  test('may use a token as password, under a name of their own', async () => {
    const { signedIn, hold, asked } = await startWithUsers();
    expect((await hold(await signedIn('carol', 'do'))).status).toBe(202);
    expect(asked[0]?.request.author).toBe('carol');
  });

  test('too often with wrong passwords has to wait, and somebody elsewhere has not', async () => {
    const { url, signIn } = await startWithUsers({ proxies: ['127.0.0.1'] });
    const origin = url.replace('http', 'https');
    const wrong = async (address: string) => {
      const headers = { 'x-forwarded-for': address, 'x-forwarded-proto': 'https', origin };
      return (await signIn('ann', 'wrong', headers)).status;
    };
    const first = await Promise.all([1, 2, 3, 4].map(() => wrong('203.0.113.9')));
    expect([...first, await wrong('203.0.113.9'), await wrong('203.0.113.9')]).toEqual([
      401, 401, 401, 401, 401, 429,
    ]);
    expect(await wrong('203.0.113.10')).toBe(401);
  });

  test('where nobody was configured does so once with what the first run said', async () => {
    const { web, signIn } = await startWithUsers({ users: [], viewerToken: null, operatorToken: null });
    expect(web.oneTimeSecret).toMatch(/^\S{43}$/);
    expect((await signIn('ann', web.oneTimeSecret ?? '')).status).toBe(200);
    expect((await signIn('ann', web.oneTimeSecret ?? '')).status).toBe(401);
  });

  test('where somebody was configured finds no such thing', async () => {
    expect((await startWithUsers()).web.oneTimeSecret).toBeNull();
    expect((await startTestWeb()).web.oneTimeSecret).toBeNull();
  });
});

describe('a session', () => {
  test("lets see, and an operator's lets act under the operator's own name", async () => {
    const { url, signedIn, hold, asked } = await startWithUsers();
    const ann = await signedIn('ann');
    const state = await fetch(`${url}/api/v1/state`, { headers: { cookie: ann.cookie } });
    expect(state.status).toBe(200);
    expect((await hold(ann)).status).toBe(202);
    expect(asked[0]?.request).toMatchObject({ do: 'hold', author: 'ann' });
  });

  test("a viewer's does not let act", async () => {
    const { signedIn, hold, asked } = await startWithUsers();
    const answer = await hold(await signedIn('bob'));
    expect(answer.status).toBe(403);
    expect(asked).toEqual([]);
  });

  test.each([
    ['without its mark', { 'x-csrf-token': '' }],
    ['with another mark', { 'x-csrf-token': 'x'.repeat(43) }],
    ['from a page elsewhere', { origin: 'http://evil.example' }],
    ['from a page of this host on another port', { origin: 'http://127.0.0.1:1' }],
  ])('%s changes nothing', async (_what, headers) => {
    const { signedIn, hold, asked } = await startWithUsers();
    expect((await hold(await signedIn('ann'), headers)).status).toBe(403);
    expect(asked).toEqual([]);
  });

  test('that was signed out is none any more', async () => {
    const { url, signedIn, hold } = await startWithUsers();
    const ann = await signedIn('ann');
    const headers = { cookie: ann.cookie, origin: url, 'x-csrf-token': ann.csrf };
    const out = await fetch(`${url}/api/v1/session`, { method: 'DELETE', headers });
    expect(out.headers.get('set-cookie')).toContain('Max-Age=0');
    expect((await hold(ann)).status).toBe(401);
  });

  test('opens the meters for a page of ours only, and is looked at again while they run', async () => {
    const clock = manualClock();
    const { url, signedIn } = await startWithUsers({ clock });
    const { cookie, csrf } = await signedIn('bob');
    const socketUrl = `${url.replace('http', 'ws')}/api/v1/levels`;
    const refused = (headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve) => {
        const socket = new WebSocket(socketUrl, { headers });
        socket.on('error', () => {});
        socket.once('unexpected-response', (_request, answer) => resolve(answer.statusCode));
      });
    expect(await refused({ cookie })).toBe(403);
    expect(await refused({ cookie, origin: 'http://evil.example' })).toBe(403);
    const socket = new WebSocket(socketUrl, { headers: { cookie, origin: url } });
    await once(socket, 'message');
    const headers = { cookie, origin: url, 'x-csrf-token': csrf };
    await fetch(`${url}/api/v1/session`, { method: 'DELETE', headers });
    const closed = once(socket, 'close');
    clock.advance(20_000);
    expect((await closed)[0]).toBe(4401);
  });

  test('ends when it is left for half a day, and after a week whatever it does', () => {
    const clock = manualClock();
    const sessions = new Sessions(clock);
    const left = sessions.open('ann', 'viewer');
    const used = sessions.open('bob', 'viewer');
    for (let hour = 0; hour < 13; hour += 1) {
      clock.advance(3_600_000);
      sessions.find(used.key);
    }
    expect(sessions.find(left.key)).toBeNull();
    expect(sessions.find(used.key)).toBe(used.session);
    for (let hour = 0; hour < 7 * 24; hour += 1) {
      clock.advance(3_600_000);
      sessions.find(used.key);
    }
    expect(sessions.find(used.key)).toBeNull();
  });
});

describe('the limit on guesses', () => {
  test('doubles the wait with each failure, up to five minutes, and forgets', () => {
    const clock = manualClock();
    const limiter = new SignInLimiter(clock);
    const waits: number[] = [];
    for (let guess = 0; guess < 14; guess += 1) {
      limiter.noteTry('a');
      waits.push(limiter.waitMs('a'));
      clock.advance(limiter.waitMs('a'));
    }
    expect(waits.slice(0, 8)).toEqual([0, 0, 0, 0, 5000, 10_000, 20_000, 40_000]);
    expect(Math.max(...waits)).toBe(300_000);
    clock.advance(16 * 60_000);
    limiter.noteTry('a');
    expect(limiter.waitMs('a')).toBe(0);
  });

  test('stops a guesser with many addresses too', () => {
    const clock = manualClock();
    const limiter = new SignInLimiter(clock);
    for (let guess = 0; guess < 60; guess += 1) limiter.noteTry(`10.0.0.${guess}`);
    expect(limiter.waitMs('10.0.1.1')).toBeGreaterThan(0);
    clock.advance(60_000);
    expect(limiter.waitMs('10.0.1.1')).toBe(0);
  });
});

describe('who is at the other end', () => {
  const request = (peer: string, headers: Record<string, string> = {}) =>
    ({
      socket: { remoteAddress: peer },
      headers: { host: 'studio:8080', ...headers },
    }) as unknown as Parameters<typeof clientOf>[0];

  test.each([
    ['an IPv4 address inside IPv6', '::ffff:10.0.0.7', '10.0.0.7'],
    ['an IPv6 address', '2001:db8::1', '2001:db8::1'],
  ])('%s', (_what, peer, address) => {
    expect(clientOf(request(peer), []).address).toBe(address);
  });

  test('is not what headers say, unless a proxy that was named says it', () => {
    const headers = { 'x-forwarded-for': '6.6.6.6, 203.0.113.9', 'x-forwarded-proto': 'https' };
    expect(clientOf(request('127.0.0.1', headers), [])).toMatchObject({
      address: '127.0.0.1',
      isSecure: false,
      isLocal: false,
    });
    expect(clientOf(request('127.0.0.1', headers), ['127.0.0.1'])).toMatchObject({
      address: '203.0.113.9',
      isSecure: true,
    });
  });

  test('counts as one neighbourhood with all addresses of its /64', () => {
    expect(neighbourhoodOf('2001:db8:0:1:aaaa::1')).toBe(neighbourhoodOf('2001:db8:0:1::2'));
    expect(neighbourhoodOf('2001:db8:0:2::1')).not.toBe(neighbourhoodOf('2001:db8:0:1::1'));
    expect(neighbourhoodOf('10.0.0.1')).toBe('10.0.0.1');
  });

  test('has our origin only with scheme, host and port', () => {
    const client = { address: 'x', isSecure: false, host: 'studio:8080', isLocal: false };
    expect(isOwnOrigin('http://studio:8080', client)).toBe(true);
    for (const other of [
      'https://studio:8080',
      'http://studio',
      'http://studio:8080.evil.example',
      'null',
      '',
    ]) {
      expect(isOwnOrigin(other, client)).toBe(false);
    }
  });
});
