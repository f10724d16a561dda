import { type FailoverState, newFailover, noFailoverMemory } from '../../src/decide/failover/state.ts';
import { failoverStep } from '../../src/decide/failover/step.ts';
import type {
  FailoverCommand,
  FailoverEvent,
  FailoverInput,
  FailoverPolicy,
  FailoverRequest,
  Probe,
  PublicEar,
} from '../../src/domain/failover.ts';
import { type ServerName, serverName, stationName } from '../../src/domain/ids.ts';

export const LONDON = serverName('london');
export const DUBLIN = serverName('dublin');
export const MYFM = stationName('myfm');
const STEP_MS = 100;
const PROBE_TIMEOUT_MS = 2_000;
const STALL_MS = 2_000;
const READ_EVERY_MS = 2_000;
const LEASE_MS = 15_000;
const STEP_DOWN_MS = 11_000;
const RENEW_MS = 2_000;

export const POLICY: FailoverPolicy = {
  self: LONDON,
  servers: [LONDON, DUBLIN],
  stations: [MYFM],
  intervalMs: 5_000,
  fastIntervalMs: 1_000,
  fall: 3,
  rise: 2,
  silenceMs: 15_000,
  soundMs: 1_000,
  restoreMs: 180_000,
  verifiedWithinMs: 5_000,
  freshMs: 6_000,
  colleagueMs: 15_000,
  contestedMs: 600_000,
  writeWithinMs: 10_000,
  endListenersAfterMs: 60_000,
  flap: { holdDownMs: 180_000, holdDownMaxMs: 3_600_000, halfLifeMs: 900_000 },
  mode: 'alone',
};

/** What is true of a server: `hung` takes connections and gives nothing, `mute` gives silence, `dead` refuses. */
export type Truth = 'fine' | 'mute' | 'hung' | 'dead';

interface Agent {
  readonly name: string;
  readonly policy: FailoverPolicy;
  state: FailoverState;
  isAlive: boolean;
  isPaused: boolean;
  readonly ears: Map<ServerName, { ear: PublicEar['is']; quietSinceMs: number }>;
  readonly later: { atMs: number; input: FailoverInput }[];
  lastTickMs: number;
}

export interface Write {
  readonly atMs: number;
  readonly by: string;
  readonly server: ServerName;
  readonly epoch: number;
}

/** Two sites, or three with a witness; the DNS outside of all of them. */
export class FailoverWorld {
  nowMs = 0;
  readonly truth = new Map<ServerName, Truth>([
    [LONDON, 'fine'],
    [DUBLIN, 'fine'],
  ]);
  readonly agents: Agent[];
  readonly writes: Write[] = [];
  readonly events: { readonly agent: string; readonly event: FailoverEvent }[] = [];
  readonly ended: { readonly atMs: number; readonly server: ServerName }[] = [];
  /** Pairs of sites that cannot reach each other: `dublin london`. */
  readonly cuts = new Set<string>();
  /** Agents that cannot reach the DNS. */
  readonly noDns = new Set<string>();
  isNatsUp = true;
  dns: { server: ServerName | null; epoch: number | null } = { server: LONDON, epoch: null };
  #lease: { holder: string; epoch: number; renewedMs: number } | null = null;
  #leaseEpoch = 0;

  constructor(mode: FailoverPolicy['mode'] = 'alone', changes: Partial<FailoverPolicy> = {}) {
    const names = mode === 'alone' ? ['london', 'dublin'] : ['london', 'dublin', 'witness'];
    this.agents = names.map((name) => {
      const policy = { ...POLICY, ...changes, self: name, mode };
      return {
        name,
        policy,
        state: newFailover(policy, noFailoverMemory, 0),
        isAlive: true,
        isPaused: false,
        ears: new Map(),
        later: [],
        lastTickMs: 0,
      };
    });
  }

