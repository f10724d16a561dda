import { type ChainSign, processingFingerprint } from '../domain/chain-sign.ts';
import type { Role, ServerCondition } from '../domain/conditions.ts';
import type { AdminFailure, ServerLook } from '../domain/icecast.ts';
import type { Mount, ServerName, StationName } from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { type LegState, openMonitor, type ServerEvidence } from './leg.ts';

/** Two failed looks in a row before a server is called anything. */
const FAILED_LOOKS = 2;
/** A presence connection is renewed every 5 s; an older one belongs to an agent that no longer runs. */
const PRESENCE_FRESH_SECONDS = 12;

export interface ServerState {
  readonly server: ServerName;
  readonly lastGoodLookAtMs: number | null;
  readonly failing: {
    readonly sinceMs: number;
    readonly looks: number;
    readonly failure: AdminFailure;
    readonly detail: string;
  } | null;
  readonly condition: ServerCondition;
  /** When the agent beside this server was last seen alive, on this server. */
  readonly agentSeenAtMs: number | null;
  /** The processing chain that the agent beside this server showed when it was last seen; null when it showed none. */
  readonly agentChain: (ChainSign & { readonly sinceMs: number }) | null;
  /** Since when that one is another than ours; null while it is the same, or the other agent is not seen. */
  readonly chainDiffersSinceMs: number | null;
  /** Since when each look has shown another agent by this agent's own name; null while none does. */
  readonly twinSinceMs: number | null;
  /** From when the absence of that agent could have been noticed: the looks have been good since. */
  readonly watchedFromMs: number | null;
  /** When this agent last ended a standstill: a look that began before then failed because of ourselves. */
  readonly stoodStillUntilMs: number;
  /** Where Icecast itself sends listeners whose source goes, as the newest look shows it. */
  readonly fallbacks: ReadonlyMap<Mount, Mount>;
  readonly role: Role;
}

export function newServer(server: ServerName, policy: StationPolicy, atMs: number): ServerState {
  return {
    server,
    lastGoodLookAtMs: null,
    failing: null,
    condition: { is: 'unknown', sinceMs: atMs },
    agentSeenAtMs: null,
    agentChain: null,
    chainDiffersSinceMs: null,
    twinSinceMs: null,
    watchedFromMs: null,
    stoodStillUntilMs: Number.NEGATIVE_INFINITY,
    fallbacks: new Map(),
    role: server === policy.self ? 'own' : 'watching',
  };
}

export function withServerLook(state: ServerState, look: ServerLook, station: StationName): ServerState {
  if (look.startedAtMs < state.stoodStillUntilMs) return state;
  if (!look.ok) {
    const sinceMs = state.failing?.sinceMs ?? look.startedAtMs;
    const looks = (state.failing?.looks ?? 0) + 1;
    return {
      ...state,
      failing: { sinceMs, looks, failure: look.failure, detail: look.detail },
      watchedFromMs: looks >= FAILED_LOOKS ? null : state.watchedFromMs,
    };
  }
  const seen = showsAgentOf(look, state.server);
  return {
    ...state,
    lastGoodLookAtMs: look.atMs,
    fallbacks: look.fallbacks ?? state.fallbacks,
    failing: null,
    agentSeenAtMs: seen ? look.atMs : state.agentSeenAtMs,
    agentChain: seen ? chainShown(state, look, station) : state.agentChain,
    watchedFromMs: state.watchedFromMs ?? look.atMs,
    twinSinceMs: look.isTwinThere === true ? (state.twinSinceMs ?? look.atMs) : null,
  };
}

function chainShown(
  { server, agentChain }: ServerState,
  look: ServerLook & { ok: true },
  station: StationName,
): ServerState['agentChain'] {
  const presence = look.presences.find(({ agent }) => agent === server);
  const shown = presence?.chains?.find((chain) => chain.station === station);
  if (shown === undefined) return null;
  const isKnown = shown.fingerprint === agentChain?.fingerprint;
  return { ...shown, sinceMs: isKnown ? agentChain.sinceMs : look.atMs };
}

/** Since when the chain of the agent beside a server is another than ours, as far as it is seen now. */
export function chainDiffersSince(
  { server, agentChain, agentSeenAtMs, chainDiffersSinceMs }: ServerState,
  nowMs: number,
  policy: StationPolicy,
): number | null {
  if (server === policy.self || agentSeenAtMs === null || nowMs - agentSeenAtMs >= policy.deputyAfterMs)
    return null;
  const ours = policy.processing === null ? null : processingFingerprint(policy.processing);
  return ours === (agentChain?.fingerprint ?? null) ? null : (chainDiffersSinceMs ?? nowMs);
}

