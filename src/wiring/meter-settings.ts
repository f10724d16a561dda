import type { MeterSettings } from '../audio/meter.ts';
import type { StationPolicy } from '../domain/policy.ts';

/** What a station's policy means to a meter. */
export function meterSettingsOf({ silence, programme }: StationPolicy): MeterSettings {
  const { thresholdDbfs, warnDbfs, tripMs, soundMs } = silence;
  return {
    thresholdDbfs,
    preset: programme.preset,
    ...(warnDbfs === undefined ? {} : { warn: { floorDbfs: warnDbfs, afterMs: tripMs, soundMs } }),
    ...(programme.targetLufs === undefined ? {} : { targetLufs: programme.targetLufs }),
  };
}
