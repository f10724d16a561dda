import { describe, expect, test } from 'vitest';
import { type FailoverState, newFailover, noFailoverMemory } from '../../../src/decide/failover/state.ts';
import { failoverStep } from '../../../src/decide/failover/step.ts';
import { DUBLIN, FAILOVER_DEFAULTS, LONDON } from '../../../src/simulate/station.ts';
import { heardFrom, observationFrom, parseObservation } from '../../../src/wiring/observation.ts';

const POLICY = { ...FAILOVER_DEFAULTS, mode: 'cluster' as const };

function heldAt(atMs: number): FailoverState {
  const state = newFailover(POLICY, noFailoverMemory, 0);
  const request = { do: 'hold' as const, author: 'ann', forMs: 60_000 };
  return failoverStep(state, { kind: 'operator', atMs, unixMs: atMs, request }, POLICY).state;
}

describe('what agents tell each other', () => {
  test('comes out on the other clock as it was meant', () => {
    const wire = parseObservation(JSON.parse(JSON.stringify(observationFrom(heldAt(1_000), 21_000))));
    if (wire === null) throw new Error('it was not understood');
    const heard = heardFrom('london', wire, 500_000);
    expect(heard.servers.get(LONDON)).toEqual({ is: 'unknown', verifiedAgoMs: null });
    expect(heard.servers.size).toBe(2);
    expect(heard.order).toEqual({
      version: 1,
      by: LONDON,
      hold: { author: 'ann', server: null, override: false, untilMs: 540_000 },
    });
  });

  test('has no order in it before an operator gave one', () => {
    const state = newFailover(POLICY, noFailoverMemory, 0);
    expect(heardFrom('london', observationFrom(state, 0), 0).order).toBeNull();
  });

  test.each([
    ['nothing', null],
    [
      'words that are none',
      { servers: { london: { is: 'fine', verifiedAgoMs: 0 } }, order: null, reachesDns: true },
    ],
    [
      'a time before now',
      { servers: { london: { is: 'well', verifiedAgoMs: -1 } }, order: null, reachesDns: true },
    ],
    [
      'a version that is no number',
      { servers: {}, order: { version: 'x', by: 'london', hold: null }, reachesDns: true },
    ],
    [
      'a hold without an end',
      {
        servers: {},
        order: { version: 1, by: 'london', hold: { author: 'a', server: null, override: false } },
        reachesDns: true,
      },
    ],
  ])('is not believed when it is %s', (_what, wire) => {
    expect(parseObservation(wire)).toBeNull();
  });
});

describe("an operator's order", () => {
  const observed = (state: FailoverState, atMs: number) => ({
    kind: 'observation' as const,
    atMs,
    observation: heardFrom('london', observationFrom(state, atMs), atMs),
  });

  test('goes for the agent that hears of it, until it is released at any of them', () => {
    const dublin = { ...POLICY, self: DUBLIN };
    let state = newFailover(dublin, noFailoverMemory, 0);
    const first = failoverStep(state, observed(heldAt(1_000), 2_000), dublin);
    expect(first.state.hold).toMatchObject({ author: 'ann', untilMs: 61_000 });
    expect(first.events).toContainEqual(
      expect.objectContaining({ kind: 'dns-hold-changed', detail: 'held at london', author: 'ann' }),
    );
    // Heard again, it changes nothing.
    expect(failoverStep(first.state, observed(heldAt(1_000), 3_000), dublin).events).toEqual([]);
    const release = { do: 'release' as const, author: 'bob' };
    state = failoverStep(
      first.state,
      { kind: 'operator', atMs: 4_000, unixMs: 4_000, request: release },
      dublin,
    ).state;
    // The other agent's older word does not bring it back.
    expect(failoverStep(state, observed(heldAt(1_000), 5_000), dublin).state.hold).toBeNull();
    const back = heardFrom('dublin', observationFrom(state, 5_000), 5_000);
    const atLondon = failoverStep(
      heldAt(1_000),
      { kind: 'observation', atMs: 5_000, observation: back },
      POLICY,
    );
    expect(atLondon.state.hold).toBeNull();
  });
});