/** Whether the agent beside a server shows in a look at it that it lives. */
export function showsAgentOf({ presences }: ServerLook & { ok: true }, server: ServerName): boolean {
  return presences.some(
    (presence) => presence.agent === server && presence.connectedSeconds <= PRESENCE_FRESH_SECONDS,
  );
}

/** Signs of life that came while this agent stood still were missed by us, not by the other agent. */
export function withServerGap(state: ServerState, atMs: number): ServerState {
  return { ...state, watchedFromMs: null, stoodStillUntilMs: atMs };
}

/** What the server's own state says about every leg on it. */
export function evidenceOf({ condition, failing, lastGoodLookAtMs }: ServerState): ServerEvidence {
  const down = condition.is === 'down' ? { sinceMs: condition.sinceMs, detail: condition.detail } : null;
  return { down, lastGoodLookAtMs, unauthorised: failing?.failure === 'unauthorised' };
}

/**
 * The server's condition. A wrong password or a full client table is our own trouble and never "down"; down needs
 * both the admin API and every monitor to be without an answer.
 */
export function judgeServer(
  state: ServerState,
  legs: readonly LegState[],
  nowMs: number,
  policy: StationPolicy,
): ServerCondition {
  const fresh = judge(state, legs, nowMs, policy);
  const old = state.condition;
  if (fresh.is !== old.is) return fresh;
  if (fresh.is === 'down' && old.is === 'down' && fresh.fault !== old.fault) return fresh;
  return old;
}

function judge(
  state: ServerState,
  legs: readonly LegState[],
  nowMs: number,
  policy: StationPolicy,
): ServerCondition {
  const { failing } = state;
  if (failing === null) {
    return state.lastGoodLookAtMs === null ? { is: 'unknown', sinceMs: nowMs } : { is: 'up', sinceMs: nowMs };
  }
  if (failing.looks < FAILED_LOOKS) return state.condition;
  const { sinceMs, failure, detail } = failing;
  if (failure === 'unauthorised') return { is: 'misconfigured', sinceMs, detail };
  if (failure === 'overloaded') return { is: 'overloaded', sinceMs, detail };
  if (legs.some((leg) => bringsBytes(leg, nowMs, policy))) return { is: 'unknown', sinceMs };
  if (failure === 'refused') return { is: 'down', sinceMs, fault: 'refused', detail };
  if (failure === 'timed-out') return { is: 'down', sinceMs, fault: 'unresponsive', detail };
  return { is: 'unknown', sinceMs };
}

function bringsBytes(leg: LegState, nowMs: number, policy: StationPolicy): boolean {
  return openMonitor(leg) !== null && leg.pulse !== null && nowMs - leg.pulse.lastByteAtMs < policy.stallMs;
}

/**
 * Who acts on this server. Its own agent does; when that one has shown no sign of life for a while although its
 * Icecast answers, the first living agent in the station's order stands in.
 */
export function roleOn(
  state: ServerState,
  all: readonly ServerState[],
  nowMs: number,
  policy: StationPolicy,
): { readonly role: Role; readonly because: string } {
  if (state.server === policy.self) return { role: 'own', because: 'this agent stands beside it' };
  const { watchedFromMs, agentSeenAtMs } = state;
  if (watchedFromMs === null) return { role: 'watching', because: 'its admin API does not answer' };
  const silentFromMs = Math.max(watchedFromMs, agentSeenAtMs ?? watchedFromMs);
  const missingMs = nowMs - silentFromMs;
  if (missingMs < policy.deputyAfterMs) return { role: 'watching', because: 'its own agent is at work' };
  const standIn = policy.servers.find(
    (server) => server !== state.server && (server === policy.self || agentLives(server, all, nowMs, policy)),
  );
  if (standIn !== policy.self) return { role: 'watching', because: `the agent beside ${standIn} stands in` };
  return {
    role: 'deputy',
    because: `its own agent has shown no sign of life for ${Math.round(missingMs / 1000)} s`,
  };
}

function agentLives(
  server: ServerName,
  all: readonly ServerState[],
  nowMs: number,
  policy: StationPolicy,
): boolean {
  const seenAtMs = all.find((other) => other.server === server)?.agentSeenAtMs ?? null;
  return seenAtMs !== null && nowMs - seenAtMs < policy.deputyAfterMs;
}
