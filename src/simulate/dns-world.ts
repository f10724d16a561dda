import { reachesDns } from '../decide/failover/lease-rule.ts';
import { heardTo } from '../decide/failover/on-air.ts';
import { orderOf } from '../decide/failover/operator.ts';
import { type FailoverMemory, noFailoverMemory } from '../decide/failover/state.ts';
import type { LegCondition } from '../domain/conditions.ts';
import type {
  FailoverCommand,
  FailoverEvent,
  FailoverInput,
  FailoverPolicy,
  FailoverRequest,
  Probe,
  PublicEar,
  PublishOutcome,
} from '../domain/failover.ts';
import { type ServerName, serverName } from '../domain/ids.ts';
import {
  type DnsAgent,
  type DnsWatch,
  type FailoverCore,
  failoverCore,
  type Publish,
  type Truth,
  type Write,
  type Writing,
} from './dns-agent.ts';
import { SimLease } from './lease.ts';
import { DUBLIN, FAILOVER_DEFAULTS, LONDON, STATION } from './station.ts';

export {
  type DnsAgent,
  type DnsWatch,
  DUBLIN,
  FAILOVER_DEFAULTS,
  type FailoverCore,
  failoverCore,
  LONDON,
  type Truth,
  type Writing,
};

const STEP_MS = 100;
const PROBE_TIMEOUT_MS = 2_000;
const STALL_MS = 2_000;
const READ_EVERY_MS = 5_000;
const MEET_EVERY_MS = 1_000;
const LEASE_EVERY_MS = 500;
const ANSWER_MS = 300;
const WITNESS = 'witness';

export interface DnsWorldOptions {
  readonly core?: FailoverCore;
  readonly watch?: DnsWatch;
  /** What differs from the defaults. */
  readonly policy?: Partial<FailoverPolicy>;
  /** How often an agent looks at what it hears and decides. */
  readonly tickMs?: number;
  /** In guard mode: what an agent knows of the leg on air on a server. Without it each agent has ears of its own. */
  readonly onAir?: (agent: string, server: ServerName) => LegCondition | null;
}

/** Two sites, or three with a witness; the DNS outside of all of them. */
export class DnsWorld {
  nowMs = 0;
  readonly truth: Map<ServerName, Truth>;
  readonly agents: DnsAgent[];
  readonly writes: Write[] = [];
  readonly events: { readonly agent: string; readonly event: FailoverEvent }[] = [];
  readonly ended: { readonly atMs: number; readonly server: ServerName }[] = [];
  /** Pairs of sites that cannot reach each other: `dublin london`. */
  readonly cuts = new Set<string>();
  /** Agents that cannot reach the DNS, and those who may only read it. */
  readonly noDns = new Set<string>();
  readonly mayNotWrite = new Set<string>();
  /** Somebody else has pointed the name to none of the servers. */
  isForeign = false;
  writing: Writing = 'well';
  /** From an order to the beginning of its write, in ms. */
  writeBeginsAfterMs = 0;
  isNatsUp = true;
  readonly lease = new SimLease();
  dns: { server: ServerName | null; epoch: number | null; writer?: string; amiss?: string };
  readonly #servers: readonly ServerName[];
  readonly #core: FailoverCore;
  readonly #watch: DnsWatch | null;
  readonly #onAir: DnsWorldOptions['onAir'];
  readonly #tickMs: number;
  #stepMs = STEP_MS;

