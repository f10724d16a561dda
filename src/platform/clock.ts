import { GridTimers } from './grid-timers.ts';

/** Undoes a timer. Calling it twice, or after it fired, does nothing. */
export type Cancel = () => void;

/** Time as the program sees it: monotonic for every decision, wall time only to show people. */
export interface Clock {
  /** Monotonic ms; never goes back, does not follow NTP. */
  nowMs(): number;
  /** Wall time for logs and displays. */
  wallTime(): Date;
  after(delayMs: number, run: () => void): Cancel;
  every(intervalMs: number, run: () => void): Cancel;
}

const timers = new GridTimers();

/** What is due within 20 ms is done together, so a timer may be late by as much, and a chain of waits by as much for each. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallTime: () => new Date(),
  after(delayMs, run) {
    if (delayMs >= 1) return timers.add(delayMs, null, run);
    const timer = setTimeout(run, 0);
    return () => clearTimeout(timer);
  },
  every: (intervalMs, run) => timers.add(intervalMs, intervalMs, run),
};

/** Resolves after a while; rejects never. An aborted wait resolves at once. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    signal?.addEventListener('abort', done);
  });
}

/** Waits for work, but no longer than it may take; leaves no timer behind that would keep the process alive. */
export async function atMost(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  await Promise.race([work, sleep(clock, limitMs, done.signal)]);
  done.abort();
}
