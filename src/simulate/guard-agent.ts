import { ordersOf } from '../decide/operator.ts';
import type { Memory, StationState } from '../decide/state.ts';
import type { Command } from '../domain/commands.ts';
import type { StationEvent } from '../domain/events.ts';
import { type LegId, type MonitorId, monitorId, type ServerName } from '../domain/ids.ts';
import type { Input } from '../domain/inputs.ts';
import type { StationPolicy } from '../domain/policy.ts';
import type { FoundFault, LevelReading } from '../domain/readings.ts';
import type { Monitor, SimServer } from './icecast.ts';

/** The functions under test; the mutation check puts broken ones here. */
export interface Core {
  readonly step: typeof import('../decide/step.ts').step;
  readonly newState: typeof import('../decide/state.ts').newState;
  readonly memoryOf: typeof import('../decide/state.ts').memoryOf;
}

export interface Deeds {
  command(agent: SimAgent, command: Command, nowMs: number): void;
  event(agent: SimAgent, event: StationEvent, nowMs: number): void;
}

/** A block of the meter, and the step of the world where somebody watches. */
const BLOCK_MS = 100;
const LOOK_EVERY_MS = 500;
/** A look that gets no answer is given up after this. */
const LOOK_WITHIN_MS = 2000;
const PRESENCE_EVERY_MS = 5000;
const PULSE_EVERY_MS = 200;
/** How long the simulated meter takes to find a tone. */
const METER_FINDS_MS = 8000;

export function readingOf(
  monitor: MonitorId,
  atMs: number,
  audibleMs: number,
  faults: readonly FoundFault[],
  durationMs: number = BLOCK_MS,
): LevelReading {
  const unknown = Number.NaN;
  return {
    monitor,
    atMs,
    arrivedAtMs: atMs,
    durationMs,
    rmsDbfs: [],
    samplePeakDbfs: unknown,
    truePeakDbtp: unknown,
    momentaryLufs: unknown,
    shortTermLufs: unknown,
    integratedLufs: unknown,
    loudnessRangeLu: unknown,
    correlation: unknown,
    audibleMs,
    faults,
    warnings: [],
  };
}

interface Due {
  readonly atMs: number;
  readonly run: (nowMs: number) => void;
}

/** One agent around the real core: simulated ears, looks and hands, each late or lost by chance. */
export class SimAgent {
  readonly name: ServerName;
  readonly policy: StationPolicy;
  state: StationState;
  /** The agent's decoders are dead: bytes come, no readings. */
  deaf = false;
  wrongPassword = false;
  /** Its ear for this one mount is dead. */
  deafTo: string | null = null;
  /** A click of 10 ms this often in what is silent; null: none. */
  clickEveryMs: number | null = null;
  /** What it hears comes so much later than it was live, as it may once the network is behind. */
  lateMs = 0;
  /** How long Icecast takes to answer its looks; null: as long as it usually does. */
  lookTakesMs: number | null = null;
  stopped = false;
  /** Which servers the network lets it reach. */
  reaches: (server: ServerName) => boolean = () => true;
  #stepMs = BLOCK_MS;
  #core: Core;
  #servers: ReadonlyMap<ServerName, SimServer>;
  #deeds: Deeds;
  #random: () => number;
  #due: Due[] = [];
  #monitors = new Map<LegId, Monitor>();
  #listed = new Map<LegId, boolean>();

  constructor(
    core: Core,
    policy: StationPolicy,
    servers: ReadonlyMap<ServerName, SimServer>,
    deeds: Deeds,
    random: () => number,
    memory: Memory,
    nowMs: number,
  ) {
    this.#core = core;
    this.policy = policy;
    this.name = policy.self;
    this.#servers = servers;
    this.#deeds = deeds;
    this.#random = random;
    this.state = core.newState(policy, memory, nowMs);
    for (const server of policy.servers) this.#scheduleLook(server, nowMs + random() * 500);
  }

  memory(nowMs: number): Memory {
    return this.#core.memoryOf(this.state, nowMs);
  }

