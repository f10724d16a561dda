import type { ServerLook } from '../domain/icecast.ts';
import type { MonitorId, Mount, ServerName } from '../domain/ids.ts';
import type { AdminClient } from '../icecast/admin-client.ts';
import { createLook } from '../icecast/look.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';

export interface LookerOptions {
  readonly clock: Clock;
  readonly client: AdminClient;
  readonly agent: ServerName;
  readonly isOurPresence?: (id: MonitorId) => boolean;
  readonly mounts: readonly Mount[];
  readonly seen: (look: ServerLook) => void;
  /** From the start of one look to the start of the next, in ms, while looks are cheap. */
  readonly intervalMs?: number;
  /** However long looks take, the next begins within this. In ms. */
  readonly maxIntervalMs?: number;
  readonly deadlineMs?: number;
  readonly statsEvery?: number;
}

export interface Looker {
  /** The pause between two looks at present, in ms. */
  readonly intervalMs: number;
  setInterval(intervalMs: number): void;
  /** Look now (or as soon as the look under way is over): something is about to depend on it. */
  lookNow(): void;
  stop(): void;
}

const INTERVAL_MS = 500;
const MAX_INTERVAL_MS = 3_000;
const LOOKS_REMEMBERED = 5;
/** A look may keep the server busy for this part of the time. */
const SHARE_OF_TIME = 0.1;

/** Looks at a server again and again, never two looks at once, and leaves a busy one in peace. */
export function startLooker(options: LookerOptions): Looker {
  return new ServerLooker(options);
}

class ServerLooker implements Looker {
  readonly #options: LookerOptions;
  readonly #look: () => Promise<ServerLook>;
  #wishedMs: number;
  /** How long the last looks took, in ms. */
  #tookMs: readonly number[] = [];
  #isLooking = false;
  #isHurried = false;
  #stopped = false;
  #cancelNext: Cancel = () => {};

  constructor(options: LookerOptions) {
    this.#options = options;
    this.#wishedMs = options.intervalMs ?? INTERVAL_MS;
    this.#look = createLook(options);
    this.#cancelNext = options.clock.after(0, () => void this.#run());
  }

  get intervalMs(): number {
    const maxMs = Math.max(this.#wishedMs, this.#options.maxIntervalMs ?? MAX_INTERVAL_MS);
    // The shortest of a few tells what the server had to do; longer ones waited for something else, us for one.
    const costMs = this.#tookMs.length === 0 ? 0 : Math.min(...this.#tookMs);
    return Math.min(maxMs, Math.max(this.#wishedMs, costMs / SHARE_OF_TIME));
  }

  setInterval(intervalMs: number): void {
    this.#wishedMs = intervalMs;
  }

  lookNow(): void {
    if (this.#stopped) return;
    if (this.#isLooking) {
      this.#isHurried = true;
      return;
    }
    this.#cancelNext();
    void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelNext();
  }

  async #run(): Promise<void> {
    if (this.#isLooking || this.#stopped) return;
    this.#isLooking = true;
    this.#isHurried = false;
    const { clock } = this.#options;
    const startedAtMs = clock.nowMs();
    const look = await this.#lookSafely(startedAtMs);
    this.#isLooking = false;
    if (this.#stopped) return;
    const tookMs = clock.nowMs() - startedAtMs;
    // A failed look says nothing of what a look costs, and a dead server must be seen to come back.
    if (look.ok) this.#tookMs = [...this.#tookMs, tookMs].slice(-LOOKS_REMEMBERED);
    const waitMs = this.#isHurried ? 0 : Math.max(0, this.intervalMs - tookMs);
    this.#cancelNext = clock.after(waitMs, () => void this.#run());
    this.#options.seen(look);
  }

  async #lookSafely(startedAtMs: number): Promise<ServerLook> {
    try {
      return await this.#look();
    } catch (thrown) {
      // No look throws by design; if one does, looking must go on all the same.
      const atMs = this.#options.clock.nowMs();
      return {
        ok: false,
        startedAtMs,
        atMs,
        failure: 'bad-answer',
        detail: messageOf(thrown),
      };
    }
  }
}
