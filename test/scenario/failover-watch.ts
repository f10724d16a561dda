import type { OrderId } from '../../src/decide/failover/state.ts';
import type { FailoverCommand, FailoverEvent, FailoverPolicy } from '../../src/domain/failover.ts';
import type { ServerName } from '../../src/domain/ids.ts';
import {
  type DnsAgent,
  type DnsWatch,
  DnsWorld,
  type FailoverCore,
  type Truth,
  type Writing,
} from '../../src/simulate/dns-world.ts';

/** What can be done to the sites, the cluster and the DNS, as data so that a failing run shrinks. */
export type DnsFault =
  | { readonly do: 'server'; readonly server: ServerName; readonly is: Truth }
  | { readonly do: 'cut' | 'join'; readonly one: string; readonly other: string }
  | { readonly do: 'agent'; readonly agent: string; readonly is: 'killed' | 'forgetful' | 'restarted' }
  | { readonly do: 'pause' | 'go-on' | 'deafen' | 'cure'; readonly agent: string }
  | { readonly do: 'nats'; readonly isUp: boolean }
  | { readonly do: 'no-dns' | 'dns'; readonly agent: string }
  | { readonly do: 'writing'; readonly is: Writing }
  | { readonly do: 'slow-writes'; readonly beginAfterMs: number }
  | { readonly do: 'hold'; readonly agent: string; readonly forMs: number }
  | {
      readonly do: 'force';
      readonly agent: string;
      readonly server: ServerName;
      readonly forMs: number;
      readonly override: boolean;
    }
  | { readonly do: 'release'; readonly agent: string };

export interface TimedDnsFault {
  readonly atMs: number;
  readonly fault: DnsFault;
}

/** Blocks of sound come every 100 ms, and what others say of it once a second. */
const SLACK_MS = 1_200;
/** Whoever gave sound all this while cannot be thought ill by anybody who hears it: until two fresh probes are over. */
const KNOWN_WELL_MS = 15_000;

interface Wanted {
  readonly heldToMs: number;
  readonly override: boolean;
}

const keyOf = ({ version, by }: OrderId): string => `${version} ${by}`;

/** One world under faults, and every promise of the DNS decision watched while it runs. */
export class WatchedDns implements DnsWatch {
  readonly world: DnsWorld;
  readonly broken: string[] = [];
  #lastSoundMs = new Map<string, number>();
  #soundSinceMs = new Map<string, number>();
  #unheardSinceMs = new Map<string, number>();
  #heardAgainMs = new Map<string, number>();
  /** What operators asked for, and the newest that each agent was asked itself. */
  #orders = new Map<string, Wanted>();
  #asked = new Map<string, OrderId>();
  /** What an agent is asked for at this moment, as it may act on it at once. */
  #asking: { readonly agent: string; readonly wants: Wanted } | null = null;

  constructor(core: FailoverCore, mode: FailoverPolicy['mode'], policy: Partial<FailoverPolicy> = {}) {
    this.world = new DnsWorld(mode, { core, policy, watch: this });
  }

  run(seconds: number, faults: readonly TimedDnsFault[] = [], stepMs: 100 | 500 = 100): this {
    const queue = [...faults].sort((a, b) => a.atMs - b.atMs);
    const fromMs = this.world.nowMs;
    this.world.pass(
      seconds,
      () => {
        this.#note();
        while (queue[0] !== undefined && queue[0].atMs <= this.world.nowMs - fromMs) {
          this.apply(queue[0].fault);
          queue.shift();
        }
      },
      stepMs,
    );
    return this;
  }

  apply(fault: DnsFault): void {
    const { world } = this;
    switch (fault.do) {
      case 'server':
        world.truth.set(fault.server, fault.is);
        return;
      case 'cut':
        world.cut(fault.one, fault.other);
        return;
      case 'join':
        world.cuts.delete([fault.one, fault.other].sort().join(' '));
        return;
      case 'agent':
        if (fault.is === 'killed') world.kill(fault.agent);
        else world.restart(fault.agent, fault.is === 'restarted');
        if (fault.is === 'forgetful') this.#forget(fault.agent);
        return;
      case 'pause':
      case 'go-on':
        world.agent(fault.agent).isPaused = fault.do === 'pause';
        return;
      case 'deafen':
      case 'cure':
        world.agent(fault.agent).isDeaf = fault.do === 'deafen';
        return;
      case 'nats':
        world.isNatsUp = fault.isUp;
        return;
      case 'no-dns':
        world.noDns.add(fault.agent);
        return;
      case 'dns':
        world.noDns.delete(fault.agent);
        return;
      case 'writing':
        world.writing = fault.is;
        return;
      case 'slow-writes':
        world.writeBeginsAfterMs = fault.beginAfterMs;
        return;
      case 'hold':
      case 'force':
      case 'release':
        this.#ask(fault);
    }
  }

