import type { Core } from '../../src/simulate/guard-agent.ts';
import { SERVERS } from '../../src/simulate/station.ts';
import { brokenPromises } from './promises.ts';
import { type Fault, Simulation, type Timed } from './simulation.ts';

const [LONDON, DUBLIN] = SERVERS;
const at = (seconds: number, fault: Fault): Timed => ({ atMs: seconds * 1000, fault });

/** What a core must do in a world of its own; each returns a sentence when it doesn't, and null when all is well. */
type Question = (core: Core) => string | null;

const switches = (simulation: Simulation, trigger?: string) =>
  simulation
    .events('switched', LONDON)
    .filter((event) => event.kind === 'switched' && (trigger === undefined || event.trigger === trigger));

const keepsPromises =
  (seed: number, faults: readonly Timed[]): Question =>
  (core) =>
    brokenPromises(core, seed, faults)[0]?.text ?? null;

const flapping: Timed[] = [];
for (let second = 20; second < 170; second += 30) {
  flapping.push(
    at(second, { do: 'mute', source: 'primary', on: 'both' }),
    at(second + 9, { do: 'unmute', source: 'primary', on: 'both' }),
  );
}

/** So short that half a second of sound ends a silence. */
export const SHORT_TRIP = { thresholdDbfs: -50, tripMs: 1_000, restoreMs: 20_000, soundMs: 1_000 };
/** The encoder sends silence, and whoever comes to it is moved away time and again, our monitor with them. */
export const MUTED_AND_VISITED: readonly Timed[] = [
  at(20, { do: 'mute', source: 'primary', on: 'both' }),
  ...Array.from({ length: 40 }, (_, index) =>
    at(27 + index * 0.8, { do: 'arrive', server: LONDON, listeners: 2 }),
  ),
];

