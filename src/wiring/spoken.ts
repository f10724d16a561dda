import type { ServerLook } from '../domain/icecast.ts';
import type { ServerName } from '../domain/ids.ts';
import type { OnAir } from '../icecast/user-agent.ts';
import type { Station } from '../station.ts';
import type { Running } from './running.ts';

/** A presence is renewed every 5 s; what an older one said is no word of now. */
const FRESH_SECONDS = 12;

/** What this agent has on air beside it, as it tells the others. */
export function spokenOnAir(stations: readonly Station[]): OnAir {
  return new Map(
    stations.flatMap(({ policy, state }) => {
      const onAir = state.desks.get(policy.self)?.onAir ?? null;
      return onAir === null ? [] : [[policy.station, onAir] as const];
    }),
  );
}

/** Notes what the agent beside a server says that it has on air; nobody else can know in relay mode, or what was forced there. */
export function hearSpoken(
  all: readonly Pick<Running, 'station' | 'note'>[],
  server: ServerName,
  look: ServerLook,
): void {
  if (!look.ok) return;
  const presence = look.presences.find(
    ({ agent, connectedSeconds }) => agent === server && connectedSeconds <= FRESH_SECONDS,
  );
  for (const { station, note } of all) {
    const { policy, spoken } = station;
    const source = presence?.onAir?.get(policy.station);
    if (source === undefined || !policy.sources.includes(source)) spoken.delete(server);
    else spoken.set(server, source);
    if (server !== policy.self) noteChange(station, server, look.atMs, note);
  }
}

/** What this agent does itself there, as a deputy, is an event of its own. */
function noteChange(
  { state, spoken, lastKnown }: Station,
  server: ServerName,
  atMs: number,
  note: Running['note'],
): void {
  const acts = state.servers.get(server)?.role !== 'watching';
  const to = acts ? state.desks.get(server)?.onAir : spoken.get(server);
  if (to == null) return;
  const from = lastKnown.get(server);
  lastKnown.set(server, to);
  if (!acts && from !== undefined && from !== to) note({ kind: 'heard-on-air', atMs, server, from, to });
}
