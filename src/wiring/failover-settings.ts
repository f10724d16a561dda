import { readFileSync } from 'node:fs';
import type { Config } from '../config/index.ts';
import type { Authority, ProviderSettings } from '../dns/index.ts';
import type { FailoverPolicy } from '../domain/failover.ts';
import type { ServerName } from '../domain/ids.ts';
import type { Names } from './zone.ts';

const FRESH_MS = 6_000;
const WRITE_WITHIN_MS = 10_000;
const CONTESTED_MS = 600_000;
/** Silence on a public mount is the source switch's to cure first; this long after it should have. */
const SWITCH_GRACE_MS = 10_000;

export interface FailoverSettings {
  readonly policy: FailoverPolicy;
  readonly names: Names;
  readonly zone: string;
  readonly provider: ProviderSettings;
  readonly authorities: readonly Authority[];
}

/** What the config says of the station's name; null where it says nothing. */
export function failoverSettings(config: Config): FailoverSettings | null {
  const dns = config.unused.dns;
  if (dns === undefined) return null;
  const ref = dns.apiKey;
  const key = ref?.from === 'file' ? readFileSync(ref.file, 'utf8').trim() : '';
  const zone = dns.zone ?? '';
  const names = [dns.record ?? ''];
  const prefer = dns.prefer as ServerName[];
  const silence = Math.max(...config.stations.map((station) => station.silence.tripMs));
  return {
    zone,
    authorities: dns.authorities,
    names: {
      names,
      ttlSeconds: dns.ttlMs / 1000,
      addresses: new Map(
        config.servers.map((server) => [
          server.name,
          server.publicAddress === null ? [] : [server.publicAddress],
        ]),
      ),
    },
    provider: { provider: 'powerdns', url: dns.url ?? '', apiKey: { reveal: () => key }, zone, names },
    policy: {
      self: config.self,
      servers: prefer,
      stations: config.stations.map((station) => station.name),
      intervalMs: 5_000,
      fastIntervalMs: 1_000,
      fall: 3,
      rise: 2,
      silenceMs: silence + SWITCH_GRACE_MS,
      soundMs: Math.max(...config.stations.map((station) => station.silence.soundMs)),
      restoreMs: dns.restoreMs,
      verifiedWithinMs: 5_000,
      freshMs: FRESH_MS,
      colleagueMs: config.deputy.afterMs,
      contestedMs: CONTESTED_MS,
      writeWithinMs: WRITE_WITHIN_MS,
      endListenersAfterMs: dns.ttlMs,
      flap: { holdDownMs: dns.restoreMs, holdDownMaxMs: 3_600_000, halfLifeMs: 900_000 },
      mode: 'alone',
    },
  };
}
