import type { LegCondition } from '../domain/conditions.ts';
import type { PublicEar } from '../domain/failover.ts';
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
    handlers.ear(condition === undefined ? { is: 'starting' } : earOf(condition));
    const toMs = heardTo(condition, clock.nowMs());
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

/** Until when what is on air is known to be sound, or silence; null when nothing of it is known. */
function heardTo(condition: LegCondition | undefined, nowMs: number): number | null {
  if (condition?.is === 'audible') return condition.verifiedAtMs;
  if (condition?.is === 'faulty' && condition.fault === 'silent') return nowMs;
  return null;
}

function earOf(condition: LegCondition): PublicEar {
  switch (condition.is) {
    case 'audible':
      return { is: 'hearing' };
    case 'unknown':
      return { is: 'deaf' };
    case 'faulty':
      break;
  }
  switch (condition.fault) {
    case 'stalled':
      return { is: 'quiet' };
    case 'undecodable':
      return { is: 'undecodable' };
    case 'absent':
    case 'unresponsive':
      return { is: 'disconnected', detail: condition.detail };
    default:
      // Faults in the sound itself are the source switch's to cure: something is heard.
      return { is: 'hearing' };
  }
}
