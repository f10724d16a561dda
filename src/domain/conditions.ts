import type { ProgrammeFault } from './readings.ts';

/** What is wrong with a leg: the sound itself (`silent` and the programme faults), or the mount on that one server. */
export type LegFault = 'silent' | ProgrammeFault | 'stalled' | 'undecodable' | 'absent' | 'unresponsive';

/** Why nothing can be said of a leg. Missing data is unknown, never down. */
export type UnknownReason =
  | 'starting'
  | 'unproven'
  | 'no-data'
  | 'decoder'
  | 'admin-unauthorised'
  | 'admin-silent';

/**
 * The one word on each leg, with the evidence in it. Times are monotonic ms; `verifiedAtMs`: the last proven sound.
 * A fault's `sinceMs` is when it began in the leg's own sound, which was before it tripped. Where that isn't known, as
 * when our ear came into it, it is the earliest moment at which it is known to have been there.
 */
export type LegCondition =
  | { readonly is: 'unknown'; readonly sinceMs: number; readonly reason: UnknownReason }
  | { readonly is: 'audible'; readonly sinceMs: number; readonly verifiedAtMs: number }
  | { readonly is: 'faulty'; readonly sinceMs: number; readonly fault: LegFault; readonly detail: string };

/** What an agent is to a server: beside it, standing in for a dead colleague, or only watching. */
export type Role = 'own' | 'deputy' | 'watching';

/** How a server stands, seen from here. Only a working admin API can tell an absent source from a dead server. */
export type ServerCondition =
  | { readonly is: 'unknown'; readonly sinceMs: number }
  | { readonly is: 'up'; readonly sinceMs: number }
  | { readonly is: 'misconfigured'; readonly sinceMs: number; readonly detail: string }
  | { readonly is: 'overloaded'; readonly sinceMs: number; readonly detail: string }
  | {
      readonly is: 'down';
      readonly sinceMs: number;
      readonly fault: 'refused' | 'unresponsive';
      readonly detail: string;
    };
