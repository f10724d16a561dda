import type { ColleagueSight } from '../decide/telling.ts';
import type { ServerLook } from '../domain/icecast.ts';
import type { Clock } from '../platform/clock.ts';

/** The other agents by the sign of life that each leaves on every server. */
export class Colleagues {
  readonly #clock: Clock;
  readonly #seen = new Map<string, { readonly atMs: number; readonly marks: ReadonlyMap<string, number> }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  saw(look: ServerLook & { ok: true }): void {
    for (const { agent, connectedSeconds, marks = [] } of look.presences) {
      const atMs = look.startedAtMs - connectedSeconds * 1000;
      const before = this.#seen.get(agent);
      // Its connections on several servers are of different ages, and each server has its own words for the same.
      const fresh = [...(before?.marks ?? [])].filter(([, shownMs]) => look.atMs - shownMs < 8_000);
      const all = new Map([...fresh, ...marks.map((mark) => [mark, look.atMs] as const)]);
      this.#seen.set(agent, { atMs: Math.max(atMs, before?.atMs ?? atMs), marks: all });
    }
  }

  get sights(): readonly ColleagueSight[] {
    const nowMs = this.#clock.nowMs();
    return [...this.#seen].map(([agent, { atMs, marks }]) => ({
      agent,
      seenAgoMs: nowMs - atMs,
      marks: new Set(marks.keys()),
    }));
  }
}
