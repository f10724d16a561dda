import type { LegCondition, Role, ServerCondition } from './conditions.ts';
import type { LegId, Mount, ServerName, SourceName } from './ids.ts';

/** What started a switch. */
export type SwitchTrigger = 'fault' | 'return' | 'operator' | 'stopping';

/** What made the relay change the leg that it plays. */
export type RelayTrigger = 'start' | 'fault' | 'return' | 'operator';

/** Things a person must know of. One is open per code and subject until it is cleared. */
export type AlertCode =
  | 'nothing-audible'
  | 'formats-differ'
  | 'destination-full'
  | 'move-not-converging'
  | 'admin-unauthorised'
  | 'admin-overloaded'
  | 'server-down'
  | 'backup-not-proven'
  | 'programme-fault'
  | 'cannot-hear'
  | 'hears-itself'
  | 'agent-gone'
  | 'agent-twice'
  | 'processing-differs'
  | 'relay-failed';

/** What happened, for the log, the history, the dashboard and the hooks. Never an input to a decision. */
export type StationEvent =
  | {
      readonly kind: 'leg-changed';
      readonly atMs: number;
      readonly leg: LegId;
      readonly from: LegCondition;
      readonly to: LegCondition;
    }
  | {
      readonly kind: 'server-changed';
      readonly atMs: number;
      readonly server: ServerName;
      readonly from: ServerCondition;
      readonly to: ServerCondition;
    }
  | {
      readonly kind: 'role-changed';
      readonly atMs: number;
      readonly server: ServerName;
      readonly from: Role;
      readonly to: Role;
      readonly because: string;
    }
  | {
      readonly kind: 'took-over';
      readonly atMs: number;
      readonly server: ServerName;
      readonly source: SourceName;
      readonly because: string;
      /** An operator's hold is in force there. */
      readonly held?: true;
    }
  | {
      readonly kind: 'switched';
      readonly atMs: number;
      readonly server: ServerName;
      readonly from: SourceName;
      readonly to: SourceName;
      readonly trigger: SwitchTrigger;
      readonly because: string;
    }
  /** The agent beside another server has named another source there than before; this agent knows only since when it heard. */
  | {
      readonly kind: 'heard-on-air';
      readonly atMs: number;
      readonly server: ServerName;
      readonly from: SourceName;
      readonly to: SourceName;
    }
  | {
      readonly kind: 'moved';
      readonly atMs: number;
      readonly server: ServerName;
      readonly from: Mount;
      readonly to: Mount;
      readonly detail: string;
    }
  | {
      readonly kind: 'hold-changed';
      readonly atMs: number;
      readonly server: ServerName;
      readonly detail: string;
      readonly author: string;
    }
  | {
      readonly kind: 'refused';
      readonly atMs: number;
      readonly server: ServerName;
      readonly detail: string;
      readonly author: string;
    }
  | {
      readonly kind: 'alert-opened';
      readonly atMs: number;
      readonly code: AlertCode;
      readonly subject: string;
      readonly detail: string;
    }
  | {
      readonly kind: 'alert-closed';
      readonly atMs: number;
      readonly code: AlertCode;
      readonly subject: string;
      readonly detail: string;
    }
  | {
      readonly kind: 'relay-switched';
      readonly atMs: number;
      /** Null: no leg, but the emergency file or the noise floor. */
      readonly from: LegId | null;
      readonly to: LegId | null;
      /** What is played instead of a leg, when it is not the noise floor. */
      readonly filler?: 'emergency-file';
      readonly trigger: RelayTrigger;
      /** Both carry the same programme and were spliced in step, so that nobody hears it. */
      readonly hitless: boolean;
      readonly because: string;
    }
  | { readonly kind: 'relay-aligned'; readonly atMs: number; readonly leg: LegId; readonly detail: string };

const OF_A_STATION: Readonly<Record<StationEvent['kind'], true>> = {
  'leg-changed': true,
  'server-changed': true,
  'role-changed': true,
  'took-over': true,
  switched: true,
  'heard-on-air': true,
  moved: true,
  'hold-changed': true,
  refused: true,
  'alert-opened': true,
  'alert-closed': true,
  'relay-switched': true,
  'relay-aligned': true,
};
export const STATION_EVENTS = Object.keys(OF_A_STATION) as readonly StationEvent['kind'][];

export function isStationEvent(event: { readonly kind: string }): event is StationEvent {
  return event.kind in OF_A_STATION;
}

/** What changes which source listeners hear. */
export const SWITCHES = [
  'switched',
  'relay-switched',
  'heard-on-air',
] as const satisfies readonly StationEvent['kind'][];
