import { type Memory, memoryOf, newState, type StationState } from './decide/state.ts';
import { step } from './decide/step.ts';
import type { Command } from './domain/commands.ts';
import type { StationEvent } from './domain/events.ts';
import type { LegId, ServerName, SourceName } from './domain/ids.ts';
import type { Input } from './domain/inputs.ts';
import type { StationPolicy } from './domain/policy.ts';
import type { LevelReading } from './domain/readings.ts';

/** What a station's decisions lead to. */
export interface StationHands {
  command(command: Command): void;
  event(event: StationEvent): void;
}

/** One station: its state, and the only place where that changes. */
export class Station {
  #policy: StationPolicy;
  readonly titles = new Map<LegId, string>();
  /** What other agents say that they have on air beside them. */
  readonly spoken = new Map<ServerName, SourceName>();
  /** What was last known to be on air beside them, also while nothing is said. */
  readonly lastKnown = new Map<ServerName, SourceName>();
  /** The newest levels of each leg, for meters; decisions wait for proof of position, eyes don't. */
  readonly levels = new Map<LegId, LevelReading>();
  #state: StationState;
  readonly #hands: StationHands;

  constructor(policy: StationPolicy, memory: Memory, atMs: number, hands: StationHands) {
    this.#policy = policy;
    this.#hands = hands;
    this.#state = newState(policy, memory, atMs);
  }

  get policy(): StationPolicy {
    return this.#policy;
  }

  /** From the next input on; the legs and servers in it are those of the start. */
  change(policy: StationPolicy): void {
    this.#policy = policy;
  }

  get state(): StationState {
    return this.#state;
  }

  memory(atMs: number): Memory {
    return memoryOf(this.#state, atMs);
  }

  take(input: Input): void {
    if (input.kind === 'levels') this.levels.set(input.leg, input.reading);
    const { state, commands, events } = step(this.#state, input, this.#policy);
    this.#state = state;
    for (const event of events) this.#hands.event(event);
    for (const command of commands) this.#hands.command(command);
  }
}
