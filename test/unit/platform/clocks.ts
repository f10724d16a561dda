import type { Cancel, Clock } from '../../../src/platform/clock.ts';

/** Time stands still until the test moves it; timers run in order of their time. */
export interface ManualClock extends Clock {
  advance(byMs: number): void;
  /** Time passes in which this process does nothing: what was due is done once, when it is over. */
  standStill(byMs: number): void;
  /** Somebody puts the wall clock forward, or back. */
  putForward(byMs: number): void;
}

export function manualClock(startMs = 0): ManualClock {
  let nowMs = startMs;
  let wallLeadMs = 0;
  let timers: { dueMs: number; everyMs: number | null; run: () => void }[] = [];
  const add = (delayMs: number, everyMs: number | null, run: () => void): Cancel => {
    const timer = { dueMs: nowMs + delayMs, everyMs, run };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  };
  return {
    nowMs: () => nowMs,
    wallTime: () => new Date(nowMs + wallLeadMs),
    after: (delayMs, run) => add(delayMs, null, run),
    every: (intervalMs, run) => add(intervalMs, intervalMs, run),
    advance(byMs) {
      const endMs = nowMs + byMs;
      for (;;) {
        const next = timers.filter((timer) => timer.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
        if (next === undefined) break;
        nowMs = Math.max(nowMs, next.dueMs);
        if (next.everyMs === null) timers = timers.filter((timer) => timer !== next);
        else next.dueMs += next.everyMs;
        next.run();
      }
      nowMs = endMs;
    },
    standStill(byMs) {
      nowMs += byMs;
      for (const timer of timers) timer.dueMs = Math.max(timer.dueMs, nowMs);
    },
    putForward(byMs) {
      wallLeadMs += byMs;
    },
  };
}

/** A clock on which `times` seconds pass in each real one, for tests that wait for real processes. */
export function fastClock(times: number): Clock {
  return {
    nowMs: () => performance.now() * times,
    wallTime: () => new Date(),
    after(delayMs, run) {
      const timer = setTimeout(run, delayMs / times);
      return () => clearTimeout(timer);
    },
    every(intervalMs, run) {
      const timer = setInterval(run, intervalMs / times);
      return () => clearInterval(timer);
    },
  };
}
