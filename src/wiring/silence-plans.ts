import type { StationConfig } from '../config/index.ts';
import { nextWindow, windowInForce } from '../decide/planned-silence.ts';
import type { StationName } from '../domain/ids.ts';
import type { Input } from '../domain/inputs.ts';
import {
  type PlannedSilence,
  type PlannedSilenceView,
  type PlanRequest,
  plannedDayText,
  type SilenceWindow,
  timeOfDayText,
} from '../domain/planned-silence.ts';
import type { AgentEvent } from '../domain/record.ts';
import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import type { MemoryFile } from './memory-file.ts';
import type { SharedSilence } from './shared-silences.ts';

const LOOK_EVERY_MS = 250;
/** A wall clock that differs by more from what it showed was put. */
const CLOCK_PUT_MS = 1_000;
/** What is over is kept for so long: by a clock that is put back it is still to come. */
const OVER_KEPT_MS = 24 * 3_600_000;
const MOST_PLANS = 200;

type SilenceEvent = AgentEvent & { readonly kind: 'planned-silence' };

export interface SilencePlansOptions {
  readonly stations: readonly StationConfig[];
  readonly file: MemoryFile<readonly PlannedSilence[]>;
  readonly clock: Clock;
  readonly random: Random;
  readonly input: (station: StationName, input: Input) => void;
  readonly event: (station: StationName, event: SilenceEvent) => void;
  /** What operators planned on other agents. */
  readonly shared: () => readonly SharedSilence[];
}

export type PlanOutcome =
  | { readonly ok: true; readonly planned: PlannedSilenceView }
  | { readonly ok: false; readonly is: 'no-station' | 'not-planned' | 'in-config' | 'over' | 'too-many' };

/** Every silence that is planned, by the config and by operators; tells the decision when one begins and ends. */
export class SilencePlans {
  readonly #options: SilencePlansOptions;
  #fromConfig: readonly PlannedSilence[] = [];
  #zones: ReadonlyMap<StationName, string> = new Map();
  readonly #inForce = new Map<StationName, SilenceWindow>();
  /** The next window of each plan, as it is asked for four times a second; worked out anew when it is over, and by another clock. */
  #next = new WeakMap<PlannedSilence, SilenceWindow | null>();
  /** How far the wall clock is ahead of the monotonic one. */
  #wallLeadMs: number | null = null;
  readonly #overSinceMs = new WeakMap<PlannedSilence, number>();
  #cancel: () => void = () => {};
  #planned: readonly PlannedSilence[] = [];

  constructor(options: SilencePlansOptions) {
    this.#options = options;
    this.#take(options.stations);
  }

  /** What stands in the config from now on. */
  reload(stations: readonly StationConfig[]): void {
    this.#take(stations);
    this.#look();
  }

