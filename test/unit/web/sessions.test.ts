import { beforeAll, describe, expect, test } from 'vitest';
import { hashPassword } from '../../../src/web/access/passwords.ts';
import type { SessionStore } from '../../../src/web/access/sessions.ts';
import type { WebOptions } from '../../../src/web/server.ts';
import { startTestWeb } from './support.ts';

const PASSWORD = 'correct horse battery';
let passwordHash: string;
let otherHash: string;
beforeAll(async () => {
  passwordHash = await hashPassword(PASSWORD);
  otherHash = await hashPassword(PASSWORD);
});

/** Keeps what would stand in the state directory. */
function memoryStore(): SessionStore & { text: string } {
  return {
    text: 'null',
    async load() {
      return JSON.parse(this.text);
    },
    async save(sessions) {
      this.text = JSON.stringify(sessions);
    },
  };
}

/** Signs in at one agent and shows the cookie to the next. */
async function overARestart(
  who: { name: string; password: string },
  store: SessionStore,
  before: Partial<WebOptions>,
  after: Partial<WebOptions>,
): Promise<number> {
  const first = await startTestWeb({ sessionStore: store, ...before });
  const signed = await fetch(`${first.web.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: first.web.url },
    body: JSON.stringify(who),
  });
  expect(signed.status).toBe(200);
  const cookie = signed.headers.get('set-cookie')?.split(';')[0] ?? '';
  await first.web.stop();
  const second = await startTestWeb({ sessionStore: store, ...before, ...after });
  return (await fetch(`${second.web.url}/api/v1/state`, { headers: { cookie } })).status;
}

const ANN = { name: 'ann', role: 'operator' as const };

describe('a session over a restart of the agent', () => {
  const ann = { name: 'ann', password: PASSWORD };

  test('goes on', async () => {
    const users = [{ ...ANN, passwordHash }];
    expect(await overARestart(ann, memoryStore(), { users }, {})).toBe(200);
  });

  test('is over when the password was changed meanwhile, or the user is gone or has another role', async () => {
    const users = [{ ...ANN, passwordHash }];
    const other = { users: [{ ...ANN, passwordHash: otherHash }] };
    expect(await overARestart(ann, memoryStore(), { users }, other)).toBe(401);
    expect(await overARestart(ann, memoryStore(), { users }, { users: [] })).toBe(401);
    const demoted = { users: [{ name: 'ann', role: 'viewer' as const, passwordHash }] };
    expect(await overARestart(ann, memoryStore(), { users }, demoted)).toBe(401);
  });

  test('that came from a token ends with the token', async () => {
    const wall = { name: 'the wall', password: 'see' };
    expect(await overARestart(wall, memoryStore(), {}, {})).toBe(200);
    expect(await overARestart(wall, memoryStore(), {}, { viewerToken: 'another' })).toBe(401);
    // What only let somebody look must not let them act, should the operators' token become the same.
    expect(await overARestart(wall, memoryStore(), {}, { viewerToken: null, operatorToken: 'see' })).toBe(
      401,
    );
  });

  test('leaves neither its key nor the token in the store', async () => {
    const store = memoryStore();
    await overARestart({ name: 'ann', password: 'do' }, store, {}, {});
    const [session] = (JSON.parse(store.text) as { sessions: Record<string, string>[] }).sessions;
    expect(session?.['name']).toBe('ann');
    expect(session?.['key']).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    expect(session?.['credential']).not.toContain('do ');
  });

  test('starts without a store that holds something else', async () => {
    const store = memoryStore();
    store.text = '{"sessions":[{"key":1}]}';
    const { web } = await startTestWeb({ sessionStore: store });
    expect((await fetch(`${web.url}/healthz`)).status).toBe(200);
  });
});