/** A short examination that every guard has a part in; each mutant names the question that finds it. */
export const questions = {
  'nothing is wrong': (core) =>
    new Simulation(core, 1).run(60_000).events('switched').length === 0
      ? null
      : 'switched although nothing was wrong',
  'short pauses': (core) => {
    const pauses = [21, 25, 29, 33].flatMap((second) => [
      at(second, { do: 'mute', source: 'primary', on: 'both' }),
      at(second + 1.5, { do: 'unmute', source: 'primary', on: 'both' }),
    ]);
    return switches(new Simulation(core, 1).run(60_000, pauses)).length === 0
      ? null
      : 'a pause of 1.5 s was taken for a fault';
  },
  'a silence with clicks': (core) => {
    const simulation = new Simulation(core, 1);
    simulation.clickEveryMs = 2000;
    simulation.run(40_000, [at(20, { do: 'mute', source: 'primary', on: 'both' })]);
    return switches(simulation).length === 1 ? null : 'clicks were taken for sound';
  },
  'a silence that ends': keepsPromises(2, [
    at(20, { do: 'mute', source: 'primary', on: 'both' }),
    at(30, { do: 'arrive', server: LONDON, listeners: 3 }),
    at(60, { do: 'unmute', source: 'primary', on: 'both' }),
  ]),
  'listeners who come during a silence': (core) => {
    const faults = [
      at(20, { do: 'mute', source: 'primary', on: 'both' }),
      at(40, { do: 'arrive', server: LONDON, listeners: 3 }),
    ];
    const left = new Simulation(core, 2).run(50_000, faults).server(LONDON).at('/primary').listeners;
    return left === 0 ? null : `${left} listeners were left on the silent mount`;
  },
  'a source that flaps': (core) => {
    const simulation = new Simulation(core, 3).run(170_000, flapping);
    const broken = simulation.violations[0];
    if (broken !== undefined) return broken.text;
    return switches(simulation, 'return').length <= 1
      ? null
      : 'went back to a flapping source again and again';
  },
  // Health without hold-down: three failures, each followed by a longer time of health.
  'relapses after ever longer health': (core) => {
    const faults: Timed[] = [];
    for (let second = 20; second < 400; second += 110) {
      faults.push(
        at(second, { do: 'mute', source: 'primary', on: 'both' }),
        at(second + 10, { do: 'unmute', source: 'primary', on: 'both' }),
      );
    }
    const returns = switches(new Simulation(core, 4).run(400_000, faults), 'return').map(
      (event) => event.atMs,
    );
    const waits = returns.map((atMs) => (atMs - 30_000) % 110_000);
    return (waits[2] ?? 0) > (waits[0] ?? 0) + 30_000 ? null : 'a relapse cost no hold-down';
  },
  'an end within the dwell': (core) => {
    const simulation = new Simulation(core, 5, { dwellMs: 60_000 }).run(120_000, [
      at(20, { do: 'mute', source: 'primary', on: 'both' }),
      at(27, { do: 'unmute', source: 'primary', on: 'both' }),
    ]);
    return (
      simulation.violations[0]?.text ??
      (switches(simulation, 'return').length === 1 ? null : 'never went back')
    );
  },
  'one source after the other': (core) => {
    const faults = ['secondary', 'autodj', 'primary'].map((source, index) =>
      at(20 + index * 12, { do: 'mute', source, on: 'both' }),
    );
    return new Simulation(core, 6).run(80_000, faults).violations[0]?.text ?? null;
  },
  'a deaf agent': (core) => {
    const faults = [
      at(20, { do: 'deafen', agent: LONDON }),
      at(40, { do: 'mute', source: 'primary', on: 'both' }),
    ];
    return switches(new Simulation(core, 7).run(80_000, faults)).length === 0
      ? null
      : 'a deaf agent switched';
  },
  'an agent deaf to one leg': (core) => {
    // Only the ear for one leg is lost: the others still look like good targets.
    const simulation = new Simulation(core, 8);
    simulation.deafTo = '/primary';
    simulation.run(60_000);
    return switches(simulation).length === 0 ? null : 'left a leg that it merely could not hear';
  },
  'a silence while held': (core) => {
    const faults = [
      at(10, { do: 'hold', server: LONDON, forMs: 60_000 }),
      at(20, { do: 'mute', source: 'primary', on: 'both' }),
    ];
    const simulation = new Simulation(core, 9).run(60_000, faults);
    return (
      simulation.violations[0]?.text ?? (switches(simulation).length === 0 ? null : 'switched although held')
    );
  },
  'a planned silence': (core) => {
    const simulation = new Simulation(core, 9).run(20_000);
    const planned = { kind: 'planned-silence', atMs: 20_000, fromMs: 20_000, untilMs: 60_000 } as const;
    for (const agent of simulation.agents.values()) agent.feed({ ...planned, says: 'two minutes' });
    simulation.run(59_000, [at(25, { do: 'kill', source: 'primary', on: 'both' })]);
    return switches(simulation).length === 0 ? null : 'switched in a planned silence';
  },
  'a silence while held, with a deputy': (core) => {
    const faults = [
      at(10, { do: 'hold', server: LONDON, forMs: 120_000 }),
      at(20, { do: 'agent', agent: LONDON, state: 'killed' }),
      at(45, { do: 'mute', source: 'primary', on: 'both' }),
    ];
    const left = new Simulation(core, 9).run(70_000, faults).server(LONDON).at('/secondary').listeners;
    return left === 0 ? null : 'a deputy moved listeners on a server that is held';
  },
  'latecomers while forced, with a deputy': (core) => {
    const faults = [
      at(10, { do: 'force', server: LONDON, source: 'autodj', forMs: 120_000 }),
      at(20, { do: 'agent', agent: LONDON, state: 'killed' }),
      at(50, { do: 'arrive', server: LONDON, listeners: 3 }),
    ];
    const there = new Simulation(core, 9).run(60_000, faults).server(LONDON).at('/autodj').listeners;
    return there === 13
      ? null
      : 'a deputy left latecomers on a source that an operator had taken off the air';
  },
  'a release at the deputy': (core) => {
    const faults = [
      at(10, { do: 'hold', server: LONDON, forMs: 120_000 }),
      at(20, { do: 'agent', agent: LONDON, state: 'killed' }),
      at(40, { do: 'release', server: LONDON, of: DUBLIN }),
      at(50, { do: 'agent', agent: LONDON, state: 'started' }),
      at(65, { do: 'mute', source: 'primary', on: 'both' }),
    ];
    const left = new Simulation(core, 9).run(80_000, faults).server(LONDON).at('/primary').listeners;
    return left === 0 ? null : 'an agent that was back went by a hold that its deputy had been told to end';
  },
  'a hold after the switch': (core) => {
    const faults = [
      at(20, { do: 'mute', source: 'primary', on: 'both' }),
      at(32, { do: 'hold', server: LONDON, forMs: 30_000 }),
      at(40, { do: 'arrive', server: LONDON, listeners: 5 }),
    ];
    return new Simulation(core, 10).run(60_000, faults).violations[0]?.text ?? null;
  },
  // With nothing to go to, Icecast itself carries everybody off when it gives the stalled source up.
  'carried off by Icecast': (core) => {
    const faults = [
      at(10, { do: 'kill', source: 'autodj', on: 'both' }),
      at(10, { do: 'mute', source: 'secondary', on: 'both' }),
      at(16, { do: 'stall', source: 'primary', on: 'both' }),
      at(40, { do: 'revive', source: 'primary', on: 'both' }),
    ];
    const left = new Simulation(core, 0).run(70_000, faults).server(LONDON).at('/secondary').listeners;
    return left === 0 ? null : `${left} listeners were left on the silent backup`;
  },
  'a dead agent': (core) => {
    const faults = [
      at(20, { do: 'agent', agent: DUBLIN, state: 'killed' }),
      at(50, { do: 'mute', source: 'primary', on: DUBLIN }),
    ];
    const simulation = new Simulation(core, 12).run(80_000, faults);
    return simulation.server(DUBLIN).at('/secondary').listeners === 10
      ? null
      : 'nobody stood in for the dead agent';
  },
  'a colleague at work': (core) =>
    new Simulation(core, 13).run(80_000, [
      at(20, { do: 'mute', source: 'primary', on: 'both' }),
      at(30, { do: 'arrive', server: DUBLIN, listeners: 2 }),
    ]).violations[0]?.text ?? null,
  'a wrong password': (core) => {
    const alerts = new Simulation(core, 14)
      .run(60_000, [at(20, { do: 'password', agent: LONDON, wrong: true })])
      .events('alert-opened', LONDON);
    const codes = alerts.map((event) => (event.kind === 'alert-opened' ? event.code : ''));
    return codes.includes('admin-unauthorised') && !codes.includes('server-down')
      ? null
      : `a wrong password was called ${codes.join(', ')}`;
  },
  'a long absence': keepsPromises(15, [
    at(10, { do: 'mute', source: 'primary', on: 'both' }),
    at(10, { do: 'agent', agent: LONDON, state: 'killed' }),
  ]),
  'a silent source forced': (core) => {
    const faults = [
      at(10, { do: 'mute', source: 'autodj', on: 'both' }),
      at(30, { do: 'force', server: LONDON, source: 'autodj', forMs: 60_000 }),
    ];
    const simulation = new Simulation(core, 16).run(50_000, faults);
    return simulation.events('refused', LONDON).length === 1 ? null : 'an operator forced a silent source';
  },
  'a backup of another format': (core) => {
    const simulation = new Simulation(core, 17);
    simulation.server(LONDON).at('/secondary').contentType = 'application/ogg';
    simulation.run(60_000, [at(20, { do: 'mute', source: 'primary', on: 'both' })]);
    const onAutodj = simulation.server(LONDON).at('/autodj').listeners;
    return onAutodj === 10
      ? (simulation.violations[0]?.text ?? null)
      : 'listeners were not moved to the backup of their own format';
  },
  // An encoder stalls while its latecomers are carried away, and our monitor with them: it comes back to an old burst
  // each time. On AAC no bytes may be silence, so that a stall shows only after the trip delay.
  'an old burst time and again': (core) => {
    const faults = [
      at(20, { do: 'mute', source: 'primary', on: 'both' }),
      at(30, { do: 'unmute', source: 'primary', on: 'both' }),
      at(35, { do: 'stall', source: 'primary', on: 'both' }),
      ...Array.from({ length: 24 }, (_, index) =>
        at(34 + index / 2, { do: 'arrive', server: LONDON, listeners: 2 }),
      ),
      at(38, { do: 'mute', source: 'secondary', on: 'both' }),
      at(38, { do: 'mute', source: 'autodj', on: 'both' }),
    ];
    const simulation = new Simulation(core, 18);
    for (const server of simulation.servers.values()) {
      for (const mount of server.mounts.values()) mount.contentType = 'audio/aac';
    }
    return simulation.run(45_800, faults).violations[0]?.text ?? null;
  },
  'late sound of another mount': (core) => {
    const simulation = new Simulation(core, 3, { silence: SHORT_TRIP });
    for (const agent of simulation.agents.values()) Object.assign(agent, { lateMs: 800, lookTakesMs: 800 });
    const isTaken = simulation
      .run(60_000, MUTED_AND_VISITED)
      .events('leg-changed', LONDON)
      .some(
        (event) =>
          event.kind === 'leg-changed' &&
          event.leg === 'myfm/primary@london' &&
          event.atMs > 22_000 &&
          event.to.is === 'audible',
      );
    return isTaken ? 'late sound of another mount was taken for that of the silent leg' : null;
  },
  'what a deaf agent claims': (core) => {
    const simulation = new Simulation(core, 19).run(30_000, [at(20, { do: 'deafen', agent: LONDON })]);
    const claimed = [...(simulation.agents.get(LONDON)?.state.legs.values() ?? [])].filter(
      (leg) => leg.condition.is !== 'unknown',
    );
    return claimed.length === 0
      ? null
      : `a deaf agent called ${claimed[0]?.leg.id} ${claimed[0]?.condition.is}`;
  },
} satisfies Readonly<Record<string, Question>>;

export type QuestionName = keyof typeof questions;
