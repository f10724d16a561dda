import type { FailoverEvent } from '../domain/failover.ts';
import { failoverSentence } from '../domain/sentences.ts';
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

  /** What was before this agent started, in order; only as much as there is room for. */
  recall(before: readonly FailoverEventView[]): void {
    this.#kept.unshift(...before.slice(Math.max(0, before.length + this.#kept.length - KEPT)));
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
