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
import { awsError, fakeRoute53, HOSTED_ZONE } from './fake-route53.ts';
import type { Answer } from './fake-server.ts';

const SECRET = 'a-secret-that-only-this-test-knows';
const MARK = `_sustain.${STREAM}.`;
const never = () => new AbortController().signal;

/** Amazon's own SDK does the talking. */
function providerAt(url: string, zoneId = HOSTED_ZONE): DnsProvider {
  return createProvider(
    {
      provider: 'route53',
      url,
      zoneId,
      names: [STREAM, LISTEN],
      credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretKey: keyOf(SECRET) },
    },
    systemClock,
  );
}

const stateOf = (read: DnsRead) => {
  if (!read.ok) throw new Error(read.failure.text);
  return read.state;
};

describe('a name at Route 53, through its SDK', () => {
  test('moves with every name, in both families, in one batch each time', async () => {
    const aws = await fakeRoute53();
    const { writer } = writerFor(providerAt(aws.url), []);
    expect(await writer.apply(wanted(3, 'london', LONDON, LONDON6), soon)).toMatchObject({
      is: 'converged',
      writes: 1,
    });
    expect(await writer.apply(wanted(4, 'dublin', DUBLIN), soon)).toMatchObject({
      is: 'converged',
      writes: 1,
    });
    expect(
      aws.sets.map(({ Name, Type, TTL, values }) => [Name, Type, TTL, values.join()].join(' ')).sort(),
    ).toEqual([
      `${MARK} TXT 60 "v=sustain1 epoch=4 writer=dublin"`,
      `${LISTEN}. A 30 ${DUBLIN}`,
      `${STREAM}. A 30 ${DUBLIN}`,
    ]);
    expect(await writer.apply(wanted(3, 'london', LONDON), soon)).toMatchObject({ is: 'fenced' });
    // Every request is signed by the SDK, with the key that it was given, for Route 53.
    const signed =
      /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/\d{8}\/us-east-1\/route53\/aws4_request/;
    expect(aws.asked.every(({ authorization }) => signed.test(authorization))).toBe(true);
  });

  test('of two writers that read the same, the second is turned away by Route 53 itself', async () => {
    const aws = await fakeRoute53();
    const provider = providerAt(aws.url);
    await writerFor(provider, []).writer.apply(wanted(1, 'london', LONDON), soon);
    const expected = stateOf(await provider.read(never()));
    const outcomes = [
      await provider.write({ ...wanted(3, 'dublin', DUBLIN), expected }, never()),
      await provider.write({ ...wanted(2, 'london', LONDON), expected }, never()),
    ];
    expect(outcomes[0]).toEqual({ ok: true });
    expect(outcomes[1]).toMatchObject({ ok: false, failure: { is: 'conflict' } });
    expect(stateOf(await provider.read(never())).mark).toEqual({ epoch: 3, writer: 'dublin' });
  });

  test('whose first mark two writers would make is made by one of them', async () => {
    const aws = await fakeRoute53();
    const provider = providerAt(aws.url);
    const expected = stateOf(await provider.read(never()));
    expect(await provider.write({ ...wanted(1, 'dublin', DUBLIN), expected }, never())).toEqual({ ok: true });
    const late = await provider.write({ ...wanted(1, 'london', LONDON), expected }, never());
    expect(late).toMatchObject({ ok: false, failure: { is: 'conflict' } });
  });

  test('that was written without an answer is not written twice', async () => {
    const aws = await fakeRoute53();
    let isLost = false;
    aws.fault.next = ({ method, body }) => {
      if (method !== 'POST' || isLost) return undefined;
      isLost = true;
      aws.change(body);
      return { status: 503, body: '' };
    };
    const { writer, events } = writerFor(providerAt(aws.url), []);
    expect(await writer.apply(wanted(1, 'london', LONDON), soon)).toMatchObject({
      is: 'converged',
      writes: 0,
    });
    expect(events.some(({ event }) => event === 'dns-retry')).toBe(true);
  });

  test('gets there although Amazon throttles and has trouble of its own', async () => {
    const aws = await fakeRoute53();
    let count = 0;
    aws.fault.next = () => {
      count += 1;
      if (count === 1) return awsError(400, 'Throttling', 'Rate exceeded');
      if (count === 4) return awsError(500, 'InternalFailure', 'oops');
      return undefined;
    };
    const { writer, events } = writerFor(providerAt(aws.url), []);
    expect(await writer.apply(wanted(1, 'london', LONDON), soon)).toMatchObject({ is: 'converged' });
    const told = events.flatMap((event) => (event.event === 'dns-retry' ? [event.failure.is] : []));
    expect(told).toContain('rate-limited');
  });

  test.each<[string, string, () => Answer | null]>([
    ['a wrong key', 'wrong-key', () => awsError(403, 'SignatureDoesNotMatch', `not signed with ${SECRET}`)],
    [
      'a key without the right',
      'wrong-key',
      () => awsError(403, 'AccessDenied', 'not authorized to perform'),
    ],
    ['too many calls', 'rate-limited', () => awsError(400, 'PriorRequestNotComplete', 'wait')],
    ['an API that is down', 'unreachable', () => ({ status: 503, body: '' })],
    ['an API that never answers', 'timeout', () => null],
    ['a page where the API should be', 'bad-answer', () => ({ status: 200, body: '<html><p>' })],
  ])('with %s fails as what it is, and never gives the secret away', async (_what, is, answer) => {
    const aws = await fakeRoute53();
    aws.fault.next = answer;
    const read = await providerAt(aws.url).read(AbortSignal.timeout(1_000));
    expect(read).toMatchObject({ ok: false, failure: { is } });
    expect(JSON.stringify(read)).not.toContain(SECRET);
  });

  test('in a zone that there is not is told', async () => {
    const aws = await fakeRoute53();
    const read = await providerAt(aws.url, 'Z9').read(never());
    expect(read).toMatchObject({ ok: false, failure: { is: 'not-found' } });
  });

  test('is known to be ours to write without a change to it', async () => {
    const aws = await fakeRoute53();
    const provider = providerAt(aws.url);
    expect(await provider.mayWrite(never())).toEqual({ ok: true });
    await writerFor(provider, []).writer.apply(wanted(1, 'london', LONDON), soon);
    const before = JSON.stringify(aws.sets);
    expect(await provider.mayWrite(never())).toEqual({ ok: true });
    expect(JSON.stringify(aws.sets)).toBe(before);
    aws.fault.next = ({ method }) => (method === 'POST' ? awsError(403, 'AccessDenied', 'no') : undefined);
    expect(await provider.mayWrite(never())).toMatchObject({ ok: false, failure: { is: 'wrong-key' } });
  });
});
