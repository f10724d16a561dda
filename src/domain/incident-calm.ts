import type { Incident } from './incidents.ts';

/** Calm must last this long before an incident is over, so that a flapping fault is one incident and not ten. In ms. */
export const CALM_MS = 30_000;
/** What comes back within this after its end has to be calm four times as long, so that what comes and goes is told a few times. */
const RELAPSE_WITHIN_MS = 15 * 60_000;
const MOST_CALM_MS = 10 * 60_000;

/** An incident that is over. */
export interface Ended {
  readonly thread: string;
  readonly unixMs: number;
  readonly calmMs: number;
}

/** When it is over, unless something of it comes back. */
export function calmUntil({ calmSinceUnixMs, calmMs = CALM_MS }: Incident): number {
  return (calmSinceUnixMs ?? Number.POSITIVE_INFINITY) + calmMs;
}

export function endedWith(
  ended: readonly Ended[],
  over: readonly Incident[],
  unixMs: number,
): readonly Ended[] {
  const isOld = (one: Ended) =>
    unixMs - one.unixMs > RELAPSE_WITHIN_MS || over.some(({ thread }) => thread === one.thread);
  const more = over.map(({ thread, calmMs = CALM_MS }) => ({ thread, unixMs, calmMs }));
  return [...ended.filter((one) => !isOld(one)), ...more];
}

/** How long a new incident of a thread has to be calm, where that is longer than usual. */
export function calmOf(
  ended: readonly Ended[],
  thread: string,
  unixMs: number,
): { readonly calmMs?: number } {
  const last = ended.find((one) => one.thread === thread);
  if (last === undefined || unixMs - last.unixMs > RELAPSE_WITHIN_MS) return {};
  return { calmMs: Math.min(MOST_CALM_MS, 4 * last.calmMs) };
}
