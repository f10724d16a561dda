import { describe, expect, test } from 'vitest';
import { ordersOf } from '../../../src/decide/operator.ts';
import type { Step } from '../../../src/decide/round.ts';
import { type Memory, newState, noMemory, type StationState } from '../../../src/decide/state.ts';
import { step } from '../../../src/decide/step.ts';
import { commandId } from '../../../src/domain/commands.ts';
import type { ServerLook } from '../../../src/domain/icecast.ts';
import type { ServerName } from '../../../src/domain/ids.ts';
import type { Input } from '../../../src/domain/inputs.ts';
import {
  AUTODJ,
  audible,
  DUBLIN,
  failedLook,
  faulty,
  goodLook,
  LONDON,
  legThat,
  MONITOR,
  openLink,
  POLICY,
  PRIMARY,
  pulse,
  reading,
  SECONDARY,
  viewOf,
} from './builders.ts';

const PRESENT = [{ agent: DUBLIN, connectedSeconds: 1 }];
const MOUNTS = [viewOf(PRIMARY), viewOf(SECONDARY), viewOf(AUTODJ)];

class Run {
  state: StationState;
  readonly told: Step['events'][number][] = [];
  readonly sent: Step['commands'][number][] = [];

  constructor(memory: Memory = noMemory) {
    this.state = newState(POLICY, memory, 0);
  }

  give(input: Input): this {
    const { state, events, commands } = step(this.state, input, POLICY);
    this.state = state;
    this.told.push(...events);
    this.sent.push(...commands);
    return this;
  }

  look(server: ServerName, look: ServerLook): this {
    return this.give({ kind: 'look', atMs: look.atMs, server, look });
  }

  /** Says what a leg in London is, from the next round on, without playing it. */
  set(source: typeof PRIMARY, condition: Parameters<typeof legThat>[1], listeners = 0): this {
    const leg = legThat(source, condition, { listeners });
    const sensor = { ...leg.sensor, heardToMs: 1e9, verdict: 'sounding', sinceMs: 0 } as const;
    const silent = { ...sensor, verdict: 'silent' } as const;
    const heard = { ...leg, sensor: condition.is === 'audible' ? sensor : silent };
    this.state = { ...this.state, legs: new Map(this.state.legs).set(leg.leg.id, heard) };
    return this;
  }

  kinds(): string[] {
    return this.told.map((event) => event.kind);
  }
}

describe('a standstill of this agent', () => {
  test('makes no deputy of it, and no server down', () => {
    const run = new Run();
    for (let atMs = 0; atMs < 20_000; atMs += 500)
      run.look(LONDON, goodLook(atMs, MOUNTS)).look(DUBLIN, goodLook(atMs, MOUNTS, PRESENT));
    run.look(DUBLIN, failedLook(20_000, 'timed-out'));
    const before = run.told.length;
    run.give({ kind: 'gap', atMs: 50_000, lostMs: 29_000 }).give({ kind: 'tick', atMs: 50_000 });
    run.look(DUBLIN, { ...failedLook(20_500, 'timed-out'), atMs: 50_001 });
    run.give({ kind: 'tick', atMs: 50_100 });
    const since = run.told.slice(before).map((event) => event.kind);
    expect(since).not.toContain('role-changed');
    expect(since).not.toContain('server-changed');
    expect(since).not.toContain('alert-opened');
  });
});

describe('a deputy that gives back', () => {
  const run = () => {
    const running = new Run();
    both(running, 0, 5_000, true);
    both(running, 5_000, 30_000, false);
    expect(running.state.servers.get(DUBLIN)?.role).toBe('deputy');
    const request = { do: 'hold', server: DUBLIN, author: 'ann', forMs: 3_600_000 } as const;
    running.give({ kind: 'operator', atMs: 30_000, unixMs: 1_030_500, request });
    both(running, 30_500, 60_000, true);
    expect(running.state.servers.get(DUBLIN)?.role).toBe('watching');
    return running;
  };
  const both = (running: Run, fromMs: number, toMs: number, isPresent: boolean) => {
    for (let atMs = fromMs; atMs < toMs; atMs += 500)
      running
        .look(LONDON, goodLook(atMs, MOUNTS))
        .look(DUBLIN, goodLook(atMs, MOUNTS, isPresent ? PRESENT : []));
  };

  test('hands the hold that it was given on to the agent that is back, with who asked and when', () => {
    const hold = { author: 'ann', untilMs: 3_630_000, source: null };
    const order = { unixSeconds: 1_030, by: LONDON, author: 'ann', server: DUBLIN, hold };
    expect(ordersOf(run().state)).toEqual([order]);
  });

  test('knows when that one lets go', () => {
    const order = { unixSeconds: 1_060, by: DUBLIN, author: 'bob', server: DUBLIN, hold: null };
    const released = run().give({ kind: 'heard-order', atMs: 60_000, order });
    expect(released.state.desks.get(DUBLIN)?.hold).toBeNull();
    expect(released.told.at(-1)).toMatchObject({
      kind: 'hold-changed',
      detail: 'released at dublin',
      author: 'bob',
    });
  });
});

