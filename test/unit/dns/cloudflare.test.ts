import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createProvider, type DnsProvider, type DnsRead } from '../../../src/dns/index.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import {
  DUBLIN,
  keyOf,
  LISTEN,
  LONDON,
  LONDON6,
  STREAM,
  soon,
  wanted,
  writerFor,
} from '../../e2e/dns-support.ts';
import { fakeCloudflare, refusal, TOKEN, ZONE_ID } from './fake-cloudflare.ts';
import { type Answer, type Asked, fakeServer } from './fake-server.ts';

interface Recording {
  readonly sdk: string;
  readonly exchanges: readonly {
    readonly what: string;
    readonly status: number;
    readonly answer: object;
    readonly request: { method: string; url: string; headers: object; body?: object };
  }[];
}

/** What the official SDK sent and was answered: see `fixtures/dns/record-cloudflare.mjs`. */
const recorded = JSON.parse(
  readFileSync(new URL('../../../fixtures/dns/cloudflare-sdk.json', import.meta.url), 'utf8'),
) as Recording;

const never = () => new AbortController().signal;
const MARK = `_sustain.${STREAM}`;

function providerAt(url: string, token = TOKEN, names = [STREAM, LISTEN]): DnsProvider {
  const settings = { url, token: keyOf(token), zone: 'myfm.example', zoneId: null, names };
  return createProvider({ provider: 'cloudflare', ...settings }, systemClock);
}

const answerTo = (read: DnsRead) => {
  if (!read.ok) throw new Error(read.failure.text);
  return read.state;
};

describe("Cloudflare's API, as its own SDK uses it", () => {
  const replay = async () => {
    const answer = (asked: Asked): Answer => {
      const path = `${asked.url.pathname}${asked.url.search}`;
      const same = recorded.exchanges.find(
        ({ request }) => request.method === asked.method && request.url === path,
      );
      // The mark's name is ours alone, and has no record yet.
      const body = same?.answer ?? { success: true, errors: [], messages: [], result: [] };
      return { status: 200, body: JSON.stringify(body) };
    };
    return fakeServer(answer);
  };

  test('is asked for the zone and the records by the very same requests', async () => {
    const server = await replay();
    const read = answerTo(await providerAt(`${server.url}/client/v4`, 'a-token', [STREAM]).read(never()));
    expect(read.records).toEqual([{ name: STREAM, type: 'A', addresses: [LONDON], ttlSeconds: 60 }]);
    const sent = server.asked.map(({ method, url, authorization }) => ({
      method,
      url: `${url.pathname}${url.search}`,
      headers: { authorization },
    }));
    const [zones, list] = recorded.exchanges.map(({ request }) => request);
    expect(sent[0]).toEqual(zones);
    expect(sent).toContainEqual(list);
  });

  test('is given a batch of the same form, with no key that the SDK does not know', async () => {
    const cloud = await fakeCloudflare();
    const provider = providerAt(cloud.url, TOKEN, [STREAM]);
    const expected = answerTo(await provider.read(never()));
    await provider.write({ ...wanted(1, 'london', LONDON), expected }, never());
    const after = answerTo(await provider.read(never()));
    await provider.write({ ...wanted(2, 'dublin', DUBLIN), expected: after }, never());
    const ours = cloud.asked.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body));
    const sdk = recorded.exchanges[2]?.request;
    expect(cloud.asked.at(-1)?.url.pathname).toBe(sdk?.url);
    const shape = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.slice(0, 1).map(shape);
      if (typeof value !== 'object' || value === null) return typeof value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]));
    };
    expect(shape(ours[1])).toMatchObject({
      deletes: (shape(sdk?.body) as { deletes: unknown }).deletes as object,
      patches: (shape(sdk?.body) as { patches: unknown }).patches as object,
    });
    const keys = (posts: object[]) => [...new Set(posts.flatMap((post) => Object.keys(post)))];
    const known = keys((sdk?.body as { posts: object[] } | undefined)?.posts ?? []);
    expect(keys(ours[0].posts).filter((key) => !known.includes(key))).toEqual([]);
  });

  test.each(recorded.exchanges.slice(3).map((one) => [one.what, one] as const))(
    'says what went wrong as the SDK would understand it: %s',
    async (what, { status, answer }) => {
      const cloud = await fakeCloudflare();
      const provider = providerAt(cloud.url);
      const expected = answerTo(await provider.read(never()));
      cloud.fault.next = ({ method }) =>
        method === 'POST'
          ? { status, body: JSON.stringify(answer), headers: { 'retry-after': '7' } }
          : undefined;
      const written = await provider.write({ ...wanted(1, 'london', LONDON), expected }, never());
      const kinds: Record<string, object> = {
        'a token that lacks a right': { is: 'wrong-key' },
        'a record that is gone': { is: 'conflict' },
        'too many calls': { is: 'rate-limited', retryAfterMs: 7_000 },
        'trouble of its own': { is: 'unreachable' },
      };
      expect(written).toMatchObject({ ok: false, failure: kinds[what] });
    },
  );
});

