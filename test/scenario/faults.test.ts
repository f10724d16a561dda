import { describe, expect, test } from 'vitest';
import { SERVERS } from '../../src/simulate/station.ts';
import { core } from './core.ts';
import { MUTED_AND_VISITED, SHORT_TRIP } from './examination.ts';
import { type Fault, Simulation, type Timed } from './simulation.ts';

const [LONDON, DUBLIN] = SERVERS;
const at = (seconds: number, fault: Fault): Timed => ({
  atMs: seconds * 1000,
  fault,
});
const run = (seconds: number, faults: readonly Timed[], seed = 1) =>
  new Simulation(core, seed).run(seconds * 1000, faults);

function onAir(simulation: Simulation, server = LONDON): string | null | undefined {
  return simulation.agents.get(server)?.state.desks.get(server)?.onAir;
}

describe('a single fault', () => {
  test('nothing wrong: nothing is done', () => {
    const simulation = run(120, []);
    expect(simulation.events('switched')).toEqual([]);
    expect(simulation.events('alert-opened')).toEqual([]);
    expect(onAir(simulation)).toBe('primary');
  });

  test('silence on both servers puts the AutoDJ on both within a second of each other', () => {
    const simulation = run(60, [
      at(20, { do: 'mute', source: 'primary', on: 'both' }),
      at(20, { do: 'mute', source: 'secondary', on: 'both' }),
    ]);
    const switched = simulation
      .events('switched')
      .filter((event) => event.kind === 'switched' && event.to === 'autodj');
    expect(switched).toHaveLength(2);
    const times = switched.map((event) => event.atMs);
    expect(Math.abs((times[0] ?? 0) - (times[1] ?? 0))).toBeLessThanOrEqual(1000);
    for (const server of SERVERS) {
      expect(simulation.server(server).at('/autodj').listeners).toBe(10);
      expect(simulation.server(server).at('/primary').listeners).toBe(0);
    }
    for (const time of times) expect(time - 20_000).toBeLessThan(6500);
  });

  test('a killed encoder is followed by the second one, and nobody is lost', () => {
    const simulation = run(60, [at(20, { do: 'kill', source: 'primary', on: 'both' })]);
    expect(onAir(simulation)).toBe('secondary');
    expect(simulation.server(LONDON).at('/secondary').listeners).toBe(10);
    expect(simulation.server(LONDON).dropped).toBe(0);
  });

  test('both encoders killed: the AutoDJ', () => {
    const simulation = run(60, [
      at(20, { do: 'kill', source: 'primary', on: 'both' }),
      at(30, { do: 'kill', source: 'secondary', on: 'both' }),
    ]);
    expect(onAir(simulation)).toBe('autodj');
    expect(simulation.server(DUBLIN).at('/autodj').listeners).toBe(10);
  });

  test('an encoder that stalls with its socket open is found within 3 s', () => {
    const simulation = run(60, [at(20, { do: 'stall', source: 'primary', on: 'both' })]);
    const first = simulation.events('switched', LONDON)[0];
    expect(first?.atMs).toBeLessThanOrEqual(23_000);
    expect(onAir(simulation)).toBe('secondary');
  });

  test('listeners who come during the fault are carried along, and everybody is brought back after it', () => {
    const arrivals = [22, 26, 31, 35, 41].map((second) =>
      at(second, { do: 'arrive', server: LONDON, listeners: 3 }),
    );
    const faults = [
      at(20, { do: 'mute', source: 'primary', on: 'both' }),
      ...arrivals,
      at(50, { do: 'unmute', source: 'primary', on: 'both' }),
    ];
    const during = run(46, faults);
    expect(during.server(LONDON).at('/secondary').listeners).toBe(25);
    const after = run(120, faults);
    expect(after.server(LONDON).at('/primary').listeners).toBe(25);
    expect(onAir(after)).toBe('primary');
    const back = after
      .events('switched', LONDON)
      .find((event) => event.kind === 'switched' && event.trigger === 'return');
    expect(back?.atMs).toBeGreaterThanOrEqual(69_800);
    expect(back?.atMs).toBeLessThan(73_000);
  });

  test('an encoder that reconnects still silent is not gone back to', () => {
    const faults = [
      at(20, { do: 'mute', source: 'primary', on: 'both' }),
      at(40, { do: 'kill', source: 'primary', on: 'both' }),
      at(42, { do: 'revive', source: 'primary', on: 'both' }),
    ];
    const simulation = run(140, faults);
    expect(simulation.events('switched', LONDON)).toHaveLength(1);
    expect(onAir(simulation)).toBe('secondary');
  });

  test('a fallback-override that pulls listeners to a silent encoder is undone at once', () => {
    const faults = [
      at(5, { do: 'override', server: LONDON, on: true }),
      at(20, { do: 'mute', source: 'primary', on: 'both' }),
      at(40, { do: 'kill', source: 'primary', on: 'both' }),
      at(42, { do: 'revive', source: 'primary', on: 'both' }),
    ];
    const simulation = run(50, faults);
    expect(simulation.server(LONDON).at('/secondary').listeners).toBe(10);
  });

  test('a test tone on the first source is left for the second one, and not gone back to while it lasts', () => {
    const faults = [
      at(20, { do: 'tone', source: 'primary', on: 'both' }),
      ...[40, 42, 44, 46, 48, 50].map((second) => at(second, { do: 'arrive', server: LONDON, listeners: 1 })),
      at(100, { do: 'programme', source: 'primary', on: 'both' }),
    ];
    expect(onAir(run(100, faults))).toBe('secondary');
    const after = run(200, faults);
    expect(after.events('switched', LONDON)).toHaveLength(2);
    expect(onAir(after)).toBe('primary');
    expect(after.violations).toEqual([]);
  });

  test('everything silent: stay, tell, do not rotate', () => {
    const faults = ['primary', 'secondary', 'autodj'].map((source) =>
      at(20, { do: 'mute', source, on: 'both' }),
    );
    const simulation = run(120, faults);
    expect(simulation.events('switched')).toEqual([]);
    const codes = simulation
      .events('alert-opened', LONDON)
      .map((event) => event.kind === 'alert-opened' && event.code);
    expect(codes).toContain('nothing-audible');
  });
});

