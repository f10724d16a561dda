import type { Clock } from '../platform/clock.ts';
import type { LegFeed } from '../relay/legs.ts';

/** What went wrong inside one station's part, for whoever has to end that part. */
export type Failed = (thrown: unknown) => void;

/**
 * A clock whose timers hand what they throw to `failed`. An error that nobody takes would end the process, and with it
 * every station; like this it ends the part that it came from.
 */
export function isolatedClock(clock: Clock, failed: Failed): Clock {
  return {
    nowMs: () => clock.nowMs(),
    wallTime: () => clock.wallTime(),
    after: (delayMs, run) => clock.after(delayMs, () => guarded(run, failed)),
    every: (intervalMs, run) => clock.every(intervalMs, () => guarded(run, failed)),
  };
}

/** The same for the sound that a relay is given: it comes out of a listener's socket, which must not end for it. */
export function isolatedFeed(feed: LegFeed, failed: Failed): LegFeed {
  return {
    pcm: (pcm) => guarded(() => feed.pcm(pcm), failed),
    bytes: (count) => guarded(() => feed.bytes(count), failed),
    title: (title) => guarded(() => feed.title(title), failed),
    loudness: (...measured) => guarded(() => feed.loudness(...measured), failed),
    close: () => guarded(() => feed.close(), failed),
  };
}

function guarded(run: () => void, failed: Failed): void {
  try {
    run();
  } catch (thrown) {
    failed(thrown);
  }
}
