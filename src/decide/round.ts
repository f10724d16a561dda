import { type Command, type CommandId, commandId } from '../domain/commands.ts';
import type { StationEvent } from '../domain/events.ts';
import type { LegId, ServerName } from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { type Alert, alertsOf, BACKUP_GRACE_MS } from './alerts.ts';
import { afterSwitch, afterTakeOver, choose, lastChoice } from './choice.ts';
import { type Desk, withProbation } from './desk.ts';
import { isDisplaced, type LegState, reconnecting, withCondition } from './leg.ts';
import { expireHold } from './operator.ts';
import { isInForce } from './planned-silence.ts';
import { chainDiffersSince, evidenceOf, judgeServer, roleOn, type ServerState } from './server.ts';
import { legsOn, rememberedAway, type StationState, updateLeg, withEntry } from './state.ts';
import { movesNeeded, tidyAway, withMoveSent } from './sweep.ts';

/** What one input led to: the state after it, what is to be done, and what happened. */
export interface Step {
  readonly state: StationState;
  readonly commands: readonly Command[];
  readonly events: readonly StationEvent[];
}

/** One look at everything: judge servers, judge legs, choose for each server, move who sits wrong, tell people. */
export class Round {
  readonly events: StationEvent[] = [];
  readonly #commands: Command[] = [];
  readonly #policy: StationPolicy;
  readonly #nowMs: number;
  #state: StationState;
  /** The legs by server, asked for several times while none of them changes. */
  #sorted: { readonly server: ServerName; readonly legs: readonly LegState[] }[] = [];
  #sortedOf: StationState['legs'] | null = null;

  constructor(state: StationState, policy: StationPolicy, nowMs: number) {
    this.#state = state;
    this.#policy = policy;
    this.#nowMs = nowMs;
  }

  run(): Step {
    this.#judge();
    for (const server of this.#policy.servers) {
      if (!this.#state.stopping) this.#decide(server);
      this.#sweep(server);
    }
    for (const leg of this.#state.legs.values()) {
      if (isDisplaced(leg)) this.reconnect(leg, 'this monitor was found on another mount');
    }
    this.#tell();
    return this.result();
  }

  /** The round in which the agent leaves: the last choice on each server it acts on, and its moves. */
  finish(): Step {
    this.#judge();
    for (const server of this.#policy.servers) {
      this.#withDesk(server, (desk, legs) => {
        if (this.#policy.mode === 'relay') return desk;
        const choice = lastChoice(desk, legs, this.#nowMs, this.#policy);
        return choice.do === 'switch' ? this.#switched(desk, legs, choice) : desk;
      });
      this.#sweep(server);
    }
    return this.result();
  }

  result(): Step {
    return { state: this.#state, commands: this.#commands, events: this.events };
  }

  reconnect(leg: LegState, because: string): void {
    const deadlineMs = this.#nowMs + 1000;
    this.#commands.push({
      kind: 'reconnect-monitor',
      id: this.#nextId(),
      leg: leg.leg.id,
      because,
      deadlineMs,
    });
    this.#state = updateLeg(this.#state, leg.leg.id, reconnecting);
  }

  #judge(): void {
    const policy = this.#policy;
    const nowMs = this.#nowMs;
    const judgedLegs: [LegId, LegState][] = [];
    for (const before of this.#state.servers.values()) {
      const on = this.#legsOn(before.server);
      const condition = judgeServer(before, on, nowMs, policy);
      this.#noteServer(before, condition);
      const chainDiffersSinceMs = chainDiffersSince(before, nowMs, policy);
      const isSame = condition === before.condition && chainDiffersSinceMs === before.chainDiffersSinceMs;
      const server = isSame ? before : { ...before, condition, chainDiffersSinceMs };
      if (server !== before) this.#setServer(server);
      const evidence = evidenceOf(server);
      for (const leg of on) {
        const judged = withCondition(leg, evidence, nowMs, policy);
        this.#noteLeg(leg, judged.condition);
        if (judged !== leg) judgedLegs.push([leg.leg.id, judged]);
      }
    }
    if (judgedLegs.length > 0)
      this.#state = { ...this.#state, legs: new Map([...this.#state.legs, ...judgedLegs]) };
    const servers = [...this.#state.servers.values()];
    for (const server of servers) {
      const { role, because } = roleOn(server, servers, nowMs, policy);
      if (role === server.role) continue;
      this.events.push({
        kind: 'role-changed',
        atMs: nowMs,
        server: server.server,
        from: server.role,
        to: role,
        because,
      });
      this.#setServer({ ...server, role });
    }
  }

