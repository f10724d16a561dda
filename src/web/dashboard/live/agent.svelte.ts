import type { AgentView } from '../../../domain/view.ts';
import { type Asking, askAgain } from './again.ts';
import { get } from './api.ts';
import { session } from './session.svelte.ts';

const EVERY_MS = 1_000;
/** Without an answer for this long, what is on the page is old. */
const STALE_MS = 3_000;
const EVENTS = 150;

/** What the agent says of everything, asked again and again. */
class AgentState {
  view = $state.raw<AgentView | null>(null);
  /** Whose events are asked for; of all of a large house they would be megabytes each second. */
  #eventsOf = '';
  /** By the clock of this machine; moves once a second. */
  #hereMs = $state(Date.now());
  /** That clock may be put; what is old is old all the same. */
  #tickMs = $state(performance.now());
  /** How far the clock here is ahead of the agent's, by which everything on the page has its time. */
  aheadMs = $state(0);
  /** The agent has been upgraded since this page was loaded. */
  isOutdated = $state(false);
  #answeredAtMs = $state(0);
  #asking: Asking | undefined;

  isStale = $derived(this.#answeredAtMs > 0 && this.#tickMs - this.#answeredAtMs > STALE_MS);
  silentForMs = $derived(Math.max(0, this.#tickMs - this.#answeredAtMs));
  /** By the agent's clock, for whatever grows older on the page. */
  nowMs = $derived(this.#hereMs - this.aheadMs);

  /** Returns what ends it. */
  start(): () => void {
    const ticking = setInterval(() => this.#tick(), 1_000);
    const seen = () => document.visibilityState === 'visible' && this.soon();
    document.addEventListener('visibilitychange', seen);
    const asking = askAgain((isOver) => this.#ask(isOver), EVERY_MS);
    this.#asking = asking;
    return () => {
      clearInterval(ticking);
      asking.stop();
      document.removeEventListener('visibilitychange', seen);
    };
  }

  showEventsOf(station: string): void {
    if (station === this.#eventsOf) return;
    this.#eventsOf = station;
    this.soon();
  }

  /** Something has just happened: ask now. */
  soon(): void {
    this.#asking?.soon();
  }

  #tick(): void {
    this.#hereMs = Date.now();
    this.#tickMs = performance.now();
  }

  async #ask(isOver: () => boolean): Promise<void> {
    const query = new URLSearchParams({ events: String(EVENTS), eventsOf: this.#eventsOf });
    const answer = await get<AgentView>(`/api/v1/state?${query}`);
    if (isOver()) return;
    this.#tick();
    if (answer.ok) {
      this.isOutdated ||= this.view !== null && this.view.version !== answer.body.version;
      this.view = answer.body;
      // The agent tells whole seconds: within two of them the clock on the page goes on evenly.
      if (Math.abs(answer.aheadMs - this.aheadMs) > 2_000) this.aheadMs = answer.aheadMs;
      this.#answeredAtMs = this.#tickMs;
    } else if (answer.status === 401) session.lost();
  }
}

export const agent = new AgentState();
