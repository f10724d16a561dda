import type { OutboxFigures } from '../domain/figures.ts';
import type { Severity } from '../domain/incidents.ts';
import type { OutboxRow } from '../domain/outbox.ts';
import { Backoff } from '../platform/backoff.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import { messageOf as errorText } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import { type Delivery, failed, type Hook } from './hook.ts';
import type { AlertMessage } from './message.ts';

/** Where rows are kept. Neither ever rejects. */
export interface OutboxStore {
  waiting(): Promise<readonly OutboxRow[]>;
  update(rows: readonly OutboxRow[]): Promise<boolean>;
}

/** Asked right before something is sent. */
export type Verdict = { readonly do: 'send' } | { readonly do: 'drop'; readonly because: string };

export interface OutboxOptions {
  readonly hooks: readonly Hook[];
  readonly store: OutboxStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly judge: (message: AlertMessage) => Verdict;
  readonly sent: (messages: readonly AlertMessage[]) => void;
}

/** One try may take this long. */
const DELIVER_WITHIN_MS = 30_000;
const RETRY = { firstMs: 5_000, maxMs: 15 * 60_000 };
/** After this nobody wants to be called any more; it stays in the history as dead. */
const GIVE_UP_MS = 24 * 3_600_000;
/** So many in a minute are told one by one; what comes on top of them is told together. */
const STORM_COUNT = 5;
const STORM_MS = 60_000;
/** In a storm something critical waits no longer than this. */
const CRITICAL_MS = 10_000;
const MOST_FOLDED = 200;
/** No receiver is let wait longer by anything that stands on the disk: more is a clock that was wrong when it was written. */
const MOST_AHEAD_MS = 3_600_000;

const isUrgent = ({ kind, incident }: AlertMessage): boolean =>
  incident.severity === 'critical' && (kind === 'opened' || kind === 'escalated');

const RANK: Readonly<Record<Severity, number>> = { warning: 0, critical: 1 };

/** Whether a hook is to be told of this. */
export function wants({ minimum, stations }: Hook, { incident }: AlertMessage): boolean {
  if (RANK[incident.severity] < RANK[minimum]) return false;
  return stations === null || stations.includes(incident.station);
}

/**
 * Tells each hook what waits for it, in order, until it has been taken or a day has gone by. What is here was written to the
 * disk in the same transaction as what it tells of, and is there again after a crash: told twice, perhaps, and not never.
 */
