import type { FailoverPolicy } from '../domain/failover.ts';
import type { ServerName } from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { clustersOf, Episodes } from './episodes.ts';
import { type Cause, type PlannedFault, planFaults, YEAR_MS } from './faults.ts';
import type { PlayerModel } from './players.ts';
import { DUBLIN, LONDON, SERVERS, seeded } from './station.ts';
import type { Keeper } from './station-world.ts';
import { type LaneTally, summedUp, Tally } from './tally.ts';

/** Everything that a simulation of years rests on. Plain, so that it can go from one thread to another. */
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
  /**
   * Per year: source switches on both servers together, moves of the name, and those of them for which there was no
   * reason, which are told by what had gone wrong too.
   */
  readonly perYear: {
    readonly switches: number;
    readonly falseSwitches: number;
    readonly moves: number;
    readonly falseMoves: number;
    readonly falseSwitchesByCause: Readonly<Record<string, number>>;
    readonly falseMovesByCause: Readonly<Record<string, number>>;
  };
  readonly episodes: number;
  readonly workedOut: number;
}

/** So many years are planned at a time, each time by a chance of their own. */
const BATCH_YEARS = 10;
/** Episodes are dealt out to so many lanes, which share nothing: what comes out hangs on the seed, and not on how many processors work. */
export const LANES = 8;

/** Runs one keeper through all years in this thread; `done` tells how far it is, from 0 to 1. Null when it was interrupted. */
export async function simulateYears(
  keeper: Keeper,
  options: YearsOptions,
  done: (share: number) => void = () => {},
  interrupted: AbortSignal | null = null,
): Promise<KeeperYears | null> {
  const tallies: LaneTally[] = [];
  for (let lane = 0; lane < LANES; lane += 1) {
    const tally = await simulateLane(
      keeper,
      options,
      lane,
      (share) => done((lane + share) / LANES),
      interrupted,
    );
    if (tally === null) return null;
    tallies.push(tally);
  }
  return { keeper, ...summedUp(tallies, options) };
}

/** Works out one keeper's episodes of one lane, in all of the years. */
export async function simulateLane(
  keeper: Keeper,
  options: YearsOptions,
  lane: number,
  done: (share: number) => void,
  interrupted: AbortSignal | null = null,
): Promise<LaneTally | null> {
  const { years, seed } = options;
  const tally = new Tally(options);
  const episodes = new Episodes({ ...options, keeper, skips: true }, options.remembers);
  const servers = keeper.is === 'one-server' ? [LONDON] : SERVERS;
  const dealer = new Dealer(episodes);
  for (let batch = 0; batch * BATCH_YEARS < years; batch += 1) {
    const planned = plannedIn(batch, options).filter(
      ({ fault }) => servers.length > 1 || !concerns(fault, DUBLIN),
    );
    for (const cluster of clustersOf(planned)) {
      const { number, isFor } = dealer.deal(cluster);
      if (isFor !== lane) continue;
      const beganMs = cluster[0]?.fromMs ?? 0;
      const year = Math.min(years - 1, Math.floor(beganMs / YEAR_MS));
      tally.take(episodes.play(cluster), year, servers, chanceOf(seed, number, 'players'));
      if (tally.episodes % 20 !== 0) continue;
      done(Math.min(1, beganMs / YEAR_MS / years));
      await new Promise((resolve) => setImmediate(resolve));
      if (interrupted?.aborted === true) return null;
    }
    if (interrupted?.aborted === true) return null;
  }
  done(1);
  return tally.result(episodes.worked);
}

/** Deals episodes out: those that begin alike to the same lane, so that what is known of one serves all of them. */
class Dealer {
  readonly #episodes: Episodes;
  readonly #laneOf = new Map<string, number>();
  #dealt = 0;

  constructor(episodes: Episodes) {
    this.#episodes = episodes;
  }

  deal(cluster: readonly PlannedFault[]): { readonly number: number; readonly isFor: number } {
    const number = this.#dealt;
    this.#dealt += 1;
    const [first, ...others] = cluster;
    if (first === undefined || others.length > 0) return { number, isFor: number % LANES };
    const onset = this.#episodes.onsetOf(first);
    const isFor = this.#laneOf.get(onset) ?? this.#laneOf.size % LANES;
    this.#laneOf.set(onset, isFor);
    return { number, isFor };
  }
}

function plannedIn(batch: number, { causes, years, seed }: YearsOptions): PlannedFault[] {
  const firstYear = batch * BATCH_YEARS;
  const beginMs = turn(firstYear * YEAR_MS);
  const planned = planFaults(
    causes,
    Math.min(BATCH_YEARS, years - firstYear),
    chanceOf(seed, batch, 'faults'),
  );
  return planned.map((one) => ({ ...one, fromMs: one.fromMs + beginMs, toMs: one.toMs + beginMs }));
}

/** Years begin in the same phase of everything that recurs. */
const turn = (ms: number) => Math.round(ms / 70_000) * 70_000;

/** Each batch of faults and each episode has a chance of its own, whoever works it out. */
function chanceOf(seed: number, number: number, use: 'faults' | 'players'): () => number {
  return seeded(seed + Math.imul(number + 1, 0x9e3779b1) + (use === 'faults' ? 0 : 0x7f4a7c15));
}

function concerns(fault: PlannedFault['fault'], server: ServerName): boolean {
  if (fault.what === 'link') return true;
  if ('server' in fault) return fault.server === server;
  return fault.what === 'source' && fault.on === server;
}
