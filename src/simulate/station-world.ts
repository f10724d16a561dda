import { memoryOf, newState, noMemory } from '../decide/state.ts';
import { step } from '../decide/step.ts';
import type { StationEvent } from '../domain/events.ts';
import type { FailoverPolicy } from '../domain/failover.ts';
import type { ServerName } from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { DnsCheck, type DnsCheckPolicy } from './dns-check.ts';
import { DnsWorld } from './dns-world.ts';
import type { WorldFault } from './faults.ts';
import { type Core, SimAgent } from './guard-agent.ts';
import { type Output, Parts } from './parts.ts';
import { RelayLine } from './relay-line.ts';
import { Standstill } from './standstill.ts';
import { LONDON, policyFor, SERVERS, seeded } from './station.ts';

/** Who looks after the station. */
export type Keeper =
  /** Sustain beside both servers, with the name in its hands. */
  | { readonly is: 'sustain' }
  /** Sustain beside one server, and no other. */
  | { readonly is: 'one-server' }
  /** Icecast's own fallback, and a plain check that moves the name. */
  | { readonly is: 'dns-check'; readonly check: DnsCheckPolicy }
  /** Icecast's own fallback alone. */
  | { readonly is: 'fallback' };

export interface WorldOptions {
  readonly keeper: Keeper;
  readonly station: Partial<StationPolicy>;
  readonly failover: Partial<FailoverPolicy>;
  /** How far a relay plays behind; in guard mode of no matter. */
  readonly relayDelayMs: number;
  readonly encoderReconnectMs: number;
  /** Leave out stretches in which nothing happens. */
  readonly skips: boolean;
}

/** What became different in the world that a listener or a statistician would see. `atMs`: since the world began. */
export type Change =
  | { readonly atMs: number; readonly what: 'output'; readonly server: ServerName; readonly output: Output }
  | { readonly atMs: number; readonly what: 'name'; readonly server: ServerName; readonly isFalse: boolean }
  | { readonly atMs: number; readonly what: 'ended'; readonly server: ServerName }
  | {
      readonly atMs: number;
      readonly what: 'switched';
      readonly server: ServerName;
      readonly isFalse: boolean;
    };

const CORE: Core = { step, newState, memoryOf };
const FINE_MS = 100;
const COARSE_MS = 500;
/** As `wiring/name-desk.ts` and `wiring/guarded-ear.ts` have it. */
const NAMES_TICK_MS = 200;
/** From the order of a move to what resolvers are told: the epoch is read, and the records are written. */
const WRITE_MS = 100;
/** After anything that happened the world goes in fine steps for so long. */
const FINE_FOR_MS = 10_000;
/** What sounds for so long was no reason to leave it. */
const SURELY_WELL_MS = 2_500;
const SURELY_WELL_FOR_NAME_MS = 6_000;

/** A station under simulated faults: the decisions as they ship, around servers, encoders and a network that are not. */
export class StationWorld {
  readonly changes: Change[] = [];
  readonly parts: Parts;
  readonly agents = new Map<ServerName, SimAgent>();
  readonly names: DnsWorld | null;
  readonly #options: WorldOptions;
  readonly #relays = new Map<ServerName, RelayLine>();
  readonly #check: DnsCheck | null;
  readonly #standstill = new Standstill();
  readonly #outputs = new Map<ServerName, { readonly output: Output; readonly sinceMs: number }>();
  readonly #memories = new Map<ServerName, { memory: ReturnType<typeof memoryOf>; goneMs: number }>();
  readonly #random = seeded(1);
  #name: ServerName = LONDON;
  #nowMs = 0;
  #skippedMs = 0;
  #happenedMs = 0;
  #settled: { readonly worldMs: number; readonly atMs: number } | null = null;
  #seenEvents = 0;
  #seenEnded = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    const { keeper } = options;
    const hasAgents = keeper.is === 'sustain' || keeper.is === 'one-server';
    this.parts = new Parts({
      encoderReconnectMs: options.encoderReconnectMs,
      fallbackOverride: !hasAgents,
    });
    if (hasAgents) for (const name of this.#guarded) this.#startAgent(name);
    this.#check = keeper.is === 'dns-check' ? new DnsCheck(keeper.check, SERVERS) : null;
    this.names = keeper.is === 'sustain' ? this.#startNames() : null;
    for (const name of SERVERS) this.#outputs.set(name, { output: this.output(name), sinceMs: 0 });
  }