  feed(input: Input): void {
    if (this.stopped) return;
    const { state, commands, events } = this.#core.step(this.state, input, this.policy);
    this.state = state;
    for (const event of events) this.#deeds.event(this, event, input.atMs);
    for (const command of commands) this.#carryOut(command, input.atMs);
  }

  tick(nowMs: number, stepMs: number = BLOCK_MS): void {
    if (this.stopped) return;
    this.#stepMs = stepMs;
    for (const leg of this.policy.legs) this.#listen(leg.id, nowMs);
    const due = this.#due.filter((entry) => entry.atMs <= nowMs);
    this.#due = this.#due.filter((entry) => entry.atMs > nowMs);
    for (const entry of due) entry.run(nowMs);
    const here = this.#servers.get(this.name);
    if (here?.state === 'up' && nowMs % PRESENCE_EVERY_MS < stepMs) here.presences.set(this.name, nowMs);
    if (nowMs % PRESENCE_EVERY_MS < stepMs) this.#say();
    this.feed({ kind: 'tick', atMs: nowMs });
  }

  /** Process gone: its connections go too. */
  die(): void {
    this.stopped = true;
    for (const server of this.#servers.values()) {
      server.monitors = server.monitors.filter((monitor) => monitor.agent !== this.name);
      server.presences.delete(this.name);
      server.orders.delete(this.name);
    }
  }

