import type { StationName } from '../../domain/ids.ts';
import type { DescribedRoutes } from '../described.ts';
import { m3u, type PlaylistEntry, pls } from '../playlist.ts';
import { failure, playlistParams } from '../schemas.ts';

export interface ListenSource {
  /** Where a station is heard now, the best first; null when there is no such station. */
  playlist(station: StationName): readonly PlaylistEntry[] | null;
}

const KINDS = {
  m3u: { type: 'audio/x-mpegurl; charset=utf-8', write: m3u },
  pls: { type: 'audio/x-scpls; charset=utf-8', write: pls },
} as const;

/** Playlists for players that read lists: open, as the stream itself is. */
export function addListenRoutes(routes: DescribedRoutes, source: ListenSource): void {
  routes.add(
    {
      method: 'GET',
      url: '/listen/:file',
      summary: 'The station as a playlist: /listen/myfm.m3u or /listen/myfm.pls',
      right: null,
      params: playlistParams,
      answers: { 200: 'audio/x-mpegurl', 404: failure },
    },
    async (request, reply) => {
      const { file } = request.params as { file: string };
      const [, station = '', kind = ''] = /^(.+)\.(m3u|pls)$/.exec(file) ?? [];
      const entries = source.playlist(station as StationName);
      if (entries === null || (kind !== 'm3u' && kind !== 'pls'))
        return reply.code(404).send({ error: `there is no playlist ${file}` });
      const { type, write } = KINDS[kind];
      // Players of other sites may fetch it too.
      return reply
        .headers({ 'content-type': type, 'cross-origin-resource-policy': 'cross-origin' })
        .send(write(entries));
    },
  );
}