  #setServer(server: ServerState): void {
    this.#state = { ...this.#state, servers: withEntry(this.#state.servers, server.server, server) };
  }

  #legsOn(server: ServerName): readonly LegState[] {
    if (this.#sortedOf !== this.#state.legs) this.#sorted = [];
    this.#sortedOf = this.#state.legs;
    const known = this.#sorted.find((one) => one.server === server);
    if (known !== undefined) return known.legs;
    const legs = legsOn(this.#state, server, this.#policy);
    this.#sorted.push({ server, legs });
    return legs;
  }

  #noteServer(server: ServerState, to: ServerState['condition']): void {
    if (to.is === server.condition.is) return;
    this.events.push({
      kind: 'server-changed',
      atMs: this.#nowMs,
      server: server.server,
      from: server.condition,
      to,
    });
  }

  #noteLeg(leg: LegState, to: LegState['condition']): void {
    const from = leg.condition;
    const same = from.is === to.is && (from.is !== 'faulty' || to.is !== 'faulty' || from.fault === to.fault);
    if (!same) this.events.push({ kind: 'leg-changed', atMs: this.#nowMs, leg: leg.leg.id, from, to });
  }

  #decide(server: ServerName): void {
    const policy = this.#policy;
    const nowMs = this.#nowMs;
    this.#withDesk(server, (before, legs) => {
      const { desk, events } = expireHold(withProbation(before, legs, nowMs, policy), nowMs);
      this.events.push(...events);
      if (policy.mode === 'relay') return desk;
      const { memory } = this.#state;
      const choice = choose(
        desk,
        legs,
        memory.desks[server]?.onAir ?? null,
        nowMs,
        policy,
        isInForce(this.#state.silence, nowMs),
      );
      switch (choice.do) {
        case 'stay':
        case 'wait':
          return tidyAway(desk, legs, nowMs);
        case 'take-over': {
          const { source, because } = choice;
          if (this.#acts(server))
            this.events.push({
              kind: 'took-over',
              atMs: nowMs,
              server,
              source,
              because,
              ...(desk.hold === null ? {} : { held: true }),
            });
          return afterTakeOver(desk, legs, source, rememberedAway(memory, server, policy), nowMs);
        }
        case 'switch':
          return this.#switched(desk, legs, choice);
      }
    });
  }

  #switched(
    desk: Desk,
    legs: readonly LegState[],
    choice: ReturnType<typeof choose> & { do: 'switch' },
  ): Desk {
    const { to, trigger, because } = choice;
    const { server, onAir } = desk;
    if (onAir !== null && this.#acts(server)) {
      this.events.push({ kind: 'switched', atMs: this.#nowMs, server, from: onAir, to, trigger, because });
    }
    return afterSwitch(desk, legs, to, trigger, this.#nowMs, this.#policy);
  }

  /** An agent that only watches follows every choice as if it acted, so that it can stand in at once. */
  #acts(server: ServerName): boolean {
    return this.#state.servers.get(server)?.role !== 'watching';
  }

  #sweep(server: ServerName): void {
    if (this.#policy.mode === 'relay') return;
    if (!this.#acts(server) || this.#state.servers.get(server)?.condition.is !== 'up') return;
    this.#withDesk(server, (desk, legs) => {
      const toSource = desk.onAir;
      if (toSource === null) return desk;
      let swept = desk;
      for (const move of movesNeeded(desk, legs, this.#nowMs, this.#policy)) {
        const id = this.#nextId();
        this.#commands.push({ kind: 'move-listeners', id, server, toSource, ...move });
        swept = withMoveSent(swept, move, id, this.#nowMs);
      }
      return swept;
    });
  }

  #tell(): void {
    const atMs = this.#nowMs;
    if (isInForce(this.#state.silence, atMs)) return;
    const alerts: Alert[] = [];
    for (const [name, server] of this.#state.servers) {
      const desk = this.#state.desks.get(name);
      if (desk === undefined) continue;
      const found = alertsOf(server, desk, this.#legsOn(name), atMs, this.#policy);
      if (found.some(({ code }) => code === 'nothing-audible'))
        this.#state = { ...this.#state, allLostAtMs: withEntry(this.#state.allLostAtMs, name, atMs) };
      alerts.push(...found.filter((one) => this.#state.alerts.has(one.key) || this.#isNews(one, name)));
    }
    if (alerts.length === 0 && this.#state.alerts.size === 0) return;
    const now = new Map(alerts.map((alert) => [alert.key, alert]));
    for (const [key, { code, subject, detail }] of now) {
      if (!this.#state.alerts.has(key))
        this.events.push({ kind: 'alert-opened', atMs, code, subject, detail });
    }
    for (const [key, { code, subject, detail }] of this.#state.alerts) {
      if (!now.has(key)) this.events.push({ kind: 'alert-closed', atMs, code, subject, detail });
    }
    this.#state = { ...this.#state, alerts: now };
  }

  /** Of a backup nobody has to be told while all is lost, nor before it has had its time to come back with the others. */
  #isNews({ code }: Alert, server: ServerName): boolean {
    if (code !== 'backup-not-proven') return true;
    const { mode, self } = this.#policy;
    const allLostAtMs = this.#state.allLostAtMs.get(mode === 'relay' ? self : server);
    return allLostAtMs === undefined || this.#nowMs - allLostAtMs >= BACKUP_GRACE_MS;
  }

  #withDesk(server: ServerName, change: (desk: Desk, legs: readonly LegState[]) => Desk): void {
    const desk = this.#state.desks.get(server);
    if (desk === undefined) return;
    const changed = change(desk, this.#legsOn(server));
    if (changed !== desk)
      this.#state = { ...this.#state, desks: withEntry(this.#state.desks, server, changed) };
  }

  #nextId(): CommandId {
    const { nextCommand } = this.#state;
    this.#state = { ...this.#state, nextCommand: nextCommand + 1 };
    return commandId(`${this.#policy.station}@${this.#policy.self}-${nextCommand}`);
  }
}
