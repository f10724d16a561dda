import { expect, test } from 'vitest';
import { retryAfterMs } from '../../../src/platform/retry-after.ts';

const NOW = Date.UTC(2026, 10, 8, 11);
const utc = (unixMs: number) => new Date(unixMs).toUTCString();

test.each([
  [{}, null],
  [{ 'retry-after': '30' }, 30_000],
  [{ 'retry-after': utc(NOW + 30_000) }, 30_000],
  [{ 'retry-after': utc(NOW - 30_000) }, 0],
  [{ 'retry-after': 'soon' }, null],
])('an answer with %j asks for %s ms', (headers, ms) => {
  expect(retryAfterMs(new Headers(headers as Record<string, string>), NOW)).toBe(ms);
});

test('the date of who answers an hour ahead of our clock is none that is an hour away', () => {
  const headers = { date: utc(NOW + 3_600_000), 'retry-after': utc(NOW + 3_630_000) };
  expect(retryAfterMs(new Headers(headers), NOW)).toBe(30_000);
});
