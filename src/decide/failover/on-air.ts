import type { LegCondition } from '../../domain/conditions.ts';
import type { PublicEar } from '../../domain/failover.ts';

/** Until when what is on air is known to be sound, or silence; null when nothing of it is known. */
export function heardTo(condition: LegCondition | undefined, nowMs: number): number | null {
  if (condition?.is === 'audible') return condition.verifiedAtMs;
  if (condition?.is === 'faulty' && condition.fault === 'silent') return nowMs;
  return null;
}

/** In guard mode listeners are on the leg that is on air: what is known of it is what they hear. */
export function earOnAir(condition: LegCondition): PublicEar {
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
