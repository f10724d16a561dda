import type { Leg, LegId } from '../domain/ids.ts';
import { type Alignment, offsetAt, type Relation } from './alignment.ts';
import type { Take } from './take.ts';

export interface RelayLegView {
  readonly leg: LegId;
  readonly relation: Relation['is'];
  readonly peak: number | null;
  /** How much later than the leg on air it carries the same moment. */
  readonly behindMs: number | null;
}

/** How every leg lies to the one on air, or while none is to the first audible one. */
export function relationViews(
  legs: readonly Leg[],
  audible: readonly Take[],
  onAir: Take | null,
  alignment: Alignment,
): readonly RelayLegView[] {
  const reference = onAir ?? audible[0] ?? null;
  return legs.map(({ id }) => {
    const take = audible.find((one) => one.leg === id);
    if (take === undefined || reference === null) {
      return { leg: id, relation: 'unknown', peak: null, behindMs: null };
    }
    if (take === reference) return { leg: id, relation: 'same', peak: 1, behindMs: 0 };
    const relation = alignment.relationOf(take);
    const peak = relation.is === 'unknown' ? null : relation.peak;
    return { leg: id, relation: relation.is, peak, behindMs: behindMsOf(reference, take, relation) };
  });
}

/** How much later than `onAir` the take carries the same moment, in ms. */
export function behindMsOf(onAir: Take, take: Take, relation: Relation): number | null {
  if (relation.is !== 'same') return null;
  const frame = Math.min(onAir.endFrame, take.endFrame - offsetAt(relation, onAir.endFrame));
  const here = onAir.timeOf(frame);
  const there = take.timeOf(frame + offsetAt(relation, frame));
  return here === null || there === null ? null : there - here;
}

export function sentenceOf(relation: 'same' | 'different', behindMs: number | null): string {
  if (relation === 'different') return 'carries a different programme: it is no copy of what is on air';
  const seconds = Math.abs((behindMs ?? 0) / 1_000).toFixed(2);
  return `carries the same programme, ${seconds} s ${(behindMs ?? 0) < 0 ? 'ahead' : 'behind'}`;
}
