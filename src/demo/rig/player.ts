/** At `atMs` the sound up to `mediaEndMs` of a listener's stream had arrived. */
export interface Arrival {
  readonly atMs: number;
  readonly mediaEndMs: number;
}

/** What the loudspeaker did: played a stretch of the stream, or was quiet because the buffer had run dry. */
export type Playback =
  | {
      readonly is: 'playing';
      readonly atMs: number;
      readonly durationMs: number;
      readonly mediaFromMs: number;
    }
  | {
      readonly is: 'underrun';
      readonly atMs: number;
      readonly durationMs: number;
    };

export interface PlayerBuffer {
  /** Sound that must be in hand before playing begins. */
  readonly startMs: number;
  /** Sound that must be in hand before playing goes on after an underrun. */
  readonly resumeMs: number;
}

/** Enough for a plain player; Icecast's burst of 64 KiB fills it at once with some 4 s. */
export const ORDINARY_PLAYER: PlayerBuffer = { startMs: 1000, resumeMs: 1000 };

/**
 * A plain player: it buffers, plays at the pace of its own sound card, stops when the buffer is empty and buffers again.
 * Nothing is skipped, so a listener who once waited stays that much later. `endAtMs` is when the listener turned it off.
 */
export function playBack(
  arrivals: readonly Arrival[],
  endAtMs: number,
  buffer: PlayerBuffer,
): readonly Playback[] {
  const heard: Playback[] = [];
  let arrivedMs = 0;
  let playedMs = 0;
  let playingSinceMs: number | null = null;
  let quietSinceMs: number | null = null;

  const runDry = (atMs: number): void => {
    if (playingSinceMs === null) return;
    const durationMs = Math.min(arrivedMs - playedMs, atMs - playingSinceMs);
    if (durationMs > 0)
      heard.push({
        is: 'playing',
        atMs: playingSinceMs,
        durationMs,
        mediaFromMs: playedMs,
      });
    playedMs += durationMs;
    quietSinceMs = playingSinceMs + durationMs;
    playingSinceMs = null;
  };
  const start = (atMs: number): void => {
    if (quietSinceMs !== null && atMs > quietSinceMs) {
      heard.push({
        is: 'underrun',
        atMs: quietSinceMs,
        durationMs: atMs - quietSinceMs,
      });
    }
    quietSinceMs = null;
    playingSinceMs = atMs;
  };

  for (const arrival of arrivals) {
    if (arrival.atMs >= endAtMs) break;
    if (playingSinceMs !== null && playingSinceMs + (arrivedMs - playedMs) < arrival.atMs)
      runDry(arrival.atMs);
    arrivedMs = Math.max(arrivedMs, arrival.mediaEndMs);
    const neededMs = heard.length === 0 ? buffer.startMs : buffer.resumeMs;
    if (playingSinceMs === null && arrivedMs - playedMs >= neededMs) start(arrival.atMs);
  }
  runDry(endAtMs);
  if (quietSinceMs !== null && quietSinceMs < endAtMs) {
    heard.push({
      is: 'underrun',
      atMs: quietSinceMs,
      durationMs: endAtMs - quietSinceMs,
    });
  }
  return heard;
}
