import { type StationEvent, SWITCHES } from '../domain/events.ts';
import type { StationFigures } from '../domain/figures.ts';
import type { LegId } from '../domain/ids.ts';
import { channelName } from '../domain/levels.ts';
import type { EventView, LoudnessView } from '../domain/view.ts';
import type { LoudnessQuery, LoudnessSteps } from '../history/levels.ts';
import type { Clock } from '../platform/clock.ts';
import type { Relay } from '../relay/relay.ts';
import type { Station } from '../station.ts';
import { DeadAir } from './dead-air.ts';
import type { LiveLevels } from './live-levels.ts';
import { LoudnessRing, type LoudnessSample } from './loudness-ring.ts';

const COUNT_EVERY_MS = 1_000;
/** Each second `count` looks; every second time the loudness is kept. */
const STEP_MS = 2 * COUNT_EVERY_MS;
const KEPT_MS = 6 * 3_600_000;
const SWITCHES_KEPT = 500;

/** What is remembered of one station for people: loudness of the last hours, switches, and what is counted. */
export class StationRecords {
  readonly #station: Station;
  readonly #levels: LiveLevels;
  readonly #clock: Clock;
  readonly #deadAir: DeadAir;
  readonly #ring: LoudnessRing;
  readonly #switches: EventView[] = [];
  readonly #switchCounts = new Map<string, StationFigures['switches'][number]>();
  readonly #decoderRestarts = new Map<LegId, number>();
  #counts = 0;
  #newestAt: Date;

  constructor(station: Station, levels: LiveLevels, clock: Clock) {
    this.#station = station;
    this.#levels = levels;
    this.#clock = clock;
    this.#newestAt = clock.wallTime();
    this.#deadAir = new DeadAir(station, clock.nowMs());
    const channels = levels.channels.map((channel) => ({
      channel: channelName(channel),
      kind: channel.kind,
    }));
    this.#ring = new LoudnessRing(channels, KEPT_MS / STEP_MS);
  }

  /** Starts counting; returns what ends it. */
  start(relay: () => Relay | null): () => void {
    return this.#clock.every(COUNT_EVERY_MS, () => {
      this.#deadAir.count(relay()?.view ?? null, this.#clock.nowMs());
      this.#counts += 1;
      if (this.#counts % 2 === 1) return;
      this.#newestAt = this.#clock.wallTime();
      this.#ring.push(this.#levels.figures());
    });
  }

  noteEvent(event: StationEvent): void {
    if (!isSwitch(event)) return;
    this.#switches.push({ time: this.#clock.wallTime().toISOString(), event });
    if (this.#switches.length > SWITCHES_KEPT) this.#switches.shift();
    // The agent that made it counts it.
    if (event.kind === 'heard-on-air') return;
    if (event.kind === 'relay-switched' && event.trigger === 'start') return;
    const server = event.kind === 'switched' ? event.server : this.#station.policy.self;
    const key = `${server} ${event.trigger}`;
    const count = (this.#switchCounts.get(key)?.count ?? 0) + 1;
    this.#switchCounts.set(key, { server, trigger: event.trigger, count });
  }

  /** What is asked of the history for `recall`: how the legs were up to the first sample of our own. */
  get wanted(): { readonly legs: readonly LegId[] } & Omit<LoudnessQuery, 'leg'> {
    const ownMs = this.#ring.length * STEP_MS;
    return {
      legs: this.#station.policy.legs.map(({ id }) => id),
      toUnixMs: this.#newestAt.getTime() - ownMs,
      stepMs: STEP_MS,
      steps: KEPT_MS / STEP_MS,
    };
  }

  /** What was before this agent started; the public mounts are not in the history, and so not known. */
  recall(legs: ReadonlyMap<LegId, LoudnessSteps>, switches: readonly EventView[]): void {
    this.#switches.unshift(...switches);
    const steps = [...legs.values()].map(({ conditions }) => conditions.length).concat(0);
    const older = Array.from({ length: Math.max(...steps) }, (_, step) =>
      this.#levels.channels.map((channel) =>
        sampleOf(channel.kind === 'leg' ? legs.get(channel.leg) : undefined, step),
      ),
    );
    const first = older.findIndex((samples) => samples.some((sample) => sample !== NOTHING));
    if (first !== -1) this.#ring.precede(older.slice(first));
  }

  noteDecoderRestart(leg: LegId): void {
    this.#decoderRestarts.set(leg, (this.#decoderRestarts.get(leg) ?? 0) + 1);
  }

  get figures(): StationFigures {
    return {
      station: this.#station.policy.station,
      servers: this.#deadAir.totals,
      switches: [...this.#switchCounts.values()],
      decoderRestarts: this.#station.policy.legs.map(({ id }) => ({
        leg: id,
        count: this.#decoderRestarts.get(id) ?? 0,
      })),
    };
  }

  /** The last hours in at most `points` points. */
  loudness(lastMs: number, points: number): LoudnessView {
    const length = Math.min(this.#ring.length, Math.ceil(lastMs / STEP_MS));
    const perPoint = Math.max(1, Math.ceil(length / points));
    const count = Math.ceil(length / perPoint);
    const stepMs = perPoint * STEP_MS;
    const fromMs = this.#newestAt.getTime() - Math.max(0, count - 1) * stepMs;
    return {
      station: this.#station.policy.station,
      from: new Date(fromMs).toISOString(),
      stepMs,
      series: this.#ring.series(length, perPoint),
      switches: this.#switches.filter(({ time }) => Date.parse(time) >= fromMs - stepMs),
    };
  }
}

const NOTHING: LoudnessSample = { shortTermLufs: Number.NaN, condition: 'unknown' };

function sampleOf(leg: LoudnessSteps | undefined, step: number): LoudnessSample {
  const condition = leg?.conditions[step] ?? null;
  return condition === null ? NOTHING : { shortTermLufs: leg?.lufs[step] ?? Number.NaN, condition };
}

function isSwitch(event: StationEvent): event is Extract<StationEvent, { kind: (typeof SWITCHES)[number] }> {
  return (SWITCHES as readonly string[]).includes(event.kind);
}
