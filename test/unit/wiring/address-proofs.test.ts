import { describe, expect, test } from 'vitest';
import type { ServerAddress } from '../../../src/icecast/address.ts';
import { LONDON } from '../../../src/simulate/station.ts';
import { AddressProofs } from '../../../src/wiring/address-proofs.ts';
import { ManualClock } from '../icecast/manual-clock.ts';

const FIRST = '203.0.113.10';
const SECOND = '2001:db8::10';
const AT: ServerAddress = { host: SECOND, port: 8000, tls: false };

/** A server with two addresses, of which the second is heard or not as is set, after so long. */
function london() {
  const clock = new ManualClock();
  const world = { isHeard: true, tries: 0, answerMs: 0 };
  const proofs = new AddressProofs({
    clock,
    published: new Map([[LONDON, [FIRST, SECOND]]]),
    others: new Map([[LONDON, new Map([[SECOND, AT]])]]),
    provenForMs: 5_000,
    isHeardAt: () => {
      world.tries += 1;
      const { isHeard, answerMs } = world;
      if (answerMs === 0) return Promise.resolve(isHeard);
      return new Promise((resolve) => clock.after(answerMs, () => resolve(isHeard)));
    },
  });
  return { clock, world, proofs };
}

describe('the second address of a server', () => {
  test('is tried, and published with the first when it is heard', async () => {
    const { clock, world, proofs } = london();
    expect(await proofs.publishable(LONDON)).toEqual([FIRST, SECOND]);
    expect(world.tries).toBe(1);
    expect(proofs.provenUntilMs(LONDON, [FIRST, SECOND])).toBe(clock.nowMs() + 5_000);
  });

  test('is left out when nothing is heard there, and not waited for again until it was', async () => {
    const { world, proofs } = london();
    world.isHeard = false;
    expect(await proofs.publishable(LONDON)).toEqual([FIRST]);
    expect(await proofs.publishable(LONDON)).toEqual([FIRST]);
    expect(world.tries).toBe(1);
    world.isHeard = true;
    await proofs.try(LONDON);
    expect(await proofs.publishable(LONDON)).toEqual([FIRST, SECOND]);
  });

  test('is proven for 5 s and no longer, and keeps no other from being published', async () => {
    const { clock, world, proofs } = london();
    await proofs.try(LONDON);
    clock.advance(5_001);
    expect(proofs.provenUntilMs(LONDON, [FIRST, SECOND])).toBeLessThan(clock.nowMs());
    expect(proofs.provenUntilMs(LONDON, [FIRST])).toBe(Number.POSITIVE_INFINITY);
    world.isHeard = false;
    expect(await proofs.publishable(LONDON)).toEqual([FIRST]);
  });

  test('is tried once at a time, however often that is asked for', async () => {
    const { clock, world, proofs } = london();
    world.answerMs = 1_000;
    const tries = [proofs.try(LONDON), proofs.try(LONDON), proofs.publishable(LONDON)];
    clock.advance(1_000);
    await Promise.all(tries);
    expect(world.tries).toBe(1);
  });
});