  agent(name: string): Agent {
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

  ask(agent: string, request: FailoverRequest): void {
    this.#give(this.agent(agent), { kind: 'operator', atMs: this.nowMs, request });
  }

  /** Ends one agent's process and starts it again without memory. */
  restart(name: string): void {
    const agent = this.agent(name);
    agent.state = newFailover(agent.policy, noFailoverMemory, this.nowMs);
    agent.ears.clear();
    agent.later.splice(0);
    agent.isAlive = true;
  }

  pass(seconds: number, each: () => void = () => {}): void {
    const untilMs = this.nowMs + seconds * 1_000;
    while (this.nowMs < untilMs) {
      this.nowMs += STEP_MS;
      this.#renewLease();
      for (const agent of this.agents) this.#run(agent);
      each();
    }
  }

  #run(agent: Agent): void {
    if (!agent.isAlive || agent.isPaused) return;
    const { nowMs } = this;
    const lostMs = nowMs - agent.lastTickMs - STEP_MS;
    agent.lastTickMs = nowMs;
    // What was under way while it stood still arrives all the same, as the sockets' buffers hold it.
    if (lostMs > 1_000) this.#give(agent, { kind: 'gap', atMs: nowMs, lostMs });
    for (const due of agent.later.filter(({ atMs }) => atMs <= nowMs)) {
      agent.later.splice(agent.later.indexOf(due), 1);
      this.#give(agent, { ...due.input, atMs: nowMs });
    }
    for (const server of POLICY.servers) this.#listen(agent, server);
    if (nowMs % READ_EVERY_MS === 0) this.#readDns(agent);
    if (nowMs % 1_000 === 0) this.#meet(agent);
    this.#give(agent, { kind: 'tick', atMs: nowMs });
  }