  /** Since the world began, with what was left out of it, in ms. */
  get atMs(): number {
    return this.#nowMs + this.#skippedMs;
  }

  /** Where the name points. */
  get name(): ServerName {
    return this.#name;
  }

  /** What a listener of a server hears. */
  output(name: ServerName): Output {
    const { parts } = this;
    if (this.#options.station.mode !== 'relay' || this.agents.size === 0) return parts.output(name);
    const isOpen = parts.server(name).state === 'up' && !parts.is('site', name);
    if (!isOpen) return parts.output(name);
    const relayed =
      this.agents.get(name)?.stopped === false ? this.#relays.get(name)?.output(this.#nowMs) : null;
    return relayed ?? parts.output(name);
  }

  begin(fault: WorldFault): void {
    this.parts.begin(fault, this.#nowMs);
    this.#settleAgents();
  }

  end(fault: WorldFault): void {
    this.parts.end(fault, this.#nowMs);
    this.#settleAgents();
  }

  /** When it was found that time alone would change nothing any more; null when something happened since, or it never was. */
  get settledMs(): number | null {
    return this.#settled !== null && this.#settled.worldMs > this.#happenedMs ? this.#settled.atMs : null;
  }

  /** True when all is as it should be: no fault, the name and every listener where they belong, nothing on its way. */
  get isAtRest(): boolean {
    if (this.parts.faults.size > 0 || !this.parts.isSettled || this.#name !== LONDON) return false;
    if (!this.#isQuietFor(FINE_FOR_MS)) return false;
    const servers = this.#options.keeper.is === 'one-server' ? [LONDON] : SERVERS;
    return servers.every((name) => {
      const { is, source } = this.output(name);
      return is === 'sound' && source === 'primary';
    });
  }

  /** Lets the world go on until `untilMs`, a multiple of 100. */
  runTo(untilMs: number): void {
    this.#run(untilMs, (leftMs) => this.#isQuietFor(FINE_FOR_MS) && leftMs >= COARSE_MS);
  }

  /** The same for a world that has just been made: how it comes to rest is of no interest. `untilMs`: a multiple of 500. */
  warmUp(untilMs: number): void {
    this.#run(untilMs, () => true);
  }

  #run(untilMs: number, mayBeCoarse: (leftMs: number) => boolean): void {
    while (this.atMs < untilMs) {
      const isCoarse = this.#nowMs % COARSE_MS === 0 && mayBeCoarse(untilMs - this.atMs);
      this.#advance(isCoarse ? COARSE_MS : FINE_MS);
      if (this.#options.skips && isCoarse && this.#isQuietFor(FINE_FOR_MS)) this.#skip(untilMs - this.atMs);
    }
  }

  get #guarded(): readonly ServerName[] {
    return this.#options.keeper.is === 'one-server' ? [LONDON] : SERVERS;
  }

  #isQuietFor(ms: number): boolean {
    return this.#nowMs - this.#happenedMs >= ms;
  }

  #skip(leftMs: number): void {
    const { keeper } = this.#options;
    // The plain check comes seldom, and must have had its say before anything is left out.
    if (keeper.is === 'dns-check') {
      const { intervalMs, fall, rise } = keeper.check;
      if (!this.#isQuietFor((Math.max(fall, rise) + 1) * intervalMs)) return;
    }
    const stations = [...this.agents]
      .filter(([, agent]) => !agent.stopped)
      .map(([name, agent]) => ({ agent, relay: this.#relays.get(name) ?? null }));
    const names = this.names?.agents.filter((agent) => agent.isAlive) ?? [];
    const { atMs } = this;
    const skipped = this.#standstill.skip(this.#nowMs, leftMs, this.#happenedMs, { stations, names });
    this.#skippedMs += skipped.byMs;
    if (skipped.isForGood) this.#settled = { worldMs: this.#nowMs, atMs };
  }

  #advance(stepMs: 100 | 500): void {
    this.#nowMs += stepMs;
    const nowMs = this.#nowMs;
    this.parts.advance(nowMs, stepMs);
    if (!this.parts.isSettled) this.#happened();
    for (const [name, agent] of this.agents) {
      agent.tick(nowMs, stepMs);
      const switched = agent.stopped ? null : (this.#relays.get(name)?.advance(nowMs) ?? null);
      if (switched === null) continue;
      this.#happened();
      if (switched.trigger === 'start' || switched.from === null) continue;
      const left = agent.policy.legs.find(({ id }) => id === switched.from);
      const isFalse =
        switched.trigger === 'fault' && left !== undefined && this.#isWell(left.server, left.source);
      this.changes.push({ atMs: this.atMs, what: 'switched', server: name, isFalse });
    }
    if (this.names !== null) this.#advanceNames(this.names, stepMs);
    if (this.#check !== null) this.#pointTo(this.#checked(this.#check));
    for (const name of SERVERS) this.#noteOutput(name);
  }

  #checked(check: DnsCheck): ServerName {
    const answers = (server: ServerName) =>
      ['sound', 'pause', 'silent'].includes(this.parts.output(server).is);
    return check.advance(this.atMs, this.#name, !this.parts.is('provider'), answers);
  }

  #noteOutput(server: ServerName): void {
    const output = this.output(server);
    const before = this.#outputs.get(server)?.output;
    if (before?.is === output.is && before.source === output.source) return;
    this.#happened();
    this.#outputs.set(server, { output, sinceMs: this.#nowMs });
    this.changes.push({ atMs: this.atMs, what: 'output', server, output });
  }

  #happened(): void {
    this.#happenedMs = this.#nowMs;
  }

  #pointTo(server: ServerName): void {
    if (server === this.#name) return;
    const left = this.#outputs.get(this.#name);
    const isWell = left?.output.is === 'sound' && this.#nowMs - left.sinceMs >= SURELY_WELL_FOR_NAME_MS;
    this.#happened();
    this.#name = server;
    this.changes.push({ atMs: this.atMs, what: 'name', server, isFalse: server !== LONDON && isWell });
  }

  #startAgent(name: ServerName): void {
    const kept = this.#memories.get(name);
    const memory = kept === undefined ? noMemory : { ...kept.memory, ageMs: this.atMs - kept.goneMs };
    const servers = this.#guarded;
    const whole = policyFor(name, this.#options.station);
    const policy = { ...whole, servers, legs: whole.legs.filter((leg) => servers.includes(leg.server)) };
    const deeds = {
      event: (_: SimAgent, event: StationEvent) => this.#noteEvent(event),
      command: () => this.#happened(),
    };
    // Nothing of what an agent sends is lost, so that a world is the same each time it is run.
    const random = seeded(Math.floor(this.#random() * 2 ** 32));
    const agent = new SimAgent(
      CORE,
      policy,
      this.parts.servers,
      deeds,
      () => 0.2 + 0.8 * random(),
      memory,
      this.#nowMs,
    );
    agent.reaches = (server) => this.parts.reaches(name, server);
    this.agents.set(name, agent);
    if (policy.mode !== 'relay') return;
    const heardOn = (server: ServerName, source: string): Output =>
      this.parts.server(server).state !== 'up' || !this.parts.reaches(name, server)
        ? { is: 'stalled', source: null }
        : this.parts.heardOn(server, source as 'primary');
    this.#relays.set(name, new RelayLine(agent, this.#options.relayDelayMs, heardOn));
  }

  #startNames(): DnsWorld {
    const onAir = (agent: string, server: ServerName) => {
      const state = [...this.agents.values()].find(({ name }) => name === agent)?.state;
      const source = state?.desks.get(server)?.onAir;
      return (
        [...(state?.legs.values() ?? [])].find(({ leg }) => leg.server === server && leg.source === source)
          ?.condition ?? null
      );
    };
    const { failover, station } = this.#options;
    const mode = failover.mode ?? 'alone';
    const names = new DnsWorld(mode, {
      policy: failover,
      tickMs: NAMES_TICK_MS,
      ...(station.mode === 'relay' ? {} : { onAir }),
    });
    names.writeBeginsAfterMs = WRITE_MS;
    return names;
  }

  #settleAgents(): void {
    this.#happened();
    for (const name of this.#guarded) {
      const agent = this.agents.get(name);
      if (agent === undefined) continue;
      const isDead = this.parts.isAgent(name, 'dead');
      if (isDead && !agent.stopped) {
        this.#memories.set(name, { memory: agent.memory(this.#nowMs), goneMs: this.atMs });
        agent.die();
        this.names?.kill(name);
      } else if (!isDead && agent.stopped) {
        this.#startAgent(name);
        this.names?.restart(name, true);
      }
      const now = this.agents.get(name);
      if (now !== undefined) now.deaf = this.parts.isAgent(name, 'deaf');
    }
    if (this.names !== null) this.#settleNames(this.names);
  }

  #settleNames(names: DnsWorld): void {
    names.cuts.clear();
    for (const one of names.agents) {
      one.isDeaf = SERVERS.some((server) => server === one.name && this.parts.isAgent(server, 'deaf'));
      const reaches = (to: string) =>
        SERVERS.every((server) => server !== to || one.name === to || this.#canReach(one.name, server));
      for (const other of names.agents) if (!reaches(other.name)) names.cut(one.name, other.name);
      const isOffline = SERVERS.some((server) => server === one.name && this.parts.is('site', server));
      if (this.parts.is('provider') || isOffline) names.noDns.add(one.name);
      else names.noDns.delete(one.name);
    }
  }

  #canReach(agent: string, server: ServerName): boolean {
    const from = SERVERS.find((one) => one === agent);
    // A witness stands in a third place.
    return from === undefined ? !this.parts.is('site', server) : this.parts.reaches(from, server);
  }

  #advanceNames(names: DnsWorld, stepMs: 100 | 500): void {
    for (const name of SERVERS) {
      const { state } = this.parts.server(name);
      const { is } = this.output(name);
      const heard = is === 'sound' ? 'fine' : is === 'refuses' ? 'dead' : is === 'stalled' ? 'hung' : 'mute';
      // The network stands between agents and servers, and is the world's own matter.
      names.truth.set(
        name,
        state === 'down' ? 'dead' : state === 'frozen' ? 'hung' : is === 'hangs' ? 'fine' : heard,
      );
    }
    names.advance(stepMs);
    if (names.events.length > this.#seenEvents) this.#happened();
    this.#seenEvents = names.events.length;
    for (const { server } of names.ended.slice(this.#seenEnded)) {
      this.#happened();
      this.changes.push({ atMs: this.atMs, what: 'ended', server });
    }
    this.#seenEnded = names.ended.length;
    if (names.dns.server !== null) this.#pointTo(names.dns.server);
  }

  #isWell(server: ServerName, source: string): boolean {
    const at = this.parts.server(server).at(`/${source}`);
    if (this.parts.is('pause') && source !== 'autodj') return true;
    return at.soundingFromMs !== null && this.#nowMs - at.soundingFromMs > SURELY_WELL_MS;
  }

  #noteEvent(event: StationEvent): void {
    this.#happened();
    if (event.kind !== 'switched') return;
    const { server, from, trigger } = event;
    const isFalse = trigger === 'fault' && this.#isWell(server, from);
    this.changes.push({ atMs: this.atMs, what: 'switched', server, isFalse });
  }
}
