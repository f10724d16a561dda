import type { AgentFigures } from '../domain/figures.ts';

const REMEMBERED_MS = 60_000;

/** How long inputs wait for their decision. */
export class DecisionFigures {
  #count = 0;
  #delayMs = 0;
  /** Of the last minutes, a longest delay each; the newest last. */
  #longest: { readonly fromMs: number; delayMs: number }[] = [];

  /** An input that arrived at `atMs` was decided on at `nowMs`. */
  note(atMs: number, nowMs: number): void {
    const delayMs = Math.max(0, nowMs - atMs);
    this.#count += 1;
    this.#delayMs += delayMs;
    const newest = this.#longest.at(-1);
    if (newest !== undefined && nowMs - newest.fromMs < REMEMBERED_MS / 4) {
      newest.delayMs = Math.max(newest.delayMs, delayMs);
      return;
    }
    this.#longest.push({ fromMs: nowMs, delayMs });
    this.#longest = this.#longest.filter(({ fromMs }) => nowMs - fromMs < REMEMBERED_MS);
  }

  get figures(): AgentFigures['decisions'] {
    const longestMs = Math.max(0, ...this.#longest.map(({ delayMs }) => delayMs));
    return { count: this.#count, delayMs: this.#delayMs, longestMs };
  }
}