describe('what is unknown', () => {
  test('a deaf agent does nothing about a leg it cannot hear', () => {
    const simulation = run(90, [
      at(20, { do: 'deafen', agent: LONDON }),
      at(40, { do: 'mute', source: 'primary', on: 'both' }),
    ]);
    expect(simulation.events('switched', LONDON)).toEqual([]);
  });

  test('a wrong admin password is a fault of the configuration and switches nothing', () => {
    const simulation = run(90, [
      at(20, { do: 'password', agent: LONDON, wrong: true }),
      at(30, { do: 'mute', source: 'primary', on: 'both' }),
    ]);
    expect(simulation.events('switched', LONDON)).toEqual([]);
    const alerts = simulation
      .events('alert-opened', LONDON)
      .map((event) => event.kind === 'alert-opened' && event.code);
    expect(alerts).toContain('admin-unauthorised');
    expect(alerts).not.toContain('server-down');
  });

  test('a server that accepts connections and gives nothing is down, not up', () => {
    const simulation = run(40, [at(20, { do: 'server', server: DUBLIN, state: 'frozen' })]);
    const change = simulation
      .events('server-changed', LONDON)
      .find((event) => event.kind === 'server-changed' && event.to.is === 'down');
    expect(change?.atMs).toBeLessThanOrEqual(26_000);
  });
});

describe('sound that comes late, from the mount to which our monitor was carried', () => {
  test.each([800, 1_000])('by %i ms is not taken for that of the silent leg', (lateMs) => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const simulation = new Simulation(core, seed, { silence: SHORT_TRIP });
      for (const agent of simulation.agents.values()) Object.assign(agent, { lateMs, lookTakesMs: lateMs });
      simulation.run(60_000, MUTED_AND_VISITED);
      const claimed = simulation
        .events('leg-changed', LONDON)
        .filter((event) => event.kind === 'leg-changed' && event.leg === 'myfm/primary@london')
        .map((event) => (event.kind === 'leg-changed' && event.atMs > 21_000 ? event.to.is : 'before'));
      expect(claimed).toContain('faulty');
      expect(claimed).not.toContain('audible');
    }
  });
});

