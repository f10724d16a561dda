/**
 * Names with a type of their own, so that a server's name can't be passed where a mount is meant.
 * The constructors check nothing: text from people is checked once, in `config/`.
 */
declare const brand: unique symbol;
type Named<Kind extends string> = string & { readonly [brand]: Kind };

/** One Icecast, by the key it has in the config (`london`). The agent beside it carries the same name. */
export type ServerName = Named<'ServerName'>;
/** One station, by the key it has in the config (`myfm`). */
export type StationName = Named<'StationName'>;
/** A programme feed in priority order (`primary`, `secondary`, `autodj`). */
export type SourceName = Named<'SourceName'>;
/** A mount with its leading slash (`/primary`). */
export type Mount = Named<'Mount'>;
/** The random token in one monitor connection's User-Agent, by which `listclients` proves where it sits. */
export type MonitorId = Named<'MonitorId'>;
/** One source on one server: `myfm/primary@london`. */
export type LegId = Named<'LegId'>;

export const serverName = (text: string): ServerName => text as ServerName;
export const stationName = (text: string): StationName => text as StationName;
export const sourceName = (text: string): SourceName => text as SourceName;
export const mount = (text: string): Mount => text as Mount;
/** Where the listeners of a public mount are carried when its agent is gone: a relay on the server itself. */
export const safeMountOf = (output: string): string => `${output}-safe`;
export const monitorId = (text: string): MonitorId => text as MonitorId;

/** A source on a server, with the mount on which listeners find it. */
export interface Leg {
  readonly id: LegId;
  readonly station: StationName;
  readonly source: SourceName;
  readonly server: ServerName;
  readonly mount: Mount;
}

export function makeLeg(station: StationName, source: SourceName, server: ServerName, at: Mount): Leg {
  return { id: `${station}/${source}@${server}` as LegId, station, source, server, mount: at };
}
