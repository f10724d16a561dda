import type { PlannedFault } from './faults.ts';
import { type Change, StationWorld, type WorldOptions } from './station-world.ts';

/** After this nothing of an episode is felt any more: five half-lives of what flapping adds, and longer than the longest hold-down. */
export const CALM_MS = 75 * 60_000;
/** Everything that recurs is in the same phase again after this, as far as a first reaction depends on it. */
const PHASE_MS = 5_000;

/** From the first fault in a world at rest until it is at rest again. */
export interface Episode {
  readonly faults: readonly PlannedFault[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly changes: readonly Change[];
}

interface Recorded {
  /** What came while the fault lasted, by the time since its beginning, and after it, by the time since its end. */
  readonly during: readonly Change[];
  readonly after: readonly Change[];
  readonly restedAfterMs: number;
}

/**
 * Turns planned faults into episodes. A fault that comes alone to a world at rest has the same consequences each time
 * it comes in the same phase of what recurs: they are worked out once for each phase and length, and every length at
 * which the world has settled in the fault counts as one.
 */
export class Episodes {
  readonly #world: StationWorld;
  readonly #remembers: boolean;
  readonly #recorded = new Map<string, Recorded>();
  readonly #settledAfterMs = new Map<string, number>();
  #worked = 0;

  /** `remembers` false: every episode is worked out step by step. */
  constructor(options: WorldOptions, remembers = true) {
    this.#remembers = remembers;
    this.#world = new StationWorld(options);
  }

  /** How many were worked out step by step, and not from what is known. */
  get worked(): number {
    return this.#worked;
  }

  play(faults: readonly PlannedFault[]): Episode {
    const [only, ...others] = faults;
    if (only === undefined) throw new Error('an episode begins with a fault');
    const isAlone = others.length === 0 && this.#remembers && this.#world.isAtRest;
    const recorded = isAlone ? this.#recorded.get(this.#keyOf(only)) : undefined;
    if (recorded === undefined) return this.#work(only, faults, isAlone);
    const { fromMs, toMs } = only;
    const changes = [
      ...recorded.during.map((change) => ({ ...change, atMs: fromMs + change.atMs })),
      ...recorded.after.map((change) => ({ ...change, atMs: toMs + change.atMs })),
    ];
    return { faults, fromMs, toMs: toMs + recorded.restedAfterMs, changes };
  }

  #keyOf(planned: PlannedFault): string {
    const { fromMs, toMs } = planned;
    const onset = onsetOf(planned);
    const isSettled = toMs - fromMs >= (this.#settledAfterMs.get(onset) ?? Number.POSITIVE_INFINITY);
    return isSettled ? `${onset} long ${toMs % PHASE_MS}` : `${onset} ${toMs - fromMs}`;
  }

  /** Runs the world itself through some faults. */
  #work(first: PlannedFault, faults: readonly PlannedFault[], isAlone: boolean): Episode {
    this.#worked += 1;
    const world = this.#world;
    const lastMs = Math.max(...faults.map(({ toMs }) => toMs));
    const turns = faults
      .flatMap(({ fault, fromMs, toMs }) => [
        { atMs: fromMs, run: () => world.begin(fault) },
        { atMs: toMs, run: () => world.end(fault) },
      ])
      .sort((a, b) => a.atMs - b.atMs);
    world.runTo(first.fromMs);
    world.changes.length = 0;
    let settledMs: number | null = null;
    for (const { atMs, run } of turns) {
      world.runTo(atMs);
      settledMs = world.settledMs;
      run();
    }
    let toMs = lastMs;
    do {
      toMs += 30_000;
      world.runTo(toMs);
    } while (!world.isAtRest && toMs < lastMs + CALM_MS);
    const episode = { faults, fromMs: first.fromMs, toMs, changes: [...world.changes] };
    if (isAlone && world.isAtRest) this.#record(first, episode, settledMs);
    return episode;
  }

  #record(only: PlannedFault, { changes, toMs: restedMs }: Episode, settledMs: number | null): void {
    const { fromMs, toMs } = only;
    const onset = onsetOf(only);
    if (settledMs !== null) {
      const known = this.#settledAfterMs.get(onset) ?? Number.POSITIVE_INFINITY;
      this.#settledAfterMs.set(onset, Math.min(known, settledMs - fromMs));
    }
    const since = (ms: number) => (change: Change) => ({ ...change, atMs: change.atMs - ms });
    this.#recorded.set(this.#keyOf(only), {
      during: changes.filter(({ atMs }) => atMs <= toMs).map(since(fromMs)),
      after: changes.filter(({ atMs }) => atMs > toMs).map(since(toMs)),
      restedAfterMs: restedMs - toMs,
    });
  }
}

const onsetOf = ({ cause, part, fromMs }: PlannedFault) => `${cause.id} ${part} ${fromMs % PHASE_MS}`;

/** Faults in clusters so far apart that one is over and forgotten when the next begins. */
export function clustersOf(planned: readonly PlannedFault[]): PlannedFault[][] {
  const clusters: PlannedFault[][] = [];
  let overMs = Number.NEGATIVE_INFINITY;
  for (const one of planned) {
    const last = clusters.at(-1);
    if (last !== undefined && one.fromMs < overMs + CALM_MS) last.push(one);
    else clusters.push([one]);
    overMs = Math.max(overMs, one.toMs);
  }
  return clusters;
}
