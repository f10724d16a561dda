import type { Cancel, Clock } from './clock.ts';

export interface BoundedQueueOptions<Item> {
  /** Most that may wait, in the unit of `weigh` (items when it is left out). */
  readonly capacity: number;
  readonly whenFull: 'drop-oldest' | 'refuse';
  /** What one item takes up; bytes of a chunk, for example. At least 1. */
  weigh?(item: Item): number;
  /** Called at most once a second while items are being lost, with what was lost since the last call. */
  onOverflow?(lost: Overflow): void;
  readonly clock: Clock;
}

export interface Overflow {
  readonly items: number;
  readonly weight: number;
}

const SAY_EVERY_MS = 1_000;

/** A first-in-first-out queue that can't grow without end: past its capacity something is lost, counted and said. */
export class BoundedQueue<Item> {
  readonly #options: BoundedQueueOptions<Item>;
  #ring: (Item | undefined)[] = new Array(16).fill(undefined);
  #head = 0;
  #length = 0;
  #weight = 0;
  #lostItems = 0;
  #lostWeight = 0;
  #unsaidItems = 0;
  #unsaidWeight = 0;
  #saying: Cancel | null = null;

  constructor(options: BoundedQueueOptions<Item>) {
    this.#options = options;
  }

  get length(): number {
    return this.#length;
  }

  get weight(): number {
    return this.#weight;
  }

  /** Everything that was ever lost here. */
  get lost(): Overflow {
    return { items: this.#lostItems, weight: this.#lostWeight };
  }

  /** False when this item was not taken: the queue refuses when full, or the item alone is over the capacity. */
  push(item: Item): boolean {
    const weight = this.#weigh(item);
    const { capacity, whenFull } = this.#options;
    if (weight > capacity || (whenFull === 'refuse' && this.#weight + weight > capacity)) {
      this.#lose(weight);
      return false;
    }
    while (this.#weight + weight > capacity) {
      const oldest = this.shift();
      if (oldest === undefined) break;
      this.#lose(this.#weigh(oldest));
    }
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) % this.#ring.length] = item;
    this.#length += 1;
    this.#weight += weight;
    return true;
  }

  shift(): Item | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#ring.length;
    this.#length -= 1;
    if (item !== undefined) this.#weight -= this.#weigh(item);
    return item;
  }

  /** Forgets what waits; this is the owner's wish and not a loss. */
  clear(): void {
    this.#ring = new Array(16).fill(undefined);
    this.#head = 0;
    this.#length = 0;
    this.#weight = 0;
  }

  /** Says what is still unsaid and stops the timer. */
  close(): void {
    this.#saying?.();
    this.#saying = null;
    this.#say();
    this.clear();
  }

  #weigh(item: Item): number {
    return this.#options.weigh?.(item) ?? 1;
  }

  #grow(): void {
    const larger: (Item | undefined)[] = new Array(this.#ring.length * 2).fill(undefined);
    for (let index = 0; index < this.#length; index += 1) {
      larger[index] = this.#ring[(this.#head + index) % this.#ring.length];
    }
    this.#ring = larger;
    this.#head = 0;
  }

  #lose(weight: number): void {
    this.#lostItems += 1;
    this.#lostWeight += weight;
    this.#unsaidItems += 1;
    this.#unsaidWeight += weight;
    if (this.#saying !== null || this.#options.onOverflow === undefined) return;
    this.#saying = this.#options.clock.after(SAY_EVERY_MS, () => {
      this.#saying = null;
      this.#say();
    });
  }

  #say(): void {
    if (this.#unsaidItems === 0) return;
    const lost = { items: this.#unsaidItems, weight: this.#unsaidWeight };
    this.#unsaidItems = 0;
    this.#unsaidWeight = 0;
    this.#options.onOverflow?.(lost);
  }
}
