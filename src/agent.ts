import type { DecoderFactory } from './audio/decoder.ts';
import { type Config, policyOf } from './config/index.ts';
import { showsAgentOf } from './decide/server.ts';
import type { Command } from './domain/commands.ts';
import type { FailoverRequest, RequestAnswer } from './domain/failover.ts';
import type { AgentFigures } from './domain/figures.ts';
import type { ServerLook } from './domain/icecast.ts';
import type { Leg, ServerName, StationName } from './domain/ids.ts';
import type { Input } from './domain/inputs.ts';
import type { StationLevels } from './domain/levels.ts';
import type { OperatorRequest } from './domain/operator.ts';
import type { AgentView, LoudnessView } from './domain/view.ts';
import { atMost, type Cancel, type Clock } from './platform/clock.ts';
import type { Logger } from './platform/logger.ts';
import type { Random } from './platform/random.ts';
import type { Station } from './station.ts';
import { VERSION } from './version.ts';
import { Alerting } from './wiring/alerting.ts';
import { chainSigns } from './wiring/chain-signs.ts';
import { Chronicle } from './wiring/chronicle.ts';
import { Colleagues } from './wiring/colleagues.ts';
import { DecisionLoop } from './wiring/decision-loop.ts';
import type { Failover } from './wiring/failover.ts';
import { startConfiguredFailover } from './wiring/failover-start.ts';
import { plannedSilenceFile } from './wiring/memory-file.ts';
import { type ListedServer, playlistOf } from './wiring/playlists.ts';
import type { EarOnAir } from './wiring/public-ear.ts';
import { startPublicMeters } from './wiring/public-meters.ts';
import { recall } from './wiring/recall.ts';
import { prepareStation, type Running } from './wiring/running.ts';
import type { ServerLink } from './wiring/server-link.ts';
import { startServerLinks } from './wiring/server-links.ts';
import { SharedHolds } from './wiring/shared-holds.ts';
import { SharedNameOrder } from './wiring/shared-name-order.ts';
import { SharedSilences } from './wiring/shared-silences.ts';
import { SilencePlans } from './wiring/silence-plans.ts';
import { hearSpoken, spokenOnAir } from './wiring/spoken.ts';
import { StationParts } from './wiring/station-parts.ts';
import { stationView, troublesOf } from './wiring/view.ts';

const TICK_MS = 100;
/** A tick this late means that the whole process stood still. */
const GAP_MS = 1000;
/** A station of which nothing is known keeps the others from being ready for so long after the start. */
const WAIT_FOR_STATION_MS = 30_000;
const REMEMBER_EVERY_MS = 5000;
/** The last moves have this long before the agent goes, in ms. */
const LAST_MOVES_MS = 3500;
const LAST_PARTS_MS = 1000;
/** An agent that has decided nothing for so long gives no heartbeat. */
const UNWELL_MS = 10_000;

export interface AgentOptions {
  readonly config: Config;
  readonly ffmpegPath: string;
  /** For the legs of all stations. */
  readonly decoders: DecoderFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** After each tick that was decided on. */
  readonly roundCompleted?: () => void;
}

/** The agent: every input of every station goes through one loop, is decided on, and what follows is done. */
export class Agent {
  /** What is written down. */
  readonly chronicle: Chronicle;
  readonly silencePlans: SilencePlans;
  readonly #options: AgentOptions;
  #config: Config;
  readonly #startedAtMs: number;
  readonly #stations = new Map<StationName, Running>();
  #links: ReadonlyMap<ServerName, ServerLink> = new Map();
  readonly #parts: StationParts;
  #failover: Failover | null = null;
  #publicEars: readonly EarOnAir[] = [];
  #alerting: Alerting | null = null;
  readonly #colleagues: Colleagues;
  readonly #silences: SharedSilences;
  readonly #holds: SharedHolds;
  readonly #nameOrder: SharedNameOrder;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #cancels: Cancel[] = [];
  #isOver = false;
  readonly #loop: DecisionLoop;
  #lastTickAtMs: number;

