import type { Config } from '../config/index.ts';
import type { Mount, ServerName, StationName } from '../domain/ids.ts';
import { parseServerUrl } from '../icecast/address.ts';
import { openStream } from '../icecast/stream-client.ts';
import { PLAIN_USER_AGENT } from '../icecast/user-agent.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import type { SoundHandlers } from '../web/routes/hear.ts';

/** What a page of ours may play; a source client may call its stream what it likes, a page with scripts for one. */
const SOUND = /^(audio\/[a-z0-9.+-]+|application\/ogg)$/;

/**
 * Listens to a mount of the config as any player would, for somebody at the dashboard. By its User-Agent the other
 * agents know that it is no listener. Null for a mount that the station doesn't have there.
 */
export function listenIn(
  config: Config,
  clock: Clock,
  asked: { readonly station: StationName; readonly server: ServerName; readonly mount: Mount },
  handlers: SoundHandlers,
): Cancel | null {
  const station = config.stations.find(({ name }) => name === asked.station);
  const server = config.servers.find(({ name }) => name === asked.server);
  const address = server === undefined ? null : parseServerUrl(server.url, server.ca);
  const outputs = station?.serve.mode === 'relay' ? station.serve.outputs : [];
  const mounts = [...(station?.sources ?? []), ...outputs].map(({ mount }) => mount);
  if (address === null || !mounts.includes(asked.mount)) return null;
  const connection = openStream(
    clock,
    { server: address, mount: asked.mount, userAgent: PLAIN_USER_AGENT, icyMetadata: false },
    {
      opened({ contentType }) {
        const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
        if (SOUND.test(type)) return handlers.opened(type);
        connection.destroy();
        handlers.failed('the mount brings no sound that a browser may play');
      },
      bytes: (chunk) => handlers.bytes(chunk),
      failed: (_failure, detail) => handlers.failed(detail),
    },
  );
  return () => connection.destroy();
}
