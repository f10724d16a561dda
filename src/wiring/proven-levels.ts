import { openMonitor } from '../decide/leg.ts';
import type { LegId } from '../domain/ids.ts';
import type { LevelReading } from '../domain/readings.ts';
import { LevelCollector, type LevelRow } from '../history/levels.ts';
import type { Clock } from '../platform/clock.ts';
import type { Station } from '../station.ts';

/** As long as the decision waits for a proof. */
const MOST_WAITING = 300;

/**
 * The levels of one station for its history, a row for each second of each leg. As in the decision, a reading counts
 * when a later look at the server proves that its connection sat on the leg's own mount, and else it is forgotten.
 */
export class ProvenLevels {
  readonly #clock: Clock;
  readonly #collector: LevelCollector;
  readonly #waiting = new Map<LegId, LevelReading[]>();

  constructor(clock: Clock, done: (row: LevelRow) => void) {
    this.#clock = clock;
    this.#collector = new LevelCollector(done);
  }

  heard(leg: LegId, reading: LevelReading): void {
    const waiting = this.#waiting.get(leg);
    if (waiting === undefined) this.#waiting.set(leg, [reading]);
    else if (waiting.push(reading) > MOST_WAITING) waiting.shift();
  }

  /** Hands on what has been proven meanwhile; to be called every second or so. */
  settle({ state }: Station): void {
    const wallLeadMs = this.#clock.wallTime().getTime() - this.#clock.nowMs();
    for (const [id, waiting] of this.#waiting) {
      const leg = state.legs.get(id);
      if (leg === undefined) continue;
      const monitor = openMonitor(leg);
      const provenAtMs = leg.provenAtMs ?? Number.NEGATIVE_INFINITY;
      const stillWaiting: LevelReading[] = [];
      for (const reading of waiting) {
        if (reading.monitor !== monitor || leg.displaced > 0) continue;
        if (reading.arrivedAtMs > provenAtMs) stillWaiting.push(reading);
        else this.#collector.take(id, reading, reading.atMs + wallLeadMs, leg.condition.is);
      }
      this.#waiting.set(id, stillWaiting);
    }
  }

  flush(): void {
    this.#collector.flush();
  }
}
