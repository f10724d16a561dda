/** Less than this is taken as none: HTTP tells whole seconds, and an answer is on its way for a while. */
const CLOCKS_AGREE_MS = 5_000;

/**
 * How far the clock here is ahead of that of who said what time it was between the question and its answer, in ms; negative
 * behind, 0 when the two agree or nothing was said. `date` is as HTTP writes it (RFC 9110, 5.6.7).
 */
export function clockAheadMs(askedAtMs: number, answeredAtMs: number, date: string | null): number {
  const thereMs = Date.parse(date ?? '') + 500;
  if (Number.isNaN(thereMs)) return 0;
  const aheadMs = (askedAtMs + answeredAtMs) / 2 - thereMs;
  return Math.abs(aheadMs) < CLOCKS_AGREE_MS ? 0 : aheadMs;
}