  #listen(agent: Agent, server: ServerName): void {
    const { nowMs } = this;
    const truth = this.truth.get(server);
    const gives = this.reaches(agent.name, server) && (truth === 'fine' || truth === 'mute');
    const before = agent.ears.get(server) ?? { ear: 'starting', quietSinceMs: nowMs };
    const isRefused = truth === 'dead' && this.reaches(agent.name, server);
    const quietSinceMs = gives ? nowMs : before.quietSinceMs;
    const isQuiet = !gives && nowMs - quietSinceMs >= STALL_MS;
    const ear: PublicEar['is'] = gives
      ? 'hearing'
      : isRefused
        ? 'disconnected'
        : isQuiet
          ? 'quiet'
          : before.ear;
    agent.ears.set(server, { ear, quietSinceMs });
    if (ear !== before.ear) {
      const told: PublicEar =
        ear === 'disconnected' ? { is: ear, detail: 'the connection ended' } : { is: ear };
      this.#give(agent, { kind: 'ear', atMs: nowMs, server, station: MYFM, ear: told });
    }
    if (!gives) return;
    const block = { atMs: nowMs, durationMs: STEP_MS, audibleMs: truth === 'fine' ? STEP_MS : 0 };
    this.#give(agent, { kind: 'heard', atMs: nowMs, server, station: MYFM, block });
  }

  #readDns(agent: Agent): void {
    const { nowMs: atMs } = this;
    if (this.noDns.has(agent.name)) {
      this.#give(agent, { kind: 'record-unread', atMs, detail: 'unreachable' });
      return;
    }
    const { server, epoch } = this.dns;
    const record = server === null ? { is: 'missing' as const } : { is: 'server' as const, server };
    this.#give(agent, { kind: 'record', atMs, record, epoch });
  }

  /** What agents learn of each other: alone over the other's Icecast, in a cluster over NATS. */
  #meet(agent: Agent): void {
    const { nowMs: atMs } = this;
    for (const other of this.agents) {
      if (other === agent || !other.isAlive || other.isPaused) continue;
      if (agent.policy.mode === 'alone') {
        const server = serverName(other.name);
        const answers = this.truth.get(server) === 'fine' || this.truth.get(server) === 'mute';
        const seen = answers && this.reaches(agent.name, other.name);
        this.#give(agent, { kind: 'colleague', atMs, server, seen });
      } else if (this.#hasNats(agent.name) && this.#hasNats(other.name)) {
        const servers = new Map(
          [...other.state.sights].map(([server, { health }]) => [
            server,
            { is: health.is, verifiedAgoMs: health.is === 'well' ? atMs - health.verifiedAtMs : null },
          ]),
        );
        const observation = { agent: other.name, heardAtMs: atMs, servers };
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
    if (this.nowMs % 500 !== 0) return;
    for (const agent of this.agents) {
      if (agent.policy.mode !== 'cluster' || !agent.isAlive || agent.isPaused) continue;
      this.#seekLease(agent);
    }
  }

  #seekLease(agent: Agent): void {
    const { nowMs } = this;
    if (!this.#hasNats(agent.name)) {
      const lost = { is: 'lost' as const, detail: 'NATS has no majority' };
      const held = agent.state.lease;
      if (held.is !== 'ours' || nowMs >= held.stepDownAtMs)
        this.#give(agent, { kind: 'lease', atMs: nowMs, lease: lost });
      return;
    }
    if (this.#lease === null || nowMs - this.#lease.renewedMs >= LEASE_MS) {
      this.#leaseEpoch += 1;
      this.#lease = { holder: agent.name, epoch: this.#leaseEpoch, renewedMs: nowMs };
    }
    const { holder, epoch, renewedMs } = this.#lease;
    if (holder !== agent.name) {
      this.#give(agent, { kind: 'lease', atMs: nowMs, lease: { is: 'theirs', holder } });
      return;
    }
    if (nowMs - renewedMs >= RENEW_MS) this.#lease = { holder, epoch, renewedMs: nowMs };
    const stepDownAtMs = this.#lease.renewedMs + STEP_DOWN_MS;
    this.#give(agent, { kind: 'lease', atMs: nowMs, lease: { is: 'ours', epoch, stepDownAtMs } });
  }

  #give(agent: Agent, input: FailoverInput): void {
    const { state, commands, events } = failoverStep(agent.state, input, agent.policy);
    agent.state = state;
    for (const event of events) this.events.push({ agent: agent.name, event });
    for (const command of commands) this.#carryOut(agent, command);
  }

  #carryOut(agent: Agent, command: FailoverCommand): void {
    const { nowMs } = this;
    if (command.kind === 'end-listeners') {
      this.ended.push({ atMs: nowMs, server: command.server });
    } else if (command.kind === 'probe') {
      const { server, station } = command;
      const { probe, tookMs } = this.#probe(agent, server);
      agent.later.push({
        atMs: nowMs + tookMs,
        input: { kind: 'probe', atMs: nowMs + tookMs, server, station, probe },
      });
    } else {
      this.#publish(agent, command);
    }
  }

  #probe(agent: Agent, server: ServerName): { probe: Probe; tookMs: number } {
    const truth = this.truth.get(server);
    if (!this.reaches(agent.name, server))
      return { probe: { ok: false, stage: 'connect', detail: 'no route' }, tookMs: PROBE_TIMEOUT_MS };
    if (truth === 'dead') return { probe: { ok: false, stage: 'connect', detail: 'refused' }, tookMs: 0 };
    if (truth === 'hung')
      return { probe: { ok: false, stage: 'first-byte', detail: 'nothing came' }, tookMs: PROBE_TIMEOUT_MS };
    return { probe: { ok: true }, tookMs: 100 };
  }

  #publish(agent: Agent, command: FailoverCommand & { kind: 'publish' }): void {
    const { server, epoch, expectedEpoch } = command;
    const tell = (outcome: (FailoverInput & { kind: 'published' })['outcome']) =>
      agent.later.push({
        atMs: this.nowMs + 300,
        input: { kind: 'published', atMs: this.nowMs + 300, server, epoch, outcome },
      });
    if (this.noDns.has(agent.name)) tell({ is: 'failed', detail: 'unreachable' });
    else if (this.dns.epoch !== expectedEpoch)
      tell({ is: 'fenced', detail: `epoch ${this.dns.epoch} stands` });
    else {
      this.dns = { server, epoch };
      this.writes.push({ atMs: this.nowMs, by: agent.name, server, epoch });
      tell({ is: 'done', behind: null });
    }
  }
}
