import type { Config } from '../config/index.ts';
import type { ChainSign } from '../domain/chain-sign.ts';
import type { ServerLook } from '../domain/icecast.ts';
import type { ServerName } from '../domain/ids.ts';
import { parseServerUrl } from '../icecast/address.ts';
import type { OnAir } from '../icecast/user-agent.ts';
import type { Clock } from '../platform/clock.ts';
import { SustainError } from '../platform/errors.ts';
import type { Random } from '../platform/random.ts';
import { type ServerLink, startServerLink } from './server-link.ts';

export interface ServerLinksOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  /** What this agent has on air, for the other agents to show. */
  readonly onAir: () => OnAir;
  /** Another text when the others are to hear of something at once. */
  readonly news: () => string;
}

/**
 * A link to every server of the config.
 * @throws SustainError `bad-server-url`
 */
export function startServerLinks(
  { config, clock, random, onAir, news }: ServerLinksOptions,
  seen: (server: ServerName, look: ServerLook) => void,
  marks: (server: ServerName) => readonly string[],
  chains: () => readonly ChainSign[],
): Map<ServerName, ServerLink> {
  const mounts = [
    ...new Set(config.stations.flatMap((station) => station.sources.map((source) => source.mount))),
  ];
  const links = new Map<ServerName, ServerLink>();
  for (const { name, url, admin, ca } of config.servers) {
    const address = parseServerUrl(url, ca);
    if (address === null)
      throw new SustainError('bad-server-url', `servers.${name}.url is not a URL of a server`);
    const link = startServerLink({
      name,
      self: config.self,
      address,
      admin,
      mounts,
      onAir,
      news,
      clock,
      random,
      ...(name === config.self ? { chains } : {}),
      seen: (look) => seen(name, look),
      marks: () => marks(name),
    });
    links.set(name, link);
  }
  return links;
}
