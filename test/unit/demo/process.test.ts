import { expect, test } from 'vitest';
import { waitUntil } from '../../../src/demo/rig/process.ts';

/** This process stands still, as on a machine that has nothing left for it. */
function standStill(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}

test('a time in which the test itself stood still is not taken from what it waits for', async () => {
  let looks = 0;
  setTimeout(() => standStill(1_500), 100);
  await waitUntil('five looks', 1_000, () => {
    looks += 1;
    return looks === 5;
  });
});

test('what does not come is called so in time', async () => {
  await expect(waitUntil('a wonder', 200, () => false)).rejects.toThrow('a wonder: not within 200 ms');
});

test('what failed at first, and then did not, is no reason why something does not come', async () => {
  let looks = 0;
  const wait = waitUntil('a wonder', 400, () => {
    looks += 1;
    if (looks === 1) throw new Error('fetch failed');
    return false;
  });
  const thrown = await wait.catch((error: Error) => error.message);
  expect(looks).toBeGreaterThan(1);
  expect(thrown).toBe('a wonder: not within 400 ms.');
});
