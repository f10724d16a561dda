import type { ServerName } from '../domain/ids.ts';

export type Encoder = 'primary' | 'secondary' | 'autodj';

/** One thing that is wrong in the simulated world, from its beginning to its end. */
export type WorldFault =
  /** A source ends, stands still with its socket open, or sends silence; on one server's mount or on all. */
  | {
      readonly what: 'source';
      readonly source: Encoder;
      readonly is: 'gone' | 'stalled' | 'silent';
      readonly on: ServerName | 'all';
    }
  /** Both encoders, as they are in the same studio. */
  | { readonly what: 'studio'; readonly is: 'gone' | 'silent' }
  /** The programme pauses, as it should: quiet that is no fault. */
  | { readonly what: 'pause' }
  | { readonly what: 'server'; readonly server: ServerName; readonly is: 'dead' | 'hung' | 'silent' }
  /** The Icecast and the agent beside it. */
  | { readonly what: 'machine'; readonly server: ServerName }
  /** One site is cut off from everybody. */
  | { readonly what: 'site'; readonly server: ServerName }
  /** The sites can't see each other; everybody else sees both. */
  | { readonly what: 'link' }
  | { readonly what: 'agent'; readonly server: ServerName; readonly is: 'dead' | 'deaf' }
  /** Nobody can read or write the DNS; resolvers still can. */
  | { readonly what: 'provider' };

/** A kind of fault, how often it comes and how long it lasts. */
export interface Cause {
  readonly id: string;
  readonly words: string;
  /** For each part that it can befall. */
  readonly perYear: number;
  /** Half of them are over by then. */
  readonly medianMs: number;
  /** All but one in twenty are over by then. */
  readonly longMs: number;
  readonly faults: readonly WorldFault[];
}

export interface PlannedFault {
  readonly cause: Cause;
  /** Which of the cause's faults it is, and that fault; no two planned ones are the same object. */
  readonly part: number;
  readonly fault: WorldFault;
  readonly fromMs: number;
  readonly toMs: number;
}

const S = 1_000;
const M = 60 * S;
const H = 60 * M;

/** What can befall a station of two servers, with assumed rates: docs/simulate.md gives the reason for each. */
export function usualCauses(servers: readonly [ServerName, ServerName]): readonly Cause[] {
  const cause = (
    id: string,
    words: string,
    perYear: number,
    medianMs: number,
    longMs: number,
    faults: readonly WorldFault[],
  ): Cause => ({ id, words, perYear, medianMs, longMs, faults });
  const source = (which: Encoder, is: 'gone' | 'stalled' | 'silent'): WorldFault[] => [
    { what: 'source', source: which, is, on: 'all' },
  ];
  const each = <Made extends WorldFault>(make: (server: ServerName) => Made): Made[] => servers.map(make);
  return [
    cause('encoder-gone', 'encoder 1 ends', 12, M, 30 * M, source('primary', 'gone')),
    cause('encoder-stalled', 'encoder 1 stands still', 4, 30 * S, 10 * M, source('primary', 'stalled')),
    cause('encoder-silent', 'encoder 1 sends silence', 2, 10 * M, 2 * H, source('primary', 'silent')),
    cause('second-gone', 'encoder 2 ends', 12, M, 30 * M, source('secondary', 'gone')),
    cause('autodj-gone', 'the AutoDJ ends', 2, 5 * M, 4 * H, source('autodj', 'gone')),
    cause('studio-silent', 'the studio sends silence', 6, 3 * M, 30 * M, [{ what: 'studio', is: 'silent' }]),
    cause('studio-offline', 'the studio is offline', 3, 2 * M, H, [{ what: 'studio', is: 'gone' }]),
    cause('uplink', "encoder 1's line to one server breaks", 6, M, 15 * M, [
      ...each((on) => ({ what: 'source' as const, source: 'primary' as const, is: 'stalled' as const, on })),
    ]),
    cause('pause', 'a pause in the programme', 12, 6 * S, 12 * S, [{ what: 'pause' }]),
    cause(
      'icecast-crash',
      'Icecast crashes and is restarted',
      1,
      15 * S,
      2 * M,
      each((server) => ({ what: 'server', server, is: 'dead' })),
    ),
    cause(
      'icecast-hang',
      'Icecast hangs',
      0.5,
      30 * M,
      8 * H,
      each((server) => ({ what: 'server', server, is: 'hung' })),
    ),
    cause(
      'server-silent',
      'one server alone gives silence',
      0.2,
      30 * M,
      6 * H,
      each((server) => ({ what: 'server', server, is: 'silent' })),
    ),
    cause(
      'machine-dead',
      'a machine dies',
      0.5,
      H,
      24 * H,
      each((server) => ({ what: 'machine', server })),
    ),
    cause(
      'maintenance',
      'a machine is restarted for maintenance',
      4,
      5 * M,
      30 * M,
      each((server) => ({ what: 'machine', server })),
    ),
    cause(
      'site-cut',
      'a site is cut off',
      4,
      3 * M,
      2 * H,
      each((server) => ({ what: 'site', server })),
    ),
    cause('link-cut', 'the sites cannot see each other', 4, 2 * M, H, [{ what: 'link' }]),
    cause(
      'agent-dead',
      'an agent dies and is restarted',
      2,
      10 * S,
      5 * M,
      each((server) => ({ what: 'agent', server, is: 'dead' })),
    ),
    cause(
      'agent-deaf',
      'an agent goes deaf',
      0.5,
      5 * M,
      H,
      each((server) => ({ what: 'agent', server, is: 'deaf' })),
    ),
    cause('provider-down', 'the DNS API is down', 4, 10 * M, 2 * H, [{ what: 'provider' }]),
  ];
}

