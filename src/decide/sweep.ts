import type { CommandId } from '../domain/commands.ts';
import type { Mount } from '../domain/ids.ts';
import type { CommandOutcome } from '../domain/inputs.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { type Away, awayFrom, carriedByIcecast, type Desk, isVerified, misfit, type Sweep } from './desk.ts';
import type { Legs } from './leg.ts';

/** Between two moves off one mount: our own monitor is carried along each time and has to hear the mount again, in ms. */
const SPACING_MS = 2000;
const SPACING_MAX_MS = 10_000;
const COMMAND_DEADLINE_MS = 4000;
/** A mount that has been empty this long after a return holds nobody that belongs elsewhere, in ms. */
const EMPTY_MS = 10_000;
/** Later than this after a return, listeners of a backup mount came by themselves, in ms. */
const CARRIED_MS = 60_000;

export interface Move {
  readonly from: Mount;
  readonly to: Mount;
  readonly deadlineMs: number;
  readonly because: string;
}

/**
 * Listeners that are to be moved now. New listeners still land on the mount they ask for, so a move is repeated
 * until the source is good again. Nobody is moved onto a leg that isn't verified, unless an operator forced it.
 */
export function movesNeeded(desk: Desk, legs: Legs, nowMs: number, policy: StationPolicy): readonly Move[] {
  const target = legs.find((leg) => leg.leg.source === desk.onAir);
  if (target === undefined) return [];
  const forced = desk.hold !== null && desk.hold.source === desk.onAir;
  if (desk.hold !== null && !forced) return [];
  if (!forced && !isVerified(target.condition, nowMs, policy)) return [];
  const moves: Move[] = [];
  for (const { source } of desk.away) {
    const from = legs.find((leg) => leg.leg.source === source);
    if (from === undefined || from === target || from.missing !== null) continue;
    const listeners = from.view?.listeners ?? 0;
    if (listeners === 0 || !isDue(desk.sweeps.get(from.leg.mount), nowMs)) continue;
    if (misfit(from.view, target.view) !== null) continue;
    moves.push({
      from: from.leg.mount,
      to: target.leg.mount,
      deadlineMs: nowMs + COMMAND_DEADLINE_MS,
      because: `${listeners} listeners on ${from.leg.mount}, but ${target.leg.source} is on air`,
    });
  }
  return moves;
}

function isDue(sweep: Sweep | undefined, nowMs: number): boolean {
  if (sweep === undefined) return true;
  const waitMs = sweep.command !== null ? COMMAND_DEADLINE_MS : spacingMs(sweep);
  return nowMs - sweep.sentAtMs >= waitMs;
}

function spacingMs(sweep: Sweep): number {
  return Math.min(SPACING_MAX_MS, SPACING_MS * 2 ** sweep.failures);
}

export function withMoveSent(
  desk: Desk,
  { from, to }: Pick<Move, 'from' | 'to'>,
  command: CommandId,
  nowMs: number,
): Desk {
  const before = desk.sweeps.get(from);
  // A command whose result never came back counts as one that failed.
  const failures = (before?.failures ?? 0) + (before?.command != null ? 1 : 0);
  const sweeps = new Map(desk.sweeps);
  sweeps.set(from, { to, command, sentAtMs: nowMs, failures, lastDetail: before?.lastDetail ?? '' });
  return { ...desk, sweeps };
}

/** The desk after a result, and the mounts it was about; null when the command was not one of this desk's. */
export function withMoveResult(
  desk: Desk,
  command: CommandId,
  outcome: CommandOutcome,
): { desk: Desk; from: Mount; to: Mount } | null {
  for (const [from, sweep] of desk.sweeps) {
    if (sweep.command !== command) continue;
    const failures = outcome.is === 'done' ? 0 : sweep.failures + 1;
    const sweeps = new Map(desk.sweeps);
    sweeps.set(from, { ...sweep, command: null, failures, lastDetail: outcome.detail });
    return { desk: { ...desk, sweeps }, from, to: sweep.to };
  }
  return null;
}

/** Forgets the mounts from which everybody is back where they belong. */
export function tidyAway(desk: Desk, legs: Legs, nowMs: number): Desk {
  if (desk.onAir === null) return desk;
  const rank = (source: string) => legs.findIndex((leg) => leg.leg.source === source);
  const onAirRank = rank(desk.onAir);
  const entries = [...desk.away, ...carriedSince(desk, legs, nowMs)];
  if (entries.length === 0 && desk.sweeps.size === 0) return desk;
  const away: Away[] = [];
  for (const entry of entries) {
    const leg = legs[rank(entry.source)];
    if (leg === undefined) continue;
    const empty = (leg.view?.listeners ?? 0) === 0 || leg.missing !== null;
    const emptySinceMs = empty ? (entry.emptySinceMs ?? nowMs) : null;
    const preferred = rank(entry.source) < onAirRank;
    const done =
      nowMs - entry.sinceMs >= CARRIED_MS || (emptySinceMs !== null && nowMs - emptySinceMs >= EMPTY_MS);
    if (preferred || !done) away.push({ ...entry, emptySinceMs });
  }
  const sweeps = new Map(
    [...desk.sweeps].filter(([mount]) => away.some((entry) => legs[rank(entry.source)]?.leg.mount === mount)),
  );
  return { ...desk, away, sweeps };
}

/** A source can go before or after its turn on air; whoever asks for it then is carried along its chain by Icecast. */
function carriedSince(desk: Desk, legs: Legs, nowMs: number): Away[] {
  if (desk.onAir === null) return [];
  const away = desk.away.map((entry) => entry.source);
  const carried = [desk.onAir, ...away].flatMap((source) => carriedByIcecast(legs, source, nowMs));
  return awayFrom(
    carried.filter((source) => source !== desk.onAir && !away.includes(source)),
    nowMs,
  );
}
