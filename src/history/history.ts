import type { Incident } from '../domain/incidents.ts';
import type { OutboxRow } from '../domain/outbox.ts';
import type { Recorded } from '../domain/record.ts';
import { BoundedQueue } from '../platform/bounded-queue.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { LevelRow } from './levels.ts';
import type { StorePort } from './port.ts';
import type { Batch, Keep } from './store.ts';

/** So many writes of events may wait for a disk that takes none; the oldest are lost first. */
const WAITING_WRITES = 20_000;
/** Half an hour of six legs. */
const WAITING_LEVELS = 12_000;
const TOGETHER = 500;
const LEVELS_EVERY_MS = 5_000;
const TIDY_EVERY_MS = 60_000;
/** A disk that hasn't answered for so long takes nothing, though it says no error. SQLite itself waits 5 s for a lock. */
const HANGING_MS = 6_000;

/** One event (null where there is none), and what is to be written in the same transaction with it. */
export interface Write {
  readonly recorded: Recorded | null;
  readonly incidents?: readonly Incident[];
  readonly outbox?: readonly OutboxRow[];
  /** What became of rows of the outbox; in this queue too, so that it comes to the disk after the rows themselves. */
  readonly settled?: readonly OutboxRow[];
}

interface Waiting {
  readonly write: Write;
  /** Told whether it is on the disk now; false when it is not and something else had better not wait for it. */
  readonly settled: (kept: boolean) => void;
}

export interface HistoryOptions {
  readonly port: StorePort;
  readonly keep: Keep;
  readonly clock: Clock;
  readonly log: Logger;
  /** The disk has begun to take nothing, for this reason, or takes what it is given again (null). */
  readonly failing?: (because: string | null) => void;
}

/**
 * What the running agent hands its memory to. Nothing here waits for a disk, and nothing fails: what can't be written
 * is kept for a while, then lost, counted and said.
 */
export class History {
  readonly #options: HistoryOptions;
  readonly #writes: BoundedQueue<Waiting>;
  readonly #levels: BoundedQueue<LevelRow>;
  readonly #cancels: Cancel[] = [];
  #writing: Promise<void> | null = null;
  /** What the disk has been handed and has not answered. */
  #handed: readonly Waiting[] = [];
  #isFailing = false;
  /** Of what the queue has lost, what the log tells of. */
  #toldLost = 0;
  #saidLost = 0;
  #lastUnixMs: number | null = null;
  #closed = false;

