import type { FailoverPolicy } from '../domain/failover.ts';
import type { ServerName } from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { clustersOf, type Episode, Episodes } from './episodes.ts';
import { type Cause, type PlannedFault, planFaults, YEAR_MS } from './faults.ts';
import { castPlayers, outagesOf, type Player, type PlayerModel, type Span, sceneOf } from './players.ts';
import { DUBLIN, LONDON, SERVERS, seeded } from './station.ts';
import type { Keeper } from './station-world.ts';

/** Everything that a simulation of years rests on. */
export interface YearsOptions {
  readonly years: number;
  readonly seed: number;
  readonly causes: readonly Cause[];
  readonly players: PlayerModel;
  readonly playerCount: number;
  readonly station: Partial<StationPolicy>;
  readonly failover: Partial<FailoverPolicy>;
  readonly relayDelayMs: number;
  readonly encoderReconnectMs: number;
  /** False: works every episode out anew. */
  readonly remembers?: boolean;
}

/** How a station fared under one keeper. */
export interface KeeperYears {
  readonly keeper: Keeper;
  /** Shares of the time in which a listener heard something: the mean of all, and of the worst twentieth of listener-years. */
  readonly availability: {
    readonly mean: number;
    readonly standardError: number;
    readonly worst5Percent: number;
  };
  /** Minutes without sound for the mean listener in a mean year, by what had gone wrong; all of them together in `outageMinutes`. */
  readonly outageMinutes: number;
  readonly outageMinutesByCause: Readonly<Record<string, number>>;
  /** Per year: source switches on both servers together, moves of the name, and those of them for which there was no reason. */
  readonly perYear: {
    readonly switches: number;
    readonly falseSwitches: number;
    readonly moves: number;
    readonly falseMoves: number;
  };
  readonly episodes: number;
  readonly workedOut: number;
}

const MINUTE_MS = 60_000;
/** So many years are planned at a time, so that a thousand of them need no more memory than one. */
const BATCH_YEARS = 10;

/** Runs one keeper through some years of faults; `done` tells how far it is, from 0 to 1. Null when it was interrupted. */
export async function simulateYears(
  keeper: Keeper,
  options: YearsOptions,
  done: (share: number) => void = () => {},
  interrupted: AbortSignal | null = null,
): Promise<KeeperYears | null> {
  const { years, seed } = options;
  const tally = new Tally(options);
  const episodes = new Episodes(
    {
      keeper,
      station: options.station,
      failover: options.failover,
      relayDelayMs: options.relayDelayMs,
      encoderReconnectMs: options.encoderReconnectMs,
      skips: true,
    },
    options.remembers,
  );
  const plan = seeded(seed);
  const servers = keeper.is === 'one-server' ? [LONDON] : SERVERS;
  let doneYears = 0;
  let count = 0;
  while (doneYears < years) {
    const batch = Math.min(BATCH_YEARS, years - doneYears);
    const beginMs = doneYears * YEAR_MS;
    const planned = planFaults(options.causes, batch, plan)
      .map((one) => ({ ...one, fromMs: one.fromMs + turn(beginMs), toMs: one.toMs + turn(beginMs) }))
      .filter(({ fault }) => servers.length > 1 || !concerns(fault, DUBLIN));
    for (const cluster of clustersOf(planned)) {
      tally.take(episodes.play(cluster), servers);
      count += 1;
      if (count % 50 === 0) {
        done(Math.min(1, (cluster[0]?.fromMs ?? 0) / YEAR_MS / years));
        await new Promise((resolve) => setImmediate(resolve));
        if (interrupted?.aborted === true) return null;
      }
    }
    doneYears += batch;
  }
  done(1);
  return { keeper, ...tally.result(), episodes: count, workedOut: episodes.worked };
}

/** Years begin in the same phase of everything that recurs. */
const turn = (ms: number) => Math.round(ms / 70_000) * 70_000;

function concerns(fault: PlannedFault['fault'], server: ServerName): boolean {
  if (fault.what === 'link') return true;
  if ('server' in fault) return fault.server === server;
  return fault.what === 'source' && fault.on === server;
}

