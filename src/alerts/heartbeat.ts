import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';

const WITHIN_MS = 10_000;

export interface HeartbeatOptions {
  readonly url: string;
  readonly everyMs: number;
  /** Whether this agent does its work; while it doesn't there is no beat, and somebody outside calls. */
  readonly isWell: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Asks for an address again and again, so that a watchman outside calls when this agent, or its machine, is no more. */
export function startHeartbeat({ url, everyMs, isWell, clock, log }: HeartbeatOptions): () => void {
  let isFailing = false;
  let waiting = false;
  const beat = async () => {
    if (waiting || !isWell()) return;
    waiting = true;
    const detail = await beatOnce(url);
    waiting = false;
    // The address is as good as a password and is not said.
    if (detail !== null && !isFailing) log.warn({ detail }, 'the heartbeat is not taken');
    if (detail === null && isFailing) log.info('the heartbeat is taken again');
    isFailing = detail !== null;
  };
  void beat();
  return clock.every(everyMs, () => void beat());
}

/** Null when it was taken, else why not. */
export async function beatOnce(url: string): Promise<string | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'user-agent': 'Sustain' },
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    await response.body?.cancel();
    return response.ok ? null : `it answered ${response.status}`;
  } catch {
    return 'it cannot be reached';
  }
}
