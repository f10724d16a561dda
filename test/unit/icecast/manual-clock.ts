import type { Cancel, Clock } from '../../../src/platform/clock.ts';

interface Timer {
  atMs: number;
  readonly everyMs: number | null;
  readonly run: () => void;
}

/** A clock that goes only when it is told to; sockets go on in real time beside it. */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #nowMs = 1_000;

  nowMs(): number {
    return this.#nowMs;
  }

  wallTime(): Date {
    return new Date(0);
  }

  after(delayMs: number, run: () => void): Cancel {
    return this.#add({ atMs: this.#nowMs + delayMs, everyMs: null, run });
  }

  every(intervalMs: number, run: () => void): Cancel {
    return this.#add({ atMs: this.#nowMs + intervalMs, everyMs: intervalMs, run });
  }

  /** Timers that are still to fire. */
  get pending(): number {
    return this.#timers.size;
  }

  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      if (next.everyMs === null) this.#timers.delete(next);
      else next.atMs += next.everyMs;
      next.run();
    }
    this.#nowMs = untilMs;
  }

  #add(timer: Timer): Cancel {
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }
}
