import type { Cancel, Clock } from '../platform/clock.ts';

/**
 * Lets only a few decoders start at the same time. Each needs some 60 ms of CPU before its first sound, so a hundred
 * at once would all look hung to the watchdog, be killed and start over, for ever.
 */
export class StartGate {
  readonly #places: number;
  readonly #placeMs: number;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(options: { places: number; placeMs: number; clock: Clock }) {
    this.#places = options.places;
    this.#placeMs = options.placeMs;
    this.#clock = options.clock;
  }

  /** Runs `start` when there is room. The answer gives up the place (or the wait); it is also taken back in time. */
  enter(start: () => void): Cancel {
    let place: Cancel | null = null;
    const begin = () => {
      this.#inside += 1;
      place = this.#once(() => {
        cancelTimer();
        this.#inside -= 1;
        this.#next();
      });
      const cancelTimer = this.#clock.after(this.#placeMs, place);
      start();
    };
    if (this.#inside < this.#places) begin();
    else this.#waiting.add(begin);
    return () => {
      this.#waiting.delete(begin);
      place?.();
    };
  }

  #next(): void {
    const [begin] = this.#waiting;
    if (begin === undefined) return;
    this.#waiting.delete(begin);
    begin();
  }

  #once(run: () => void): Cancel {
    let done = false;
    return () => {
      if (done) return;
      done = true;
      run();
    };
  }
}
