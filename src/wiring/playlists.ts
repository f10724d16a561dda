import type { Config, ServerConfig } from '../config/index.ts';
import type { FailoverState } from '../decide/failover/state.ts';
import type { ServerName, StationName } from '../domain/ids.ts';
import { hostAndPort, mountPath, parseServerUrl } from '../icecast/address.ts';
import type { Station } from '../station.ts';
import { listenersAddressOf } from './failover-settings.ts';

/** One server on which a station is heard. */
export interface ListedServer {
  readonly url: string;
  readonly title: string;
}

/**
 * Where a station is heard, best first: the server that the name points to if it is well, then those that are well, then
 * those of which nothing is known, and at the end those that give no sound, as even they may be better than nothing.
 */
export function playlistOf(
  config: Config,
  station: Station,
  failover: FailoverState | null,
): readonly ListedServer[] {
  const { name, serve, sources } = configOf(config, station.policy.station);
  const title = serve?.stream.name ?? name;
  const ranked = config.servers
    .map((server) => ({ server, rank: rankOf(server.name, station, failover, config.dns?.prefer ?? []) }))
    .sort((one, other) => one.rank - other.rank);
  return ranked.flatMap(({ server }) => {
    // In guard mode listeners belong on whatever is on air there; in relay mode that comes out of the public mount.
    const onAir = station.state.desks.get(server.name)?.onAir;
    const source = sources.find((one) => one.name === onAir) ?? sources[0];
    const mount = serve?.mode === 'relay' ? serve.outputs[0]?.mount : source?.mount;
    const base = baseOf(server);
    if (mount === undefined || base === null) return [];
    return [{ url: `${base}${mountPath(mount)}`, title: `${title} (${server.name})` }];
  });
}

function configOf(config: Config, name: StationName) {
  const found = config.stations.find((one) => one.name === name);
  return { name, serve: found?.serve ?? null, sources: found?.sources ?? [] };
}

function baseOf(server: ServerConfig): string | null {
  if (server.publicUrl !== null) return server.publicUrl;
  const address = listenersAddressOf(server);
  if (address === null) return null;
  // A certificate is for a name; over TLS an address alone would be refused by every player.
  const reached = address.tls ? parseServerUrl(server.url) : address;
  return reached === null ? null : `${reached.tls ? 'https' : 'http'}://${hostAndPort(reached)}`;
}

const WORST = 1_000;

function rankOf(
  server: ServerName,
  station: Station,
  failover: FailoverState | null,
  prefer: readonly ServerName[],
): number {
  const place = prefer.includes(server) ? prefer.indexOf(server) : prefer.length;
  const isNamed = failover?.record?.record.is === 'server' && failover.record.record.server === server;
  switch (failover === null ? soundOn(server, station) : heardOn(server, station, failover)) {
    case 'well':
      return isNamed ? -1 : place;
    case 'unknown':
      return WORST / 2 + place;
    case 'ill':
      return WORST + place;
  }
}

/** A server counts as well when any of its stations is heard; for those who want this one, its own mount has to be too. */
function heardOn(
  server: ServerName,
  station: Station,
  { verdicts, sights }: FailoverState,
): 'well' | 'unknown' | 'ill' {
  const verdict = verdicts.get(server)?.is ?? 'unknown';
  const sight = sights.get(server);
  const mount = sight?.mounts.get(station.policy.station);
  // An agent that hears nothing there itself knows no better than what the witnesses agree on.
  if (verdict === 'ill' || sight?.health.is !== 'well' || mount === undefined) return verdict;
  if (mount.illness !== null) return 'ill';
  return mount.good > 0 ? verdict : 'unknown';
}

/** Without a DNS section, what is on air there is the measure. */
function soundOn(server: ServerName, station: Station): 'well' | 'unknown' | 'ill' {
  const onAir = station.state.desks.get(server)?.onAir;
  const leg = [...station.state.legs.values()].find(
    (one) => one.leg.server === server && one.leg.source === onAir,
  );
  switch (leg?.condition.is) {
    case 'audible':
      return 'well';
    case 'faulty':
      return 'ill';
    default:
      return 'unknown';
  }
}
