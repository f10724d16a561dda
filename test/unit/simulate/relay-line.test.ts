import { describe, expect, it } from 'vitest';
import type { WorldFault } from '../../../src/simulate/faults.ts';
import { LONDON } from '../../../src/simulate/station.ts';
import { StationWorld } from '../../../src/simulate/station-world.ts';

const DELAY_MS = 8_000;

const STALL: WorldFault = { what: 'source', source: 'primary', is: 'stalled', on: 'all' };
const SILENCE: WorldFault = { what: 'source', source: 'primary', is: 'silent', on: 'all' };
/** No copy that could be gone to. */
const NO_SECOND: WorldFault = { what: 'source', source: 'secondary', is: 'gone', on: 'all' };

function relayWorld(skips = false): StationWorld {
  const world = new StationWorld({
    keeper: { is: 'sustain' },
    station: { mode: 'relay', dwellMs: 5_000 },
    failover: {},
    relayDelayMs: DELAY_MS,
    encoderReconnectMs: 1_000,
    skips,
  });
  world.begin(NO_SECOND);
  world.runTo(60_000);
  return world;
}

function lasting(world: StationWorld, fault: WorldFault, ms: number): void {
  world.begin(fault);
  world.runTo(world.atMs + ms);
  world.end(fault);
}

/** What a listener of London heard since `fromMs`, one after the other, and whoever was switched. */
function heardSince(world: StationWorld, fromMs: number) {
  const since = world.changes.filter(({ atMs }) => atMs > fromMs);
  return {
    outputs: since.flatMap((change) =>
      change.what === 'output' && change.server === LONDON
        ? [{ afterMs: change.atMs - fromMs, is: change.output.is, source: change.output.source }]
        : [],
    ),
    switches: since.filter((change) => change.what === 'switched' && change.server === LONDON).length,
  };
}

describe('the simulated relay and an encoder that stalls', () => {
  it('plays on from the delay line, and stays where it is when the encoder goes on before that ends', () => {
    const world = relayWorld();
    const fromMs = world.atMs;
    lasting(world, STALL, 6_000);
    world.runTo(fromMs + 60_000);
    expect(heardSince(world, fromMs)).toEqual({ outputs: [], switches: 0 });
  });

  it('leaves for the AutoDJ when what is in hand ends, and not before', () => {
    const world = relayWorld();
    const fromMs = world.atMs;
    lasting(world, STALL, 10_000);
    const { outputs, switches } = heardSince(world, fromMs);
    expect(switches).toBe(1);
    expect(outputs.map(({ is, source }) => [is, source])).toEqual([['sound', 'autodj']]);
    expect(outputs[0]?.afterMs).toBeGreaterThan(DELAY_MS - 300);
    expect(outputs[0]?.afterMs).toBeLessThanOrEqual(DELAY_MS);
  });

  it('has less in hand after a stall, until the tempo has made up for it', () => {
    for (const [laterMs, afterMs] of [
      [30_000, 2_100],
      [3_600_000, DELAY_MS],
    ] as const) {
      const world = relayWorld(true);
      lasting(world, STALL, 6_000);
      world.runTo(world.atMs + laterMs);
      const fromMs = world.atMs;
      lasting(world, STALL, 10_000);
      const first = heardSince(world, fromMs).outputs[0];
      expect(first).toMatchObject({ is: 'sound', source: 'autodj' });
      expect(Math.abs((first?.afterMs ?? 0) - afterMs)).toBeLessThanOrEqual(300);
    }
  });

  it('lets silence be heard as long as it takes to be found, right after a stall that used the delay up', () => {
    const world = relayWorld();
    lasting(world, STALL, 6_000);
    world.runTo(world.atMs + 30_000);
    const fromMs = world.atMs;
    lasting(world, SILENCE, 20_000);
    const { outputs } = heardSince(world, fromMs);
    expect(outputs.map(({ is, source }) => [is, source])).toEqual([
      ['silent', null],
      ['sound', 'autodj'],
    ]);
    const [quiet, back] = outputs;
    expect((back?.afterMs ?? 0) - (quiet?.afterMs ?? 0)).toBeGreaterThan(2_500);
    expect((back?.afterMs ?? 0) - (quiet?.afterMs ?? 0)).toBeLessThan(4_500);
  });
});
