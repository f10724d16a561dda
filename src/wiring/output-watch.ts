import type { OutputView } from '../relay/outputs.ts';

/** This many encoders replaced within the window are no accident any more. */
const MANY_REBUILDS = 3;
const WINDOW_MS = 60_000;

/** Whether the encoders of one relay do their work, from what it shows of them each second. */
export class OutputWatch {
  readonly #seen = new Map<string, { atMs: number; rebuilds: number }[]>();

  /** What a person must know of, in words; null while nothing. */
  troubleIn(outputs: readonly OutputView[], nowMs: number): string | null {
    const found = outputs.flatMap((output) => {
      const rebuilds = this.#rebuiltLately(output, nowMs);
      if (output.state.is === 'no-sound') {
        return `the encoder of ${output.mount} gives no sound (replaced ${output.rebuilds} times), so the mount was let go and listeners are where its fallback leads`;
      }
      return rebuilds < MANY_REBUILDS
        ? []
        : `the encoder of ${output.mount} was replaced ${rebuilds} times within a minute`;
    });
    return found.length === 0 ? null : found.join('; ');
  }

  #rebuiltLately({ mount, rebuilds }: OutputView, nowMs: number): number {
    const seen = (this.#seen.get(mount) ?? []).filter(({ atMs }) => nowMs - atMs <= WINDOW_MS);
    seen.push({ atMs: nowMs, rebuilds });
    this.#seen.set(mount, seen);
    return rebuilds - Math.min(...seen.map((one) => one.rebuilds));
  }
}
