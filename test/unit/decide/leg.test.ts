import { describe, expect, test } from 'vitest';
import {
  isDisplaced,
  type LegState,
  newLeg,
  reconnecting,
  withCondition,
  withGap,
  withLink,
  withLook,
  withPulse,
  withReading,
} from '../../../src/decide/leg.ts';
import { type MonitorId, makeLeg, monitorId, mount } from '../../../src/domain/ids.ts';
import {
  goodLook,
  LONDON,
  MONITOR,
  MYFM,
  openLink,
  POLICY,
  PRIMARY,
  pulse,
  reading,
  SECONDARY,
  viewOf,
} from './builders.ts';

interface World {
  readonly sound: boolean;
  /** Where the looks find our monitor: on its mount, on another, or nowhere. */
  readonly seat: 'here' | 'elsewhere' | 'nowhere';
  readonly bytes: boolean;
  readonly mountThere: boolean;
  readonly looks: boolean;
  readonly lookEveryMs: number;
  readonly lookTakesMs: number;
  readonly decoder: 'running' | 'restarting' | 'rejecting';
}

const FINE: World = {
  sound: true,
  seat: 'here',
  bytes: true,
  mountThere: true,
  looks: true,
  lookEveryMs: 500,
  lookTakesMs: 10,
  decoder: 'running',
};

/** One leg through time: readings and ticks every 100 ms, pulses every 200 ms, looks as told. */
class LegRun {
  nowMs: number;
  leg: LegState;
  monitor: MonitorId = MONITOR;
  readonly seen: string[] = [];
  #openedAtMs = 0;
  #lastByteAtMs = 0;
  #lastGoodLookAtMs: number | null = null;

  constructor(startMs = 0) {
    this.nowMs = startMs;
    this.leg = newLeg(makeLeg(MYFM, PRIMARY, LONDON, mount('/primary')), startMs);
    this.connect();
  }

  get is(): string {
    const { condition } = this.leg;
    if (condition.is === 'faulty') return condition.fault;
    return condition.is === 'unknown' ? condition.reason : condition.is;
  }

  connect(monitor: MonitorId = MONITOR): void {
    this.monitor = monitor;
    this.#openedAtMs = this.nowMs;
    this.#lastByteAtMs = this.nowMs;
    this.leg = withLink(this.leg, openLink(this.nowMs, monitor));
  }

  go(forMs: number, changes: Partial<World> = {}): this {
    const world = { ...FINE, ...changes };
    for (const endMs = this.nowMs + forMs; this.nowMs < endMs; ) {
      this.nowMs += 100;
      this.#hear(world);
      if (world.looks && this.nowMs % world.lookEveryMs === 0)
        this.look(this.nowMs - world.lookTakesMs, world);
      this.judge();
    }
    return this;
  }

  #hear(world: World): void {
    const flows = world.bytes && world.mountThere;
    if (flows) this.#lastByteAtMs = this.nowMs;
    if (flows && world.decoder === 'running')
      this.leg = withReading(this.leg, reading(this.nowMs, world.sound ? 100 : 0, this.monitor));
    if (this.nowMs % 200 !== 0) return;
    this.leg = withPulse(
      this.leg,
      pulse(this.nowMs, {
        monitor: this.monitor,
        openedAtMs: this.#openedAtMs,
        lastByteAtMs: this.#lastByteAtMs,
        decoder: world.decoder,
      }),
    );
  }

  look(startedAtMs: number, changes: Partial<World> = {}): void {
    const world = { ...FINE, ...changes };
    const here = viewOf(PRIMARY, { monitors: world.seat === 'here' ? [this.monitor] : [] });
    const other = viewOf(SECONDARY, { monitors: world.seat === 'elsewhere' ? [this.monitor] : [] });
    const seen = goodLook(startedAtMs, world.mountThere ? [here, other] : [other]);
    this.leg = withLook(this.leg, { ...seen, atMs: this.nowMs }, POLICY);
    this.#lastGoodLookAtMs = this.nowMs;
  }

  judge(): void {
    const evidence = { down: null, lastGoodLookAtMs: this.#lastGoodLookAtMs, unauthorised: false };
    this.leg = withCondition(this.leg, evidence, this.nowMs, POLICY);
    if (this.seen.at(-1) !== this.is) this.seen.push(this.is);
  }
}

