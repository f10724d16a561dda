import type { LegId, ServerName, SourceName } from '../domain/ids.ts';
import type { OrderId } from '../domain/operator.ts';
import type { StationPolicy } from '../domain/policy.ts';
import type { Alert } from './alerts.ts';
import { type Desk, newDesk } from './desk.ts';
import { type LegState, newLeg } from './leg.ts';
import type { ExpectedSilence } from './planned-silence.ts';
import { newServer, type ServerState } from './server.ts';

/** What an agent remembers of one server over its own restart. Durations, as the monotonic clock starts anew. */
export interface DeskMemory {
  readonly onAir: SourceName | null;
  readonly away: readonly SourceName[];
  readonly hold: {
    readonly author: string;
    readonly remainingMs: number;
    readonly source: SourceName | null;
  } | null;
  readonly order: OrderId | null;
}

export interface Memory {
  /** How long ago this agent was last alive, in ms. */
  readonly ageMs: number;
  readonly desks: Readonly<Record<string, DeskMemory>>;
}

export const noMemory: Memory = { ageMs: Number.POSITIVE_INFINITY, desks: {} };

/** Everything the decision for one station rests on. Never changed in place. */
export interface StationState {
  readonly legs: ReadonlyMap<LegId, LegState>;
  readonly servers: ReadonlyMap<ServerName, ServerState>;
  readonly desks: ReadonlyMap<ServerName, Desk>;
  readonly alerts: ReadonlyMap<string, Alert>;
  /** When listeners of a server could have heard nothing last, whichever source they had been on. */
  readonly allLostAtMs: ReadonlyMap<ServerName, number>;
  /** The newest planned silence, also when it is over: what was heard in it may be proven later. */
  readonly silence: ExpectedSilence | null;
  readonly memory: Memory;
  readonly stopping: boolean;
  readonly nextCommand: number;
}

export function newState(policy: StationPolicy, memory: Memory, atMs: number): StationState {
  return {
    legs: new Map(policy.legs.map((leg) => [leg.id, newLeg(leg, atMs)])),
    servers: new Map(policy.servers.map((server) => [server, newServer(server, policy, atMs)])),
    desks: new Map(
      policy.servers.map((server) => [server, rememberedDesk(server, memory.desks[server], atMs)]),
    ),
    alerts: new Map(),
    allLostAtMs: new Map(),
    silence: null,
    memory,
    stopping: false,
    nextCommand: 1,
  };
}

function rememberedDesk(server: ServerName, memory: DeskMemory | undefined, atMs: number): Desk {
  const desk = { ...newDesk(server, atMs), order: memory?.order ?? null };
  const hold = memory?.hold ?? null;
  if (hold === null) return desk;
  return { ...desk, hold: { author: hold.author, source: hold.source, untilMs: atMs + hold.remainingMs } };
}

/**
 * Sources whose mounts may hold listeners since before this start: what was on air, should that be left now, and where
 * they had been carried. After an absence long enough for a deputy to have acted, that is every source.
 */
export function rememberedAway(
  memory: Memory,
  server: ServerName,
  policy: StationPolicy,
): readonly SourceName[] {
  const remembered = memory.desks[server];
  if (remembered === undefined) return [];
  const { onAir } = remembered;
  return onAir === null ? [] : [...awayBefore(memory, remembered, policy), onAir];
}

function awayBefore(memory: Memory, remembered: DeskMemory, policy: StationPolicy): readonly SourceName[] {
  return memory.ageMs >= policy.deputyAfterMs ? policy.sources : remembered.away;
}

/** What to keep over a restart; equal states give equal memories. */
export function memoryOf(state: StationState, atMs: number): Memory {
  const desks: Record<string, DeskMemory> = {};
  for (const [server, desk] of state.desks) {
    const { hold } = desk;
    const remembered = state.memory.desks[server];
    desks[server] = {
      onAir: desk.onAir ?? remembered?.onAir ?? null,
      away: desk.onAir === null ? (remembered?.away ?? []) : desk.away.map((entry) => entry.source),
      hold:
        hold === null
          ? null
          : { author: hold.author, source: hold.source, remainingMs: Math.max(0, hold.untilMs - atMs) },
      order: desk.order,
    };
  }
  return { ageMs: 0, desks };
}

/** The legs of one server in the station's order of preference. */
export function legsOn(state: StationState, server: ServerName, policy: StationPolicy): LegState[] {
  const found: LegState[] = [];
  for (const source of policy.sources) {
    for (const leg of state.legs.values()) {
      if (leg.leg.server === server && leg.leg.source === source) found.push(leg);
    }
  }
  return found;
}

/** The same state when the leg stays what it is. */
export function updateLeg(state: StationState, id: LegId, change: (leg: LegState) => LegState): StationState {
  const leg = state.legs.get(id);
  if (leg === undefined) return state;
  const changed = change(leg);
  return changed === leg ? state : { ...state, legs: withEntry(state.legs, id, changed) };
}

/** A map with one entry changed; by hand, as copying with `new Map` takes several times as long. */
export function withEntry<Key, Value>(map: ReadonlyMap<Key, Value>, key: Key, value: Value): Map<Key, Value> {
  const changed = new Map<Key, Value>();
  for (const [known, kept] of map) changed.set(known, kept);
  return changed.set(key, value);
}