describe('what is remembered of the time before a restart', () => {
  const memory: Memory = {
    ageMs: 3000,
    desks: { london: { onAir: SECONDARY, away: [PRIMARY], hold: null, order: null } },
  };

  test('listeners on what was on air are not forgotten when it is silent now', () => {
    const run = new Run(memory).set(PRIMARY, audible(0, 1000));
    run.set(SECONDARY, faulty(0), 40).set(AUTODJ, audible(0, 1000));
    run.look(LONDON, goodLook(1000, [viewOf(PRIMARY), viewOf(SECONDARY, { listeners: 40 }), viewOf(AUTODJ)]));
    expect(run.told).toContainEqual(expect.objectContaining({ kind: 'took-over', source: PRIMARY }));
    expect(run.sent).toMatchObject([{ kind: 'move-listeners', from: '/secondary', to: '/primary' }]);
  });
});

describe('the result of a move', () => {
  const moving = () => {
    const run = new Run().set(PRIMARY, audible(0, 900)).set(SECONDARY, audible(0, 900));
    run.look(LONDON, goodLook(900, MOUNTS));
    run.set(PRIMARY, faulty(900), 10).set(SECONDARY, audible(0, 1000));
    return run.look(
      LONDON,
      goodLook(1000, [viewOf(PRIMARY, { listeners: 10 }), viewOf(SECONDARY), viewOf(AUTODJ)]),
    );
  };
  const DONE = { is: 'done', detail: '10 moved' } as const;

  test('is told with where it went, though something else may be on air by now', () => {
    const run = moving();
    const id = run.sent.find((command) => command.kind === 'move-listeners')?.id ?? commandId('none');
    run.set(SECONDARY, faulty(1000)).set(AUTODJ, audible(0, 1100)).give({ kind: 'tick', atMs: 1100 });
    expect(run.state.desks.get(LONDON)?.onAir).toBe(AUTODJ);
    run.give({ kind: 'result', atMs: 1200, command: id, outcome: DONE });
    expect(run.told.at(-1)).toMatchObject({ kind: 'moved', from: '/primary', to: '/secondary' });
  });

  test('makes the monitor that was carried along connect anew', () => {
    const run = moving();
    const id = run.sent.find((command) => command.kind === 'move-listeners')?.id ?? commandId('none');
    run.give({ kind: 'result', atMs: 1200, command: id, outcome: DONE });
    expect(run.sent.at(-1)).toMatchObject({ kind: 'reconnect-monitor', leg: 'myfm/primary@london' });
  });

  test('of a command that nobody knows changes nothing', () => {
    const run = moving();
    const { state } = run;
    run.give({ kind: 'result', atMs: 1200, command: commandId('other'), outcome: DONE });
    expect(run.state).toBe(state);
  });
});

describe('a round between two looks', () => {
  const heardUntil = (toMs: number) => {
    const run = new Run();
    const legs = POLICY.legs.map(({ id }) => id);
    for (const leg of legs) run.give({ kind: 'link', atMs: 0, leg, link: openLink(0) });
    for (let atMs = 100; atMs <= toMs; atMs += 100) {
      for (const leg of legs) {
        run.give({ kind: 'pulse', atMs, leg, pulse: pulse(atMs) });
        run.give({ kind: 'levels', atMs, leg, reading: reading(atMs, 100) });
      }
      const mounts = MOUNTS.map((view) => ({ ...view, monitors: [MONITOR] }));
      for (const server of POLICY.servers) run.look(server, goodLook(atMs, mounts, PRESENT));
    }
    return run;
  };

  test('in which nothing changed gives back the very state', () => {
    const run = heardUntil(10_000);
    expect([...run.state.legs.values()].map(({ condition }) => condition.is)).toEqual(
      POLICY.legs.map(() => 'audible'),
    );
    const before = run.state;
    expect(run.give({ kind: 'tick', atMs: 10_050 }).state).toBe(before);
    expect(run.give({ kind: 'tick', atMs: 10_900 }).state).toBe(before);
  });

  test('in which the bytes have stopped for too long gives another', () => {
    const run = heardUntil(10_000);
    const before = run.state;
    const { legs, servers } = run.give({ kind: 'tick', atMs: 12_000 }).state;
    expect([...legs.values()].map(({ condition }) => condition.is)).toEqual(POLICY.legs.map(() => 'faulty'));
    expect(legs).not.toBe(before.legs);
    expect(servers).toBe(before.servers);
  });
});