/** Adds up what listeners heard. */
class Tally {
  readonly #options: YearsOptions;
  readonly #players: readonly Player[];
  readonly #random: () => number;
  /** By year, then by player: without sound, in ms. */
  readonly #lostMs: Float64Array[];
  readonly #byCauseMs = new Map<string, number>();
  readonly #counts = { switches: 0, falseSwitches: 0, moves: 0, falseMoves: 0 };

  constructor(options: YearsOptions) {
    this.#options = options;
    this.#random = seeded(options.seed + 1);
    this.#players = castPlayers(options.playerCount, options.players, this.#random);
    this.#lostMs = Array.from(
      { length: Math.ceil(options.years) },
      () => new Float64Array(options.playerCount),
    );
  }

  take(episode: Episode, servers: readonly ServerName[]): void {
    for (const change of episode.changes) {
      if (change.what === 'switched') {
        this.#counts.switches += 1;
        if (change.isFalse) this.#counts.falseSwitches += 1;
      } else if (change.what === 'name') {
        this.#counts.moves += 1;
        if (change.isFalse) this.#counts.falseMoves += 1;
      }
    }
    const isHeardByNobody = episode.changes.every(
      (change) =>
        change.what === 'switched' ||
        (change.what === 'output' && ['sound', 'pause'].includes(change.output.is)),
    );
    if (isHeardByNobody) return;
    const scene = sceneOf(episode.changes, episode.fromMs, episode.toMs, servers);
    const year = Math.min(this.#lostMs.length - 1, Math.floor(episode.fromMs / YEAR_MS));
    for (const [index, player] of this.#players.entries()) {
      for (const outage of outagesOf(scene, player, this.#options.players, this.#random)) {
        const lostMs = outage.toMs - outage.fromMs;
        const lost = this.#lostMs[year];
        if (lost !== undefined) lost[index] = (lost[index] ?? 0) + lostMs;
        const cause = causeOf(outage, episode.faults);
        this.#byCauseMs.set(cause, (this.#byCauseMs.get(cause) ?? 0) + lostMs);
      }
    }
  }

  result(): Omit<KeeperYears, 'keeper' | 'episodes' | 'workedOut'> {
    const { years, playerCount, causes } = this.#options;
    const perYear = (count: number) => count / years;
    const shares = this.#lostMs.flatMap((lost) => [...lost].map((ms) => 1 - Math.min(1, ms / YEAR_MS)));
    const ofYears = this.#lostMs.map(
      (lost) => 1 - lost.reduce((sum, ms) => sum + ms, 0) / playerCount / YEAR_MS,
    );
    const worst = [...shares].sort((a, b) => a - b).slice(0, Math.max(1, Math.floor(shares.length / 20)));
    const minutes = (ms: number) => ms / playerCount / years / MINUTE_MS;
    const byCause = causes
      .map(({ id }) => [id, minutes(this.#byCauseMs.get(id) ?? 0)] as const)
      .sort(([, a], [, b]) => b - a);
    return {
      availability: {
        mean: mean(ofYears),
        standardError: ofYears.length < 2 ? Number.NaN : deviation(ofYears) / Math.sqrt(ofYears.length),
        worst5Percent: mean(worst),
      },
      outageMinutes: byCause.reduce((sum, [, one]) => sum + one, 0),
      outageMinutesByCause: Object.fromEntries(byCause),
      perYear: {
        switches: perYear(this.#counts.switches),
        falseSwitches: perYear(this.#counts.falseSwitches),
        moves: perYear(this.#counts.moves),
        falseMoves: perYear(this.#counts.falseMoves),
      },
    };
  }
}

/** What went wrong last before a listener lost the sound. */
function causeOf({ fromMs }: Span, faults: readonly PlannedFault[]): string {
  const begun = faults.filter((fault) => fault.fromMs <= fromMs);
  const lasting = begun.filter((fault) => fault.toMs >= fromMs - 60_000);
  return (lasting.at(-1) ?? begun.at(-1) ?? faults[0])?.cause.id ?? '';
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}