describe('proof of position', () => {
  test('a monitor that no look has found says nothing', () => {
    expect(new LegRun().go(10_000, { looks: false }).is).toBe('starting');
    expect(new LegRun().go(10_000, { seat: 'nowhere' }).is).not.toBe('audible');
  });

  test('what was heard is taken once a later look finds the monitor on its mount', () => {
    expect(new LegRun().go(2500).is).toBe('audible');
  });

  test('what is heard after the look began waits for the next one', () => {
    const run = new LegRun().go(3000);
    expect(run.leg.pending.map(({ atMs }) => atMs)).toEqual([3000]);
  });

  test('sound that came after the look began waits too, however early it was live', () => {
    const run = new LegRun().go(3000, { sound: false });
    const late = { ...reading(3100, 100), arrivedAtMs: 3600 };
    run.leg = withReading(run.leg, late);
    run.look(3500);
    expect(run.leg.pending).toEqual([late]);
    run.look(3600);
    expect(run.leg.pending).toEqual([]);
    expect(run.leg.sensor.heardToMs).toBe(3100);
  });

  test('the first second of a connection does not count, as a dead mount still hands out its burst', () => {
    const run = new LegRun();
    for (let index = 0; index < 30; index += 1)
      run.leg = withReading(run.leg, reading(-3000 + index * 100, 100));
    run.go(800, { bytes: false });
    expect(run.leg.condition.is).toBe('unknown');
    expect(run.leg.sensor.verdict).toBe('unheard');
  });

  test('what another connection heard is not taken', () => {
    const run = new LegRun();
    run.leg = withReading(run.leg, reading(100, 100, monitorId('b2')));
    run.leg = withPulse(run.leg, pulse(100, { monitor: monitorId('b2') }));
    expect(run.leg).toMatchObject({ pending: [], pulse: null });
  });

  test('no more than half a minute waits for a proof', () => {
    expect(new LegRun().go(60_000, { looks: false }).leg.pending).toHaveLength(300);
  });

  test.each([
    [500, 10],
    [500, 1900],
    [1000, 300],
    [1000, 1200],
    [1500, 1000],
  ])('looks every %i ms that take %i ms are enough to keep a leg audible', (lookEveryMs, lookTakesMs) => {
    const run = new LegRun().go(8000, { lookEveryMs, lookTakesMs });
    run.seen.splice(0);
    run.go(60_000, { lookEveryMs, lookTakesMs });
    expect(run.is).toBe('audible');
    expect(run.seen).toEqual(['audible']);
  });
});

describe('a monitor in the wrong place', () => {
  test('found on another mount, it has to connect anew at once', () => {
    const run = new LegRun().go(3000);
    run.look(run.nowMs, { seat: 'elsewhere' });
    expect(isDisplaced(run.leg)).toBe(true);
    expect(run.leg.pending).toEqual([]);
  });

  test('found nowhere, it has to connect anew after the second look', () => {
    const run = new LegRun().go(3000);
    run.look(run.nowMs, { seat: 'nowhere' });
    expect(isDisplaced(run.leg)).toBe(false);
    run.look(run.nowMs, { seat: 'nowhere' });
    expect(isDisplaced(run.leg)).toBe(true);
  });

  test('found nowhere by a look that began before it had connected, it is given time', () => {
    const run = new LegRun();
    for (let look = 0; look < 5; look += 1) run.look(400, { seat: 'nowhere' });
    expect(isDisplaced(run.leg)).toBe(false);
  });

  test('found where it belongs, the count begins anew', () => {
    const run = new LegRun().go(3000);
    run.look(run.nowMs, { seat: 'nowhere' });
    run.look(run.nowMs);
    run.look(run.nowMs, { seat: 'nowhere' });
    expect(isDisplaced(run.leg)).toBe(false);
  });

  test('what still arrives on the old connection is of no use', () => {
    const run = new LegRun().go(3000);
    run.leg = reconnecting(run.leg);
    run.leg = withReading(run.leg, reading(3100, 100));
    run.leg = withPulse(run.leg, pulse(3100));
    expect(run.leg).toMatchObject({ pending: [], pulse: null, link: { is: 'waiting' } });
  });
});

