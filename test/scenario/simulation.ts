import { type Memory, noMemory } from '../../src/decide/state.ts';
import type { Command } from '../../src/domain/commands.ts';
import type { StationEvent } from '../../src/domain/events.ts';
import { mount, type ServerName } from '../../src/domain/ids.ts';
import type { OperatorRequest } from '../../src/domain/operator.ts';
import type { StationPolicy } from '../../src/domain/policy.ts';
import { type Core, SimAgent } from '../../src/simulate/guard-agent.ts';
import { type SimMount, SimServer } from '../../src/simulate/icecast.ts';
import { policyFor, SERVERS, seeded } from '../../src/simulate/station.ts';

/** What can be done to the world, as data so that a failing run shrinks and can be kept as a test. */
export type Fault =
  | {
      do: 'mute' | 'unmute' | 'kill' | 'revive';
      source: string;
      on: 'both' | ServerName;
    }
  | { do: 'stall' | 'unstall'; source: string; on: 'both' | ServerName }
  | { do: 'tone' | 'programme'; source: string; on: 'both' | ServerName }
  | { do: 'server'; server: ServerName; state: 'up' | 'down' | 'frozen' }
  | { do: 'agent'; agent: ServerName; state: 'killed' | 'started' }
  | { do: 'deafen' | 'cure'; agent: ServerName }
  | { do: 'password'; agent: ServerName; wrong: boolean }
  | { do: 'arrive'; server: ServerName; listeners: number }
  /** `of`: the agent that is asked; left out: the one beside the server. */
  | { do: 'hold'; server: ServerName; forMs: number; of?: ServerName }
  | { do: 'force'; server: ServerName; source: string; forMs: number; of?: ServerName }
  | { do: 'release'; server: ServerName; of?: ServerName }
  | { do: 'override'; server: ServerName; on: boolean };

export interface Timed {
  readonly atMs: number;
  readonly fault: Fault;
}

export interface Told {
  readonly agent: ServerName;
  readonly event: StationEvent;
}

/** A broken promise, in words. */
export interface Violation {
  readonly atMs: number;
  readonly text: string;
}

/** Runs two agents beside two servers through a list of faults and watches every promise while it does. */
export class Simulation {
  readonly servers: ReadonlyMap<ServerName, SimServer>;
  readonly agents = new Map<ServerName, SimAgent>();
  readonly told: Told[] = [];
  readonly violations: Violation[] = [];
  nowMs = 0;
  #core: Core;
  #random: () => number;
  #changes: Partial<StationPolicy>;
  #memories = new Map<ServerName, Memory>();
  #lastSwitchAtMs = new Map<ServerName, number>();
  #lastToneAtMs = new Map<SimMount, number>();
  #agentGoneFromMs = new Map<ServerName, number>();
  #agentBackFromMs = new Map<ServerName, number>();

  constructor(core: Core, seed: number, changes: Partial<StationPolicy> = {}) {
    this.#core = core;
    this.#random = seeded(seed);
    this.#changes = changes;
    this.servers = new Map(SERVERS.map((name) => [name, new SimServer(name)]));
    for (const name of SERVERS) this.#start(name);
    for (const server of this.servers.values()) server.at('/primary').listeners = 10;
  }

  run(untilMs: number, faults: readonly Timed[] = []): this {
    const queue = [...faults].sort((a, b) => a.atMs - b.atMs);
    for (; this.nowMs < untilMs; this.nowMs += 100) {
      while (queue[0] !== undefined && queue[0].atMs <= this.nowMs)
        this.apply((queue.shift() as Timed).fault);
      for (const server of this.servers.values()) {
        server.tick(this.nowMs);
        for (const at of server.mounts.values()) this.#hadTone(at);
      }
      for (const agent of this.agents.values()) agent.tick(this.nowMs);
    }
    return this;
  }

  set clickEveryMs(everyMs: number) {
    for (const agent of this.agents.values()) agent.clickEveryMs = everyMs;
  }

  /** From now on no agent has an ear for this mount. */
  set deafTo(at: string) {
    for (const agent of this.agents.values()) agent.deafTo = at;
  }

  server(name: ServerName): SimServer {
    const found = this.servers.get(name);
    if (found === undefined) throw new Error(`no server ${name}`);
    return found;
  }

