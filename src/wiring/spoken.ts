import type { ServerLook } from '../domain/icecast.ts';
import type { ServerName } from '../domain/ids.ts';
import type { OnAir } from '../icecast/user-agent.ts';
import type { Station } from '../station.ts';

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

/** Notes what the agent beside a server says that it has on air; in relay mode nobody else can know. */
export function hearSpoken(stations: readonly Station[], server: ServerName, look: ServerLook): void {
  if (!look.ok) return;
  const presence = look.presences.find(
    ({ agent, connectedSeconds }) => agent === server && connectedSeconds <= FRESH_SECONDS,
  );
  for (const { policy, spoken } of stations) {
    const source = presence?.onAir?.get(policy.station);
    if (source === undefined || !policy.sources.includes(source)) spoken.delete(server);
    else spoken.set(server, source);
  }
}
