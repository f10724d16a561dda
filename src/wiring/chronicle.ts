import type { Command, CommandId } from '../domain/commands.ts';
import type { LegId, Mount, StationName } from '../domain/ids.ts';
import {
  adopt,
  type Incident,
  type IncidentBook,
  type IncidentChange,
  newIncidentBook,
  noteInBook,
  openAsOf,
  passTime,
  withPolicy,
} from '../domain/incidents.ts';
import type { CommandOutcome } from '../domain/inputs.ts';
import type { OutboxRow } from '../domain/outbox.ts';
import type { StationPolicy } from '../domain/policy.ts';
import type { LevelReading } from '../domain/readings.ts';
import { type AgentAlertCode, concerns, type RecordedEvent } from '../domain/record.ts';
import type { AlertView } from '../domain/view.ts';
import { STATE_TAKEN } from '../history/claim.ts';
import { History } from '../history/history.ts';
import type { StorePort } from '../history/port.ts';
import { storePort } from '../history/port.ts';
import type { Keep } from '../history/store.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import { sleep } from '../platform/clock.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Relay } from '../relay/relay.ts';
import type { Station } from '../station.ts';
import { VERSION } from '../version.ts';
import { standingOf } from './begun-anew.ts';
import { ProvenLevels } from './proven-levels.ts';

const DAY_MS = 24 * 3_600_000;
/** Seconds for two days, ten seconds for two weeks, minutes for 90 days; each keeps the loudest moment of every second. */
export const KEEP: Keep = {
  tiers: [
    { afterMs: 2 * DAY_MS, spanS: 10 },
    { afterMs: 14 * DAY_MS, spanS: 60 },
  ],
  levelsMs: 90 * DAY_MS,
  eventsMs: 730 * DAY_MS,
};
const LOOK_EVERY_MS = 1_000;
/** From one look to the next no wall clock comes so far, and none goes back so far, by itself. */
const MOST_AHEAD_MS = 5_000;
const MOST_BACK_MS = 2_000;
/** Somebody has seen by then that the history was put aside, or does with the acknowledgement of its incident. */
const SET_ASIDE_SHOWN_MS = DAY_MS;
/** A disk that doesn't answer keeps no agent from starting. */
const OPEN_WITHIN_MS = 3_000;

/** Who has to be told of a change of an incident: rows for the outbox, written together with what they tell of. */
export interface Teller {
  rowsFor(change: IncidentChange): readonly OutboxRow[];
  /** They have been handed to the disk; `kept` is false when it did not take them. */
  written(rows: readonly OutboxRow[], kept: boolean): void;
}

export interface ChronicleOptions {
  readonly agent: string;
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** In place of the one in `directory`, for tests. */
  readonly port?: StorePort;
}

type AgentAlert = AlertView & { readonly code: AgentAlertCode };

interface Chapter {
  book: IncidentBook;
  readonly levels: ProvenLevels;
  /** Null until `follow`. */
  followed: { readonly station: Station; readonly relay: () => Relay | null } | null;
}

/**
 * What the agent writes down: every event and command, the incidents that they amount to, and levels. Nothing waits for it
 * and nothing fails by it: what a disk does not take is lost, counted and said.
 */
export class Chronicle {
  readonly port: StorePort;
  readonly history: History;
  readonly #options: ChronicleOptions;
  readonly #chapters = new Map<StationName, Chapter>();
  readonly #alerts = new Map<AgentAlertCode, AgentAlert>();
  readonly #fed = new Map<Mount, boolean>();
  readonly #cancels: Cancel[] = [];
  #found: readonly Incident[] = [];
  #read: Promise<unknown> = Promise.resolve();
  #teller: Teller | null = null;
  #lastLook: { readonly unixMs: number; readonly atMs: number } | null = null;
  /** Changes from before there was a teller. */
  #untold: IncidentChange[] = [];

  private constructor(options: ChronicleOptions) {
    const { clock, log, directory } = options;
    this.#options = options;
    this.port =
      options.port ??
      storePort({
        directory,
        wallTime: () => clock.wallTime(),
        setAside: (path) => {
          log.error({ path }, 'the history was damaged: it was put aside and a new one begun');
          this.#writeStanding();
          this.#alert('history-set-aside', `the history was damaged; it is kept as ${path}`);
          this.#cancels.push(clock.after(SET_ASIDE_SHOWN_MS, () => this.#alertOver('history-set-aside')));
        },
      });
    this.history = new History({
      port: this.port,
      keep: KEEP,
      clock,
      log,
      failing: (because) =>
        because === null
          ? this.#alertOver('history-not-written')
          : this.#alert('history-not-written', `the history cannot be written: ${because}`),
    });
  }

  /**
   * Opens what is there, or goes on without it.
   * @throws SustainError `state-taken` where another agent writes.
   */
  static async open(options: ChronicleOptions): Promise<Chronicle> {
    const chronicle = new Chronicle(options);
    try {
      await chronicle.#begin();
    } catch (thrown) {
      await chronicle.history.close();
      throw thrown;
    }
    return chronicle;
  }

