import fc from 'fast-check';
import type { Core } from '../../src/simulate/guard-agent.ts';
import { SERVERS } from '../../src/simulate/station.ts';
import { type Fault, Simulation, type Timed, type Violation } from './simulation.ts';

/** How long faults go on, and how long the world is left alone after them. */
export const FAULTS_MS = 180_000;
export const HEAL_MS = 420_000;

const source = fc.constantFrom('primary', 'secondary', 'autodj');
const server = fc.constantFrom(...SERVERS);
const on = fc.constantFrom('both' as const, ...SERVERS);

const anyFault: fc.Arbitrary<Fault> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('mute' as const, 'unmute' as const), source, on }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('kill' as const, 'revive' as const), source, on }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('tone' as const, 'programme' as const), source, on }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('stall' as const, 'unstall' as const), source, on }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('server' as const),
      server,
      state: fc.constantFrom('up' as const, 'frozen' as const, 'down' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('agent' as const),
      agent: server,
      state: fc.constantFrom('killed' as const, 'started' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('deafen' as const, 'cure' as const), agent: server }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('password' as const), agent: server, wrong: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('arrive' as const),
      server,
      listeners: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('hold' as const),
      server,
      of: server,
      forMs: fc.integer({ min: 1000, max: 60_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('force' as const),
      server,
      of: server,
      source,
      forMs: fc.integer({ min: 1000, max: 60_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), server, of: server }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('override' as const), server, on: fc.boolean() }) },
);

/** Up to fourteen faults at any time of the first three minutes. */
export const anyFaults: fc.Arbitrary<Timed[]> = fc.array(
  fc.record({
    atMs: fc.integer({ min: 100, max: FAULTS_MS / 100 }).map((step) => step * 100),
    fault: anyFault,
  }),
  { maxLength: 14 },
);

/** Everything is repaired: what follows has to end with everybody on the first source. */
const repairs: readonly Fault[] = [
  ...SERVERS.map((name): Fault => ({ do: 'server', server: name, state: 'up' })),
  ...['primary', 'secondary', 'autodj'].flatMap((name): Fault[] => [
    { do: 'unstall', source: name, on: 'both' },
    { do: 'unmute', source: name, on: 'both' },
    { do: 'programme', source: name, on: 'both' },
    { do: 'revive', source: name, on: 'both' },
  ]),
  ...SERVERS.flatMap((name): Fault[] => [
    { do: 'cure', agent: name },
    { do: 'password', agent: name, wrong: false },
    { do: 'agent', agent: name, state: 'started' },
  ]),
];

/** Runs the faults, repairs everything, and lists every promise that was broken on the way or at the end. */
export function brokenPromises(core: Core, seed: number, faults: readonly Timed[]): Violation[] {
  const simulation = new Simulation(core, seed).run(FAULTS_MS, faults);
  for (const fault of repairs) simulation.apply(fault);
  simulation.run(FAULTS_MS + HEAL_MS);
  const violations = [...simulation.violations];
  for (const name of SERVERS) {
    const onAir = simulation.agents.get(name)?.state.desks.get(name)?.onAir;
    if (onAir !== 'primary')
      violations.push({
        atMs: simulation.nowMs,
        text: `${name} stayed on ${onAir} after everything was repaired`,
      });
    for (const left of ['/secondary', '/autodj']) {
      const stranded = simulation.server(name).at(left).listeners;
      if (stranded > 0)
        violations.push({
          atMs: simulation.nowMs,
          text: `${stranded} listeners were left on ${left} of ${name}`,
        });
    }
  }
  return violations;
}
