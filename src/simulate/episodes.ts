import type { PlannedFault, WorldFault } from './faults.ts';
import { type Change, StationWorld, type WorldOptions } from './station-world.ts';

/** After this nothing of an episode is felt any more: five half-lives of what flapping adds, and longer than the longest hold-down. */
export const CALM_MS = 75 * 60_000;
/** Whether the world is at rest is looked at so often: long enough for most of the time between to be left out. */
const REST_LOOK_MS = 5 * 60_000;
/**
 * How old a world is when an episode begins: longer than any restore delay. Most of it is left out, as nothing happens
 * after the first seconds. So many turns of 35 s, and as long as it takes to find that out.
 */
const WARM_MS = 34 * 35_000 + 30_000;
/** Everything that recurs is in the same phase again after this: looks, probes, reads of the name. */
const PHASE_MS = 5_000;
/** The same while a server does not answer, when a probe comes every 7 s. */
const UNANSWERED_PHASE_MS = 35_000;
/** A cluster adds what recurs every 2 s. */
const CLUSTER_TIMES = 2;
/** The longest that is waited for rest. */
const REST_WITHIN_MS = 24 * 3_600_000;

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
 * Turns planned faults into episodes. Each begins in a world at rest, and a world at rest has forgotten all that was
 * before, so that episodes do not depend on each other. A fault that comes alone has the same consequences each time it
 * comes in the same phase of what recurs: they are worked out once for each phase and length, and all lengths at which
 * the world has settled in the fault, and which end in the same phase, count as one.
 */
export class Episodes {
  readonly #options: WorldOptions;
  readonly #remembers: boolean;
  readonly #recorded = new Map<string, Recorded>();
  readonly #settledAfterMs = new Map<string, number>();
  readonly #times: number;
  #worked = 0;

  /** `remembers` false: every episode is worked out step by step. */
  constructor(options: WorldOptions, remembers = true) {
    this.#options = options;
    this.#remembers = remembers;
    this.#times = options.failover.mode === 'cluster' ? CLUSTER_TIMES : 1;
  }

  /** How many were worked out step by step, and not from what is known. */
  get worked(): number {
    return this.#worked;
  }

  play(faults: readonly PlannedFault[]): Episode {
    const [only, ...others] = faults;
    if (only === undefined) throw new Error('an episode begins with a fault');
    const isAlone = others.length === 0 && this.#remembers;
    const recorded = isAlone ? this.#recorded.get(this.#keyOf(only)) : undefined;
    if (recorded === undefined) return this.#work(only, faults, isAlone);
    const { fromMs, toMs } = only;
    const changes = [
      ...recorded.during.map((change) => ({ ...change, atMs: fromMs + change.atMs })),
      ...recorded.after.map((change) => ({ ...change, atMs: toMs + change.atMs })),
    ];
    return { faults, fromMs, toMs: toMs + recorded.restedAfterMs, changes };
  }

  /** Faults of one onset begin in the same way: what is known of one helps with the others. */
  onsetOf({ cause, part, fromMs }: PlannedFault): string {
    return `${cause.id} ${part} ${fromMs % (PHASE_MS * this.#times)}`;
  }

  #keyOf(planned: PlannedFault): string {
    const { fault, fromMs, toMs } = planned;
    const onset = this.onsetOf(planned);
    const lastsMs = toMs - fromMs;
    if (lastsMs < (this.#settledAfterMs.get(onset) ?? Number.POSITIVE_INFINITY)) return `${onset} ${lastsMs}`;
    return `${onset} long ${lastsMs % (phaseWhile(fault) * this.#times)}`;
  }

  /** Runs a world of its own through some faults. */
  #work(first: PlannedFault, faults: readonly PlannedFault[], isAlone: boolean): Episode {
    this.#worked += 1;
    const world = new StationWorld(this.#options);
    const phaseMs = PHASE_MS * this.#times;
    const beginMs = Math.floor((first.fromMs - WARM_MS) / phaseMs) * phaseMs;
    world.warmUp(WARM_MS);
    const lastMs = Math.max(...faults.map(({ toMs }) => toMs));
    const turns = faults
      .flatMap(({ fault, fromMs, toMs }) => [
        { atMs: fromMs, run: () => world.begin(fault) },
        { atMs: toMs, run: () => world.end(fault) },
      ])
      .sort((a, b) => a.atMs - b.atMs);
    let settledMs: number | null = null;
    for (const { atMs, run } of turns) {
      world.runTo(atMs - beginMs);
      settledMs = world.settledMs;
      if (atMs === first.fromMs) world.changes.length = 0;
      run();
    }
    let toMs = lastMs;
    do {
      toMs += REST_LOOK_MS;
      world.runTo(toMs - beginMs);
    } while (!world.isAtRest && toMs < lastMs + REST_WITHIN_MS);
    const changes = world.changes.map((change) => ({ ...change, atMs: change.atMs + beginMs }));
    const episode = { faults, fromMs: first.fromMs, toMs, changes };
    if (isAlone) this.#record(first, episode, settledMs === null ? null : settledMs + beginMs);
    return episode;
  }

  #record(only: PlannedFault, { changes, toMs: restedMs }: Episode, settledMs: number | null): void {
    const { fromMs, toMs } = only;
    const onset = this.onsetOf(only);
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

function phaseWhile(fault: WorldFault): number {
  const isUnanswered =
    fault.what === 'site' || fault.what === 'link' || (fault.what === 'server' && fault.is === 'hung');
  return isUnanswered ? UNANSWERED_PHASE_MS : PHASE_MS;
}

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
