import type { LegCondition, LegFault } from '../domain/conditions.ts';

/** What is known of one moment of a leg. `doubtful`: heard, but not proven to come from the leg's own mount. */
export type Verdict = 'proven' | 'doubtful' | 'faulty';

interface Stretch {
  readonly is: 'proven' | 'faulty';
  readonly fromMs: number;
  toMs: number;
  readonly fault: LegFault | null;
}

/** A fault as the playout sees it: `goodToMs` is the last proven moment before it. */
export interface Fault {
  readonly goodToMs: number;
  readonly fromMs: number;
  /** Infinity while it lasts. */
  readonly toMs: number;
  readonly fault: LegFault | null;
}

/** Reading only: what the choice of a leg rests on. */
export interface Verdicts {
  at(ms: number): Verdict;
  /** The first fault that is not over at `ms`, or null. */
  faultAfter(ms: number): Fault | null;
  /** End of the proven stretch that `ms` lies in; `ms` itself when it lies in none. */
  provenFrom(ms: number): number;
}

/** A leg's verdict for every moment, put together from the conditions that the decision room gives one after another. */
export class VerdictLine implements Verdicts {
  readonly #keepMs: number;
  #stretches: Stretch[] = [];

  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  note(condition: LegCondition, nowMs: number): void {
    const last = this.#stretches.at(-1);
    switch (condition.is) {
      case 'unknown':
        // Nothing is claimed of now; a fault that was open is not over either until sound is proven.
        if (last?.is === 'faulty' && last.toMs === Number.POSITIVE_INFINITY) last.toMs = nowMs;
        break;
      case 'audible':
        this.#proven(condition.sinceMs, condition.verifiedAtMs);
        break;
      case 'faulty':
        this.#faulty(condition.sinceMs, condition.fault);
        break;
    }
    while ((this.#stretches[0]?.toMs ?? nowMs) <= nowMs - this.#keepMs) this.#stretches.shift();
  }

  at(ms: number): Verdict {
    return this.#stretches.find((stretch) => ms >= stretch.fromMs && ms < stretch.toMs)?.is ?? 'doubtful';
  }

  faultAfter(ms: number): Fault | null {
    const index = this.#stretches.findIndex((stretch) => stretch.is === 'faulty' && stretch.toMs > ms);
    const fault = this.#stretches[index];
    if (fault === undefined) return null;
    const before = this.#stretches.slice(0, index).findLast(({ fault: other }) => other !== 'stalled');
    const goodToMs = before?.is === 'proven' ? before.toMs : fault.fromMs;
    return {
      goodToMs: Math.min(goodToMs, fault.fromMs),
      fromMs: fault.fromMs,
      toMs: fault.toMs,
      fault: fault.fault,
    };
  }

  provenFrom(ms: number): number {
    const stretch = this.#stretches.find((one) => one.is === 'proven' && ms >= one.fromMs && ms < one.toMs);
    return stretch?.toMs ?? ms;
  }

  #proven(sinceMs: number, toMs: number): void {
    const last = this.#stretches.at(-1);
    // Sound that was live within a stall, and silence after it: the network brought both when the stall was over.
    const isHeldBack = last?.fault === 'stalled' && toMs > last.fromMs && toMs < sinceMs;
    if (isHeldBack) {
      last.toMs = last.fromMs;
      this.#stretches.push({ is: 'proven', fromMs: last.fromMs, toMs, fault: null });
      return;
    }
    if (last?.is === 'faulty') last.toMs = Math.min(last.toMs, Math.max(last.fromMs, sinceMs));
    if (last?.is === 'proven' && sinceMs <= last.toMs) {
      last.toMs = Math.max(last.toMs, toMs);
      return;
    }
    const fromMs = Math.max(sinceMs, last?.toMs ?? sinceMs);
    if (toMs > fromMs) this.#stretches.push({ is: 'proven', fromMs, toMs, fault: null });
  }

  #faulty(sinceMs: number, fault: LegFault): void {
    const last = this.#stretches.at(-1);
    // What a stall turns into, or what is found after it, is a fault of its own: the stall itself is seldom heard.
    if (last?.fault === 'stalled' && fault !== 'stalled') {
      last.toMs = Math.min(last.toMs, sinceMs);
      if (last.toMs <= last.fromMs) this.#stretches.pop();
    } else if (last?.is === 'faulty' && (last.toMs === Number.POSITIVE_INFINITY || sinceMs <= last.toMs)) {
      last.toMs = Number.POSITIVE_INFINITY;
      return;
    }
    this.#takeBack(sinceMs);
    this.#stretches.push({
      is: 'faulty',
      fromMs: Math.max(sinceMs, this.#stretches.at(-1)?.toMs ?? sinceMs),
      toMs: Number.POSITIVE_INFINITY,
      fault,
    });
  }

  /** A tone or a loop is known long after it began, and what was heard in the meantime was taken for good. */
  #takeBack(sinceMs: number): void {
    this.#stretches = this.#stretches.filter(({ is, fromMs }) => is === 'faulty' || fromMs < sinceMs);
    for (const stretch of this.#stretches)
      if (stretch.is === 'proven') stretch.toMs = Math.min(stretch.toMs, sinceMs);
  }
}
