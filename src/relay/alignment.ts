import { PCM_RATE_HZ } from '../audio/decode-command.ts';
import type { Correlation, HeldSound } from '../audio/splice.ts';
import { aroundWhere, isPast, NEEDLE_MS, WIDE_MS, wherever } from './search.ts';
import type { Take, TakeSight } from './take.ts';

/** How one take lies to the reference. */
export type Relation =
  | { readonly is: 'unknown' }
  | Same
  | { readonly is: 'different'; readonly peak: number };

/** A copy: frame `atFrame` of the reference is the same moment as `atFrame` + `offsetFrames` of the take. */
export interface Same {
  readonly is: 'same';
  readonly atFrame: number;
  readonly offsetFrames: number;
  /** By how much the offset grows with each frame of the reference, as no two sound cards run alike. */
  readonly drift: number;
  readonly peak: number;
  readonly inverted: boolean;
}

/** In whole frames, for any frame of the reference: a splice lies seconds away from where the offset was measured. */
export function offsetAt({ atFrame, offsetFrames, drift }: Same, frame: number): number {
  return Math.round(offsetFrames + drift * (frame - atFrame));
}

/** It takes what it needs of the two before it returns. */
export type Correlate = (needle: HeldSound, haystack: HeldSound) => Promise<Correlation | null>;

const SAME_PEAK = 0.5;
const DIFFERENT_PEAK = 0.35;
/** So many whole searches in a row have to fail before a leg is said to carry another programme. */
const MISSES_THAT_PROVE = 3;
/** Above this a tone or an exact loop fits in many places, and the last good one is kept. */
const AMBIGUOUS = 0.97;
/** What is live is here up to this much later. */
const LATE_MS = 500;
/** Of copies that are followed this much is kept behind what is played, as what is played of them isn't known to the frame. */
const FOLLOWED_MS = 1_000;
/** Sound cards are off by less, and what moves further in the time has jumped. */
const MOST_DRIFT = 500e-6;
const JITTER_FRAMES = 8;
const MOST_MEASURED = 8;
/** A frame of jitter over this is 2.6 ppm, and moves a splice ten seconds away by as little as that. */
const LEAST_SPAN_FRAMES = 8 * PCM_RATE_HZ;
const SEARCH_AGAIN_MS = 1_000;
const TRACK_AGAIN_MS = 4_000;
const DIFFERENT_AGAIN_MS = 20_000;

/** Of the sound behind what is played. */
export interface Needed {
  readonly behindMs: number;
  /** Where in a copy the moment is that is played: one that is ahead is kept for that much longer. Null of what is none. */
  placeIn(take: TakeSight): number | null;
}

/** Where the offset was measured: the middle of what was compared. */
interface Measured {
  readonly atFrame: number;
  readonly offsetFrames: number;
}

interface Pair {
  relation: Relation;
  /** Since the two have run side by side, the newest last. */
  measured: readonly Measured[];
  misses: number;
  dueAtMs: number;
  lookedAtMs: number;
}

/** Takes of one programme, each as it lies to the reference. */
interface Family {
  readonly reference: Take | null;
  readonly pairs: Map<number, Pair>;
}

const UNKNOWN: Relation = { is: 'unknown' };
const pairOf = (relation: Relation): Pair => ({
  relation,
  measured: [],
  misses: 0,
  dueAtMs: 0,
  lookedAtMs: 0,
});
const NO_FAMILY: Family = { reference: null, pairs: new Map() };

/**
 * Finds and follows how every other take lies to the one on air. One search at a time, beside the event loop; the
 * whole of what is held is searched until the place is known, and then a tenth of a second around it.
 */
export class Alignment {
  readonly #correlate: Correlate;
  #reference: Take | null = null;
  #pairs = new Map<number, Pair>();
  /** Copies of each other of which none is on air. */
  #away: Family = NO_FAMILY;
  #busy = false;

  constructor(correlate: Correlate) {
    this.#correlate = correlate;
  }

  /** With a frame of the reference it is unknown where the place that was found last says nothing of that frame. */
  relationOf(take: TakeSight, frame?: number): Relation {
    const relation = this.#pairs.get(take.id)?.relation ?? UNKNOWN;
    const reference = this.#reference;
    if (frame === undefined || relation.is !== 'same' || reference === null) return relation;
    return holdsAt(reference, take, relation, frame) ? relation : UNKNOWN;
  }

