import { describe, expect, it } from 'vitest';
import { planFaults, usualCauses, YEAR_MS } from '../../../src/simulate/faults.ts';
import { DUBLIN, LONDON, seeded } from '../../../src/simulate/station.ts';

const causes = usualCauses([LONDON, DUBLIN]);

describe('planned faults', () => {
  const planned = planFaults(causes, 400, seeded(1));

  it.each(causes.map((cause) => [cause.id, cause] as const))(
    'of %s come at their rate and last as long as they should',
    (_, cause) => {
      const own = planned.filter((one) => one.cause === cause);
      const expected = cause.perYear * cause.faults.length * 400;
      expect(Math.abs(own.length - expected)).toBeLessThan(5 * Math.sqrt(expected));
      const lengths = own.map(({ fromMs, toMs }) => toMs - fromMs).sort((a, b) => a - b);
      const median = lengths[Math.floor(lengths.length / 2)] ?? 0;
      // Faults begin and end at some phases of every 5 s only.
      expect(median).toBeGreaterThan(cause.medianMs * 0.75 - 5_000);
      expect(median).toBeLessThan(cause.medianMs * 1.33 + 5_000);
      const long = lengths[Math.floor(lengths.length * 0.95)] ?? 0;
      expect(long).toBeGreaterThan(cause.longMs * 0.5 - 5_000);
      expect(long).toBeLessThan(cause.longMs * 2 + 5_000);
    },
  );

  it('stand in the order of their beginnings, within their years, and end after they began', () => {
    for (const [index, one] of planned.entries()) {
      expect(one.fromMs).toBeGreaterThanOrEqual(planned[index - 1]?.fromMs ?? 0);
      expect(one.toMs).toBeGreaterThan(one.fromMs);
      expect(one.fromMs).toBeLessThan(400 * YEAR_MS + 5_000);
    }
  });

  it('are the same for the same seed, and others for another', () => {
    const times = (seed: number) => planFaults(causes, 3, seeded(seed)).map(({ fromMs }) => fromMs);
    expect(times(5)).toEqual(times(5));
    expect(times(5)).not.toEqual(times(6));
  });
});
