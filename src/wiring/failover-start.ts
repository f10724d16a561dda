import { ffmpegDecoders } from '../audio/ffmpeg-decoder.ts';
import type { Config } from '../config/index.ts';
import { createDnsWriter, createProvider } from '../dns/index.ts';
import type { Mount, ServerName } from '../domain/ids.ts';
import { parseServerUrl } from '../icecast/address.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import type { Station } from '../station.ts';
import { type Failover, type FailoverServer, type FailoverStation, startFailover } from './failover.ts';
import { failoverSettings } from './failover-settings.ts';
import type { ServerLink } from './server-link.ts';

export interface ConfiguredFailoverOptions {
  readonly config: Config;
  readonly ffmpegPath: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly links: ReadonlyMap<ServerName, ServerLink>;
  readonly stations: readonly Station[];
}

/** Server failover as the config wants it; null where it has no `dns`. */
export async function startConfiguredFailover(options: ConfiguredFailoverOptions): Promise<Failover | null> {
  const { config, clock, random, ffmpegPath } = options;
  const settings = failoverSettings(config);
  if (settings === null) return null;
  const log = options.log.child({ dns: settings.names.names[0] });
  const { policy, zone, authorities } = settings;
  const writer = createDnsWriter({
    provider: createProvider(settings.provider, clock),
    zone,
    authorities,
    clock,
    random,
    onEvent: ({ event, ...facts }) => log.info({ event, ...facts }, 'the DNS writer'),
  });
  return startFailover({
    policy,
    names: settings.names,
    servers: serversOf(options, policy.servers),
    stations: options.stations.flatMap((station) => stationOf(station, config)),
    writer,
    cluster: null,
    decoders: ffmpegDecoders({ ffmpegPath, clock, random, logger: log }),
    probeWithinMs: 2_000,
    stateDirectory: config.state.directory,
    clock,
    random,
    log,
  });
}

function serversOf(options: ConfiguredFailoverOptions, wanted: readonly ServerName[]): FailoverServer[] {
  return options.config.servers.flatMap(({ name, url }) => {
    const address = parseServerUrl(url);
    if (address === null || !wanted.includes(name)) return [];
    return [{ name, public: address, link: options.links.get(name) ?? null }];
  });
}

/** Listeners are on the outputs in relay mode, else on whatever source is on air. */
function stationOf(station: Station, config: Config): FailoverStation[] {
  const found = config.stations.find(({ name }) => name === station.policy.station);
  const sources = (found?.sources ?? []).map((source) => source.mount);
  const outputs = found?.serve.mode === 'relay' ? found.serve.outputs.map((output) => output.mount) : [];
  const [first, ...others]: Mount[] = [...outputs, ...sources];
  return first === undefined ? [] : [{ name: station.policy.station, station, mounts: [first, ...others] }];
}
