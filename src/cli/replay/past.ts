import type { LegCondition } from '../../domain/conditions.ts';
import type { LegId } from '../../domain/ids.ts';
import type { StationPolicy } from '../../domain/policy.ts';
import type { StoredEvent } from '../../history/rows.ts';
import type { HistoryStore } from '../../history/store.ts';
import type { PastEvents, PastFault, PastSecond, PastSilence } from '../../simulate/past.ts';

const HOUR_MS = 3_600_000;
const PAGE = 5_000;
/** What was found before the stretch that is asked for may last into it. */
const BEFORE_MS = 24 * HOUR_MS;

/** The past of a station's legs second by second, an hour at a time, so that weeks take no memory. */
export function* pastOf(
  store: HistoryStore,
  legs: readonly LegId[],
  fromUnixMs: number,
  toUnixMs: number,
): Generator<PastSecond> {
  for (let hour = Math.floor(fromUnixMs / HOUR_MS) * HOUR_MS; hour < toUnixMs; hour += HOUR_MS) {
    const seconds = new Map<number, Map<LegId, readonly number[]>>();
    for (const leg of legs) {
      for (const { unixMs, spanS, steps } of store.levels({
        leg,
        fromUnixMs: hour,
        toUnixMs: hour + HOUR_MS,
      })) {
        for (let index = 0; index < spanS; index += 1) {
          const at = unixMs + index * 1000;
          const known = seconds.get(at) ?? new Map<LegId, readonly number[]>();
          known.set(leg, spanS === 1 ? [...steps] : [steps[index] ?? -128]);
          seconds.set(at, known);
        }
      }
    }
    for (const unixMs of [...seconds.keys()].sort((a, b) => a - b))
      if (unixMs >= fromUnixMs && unixMs < toUnixMs) yield { unixMs, legs: seconds.get(unixMs) ?? new Map() };
  }
}

/** What the event log says of faults that no level can tell again, and of silences that were planned. */
export function pastEventsOf(
  store: HistoryStore,
  { station, legs }: Pick<StationPolicy, 'station' | 'legs'>,
  fromUnixMs: number,
  toUnixMs: number,
): PastEvents {
  const story = new Story(new Set(legs.map(({ id }) => id)));
  let afterSeq = 0;
  for (;;) {
    const page = store.events({ fromUnixMs: fromUnixMs - BEFORE_MS, toUnixMs, afterSeq, limit: PAGE });
    for (const stored of page) if (stored.station === station || stored.station === null) story.take(stored);
    afterSeq = page.at(-1)?.seq ?? afterSeq;
    if (page.length < PAGE) break;
  }
  return story.end(toUnixMs);
}

class Story {
  readonly #legs: ReadonlySet<LegId>;
  readonly #faults: PastFault[] = [];
  readonly #silences: PastSilence[] = [];
  readonly #open = new Map<LegId, Omit<PastFault, 'untilUnixMs'>>();
  #silentFromUnixMs: number | null = null;

  constructor(legs: ReadonlySet<LegId>) {
    this.#legs = legs;
  }

  take({ unixMs, event }: StoredEvent): void {
    if (event.kind === 'leg-changed' && this.#legs.has(event.leg))
      this.#changed(event.leg, event.to, unixMs, event.atMs);
    if (event.kind === 'planned-silence' && event.is === 'begun') this.#silentFromUnixMs = unixMs;
    if (event.kind === 'planned-silence' && event.is === 'over') this.#over(unixMs);
    // What an agent that starts finds wrong, it says again.
    if (event.kind === 'agent-started') this.#close(event.lastSeenUnixMs ?? unixMs);
    if (event.kind === 'agent-stopped') this.#close(unixMs);
  }

  end(unixMs: number): PastEvents {
    this.#close(unixMs);
    return { faults: this.#faults, silences: this.#silences };
  }

  #changed(leg: LegId, to: LegCondition, unixMs: number, atMs: number): void {
    // The decision's own clock and that of the wall run alike for as long as a fault takes to be found.
    const sinceUnixMs = unixMs - (atMs - to.sinceMs);
    const open = this.#open.get(leg);
    this.#open.delete(leg);
    if (open !== undefined)
      this.#faults.push({ ...open, untilUnixMs: Math.max(open.foundUnixMs, sinceUnixMs) });
    if (to.is !== 'faulty' || to.fault === 'silent') return;
    this.#open.set(leg, { leg, fault: to.fault, fromUnixMs: sinceUnixMs, foundUnixMs: unixMs });
  }

  #over(unixMs: number): void {
    if (this.#silentFromUnixMs === null) return;
    this.#silences.push({ fromUnixMs: this.#silentFromUnixMs, untilUnixMs: unixMs });
    this.#silentFromUnixMs = null;
  }

  #close(unixMs: number): void {
    for (const open of this.#open.values())
      this.#faults.push({ ...open, untilUnixMs: Math.max(open.foundUnixMs, unixMs) });
    this.#open.clear();
    this.#over(unixMs);
  }
}
