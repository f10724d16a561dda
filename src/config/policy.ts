import { type Leg, makeLeg, type ServerName } from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';
import type { Config, ServerConfig, StationConfig } from './config.ts';

/** Looks come twice a second; one that fell into a reconnect doesn't count. */
const ABSENT_MS = 1_000;
/** Sound that was last proven longer ago is no reason to send listeners there. */
const VERIFIED_WITHIN_MS = 5_000;

/** Every source on every server. */
export function legsOf(config: Config, station: StationConfig): readonly Leg[] {
  return config.servers.flatMap((server) =>
    station.sources.map((source) => makeLeg(station.name, source.name, server.name, source.mount)),
  );
}

/** What `decide/` may know of one station. */
export function policyOf(config: Config, station: StationConfig): StationPolicy {
  return {
    station: station.name,
    mode: station.serve.mode,
    self: config.self,
    servers: config.servers.map((server) => server.name),
    sources: station.sources.map((source) => source.name),
    legs: legsOf(config, station),
    publicMounts: station.serve.mode === 'relay' ? station.serve.outputs.map(({ mount }) => mount) : [],
    silence: station.silence,
    programme: station.programme,
    stallMs: station.stall.tripMs,
    absentMs: ABSENT_MS,
    dwellMs: station.switching.dwellMs,
    verifiedWithinMs: VERIFIED_WITHIN_MS,
    flap: station.switching.flap,
    processing: station.serve.mode === 'relay' ? (station.serve.processing?.values ?? null) : null,
    deputyAfterMs: config.deputy.afterMs,
  };
}

export function serverOf(config: Config, name: ServerName): ServerConfig | null {
  return config.servers.find((server) => server.name === name) ?? null;
}
