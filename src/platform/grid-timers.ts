import type { Cancel } from './clock.ts';

/** Nothing of ours has to be done more exactly than this. */
const GRID_MS = 20;
/** Node's own timers may fire by so much too early. */
const EARLY_MS = 1;
/** By more than the grid makes it: the process stood still. */
const MOST_LATE_MS = 3 * GRID_MS;
/** A wait of more would be none at all. */
const MOST_WAIT_MS = 2 ** 31 - 1;

interface Due {
  dueMs: number;
  readonly everyMs: number | null;
  readonly run: () => void;
  isOver: boolean;
}

/**
 * Timers of which those that are due within 20 ms are due together, up to 20 ms late and not early: each time that the
 * process wakes costs more than most of what it wakes for, and dozens of timers to a station would each wake it by
 * themselves. What throws is uncaught, as in a timer of Node's, and keeps no other from its turn.
 */
export class GridTimers {
  readonly #slots = new Map<number, Due[]>();
  #armed: { readonly slot: number; readonly timer: NodeJS.Timeout } | null = null;
  #isFiring = false;

  /** @throws RangeError for what is no time: it would never be due, and hold up all others */
  add(delayMs: number, everyMs: number | null, run: () => void): Cancel {
    if (!Number.isFinite(delayMs) || (everyMs !== null && !(everyMs > 0)))
      throw new RangeError(`a timer can't wait ${delayMs} ms, or be run every ${everyMs} ms`);
    const due: Due = { dueMs: performance.now() + delayMs, everyMs, run, isOver: false };
    const slot = this.#place(due);
    if (!this.#isFiring && (this.#armed === null || slot < this.#armed.slot)) this.#arm(slot);
    return () => this.#cancel(due);
  }

  #place(due: Due): number {
    const slot = slotOf(due);
    const there = this.#slots.get(slot);
    if (there === undefined) this.#slots.set(slot, [due]);
    else there.push(due);
    return slot;
  }

  #arm(slot: number): void {
    if (this.#armed !== null) clearTimeout(this.#armed.timer);
    const waitMs = Math.min(MOST_WAIT_MS, Math.max(1, Math.ceil(slot * GRID_MS - performance.now())));
    this.#armed = { slot, timer: setTimeout(() => this.#fire(), waitMs) };
  }

  #armForNext(): void {
    const next = Math.min(...this.#slots.keys());
    if (Number.isFinite(next)) this.#arm(next);
  }

  /** A process ends by itself when nothing is left to wait for. */
  #cancel(due: Due): void {
    if (due.isOver) return;
    due.isOver = true;
    const slot = slotOf(due);
    const left = this.#slots.get(slot)?.filter((one) => one !== due) ?? [];
    if (left.length > 0) this.#slots.set(slot, left);
    else this.#slots.delete(slot);
    if (this.#slots.size > 0 || this.#armed === null) return;
    clearTimeout(this.#armed.timer);
    this.#armed = null;
  }

  #fire(): void {
    this.#armed = null;
    this.#isFiring = true;
    const nowMs = performance.now();
    for (const due of this.#takeDue(nowMs + EARLY_MS)) {
      if (due.isOver) continue;
      if (due.everyMs === null) due.isOver = true;
      else {
        // What was missed while the process stood still is not made up for, and nothing is run twice at once.
        const isLate = nowMs - due.dueMs > MOST_LATE_MS;
        due.dueMs = (isLate ? nowMs : due.dueMs) + due.everyMs;
        this.#place(due);
      }
      runUncaught(due.run);
    }
    this.#isFiring = false;
    this.#armForNext();
  }

  #takeDue(byMs: number): readonly Due[] {
    const slots = [...this.#slots.keys()].filter((slot) => slot * GRID_MS <= byMs);
    const all = slots.flatMap((slot) => this.#slots.get(slot) ?? []);
    for (const slot of slots) this.#slots.delete(slot);
    return all.sort((a, b) => a.dueMs - b.dueMs);
  }
}

const slotOf = ({ dueMs }: Due): number => Math.ceil(dueMs / GRID_MS);

function runUncaught(run: () => void): void {
  try {
    run();
  } catch (thrown) {
    setImmediate(() => {
      throw thrown;
    });
  }
}
