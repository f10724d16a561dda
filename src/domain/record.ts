import type { Command, CommandId } from './commands.ts';
import type { StationEvent } from './events.ts';
import type { FailoverEvent } from './failover.ts';
import type { Mount, StationName } from './ids.ts';
import type { CommandOutcome } from './inputs.ts';
import type { StationPolicy } from './policy.ts';

export type AgentAlertCode = 'history-not-written' | 'history-set-aside';

/** What an agent writes down of itself and of its acts, beside the events of the decisions. */
export type AgentEvent =
  | {
      readonly kind: 'agent-started';
      readonly atMs: number;
      readonly agent: string;
      readonly version: string;
      /** The last moment of which the history had anything before this start; what lies between is not known. */
      readonly lastSeenUnixMs: number | null;
    }
  | { readonly kind: 'agent-stopped'; readonly atMs: number; readonly agent: string }
  /** What the decisions are made by from now on; without it no figure could be worked out again. */
  | { readonly kind: 'settings'; readonly atMs: number; readonly policy: StationPolicy }
  | { readonly kind: 'command-sent'; readonly atMs: number; readonly command: Command }
  | {
      readonly kind: 'command-ended';
      readonly atMs: number;
      readonly id: CommandId;
      readonly outcome: CommandOutcome;
    }
  | {
      readonly kind: 'acknowledged';
      readonly atMs: number;
      readonly incident: string;
      readonly author: string;
      /** The agent that was told, when it is another one. */
      readonly on?: string;
    }
  | {
      readonly kind: 'planned-silence';
      readonly atMs: number;
      readonly is: 'planned' | 'cancelled' | 'begun' | 'over';
      readonly detail: string;
      readonly author?: string;
    }
  /** Something is wrong with this agent itself that a person must know of. */
  | {
      readonly kind: 'agent-alert-opened' | 'agent-alert-closed';
      readonly atMs: number;
      readonly code: AgentAlertCode;
      readonly subject: string;
      readonly detail: string;
    }
  /** Relay mode: whether a public mount is fed. */
  | { readonly kind: 'output-changed'; readonly atMs: number; readonly mount: Mount; readonly isFed: boolean }
  /** So many events, from the row before this one on, could not be written (a full disk, say): that time is not known. */
  | {
      readonly kind: 'events-lost';
      readonly atMs: number;
      readonly count: number;
      /** When the row before was written; left out where this agent had written none. */
      readonly fromUnixMs?: number;
    }
  /** From then up to now by the wall clock nobody listened: this agent stood still, or its clock was put. */
  | {
      readonly kind: 'time-missed';
      readonly atMs: number;
      readonly is: 'stood-still' | 'clock-put';
      readonly fromUnixMs: number;
      /** How far the wall clock has come meanwhile; negative when it was put back. */
      readonly forMs: number;
    };

/** Everything that is written down. */
export type RecordedEvent = StationEvent | FailoverEvent | AgentEvent;

/** One event with the wall time at which it happened (ms since 1970), and whom it concerns; null: the whole agent. */
export interface Recorded {
  readonly unixMs: number;
  readonly station: StationName | null;
  readonly event: RecordedEvent;
}

/** The person behind an event, where there is one. */
export function authorOf(event: RecordedEvent): string | null {
  return 'author' in event ? (event.author ?? null) : null;
}

const OF_EVERY_STATION: readonly RecordedEvent['kind'][] = [
  'agent-started',
  'agent-stopped',
  'health-changed',
  'events-lost',
  'time-missed',
];

/** Whether an event is part of a station's story. What concerns the whole agent is told once: with its first station. */
export function concerns({ station, event }: Recorded, name: StationName, first: StationName): boolean {
  return station === null ? name === first || OF_EVERY_STATION.includes(event.kind) : station === name;
}
