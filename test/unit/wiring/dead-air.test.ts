import { describe, expect, test } from 'vitest';
import { noMemory, type StationState } from '../../../src/decide/state.ts';
import type { LegCondition } from '../../../src/domain/conditions.ts';
import type { RelayView } from '../../../src/relay/relay.ts';
import { Station } from '../../../src/station.ts';
import { DeadAir } from '../../../src/wiring/dead-air.ts';
import { audible, DUBLIN, faulty, LONDON, PRIMARY, policyWith, unknown } from '../decide/builders.ts';

/** A station of which only the first leg's condition and what is on air matter. */
function stationWith(mode: 'guard' | 'relay' = 'guard') {
  const policy = policyWith({ mode });
  const station = new Station(policy, noMemory, 0, { event: () => {}, command: () => {} });
  let condition: LegCondition = audible(0, 0);
  const state = (): StationState => {
    const legs = new Map(station.state.legs);
    const leg = policy.legs[0];
    const known = leg === undefined ? undefined : legs.get(leg.id);
    if (known !== undefined) legs.set(known.leg.id, { ...known, condition });
    const desks = new Map(station.state.desks);
    const desk = desks.get(LONDON);
    if (desk !== undefined) desks.set(LONDON, { ...desk, onAir: PRIMARY });
    return { ...station.state, legs, desks };
  };
  const view = new Proxy(station, {
    get: (target, key) => (key === 'state' ? state() : Reflect.get(target, key, target)),
  });
  const deadAir = new DeadAir(view, 0);
  return {
    at(nowMs: number, now: LegCondition, relay: RelayView | null = null) {
      condition = now;
      deadAir.count(relay, nowMs);
    },
    of: (server = LONDON) => deadAir.totals.find((one) => one.server === server)?.deadAirMs,
  };
}

describe('dead air in guard mode', () => {
  test('is counted from the moment the sound went, once it is known', () => {
    const { at, of } = stationWith();
    at(1000, audible(0, 900));
    at(2000, audible(0, 1500));
    at(6500, faulty(1500));
    expect(of()).toBe(5000);
    at(7500, faulty(1500));
    expect(of()).toBe(6000);
  });

  test('ends with the sound, and quiet that was no fault is none', () => {
    const { at, of } = stationWith();
    at(1000, faulty(500));
    at(2000, audible(1800, 1900));
    at(5000, audible(1800, 2000));
    at(6000, audible(1800, 5900));
    expect(of()).toBe(500);
  });

  test('is not counted while nothing is known, nor for a server that goes on', () => {
    const { at, of } = stationWith();
    at(1000, unknown());
    at(9000, unknown());
    expect([of(), of(DUBLIN)]).toEqual([0, 0]);
  });
});

describe('dead air in relay mode', () => {
  const relay = (change: Partial<RelayView>): RelayView => ({
    onAir: null,
    playing: 'leg',
    latencyMs: null,
    wantedLatencyMs: 8000,
    rate: 1,
    legs: [],
    outputs: [],
    heldBytes: 0,
    dryMs: 0,
    ...change,
  });

  test('is the time in which only the noise floor is played, whatever the legs are', () => {
    const { at, of } = stationWith('relay');
    at(1000, faulty(0), relay({ onAir: null, playing: 'nothing' }));
    at(2000, faulty(0), relay({ playing: 'noise-floor' }));
    at(3000, faulty(0), relay({ playing: 'noise-floor' }));
    expect(of()).toBe(2000);
  });
});
