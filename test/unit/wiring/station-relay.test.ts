import { afterEach, describe, expect, it, vi } from 'vitest';
import { AUTODJ, DUBLIN, LONDON, PRIMARY } from '../decide/builders.ts';
import { type Carried, noise, relayHouse } from './relay-house.ts';

/** Searches go on beside the event loop: the time of these tests waits for them, however long they take. */
const searches = vi.hoisted(() => ({ last: Promise.resolve() as Promise<unknown>, areOff: false }));
vi.mock('../../../src/audio/splice.ts', async (original) => {
  const splice = await original<typeof import('../../../src/audio/splice.ts')>();
  const correlate: typeof splice.correlate = (needle, haystack) => {
    const found = searches.areOff ? Promise.resolve(null) : splice.correlate(needle, haystack);
    searches.last = found.catch(() => null);
    return found;
  };
  return { ...splice, correlate };
});
const settle = () => searches.last;

const studio = noise(60, 1);
const jukebox = noise(60, 9);
const always = (): 'programme' => 'programme';

afterEach(() => {
  searches.areOff = false;
});

describe('an encoder that fails time and again', () => {
  /** 40 s of sound and 10 s of silence, for ten minutes, from one encoder on every server. */
  const flapping = (nowMs: number) =>
    nowMs > 41_000 && (nowMs - 41_000) % 50_000 < 10_000 ? 'silence' : 'programme';

  it('is gone back to twice at the most within ten minutes, though it has a leg on two servers', async () => {
    // How the legs lie to each other takes most of the time, and is no matter here.
    searches.areOff = true;
    const carried: Carried[] = [LONDON, DUBLIN].flatMap((on) => [
      { of: PRIMARY, on, programme: studio, sends: flapping },
      { of: AUTODJ, on, programme: jukebox, sends: always },
    ]);
    const { relay, switches, pass } = relayHouse(carried, settle);
    await pass(640);
    const returns = switches.filter(({ trigger }) => trigger === 'return');
    expect(returns.length).toBeGreaterThan(0);
    expect(returns.length).toBeLessThanOrEqual(2);
    await relay.stop();
  }, 400_000);
});