describe('a name at Cloudflare', () => {
  test('moves with every name, in both families, in one batch each time', async () => {
    const cloud = await fakeCloudflare();
    const { writer } = writerFor(providerAt(cloud.url), []);
    expect(await writer.apply(wanted(3, 'london', LONDON, LONDON6), soon)).toMatchObject({
      is: 'converged',
      writes: 1,
    });
    expect(await writer.apply(wanted(4, 'dublin', DUBLIN), soon)).toMatchObject({
      is: 'converged',
      writes: 1,
    });
    expect(cloud.records.map(({ name, type, content }) => `${name} ${type} ${content}`).sort()).toEqual([
      `${MARK} TXT "v=sustain1 epoch=4 writer=dublin"`,
      `${LISTEN} A ${DUBLIN}`,
      `${STREAM} A ${DUBLIN}`,
    ]);
    expect(await writer.apply(wanted(3, 'london', LONDON), soon)).toMatchObject({ is: 'fenced' });
  });

  test('of two writers that read the same, the second is turned away by Cloudflare itself', async () => {
    const cloud = await fakeCloudflare();
    const provider = providerAt(cloud.url);
    await writerFor(provider, []).writer.apply(wanted(1, 'london', LONDON), soon);
    const expected = answerTo(await provider.read(never()));
    const other = providerAt(cloud.url);
    const first = provider.write({ ...wanted(2, 'london', DUBLIN), expected }, never());
    const second = other.write({ ...wanted(3, 'dublin', LONDON), expected }, never());
    const outcomes = [await first, await second];
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
    expect(outcomes.find(({ ok }) => !ok)).toMatchObject({ failure: { is: 'conflict' } });
    expect(cloud.records.filter(({ type }) => type === 'TXT')).toHaveLength(1);
  });

  test('waits as long as a 429 asks for, is told, and gets there', async () => {
    const cloud = await fakeCloudflare();
    let refused = 0;
    cloud.fault.next = () => {
      refused += 1;
      return refused <= 2 ? refusal(429, 971, 'slow down', { 'retry-after': '1' }) : undefined;
    };
    const { writer, events } = writerFor(providerAt(cloud.url), []);
    const fromMs = performance.now();
    expect(await writer.apply(wanted(1, 'london', LONDON), soon)).toMatchObject({ is: 'converged' });
    expect(performance.now() - fromMs).toBeGreaterThan(990);
    const told = events.filter(({ event }) => event === 'dns-retry');
    expect(told[0]).toMatchObject({ failure: { is: 'rate-limited' } });
  });

  test('that was written without an answer is not written twice', async () => {
    const cloud = await fakeCloudflare();
    const provider = providerAt(cloud.url);
    let isLost = false;
    cloud.fault.next = ({ method, body }) => {
      if (method !== 'POST' || isLost) return undefined;
      isLost = true;
      // It was carried out, and the answer got lost on its way.
      cloud.carryOut(body);
      return { status: 502, body: 'bad gateway' };
    };
    const { writer, events } = writerFor(provider, []);
    expect(await writer.apply(wanted(1, 'london', LONDON), soon)).toMatchObject({
      is: 'converged',
      writes: 0,
    });
    expect(events.some(({ event }) => event === 'dns-retry')).toBe(true);
    expect(cloud.records.filter(({ name, type }) => name === STREAM && type === 'A')).toHaveLength(1);
  });

  test.each<[string, string, () => Answer | null | undefined]>([
    ['a wrong token', 'wrong-key', () => undefined],
    ['an API that is down', 'unreachable', () => ({ status: 503, body: 'no' })],
    ['an API that never answers', 'timeout', () => null],
    ['a page where the API should be', 'bad-answer', () => ({ status: 200, body: '<html>' })],
    ['an answer that is no list', 'bad-answer', () => ({ status: 200, body: '{"success":true,"result":7}' })],
    [
      'a redirect',
      'bad-answer',
      () => ({ status: 302, body: '', headers: { location: 'http://127.0.0.1:1/' } }),
    ],
  ])('with %s fails as what it is, and never gives the token away', async (what, is, next) => {
    const cloud = await fakeCloudflare();
    cloud.fault.next = next;
    const provider = providerAt(cloud.url, what === 'a wrong token' ? `not-${TOKEN}` : TOKEN);
    const read = await provider.read(AbortSignal.timeout(500));
    expect(read).toMatchObject({ ok: false, failure: { is } });
    expect(JSON.stringify(read)).not.toContain(`not-${TOKEN}`);
  });

  test('is not lost with its zone: one that the token does not see is told', async () => {
    const cloud = await fakeCloudflare();
    const settings = {
      url: cloud.url,
      token: keyOf(TOKEN),
      zone: 'other.example',
      zoneId: null,
      names: [STREAM],
    };
    const read = await createProvider({ provider: 'cloudflare', ...settings }, systemClock).read(never());
    expect(read).toMatchObject({ ok: false, failure: { is: 'not-found' } });
  });

  test('is known to be ours to write without a change to it', async () => {
    const cloud = await fakeCloudflare();
    const provider = providerAt(cloud.url);
    await writerFor(provider, []).writer.apply(wanted(1, 'london', LONDON), soon);
    const before = structuredClone(cloud.records);
    expect(await provider.mayWrite(never())).toEqual({ ok: true });
    expect(cloud.records).toEqual(before);
    cloud.fault.next = ({ method }) =>
      method === 'POST' ? refusal(403, 10_000, 'Authentication error') : undefined;
    expect(await provider.mayWrite(never())).toMatchObject({ ok: false, failure: { is: 'wrong-key' } });
    expect(
      cloud.asked.every(({ url }) => url.pathname === '/client/v4/zones' || url.pathname.includes(ZONE_ID)),
    ).toBe(true);
  });
});
