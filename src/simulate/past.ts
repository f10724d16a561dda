import type { LegFault } from '../domain/conditions.ts';
import type { LegId } from '../domain/ids.ts';

/** One second of the past: what each leg sounded like, in steps of equal length; a leg that is left out was not heard. */
export interface PastSecond {
  readonly unixMs: number;
  /** Levels in dBFS; under -127: nothing was heard in this step. */
  readonly legs: ReadonlyMap<LegId, readonly number[]>;
}

/** Levels under this: nothing was heard. */
export const NOT_HEARD_DBFS = -127;

/** A fault that was found then, of a kind that no level can tell again. */
export interface PastFault {
  readonly leg: LegId;
  readonly fault: Exclude<LegFault, 'silent'>;
  readonly fromUnixMs: number;
  /** When the agent knew of it, and from when on it counts. */
  readonly foundUnixMs: number;
  readonly untilUnixMs: number;
}

/** A silence that was planned, and that lasted so. */
export interface PastSilence {
  readonly fromUnixMs: number;
  readonly untilUnixMs: number;
}

/** What happened beside the levels, as the event log has it. */
export interface PastEvents {
  readonly faults: readonly PastFault[];
  readonly silences: readonly PastSilence[];
}

export const NOTHING_ELSE: PastEvents = { faults: [], silences: [] };

export const isAt = (
  { fromUnixMs, untilUnixMs }: { readonly fromUnixMs: number; readonly untilUnixMs: number },
  unixMs: number,
): boolean => unixMs >= fromUnixMs && unixMs < untilUnixMs;