describe('a source that comes and goes', () => {
  test('20 s on, 10 s off, for 10 min: at most two returns, and the hold-down doubles', () => {
    const faults: Timed[] = [];
    for (let second = 20; second < 620; second += 30) {
      faults.push(
        at(second, { do: 'mute', source: 'primary', on: 'both' }),
        at(second + 10, { do: 'unmute', source: 'primary', on: 'both' }),
      );
    }
    const simulation = run(900, faults);
    const returns = (until: number) =>
      simulation
        .events('switched', LONDON)
        .filter((event) => event.kind === 'switched' && event.trigger === 'return' && event.atMs <= until);
    expect(returns(620_000).length).toBeLessThanOrEqual(2);
    expect(onAir(simulation)).toBe('primary');
    expect(simulation.violations).toEqual([]);
  });

  test('each relapse after a return doubles the hold-down on top of the restore delay', () => {
    const faults: Timed[] = [];
    // Off for 10 s whenever it has been back on air for a while.
    for (let second = 20; second < 500; second += 120) {
      faults.push(
        at(second, { do: 'mute', source: 'primary', on: 'both' }),
        at(second + 10, { do: 'unmute', source: 'primary', on: 'both' }),
      );
    }
    const simulation = run(500, faults);
    const switched = simulation.events('switched', LONDON).filter((event) => event.kind === 'switched');
    const waits: number[] = [];
    for (const event of switched) {
      if (event.kind === 'switched' && event.trigger === 'return') {
        const muted = Math.max(
          ...faults.filter((f) => f.fault.do === 'unmute' && f.atMs < event.atMs).map((f) => f.atMs),
        );
        waits.push(Math.round((event.atMs - muted) / 10_000) * 10);
      }
    }
    expect(waits.slice(0, 3)).toEqual([30, 50, 80]);
  });
});