export class Outbox {
  readonly #lanes = new Map<string, Lane>();
  readonly #options: OutboxOptions;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.exchange(options.hooks);
  }

  /** From now on these hooks; what waits for one goes to the one of the same name, and is given up where there is none. */
  exchange(hooks: readonly Hook[]): void {
    for (const [name, lane] of this.#lanes) {
      if (hooks.some((hook) => hook.name === name)) continue;
      this.#lanes.delete(name);
      lane.stop();
      this.#orphan(lane.rows);
    }
    for (const hook of hooks) {
      const lane = this.#lanes.get(hook.name);
      if (lane === undefined) this.#lanes.set(hook.name, new Lane(hook, this.#options));
      else lane.exchange(hook);
    }
  }

  /** With what an agent before this one left behind. */
  async begin(): Promise<void> {
    const { store, clock, log } = this.#options;
    const left = await store.waiting();
    const nowUnixMs = clock.wallTime().getTime();
    const rows = left.filter(({ createdUnixMs }) => nowUnixMs - createdUnixMs < GIVE_UP_MS);
    const old = left.filter((row) => !rows.includes(row));
    if (old.length > 0) {
      log.warn({ count: old.length }, 'alerts from before are too old to be told');
      void store.update(old.map((row) => ({ ...row, state: 'dead', lastError: 'too old at a start' })));
    }
    if (rows.length > 0) log.info({ count: rows.length }, 'alerts from before are still to be told');
    this.take(rows);
  }

  rowsFor(message: AlertMessage, dueUnixMs: number): OutboxRow[] {
    return [...this.#lanes.values()]
      .map(({ hook }) => hook)
      .filter((hook) => wants(hook, message))
      .map((hook) => ({
        id: `${message.id} ${hook.name}`,
        hook: hook.name,
        state: 'waiting',
        attempts: 0,
        dueUnixMs,
        createdUnixMs: message.unixMs,
        lastError: null,
        body: JSON.stringify(message),
      }));
  }

  take(rows: readonly OutboxRow[]): void {
    const orphans: OutboxRow[] = [];
    for (const row of rows) {
      const lane = this.#lanes.get(row.hook);
      if (lane === undefined) orphans.push(row);
      else lane.add(row);
    }
    this.#orphan(orphans);
    for (const lane of this.#lanes.values()) lane.run();
  }

  /** What is due and only gathered with what else comes, by receivers that have taken all until now: as good as told. */
  get gathered(): readonly AlertMessage[] {
    return [...this.#lanes.values()].flatMap((lane) => lane.gathered);
  }

  get figures(): readonly OutboxFigures[] {
    return [...this.#lanes.values()].map(({ figures }) => figures);
  }

  stop(): void {
    for (const lane of this.#lanes.values()) lane.stop();
  }

  #orphan(rows: readonly OutboxRow[]): void {
    if (rows.length === 0) return;
    const lastError = 'it is not in the config';
    const hooks = [...new Set(rows.map(({ hook }) => hook))];
    this.#options.log.warn({ hooks, count: rows.length }, 'alerts are given up: who waits for them is gone');
    void this.#options.store.update(rows.map((row) => ({ ...row, state: 'dead', lastError })));
  }
}

/** Its times are monotonic: a wall clock that is put back holds nothing up, and one put forward gives nothing up. */
interface Letter {
  readonly row: OutboxRow;
  readonly message: AlertMessage;
  readonly dueMs: number;
  readonly createdMs: number;
  /** It was refused for what it is, so that what comes after it does not wait for it. */
  readonly isRefused: boolean;
}

/** What waits for one hook. */
class Lane {
  #hook: Hook;
  readonly #options: OutboxOptions;
  readonly #backoff: Backoff;
  readonly #ending = new AbortController();
  #letters: Letter[] = [];
  #sentAtMs: number[] = [];
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  /** How soon something new may be a reason to try again; what the other side asked for is kept. */
  #hurriedMs = Number.NEGATIVE_INFINITY;
  #busy = false;
  #isFailing = false;
  #but: string | null = null;
  #timer: Cancel = () => {};
  #sent = 0;
  #failed = 0;
  #dead = 0;

  constructor(hook: Hook, options: OutboxOptions) {
    this.#hook = hook;
    this.#options = options;
    this.#backoff = new Backoff(RETRY, options.random);
  }

  get hook(): Hook {
    return this.#hook;
  }

  get rows(): readonly OutboxRow[] {
    return this.#letters.map(({ row }) => row);
  }

  /** The new one is tried at once with what the old one did not take: it may well be the cure. */
  exchange(hook: Hook): void {
    const nowMs = this.#options.clock.nowMs();
    this.#hook = hook;
    this.#backoff.succeeded();
    this.#notBeforeMs = Number.NEGATIVE_INFINITY;
    this.#letters = this.#letters.map((letter) =>
      letter.row.attempts === 0 ? letter : { ...letter, dueMs: Math.min(letter.dueMs, nowMs) },
    );
    this.run();
  }

  get gathered(): readonly AlertMessage[] {
    const nowMs = this.#options.clock.nowMs();
    if (this.#isFailing || this.#stormMs(nowMs) <= 0) return [];
    return this.#letters.filter(({ dueMs }) => dueMs <= nowMs).map(({ message }) => message);
  }

  get figures(): OutboxFigures {
    const counts = { sent: this.#sent, failed: this.#failed, dead: this.#dead };
    return { hook: this.#hook.name, waiting: this.#letters.length, ...counts };
  }

  add(row: OutboxRow): void {
    if (this.#letters.some((letter) => letter.row.id === row.id)) return;
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    this.#hurry();
    const nowUnixMs = clock.wallTime().getTime();
    try {
      this.#letters.push({
        row,
        message: JSON.parse(row.body) as AlertMessage,
        dueMs: nowMs + Math.min(MOST_AHEAD_MS, Math.max(0, row.dueUnixMs - nowUnixMs)),
        createdMs: nowMs - Math.max(0, nowUnixMs - row.createdUnixMs),
        isRefused: false,
      });
    } catch (thrown) {
      void this.#options.store.update([{ ...row, state: 'dead', lastError: errorText(thrown) }]);
    }
  }

  /**
   * The wait after a long failure may be a quarter of an hour, and who was away may be back long since: what is new is tried
   * soon, behind what waits already, so that all comes in its order.
   */
  #hurry(): void {
    if (!this.#isFailing) return;
    this.#notBeforeMs = Math.min(this.#notBeforeMs, this.#hurriedMs);
    this.#letters = this.#letters.map((letter) =>
      letter.row.attempts === 0 || letter.isRefused
        ? letter
        : { ...letter, dueMs: Math.min(letter.dueMs, this.#hurriedMs) },
    );
  }

  stop(): void {
    this.#ending.abort();
    this.#timer();
  }

  /** Sends what is due, or looks again when it will be. */
  run(): void {
    if (this.#busy || this.#ending.signal.aborted) return;
    this.#timer();
    const waitMs = this.#waitMs();
    if (waitMs === null) return;
    if (waitMs > 0) {
      this.#timer = this.#options.clock.after(waitMs, () => this.run());
      return;
    }
    this.#busy = true;
    void this.#send(this.#due()).finally(() => {
      this.#busy = false;
      this.run();
    });
  }

  /** Null: nothing waits. */
  #waitMs(): number | null {
    const nowMs = this.#options.clock.nowMs();
    if (this.#letters.length === 0) return null;
    const dueMs = Math.min(...this.#letters.map((letter) => letter.dueMs));
    return Math.max(0, dueMs - nowMs, this.#notBeforeMs - nowMs, this.#stormMs(nowMs));
  }

  #stormMs(nowMs: number): number {
    this.#sentAtMs = this.#sentAtMs.filter((atMs) => nowMs - atMs < STORM_MS);
    const [oldest] = this.#sentAtMs;
    const newest = this.#sentAtMs.at(-1);
    if (this.#sentAtMs.length < STORM_COUNT || oldest === undefined || newest === undefined) return 0;
    const isHurried = this.#letters.some(({ message }) => isUrgent(message));
    return (isHurried ? Math.min(oldest + STORM_MS, newest + CRITICAL_MS) : oldest + STORM_MS) - nowMs;
  }

  /** One, or in a storm and after a long failure all that is due; what was refused for what it is comes last, and alone. */
  #due(): Letter[] {
    const nowMs = this.#options.clock.nowMs();
    const all = this.#letters.filter(({ dueMs }) => dueMs <= nowMs);
    const due = all.filter(({ isRefused }) => !isRefused);
    if (due.length === 0) return all.slice(0, 1);
    const isStorm = this.#sentAtMs.length >= STORM_COUNT - 1 || due.length > STORM_COUNT;
    return due.slice(0, isStorm ? MOST_FOLDED : 1);
  }

  async #send(due: readonly Letter[]): Promise<void> {
    const letters: Letter[] = [];
    const dropped: Letter[] = [];
    for (const letter of due) {
      const verdict = this.#options.judge(letter.message);
      if (verdict.do === 'send') letters.push(letter);
      else dropped.push({ ...letter, row: { ...letter.row, state: 'dropped', lastError: verdict.because } });
    }
    await this.#settle(dropped);
    if (letters.length === 0) return;
    const messages = letters.map(({ message }) => message);
    const hook = this.#hook;
    const delivery = await this.#deliver(hook, messages);
    // A hook that was exchanged meanwhile has failed for itself only.
    if ((this.#ending.signal.aborted || hook !== this.#hook) && delivery.is === 'failed') return;
    if (delivery.is === 'sent') await this.#taken(letters, delivery.but ?? null);
    else await this.#refused(letters, delivery);
  }

  async #deliver(hook: Hook, messages: readonly AlertMessage[]): Promise<Delivery> {
    const late = new AbortController();
    const cancel = this.#options.clock.after(DELIVER_WITHIN_MS, () => late.abort());
    const signal = AbortSignal.any([late.signal, this.#ending.signal]);
    try {
      return await hook.deliver(messages, signal);
    } catch (thrown) {
      return failed(errorText(thrown));
    } finally {
      cancel();
    }
  }

  async #taken(letters: readonly Letter[], but: string | null): Promise<void> {
    const { clock, log } = this.#options;
    const hook = this.#hook.name;
    if (but !== null && but !== this.#but) log.warn({ hook, detail: but }, 'not everybody gets the alerts');
    this.#but = but;
    this.#sentAtMs.push(clock.nowMs());
    this.#sent += letters.length;
    this.#backoff.succeeded();
    if (this.#isFailing) log.info({ hook }, 'alerts get through again');
    this.#isFailing = false;
    this.#options.sent(letters.map(({ message }) => message));
    await this.#settle(
      letters.map(({ row, ...letter }) => ({
        ...letter,
        row: { ...row, state: 'sent', attempts: row.attempts + 1, lastError: null },
      })),
    );
  }

  async #refused(letters: readonly Letter[], delivery: Delivery & { is: 'failed' }): Promise<void> {
    const { clock, log } = this.#options;
    const nowUnixMs = clock.wallTime().getTime();
    const nowMs = clock.nowMs();
    const { detail, forGood, isOfMessage } = delivery;
    const askedMs = delivery.retryAfterMs ?? 0;
    const waitMs = Math.max(this.#backoff.nextMs(), askedMs);
    this.#failed += 1;
    this.#hurriedMs = nowMs + Math.max(RETRY.firstMs, askedMs);
    this.#notBeforeMs = forGood ? Number.NEGATIVE_INFINITY : isOfMessage ? this.#hurriedMs : nowMs + waitMs;
    const hook = this.#hook.name;
    if (!this.#isFailing)
      log.warn({ hook, detail, retryInMs: Math.round(waitMs) }, 'an alert did not get through');
    this.#isFailing = true;
    const tried = letters.map((letter): Letter => {
      const isDead = forGood || nowMs - letter.createdMs >= GIVE_UP_MS;
      const attempts = letter.row.attempts + 1;
      return {
        ...letter,
        dueMs: nowMs + waitMs,
        isRefused: isOfMessage,
        row: {
          ...letter.row,
          state: isDead ? 'dead' : 'waiting',
          attempts,
          lastError: detail,
          dueUnixMs: isDead ? letter.row.dueUnixMs : nowUnixMs + Math.round(waitMs),
        },
      };
    });
    const dead = tried.filter(({ row }) => row.state === 'dead');
    this.#dead += dead.length;
    if (dead.length > 0) log.error({ hook, count: dead.length, detail }, 'alerts were given up');
    await this.#settle(tried);
  }

  async #settle(settled: readonly Letter[]): Promise<void> {
    if (settled.length === 0) return;
    const after = new Map(settled.map((letter) => [letter.row.id, letter]));
    this.#letters = this.#letters
      .map((letter) => after.get(letter.row.id) ?? letter)
      .filter(({ row }) => row.state === 'waiting');
    await this.#options.store.update(settled.map(({ row }) => row));
  }
}