describe('a mount that is missing', () => {
  test('in one look, is still what it was', () => {
    const run = new LegRun().go(3000);
    run.look(run.nowMs, { mountThere: false });
    run.judge();
    expect(run.is).toBe('audible');
  });

  test('in two looks a second apart is absent, from the first of them', () => {
    const run = new LegRun().go(3000).go(2000, { mountThere: false });
    expect(run.leg.condition).toMatchObject({ is: 'faulty', fault: 'absent', sinceMs: 3490 });
  });

  test('is not absent for being missing in one look long ago, without a second one', () => {
    const run = new LegRun().go(3000);
    run.look(run.nowMs, { mountThere: false });
    run.go(2500, { looks: false });
    expect(run.is).not.toBe('absent');
  });

  test('that is back has to be heard anew', () => {
    const run = new LegRun().go(10_000).go(3000, { mountThere: false });
    run.connect(monitorId('b2'));
    const backAtMs = run.nowMs;
    run.go(900);
    expect(run.is).not.toBe('audible');
    run.go(6000);
    expect(run.leg.condition).toMatchObject({ is: 'audible' });
    expect(run.leg.condition.sinceMs).toBeGreaterThanOrEqual(backAtMs);
  });
});

test('a mount that was gone for a moment is not audible for what was heard before it went', () => {
  const run = new LegRun().go(10_000).go(8000, { sound: false }).go(1000, { mountThere: false });
  run.connect(monitorId('b2'));
  for (let atMs = run.nowMs - 5000; atMs <= run.nowMs - 1000; atMs += 100)
    run.leg = withReading(run.leg, reading(atMs, 100, run.monitor));
  run.seen.splice(0);
  run.go(4000, { sound: false });
  expect(run.seen).not.toContain('audible');
});

describe('a stall', () => {
  test('is found at the stall delay from the last byte, on a connection that is proven', () => {
    const run = new LegRun().go(10_000).go(1900, { bytes: false });
    expect(run.is).toBe('audible');
    run.go(300, { bytes: false });
    expect(run.leg.condition).toMatchObject({ is: 'faulty', fault: 'stalled', sinceMs: 10_000 });
  });

  test('makes health begin anew: an old burst proves nothing', () => {
    const run = new LegRun().go(10_000).go(4000, { bytes: false });
    const resumedAtMs = run.nowMs;
    for (let atMs = 5000; atMs <= resumedAtMs; atMs += 100)
      run.leg = withReading(run.leg, reading(atMs, 100));
    run.go(900);
    expect(run.is).not.toBe('audible');
    run.go(3000);
    expect(run.leg.condition.is).toBe('audible');
    expect(run.leg.condition.sinceMs).toBeGreaterThanOrEqual(resumedAtMs);
  });

  test('hides no silence: what the network brings afterwards counts from when it was live', () => {
    const run = new LegRun().go(10_000).go(6000, { bytes: false });
    expect(run.is).toBe('stalled');
    for (let atMs = 10_100; atMs <= run.nowMs; atMs += 100) {
      const heldBack = reading(atMs, atMs <= 12_000 ? 100 : 0);
      run.leg = withReading(run.leg, { ...heldBack, arrivedAtMs: run.nowMs });
    }
    run.go(900, { sound: false });
    expect(run.is).toBe('starting');
    run.go(600, { sound: false });
    expect(run.leg.condition).toMatchObject({ is: 'faulty', fault: 'silent', sinceMs: 12_000 });
  });

  test('of the encoder is no silence, though quiet lies on both sides of it', () => {
    const run = new LegRun().go(10_000).go(1000, { sound: false }).go(6000, { bytes: false });
    run.go(4500, { sound: false }).go(3000);
    expect(run.seen).not.toContain('silent');
    expect(run.is).toBe('audible');
  });

  test('of a connection says nothing of what another one brings: that begins with an old burst', () => {
    const run = new LegRun().go(10_000).go(6000, { bytes: false });
    run.connect(monitorId('b2'));
    run.judge();
    for (let atMs = run.nowMs - 3900; atMs <= run.nowMs; atMs += 100) {
      const burst = reading(atMs, 100, monitorId('b2'));
      run.leg = withReading(run.leg, { ...burst, arrivedAtMs: run.nowMs });
    }
    run.go(4000, { sound: false });
    expect(run.is).not.toBe('audible');
    expect(run.leg.sensor.verdict).toBe('unheard');
  });

  test('keeps its fault for a moment when a new connection has nothing to say yet', () => {
    const run = new LegRun().go(10_000).go(3000, { bytes: false });
    run.connect(monitorId('b2'));
    run.go(1000, { bytes: false });
    expect(run.is).toBe('stalled');
  });
});

