import type { DecoderFactory } from '../audio/decoder.ts';
import { type Cluster, openCluster } from '../cluster/index.ts';
import type { Config, DnsConfig } from '../config/index.ts';
import { createDnsWriter, createProvider } from '../dns/index.ts';
import type { FailoverEvent } from '../domain/failover.ts';
import type { Mount, ServerName } from '../domain/ids.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import { type Failover, type FailoverServer, type FailoverStation, startFailover } from './failover.ts';
import {
  failoverPolicy,
  namesOf,
  otherAddressesOf,
  providerSettings,
  publicAddressOf,
} from './failover-settings.ts';
import { parseObservation, type WireObservation } from './observation.ts';
import type { Running } from './running.ts';
import type { ServerLink } from './server-link.ts';

/** A station, and the meters that show what is heard of it. */
export type FollowedStation = Pick<Running, 'station' | 'levels'>;

export interface ConfiguredFailoverOptions {
  readonly config: Config;
  readonly decoders: DecoderFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly links: ReadonlyMap<ServerName, ServerLink>;
  readonly stations: readonly FollowedStation[];
  /** For the history. */
  readonly noted: (event: FailoverEvent) => void;
}

/** From the start of a probe to its first byte. */
const PROBE_WITHIN_MS = 2_000;
/** Of the lease's length: how often it is renewed, and how far clocks may run apart. */
const RENEWALS = 7.5;
const SKEW = 1 / 30;

/** Server failover as the config wants it; null where it has no `dns`. */
export async function startConfiguredFailover(options: ConfiguredFailoverOptions): Promise<Failover | null> {
  const { config, clock, random, decoders } = options;
  const { dns } = config;
  if (dns === null) return null;
  const log = options.log.child({ dns: dns.names[0] });
  const policy = failoverPolicy(config, dns);
  const writer = createDnsWriter({
    provider: createProvider(providerSettings(dns), clock),
    zone: dns.zone,
    authorities: dns.authorities,
    clock,
    random,
    onEvent: ({ event, ...facts }) => log.info({ event, ...facts }, 'the DNS writer'),
  });
  return startFailover({
    policy,
    names: namesOf(config, dns),
    servers: serversOf(options, dns),
    stations: options.stations.flatMap((one) => stationOf(one, config)),
    writer,
    cluster: clusterOf(options, dns),
    decoders,
    probeWithinMs: PROBE_WITHIN_MS,
    stateDirectory: config.state.directory,
    noted: options.noted,
    clock,
    random,
    log,
  });
}

/** Agents of one name are one group; two stations with names of their own may share the NATS servers. */
function clusterOf(
  { config, clock, random }: ConfiguredFailoverOptions,
  dns: DnsConfig,
): Cluster<WireObservation> | null {
  if (config.cluster === null) return null;
  const { urls, login, leaseMs } = config.cluster;
  return openCluster<WireObservation>(
    {
      urls,
      login,
      group: dns.names[0] ?? '',
      self: config.self,
      lease: { lengthMs: leaseMs, renewEveryMs: leaseMs / RENEWALS, skewMs: leaseMs * SKEW },
      parse: parseObservation,
    },
    { clock, random },
  );
}

function serversOf({ config, links }: ConfiguredFailoverOptions, dns: DnsConfig): FailoverServer[] {
  return config.servers.flatMap((server) => {
    const address = publicAddressOf(server, dns);
    if (address === null || !dns.prefer.includes(server.name)) return [];
    const link = links.get(server.name) ?? null;
    return [{ name: server.name, public: address, others: otherAddressesOf(server, dns), link }];
  });
}

/** Listeners are on the outputs in relay mode, else on whatever source is on air. */
function stationOf({ station, levels }: FollowedStation, config: Config): FailoverStation[] {
  const found = config.stations.find(({ name }) => name === station.policy.station);
  const sources = (found?.sources ?? []).map((source) => source.mount);
  const outputs = found?.serve.mode === 'relay' ? found.serve.outputs.map((output) => output.mount) : [];
  const [first, ...others]: Mount[] = [...outputs, ...sources];
  if (first === undefined) return [];
  const metersOf = (server: ServerName) => levels.metersOf(server);
  return [{ name: station.policy.station, station, mounts: [first, ...others], metersOf }];
}
