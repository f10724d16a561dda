import { startHeartbeat } from '../alerts/heartbeat.ts';
import { type AlertMessage, messageOf } from '../alerts/message.ts';
import { Outbox, type Verdict } from '../alerts/outbox.ts';
import type { AlertsConfig, Config } from '../config/index.ts';
import { isAlive, precedenceMs, type Telling, whoTells } from '../decide/telling.ts';
import type { OutboxFigures } from '../domain/figures.ts';
import type { ServerName, StationName } from '../domain/ids.ts';
import type { Incident, IncidentChange } from '../domain/incidents.ts';
import type { OutboxRow } from '../domain/outbox.ts';
import { atMost, type Cancel, type Clock } from '../platform/clock.ts';
import { messageOf as errorText } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import type { Chronicle, Teller } from './chronicle.ts';
import type { Colleagues } from './colleagues.ts';
import { hooksOf } from './hooks.ts';
import { SharedAcknowledgements } from './shared-acknowledgements.ts';
import { incidentMark, isCovered, isSameTrouble, readIncident } from './shared-incidents.ts';

const REVIEW_EVERY_MS = 1_000;
/** What has been left to a colleague is told after all when it has shown nothing of it for this long. */
const ORPHANED_MS = 15_000;
/** A disk that doesn't answer keeps no agent from starting; what it has is taken up when it comes. */
const BEGIN_WITHIN_MS = 1_000;
const TOLD_BY = /^told by (.+)$/;

export interface AlertingOptions {
  readonly config: Config;
  readonly chronicle: Chronicle;
  readonly colleagues: Colleagues;
  /** What is wrong with the legs of a station now, in words. */
  readonly troublesOf: (station: StationName) => readonly string[];
  /** Whether this agent still decides; the heartbeat stops with it. */
  readonly isWell: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What people were told of, as it was then. */
type Told = Pick<AlertMessage['incident'], 'station' | 'thread' | 'severity' | 'openedUnixMs' | 'servers'>;

interface Left {
  readonly message: AlertMessage;
  /** The colleague that had told of it. */
  readonly to: string;
  /** Since when nobody has shown anything of it. */
  silentFromMs: number | null;
}

/** Tells people of incidents: every hook of the config, once for all agents that see the same. */
export class Alerting implements Teller {
  readonly #options: AlertingOptions;
  readonly #outbox: Outbox;
  readonly #acknowledgements: SharedAcknowledgements;
  readonly #cancels: Cancel[] = [];
  #heartbeats: Cancel[] = [];
  /** Incidents that people know of from us. */
  readonly #told = new Map<string, Told>();
  /** Incidents that were left to a colleague. */
  readonly #left = new Map<string, Left>();
  /** What colleagues say that their own servers' listeners heard of ours, in ms. */
  readonly #elsewhere = new Map<string, Map<ServerName, number>>();

