import { startHeartbeat } from '../alerts/heartbeat.ts';
import { type AlertMessage, messageOf } from '../alerts/message.ts';
import { Outbox, type Verdict } from '../alerts/outbox.ts';
import type { AlertsConfig, Config } from '../config/index.ts';
import { whoTells } from '../decide/telling.ts';
import type { OutboxFigures } from '../domain/figures.ts';
import type { ServerName, StationName } from '../domain/ids.ts';
import type { IncidentChange, Severity } from '../domain/incidents.ts';
import type { OutboxRow } from '../domain/outbox.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import { messageOf as errorText } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import type { Chronicle, Teller } from './chronicle.ts';
import type { Colleagues } from './colleagues.ts';
import { hooksOf } from './hooks.ts';
import { sealOn } from './mark-seal.ts';
import { SharedAcknowledgements } from './shared-acknowledgements.ts';

const REVIEW_EVERY_MS = 1_000;
/** What has been left to a colleague is told after all when it has shown nothing of it for this long. */
const ORPHANED_MS = 15_000;
const MOST_REMEMBERED = 1_000;
const SEAL_LENGTH = 10;

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

interface Thread {
  readonly station: StationName;
  readonly thread: string;
  readonly severity: Severity;
}

/** Tells people of incidents: every hook of the config, once for all agents that see the same. */
export class Alerting implements Teller {
  readonly #options: AlertingOptions;
  readonly #outbox: Outbox;
  readonly #acknowledgements: SharedAcknowledgements;
  readonly #cancels: Cancel[] = [];
  #heartbeats: Cancel[] = [];
  /** Incidents that people know of from us. */
  readonly #told = new Map<string, Thread>();
  /** Incidents that were left to a colleague, and since when it has shown nothing of them. */
  readonly #left = new Map<string, { readonly message: AlertMessage; silentFromMs: number | null }>();
  readonly #waitingFromMs = new Map<string, number>();

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
    await alerting.#begin();
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
    const { incident } = change;
    const unixMs = clock.wallTime().getTime();
    const also = troublesOf(incident.station);
    const message = messageOf(change, config.self, unixMs, also);
    if (message === null) return [];
    const telling = this.#whoTells(message, 0);
    return this.#outbox.rowsFor(message, unixMs + (telling.do === 'wait' ? telling.forMs : 0));
  }

  written(rows: readonly OutboxRow[], kept: boolean): void {
    // What no disk has taken is told all the same; only a crash would lose it.
    if (!kept) this.#options.log.warn({ count: rows.length }, 'alerts are told without having been written');
    this.#outbox.take(rows);
  }

  /**
   * What our sign of life on a server says: what people know of from us, and who looks after it. Only who knows the server's
   * password can read or forge it.
   */
  marksFor(server: ServerName): readonly string[] {
    const { chronicle } = this.#options;
    const open = new Set(chronicle.openIncidents.map(({ id }) => id));
    const told = [...this.#told].flatMap(([id, thread]) =>
      open.has(id) ? this.#marksOf(server, thread) : [],
    );
    return [...told, ...this.#acknowledgements.marksFor(server)];
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
      for (const { body } of await chronicle.port.call('outbox', 'sent', MOST_REMEMBERED))
        this.#remember(JSON.parse(body) as AlertMessage);
    } catch (thrown) {
      log.warn({ err: errorText(thrown) }, 'what was told before is not known');
    }
    await this.#outbox.begin();
  }

  #remember({ kind, incident }: AlertMessage): void {
    const { station, thread, severity } = incident;
    this.#left.delete(incident.id);
    if (kind === 'closed') this.#told.delete(incident.id);
    else this.#told.set(incident.id, { station, thread, severity });
  }

  #judge(message: AlertMessage): Verdict {
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    const sinceMs = this.#waitingFromMs.get(message.id) ?? nowMs;
    // A row is due when the wait for a colleague is over.
    const telling = this.#whoTells(message, Number.POSITIVE_INFINITY);
    this.#waitingFromMs.delete(message.id);
    if (telling.do !== 'leave') return { do: 'send' };
    if (message.kind === 'closed') this.#left.delete(message.incident.id);
    else this.#left.set(message.incident.id, { message, silentFromMs: null });
    return { do: 'drop', because: `told by ${telling.to}, ${Math.round(nowMs - sinceMs)} ms later` };
  }

  #whoTells(message: AlertMessage, waitedMs: number) {
    const { config, colleagues } = this.#options;
    const { incident, kind } = message;
    return whoTells({
      self: config.self,
      order: config.servers.map(({ name }) => name),
      colleagues: colleagues.sights,
      marks: config.servers.flatMap(({ name }) => this.#marksOf(name, incident, true)),
      is: kind === 'test' ? 'opened' : kind,
      toldByUs: this.#told.has(incident.id),
      waitedMs,
    });
  }

  /** A colleague that had told dies, or has closed its own part while ours goes on: now it is ours to tell. */
  #review(): void {
    const nowMs = this.#options.clock.nowMs();
    const open = new Map(this.#options.chronicle.openIncidents.map((incident) => [incident.id, incident]));
    for (const [id, left] of this.#left) {
      const incident = open.get(id);
      if (incident === undefined) {
        this.#left.delete(id);
        continue;
      }
      if (this.#whoTells(left.message, Number.POSITIVE_INFINITY).do === 'leave') {
        left.silentFromMs = null;
        continue;
      }
      left.silentFromMs ??= nowMs;
      if (nowMs - left.silentFromMs < ORPHANED_MS) continue;
      this.#left.delete(id);
      const unixMs = this.#options.clock.wallTime().getTime();
      const late = { ...left.message, id: `${left.message.id}.late`, unixMs };
      const rows = this.#outbox.rowsFor(late, unixMs);
      void this.#options.chronicle.history
        .write({ recorded: null, outbox: rows })
        .then((kept) => this.written(rows, kept));
    }
  }

  /** In a mark there is the password of the server where it is shown, so that nobody else can say it. */
  #marksOf(server: ServerName, { station, thread, severity }: Thread, covering = false): readonly string[] {
    const mark = (of: Severity) =>
      sealOn(this.#options.config, server, ['told', station, thread, of], SEAL_LENGTH) ?? [];
    // Who has told of the worse has told of the lesser too.
    const said: Severity[] = covering && severity === 'warning' ? ['warning', 'critical'] : [severity];
    return said.flatMap(mark);
  }
}