describe('input that fits nothing', () => {
  test.each([
    { kind: 'look', atMs: 1, server: 'paris' as ServerName, look: goodLook(0, MOUNTS) },
    {
      kind: 'operator',
      atMs: 1,
      unixMs: 1,
      request: { do: 'hold', server: 'paris' as ServerName, author: 'ann', forMs: 1 },
    },
    {
      kind: 'heard-order',
      atMs: 1,
      order: { unixSeconds: 1, by: DUBLIN, author: 'ann', server: 'paris' as ServerName, hold: null },
    },
    { kind: 'link', atMs: 1, leg: 'nope' as never, link: { is: 'waiting' } },
  ] as const satisfies readonly Input[])('is harmless: %o', (input) => {
    expect(new Run().give(input).sent).toEqual([]);
  });
});

test('names of commands are never used twice by one agent', () => {
  const run = new Run().set(PRIMARY, audible(0, 900)).set(SECONDARY, audible(0, 900));
  run.look(LONDON, goodLook(900, [viewOf(PRIMARY), viewOf(SECONDARY)]));
  for (let atMs = 1000; atMs < 60_000; atMs += 500) {
    run.set(PRIMARY, faulty(900), 10).set(SECONDARY, audible(0, atMs));
    run.look(LONDON, goodLook(atMs, [viewOf(PRIMARY, { listeners: 10 }), viewOf(SECONDARY)]));
  }
  const ids = run.sent.map((command) => command.id);
  expect(ids.length).toBeGreaterThan(5);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids[0]).toBe('myfm@london-1');
});

describe('backups that fail', () => {
  /** Half a second at a time: which sources are silent, and since when. */
  function live(
    run: Run,
    fromMs: number,
    toMs: number,
    silentFromMs: Partial<Record<string, number>>,
  ): string[] {
    const before = run.told.length;
    for (let atMs = fromMs; atMs < toMs; atMs += 500) {
      for (const source of [PRIMARY, SECONDARY, AUTODJ]) {
        const sinceMs = silentFromMs[source];
        run.set(source, sinceMs === undefined ? audible(0, atMs) : faulty(sinceMs), 5);
      }
      run.look(LONDON, goodLook(atMs, MOUNTS)).look(DUBLIN, goodLook(atMs, MOUNTS, PRESENT));
    }
    return run.told
      .slice(before)
      .flatMap((event) =>
        event.kind === 'alert-opened' || event.kind === 'alert-closed'
          ? `${event.kind} ${event.code} ${event.subject}`
          : [],
      );
  }
  const lost = (fromMs: number) => ({ [PRIMARY]: fromMs, [SECONDARY]: fromMs, [AUTODJ]: fromMs });
  const told = (source: string) =>
    expect.stringContaining(`alert-opened backup-not-proven myfm/${source}`) as string;

  test('with the source on air are one alert, and have their time to come back with it', () => {
    const run = new Run();
    live(run, 0, 10_000, {});
    expect(live(run, 10_000, 90_000, lost(10_000))).toEqual(['alert-opened nothing-audible london']);
    const one = { [SECONDARY]: 10_000 };
    expect(live(run, 90_000, 110_000, one)).toEqual(['alert-closed nothing-audible london']);
    expect(live(run, 110_000, 125_000, one)).toEqual([told(SECONDARY)]);
  });

  test('before that are told, and stay so while all is lost', () => {
    const run = new Run();
    live(run, 0, 10_000, {});
    expect(live(run, 10_000, 60_000, { [AUTODJ]: 10_000 })).toEqual([told(AUTODJ)]);
    expect(live(run, 60_000, 120_000, { ...lost(60_000), [AUTODJ]: 10_000 })).toEqual([
      'alert-opened nothing-audible london',
    ]);
  });
});