  constructor(options: HistoryOptions) {
    const { clock } = options;
    this.#options = options;
    this.#writes = new BoundedQueue({ capacity: WAITING_WRITES, whenFull: 'drop-oldest', clock });
    this.#levels = new BoundedQueue({ capacity: WAITING_LEVELS, whenFull: 'drop-oldest', clock });
    this.#cancels.push(
      clock.every(LEVELS_EVERY_MS, () => void this.#flush()),
      clock.every(TIDY_EVERY_MS, () => void this.#tidy()),
    );
  }

  /** True while the disk takes nothing. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /**
   * Writes at once, in the background. The promise never rejects: true when it is on the disk, false when that failed
   * the first time or takes long; it is tried again all the same.
   */
  write(write: Write): Promise<boolean> {
    return new Promise((settled) => {
      if (this.#closed) return settled(false);
      this.#writes.push({ write, settled });
      if (this.#isFailing) settled(false);
      void this.#flush();
    });
  }

  addLevels(row: LevelRow): void {
    if (!this.#closed) this.#levels.push(row);
  }

  updateOutbox(rows: readonly OutboxRow[]): Promise<boolean> {
    return this.write({ recorded: null, settled: rows });
  }

  /** Writes what still waits, as far as the disk lets it. */
  async close(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    await this.#flush();
    await this.#flush();
    this.#closed = true;
    this.#writes.close();
    this.#levels.close();
    await this.#options.port.close();
  }

  #flush(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null;
      // What came while levels were written waits for no timer.
      if (this.#writes.length > 0 && !this.#isFailing && !this.#closed) void this.#flush();
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#writes.length > 0) {
      const taken: Waiting[] = [];
      for (let one = this.#writes.shift(); one !== undefined; one = this.#writes.shift()) {
        taken.push(one);
        if (taken.length === TOGETHER) break;
      }
      const lost = this.#writes.lost.items;
      const batch = batchOf(taken);
      const events = [...this.#lostBefore(batch), ...batch.events];
      this.#handed = taken;
      const kept = await this.#try(() => this.#options.port.call('apply', { ...batch, events }));
      this.#handed = [];
      for (const { settled } of taken) settled(kept);
      if (!kept) return this.#putBack(taken);
      this.#toldLost = lost;
      this.#lastUnixMs = events.at(-1)?.unixMs ?? this.#lastUnixMs;
    }
    if (this.#levels.length === 0) return;
    const rows: LevelRow[] = [];
    for (let row = this.#levels.shift(); row !== undefined; row = this.#levels.shift()) rows.push(row);
    const kept = await this.#try(() => this.#options.port.call('addLevels', rows));
    if (!kept) for (const row of rows) this.#levels.push(row);
  }

  /** What was lost is told of where it is missing: before the oldest that was kept. */
  #lostBefore({ events }: Batch): readonly Recorded[] {
    const { clock } = this.#options;
    const count = this.#writes.lost.items - this.#toldLost;
    if (count === 0) return [];
    const from = this.#lastUnixMs === null ? {} : { fromUnixMs: this.#lastUnixMs };
    const event = { kind: 'events-lost', atMs: clock.nowMs(), count, ...from } as const;
    return [{ unixMs: events[0]?.unixMs ?? clock.wallTime().getTime(), station: null, event }];
  }

  /** In their order, before what came meanwhile; the timer of the levels tries again. */
  #putBack(taken: readonly Waiting[]): void {
    const later: Waiting[] = [];
    for (let one = this.#writes.shift(); one !== undefined; one = this.#writes.shift()) later.push(one);
    for (const { settled } of later) settled(false);
    for (const one of [...taken, ...later]) this.#writes.push(one);
  }

  /** Says the first failure and the end of it, and nothing in between. */
  async #try(work: () => Promise<unknown>): Promise<boolean> {
    const { log, clock } = this.#options;
    const late = clock.after(HANGING_MS, () => {
      this.#fails(`the disk has not answered for ${HANGING_MS / 1000} s`);
      for (const { settled } of this.#handed) settled(false);
      this.#putBack([]);
    });
    try {
      await work();
    } catch (thrown) {
      this.#fails(messageOf(thrown));
      return false;
    } finally {
      late();
    }
    if (this.#isFailing) {
      this.#isFailing = false;
      const lost = this.#writes.lost.items - this.#saidLost;
      this.#saidLost = this.#writes.lost.items;
      log.info({ lost }, 'the history is written again');
      this.#options.failing?.(null);
    }
    return true;
  }

  #fails(because: string): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#options.log.error({ err: because }, 'the history cannot be written; deciding goes on without it');
    this.#options.failing?.(because);
  }

  async #tidy(): Promise<void> {
    const { port, keep, clock } = this.#options;
    if (this.#isFailing || this.#closed) return;
    let time: number | null = null;
    for (let more = true; more && !this.#closed; ) {
      const kept = await this.#try(async () => {
        time ??= await port.call('tidyTime', clock.wallTime().getTime());
        more = time !== null && (await port.call('tidy', time, keep));
      });
      if (!kept) return;
    }
  }
}

function batchOf(taken: readonly Waiting[]): Batch {
  return {
    events: taken.flatMap(({ write }) => write.recorded ?? []),
    incidents: taken.flatMap(({ write }) => write.incidents ?? []),
    outbox: taken.flatMap(({ write }) => write.outbox ?? []),
    settled: taken.flatMap(({ write }) => write.settled ?? []),
  };
}
