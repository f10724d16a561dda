import type { LegCondition } from './conditions.ts';
import type { ServerHealth } from './failover.ts';
import type { LegId, Mount, ServerName, SourceName } from './ids.ts';
import type { StationPolicy } from './policy.ts';
import type { Recorded } from './record.ts';

/** What listeners of a station hear on one server, as far as the log can say. `planned`: a silence that was asked for. */
export type Air = 'sounding' | 'dead' | 'planned' | 'unknown';

/** A stretch of time with one `Air`; wall time in ms since 1970. */
export interface AirSegment {
  readonly server: ServerName;
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
  readonly air: Air;
}

/** What the log of one agent has said of a station so far. */
export interface AirTime {
  readonly policy: StationPolicy;
  readonly servers: ReadonlyMap<ServerName, ServerAir>;
  readonly legs: ReadonlyMap<LegId, LegCondition['is']>;
  /** A planned silence is in force. */
  readonly isPlanned: boolean;
}

interface ServerAir {
  readonly onAir: SourceName | null;
  /** Relay mode: whether the public mount carries a leg, or only the noise floor. */
  readonly relay: Air;
  /** Relay mode: public mounts that are not fed. */
  readonly unfed: readonly Mount[];
  /** What the ear of the DNS decision hears on the public mounts; it hears servers of other agents too. */
  readonly health: Air;
  readonly isDown: boolean;
  readonly air: Air;
  readonly sinceUnixMs: number;
}

export function newAirTime(policy: StationPolicy, unixMs: number): AirTime {
  const air: ServerAir = {
    onAir: null,
    relay: 'unknown',
    unfed: [],
    health: 'unknown',
    isDown: false,
    air: 'unknown',
    sinceUnixMs: unixMs,
  };
  return {
    policy,
    servers: new Map(policy.servers.map((server) => [server, air])),
    legs: new Map(),
    isPlanned: false,
  };
}

/** The same under other settings, with servers that have come or gone. */
export function withAirPolicy(airTime: AirTime, policy: StationPolicy): AirTime {
  const since = [...airTime.servers.values()][0]?.sinceUnixMs ?? 0;
  const fresh = newAirTime(policy, since);
  const servers = new Map(
    [...fresh.servers].map(([server, one]) => [server, airTime.servers.get(server) ?? one]),
  );
  return { ...fresh, servers, legs: airTime.legs, isPlanned: airTime.isPlanned };
}

export interface AirStep {
  readonly airTime: AirTime;
  /** What has just become known to be over. */
  readonly segments: readonly AirSegment[];
}

/**
 * Takes one event. A condition counts from when it began and not from when it was found, so the dead air of a fault has
 * the trip delay in it. Conservative: a mount that vanished is dead air until another source was put on, although
 * Icecast's own fallback may have carried the listeners.
 */
export function hearEvent(airTime: AirTime, { unixMs, event }: Recorded): AirStep {
  switch (event.kind) {
    case 'leg-changed': {
      const legs = new Map(airTime.legs).set(event.leg, event.to.is);
      const beganUnixMs = began(unixMs, event.atMs, event.to.sinceMs);
      return settle({ ...airTime, legs }, beganUnixMs);
    }
    case 'took-over':
      return settle(withServer(airTime, event.server, { onAir: event.source }), unixMs);
    case 'switched':
      return settle(withServer(airTime, event.server, { onAir: event.to }), unixMs);
    case 'relay-switched':
      return settle(
        withServer(airTime, airTime.policy.self, { relay: event.to === null ? 'dead' : 'sounding' }),
        unixMs,
      );
    case 'server-changed': {
      const beganUnixMs = began(unixMs, event.atMs, event.to.sinceMs);
      return settle(withServer(airTime, event.server, { isDown: event.to.is === 'down' }), beganUnixMs);
    }
    case 'health-changed': {
      const beganUnixMs = began(unixMs, event.atMs, event.to.sinceMs);
      return settle(withServer(airTime, event.server, { health: airOfHealth(event.to.is) }), beganUnixMs);
    }
    case 'output-changed': {
      const { self } = airTime.policy;
      const others = (airTime.servers.get(self)?.unfed ?? []).filter((mount) => mount !== event.mount);
      return settle(
        withServer(airTime, self, { unfed: event.isFed ? others : [...others, event.mount] }),
        unixMs,
      );
    }
    case 'planned-silence':
      if (event.is === 'planned' || event.is === 'cancelled') return { airTime, segments: [] };
      return settle({ ...airTime, isPlanned: event.is === 'begun' }, unixMs);
    case 'agent-started': {
      const { airTime: before, segments } = blind(airTime, event.lastSeenUnixMs ?? unixMs);
      return { airTime: from(before, unixMs), segments };
    }
    case 'agent-stopped':
      return blind(airTime, unixMs);
    case 'events-lost':
      return blind(airTime, event.fromUnixMs ?? unixMs);
    case 'time-missed':
      return missed(airTime, event.fromUnixMs, unixMs);
    default:
      return { airTime, segments: [] };
  }
}

