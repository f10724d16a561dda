import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GridTimers } from '../../../src/platform/grid-timers.ts';

/** Timers, and when each was run, in ms since the start. */
function recorder() {
  const runs: { name: string; atMs: number }[] = [];
  return {
    timers: new GridTimers(),
    runs,
    run: (name: string) => () => void runs.push({ name, atMs: performance.now() }),
  };
}

describe('timers on a grid', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('that are due within one step of it are run together, in the order in which they are due', () => {
    const { timers, runs, run } = recorder();
    timers.add(38, null, run('third'));
    timers.add(25, null, run('second'));
    timers.add(21, null, run('first'));
    timers.add(41, null, run('later'));
    vi.advanceTimersByTime(100);
    expect(runs).toEqual([
      { name: 'first', atMs: 40 },
      { name: 'second', atMs: 40 },
      { name: 'third', atMs: 40 },
      { name: 'later', atMs: 60 },
    ]);
  });

  it('keep their rate, whether or not the grid fits into it', () => {
    const { timers, runs, run } = recorder();
    timers.add(250, 250, run('quarter'));
    vi.advanceTimersByTime(10_010);
    expect(runs).toHaveLength(40);
    expect(runs.every(({ atMs }, index) => atMs >= 250 * (index + 1) && atMs < 250 * (index + 1) + 20)).toBe(
      true,
    );
  });

  it('that were cancelled are not run, even by another of the same step, and keep no process alive', () => {
    const { timers, runs, run } = recorder();
    const cancels: (() => void)[] = [];
    timers.add(30, null, () => {
      for (const cancel of cancels) cancel();
    });
    cancels.push(timers.add(31, null, run('same step')), timers.add(500, 500, run('recurring')));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(2_000);
    expect(runs).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('may add others and cancel themselves while they are run', () => {
    const { timers, runs, run } = recorder();
    const cancel = timers.add(20, 20, () => {
      run('once')();
      cancel();
      timers.add(1, null, run('added'));
    });
    vi.advanceTimersByTime(200);
    expect(runs).toEqual([
      { name: 'once', atMs: 20 },
      { name: 'added', atMs: 40 },
    ]);
  });

  it('are not made up for when the process stood still', () => {
    const { timers, runs, run } = recorder();
    timers.add(100, 100, run('tick'));
    vi.advanceTimersByTime(100);
    // A standstill is a time in which no timer of Node's fires.
    const standStillMs = 5_000;
    const before = performance.now();
    const now = vi.spyOn(performance, 'now').mockImplementation(() => before + standStillMs);
    vi.advanceTimersToNextTimer();
    expect(runs).toHaveLength(2);
    now.mockRestore();
  });

  it('are refused when they would never be due, as they would hold up all others', () => {
    const timers = new GridTimers();
    expect(() => timers.add(Number.NaN, null, () => {})).toThrow(RangeError);
    expect(() => timers.add(Number.POSITIVE_INFINITY, null, () => {})).toThrow(RangeError);
    expect(() => timers.add(10, 0, () => {})).toThrow(RangeError);
    expect(() => timers.add(10, Number.NaN, () => {})).toThrow(RangeError);
  });

  it('wait for longer than a timer of Node can', () => {
    const { timers, runs, run } = recorder();
    timers.add(2 ** 31 + 5_000, null, run('far off'));
    vi.advanceTimersByTime(2 ** 31 - 1);
    expect(runs).toEqual([]);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(5_100);
    expect(runs).toHaveLength(1);
  });

  it('that throw are uncaught, and the others have their turn', async () => {
    vi.useRealTimers();
    const { timers, runs, run } = recorder();
    const before = process.rawListeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const thrown = new Promise((resolve) => process.once('uncaughtException', resolve));
    timers.add(5, null, () => {
      throw new Error('on purpose');
    });
    timers.add(6, null, run('after it'));
    const error = await thrown.finally(() => {
      for (const listener of before) process.on('uncaughtException', listener as (error: Error) => void);
    });
    expect(String(error)).toContain('on purpose');
    await vi.waitFor(() => expect(runs.map(({ name }) => name)).toEqual(['after it']));
  });
});