  /**
   * Another take is on air: what was known of the others is carried over to it. While another programme is on air, how
   * the copies lay to each other is kept for the return.
   */
  setReference(reference: Take | null): void {
    if (reference === this.#reference) return;
    const now: Family = { reference: this.#reference, pairs: this.#pairs };
    const isMember = this.#pairs.size > 0 && membership(now, reference) !== null;
    const isFamily = [...this.#pairs.values()].some((pair) => pair.relation.is === 'same');
    this.#pairs = seenFrom(isMember ? now : this.#away, reference);
    if (isMember) this.#away = NO_FAMILY;
    else if (isFamily) this.#away = now;
    this.#reference = reference;
  }

  /**
   * What has to be kept behind `cursorFrame`, what is played. While there is something to search for, that is so much that a
   * copy is found that is as far off as what is played is behind the live edge, and that a search which finds none says
   * something.
   */
  needs(delayMs: number, cursorFrame: number | null, others: readonly { readonly id: number }[]): Needed {
    const areFollowed = others.every(({ id }) => {
      const pair = this.#pairs.get(id);
      return id === this.#reference?.id || (pair?.relation.is === 'same' && pair.misses === 0);
    });
    return {
      behindMs: areFollowed ? FOLLOWED_MS : LATE_MS + Math.max(NEEDLE_MS, WIDE_MS - delayMs),
      placeIn: (take) => {
        const relation = this.relationOf(take);
        return relation.is === 'same' && cursorFrame !== null
          ? cursorFrame + offsetAt(relation, cursorFrame)
          : null;
      },
    };
  }

  /** Forgets takes that are over. */
  keepOnly(exists: (id: number) => boolean): void {
    for (const pairs of [this.#pairs, this.#away.pairs]) {
      for (const id of pairs.keys()) if (!exists(id)) pairs.delete(id);
    }
  }

  /** Starts the search that is due, if any. `others`: takes that sound now; `cursorFrame`: what is played next. */
  tick(nowMs: number, cursorFrame: number, others: readonly Take[]): void {
    const reference = this.#reference;
    if (reference === null || this.#busy) return;
    const dueAtMs = (take: Take) => this.#dueAtMs(reference, take, cursorFrame);
    const due = others
      .filter((take) => take.id !== reference.id && dueAtMs(take) <= nowMs)
      .sort((a, b) => dueAtMs(a) - dueAtMs(b))[0];
    if (due === undefined) return;
    this.#busy = true;
    void this.#look(reference, due, Math.floor(cursorFrame), nowMs).finally(() => {
      this.#busy = false;
    });
  }

  #dueAtMs(reference: Take, take: Take, cursorFrame: number): number {
    const pair = this.#pairs.get(take.id);
    if (pair === undefined) return 0;
    const isLost = pair.relation.is === 'same' && !holdsAt(reference, take, pair.relation, cursorFrame);
    return isLost ? Math.min(pair.dueAtMs, pair.lookedAtMs + SEARCH_AGAIN_MS) : pair.dueAtMs;
  }

  async #look(reference: Take, take: Take, cursorFrame: number, nowMs: number): Promise<void> {
    const pair = this.#pairs.get(take.id) ?? pairOf(UNKNOWN);
    this.#pairs.set(take.id, pair);
    pair.lookedAtMs = nowMs;
    pair.dueAtMs = nowMs + SEARCH_AGAIN_MS;
    const before = pair.relation;
    const tracked = before.is === 'same' && pair.misses === 0;
    const search = tracked
      ? aroundWhere(reference, take, cursorFrame, offsetAt(before, cursorFrame))
      : wherever(reference, take, pair.misses);
    if (search === null) {
      if (tracked && isPast(reference, take, cursorFrame, offsetAt(before, cursorFrame))) pair.misses = 1;
      return;
    }
    const { needle, haystack } = search;
    const atFrame = needle.fromFrame + needle.frames / 2;
    const found = await this.#correlate(needle, haystack).catch(() => null);
    if (found === null || this.#reference !== reference) return;
    const { peak, inverted, runnerUp } = found;
    if (peak >= SAME_PEAK) {
      pair.misses = 0;
      pair.dueAtMs = nowMs + TRACK_AGAIN_MS;
      if (runnerUp > AMBIGUOUS) return;
      const offsetFrames = haystack.fromFrame + found.offsetFrames - needle.fromFrame;
      pair.measured = [...sinceInStep(pair.measured, { atFrame, offsetFrames }), { atFrame, offsetFrames }];
      const drift = driftOf(pair.measured) ?? (before.is === 'same' ? before.drift : 0);
      pair.relation = { is: 'same', atFrame, offsetFrames, drift, peak, inverted };
      return;
    }
    if (tracked) pair.misses = 1;
    if (!search.isWide) return;
    pair.misses += 1;
    const isLost = before.is === 'same' && !holdsAt(reference, take, before, cursorFrame);
    if (isLost && pair.misses >= MISSES_THAT_PROVE) pair.relation = UNKNOWN;
    if (peak > DIFFERENT_PEAK || pair.misses < MISSES_THAT_PROVE) return;
    pair.relation = { is: 'different', peak };
    pair.dueAtMs = nowMs + DIFFERENT_AGAIN_MS;
  }
}

/** Whether nothing of either may be missing between where the two were compared and this frame. */
function holdsAt(reference: TakeSight, take: TakeSight, same: Same, frame: number): boolean {
  const place = frame + offsetAt(same, frame);
  return isWhole(reference, same.atFrame, frame) && isWhole(take, same.atFrame + same.offsetFrames, place);
}

const isWhole = (take: TakeSight, oneFrame: number, otherFrame: number): boolean =>
  take.wholeTo(Math.min(oneFrame, otherFrame)) >= Math.max(oneFrame, otherFrame);

/** The newest measurements that a new one goes on from; none where the sound has jumped between the two. */
function sinceInStep(measured: readonly Measured[], next: Measured): readonly Measured[] {
  const last = measured.at(-1);
  if (last === undefined) return [];
  const passedFrames = Math.abs(next.atFrame - last.atFrame);
  const movedFrames = Math.abs(next.offsetFrames - last.offsetFrames);
  return movedFrames > JITTER_FRAMES + MOST_DRIFT * passedFrames ? [] : measured.slice(1 - MOST_MEASURED);
}

/** The slope of the offset by least squares; null as long as too little was measured to tell it from jitter. */
function driftOf(measured: readonly Measured[]): number | null {
  const [first, last] = [measured[0], measured.at(-1)];
  if (first === undefined || last === undefined || last.atFrame - first.atFrame < LEAST_SPAN_FRAMES)
    return null;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanFrame = mean(measured.map(({ atFrame }) => atFrame));
  const meanOffset = mean(measured.map(({ offsetFrames }) => offsetFrames));
  const covariance = mean(measured.map((one) => (one.atFrame - meanFrame) * (one.offsetFrames - meanOffset)));
  return covariance / mean(measured.map(({ atFrame }) => (atFrame - meanFrame) ** 2));
}

const ITSELF: Same = { is: 'same', atFrame: 0, offsetFrames: 0, drift: 0, peak: 1, inverted: false };

/** How a take lies to the family's reference; null when it doesn't belong to it. */
function membership({ reference, pairs }: Family, take: Take | null): Same | null {
  if (take === null || reference === null) return null;
  if (take === reference) return ITSELF;
  const relation = pairs.get(take.id)?.relation ?? UNKNOWN;
  return relation.is === 'same' ? relation : null;
}

/** The family as it lies to another of its members; empty when that is none. */
function seenFrom(family: Family, take: Take | null): Map<number, Pair> {
  const pairs = new Map<number, Pair>();
  const place = membership(family, take);
  const { reference } = family;
  if (place === null || take === null || reference === null) return pairs;
  if (take !== reference) pairs.set(reference.id, pairOf(reversed(place)));
  for (const [id, { relation }] of family.pairs) {
    if (id === take.id || relation.is !== 'same') continue;
    if (take === reference) pairs.set(id, pairOf(relation));
    else if (holdsAt(reference, take, place, relation.atFrame))
      pairs.set(id, pairOf(composed(place, relation)));
  }
  return pairs;
}

function reversed({ atFrame, offsetFrames, drift, ...alike }: Same): Same {
  return {
    ...alike,
    atFrame: atFrame + offsetFrames,
    offsetFrames: -offsetFrames,
    drift: -drift / (1 + drift),
  };
}

/** What lies to the reference like `second`, as it lies to what lies to the reference like `first`: where it was compared. */
function composed(first: Same, second: Same): Same {
  const { atFrame, offsetFrames } = second;
  const firstOffset = first.offsetFrames + first.drift * (atFrame - first.atFrame);
  const backward = reversed(first).drift;
  return {
    is: 'same',
    atFrame: atFrame + firstOffset,
    offsetFrames: offsetFrames - firstOffset,
    drift: backward + second.drift * (1 + backward),
    peak: Math.min(first.peak, second.peak),
    inverted: first.inverted !== second.inverted,
  };
}
