import { earOnAir, heardTo } from '../decide/failover/on-air.ts';
import { isInForce } from '../decide/planned-silence.ts';
import type { ServerName } from '../domain/ids.ts';
import type { Clock } from '../platform/clock.ts';
import type { Station } from '../station.ts';
import type { EarHandlers, EarOnAir } from './public-ear.ts';

const LOOK_EVERY_MS = 200;

/**
 * In guard mode: listeners are on the leg that is on air, wherever they connected, and that leg is heard and proven
 * already. A connection of our own to the first mount would be carried about with them, or be alone on it.
 */
export function startGuardedEar(
  station: Station,
  server: ServerName,
  clock: Clock,
  handlers: EarHandlers,
): EarOnAir {
  let heardToMs = clock.nowMs();
  const look = () => {
    const desk = station.state.desks.get(server);
    const leg = [...station.state.legs.values()].find(
      (one) => one.leg.server === server && one.leg.source === desk?.onAir,
    );
    const condition = leg?.condition;
    handlers.ear(condition === undefined ? { is: 'starting' } : earOnAir(condition));
    const nowMs = clock.nowMs();
    const isWanted = condition?.is === 'audible' && isInForce(station.state.silence, nowMs);
    const toMs = isWanted ? nowMs : heardTo(condition, nowMs);
    if (toMs === null || toMs <= heardToMs) return;
    const durationMs = toMs - heardToMs;
    heardToMs = toMs;
    handlers.heard({ atMs: toMs, durationMs, audibleMs: condition?.is === 'audible' ? durationMs : 0 });
  };
  const cancel = clock.every(LOOK_EVERY_MS, look);
  return {
    stop() {
      cancel();
      return Promise.resolve();
    },
  };
}
