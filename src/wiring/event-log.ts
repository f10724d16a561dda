import type { StationEvent } from '../domain/events.ts';
import type { StationName } from '../domain/ids.ts';
import { sentenceOf } from '../domain/sentences.ts';
import type { EventView } from '../domain/view.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';

/** So many events are in `/api/v1/state`. */
export const KEPT = 200;

/** The newest events of a station in memory, and all of them in the log, each with its reason. */
export class EventLog {
  readonly #kept: EventView[] = [];
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(station: StationName, clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log.child({ station });
  }

  get events(): readonly EventView[] {
    return this.#kept;
  }

  /** What was before this agent started, in order; only as much as there is room for. */
  recall(before: readonly EventView[]): void {
    this.#kept.unshift(...before.slice(Math.max(0, before.length + this.#kept.length - KEPT)));
  }

  note(event: StationEvent): void {
    this.#kept.push({ time: this.#clock.wallTime().toISOString(), event });
    if (this.#kept.length > KEPT) this.#kept.shift();
    const { kind, ...facts } = event;
    this.#log[levelOf(event)]({ event: kind, ...facts }, sentenceOf(event));
  }
}

function levelOf(event: StationEvent): 'warn' | 'info' {
  switch (event.kind) {
    case 'switched':
    case 'relay-switched':
    case 'alert-opened':
    case 'refused':
      return 'warn';
    case 'leg-changed':
      return event.to.is === 'faulty' ? 'warn' : 'info';
    case 'server-changed':
      return event.to.is === 'up' ? 'info' : 'warn';
    default:
      return 'info';
  }
}
