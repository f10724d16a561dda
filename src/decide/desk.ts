import type { CommandId } from '../domain/commands.ts';
import type { LegCondition } from '../domain/conditions.ts';
import type { MountView } from '../domain/icecast.ts';
import type { Mount, ServerName, SourceName } from '../domain/ids.ts';
import type { Hold, OrderId } from '../domain/operator.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { type Flap, holdDownAt, steady } from './flap.ts';
import { type LegState, type Legs, wasGone } from './leg.ts';

/** A source whose mount may still hold listeners that belong with the source on air. */
export interface Away {
  readonly source: SourceName;
  readonly sinceMs: number;
  readonly emptySinceMs: number | null;
}

/** Moves off one mount that have not reached their end yet. */
export interface Sweep {
  /** Where the last one went. */
  readonly to: Mount;
  readonly command: CommandId | null;
  readonly sentAtMs: number;
  readonly failures: number;
  readonly lastDetail: string;
}

/** What the listeners of one server hear, and all that the next choice for them depends on. */
export interface Desk {
  readonly server: ServerName;
  /** Null until the first full look at the legs after a start. */
  readonly onAir: SourceName | null;
  readonly startedAtMs: number;
  readonly lastSwitchAtMs: number | null;
  readonly away: readonly Away[];
  readonly flaps: ReadonlyMap<SourceName, Flap>;
  /** Sources that failed and have not yet been good for their restore delay. */
  readonly onProbation: ReadonlySet<SourceName>;
  readonly hold: Hold | null;
  /** The newest word of an operator that this agent knows of, also when its hold is over; null: there was none. */
  readonly order: OrderId | null;
  readonly sweeps: ReadonlyMap<Mount, Sweep>;
}

export function newDesk(server: ServerName, atMs: number): Desk {
  return {
    server,
    onAir: null,
    startedAtMs: atMs,
    lastSwitchAtMs: null,
    away: [],
    flaps: new Map(),
    onProbation: new Set(),
    hold: null,
    order: null,
    sweeps: new Map(),
  };
}

/** The mount that listeners would be moved off; null when it is gone, as Icecast has carried them off itself. */
export function mountToLeave({ view, missing }: LegState): MountView | null {
  return missing === null ? view : null;
}

/** Why listeners of one mount can't be moved to another, or null when they can. */
export type Misfit = { readonly is: 'formats-differ' | 'destination-full'; readonly detail: string };

/**
 * Icecast refuses MP3 to Ogg without a word, moves MP3 to AAC although players break on it, and drops whoever does
 * not fit under `max-listeners`; all three are worse than to be told.
 */
export function misfit(from: MountView | null, to: MountView | null): Misfit | null {
  if (from === null || to === null) return null;
  if (from.contentType !== to.contentType) {
    return {
      is: 'formats-differ',
      detail: `${from.mount} is ${from.contentType} but ${to.mount} is ${to.contentType}: its listeners can't be moved there`,
    };
  }
  if (to.maxListeners !== null && to.clients + from.clients > to.maxListeners) {
    return {
      is: 'destination-full',
      detail: `${to.mount} takes ${to.maxListeners} connections and has ${to.clients}: of ${from.clients} more from ${from.mount} some would be cut off`,
    };
  }
  return null;
}

export function isVerified(condition: LegCondition, nowMs: number, policy: StationPolicy): boolean {
  return condition.is === 'audible' && nowMs - condition.verifiedAtMs <= policy.verifiedWithinMs;
}

/** How long a source has to be good before listeners go back to it: the restore delay and its hold-down, in ms. */
export function requiredHealthMs(
  desk: Desk,
  source: SourceName,
  nowMs: number,
  policy: StationPolicy,
): number {
  return policy.silence.restoreMs + holdDownAt(desk.flaps.get(source) ?? steady, nowMs, policy.flap);
}

/** Marks what failed, and takes the mark away from what has been good for long enough. */
export function withProbation(
  desk: Desk,
  legs: readonly LegState[],
  nowMs: number,
  policy: StationPolicy,
): Desk {
  let { onProbation } = desk;
  for (const { leg, condition } of legs) {
    const { source } = leg;
    const isOn = onProbation.has(source);
    if (condition.is === 'faulty' && !isOn) onProbation = new Set([...onProbation, source]);
    if (condition.is !== 'audible' || !isOn) continue;
    if (nowMs - condition.sinceMs >= requiredHealthMs(desk, source, nowMs, policy))
      onProbation = new Set([...onProbation].filter((other) => other !== source));
  }
  return onProbation === desk.onProbation ? desk : { ...desk, onProbation };
}

/** Entries for sources that listeners have just been taken from. */
export function awayFrom(sources: readonly SourceName[], nowMs: number): Away[] {
  return [...new Set(sources)].map((source) => ({ source, sinceMs: nowMs, emptySinceMs: null }));
}

/** Where Icecast's own fallback puts the listeners of a source that is gone: the chain of mounts, as it last showed it. */
export function carriedByIcecast(legs: Legs, gone: SourceName, nowMs: number): SourceName[] {
  const chain: SourceName[] = [];
  let at = legs.find((leg) => leg.leg.source === gone);
  while (at !== undefined && wasGone(at, nowMs)) {
    const fallback = at.view?.fallback ?? null;
    at = legs.find((leg) => leg.leg.mount === fallback && !chain.includes(leg.leg.source));
    if (at !== undefined) chain.push(at.leg.source);
  }
  return chain;
}