  /** What an agent before this one left open is known now, or will never be. */
  get opened(): Promise<unknown> {
    return this.#read;
  }

  /** From now on changes of incidents are told to somebody, and those of the start as well. */
  tellBy(teller: Teller): void {
    this.#teller = teller;
    const untold = this.#untold;
    this.#untold = [];
    if (untold.length > 0) this.#write(null, untold);
  }

  /** Of the agent itself, in the words of the view. */
  get alerts(): readonly AlertView[] {
    return [...this.#alerts.values()];
  }

  /** With what listeners have heard of them up to now. */
  get openIncidents(): readonly Incident[] {
    const unixMs = this.#unixMs();
    return [...this.#chapters.values()].flatMap(({ book }) => openAsOf(book, unixMs));
  }

  /** What a station is decided by from now on. */
  settings(policy: StationPolicy): void {
    const unixMs = this.#unixMs();
    const { station } = policy;
    const known = this.#chapters.get(station);
    if (known === undefined) {
      const open = this.#found.filter((incident) => incident.station === station);
      const levels = new ProvenLevels(this.#options.clock, (row) => this.history.addLevels(row));
      this.#chapters.set(station, { book: newIncidentBook(policy, unixMs, open), levels, followed: null });
      // What was found wrong while the history was opened had no story to be part of yet.
      if (this.#chapters.size === 1) for (const alert of this.#alerts.values()) this.#noteAlert(alert);
    } else known.book = withPolicy(known.book, policy);
    this.note(station, { kind: 'settings', atMs: this.#options.clock.nowMs(), policy });
  }

  /** Looks each second at what no event tells of. */
  follow(station: Station, relay: () => Relay | null): void {
    const chapter = this.#chapters.get(station.policy.station);
    if (chapter !== undefined) chapter.followed = { station, relay };
  }

  note(station: StationName | null, event: RecordedEvent): void {
    this.#noteMissedTime();
    this.#record(station, event);
  }

  #record(station: StationName | null, event: RecordedEvent): void {
    const unixMs = this.#unixMs();
    const recorded = { unixMs, station, event };
    const changes: IncidentChange[] = [];
    const first = [...this.#chapters.keys()][0];
    for (const [name, chapter] of this.#chapters) {
      if (first === undefined || !concerns(recorded, name, first)) continue;
      const step = noteInBook(chapter.book, recorded);
      chapter.book = step.book;
      changes.push(...step.changes);
    }
    this.#write(recorded, changes);
  }

  /** Before anything else that is noted, so that what was found since then stands behind it. */
  #noteMissedTime(): void {
    const { clock } = this.#options;
    const now = { unixMs: this.#unixMs(), atMs: clock.nowMs() };
    const last = this.#lastLook;
    this.#lastLook = now;
    if (last === null) return;
    const forMs = now.unixMs - last.unixMs;
    if (forMs > -MOST_BACK_MS && forMs < MOST_AHEAD_MS) return;
    const is = forMs > 0 && now.atMs - last.atMs > forMs / 2 ? 'stood-still' : 'clock-put';
    this.#record(null, { kind: 'time-missed', atMs: now.atMs, is, fromUnixMs: last.unixMs, forMs });
    this.#options.log.warn(
      { forMs },
      is === 'stood-still' ? 'nothing is known of a while' : 'the wall clock was put',
    );
  }

  sent(station: StationName, command: Command): void {
    this.note(station, { kind: 'command-sent', atMs: this.#options.clock.nowMs(), command });
  }

  ended(station: StationName, id: CommandId, outcome: CommandOutcome): void {
    this.note(station, { kind: 'command-ended', atMs: this.#options.clock.nowMs(), id, outcome });
  }

  heard(station: StationName, leg: LegId, reading: LevelReading): void {
    this.#chapters.get(station)?.levels.heard(leg, reading);
  }

  #lookAt({ station, relay }: NonNullable<Chapter['followed']>, levels: ProvenLevels): void {
    levels.settle(station);
    const { playing, outputs } = relay()?.view ?? { playing: 'nothing', outputs: [] };
    // Until something is played nobody expects a public mount to be fed.
    if (playing === 'nothing') return;
    for (const { mount, state } of outputs) {
      if (state.is === 'connecting' && !this.#fed.has(mount)) continue;
      this.#output(station.policy.station, mount, state.is === 'feeding');
    }
  }

  #output(station: StationName, mount: Mount, isFed: boolean): void {
    const before = this.#fed.get(mount);
    if (before === isFed || (before === undefined && isFed)) return;
    this.#fed.set(mount, isFed);
    this.note(station, { kind: 'output-changed', atMs: this.#options.clock.nowMs(), mount, isFed });
  }

  /** False when no incident of that name is open. `on`: the other agent that was told of it. */
  acknowledge(incident: string, author: string, on?: string): boolean {
    const found = this.openIncidents.find(({ id }) => id === incident);
    if (found === undefined) return false;
    const atMs = this.#options.clock.nowMs();
    this.note(found.station, {
      kind: 'acknowledged',
      atMs,
      incident,
      author,
      ...(on === undefined ? {} : { on }),
    });
    if (found.reasons.some((reason) => reason.startsWith('history-set-aside ')))
      this.#alertOver('history-set-aside');
    return true;
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    for (const { levels, followed } of this.#chapters.values()) {
      if (followed !== null) levels.settle(followed.station);
      levels.flush();
    }
    const { agent, clock } = this.#options;
    this.note(null, { kind: 'agent-stopped', atMs: clock.nowMs(), agent });
    await this.history.close();
  }

  async #begin(): Promise<void> {
    const { agent, clock, log } = this.#options;
    const done = new AbortController();
    let isLate = false;
    const read = Promise.all([
      this.port.call('lastSeenUnixMs', this.#unixMs()),
      this.port.call('incidents', { openOnly: true, limit: 1000 }),
    ]).catch((thrown: unknown) => {
      if (codeOf(thrown) === STATE_TAKEN && !isLate) throw thrown;
      log.error({ err: messageOf(thrown) }, 'the history could not be read; starting without it');
      return null;
    });
    this.#read = read.then(
      (found) => {
        if (isLate && found !== null) this.#adopt(found[1]);
      },
      () => undefined,
    );
    const found = await Promise.race([read, sleep(clock, OPEN_WITHIN_MS, done.signal)]);
    done.abort();
    isLate = found === undefined;
    if (isLate)
      log.error(
        { afterMs: OPEN_WITHIN_MS },
        'the history does not answer; starting without it, what it has is taken up when it comes',
      );
    const [lastSeenUnixMs, open] = found ?? [null, []];
    this.#found = open;
    this.note(null, { kind: 'agent-started', atMs: clock.nowMs(), agent, version: VERSION, lastSeenUnixMs });
    this.#cancels.push(clock.every(LOOK_EVERY_MS, () => this.#look()));
  }

  /**
   * A log can be read from its first row on only when that says who writes it, by which settings, and how all stood. Nothing
   * has happened, so the books of the incidents hear nothing of it.
   */
  #writeStanding(): void {
    if (this.#chapters.size === 0) return;
    const { agent, clock } = this.#options;
    const unixMs = this.#unixMs();
    const atMs = clock.nowMs();
    const begun = { kind: 'agent-started', atMs, agent, version: VERSION, lastSeenUnixMs: null } as const;
    void this.history.write({ recorded: { unixMs, station: null, event: begun } });
    for (const [station, { book, followed }] of this.#chapters) {
      const standing =
        followed === null
          ? [{ kind: 'settings', atMs, policy: book.policy } as const]
          : standingOf(followed.station, followed.relay(), atMs);
      for (const event of standing) void this.history.write({ recorded: { unixMs, station, event } });
      void this.history.write({ recorded: null, incidents: book.open });
    }
  }

  #adopt(found: readonly Incident[]): void {
    const unixMs = this.#unixMs();
    this.#found = found;
    this.#options.log.info({ open: found.length }, 'the history answers: what was open is taken up');
    for (const [station, chapter] of this.#chapters) {
      const own = found.filter((incident) => incident.station === station);
      const { book, changes } = adopt(chapter.book, own, unixMs);
      chapter.book = book;
      if (changes.length > 0) this.#write(null, changes);
    }
  }

  #look(): void {
    this.#noteMissedTime();
    const unixMs = this.#unixMs();
    for (const chapter of this.#chapters.values()) {
      if (chapter.followed !== null) this.#lookAt(chapter.followed, chapter.levels);
      const { book, changes } = passTime(chapter.book, unixMs);
      chapter.book = book;
      if (changes.length > 0) this.#write(null, changes);
    }
  }

  #write(recorded: Parameters<History['write']>[0]['recorded'], changes: readonly IncidentChange[]): void {
    const teller = this.#teller;
    if (teller === null) this.#untold.push(...changes);
    const outbox = teller === null ? [] : changes.flatMap((change) => teller.rowsFor(change));
    const incidents = changes.map(({ incident }) => incident);
    const written = this.history.write({ recorded, incidents, outbox });
    if (outbox.length > 0) void written.then((kept) => teller?.written(outbox, kept));
  }

  #alert(code: AgentAlertCode, detail: string): void {
    const alert = { code, subject: this.#options.agent, detail };
    this.#alerts.set(code, alert);
    if (this.#chapters.size > 0) this.#noteAlert(alert);
  }

  #noteAlert({ code, subject, detail }: AgentAlert): void {
    const atMs = this.#options.clock.nowMs();
    this.note(null, { kind: 'agent-alert-opened', atMs, code, subject, detail });
  }

  #alertOver(code: AgentAlertCode): void {
    const { agent, clock } = this.#options;
    const known = this.#alerts.get(code);
    if (known === undefined) return;
    this.#alerts.delete(code);
    const { detail } = known;
    this.note(null, { kind: 'agent-alert-closed', atMs: clock.nowMs(), code, subject: agent, detail });
  }

  #unixMs(): number {
    return this.#options.clock.wallTime().getTime();
  }
}
