import type { FlapPolicy } from '../domain/policy.ts';

/**
 * How often a source failed while it was on air, fading with a half-life, as BGP damps routes (RFC 2439).
 * One failure costs nothing beyond the restore delay; each further one doubles the hold-down.
 */
export interface Flap {
  readonly level: number;
  readonly atMs: number;
}

export const steady: Flap = { level: 0, atMs: 0 };

export function failedAgain(flap: Flap, atMs: number, policy: FlapPolicy): Flap {
  const { holdDownMs, holdDownMaxMs } = policy;
  const maxLevel = 2 + (holdDownMs === 0 ? 0 : Math.log2(holdDownMaxMs / holdDownMs));
  return { level: Math.min(maxLevel, levelAt(flap, atMs, policy) + 1), atMs };
}

/** What is added to the restore delay now, in ms. */
export function holdDownAt(flap: Flap, atMs: number, policy: FlapPolicy): number {
  const failures = Math.round(levelAt(flap, atMs, policy));
  if (failures <= 1) return 0;
  return Math.min(policy.holdDownMaxMs, policy.holdDownMs * 2 ** (failures - 2));
}

function levelAt(flap: Flap, atMs: number, policy: FlapPolicy): number {
  return flap.level * 2 ** (-(atMs - flap.atMs) / policy.halfLifeMs);
}
