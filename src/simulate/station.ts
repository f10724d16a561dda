import type { FailoverPolicy } from '../domain/failover.ts';
import {
  type Leg,
  makeLeg,
  mount,
  type ServerName,
  serverName,
  sourceName,
  stationName,
} from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';

/** Small seeded generator (mulberry32): the world's only chance. */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const STATION = stationName('myfm');
export const LONDON = serverName('london');
export const DUBLIN = serverName('dublin');
export const SERVERS = [LONDON, DUBLIN] as const;
export const SOURCES = [sourceName('primary'), sourceName('secondary'), sourceName('autodj')] as const;

/** As the config has it by default: who shows no life for so long is missed, at the sources and at the name. */
const DEPUTY_AFTER_MS = 12_000;

export function policyFor(self: ServerName, changes: Partial<StationPolicy> = {}): StationPolicy {
  const legs: Leg[] = [];
  for (const server of SERVERS) {
    for (const source of SOURCES) legs.push(makeLeg(STATION, source, server, mount(`/${source}`)));
  }
  return {
    station: STATION,
    mode: 'guard',
    self,
    servers: SERVERS,
    sources: SOURCES,
    legs,
    silence: {
      thresholdDbfs: -50,
      tripMs: 5000,
      restoreMs: 20_000,
      soundMs: 1000,
    },
    programme: { preset: 'music', actOn: ['noise-only', 'tone', 'stuck-loop'] },
    stallMs: 2000,
    absentMs: 1000,
    dwellMs: 30_000,
    verifiedWithinMs: 5000,
    flap: { holdDownMs: 30_000, holdDownMaxMs: 1_800_000, halfLifeMs: 900_000 },
    processing: null,
    deputyAfterMs: DEPUTY_AFTER_MS,
    ...changes,
  };
}

export const FAILOVER_DEFAULTS: FailoverPolicy = {
  self: LONDON,
  servers: [LONDON, DUBLIN],
  stations: [STATION],
  intervalMs: 5_000,
  fastIntervalMs: 1_000,
  fall: 3,
  rise: 2,
  silenceMs: 15_000,
  soundMs: 1_000,
  restoreMs: 180_000,
  verifiedWithinMs: 5_000,
  freshMs: 6_000,
  colleagueMs: DEPUTY_AFTER_MS,
  contestedMs: 600_000,
  writeWithinMs: 10_000,
  endListenersAfterMs: 60_000,
  flap: { holdDownMs: 180_000, holdDownMaxMs: 3_600_000, halfLifeMs: 900_000 },
  mode: 'alone',
};