/** The 95 % quantile of the normal distribution. */
const Z95 = 1.6449;
export const YEAR_MS = 365.25 * 24 * H;
const LONGEST_MS = 7 * 24 * H;
/** Faults begin and end at these moments of every 5 s: what recurs in a station is met in all of its phases. */
const PHASES_MS = [300, 1_600, 2_800, 4_100] as const;
const PHASE_TURN_MS = 5_000;

function inSomePhase(ms: number, random: () => number): number {
  const phaseMs = PHASES_MS[Math.floor(random() * PHASES_MS.length)] ?? 0;
  return Math.floor(ms / PHASE_TURN_MS) * PHASE_TURN_MS + phaseMs;
}

/** Every fault of some years, in order: each cause comes by chance at its rate (Poisson), and lasts log-normally long. */
export function planFaults(causes: readonly Cause[], years: number, random: () => number): PlannedFault[] {
  const planned: PlannedFault[] = [];
  for (const cause of causes) {
    if (cause.perYear <= 0) continue;
    for (const [part, fault] of cause.faults.entries()) {
      const meanMs = YEAR_MS / cause.perYear;
      let atMs = 0;
      for (;;) {
        atMs += -Math.log(1 - random()) * meanMs;
        if (atMs >= years * YEAR_MS) break;
        const fromMs = inSomePhase(atMs, random);
        const toMs = endOf(fromMs, lengthOf(cause, random), random);
        planned.push({ cause, part, fault: { ...fault }, fromMs, toMs });
      }
    }
  }
  return planned.sort((a, b) => a.fromMs - b.fromMs);
}

/** To the second nobody knows how long an outage of minutes lasts, and equal ones are worked out once. */
const GRAINS = [
  { fromMs: 10 * M, grainMs: M },
  { fromMs: 2 * M, grainMs: 15 * S },
] as const;

function endOf(fromMs: number, lastsMs: number, random: () => number): number {
  const grain = GRAINS.find((one) => lastsMs >= one.fromMs);
  if (grain !== undefined) return fromMs + Math.round(lastsMs / grain.grainMs) * grain.grainMs;
  const endMs = inSomePhase(fromMs + lastsMs, random);
  return endMs > fromMs ? endMs : endMs + PHASE_TURN_MS;
}

function lengthOf({ medianMs, longMs }: Cause, random: () => number): number {
  const sigma = Math.log(Math.max(1, longMs / medianMs)) / Z95;
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.min(LONGEST_MS, medianMs * Math.exp(sigma * normal));
}