  #take(stations: readonly StationConfig[]): void {
    const machine = Intl.DateTimeFormat().resolvedOptions().timeZone;
    this.#zones = new Map(stations.map(({ name, timeZone }) => [name, timeZone ?? machine]));
    this.#fromConfig = stations.flatMap(({ name, plannedSilence }) =>
      plannedSilence.map((plan, index) => ({
        ...plan,
        id: `config-${index + 1}`,
        station: name,
        timeZone: this.timeZoneOf(name),
        author: null,
      })),
    );
  }

  /** With what operators had planned before. */
  async begin(): Promise<void> {
    this.#planned = [...(await this.#options.file.load()), ...this.#planned];
    this.#cancel = this.#options.clock.every(LOOK_EVERY_MS, () => this.#look());
    this.#look();
  }

  /** Null when there is no such station. */
  list(station: StationName): readonly PlannedSilenceView[] | null {
    if (!this.#zones.has(station)) return null;
    const own = this.#of(station).map((plan) => this.#view(plan));
    return [
      ...own.filter(({ from, next }) => from === 'config' || next !== null),
      ...this.#sharedViews(station),
    ];
  }

  /** Without one in the config that of this machine. */
  timeZoneOf(station: StationName): string {
    return this.#zones.get(station) ?? 'UTC';
  }

  /** The next of each that operators planned here, for the other agents. */
  get ownWindows(): readonly { readonly station: StationName; readonly window: SilenceWindow }[] {
    const nowUnixMs = this.#unixMs();
    return this.#planned.flatMap((plan) => {
      const window = this.#nextOf(plan, nowUnixMs);
      return window === null ? [] : [{ station: plan.station, window }];
    });
  }

  plan(station: StationName, request: PlanRequest): PlanOutcome {
    if (!this.#zones.has(station)) return { ok: false, is: 'no-station' };
    const nowUnixMs = this.#unixMs();
    const lasting = this.#planned.filter((plan) => this.#nextOf(plan, nowUnixMs) !== null);
    if (lasting.length >= MOST_PLANS) return { ok: false, is: 'too-many' };
    const { timeZone, ...asked } = request;
    const id = this.#options.random.token(8);
    const plan = { ...asked, id, station, timeZone: timeZone ?? this.timeZoneOf(station) };
    if (nextWindow(plan, nowUnixMs) === null) return { ok: false, is: 'over' };
    this.#keep([...this.#planned, plan]);
    this.#tell(station, 'planned', wordsOf(plan), request.author);
    this.#look();
    return { ok: true, planned: this.#view(plan) };
  }

  cancel(station: StationName, id: string, author: string): PlanOutcome {
    const plan = this.#of(station).find((one) => one.id === id);
    if (plan === undefined) return { ok: false, is: 'not-planned' };
    if (plan.author === null) return { ok: false, is: 'in-config' };
    const planned = this.#view(plan);
    this.#keep(this.#planned.filter((one) => one !== plan));
    this.#tell(station, 'cancelled', wordsOf(plan), author);
    this.#look();
    return { ok: true, planned };
  }

  stop(): void {
    this.#cancel();
  }

  #of(station: StationName): readonly PlannedSilence[] {
    return [...this.#fromConfig, ...this.#planned].filter((plan) => plan.station === station);
  }

  #look(): void {
    const nowUnixMs = this.#unixMs();
    const nowMs = this.#options.clock.nowMs();
    const isClockPut = this.#isClockPut(nowUnixMs - nowMs);
    const shared = this.#options.shared();
    for (const station of this.#zones.keys()) {
      const windows = [
        ...this.#of(station).flatMap((plan) => this.#nextOf(plan, nowUnixMs) ?? []),
        ...shared.flatMap((one) => (one.station === station ? [one.window] : [])),
      ];
      this.#set(station, windowInForce(windows, nowUnixMs), nowUnixMs, isClockPut);
    }
    const lasting = this.#planned.filter((plan) => !this.#isLongOver(plan, nowUnixMs, nowMs));
    if (lasting.length < this.#planned.length) this.#keep(lasting);
  }

  /** Then every window is worked out anew. */
  #isClockPut(wallLeadMs: number): boolean {
    const before = this.#wallLeadMs ?? wallLeadMs;
    const isPut = Math.abs(wallLeadMs - before) > CLOCK_PUT_MS;
    if (isPut) this.#next = new WeakMap();
    if (isPut || this.#wallLeadMs === null) this.#wallLeadMs = wallLeadMs;
    return isPut;
  }

  #isLongOver(plan: PlannedSilence, nowUnixMs: number, nowMs: number): boolean {
    if (this.#nextOf(plan, nowUnixMs) !== null) {
      this.#overSinceMs.delete(plan);
      return false;
    }
    const sinceMs = this.#overSinceMs.get(plan) ?? nowMs;
    this.#overSinceMs.set(plan, sinceMs);
    return nowMs - sinceMs >= OVER_KEPT_MS;
  }

  #set(station: StationName, window: SilenceWindow | null, nowUnixMs: number, isClockPut: boolean): void {
    const before = this.#inForce.get(station) ?? null;
    const isSame = before?.fromUnixMs === window?.fromUnixMs && before?.untilUnixMs === window?.untilUnixMs;
    // What goes on by another clock goes on to another moment.
    if (isSame && (window === null || !isClockPut)) return;
    const { clock, input } = this.#options;
    const atMs = clock.nowMs();
    const { fromUnixMs, untilUnixMs, says } = window ?? { fromUnixMs: 0, untilUnixMs: 0, says: '' };
    const over = before ?? { fromUnixMs: nowUnixMs, untilUnixMs: nowUnixMs, says: '' };
    input(station, {
      kind: 'planned-silence',
      atMs,
      // What is over keeps its beginning: levels that were heard in it may still be proven.
      fromMs: atMs + (window === null ? over.fromUnixMs : fromUnixMs) - nowUnixMs,
      untilMs: window === null ? atMs : atMs + untilUnixMs - nowUnixMs,
      says: window === null ? over.says : says,
    });
    if (window === null) this.#inForce.delete(station);
    else this.#inForce.set(station, window);
    if (before === null) this.#tell(station, 'begun', says);
    if (window === null) this.#tell(station, 'over', over.says);
  }

  #nextOf(plan: PlannedSilence, nowUnixMs: number): SilenceWindow | null {
    const known = this.#next.get(plan);
    const isLasting = known === null || (known !== undefined && windowInForce([known], nowUnixMs) !== null);
    if (known !== undefined && (isLasting || nowUnixMs < (known?.fromUnixMs ?? 0))) return known;
    const next = nextWindow(plan, nowUnixMs);
    this.#next.set(plan, next);
    return next;
  }

  #view(plan: PlannedSilence): PlannedSilenceView {
    const { id, day, atSeconds, lengthMs, timeZone, says, author } = plan;
    const nowUnixMs = this.#unixMs();
    const next = nextWindow(plan, nowUnixMs);
    const iso = (unixMs: number) => new Date(unixMs).toISOString();
    return {
      id,
      day: plannedDayText(day),
      at: timeOfDayText(atSeconds),
      forMs: lengthMs,
      timeZone,
      says,
      author,
      from: author === null ? 'config' : 'operator',
      inForce: next !== null && windowInForce([next], nowUnixMs) !== null,
      next: next === null ? null : { from: iso(next.fromUnixMs), until: iso(next.untilUnixMs) },
    };
  }

  #sharedViews(station: StationName): PlannedSilenceView[] {
    const nowUnixMs = this.#unixMs();
    return this.#options.shared().flatMap(({ agent, window, ...shared }): PlannedSilenceView[] => {
      if (shared.station !== station || nowUnixMs >= window.untilUnixMs) return [];
      const from = new Date(window.fromUnixMs).toISOString();
      const until = new Date(window.untilUnixMs).toISOString();
      return [
        {
          id: `${agent}-${window.fromUnixMs.toString(36)}`,
          day: from.slice(0, 10),
          at: from.slice(11, 19),
          forMs: window.untilUnixMs - window.fromUnixMs,
          timeZone: 'UTC',
          says: window.says,
          author: null,
          from: 'colleague',
          inForce: windowInForce([window], nowUnixMs) !== null,
          next: { from, until },
        },
      ];
    });
  }

  #keep(planned: readonly PlannedSilence[]): void {
    this.#planned = planned;
    void this.#options.file.save(planned);
  }

  #tell(station: StationName, is: SilenceEvent['is'], detail: string, author?: string): void {
    const atMs = this.#options.clock.nowMs();
    const by = author === undefined ? {} : { author };
    this.#options.event(station, { kind: 'planned-silence', atMs, is, detail, ...by });
  }

  #unixMs(): number {
    return this.#options.clock.wallTime().getTime();
  }
}

function wordsOf({ day, atSeconds, lengthMs, says }: PlannedSilence): string {
  const what = says === '' ? '' : ` (${says})`;
  return `${lengthMs / 1000} s at ${timeOfDayText(atSeconds)}, ${plannedDayText(day)}${what}`;
}