describe('silence', () => {
  test('trips at the trip delay, once it has been proven', () => {
    const run = new LegRun().go(10_000).go(4900, { sound: false });
    expect(run.is).toBe('audible');
    run.go(700, { sound: false });
    expect(run.leg.condition).toMatchObject({ is: 'faulty', fault: 'silent', sinceMs: 10_000 });
  });

  test('an audible leg was verified when its quiet began, not now', () => {
    const run = new LegRun().go(10_000).go(3000, { sound: false });
    expect(run.leg.condition).toMatchObject({ is: 'audible', verifiedAtMs: 10_000 });
  });
});

describe('our own trouble is never the fault of a leg', () => {
  test('a dead decoder makes it unknown', () => {
    const run = new LegRun().go(10_000).go(5000, { decoder: 'restarting' });
    expect(run.leg.condition).toMatchObject({ is: 'unknown', reason: 'decoder' });
  });

  test('bytes that two fresh decoders find no sound in are its fault', () => {
    const run = new LegRun().go(10_000).go(1000, { decoder: 'rejecting' });
    expect(run.is).toBe('undecodable');
  });

  test('without looks it is unknown after three seconds', () => {
    const run = new LegRun().go(10_000).go(2900, { looks: false });
    expect(run.is).toBe('audible');
    run.go(300, { looks: false });
    expect(run.is).toBe('admin-silent');
  });

  test.each([
    [{ down: { sinceMs: 7, detail: 'gone' }, lastGoodLookAtMs: 9000, unauthorised: false }, 'unresponsive'],
    [{ down: null, lastGoodLookAtMs: 1, unauthorised: true }, 'admin-unauthorised'],
    [{ down: null, lastGoodLookAtMs: 1, unauthorised: false }, 'admin-silent'],
    [{ down: null, lastGoodLookAtMs: null, unauthorised: false }, 'starting'],
  ])('the server as %o makes it %s', (evidence, is) => {
    const run = new LegRun();
    run.leg = withCondition(run.leg, evidence, 10_000, POLICY);
    expect(run.is).toBe(is);
  });

  test('a standstill of ours is not a stall, though the first pulse after it knows no newer byte', () => {
    const run = new LegRun().go(10_000);
    run.nowMs += 2500;
    run.leg = withGap(run.leg, run.nowMs);
    run.leg = withPulse(run.leg, pulse(run.nowMs, { lastByteAtMs: 10_000 }));
    run.look(run.nowMs);
    run.judge();
    expect(run.is).not.toBe('stalled');
    run.go(5000);
    expect(run.seen).not.toContain('stalled');
    expect(run.is).toBe('audible');
  });

  test('a mount that stalled while we stood still is found a stall delay later', () => {
    const run = new LegRun().go(10_000);
    run.nowMs += 2500;
    run.leg = withGap(run.leg, run.nowMs);
    run.go(2300, { bytes: false });
    expect(run.is).toBe('stalled');
  });

  test('a silence that began before a standstill goes on through it where all of it is heard afterwards', () => {
    const run = new LegRun().go(10_000).go(1_000, { sound: false });
    for (let late = 1; late <= 40; late += 1)
      run.leg = withReading(run.leg, reading(run.nowMs + 100 * late, 0));
    run.nowMs += 4_000;
    const heard = run.leg.pending;
    run.leg = { ...withGap(run.leg, run.nowMs), pending: heard };
    run.go(600, { sound: false });
    expect(run.is).toBe('silent');
    expect(run.leg.condition.sinceMs).toBe(10_000);
  });

  test('a silence before a standstill in which nothing was heard says nothing of what comes after it', () => {
    const run = new LegRun().go(10_000).go(1_000, { sound: false });
    run.nowMs += 20_000;
    run.leg = withGap(run.leg, run.nowMs);
    run.go(4_000, { sound: false });
    expect(run.seen).not.toContain('silent');
    run.go(2_000, { sound: false });
    expect(run.is).toBe('silent');
  });

  test('a look that began before a standstill proves nothing after it', () => {
    const run = new LegRun().go(10_000);
    run.nowMs += 2500;
    run.leg = withGap(run.leg, run.nowMs);
    run.look(10_000);
    expect(run.leg.provenAtMs).toBeNull();
  });
});

