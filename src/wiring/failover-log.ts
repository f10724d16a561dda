import type { FailoverEvent } from '../domain/failover.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';

const KEPT = 200;

export interface FailoverEventView {
  readonly time: string;
  readonly event: FailoverEvent;
}

/** The newest events of the DNS decision in memory, and all of them in the log, each with its reason. */
export class FailoverLog {
  readonly #kept: FailoverEventView[] = [];
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  get events(): readonly FailoverEventView[] {
    return this.#kept;
  }

  note(event: FailoverEvent): void {
    this.#kept.push({ time: this.#clock.wallTime().toISOString(), event });
    if (this.#kept.length > KEPT) this.#kept.shift();
    const { kind, ...facts } = event;
    this.#log[isNews(event) ? 'warn' : 'info']({ event: kind, ...facts }, failoverSentence(event));
  }
}

function isNews(event: FailoverEvent): boolean {
  switch (event.kind) {
    case 'health-changed':
      return event.to.is === 'ill';
    case 'dns-hold-changed':
    case 'dns-alert-closed':
      return false;
    default:
      return true;
  }
}

/** One event as a person would say it. */
export function failoverSentence(event: FailoverEvent): string {
  switch (event.kind) {
    case 'health-changed': {
      const { to } = event;
      const why =
        to.is === 'ill' ? ` (${to.illness}: ${to.detail})` : to.is === 'doubt' ? ` (${to.detail})` : '';
      return `${event.server} is ${to.is === 'doubt' ? 'in doubt' : to.is} for listeners${why}`;
    }
    case 'dns-moving':
      return `the name goes ${event.from === null ? '' : `from ${event.from} `}to ${event.to}: ${event.because}`;
    case 'dns-moved':
      return `every authority answers with ${event.to}, after ${(event.tookMs / 1000).toFixed(1)} s`;
    case 'dns-hold-changed':
      return `the DNS: ${event.detail} by ${event.author}`;
    case 'dns-refused':
      return `refused ${event.author}: ${event.detail}`;
    case 'listeners-ended':
      return `listeners still on ${event.server} are ended, so that they come back by name`;
    case 'dns-alert-opened':
      return `alert: ${event.detail}`;
    case 'dns-alert-closed':
      return `over: ${event.detail}`;
  }
}
