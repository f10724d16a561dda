import type { Air, AirSegment } from '../../domain/air-time.ts';

/** A stretch of time on one server with one answer to what listeners heard. */
export interface Stretch extends AirSegment {
  /** The event in the log that ended it; null: it went on to the end of what is known. */
  readonly endedBySeq: number | null;
}

export interface Totals {
  readonly soundingMs: number;
  readonly deadMs: number;
  readonly plannedMs: number;
  readonly unknownMs: number;
  /** Sounding, of the time of which it is known whether it sounded and in which no silence was planned; null: none. */
  readonly availability: number | null;
}

/** What lies between two moments, without holes: where nothing was said it is unknown. */
export function within(stretches: readonly Stretch[], fromUnixMs: number, toUnixMs: number): Stretch[] {
  const [first] = stretches;
  if (first === undefined) return [];
  const { server } = first;
  const unknown = (from: number, to: number): Stretch => ({
    server,
    fromUnixMs: from,
    toUnixMs: to,
    air: 'unknown',
    endedBySeq: null,
  });
  const found: Stretch[] = [];
  let atUnixMs = fromUnixMs;
  for (const stretch of once(stretches)) {
    const from = Math.max(atUnixMs, stretch.fromUnixMs);
    const to = Math.min(toUnixMs, stretch.toUnixMs);
    if (to <= from) continue;
    if (from > atUnixMs) found.push(unknown(atUnixMs, from));
    found.push({ ...stretch, fromUnixMs: from, toUnixMs: to });
    atUnixMs = to;
  }
  if (atUnixMs < toUnixMs) found.push(unknown(atUnixMs, toUnixMs));
  return joined(found);
}

const WORSE: Readonly<Record<Air, number>> = { unknown: 0, planned: 1, sounding: 2, dead: 3 };

/** Of what a clock that was put back has shown again each moment counts once, and as the worst that was heard at it. */
function once(stretches: readonly Stretch[]): readonly Stretch[] {
  const passes: Stretch[][] = [];
  for (const stretch of stretches) {
    const pass = passes.at(-1);
    if (pass === undefined || stretch.fromUnixMs < (pass.at(-1)?.toUnixMs ?? 0)) passes.push([stretch]);
    else pass.push(stretch);
  }
  if (passes.length <= 1) return stretches;
  return merged(passes, (known, other) => WORSE[other.air] > WORSE[known.air]);
}

/** Several logs of one server: the first that knows has the word. */
export function merged(
  logs: readonly (readonly Stretch[])[],
  isBetter = (known: Stretch, other: Stretch) => known.air === 'unknown' && other.air !== 'unknown',
): Stretch[] {
  const edges = [...new Set(logs.flat().flatMap(({ fromUnixMs, toUnixMs }) => [fromUnixMs, toUnixMs]))].sort(
    (a, b) => a - b,
  );
  const at = logs.map(() => 0);
  const found: Stretch[] = [];
  for (const [index, fromUnixMs] of edges.slice(0, -1).entries()) {
    const toUnixMs = edges[index + 1] ?? fromUnixMs;
    let best: Stretch | null = null;
    for (const [log, stretches] of logs.entries()) {
      let place = at[log] ?? 0;
      while ((stretches[place]?.toUnixMs ?? Number.POSITIVE_INFINITY) <= fromUnixMs) place += 1;
      at[log] = place;
      const here = stretches[place];
      if (here === undefined || here.fromUnixMs > fromUnixMs) continue;
      if (best === null || isBetter(best, here)) best = here;
    }
    if (best !== null) found.push({ ...best, fromUnixMs, toUnixMs });
  }
  return joined(found);
}

function joined(stretches: readonly Stretch[]): Stretch[] {
  const found: Stretch[] = [];
  for (const stretch of stretches) {
    const last = found.at(-1);
    if (last !== undefined && last.air === stretch.air && last.toUnixMs === stretch.fromUnixMs)
      found[found.length - 1] = { ...stretch, fromUnixMs: last.fromUnixMs };
    else found.push(stretch);
  }
  return found;
}

export function totalsOf(stretches: readonly Stretch[]): Totals {
  const sum = (air: Air) =>
    stretches.reduce((ms, one) => (one.air === air ? ms + one.toUnixMs - one.fromUnixMs : ms), 0);
  const soundingMs = sum('sounding');
  const deadMs = sum('dead');
  return {
    soundingMs,
    deadMs,
    plannedMs: sum('planned'),
    unknownMs: sum('unknown'),
    availability: soundingMs + deadMs === 0 ? null : soundingMs / (soundingMs + deadMs),
  };
}