describe('a programme fault', () => {
  const tone = (run: LegRun, forMs: number, fromMs = run.nowMs) => {
    for (const endMs = run.nowMs + forMs; run.nowMs < endMs; ) {
      run.nowMs += 100;
      const faults = [{ fault: 'tone', lastedMs: run.nowMs - fromMs }] as const;
      run.leg = withReading(run.leg, { ...reading(run.nowMs, 100, run.monitor), faults });
      if (run.nowMs % 200 === 0)
        run.leg = withPulse(run.leg, pulse(run.nowMs, { monitor: run.monitor, openedAtMs: 0 }));
      if (run.nowMs % 500 === 0) run.look(run.nowMs - 10);
      run.judge();
    }
  };

  test('that is to be acted on is the fault of the leg, until it is heard to end', () => {
    const run = new LegRun().go(10_000);
    tone(run, 2000);
    expect(run.leg.condition).toMatchObject({ is: 'faulty', fault: 'tone' });
    const overAtMs = run.nowMs;
    run.go(4000);
    expect(run.leg.condition.is).toBe('audible');
    expect(run.leg.condition.sinceMs).toBeGreaterThanOrEqual(overAtMs - 600);
  });

  test('is there since it began in the sound, which the meter learnt later', () => {
    const run = new LegRun().go(20_000);
    tone(run, 2000, 9_300);
    expect(run.leg.condition).toMatchObject({ is: 'faulty', fault: 'tone', sinceMs: 9_300 });
  });

  test('keeps its beginning when another connection finds it again, which came into the middle of it', () => {
    const run = new LegRun().go(20_000);
    tone(run, 2000, 9_300);
    run.leg = withLink(run.leg, {
      is: 'open',
      sinceMs: run.nowMs,
      monitor: monitorId('a2'),
      contentType: 'audio/mpeg',
    });
    run.monitor = monitorId('a2');
    tone(run, 12_000);
    expect(run.leg.condition).toMatchObject({ is: 'faulty', fault: 'tone', sinceMs: 9_300 });
  });

  test('is not known any more once our decoder is dead', () => {
    const run = new LegRun().go(10_000);
    tone(run, 2000);
    run.go(8000, { decoder: 'restarting' });
    expect(run.leg.condition).toMatchObject({ is: 'unknown', reason: 'decoder' });
  });
});