  constructor(mode: FailoverPolicy['mode'] = 'alone', options: DnsWorldOptions = {}) {
    this.#core = options.core ?? failoverCore;
    this.#watch = options.watch ?? null;
    this.#onAir = options.onAir;
    this.#tickMs = options.tickMs ?? STEP_MS;
    const station = { ...FAILOVER_DEFAULTS, ...options.policy, mode };
    this.#servers = station.servers;
    this.truth = new Map(this.#servers.map((server) => [server, 'fine']));
    this.dns = { server: this.#servers[0] ?? null, epoch: null };
    const names = mode === 'alone' ? this.#servers : [...this.#servers, WITNESS];
    this.agents = names.map((name) => {
      const policy = { ...station, self: name };
      return {
        name,
        policy,
        state: this.#core.newFailover(policy, noFailoverMemory, 0),
        isAlive: true,
        isPaused: false,
        isDeaf: false,
        seeksLease: false,
        probing: new Set(),
        ears: new Map(),
        later: [],
        lastTickMs: 0,
      };
    });
  }

  agent(name: string): DnsAgent {
    const found = this.agents.find((agent) => agent.name === name);
    if (found === undefined) throw new Error(`no agent ${name}`);
    return found;
  }

  cut(one: string, other: string): void {
    this.cuts.add([one, other].sort().join(' '));
  }

  reaches(from: string, to: string): boolean {
    return from === to || !this.cuts.has([from, to].sort().join(' '));
  }

  /** Whether an agent could hear sound on a server now, were its own ears whole. */
  sounds(agent: DnsAgent, server: ServerName): boolean {
    return this.truth.get(server) === 'fine' && this.reaches(agent.name, server);
  }

  ask(name: string, request: FailoverRequest): void {
    const agent = this.agent(name);
    if (agent.isAlive && !agent.isPaused)
      this.#give(agent, { kind: 'operator', atMs: this.nowMs, unixMs: this.nowMs, request });
  }

  /** Ends one agent's process; what it remembers is what it last wrote down. */
  kill(name: string): void {
    this.agent(name).isAlive = false;
  }

  /** Starts an agent again, with its memory or without. */
  restart(name: string, remembers = false): void {
    const agent = this.agent(name);
    const memory: FailoverMemory = remembers
      ? this.#core.failoverMemoryOf(agent.state, this.nowMs)
      : noFailoverMemory;
    agent.state = this.#core.newFailover(agent.policy, memory, this.nowMs);
    agent.ears.clear();
    agent.probing.clear();
    agent.later.splice(0);
    agent.isAlive = true;
    agent.isPaused = false;
    agent.seeksLease = false;
    agent.lastTickMs = this.nowMs;
  }

  /** `stepMs`: 100, or 500 where nothing needs to be seen more closely. */
  pass(seconds: number, each: () => void = () => {}, stepMs: 100 | 500 = STEP_MS): void {
    const untilMs = this.nowMs + seconds * 1_000;
    while (this.nowMs < untilMs) {
      this.advance(stepMs);
      each();
    }
  }

  /** One step, to the next multiple of it. */
  advance(stepMs: 100 | 500): void {
    this.#stepMs = stepMs;
    this.nowMs += stepMs - (this.nowMs % stepMs);
    if (this.nowMs % LEASE_EVERY_MS === 0) this.#renewLease();
    for (const agent of this.agents) this.#run(agent);
  }

  #run(agent: DnsAgent): void {
    if (!agent.isAlive || agent.isPaused) return;
    const { nowMs } = this;
    const lostMs = nowMs - agent.lastTickMs - this.#stepMs;
    agent.lastTickMs = nowMs;
    // What was under way while it stood still arrives all the same, as the sockets' buffers hold it.
    if (lostMs > 1_000) this.#give(agent, { kind: 'gap', atMs: nowMs, lostMs });
    for (const due of agent.later.filter(({ atMs }) => atMs <= nowMs)) {
      agent.later.splice(agent.later.indexOf(due), 1);
      due.run();
    }
    const isTurn = nowMs % this.#tickMs < this.#stepMs;
    if (isTurn) for (const server of this.#servers) this.#listen(agent, server);
    if (nowMs % READ_EVERY_MS === 0) this.#readDns(agent);
    if (nowMs % MEET_EVERY_MS === 0) this.#meet(agent);
    if (isTurn) this.#give(agent, { kind: 'tick', atMs: nowMs });
  }

  #listen(agent: DnsAgent, server: ServerName): void {
    const { nowMs } = this;
    const truth = this.truth.get(server);
    // A witness guards no server, and has ears of its own.
    if (this.#onAir !== undefined && agent.name !== WITNESS) {
      this.#listenOnAir(agent, server, this.#onAir(agent.name, server));
      return;
    }
    const gives = this.reaches(agent.name, server) && (truth === 'fine' || truth === 'mute');
    const before = agent.ears.get(server) ?? { ear: 'starting' as const, quietSinceMs: nowMs };
    const quietSinceMs = gives ? nowMs : before.quietSinceMs;
    const ear = this.#earOf(agent, server, gives, nowMs - quietSinceMs >= STALL_MS, before.ear);
    agent.ears.set(server, { ear, quietSinceMs });
    if (ear !== before.ear) {
      const told: PublicEar =
        ear === 'disconnected' ? { is: ear, detail: 'the connection ended' } : { is: ear };
      this.#give(agent, { kind: 'ear', atMs: nowMs, server, station: STATION, ear: told });
    }
    if (!gives || agent.isDeaf) return;
    const durationMs = Math.max(this.#stepMs, this.#tickMs);
    const block = { atMs: nowMs, durationMs, audibleMs: truth === 'fine' ? durationMs : 0 };
    this.#give(agent, { kind: 'heard', atMs: nowMs, server, station: STATION, block });
  }

  /** As `wiring/guarded-ear.ts` does it. */
  #listenOnAir(agent: DnsAgent, server: ServerName, condition: LegCondition | null): void {
    const { nowMs: atMs } = this;
    const before = agent.ears.get(server) ?? { ear: 'starting' as const, quietSinceMs: atMs };
    const ear: PublicEar = condition === null ? { is: 'starting' } : this.#core.earOnAir(condition);
    if (ear.is !== before.ear) this.#give(agent, { kind: 'ear', atMs, server, station: STATION, ear });
    const toMs = heardTo(condition ?? undefined, atMs);
    const fromMs = before.quietSinceMs;
    const isNew = toMs !== null && toMs > fromMs;
    agent.ears.set(server, { ear: ear.is, quietSinceMs: isNew ? toMs : before.quietSinceMs });
    if (!isNew) return;
    const durationMs = toMs - fromMs;
    const block = { atMs: toMs, durationMs, audibleMs: condition?.is === 'audible' ? durationMs : 0 };
    this.#give(agent, { kind: 'heard', atMs, server, station: STATION, block });
  }

  #earOf(
    agent: DnsAgent,
    server: ServerName,
    gives: boolean,
    isQuiet: boolean,
    before: PublicEar['is'],
  ): PublicEar['is'] {
    if (gives) return agent.isDeaf ? 'deaf' : 'hearing';
    if (this.truth.get(server) === 'dead' && this.reaches(agent.name, server)) return 'disconnected';
    return isQuiet ? 'quiet' : before;
  }

