import type { ServerName } from '../domain/ids.ts';
import type { RelayView } from '../relay/relay.ts';
import type { Station } from '../station.ts';

interface Server {
  countedToMs: number;
  deadMs: number;
}

/**
 * How long listeners of each server's public mount have heard no programme. In guard mode that is while the leg on air is
 * faulty, from the moment its sound went; in relay mode, on our own server, while the noise floor is played or a public
 * mount isn't fed. It grows late, as a fault is known only after its trip delay.
 */
export class DeadAir {
  readonly #station: Station;
  readonly #servers: Map<ServerName, Server>;
  #relayAtMs: number | null = null;

  constructor(station: Station, atMs: number) {
    this.#station = station;
    const { servers } = station.policy;
    this.#servers = new Map(servers.map((server) => [server, { countedToMs: atMs, deadMs: 0 }]));
  }

  get totals(): readonly { readonly server: ServerName; readonly deadAirMs: number }[] {
    return [...this.#servers].map(([server, { deadMs }]) => ({ server, deadAirMs: Math.round(deadMs) }));
  }

  /** Counts up to now; to be called every second or so. */
  count(relay: RelayView | null, nowMs: number): void {
    const { self, mode } = this.#station.policy;
    for (const [name, server] of this.#servers) {
      if (mode === 'guard') this.#countGuarded(name, server, nowMs);
      else if (name === self && relay !== null) this.#countRelayed(server, relay, nowMs);
    }
  }

  #countGuarded(name: ServerName, server: Server, nowMs: number): void {
    const { desks, legs } = this.#station.state;
    const onAir = desks.get(name)?.onAir ?? null;
    const leg = [...legs.values()].find((one) => one.leg.server === name && one.leg.source === onAir);
    // While nothing is known nothing is counted, and what was counted isn't counted again.
    if (leg === undefined || leg.condition.is !== 'faulty') {
      if (leg?.condition.is === 'audible') server.countedToMs = Math.min(nowMs, leg.condition.verifiedAtMs);
      return;
    }
    const fromMs = Math.max(server.countedToMs, leg.condition.sinceMs);
    server.deadMs += Math.max(0, nowMs - fromMs);
    server.countedToMs = nowMs;
  }

  #countRelayed(server: Server, relay: RelayView, nowMs: number): void {
    const isDead =
      relay.playing === 'noise-floor' ||
      (relay.playing !== 'nothing' && relay.outputs.some(({ state }) => state.is !== 'feeding'));
    if (isDead && this.#relayAtMs !== null) server.deadMs += nowMs - this.#relayAtMs;
    this.#relayAtMs = nowMs;
  }
}
