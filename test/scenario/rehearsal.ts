import type { FailoverPolicy } from '../../src/domain/failover.ts';
import type { ServerName } from '../../src/domain/ids.ts';
import type { StationPolicy } from '../../src/domain/policy.ts';
import type { WorldFault } from '../../src/simulate/faults.ts';
import { outagesOf, sceneOf } from '../../src/simulate/players.ts';
import { DUBLIN, LONDON, SERVERS, seeded } from '../../src/simulate/station.ts';
import { StationWorld } from '../../src/simulate/station-world.ts';

const STEP_MS = 100;
/** As the demo's house has it: see `src/demo/house.ts` and the encoder of its rig. */
const HOUSE_SILENCE = { thresholdDbfs: -50, tripMs: 5_000, restoreMs: 10_000, soundMs: 1_000 };
const HOUSE_NAME: Partial<FailoverPolicy> = {
  restoreMs: 10_000,
  endListenersAfterMs: 5_000,
  flap: { holdDownMs: 10_000, holdDownMaxMs: 3_600_000, halfLifeMs: 900_000 },
};
const TTL_MS = 5_000;
/** The tour breaks things 4 s after its listeners hear something. */
const TUNED_IN_AGO_MS = 4_100;
const ENCODER_RECONNECT_MS = 1_000;

export interface HousePolicy {
  readonly mode?: StationPolicy['mode'];
  readonly holdDownMs: number;
  readonly holdDownMaxMs: number;
}

/** How a listener of the rig behaves. */
export interface RigListener {
  readonly home: ServerName;
  readonly reconnectMs: number;
  readonly readTimeoutMs: number;
  /** It goes where the name points each time it connects, and not to the same server for ever. */
  readonly byName?: boolean;
}

/** The demo's house as a simulated world, to be broken as the tour breaks the real one. */
export class Rehearsal {
  readonly world: StationWorld;

  /** `phaseMs`: how long after it has settled it begins, as what recurs may be anywhere. */
  constructor({ mode = 'guard', holdDownMs, holdDownMaxMs }: HousePolicy, phaseMs: number) {
    this.world = new StationWorld({
      keeper: { is: 'sustain' },
      station: {
        mode,
        silence: HOUSE_SILENCE,
        dwellMs: 5_000,
        flap: { holdDownMs, holdDownMaxMs, halfLifeMs: 900_000 },
      },
      failover: HOUSE_NAME,
      relayDelayMs: 8_000,
      encoderReconnectMs: ENCODER_RECONNECT_MS,
      skips: false,
    });
    this.wait(60_000 + phaseMs);
  }

  get nowMs(): number {
    return this.world.atMs;
  }

  wait(ms: number): void {
    this.world.runTo(this.nowMs + Math.round(ms / STEP_MS) * STEP_MS);
  }

  /** Begins a fault; what it returns ends it. */
  breaks(fault: WorldFault): () => void {
    this.world.begin(fault);
    return () => this.world.end(fault);
  }

  mute(source: 'primary' | 'secondary'): () => void {
    return this.breaks({ what: 'source', source, is: 'silent', on: 'all' });
  }

  /** From now until it is so, in ms. */
  until(isSo: () => boolean, timeoutMs = 200_000): number {
    const fromMs = this.nowMs;
    while (!isSo()) {
      if (this.nowMs - fromMs > timeoutMs) return Number.POSITIVE_INFINITY;
      this.wait(STEP_MS);
    }
    return this.nowMs - fromMs;
  }

  airs(source: string, server: ServerName = LONDON, by: ServerName = server): number {
    return this.until(() => this.onAir(server, by) === source);
  }

  /** In relay mode: until what was decided has gone out. */
  hears(source: string, server: ServerName = LONDON): number {
    return this.until(() => this.world.output(server).source === source);
  }

  onAir(server: ServerName, by: ServerName = server): string | null {
    return this.world.agents.get(by)?.state.desks.get(server)?.onAir ?? null;
  }

  role(server: ServerName, by: ServerName): string | undefined {
    return this.world.agents.get(by)?.state.servers.get(server)?.role;
  }

  /** The rig asks the name server five times a second, and so learns of a move 100 ms late on average. */
  names(server: ServerName): number {
    return this.until(() => this.world.name === server) + 100;
  }

  /** Dead air of a listener who has listened since `fromMs`, until now. */
  deadAirMs(fromMs: number, { home, reconnectMs, readTimeoutMs, byName = false }: RigListener): number {
    const scene = sceneOf(
      this.world.changes.filter(({ atMs }) => atMs >= fromMs),
      fromMs,
      this.nowMs,
      SERVERS,
      home,
    );
    const model = {
      ttlMs: TTL_MS,
      clampedShare: 0,
      clampMs: 0,
      stickyShare: 0,
      sessionMs: Number.POSITIVE_INFINITY,
      bufferMs: 4_000,
      readTimeoutMs,
      reconnectMs,
    };
    const outages = outagesOf(
      scene,
      { ttlMs: TTL_MS, isSticky: !byName, askedAgoMs: TUNED_IN_AGO_MS },
      model,
      seeded(1),
    );
    return outages.reduce((sum, outage) => sum + outage.toMs - outage.fromMs, 0);
  }
}

export const STAYS: Omit<RigListener, 'home'> = {
  reconnectMs: Number.POSITIVE_INFINITY,
  readTimeoutMs: Number.POSITIVE_INFINITY,
};
export const COMES_BACK: RigListener = {
  home: LONDON,
  reconnectMs: 500,
  readTimeoutMs: Number.POSITIVE_INFINITY,
};
export const BY_NAME: RigListener = { home: LONDON, reconnectMs: 500, readTimeoutMs: 5_000, byName: true };
export const BOTH = [LONDON, DUBLIN] as const;