/** Guard mode: whose sound listeners of a server hear; null where that is not known. */
export function legOnAir({ policy, servers }: AirTime, server: ServerName): LegId | null {
  const onAir = servers.get(server)?.onAir;
  return policy.legs.find((leg) => leg.server === server && leg.source === onAir)?.id ?? null;
}

/** When something began that was found at `atMs`; whole ms, as what lies between is added up. */
function began(unixMs: number, atMs: number, sinceMs: number): number {
  return Math.round(unixMs - Math.max(0, atMs - sinceMs));
}

/** Ends every stretch at this moment, without anything having happened. */
export function untilNow(airTime: AirTime, unixMs: number): AirStep {
  const segments: AirSegment[] = [];
  const servers = new Map(airTime.servers);
  for (const [server, one] of servers) {
    if (unixMs <= one.sinceUnixMs) continue;
    segments.push({ server, fromUnixMs: one.sinceUnixMs, toUnixMs: unixMs, air: one.air });
    servers.set(server, { ...one, sinceUnixMs: unixMs });
  }
  return { airTime: { ...airTime, servers }, segments };
}

/** Nobody was listening from this moment on, so nothing of what was known counts any more. */
function blind(airTime: AirTime, unixMs: number): AirStep {
  const fresh = newAirTime(airTime.policy, unixMs);
  const servers = new Map(airTime.servers);
  for (const [server, one] of fresh.servers) {
    const before = servers.get(server) ?? one;
    servers.set(server, { ...one, air: before.air, sinceUnixMs: before.sinceUnixMs });
  }
  return settle({ ...fresh, servers }, unixMs);
}

/** Nobody was listening in between, and all stands as before. */
function missed(airTime: AirTime, fromUnixMs: number, unixMs: number): AirStep {
  const { airTime: before, segments } = untilNow(airTime, fromUnixMs);
  if (unixMs <= fromUnixMs) return { airTime: from(before, unixMs), segments };
  const gap = untilNow(before, unixMs);
  return {
    airTime: gap.airTime,
    segments: [...segments, ...gap.segments.map((one) => ({ ...one, air: 'unknown' }) as const)],
  };
}

/** By a clock that was put back what is heard from now on begins now, and not when it shows again what it has shown. */
function from(airTime: AirTime, unixMs: number): AirTime {
  const servers = [...airTime.servers].map(
    ([server, one]) => [server, { ...one, sinceUnixMs: Math.min(one.sinceUnixMs, unixMs) }] as const,
  );
  return { ...airTime, servers: new Map(servers) };
}

function withServer(airTime: AirTime, server: ServerName, change: Partial<ServerAir>): AirTime {
  const before = airTime.servers.get(server);
  if (before === undefined) return airTime;
  return { ...airTime, servers: new Map(airTime.servers).set(server, { ...before, ...change }) };
}

function settle(airTime: AirTime, fromUnixMs: number): AirStep {
  const segments: AirSegment[] = [];
  const servers = new Map(airTime.servers);
  for (const [server, one] of servers) {
    const air = airOf(airTime, server, one);
    if (air === one.air) continue;
    const turnUnixMs = Math.max(one.sinceUnixMs, fromUnixMs);
    if (turnUnixMs > one.sinceUnixMs)
      segments.push({ server, fromUnixMs: one.sinceUnixMs, toUnixMs: turnUnixMs, air: one.air });
    servers.set(server, { ...one, air, sinceUnixMs: turnUnixMs });
  }
  return { airTime: { ...airTime, servers }, segments };
}

function airOf(airTime: AirTime, server: ServerName, one: ServerAir): Air {
  const air = plainAirOf(airTime, server, one);
  return air !== 'unknown' && airTime.isPlanned ? 'planned' : air;
}

function plainAirOf({ policy, legs }: AirTime, server: ServerName, one: ServerAir): Air {
  const { onAir, relay, isDown, unfed, health } = one;
  if (isDown) return 'dead';
  if (policy.mode === 'relay') {
    if (server !== policy.self) return health;
    return relay === 'sounding' && unfed.length > 0 ? 'dead' : relay;
  }
  const leg = policy.legs.find((other) => other.server === server && other.source === onAir);
  if (leg === undefined) return health;
  const condition = legs.get(leg.id) ?? 'unknown';
  return condition === 'audible' ? 'sounding' : condition === 'faulty' ? 'dead' : 'unknown';
}

function airOfHealth(is: ServerHealth['is']): Air {
  return is === 'well' ? 'sounding' : is === 'ill' ? 'dead' : 'unknown';
}