  private constructor(options: AgentOptions, chronicle: Chronicle) {
    const { config, clock, random, log } = options;
    this.#options = options;
    this.#config = config;
    this.chronicle = chronicle;
    this.#colleagues = new Colleagues(clock);
    this.#silences = new SharedSilences(config, this.#colleagues, clock);
    this.#holds = new SharedHolds({
      config,
      stations: () => [...this.#stations.values()].map(({ station }) => station),
      clock,
      input: (station, input) => this.#loop.push(station, input),
    });
    this.#nameOrder = new SharedNameOrder({ config, clock, failover: () => this.#failover });
    this.silencePlans = new SilencePlans({
      stations: config.stations,
      file: plannedSilenceFile(config.state.directory, clock, log),
      clock,
      random,
      input: (name, input) => {
        const station = this.#stations.get(name)?.station;
        if (station !== undefined) this.#loop.push(station, input);
      },
      event: (station, event) => chronicle.note(station, event),
      shared: () => this.#silences.heard(),
    });
    this.#loop = new DecisionLoop({
      ...options,
      stations: () => [...this.#stations.values()].map(({ station }) => station),
    });
    this.#parts = new StationParts({
      ...options,
      links: () => this.#links,
      input: (station, input) => this.#push(station, input),
      heard: (station, leg, reading) => chronicle.heard(station, leg, reading),
    });
    this.#startedAtMs = options.clock.nowMs();
    this.#lastTickAtMs = this.#startedAtMs;
  }

  static async start(options: AgentOptions): Promise<Agent> {
    const { config, clock, log } = options;
    const directory = config.state.directory;
    const agent = new Agent(options, await Chronicle.open({ agent: config.self, directory, clock, log }));
    await agent.#begin();
    return agent;
  }

  view(): AgentView {
    const nowMs = this.#options.clock.nowMs();
    return {
      agent: this.#config.self,
      version: VERSION,
      uptimeMs: Math.round(nowMs - this.#startedAtMs),
      servers: this.#config.servers.map(({ name, url }) => ({ server: name, url })),
      stations: [...this.#stations.values()].map(({ station, log, levels }) => {
        const name = station.policy.station;
        const relay = this.#parts.relayOf(name);
        const played = relay === null ? null : { relay, sound: levels.output };
        const ofAgent = [...this.chronicle.alerts, ...this.#parts.alertsOf(name)];
        return stationView(station, played, log.events, ofAgent, nowMs);
      }),
      dns: this.#failover?.view() ?? null,
    };
  }

  /** The meters of every station. */
  get levels(): readonly StationLevels[] {
    return [...this.#stations.values()].map(({ levels }) => levels);
  }

  /** What was counted since the start. */
  get figures(): AgentFigures {
    return {
      decisions: this.#loop.figures,
      queuedInputs: this.#loop.queuedInputs,
      stations: [...this.#stations.values()].map(({ records }) => records.figures),
      outbox: this.#alerting?.figures ?? [],
      isHistoryFailing: this.chronicle.history.isFailing,
    };
  }

  /** The last hours of a station in at most `points` points; null when there is no such station. */
  loudness(name: StationName, lastMs: number, points: number): LoudnessView | null {
    return this.#stations.get(name)?.records.loudness(lastMs, points) ?? null;
  }

  /**
   * True when every station has had its first look around and knows what is on air beside us. One that finds nothing at all
   * is waited for no longer than `WAIT_FOR_STATION_MS`, unless no station does.
   */
  get isReady(): boolean {
    const { self, isWitness, servers } = this.#config;
    // A witness has no server beside it, and is ready when it knows what is on air on any.
    const beside = isWitness ? servers.map(({ name }) => name) : [self];
    const stations = [...this.#stations.values()];
    const knowing = stations.filter(({ station }) =>
      beside.some((server) => station.state.desks.get(server)?.onAir != null),
    );
    if (knowing.length === stations.length) return true;
    const isLate = this.#options.clock.nowMs() - this.#startedAtMs >= WAIT_FOR_STATION_MS;
    return isLate && knowing.length > 0;
  }

  /** Hands an operator's wish to the decision; false when there is no such station. */
  request(name: StationName, request: OperatorRequest): boolean {
    const running = this.#stations.get(name);
    if (running === undefined) return false;
    const { clock } = this.#options;
    const unixMs = clock.wallTime().getTime();
    this.#push(running.station, { kind: 'operator', atMs: clock.nowMs(), unixMs, request });
    return true;
  }

  /** The same for where the name points, with its answer. */
  requestDns(request: FailoverRequest): RequestAnswer {
    return this.#failover?.request(request) ?? { is: 'no-dns' };
  }

  /** Where a station is heard, the best first; null when there is no such station. */
  playlist(name: StationName): readonly ListedServer[] | null {
    const running = this.#stations.get(name);
    if (running === undefined) return null;
    return playlistOf(this.#config, running.station, this.#failover?.state ?? null);
  }

  /**
   * From now on this config, as `planReload` gave it: nobody is disconnected, nothing is heard of it.
   * @throws SustainError `bad-webhook-secret`, with nothing changed
   */
  reload(config: Config): void {
    if (config.alerts !== this.#config.alerts) this.#alerting?.change(config.alerts);
    this.#config = config;
    this.silencePlans.reload(config.stations);
    for (const stationConfig of config.stations) {
      const running = this.#stations.get(stationConfig.name);
      if (running === undefined) continue;
      const policy = policyOf(config, stationConfig);
      running.station.change(policy);
      this.chronicle.settings(policy);
      this.#parts.change(policy, stationConfig);
    }
  }

  /** Leaves every server as it should be without us, within 5 s. */
  async stop(): Promise<void> {
    const { clock } = this.#options;
    this.#isOver = true;
    for (const cancel of this.#cancels) cancel();
    this.#push(null, { kind: 'stop', atMs: clock.nowMs() });
    this.#loop.drain();
    await atMost(clock, LAST_MOVES_MS, Promise.allSettled(this.#inFlight));
    this.#loop.drain();
    await atMost(clock, LAST_PARTS_MS, this.#remember());
    for (const link of this.#links.values()) link.stop();
    const parts = [this.#parts, ...this.#publicEars, ...(this.#failover ? [this.#failover] : [])];
    await atMost(clock, LAST_PARTS_MS, Promise.allSettled(parts.map((part) => part.stop())));
    this.#alerting?.stop();
    await atMost(clock, LAST_PARTS_MS, this.chronicle.stop());
  }

  async #begin(): Promise<void> {
    const { config, clock, log } = this.#options;
    const { chronicle } = this;
    const startedUnixMs = clock.wallTime().getTime();
    for (const stationConfig of config.stations) {
      const running: Running = await prepareStation({
        ...this.#options,
        stationConfig,
        chronicle,
        relay: () => this.#parts.relayOf(stationConfig.name),
        command: (command) => this.#dispatch(running.station, command),
        remember: () => void this.#remember(),
      });
      this.#cancels.push(running.stopCounting);
      this.#stations.set(stationConfig.name, running);
    }
    this.#alerting = await Alerting.start({
      ...this.#options,
      chronicle,
      colleagues: this.#colleagues,
      troublesOf: (name) => troublesOf(this.#stations.get(name)?.station ?? null),
      isWell: () => this.#loop.decidedAgoMs < UNWELL_MS,
    });
    const running = [...this.#stations.values()];
    const stations = running.map(({ station }) => station);
    this.#links = startServerLinks(
      {
        ...this.#options,
        onAir: () => spokenOnAir(stations),
        news: () => `${this.#holds.news};${this.#nameOrder.news}`,
      },
      (server, look) => {
        hearSpoken(running, server, look);
        this.#looked(server, look);
      },
      (server) => [
        ...this.#holds.marksFor(server),
        ...this.#nameOrder.marksFor(server),
        ...this.#silences.marksFor(server, this.silencePlans.ownWindows),
        ...(this.#alerting?.marksFor(server) ?? []),
      ],
      () => chainSigns(stations),
    );
    this.#parts.start(running);
    this.#failover = await startConfiguredFailover({
      ...this.#options,
      links: this.#links,
      stations: running,
      noted: (event) => chronicle.note(null, event),
    });
    this.#publicEars = startPublicMeters({
      ...this.#options,
      stations: this.#stations,
      links: this.#links,
      isHeard: (server) => this.#failover?.hears(server) ?? false,
    });
    this.#cancels.push(
      clock.every(TICK_MS, () => this.#tick()),
      clock.every(REMEMBER_EVERY_MS, () => void this.#remember()),
      () => this.silencePlans.stop(),
    );
    await this.silencePlans.begin();
    // Nothing waits for it.
    void recall({
      port: chronicle.port,
      stations: running,
      failover: this.#failover,
      startedUnixMs,
      log,
      isOver: () => this.#isOver,
    });
  }

  #looked(server: ServerName, look: ServerLook): void {
    if (look.ok) {
      this.#noteMounts(server, new Set(look.mounts.map((view) => view.mount)));
      this.#failover?.sawColleague(server, showsAgentOf(look, server));
      this.#colleagues.saw(look);
      this.#holds.saw(look);
      this.#nameOrder.saw(look);
    }
    this.#push(null, { kind: 'look', atMs: this.#options.clock.nowMs(), server, look });
  }

  #noteMounts(server: ServerName, listed: ReadonlySet<Leg['mount']>): void {
    for (const { station } of this.#stations.values()) {
      for (const leg of station.policy.legs) {
        if (leg.server === server) this.#parts.setListed(leg, listed);
      }
    }
  }

  #tick(): void {
    const atMs = this.#options.clock.nowMs();
    const lostMs = atMs - this.#lastTickAtMs - TICK_MS;
    this.#lastTickAtMs = atMs;
    if (lostMs > GAP_MS) {
      this.#options.log.warn(
        { lostMs: Math.round(lostMs) },
        'this agent stood still; what it measured is not used',
      );
      this.#push(null, { kind: 'gap', atMs, lostMs });
    }
    this.#push(null, { kind: 'tick', atMs });
  }

  #push(to: Station | null, input: Input): void {
    this.#loop.push(to, input);
  }

  #dispatch(station: Station, command: Command): void {
    const name = station.policy.station;
    this.chronicle.sent(name, command);
    if (command.kind === 'reconnect-monitor') {
      this.#parts.reconnect(command.leg, command.because);
      return;
    }
    const link = this.#links.get(command.server);
    if (link === undefined) return;
    const { id } = command;
    const done: Promise<void> = link
      .carryOut(command)
      .then((outcome) => {
        this.chronicle.ended(name, id, outcome);
        this.#push(station, { kind: 'result', atMs: this.#options.clock.nowMs(), command: id, outcome });
      })
      .finally(() => this.#inFlight.delete(done));
    this.#inFlight.add(done);
  }

  async #remember(): Promise<void> {
    const atMs = this.#options.clock.nowMs();
    await Promise.all(
      [...this.#stations.values()].map(({ station, memory }) => memory.save(station.memory(atMs))),
    );
  }
}