describe('the agents', () => {
  test('a dead agent is stood in for while its Icecast lives, and gets its work back', () => {
    const faults = [
      at(20, { do: 'agent', agent: DUBLIN, state: 'killed' }),
      at(50, { do: 'mute', source: 'primary', on: DUBLIN }),
      at(80, { do: 'agent', agent: DUBLIN, state: 'started' }),
    ];
    const simulation = run(78, faults);
    expect(simulation.server(DUBLIN).at('/secondary').listeners).toBe(10);
    expect(simulation.agents.get(LONDON)?.state.servers.get(DUBLIN)?.role).toBe('deputy');
    const after = run(120, faults);
    expect(after.agents.get(LONDON)?.state.servers.get(DUBLIN)?.role).toBe('watching');
    expect(after.agents.get(DUBLIN)?.state.desks.get(DUBLIN)?.onAir).toBe('secondary');
  });

  test('a restart during a fault moves nobody', () => {
    const faults = [
      at(20, { do: 'mute', source: 'primary', on: 'both' }),
      at(60, { do: 'agent', agent: LONDON, state: 'killed' }),
      at(63, { do: 'agent', agent: LONDON, state: 'started' }),
    ];
    const simulation = run(100, faults);
    expect(simulation.events('switched', LONDON)).toHaveLength(1);
    expect(simulation.server(LONDON).at('/secondary').listeners).toBe(10);
  });

  test('a hold lets nothing automatic happen, and expires by itself', () => {
    const faults = [
      at(10, { do: 'hold', server: LONDON, forMs: 60_000 }),
      at(20, { do: 'mute', source: 'primary', on: 'both' }),
    ];
    const simulation = run(90, faults);
    const first = simulation.events('switched', LONDON)[0];
    expect(first?.atMs).toBeGreaterThanOrEqual(70_000);
    expect(simulation.violations).toEqual([]);
  });

  describe('that is gone while its server is held', () => {
    const HELD_AND_GONE = [
      at(10, { do: 'hold', server: LONDON, forMs: 120_000 }),
      at(20, { do: 'agent', agent: LONDON, state: 'killed' }),
      at(45, { do: 'mute', source: 'primary', on: 'both' }),
    ];
    const doneOnLondon = ({ told }: Simulation) =>
      told.filter(({ event }) => event.kind === 'switched' && event.server === LONDON);

    test('is stood in for by one that does nothing there until the hold is over', () => {
      const during = run(129, HELD_AND_GONE);
      expect(during.agents.get(DUBLIN)?.state.servers.get(LONDON)?.role).toBe('deputy');
      expect(during.server(LONDON).at('/primary').listeners).toBe(10);
      expect(during.server(DUBLIN).at('/secondary').listeners).toBe(10);
      expect(doneOnLondon(during)).toEqual([]);
      const after = run(150, HELD_AND_GONE);
      expect(doneOnLondon(after)).toMatchObject([{ agent: DUBLIN, event: { to: 'secondary' } }]);
      expect(doneOnLondon(after)[0]?.event.atMs).toBeGreaterThanOrEqual(130_000);
      expect(after.server(LONDON).at('/secondary').listeners).toBe(10);
    });

    test('is stood in for by one that may be told to let go', () => {
      const told = [...HELD_AND_GONE, at(70, { do: 'release', server: LONDON, of: DUBLIN })];
      const [first] = doneOnLondon(run(90, told));
      expect(first).toMatchObject({ agent: DUBLIN, event: { trigger: 'fault' } });
      expect(first?.event.atMs).toBeGreaterThanOrEqual(70_000);
      expect(first?.event.atMs).toBeLessThan(72_000);
    });

    test('goes on with the same hold when it is back, and both end it together', () => {
      const back = [...HELD_AND_GONE, at(60, { do: 'agent', agent: LONDON, state: 'started' })];
      const simulation = run(129, back);
      const holds = SERVERS.map((name) => simulation.agents.get(name)?.state.desks.get(LONDON)?.hold);
      expect(holds[0]).toEqual({ author: 'ann', untilMs: 130_000, source: null });
      expect(holds[1]).toEqual(holds[0]);
      expect(doneOnLondon(simulation)).toEqual([]);
      const after = run(150, back);
      expect(doneOnLondon(after)).toMatchObject([{ agent: LONDON }]);
      expect(after.agents.get(DUBLIN)?.state.desks.get(LONDON)?.hold).toBeNull();
    });

    test('goes by what its deputy was asked meanwhile, and not by the older word that it kept', () => {
      const released = [
        ...HELD_AND_GONE.slice(0, 2),
        at(40, { do: 'release', server: LONDON, of: DUBLIN }),
        at(60, { do: 'agent', agent: LONDON, state: 'started' }),
        at(80, { do: 'mute', source: 'primary', on: 'both' }),
      ];
      expect(doneOnLondon(run(100, released))).toMatchObject([
        { agent: LONDON, event: { trigger: 'fault' } },
      ]);
      const forced = [
        ...HELD_AND_GONE.slice(0, 2),
        at(40, { do: 'force', server: LONDON, source: 'autodj', forMs: 300_000, of: DUBLIN }),
        at(60, { do: 'agent', agent: LONDON, state: 'started' }),
        at(80, { do: 'arrive', server: LONDON, listeners: 3 }),
      ];
      const simulation = run(100, forced);
      expect(onAir(simulation)).toBe('autodj');
      expect(simulation.server(LONDON).at('/autodj').listeners).toBe(13);
      expect(simulation.violations).toEqual([]);
    });

    test('is stood in for by one that keeps on the air what was forced, latecomers too', () => {
      const simulation = run(80, [
        at(10, { do: 'force', server: LONDON, source: 'autodj', forMs: 120_000 }),
        at(20, { do: 'agent', agent: LONDON, state: 'killed' }),
        at(60, { do: 'arrive', server: LONDON, listeners: 3 }),
      ]);
      expect(simulation.server(LONDON).at('/autodj').listeners).toBe(13);
      expect(doneOnLondon(simulation)).toMatchObject([{ agent: LONDON }]);
    });
  });

  test('an operator cannot force listeners onto a silent source', () => {
    const faults = [
      at(10, { do: 'mute', source: 'autodj', on: 'both' }),
      at(30, { do: 'force', server: LONDON, source: 'autodj', forMs: 60_000 }),
    ];
    const simulation = run(60, faults);
    expect(simulation.events('refused', LONDON)).toHaveLength(1);
    expect(simulation.server(LONDON).at('/primary').listeners).toBe(10);
  });

  test('an operator can force a source that sounds, and is obeyed until the hold ends', () => {
    const simulation = run(60, [at(30, { do: 'force', server: LONDON, source: 'autodj', forMs: 60_000 })]);
    expect(simulation.server(LONDON).at('/autodj').listeners).toBe(10);
    expect(simulation.server(DUBLIN).at('/primary').listeners).toBe(10);
  });
});
