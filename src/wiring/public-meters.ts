import type { DecoderFactory } from '../audio/decoder.ts';
import type { Config } from '../config/index.ts';
import type { ServerName, StationName } from '../domain/ids.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import { type EarOnAir, startPublicEar } from './public-ear.ts';
import type { Running } from './running.ts';
import type { ServerLink } from './server-link.ts';

export interface PublicMetersOptions {
  readonly config: Config;
  readonly stations: ReadonlyMap<StationName, Running>;
  readonly links: ReadonlyMap<ServerName, ServerLink>;
  /** Whether the public mounts of a server are heard already, to know where to send the world. */
  readonly isHeard: (server: ServerName) => boolean;
  readonly decoders: DecoderFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Ears on the public mounts that other agents feed, for the meters, where nothing else of ours listens there. */
export function startPublicMeters(options: PublicMetersOptions): readonly EarOnAir[] {
  const { config, stations, links, isHeard, decoders, clock, random, log } = options;
  return config.stations.flatMap(({ name, serve }) => {
    const running = stations.get(name);
    const mount = serve.mode === 'relay' ? serve.outputs[0]?.mount : undefined;
    if (running === undefined || mount === undefined) return [];
    return [...links].flatMap(([server, { address }]): EarOnAir[] => {
      const meters = running.levels.metersOf(server);
      if (meters === null || isHeard(server)) return [];
      return [
        startPublicEar({
          server: address,
          mount,
          agent: config.self,
          policy: running.station.policy,
          meters,
          ear: () => {},
          heard: () => {},
          decoders,
          clock,
          random,
          log,
        }),
      ];
    });
  });
}
