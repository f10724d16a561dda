import type { LegId, ServerName, StationName } from './ids.ts';

/** What is counted since the agent's start, for `/metrics`. */
export interface AgentFigures {
  /** From the moment an input arrived to the end of its decision. */
  readonly decisions: {
    readonly count: number;
    readonly delayMs: number;
    /** The longest of the last minute. */
    readonly longestMs: number;
  };
  /** Inputs that wait for their decision now. */
  readonly queuedInputs: number;
  readonly stations: readonly StationFigures[];
  readonly outbox: readonly OutboxFigures[];
  /** The disk takes nothing now. */
  readonly isHistoryFailing: boolean;
}

/** What waits for one receiver of alerts, and what became of it since the start. */
export interface OutboxFigures {
  readonly hook: string;
  readonly waiting: number;
  readonly sent: number;
  readonly failed: number;
  /** Given up. */
  readonly dead: number;
}

export interface StationFigures {
  readonly station: StationName;
  readonly servers: readonly { readonly server: ServerName; readonly deadAirMs: number }[];
  readonly switches: readonly {
    readonly server: ServerName;
    readonly trigger: string;
    readonly count: number;
  }[];
  readonly decoderRestarts: readonly { readonly leg: LegId; readonly count: number }[];
}
