import type { OutputView } from '../relay/outputs.ts';

/** This many encoders replaced within the window are no accident any more. */
const MANY_REBUILDS = 3;
const WINDOW_MS = 60_000;
/** A server that answers and takes no source for this long will not take it in a moment. */
const NOT_TAKEN_MS = 10_000;

/** Whether the public mounts of one relay are fed, from what it shows of them each second. */
export class OutputWatch {
  readonly #seen = new Map<string, { atMs: number; rebuilds: number }[]>();
  readonly #notTaken = new Map<string, { sinceMs: number; isTold: boolean }>();

  /** What a person must know of, in words; null while nothing. A server that doesn't answer is told as that. */
  troubleIn(outputs: readonly OutputView[], isAnswering: boolean, nowMs: number): string | null {
    const found = outputs.flatMap((output) => {
      const rebuilds = this.#rebuiltLately(output, nowMs);
      const notTaken = this.#notTakenBy(output, isAnswering, nowMs);
      if (output.state.is === 'no-sound') {
        return `the encoder of ${output.mount} gives no sound (replaced ${output.rebuilds} times), so the mount was let go and listeners are where its fallback leads`;
      }
      if (notTaken !== null) return notTaken;
      return rebuilds < MANY_REBUILDS
        ? []
        : `the encoder of ${output.mount} was replaced ${rebuilds} times within a minute`;
    });
    return found.length === 0 ? null : found.join('; ');
  }

  #notTakenBy({ mount, state }: OutputView, isAnswering: boolean, nowMs: number): string | null {
    if (state.is !== 'failed') {
      this.#notTaken.delete(mount);
      return null;
    }
    const before = this.#notTaken.get(mount);
    const isTold = before?.isTold === true;
    const sinceMs = isTold || isAnswering ? (before?.sinceMs ?? nowMs) : nowMs;
    const isLong = isTold || nowMs - sinceMs >= NOT_TAKEN_MS;
    this.#notTaken.set(mount, { sinceMs, isTold: isLong });
    return isLong
      ? `Icecast takes no sound for ${mount} (${state.failure}: ${state.detail}), so listeners are where its fallback leads`
      : null;
  }

  #rebuiltLately({ mount, rebuilds }: OutputView, nowMs: number): number {
    const seen = (this.#seen.get(mount) ?? []).filter(({ atMs }) => nowMs - atMs <= WINDOW_MS);
    seen.push({ atMs: nowMs, rebuilds });
    this.#seen.set(mount, seen);
    return rebuilds - Math.min(...seen.map((one) => one.rebuilds));
  }
}