  ordered(
    agent: DnsAgent,
    command: FailoverCommand & { kind: 'publish' },
    events: readonly FailoverEvent[],
  ): void {
    this.#note();
    const { nowMs } = this.world;
    const moving = events.find((event) => event.kind === 'dns-moving');
    const trigger = moving?.kind === 'dns-moving' ? moving.trigger : null;
    const isAsked = trigger === 'operator';
    if (!(isAsked && this.#orderOf(agent)?.override === true)) this.#wasVerified(agent, command.server);
    if (!isAsked && nowMs < (this.#orderOf(agent)?.heldToMs ?? 0))
      this.#breaks(`${agent.name} moved the name to ${command.server} although it is held`);
    if (trigger === 'return') this.#wasRestored(agent, command.server);
    if (trigger === 'fault' && moving?.kind === 'dns-moving' && moving.from !== null)
      this.#wasIll(agent, moving.from, command.because);
  }

  writing(agent: DnsAgent, { epoch, server }: FailoverCommand & { kind: 'publish' }): void {
    const { world } = this;
    const standing = world.dns.epoch;
    if (world.nowMs < (this.#orderOf(agent)?.heldToMs ?? 0))
      this.#breaks(`${agent.name} wrote ${server} although the name is held`);
    if (standing !== null && epoch < standing)
      this.#breaks(`${agent.name} wrote epoch ${epoch} over ${standing}`);
    if (standing !== null && epoch === standing && agent.policy.mode === 'alone')
      this.#breaks(`${agent.name} wrote epoch ${epoch} a second time`);
    if (agent.policy.mode === 'cluster' && !world.lease.isHeldBy(agent.name, world.nowMs))
      this.#breaks(`${agent.name} wrote ${server} without the lease`);
  }

  #ask(fault: DnsFault & { do: 'hold' | 'force' | 'release' }): void {
    const { world } = this;
    const author = 'ann';
    const { agent } = fault;
    const { isAlive, isPaused, state: before } = world.agent(agent);
    if (!isAlive || isPaused) return;
    const wants = {
      heldToMs: fault.do === 'hold' ? world.nowMs + fault.forMs : 0,
      override: fault.do === 'force' && fault.override,
    };
    this.#asking = { agent, wants };
    if (fault.do === 'release') world.ask(agent, { do: 'release', author });
    else if (fault.do === 'hold') world.ask(agent, { do: 'hold', author, forMs: fault.forMs });
    else {
      const { server, forMs, override } = fault;
      world.ask(agent, { do: 'force', server, author, forMs, override });
    }
    this.#asking = null;
    const { order } = world.agent(agent).state;
    // It was refused.
    if (keyOf(order) === keyOf(before.order)) return;
    this.#asked.set(agent, order);
    this.#orders.set(keyOf(order), wants);
  }

  /** The order that goes for an agent: the newest that it was asked itself, or one that it heard of after it. */
  #orderOf({ name, state: { order } }: DnsAgent): Wanted | undefined {
    if (this.#asking?.agent === name) return this.#asking.wants;
    const asked = this.#asked.get(name);
    const isBefore = asked !== undefined && asked.version > order.version;
    return this.#orders.get(keyOf(isBefore ? asked : order));
  }

  #forget(agent: string): void {
    this.#asked.delete(agent);
  }

  #note(): void {
    const { world } = this;
    for (const agent of world.agents) {
      for (const server of agent.policy.servers) {
        const key = `${agent.name} ${server}`;
        if (world.sounds(agent, server) && agent.isAlive && !agent.isPaused) {
          this.#lastSoundMs.set(key, world.nowMs);
          if (!this.#soundSinceMs.has(key)) this.#soundSinceMs.set(key, world.nowMs);
        } else this.#soundSinceMs.delete(key);
        this.#noteHeard(agent, key, world.sounds(agent, server) && !agent.isDeaf);
      }
    }
  }

  /** What nobody heard for as long as a fault may last that is none has to be good for its restore delay anew. */
  #noteHeard(agent: DnsAgent, key: string, isHeard: boolean): void {
    const { nowMs } = this.world;
    const sinceMs = this.#unheardSinceMs.get(key);
    if (!isHeard) this.#unheardSinceMs.set(key, sinceMs ?? nowMs);
    else if (sinceMs !== undefined) {
      this.#unheardSinceMs.delete(key);
      if (nowMs - sinceMs > agent.policy.silenceMs + 3_000) this.#heardAgainMs.set(key, nowMs);
    }
  }

  #wasRestored(agent: DnsAgent, server: ServerName): void {
    if (agent.policy.mode === 'cluster') return;
    const { nowMs } = this.world;
    const goodMs = nowMs - (this.#heardAgainMs.get(`${agent.name} ${server}`) ?? Number.NEGATIVE_INFINITY);
    if (goodMs < agent.policy.restoreMs - SLACK_MS)
      this.#breaks(`${agent.name} went back to ${server}, heard again for only ${goodMs} ms`);
  }

  #wasVerified(agent: DnsAgent, server: ServerName): void {
    const witnesses = agent.policy.mode === 'alone' ? [agent] : this.world.agents;
    const lastMs = Math.max(
      ...witnesses.map(({ name }) => this.#lastSoundMs.get(`${name} ${server}`) ?? Number.NEGATIVE_INFINITY),
    );
    const agoMs = this.world.nowMs - lastMs;
    if (agoMs > agent.policy.verifiedWithinMs + SLACK_MS)
      this.#breaks(`${agent.name} sent listeners to ${server}, unheard for ${agoMs} ms`);
  }

  #wasIll(agent: DnsAgent, server: ServerName, because: string): void {
    const witnesses = agent.policy.mode === 'alone' ? [agent] : this.world.agents;
    const sureOf = ({ name }: DnsAgent) =>
      this.world.nowMs - (this.#soundSinceMs.get(`${name} ${server}`) ?? this.world.nowMs) > KNOWN_WELL_MS;
    if (witnesses.every(sureOf))
      this.#breaks(`${agent.name} left ${server}, which all could hear for 15 s: ${because}`);
  }

  #breaks(text: string): void {
    this.broken.push(`${(this.world.nowMs / 1_000).toFixed(1)} s: ${text}`);
  }
}