  private constructor(options: AlertingOptions, alerts: AlertsConfig) {
    const { clock, random, log, chronicle } = options;
    this.#options = options;
    this.#acknowledgements = new SharedAcknowledgements(options);
    this.#outbox = new Outbox({
      hooks: hooksOf(alerts, clock),
      store: {
        waiting: () => chronicle.port.call('outbox', 'waiting').catch(() => []),
        update: (rows) => chronicle.history.updateOutbox(rows),
      },
      clock,
      random,
      log,
      judge: (message) => this.#judge(message),
      sent: (messages) => {
        for (const message of messages) this.#remember(message);
      },
    });
    this.#beat(alerts);
    this.#cancels.push(clock.every(REVIEW_EVERY_MS, () => this.#review()));
  }

  static async start(options: AlertingOptions): Promise<Alerting> {
    const alerting = new Alerting(options, options.config.alerts);
    await atMost(options.clock, BEGIN_WITHIN_MS, alerting.#begin());
    options.chronicle.tellBy(alerting);
    return alerting;
  }

  /**
   * From now on these are told; what waits, and what people know of already, stays.
   * @throws SustainError `bad-webhook-secret`, with nothing changed
   */
  change(alerts: AlertsConfig): void {
    this.#outbox.exchange(hooksOf(alerts, this.#options.clock));
    this.#beat(alerts);
  }

  get figures(): readonly OutboxFigures[] {
    return this.#outbox.figures;
  }

  rowsFor(change: IncidentChange): readonly OutboxRow[] {
    const { config, clock, troublesOf } = this.#options;
    const { incident, is } = change;
    const unixMs = clock.wallTime().getTime();
    const also = troublesOf(incident.station);
    const elsewhere = is === 'closed' ? this.#elsewhere.get(incident.id) : undefined;
    const message = messageOf(change, config.self, unixMs, also, elsewhere);
    if (message === null) return [];
    const telling = this.#whoTells(message, 0);
    const rows = this.#outbox.rowsFor(message, unixMs + (telling.do === 'wait' ? telling.forMs : 0));
    if (message.kind !== 'closed' || telling.do !== 'leave') return rows;
    // Known now and not later: an incident that is over is in nobody's sign of life for long.
    this.#left.delete(incident.id);
    return rows.map((row) => ({ ...row, state: 'dropped', lastError: toldBy(telling.to) }));
  }

  written(rows: readonly OutboxRow[], kept: boolean): void {
    // What no disk has taken is told all the same; only a crash would lose it.
    if (!kept) this.#options.log.warn({ count: rows.length }, 'alerts are told without having been written');
    this.#outbox.take(rows.filter(({ state }) => state === 'waiting'));
  }

  /**
   * What our sign of life on a server says: what people know of from us, who looks after it, and what our own listeners heard
   * of what others tell. Only who knows the server's password can make it.
   */
  marksFor(server: ServerName): readonly string[] {
    const { chronicle, config } = this.#options;
    const told: string[] = [];
    const heard: string[] = [];
    const gathered = new Map(this.#outbox.gathered.map(({ incident }) => [incident.id, toldOf(incident)]));
    for (const incident of chronicle.openIncidents) {
      const known = this.#told.get(incident.id) ?? gathered.get(incident.id);
      const deadAirMs = this.#heardHere(incident);
      const said = { ...incident, ...known, deadAirMs, isTold: known !== undefined };
      const mark = said.isTold || deadAirMs !== null ? incidentMark(config, server, said) : null;
      if (mark !== null) (said.isTold ? told : heard).push(mark);
    }
    return [...told, ...this.#acknowledgements.marksFor(server), ...heard];
  }

  stop(): void {
    for (const cancel of [...this.#cancels, ...this.#heartbeats]) cancel();
    this.#acknowledgements.stop();
    this.#outbox.stop();
  }

  /** The first beat comes at once, so that an exchange leaves no gap. */
  #beat({ heartbeats }: AlertsConfig): void {
    const { isWell, clock, log } = this.#options;
    for (const cancel of this.#heartbeats) cancel();
    this.#heartbeats = heartbeats.map(({ url, everyMs }) =>
      startHeartbeat({ url: url.reveal(), everyMs, isWell, clock, log }),
    );
  }

  async #begin(): Promise<void> {
    const { chronicle, log } = this.#options;
    try {
      await chronicle.opened;
      const open = chronicle.openIncidents.map(({ id }) => id);
      for (const { state, body, lastError } of await chronicle.port.call('outboxOf', open)) {
        const message = JSON.parse(body) as AlertMessage;
        const to = TOLD_BY.exec(lastError ?? '')?.[1];
        if (state === 'sent') this.#remember(message);
        else if (state === 'dropped' && to !== undefined)
          this.#left.set(message.incident.id, { message, to, silentFromMs: null });
      }
    } catch (thrown) {
      log.warn({ err: errorText(thrown) }, 'what was told before is not known');
    }
    await this.#outbox.begin();
  }

  #remember({ kind, incident }: AlertMessage): void {
    this.#left.delete(incident.id);
    if (kind === 'closed') this.#told.delete(incident.id);
    else this.#told.set(incident.id, toldOf(incident));
  }

  /** What listeners of our own server heard of it; null when that isn't known, or it is none of its servers. */
  #heardHere({ servers, unheard = [], deadAirMs }: Incident): number | null {
    const { self } = this.#options.config;
    return servers.includes(self) && !unheard.includes(self) ? (deadAirMs[self] ?? 0) : null;
  }

  #judge(message: AlertMessage): Verdict {
    // A row is due when the wait for a colleague is over.
    const telling = this.#whoTells(message, Number.POSITIVE_INFINITY);
    if (telling.do !== 'leave') return { do: 'send' };
    const { id } = message.incident;
    if (message.kind === 'closed') this.#left.delete(id);
    else this.#left.set(id, { message, to: telling.to, silentFromMs: null });
    return { do: 'drop', because: toldBy(telling.to) };
  }

  #whoTells({ incident, kind }: AlertMessage, waitedMs: number): Telling {
    const { config, colleagues } = this.#options;
    const asked = { ...incident, isWider: kind === 'widened' };
    return whoTells({
      self: config.self,
      order: config.servers.map(({ name }) => name),
      colleagues: colleagues.sights.map(({ agent, seenAgoMs, marks }) => ({
        agent,
        seenAgoMs,
        hasTold: readIncident(config, incident, marks).some((said) => isCovered(asked, said)),
      })),
      leftTo: this.#left.get(incident.id)?.to ?? null,
      is: kind === 'test' ? 'opened' : kind,
      toldByUs: this.#told.has(incident.id),
      waitedMs,
    });
  }

  #precedenceMs(): number {
    const { config, colleagues } = this.#options;
    const order = config.servers.map(({ name }) => name);
    return precedenceMs(
      config.self,
      order,
      colleagues.sights.filter(isAlive).map(({ agent }) => agent),
    );
  }

  /** Keeps the most that each colleague has said, as it says no more when its part is over before ours. */
  #hear(open: readonly Incident[]): void {
    const { config, colleagues } = this.#options;
    for (const id of this.#elsewhere.keys())
      if (!open.some((incident) => incident.id === id)) this.#elsewhere.delete(id);
    for (const { agent, marks } of colleagues.sights) {
      const server = config.servers.find(({ name }) => name === agent)?.name;
      if (server === undefined || server === config.self) continue;
      for (const incident of open)
        for (const said of readIncident(config, incident, marks)) {
          if (said.deadAirMs === null || !isSameTrouble(incident, said)) continue;
          const known = this.#elsewhere.get(incident.id) ?? new Map<ServerName, number>();
          known.set(server, Math.max(known.get(server) ?? 0, said.deadAirMs));
          this.#elsewhere.set(incident.id, known);
        }
    }
  }

  /** A colleague that had told dies, or has closed its own part while ours goes on: now it is ours to tell. */
  #review(): void {
    const nowMs = this.#options.clock.nowMs();
    const open = this.#options.chronicle.openIncidents;
    this.#hear(open);
    for (const [id, left] of this.#left) {
      const incident = open.find((one) => one.id === id);
      if (incident === undefined) {
        this.#left.delete(id);
        continue;
      }
      // Of what is calm nobody has to be told that it is there.
      const isCalm = incident.calmSinceUnixMs !== null;
      if (isCalm || this.#whoTells(left.message, Number.POSITIVE_INFINITY).do === 'leave') {
        left.silentFromMs = null;
        continue;
      }
      left.silentFromMs ??= nowMs;
      if (nowMs - left.silentFromMs < ORPHANED_MS + this.#precedenceMs()) continue;
      this.#left.delete(id);
      const unixMs = this.#options.clock.wallTime().getTime();
      const late = { ...left.message, id: `${left.message.id}.late`, unixMs };
      const rows = this.#outbox.rowsFor(late, unixMs);
      void this.#options.chronicle.history
        .write({ recorded: null, outbox: rows })
        .then((kept) => this.written(rows, kept));
    }
  }
}

function toldOf({ station, thread, severity, openedUnixMs, servers }: AlertMessage['incident']): Told {
  return { station, thread, severity, openedUnixMs, servers };
}

function toldBy(agent: string): string {
  return `told by ${agent}`;
}
