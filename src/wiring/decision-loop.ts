import type { AgentFigures } from '../domain/figures.ts';
import type { Input } from '../domain/inputs.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Station } from '../station.ts';
import { DecisionFigures } from './decision-figures.ts';

export interface DecisionLoopOptions {
  /** All of them; an input that is for no one station is for each. */
  readonly stations: () => Iterable<Station>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when a tick has been decided on, for at least one station: the loop is alive, and so is what it decides. */
  readonly roundCompleted?: (() => void) | undefined;
}

/** The only loop: every input of every station goes through one queue and is decided on. */
export class DecisionLoop {
  readonly #options: DecisionLoopOptions;
  readonly #figures = new DecisionFigures();
  #queue: { readonly to: Station | null; readonly input: Input; readonly atMs: number }[] = [];
  #draining = false;
  #decidedAtMs: number;

  constructor(options: DecisionLoopOptions) {
    this.#options = options;
    this.#decidedAtMs = options.clock.nowMs();
  }

  /** How long ago a tick was decided on, or the loop made when none has been; in ms. */
  get decidedAgoMs(): number {
    return this.#options.clock.nowMs() - this.#decidedAtMs;
  }

  get figures(): AgentFigures['decisions'] {
    return this.#figures.figures;
  }

  get queuedInputs(): number {
    return this.#queue.length;
  }

  /** Inputs arrive in callbacks of all kinds; they are decided on one after another, never inside one another. */
  push(to: Station | null, input: Input): void {
    this.#queue.push({ to, input, atMs: this.#options.clock.nowMs() });
    if (this.#draining) return;
    this.#draining = true;
    setImmediate(() => {
      this.#draining = false;
      this.drain();
    });
  }

  drain(): void {
    let decided = false;
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      for (const { to, input, atMs } of batch) {
        for (const station of to === null ? this.#options.stations() : [to]) {
          if (this.#take(station, input) && input.kind === 'tick') decided = true;
        }
        this.#figures.note(atMs, this.#options.clock.nowMs());
      }
    }
    if (!decided) return;
    this.#decidedAtMs = this.#options.clock.nowMs();
    this.#options.roundCompleted?.();
  }

  /** A decision that throws is a bug of ours; it must not end the other stations, nor this one. */
  #take(station: Station, input: Input): boolean {
    try {
      station.take(input);
      return true;
    } catch (thrown) {
      const facts = { station: station.policy.station, input: input.kind, err: messageOf(thrown) };
      this.#options.log.error(facts, 'a decision failed; the station goes on with what it knew before');
      return false;
    }
  }
}
