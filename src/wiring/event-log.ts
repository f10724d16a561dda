import type { StationEvent } from '../domain/events.ts';
import type { StationName } from '../domain/ids.ts';
import type { EventView } from '../domain/view.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';

const KEPT = 200;

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

/** One event as a person would say it. */
export function sentenceOf(event: StationEvent): string {
  switch (event.kind) {
    case 'leg-changed': {
      const to = event.to.is === 'faulty' ? event.to.fault : event.to.is;
      return `${event.leg} is ${to}`;
    }
    case 'server-changed':
      return `${event.server} is ${event.to.is}`;
    case 'role-changed':
      return `${event.server}: ${event.to}, because ${event.because}`;
    case 'took-over':
      return `${event.server}: ${event.source} is on air (${event.because})`;
    case 'switched':
      return `${event.server}: ${event.from} to ${event.to}, because ${event.because}`;
    case 'moved':
      return `${event.server}: ${event.from} to ${event.to}: ${event.detail}`;
    case 'hold-changed':
      return `${event.server}: ${event.detail} by ${event.author}`;
    case 'refused':
      return `${event.server}: refused to ${event.author}: ${event.detail}`;
    case 'relay-switched':
      return `on air: ${event.to ?? (event.filler === undefined ? 'the noise floor' : 'the emergency file')} instead of ${event.from ?? 'nothing'}, because ${event.because}`;
    case 'relay-aligned':
      return `${event.leg}: ${event.detail}`;
    case 'alert-opened':
      return `alert ${event.code}: ${event.detail}`;
    case 'alert-closed':
      return `over: ${event.code} (${event.subject})`;
  }
}