  #say(): void {
    const orders = ordersOf(this.state);
    for (const server of this.#servers.values())
      if (this.#answers(server)) server.orders.set(this.name, orders);
  }

  #listen(id: LegId, nowMs: number): void {
    const leg = this.policy.legs.find((candidate) => candidate.id === id);
    const server = leg === undefined ? undefined : this.#servers.get(leg.server);
    if (leg === undefined || server === undefined) return;
    const monitor = this.#monitors.get(id);
    if (monitor === undefined || !server.monitors.includes(monitor)) {
      if (monitor !== undefined) {
        this.#monitors.delete(id);
        this.feed({
          kind: 'link',
          atMs: nowMs,
          leg: id,
          link: { is: 'failed', sinceMs: nowMs, failure: 'closed', detail: '' },
        });
      }
      if (this.#answers(server) && this.#listed.get(id) === true) this.#connect(id, server, nowMs);
      return;
    }
    const seat = server.mounts.get(monitor.seat);
    const flows = this.#answers(server) && seat?.connected === true && seat.stalledAtMs === null;
    if (flows) monitor.lastByteAtMs = nowMs;
    const hears = !this.deaf && this.deafTo !== leg.mount;
    if (flows && hears) {
      const click = this.clickEveryMs !== null && nowMs % this.clickEveryMs === 0 ? 10 : 0;
      const audibleMs = seat.audible ? this.#stepMs : click;
      const lastedMs = seat.toneFromMs === null ? 0 : nowMs - Math.max(seat.toneFromMs, monitor.openedAtMs);
      const faults: readonly FoundFault[] = lastedMs >= METER_FINDS_MS ? [{ fault: 'tone', lastedMs }] : [];
      const heard = readingOf(monitor.id, nowMs - this.lateMs, audibleMs, faults, this.#stepMs);
      const reading = { ...heard, arrivedAtMs: nowMs };
      this.feed({ kind: 'levels', atMs: nowMs, leg: id, reading });
    }
    if (nowMs % PULSE_EVERY_MS < BLOCK_MS || this.#stepMs > PULSE_EVERY_MS) {
      const { id: token, openedAtMs, lastByteAtMs } = monitor;
      const decoder = hears ? 'running' : 'restarting';
      const pulse = {
        monitor: token,
        atMs: nowMs,
        openedAtMs,
        lastByteAtMs,
        lastPcmAtMs: lastByteAtMs,
        decoder,
      } as const;
      this.feed({ kind: 'pulse', atMs: nowMs, leg: id, pulse });
    }
  }

  #connect(id: LegId, server: SimServer, nowMs: number): void {
    const leg = this.policy.legs.find((candidate) => candidate.id === id);
    const seat = leg === undefined ? null : server.landing(leg.mount);
    if (leg === undefined || seat === null) return;
    const monitor: Monitor = {
      id: monitorId(Math.floor(this.#random() * 2 ** 48).toString(16)),
      leg: id,
      agent: this.name,
      server: server.name,
      seat: seat.mount,
      openedAtMs: nowMs,
      lastByteAtMs: nowMs,
    };
    server.monitors.push(monitor);
    this.#monitors.set(id, monitor);
    const link = {
      is: 'open',
      sinceMs: nowMs,
      monitor: monitor.id,
      contentType: seat.contentType,
    } as const;
    this.feed({ kind: 'link', atMs: nowMs, leg: id, link });
    // The burst: the last that the mount gave, however long ago, and it sounds as if it were now.
    if (this.deaf || this.deafTo === leg.mount) return;
    for (const [index, audible] of seat.burst.entries()) {
      const atMs = nowMs - (seat.burst.length - 1 - index) * BLOCK_MS;
      const reading = {
        ...readingOf(monitor.id, atMs, audible ? BLOCK_MS : 0, []),
        arrivedAtMs: nowMs,
      };
      this.feed({ kind: 'levels', atMs: nowMs, leg: id, reading });
    }
  }

  #answers(server: SimServer): boolean {
    return server.state === 'up' && this.reaches(server.name);
  }

  #scheduleLook(name: ServerName, atMs: number): void {
    this.#due.push({
      atMs,
      run: (startedAtMs) => this.#look(name, startedAtMs),
    });
  }

  #look(name: ServerName, startedAtMs: number): void {
    const server = this.#servers.get(name);
    if (server === undefined) return;
    const isUnanswered = server.state === 'frozen' || !this.reaches(name);
    const takesMs = isUnanswered ? LOOK_WITHIN_MS : (this.lookTakesMs ?? 5 + this.#random() * 60);
    const snapshot = server.look(this.name, startedAtMs, startedAtMs + takesMs);
    this.#due.push({
      atMs: startedAtMs + takesMs,
      run: (atMs) => {
        const look: ServerLook = this.wrongPassword
          ? {
              ok: false,
              startedAtMs,
              atMs,
              failure: 'unauthorised',
              detail: 'wrong password',
            }
          : isUnanswered
            ? { ok: false, startedAtMs, atMs, failure: 'timed-out', detail: 'no answer' }
            : { ...snapshot, atMs };
        if (look.ok) {
          for (const leg of this.policy.legs) {
            if (leg.server === name)
              this.#listed.set(
                leg.id,
                look.mounts.some((view) => view.mount === leg.mount),
              );
          }
        }
        if (look.ok)
          for (const [agent, orders] of server.orders)
            if (agent !== this.name)
              for (const order of orders) this.feed({ kind: 'heard-order', atMs, order });
        this.feed({ kind: 'look', atMs, server: name, look });
        this.#scheduleLook(name, startedAtMs + LOOK_EVERY_MS);
      },
    });
  }

  #carryOut(command: Command, nowMs: number): void {
    this.#deeds.command(this, command, nowMs);
    if (command.kind === 'reconnect-monitor') {
      const monitor = this.#monitors.get(command.leg);
      if (monitor === undefined) return;
      this.#monitors.delete(command.leg);
      const server = this.#servers.get(monitor.server);
      if (server !== undefined) server.monitors = server.monitors.filter((other) => other !== monitor);
      return;
    }
    const server = this.#servers.get(command.server);
    const fate = this.#random();
    if (server === undefined || fate < 0.02) return;
    const actsAtMs = nowMs + this.#random() * (fate < 0.1 ? 3000 : 30);
    this.#due.push({
      atMs: actsAtMs,
      run: (atMs) => {
        const moved = this.reaches(command.server) ? server.move(command.from, command.to) : 0;
        if (fate < 0.05) return;
        const outcome =
          moved > 0
            ? ({ is: 'done', detail: `${moved} moved` } as const)
            : ({ is: 'not-done', detail: 'nobody moved' } as const);
        this.feed({ kind: 'result', atMs, command: command.id, outcome });
      },
    });
  }
}

type ServerLook = Extract<Input, { kind: 'look' }>['look'];
