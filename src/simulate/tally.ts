import type { ServerName } from '../domain/ids.ts';
import type { Episode } from './episodes.ts';
import { type PlannedFault, YEAR_MS } from './faults.ts';
import { castPlayers, outagesOf, type Player, sceneOf } from './players.ts';
import { seeded } from './station.ts';
import type { KeeperYears, YearsOptions } from './years.ts';

const MINUTE_MS = 60_000;

interface Counts {
  readonly switches: number;
  readonly moves: number;
}

/** How many switches and moves of the name there was no reason for, by what had gone wrong. */
interface FalseByCause {
  readonly switches: ReadonlyMap<string, number>;
  readonly moves: ReadonlyMap<string, number>;
}

/** What the episodes of one lane came to; plain, so that it can go from one thread to another. */
export interface LaneTally {
  /** Without sound, in ms, by player, for each year in which anything happened. */
  readonly lostMs: ReadonlyMap<number, Float64Array>;
  readonly byCauseMs: ReadonlyMap<string, number>;
  readonly counts: Counts;
  readonly falseByCause: FalseByCause;
  readonly episodes: number;
  readonly workedOut: number;
}

/** Adds up what listeners heard in the episodes of one lane. */
export class Tally {
  readonly #options: YearsOptions;
  readonly #players: readonly Player[];
  readonly #lostMs = new Map<number, Float64Array>();
  readonly #byCauseMs = new Map<string, number>();
  readonly #counts = { switches: 0, moves: 0 };
  readonly #falseByCause = { switches: new Map<string, number>(), moves: new Map<string, number>() };
  episodes = 0;

  constructor(options: YearsOptions) {
    this.#options = options;
    this.#players = castPlayers(options.playerCount, options.players, seeded(options.seed + 1));
  }

  /** `year`: in which the episode began. */
  take(episode: Episode, year: number, servers: readonly ServerName[], random: () => number): void {
    this.episodes += 1;
    for (const change of episode.changes) {
      if (change.what !== 'switched' && change.what !== 'name') continue;
      const kind = change.what === 'switched' ? 'switches' : 'moves';
      this.#counts[kind] += 1;
      if (change.isFalse) add(this.#falseByCause[kind], causeOf(change.atMs, episode.faults), 1);
    }
    const isHeardByNobody = episode.changes.every(
      (change) =>
        change.what === 'switched' ||
        (change.what === 'output' && ['sound', 'pause'].includes(change.output.is)),
    );
    if (isHeardByNobody) return;
    const scene = sceneOf(episode.changes, episode.fromMs, episode.toMs, servers);
    const lost = this.#lostIn(year);
    for (const [index, player] of this.#players.entries()) {
      for (const outage of outagesOf(scene, player, this.#options.players, random)) {
        const lostMs = outage.toMs - outage.fromMs;
        lost[index] = (lost[index] ?? 0) + lostMs;
        add(this.#byCauseMs, causeOf(outage.fromMs, episode.faults), lostMs);
      }
    }
  }

  result(workedOut: number): LaneTally {
    return {
      lostMs: this.#lostMs,
      byCauseMs: this.#byCauseMs,
      counts: this.#counts,
      falseByCause: this.#falseByCause,
      episodes: this.episodes,
      workedOut,
    };
  }

  #lostIn(year: number): Float64Array {
    const known = this.#lostMs.get(year);
    if (known !== undefined) return known;
    const lost = new Float64Array(this.#options.playerCount);
    this.#lostMs.set(year, lost);
    return lost;
  }
}

function add(sums: Map<string, number>, key: string, more: number): void {
  sums.set(key, (sums.get(key) ?? 0) + more);
}

/** What went wrong last before a listener lost the sound, or before something was done. */
function causeOf(atMs: number, faults: readonly PlannedFault[]): string {
  const begun = faults.filter((fault) => fault.fromMs <= atMs);
  const lasting = begun.filter((fault) => fault.toMs >= atMs - 60_000);
  return (lasting.at(-1) ?? begun.at(-1) ?? faults[0])?.cause.id ?? '';
}

/** All lanes together, in their order, so that the last digit is the same each time. */
export function summedUp(
  lanes: readonly LaneTally[],
  { years, playerCount, causes }: YearsOptions,
): Omit<KeeperYears, 'keeper'> {
  const lostMs = Array.from({ length: years }, () => new Float64Array(playerCount));
  for (const lane of lanes) {
    for (const [year, lost] of lane.lostMs) {
      const all = lostMs[year];
      for (const [player, ms] of lost.entries()) if (all !== undefined) all[player] = (all[player] ?? 0) + ms;
    }
  }
  const shares = lostMs.flatMap((lost) => [...lost].map((ms) => 1 - Math.min(1, ms / YEAR_MS)));
  const ofYears = lostMs.map((lost) => 1 - sum(lost) / playerCount / YEAR_MS);
  const worst = [...shares].sort((a, b) => a - b).slice(0, Math.max(1, Math.floor(shares.length / 20)));
  const minutes = (ms: number) => ms / playerCount / years / MINUTE_MS;
  const byCause = causes
    .map(({ id }) => [id, minutes(sum(lanes.map(({ byCauseMs }) => byCauseMs.get(id) ?? 0)))] as const)
    .sort(([, a], [, b]) => b - a);
  const perYear = (count: keyof Counts) => sum(lanes.map(({ counts }) => counts[count])) / years;
  const falseOnes = (kind: keyof FalseByCause) =>
    causes
      .map(
        ({ id }) =>
          [id, sum(lanes.map(({ falseByCause }) => falseByCause[kind].get(id) ?? 0)) / years] as const,
      )
      .filter(([, one]) => one > 0)
      .sort(([, a], [, b]) => b - a);
  const total = (byCause: readonly (readonly [string, number])[]) => sum(byCause.map(([, one]) => one));
  const falseSwitches = falseOnes('switches');
  const falseMoves = falseOnes('moves');
  return {
    availability: {
      mean: mean(ofYears),
      standardError: ofYears.length < 2 ? Number.NaN : deviation(ofYears) / Math.sqrt(ofYears.length),
      worst5Percent: mean(worst),
    },
    outageMinutes: total(byCause),
    outageMinutesByCause: Object.fromEntries(byCause),
    perYear: {
      switches: perYear('switches'),
      falseSwitches: total(falseSwitches),
      moves: perYear('moves'),
      falseMoves: total(falseMoves),
      falseSwitchesByCause: Object.fromEntries(falseSwitches),
      falseMovesByCause: Object.fromEntries(falseMoves),
    },
    episodes: sum(lanes.map(({ episodes }) => episodes)),
    workedOut: sum(lanes.map(({ workedOut }) => workedOut)),
  };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

const mean = (values: readonly number[]) => sum(values) / values.length;

function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(sum(values.map((value) => (value - middle) ** 2)) / (values.length - 1));
}