  #readDns(agent: DnsAgent): void {
    const { nowMs: atMs } = this;
    if (this.noDns.has(agent.name)) {
      this.#give(agent, { kind: 'record-unread', atMs, detail: 'unreachable' });
      return;
    }
    const { server, epoch, amiss = null } = this.dns;
    const ours = server === null ? { is: 'missing' as const } : { is: 'server' as const, server, amiss };
    const record = this.isForeign ? { is: 'foreign' as const, detail: '192.0.2.1' } : ours;
    this.#give(agent, { kind: 'record', atMs, record, epoch });
  }

  /** What agents learn of each other: alone over the other's Icecast, in a cluster over NATS. */
  #meet(agent: DnsAgent): void {
    const { nowMs: atMs } = this;
    for (const other of this.agents) {
      if (other === agent || !other.isAlive || other.isPaused) continue;
      if (agent.policy.mode === 'alone') {
        const server = serverName(other.name);
        const answers = this.truth.get(server) === 'fine' || this.truth.get(server) === 'mute';
        const seen = answers && this.reaches(agent.name, other.name);
        this.#give(agent, { kind: 'colleague', atMs, server, seen });
        const order = orderOf(other.state);
        if (seen && order !== null) this.#give(agent, { kind: 'heard-order', atMs, order });
      } else if (this.#hasNats(agent.name) && this.#hasNats(other.name)) {
        const servers = new Map(
          [...other.state.sights].map(([server, { health }]) => [
            server,
            { is: health.is, verifiedAgoMs: health.is === 'well' ? atMs - health.verifiedAtMs : null },
          ]),
        );
        const observation = {
          agent: other.name,
          heardAtMs: atMs,
          servers,
          order: orderOf(other.state),
          reachesDns: reachesDns(other.state, atMs),
        };
        this.#give(agent, { kind: 'observation', atMs, observation });
      }
    }
  }

  /** A node in each site: whoever reaches one other node is in the majority. */
  #hasNats(name: string): boolean {
    return (
      this.isNatsUp && this.agents.some((other) => other.name !== name && this.reaches(name, other.name))
    );
  }

  #renewLease(): void {
    const { nowMs: atMs } = this;
    const running = this.agents.filter(
      ({ policy, isAlive, isPaused }) => policy.mode === 'cluster' && isAlive && !isPaused,
    );
    for (const agent of running) {
      const wish = this.#core.leaseWish(agent.state, atMs, agent.policy);
      if (wish !== 'as-it-is') agent.seeksLease = wish === 'seek';
      if (!agent.seeksLease && this.#hasNats(agent.name)) this.lease.yield(agent.name);
    }
    for (const { name, seeksLease } of running)
      if (seeksLease && this.#hasNats(name)) this.lease.seek(name, atMs);
    for (const agent of running) {
      if (this.#hasNats(agent.name)) {
        this.#give(agent, { kind: 'lease', atMs, lease: this.lease.look(agent.name, atMs) });
        if (agent.state.leaseSinceMs === atMs) this.#readDns(agent);
        continue;
      }
      const held = agent.state.lease;
      if (held.is === 'ours' && atMs < held.stepDownAtMs) continue;
      this.#give(agent, { kind: 'lease', atMs, lease: { is: 'lost', detail: 'NATS has no majority' } });
    }
  }

  #give(agent: DnsAgent, input: FailoverInput): void {
    const { state, commands, events } = this.#core.failoverStep(agent.state, input, agent.policy);
    agent.state = state;
    for (const event of events) this.events.push({ agent: agent.name, event });
    for (const command of commands) {
      if (command.kind === 'publish') this.#watch?.ordered(agent, command, events);
      this.#carryOut(agent, command);
    }
  }

  #carryOut(agent: DnsAgent, command: FailoverCommand): void {
    const { nowMs } = this;
    if (command.kind === 'end-listeners') {
      this.ended.push({ atMs: nowMs, server: command.server });
    } else if (command.kind === 'probe') {
      const { server, station, isAnew } = command;
      if (agent.probing.has(server) && !isAnew) return;
      agent.probing.add(server);
      const beganAtMs = nowMs;
      const { probe, tookMs } = this.#probe(agent, server);
      const answered = (atMs: number) => {
        agent.probing.delete(server);
        this.#give(agent, { kind: 'probe', atMs, beganAtMs, server, station, probe });
      };
      if (tookMs < this.#stepMs) answered(nowMs);
      else this.#later(agent, tookMs, answered);
    } else if (this.writeBeginsAfterMs === 0) {
      this.#publish(agent, command);
    } else {
      this.#later(agent, this.writeBeginsAfterMs, () => this.#publish(agent, command));
    }
  }

  #later(agent: DnsAgent, inMs: number, run: (atMs: number) => void): void {
    agent.later.push({ atMs: this.nowMs + inMs, run: () => run(this.nowMs) });
  }

  #probe(agent: DnsAgent, server: ServerName): { probe: Probe; tookMs: number } {
    const truth = this.truth.get(server);
    if (!this.reaches(agent.name, server))
      return { probe: { ok: false, stage: 'connect', detail: 'no route' }, tookMs: PROBE_TIMEOUT_MS };
    if (truth === 'dead') return { probe: { ok: false, stage: 'connect', detail: 'refused' }, tookMs: 0 };
    if (truth === 'hung')
      return { probe: { ok: false, stage: 'first-byte', detail: 'nothing came' }, tookMs: PROBE_TIMEOUT_MS };
    return { probe: { ok: true }, tookMs: 100 };
  }

  /** As `dns/epoch-mark.ts` has it. */
  #isFenced({ name }: DnsAgent, { epoch, expectedEpoch }: Publish): boolean {
    const { epoch: standing, writer } = this.dns;
    if (standing === null || (standing === epoch && writer === name)) return false;
    return standing >= epoch || standing !== expectedEpoch;
  }

  #publish(agent: DnsAgent, command: Publish): void {
    const { server, epoch, deadlineMs } = command;
    const tell = (outcome: PublishOutcome) =>
      this.#later(agent, ANSWER_MS, (atMs) => {
        this.#give(agent, { kind: 'published', atMs, server, epoch, outcome });
        if (outcome.is !== 'done') this.#readDns(agent);
      });
    if (this.nowMs >= deadlineMs) tell({ is: 'failed', detail: 'too late to begin' });
    else if (this.noDns.has(agent.name)) tell({ is: 'failed', detail: 'unreachable' });
    else if (this.#isFenced(agent, command)) tell({ is: 'fenced', detail: `epoch ${this.dns.epoch} stands` });
    else if (!this.#core.isStillWanted(agent.state, server, this.nowMs, agent.policy))
      tell({ is: 'lapsed', detail: 'the right to write ended' });
    else if (this.writing === 'refused' || this.mayNotWrite.has(agent.name))
      tell({ is: 'failed', detail: 'refused' });
    else {
      this.#watch?.writing(agent, command);
      this.dns = { server, epoch, writer: agent.name };
      this.writes.push({ atMs: this.nowMs, by: agent.name, server, epoch });
      tell(this.writing === 'well' ? { is: 'done', behind: null } : { is: 'failed', detail: 'no answer' });
    }
  }
}
