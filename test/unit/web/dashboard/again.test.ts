import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { askAgain } from '../../../../src/web/dashboard/live/again.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Asks every second; each is answered when the test says so. */
function start() {
  const answers: (() => void)[] = [];
  const wanted: boolean[] = [];
  const asking = askAgain(async (isOver) => {
    await new Promise<void>((resolve) => answers.push(resolve));
    wanted.push(!isOver());
  }, 1_000);
  const answer = async () => {
    answers.at(-1)?.();
    await vi.advanceTimersByTimeAsync(0);
  };
  return { asking, answer, asked: () => answers.length, wanted };
}

describe('what is asked for again and again', () => {
  test('is asked at once, and a second after each answer', async () => {
    const { answer, asked } = start();
    expect(asked()).toBe(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked()).toBe(1);
    await answer();
    await vi.advanceTimersByTimeAsync(999);
    expect(asked()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked()).toBe(2);
  });

  test('is asked now when something has just happened', async () => {
    const { asking, answer, asked } = start();
    await answer();
    asking.soon();
    expect(asked()).toBe(2);
  });

  test('is never asked twice at the same time, but right after the answer', async () => {
    const { asking, answer, asked } = start();
    asking.soon();
    asking.soon();
    expect(asked()).toBe(1);
    await answer();
    expect(asked()).toBe(2);
  });

  test('is wanted by nobody and asked no more once it is over, though an answer was still to come', async () => {
    const { asking, answer, asked, wanted } = start();
    asking.stop();
    await answer();
    asking.soon();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(wanted).toEqual([false]);
    expect(asked()).toBe(1);
  });
});