  events(kind: StationEvent['kind'], agent?: ServerName): StationEvent[] {
    return this.told
      .filter((entry) => entry.event.kind === kind && (agent === undefined || entry.agent === agent))
      .map((entry) => entry.event);
  }

  apply(fault: Fault): void {
    switch (fault.do) {
      case 'server':
        this.server(fault.server).state = fault.state;
        if (fault.state === 'down') {
          for (const at of this.server(fault.server).mounts.values())
            this.server(fault.server).carry(at, null);
        }
        return;
      case 'agent':
        if (fault.state === 'killed') this.#kill(fault.agent);
        else this.#start(fault.agent);
        return;
      case 'deafen':
      case 'cure':
        this.#withAgent(fault.agent, (agent) => {
          agent.deaf = fault.do === 'deafen';
        });
        return;
      case 'password':
        this.#withAgent(fault.agent, (agent) => {
          agent.wrongPassword = fault.wrong;
        });
        return;
      case 'arrive': {
        const at = this.server(fault.server).landing(mount('/primary'));
        if (at !== null && this.server(fault.server).state === 'up') at.listeners += fault.listeners;
        return;
      }
      case 'hold':
        this.#ask(fault.of ?? fault.server, {
          do: 'hold',
          server: fault.server,
          author: 'ann',
          forMs: fault.forMs,
        });
        return;
      case 'force': {
        const source = policyFor(fault.server).sources.find((name) => name === fault.source);
        if (source === undefined) return;
        this.#ask(fault.of ?? fault.server, {
          do: 'force',
          server: fault.server,
          source,
          author: 'ann',
          forMs: fault.forMs,
          override: false,
        });
        return;
      }
      case 'release':
        this.#ask(fault.of ?? fault.server, { do: 'release', server: fault.server, author: 'ann' });
        return;
      case 'override':
        this.server(fault.server).at('/primary').override = fault.on;
        return;
      default:
        for (const server of this.servers.values()) {
          if (fault.on === 'both' || fault.on === server.name) this.#encoder(server, fault.do, fault.source);
        }
    }
  }

  #encoder(
    server: SimServer,
    what: 'mute' | 'unmute' | 'kill' | 'revive' | 'stall' | 'unstall' | 'tone' | 'programme',
    source: string,
  ): void {
    const at = server.at(`/${source}`);
    if (what === 'mute' || what === 'unmute') at.audible = what === 'unmute';
    else if (what === 'kill') server.disconnectSource(at.mount);
    else if (what === 'revive' && server.state === 'up') server.connectSource(at.mount);
    else if (what === 'stall' && at.connected) at.stalledAtMs ??= this.nowMs;
    else if (what === 'unstall') at.stalledAtMs = null;
    else if (what === 'tone') at.toneFromMs ??= this.nowMs;
    else if (what === 'programme') at.toneFromMs = null;
  }

  #ask(of: ServerName, request: OperatorRequest): void {
    const { nowMs } = this;
    this.#withAgent(of, (agent) => agent.feed({ kind: 'operator', atMs: nowMs, unixMs: nowMs, request }));
  }

  #withAgent(name: ServerName, change: (agent: SimAgent) => void): void {
    const agent = this.agents.get(name);
    if (agent !== undefined && !agent.stopped) change(agent);
  }

  #kill(name: ServerName): void {
    this.#withAgent(name, (agent) => {
      this.#memories.set(name, agent.memory(this.nowMs));
      agent.die();
      this.#agentGoneFromMs.set(name, this.nowMs);
    });
  }

  #start(name: ServerName): void {
    if (this.agents.get(name)?.stopped === false) return;
    const deeds = {
      event: (agent: SimAgent, event: StationEvent) => this.#noteEvent(agent, event),
      command: (agent: SimAgent, command: Command) => this.#noteCommand(agent, command),
    };
    const random = seeded(Math.floor(this.#random() * 2 ** 32));
    const kept = this.#memories.get(name) ?? noMemory;
    const goneFromMs = this.#agentGoneFromMs.get(name) ?? this.nowMs;
    const memory = agedBy(kept, this.nowMs - goneFromMs);
    this.agents.set(
      name,
      new SimAgent(
        this.#core,
        policyFor(name, this.#changes),
        this.servers,
        deeds,
        random,
        memory,
        this.nowMs,
      ),
    );
    this.#agentGoneFromMs.delete(name);
    this.#agentBackFromMs.set(name, this.nowMs);
  }

  #noteCommand(agent: SimAgent, command: Command): void {
    if (command.kind !== 'move-listeners') return;
    const { server: name, from, to } = command;
    const desk = agent.state.desks.get(name);
    const forced = desk?.hold != null && desk.hold.source === desk.onAir;
    if (desk?.hold != null && !forced)
      this.#violated(`${agent.name} moved ${from} to ${to} on ${name} although it is held`);
    const target = this.server(name).at(to);
    const verifiedMs = agent.policy.verifiedWithinMs + 1000;
    if (!forced && this.nowMs - target.lastSoundAtMs > verifiedMs) {
      this.#violated(
        `${agent.name} moved listeners to ${to} on ${name}, silent for ${this.nowMs - target.lastSoundAtMs} ms`,
      );
    }
    if (target.contentType !== this.server(name).at(from).contentType)
      this.#violated(`moved ${from} to ${to} of another format`);
    const goneMs = this.nowMs - (this.#agentGoneFromMs.get(name) ?? this.nowMs);
    if (agent.name !== name && goneMs < 5000 && this.#agentIsBack(name)) {
      this.#violated(`${agent.name} acted on ${name}, whose own agent is at work`);
    }
  }

  /** A colleague needs a few seconds to notice that an agent is back. */
  #agentIsBack(name: ServerName): boolean {
    const server = this.server(name);
    const sinceMs = this.#agentBackFromMs.get(name);
    return (
      server.state === 'up' &&
      sinceMs !== undefined &&
      this.nowMs - sinceMs > 12_000 &&
      !this.#agentGoneFromMs.has(name)
    );
  }

  #noteEvent(agent: SimAgent, event: StationEvent): void {
    this.told.push({ agent: agent.name, event });
    if (event.kind !== 'switched' || event.trigger === 'operator') return;
    const { server: name, from, to, trigger } = event;
    if (agent.state.desks.get(name)?.hold != null) this.#violated(`${name} switched although it is held`);
    const left = this.server(name).at(`/${from}`);
    const soundFor = left.soundingFromMs === null ? 0 : this.nowMs - left.soundingFromMs;
    if (trigger === 'fault' && soundFor > 2500 && !this.#hadTone(left)) {
      this.#violated(`${name} left ${from}, which had sounded for ${soundFor} ms: ${event.because}`);
    }
    const lastMs = this.#lastSwitchAtMs.get(name);
    if (trigger === 'return' && lastMs !== undefined && this.nowMs - lastMs < agent.policy.dwellMs) {
      this.#violated(`${name} went back to ${to} within the dwell`);
    }
    const goodMs = this.nowMs - this.server(name).at(`/${to}`).healthyFromMs;
    if (trigger === 'return' && goodMs < agent.policy.silence.restoreMs - 1500) {
      this.#violated(`${name} returned to ${to}, which had been good for only ${goodMs} ms`);
    }
    this.#lastSwitchAtMs.set(name, this.nowMs);
  }

  /** A tone is a fault until some seconds after its end, which the news of it takes. */
  #hadTone(at: SimMount): boolean {
    if (at.toneFromMs !== null) this.#lastToneAtMs.set(at, this.nowMs);
    return (
      at.toneFromMs !== null || this.nowMs - (this.#lastToneAtMs.get(at) ?? Number.NEGATIVE_INFINITY) < 5000
    );
  }

  #violated(text: string): void {
    this.violations.push({ atMs: this.nowMs, text });
  }
}

/** What the file of an agent still holds after so long: a hold goes on running out. */
function agedBy({ desks }: Memory, ageMs: number): Memory {
  const aged = Object.entries(desks).map(([name, { hold, ...desk }]) => {
    const remainingMs = (hold?.remainingMs ?? 0) - ageMs;
    return [name, { ...desk, hold: hold === null || remainingMs <= 0 ? null : { ...hold, remainingMs } }];
  });
  return { ageMs, desks: Object.fromEntries(aged) };
}
