import { requiredLegHealthMs } from '../decide/relapse.ts';
import type { StationState } from '../decide/state.ts';
import type { RelayTrigger } from '../domain/events.ts';
import type { Leg, LegId, ServerName } from '../domain/ids.ts';
import type { Input } from '../domain/inputs.ts';
import type { StationPolicy } from '../domain/policy.ts';
import type { Output } from './parts.ts';

const VERIFIED_WITHIN_MS = 5_000;
/** What has been played longer ago than this is forgotten. */
const KEPT_MS = 120_000;
/** The tempo makes up 0.4 % for a delay that is too short. Whole numbers, so that steps of any length add up to the same. */
const REGAINED_US_PER_MS = 4;

interface Stretch<Value> {
  readonly fromMs: number;
  readonly value: Value;
}

/** Whose relay it is: what it knows of the legs, and who is told what is on air. */
export interface LineAgent {
  readonly policy: StationPolicy;
  readonly state: StationState;
  feed(input: Input): void;
}

export interface RelaySwitch {
  readonly from: LegId | null;
  readonly to: LegId | null;
  readonly trigger: RelayTrigger;
}

/**
 * The relay of one agent, as far as it matters who is heard: what goes out is what a leg carried a while ago, and a leg
 * that is found faulty is left where its fault began, as long as that has not gone out. A stall is played on through:
 * what comes after it follows on what came before, and only when nothing has come by then is the leg left.
 */
export class RelayLine {
  readonly #agent: LineAgent;
  readonly #delayMs: number;
  readonly #heardOn: (server: ServerName, source: string) => Output;
  readonly #carried = new Map<LegId, Stretch<Output>[]>();
  #plan: Stretch<Leg | null>[] = [];
  #lastSwitchMs = Number.NEGATIVE_INFINITY;
  #lastStepMs: number | null = null;
  /** By how much playout is nearer to the live edge than it should be, as a stall was played on through. */
  #missingUs = 0;
  /** Until when the leg on air was last proven to sound. */
  #provenToMs = Number.POSITIVE_INFINITY;
  readonly #order: readonly Leg[];

  constructor(agent: LineAgent, delayMs: number, heardOn: (server: ServerName, source: string) => Output) {
    this.#agent = agent;
    this.#delayMs = delayMs;
    this.#heardOn = heardOn;
    const { policy } = agent;
    const own = (leg: Leg) => (leg.server === policy.self ? 0 : 1);
    this.#order = policy.sources.flatMap((source) =>
      policy.legs.filter((leg) => leg.source === source).sort((a, b) => own(a) - own(b)),
    );
  }

  /** One step: what the legs carry now, a choice, and null or what was switched. */
  advance(nowMs: number): RelaySwitch | null {
    for (const leg of this.#order) this.#note(leg, nowMs);
    this.#regain(nowMs - (this.#lastStepMs ?? nowMs));
    this.#lastStepMs = nowMs;
    this.#playThroughStall(nowMs);
    const current = this.onAir;
    const heard = current === null ? null : this.#condition(this.#agent.state, current);
    if (heard?.is === 'audible') this.#provenToMs = heard.verifiedAtMs;
    const wanted = this.#choose(this.#agent.state, current, nowMs);
    if (wanted === undefined) return null;
    const atMs = this.#leaveAtMs(current, nowMs);
    this.#plan = [...this.#plan.filter(({ fromMs }) => fromMs < atMs), { fromMs: atMs, value: wanted.leg }];
    this.#lastSwitchMs = nowMs;
    const to = wanted.leg?.id ?? null;
    const from = current?.id ?? null;
    this.#agent.feed({ kind: 'on-air', atMs: nowMs, from, leg: to, trigger: wanted.trigger });
    return { from, to, trigger: wanted.trigger };
  }

  /** What goes out now: null as long as nothing has been chosen, when Icecast's own fallback carries on. */
  output(nowMs: number): Output | null {
    const position = this.#positionMs(nowMs);
    const planned = this.#plan.findLast(({ fromMs }) => fromMs <= position);
    if (planned === undefined) return null;
    if (planned.value === null) return { is: 'silent', source: null };
    const carried = this.#carried.get(planned.value.id)?.findLast(({ fromMs }) => fromMs <= position);
    const is = carried?.value.is ?? 'silent';
    // What does not come is played as a noise floor, and never as nothing.
    return is === 'sound' || is === 'pause' ? (carried?.value ?? null) : { is: 'silent', source: null };
  }

  /** Whether it would stay with what is on air, were this the state of its agent, and its last switch so much longer ago. */
  isIdle(state: StationState, nowMs: number, byMs: number): boolean {
    return this.#choose(state, this.onAir, nowMs, byMs) === undefined;
  }

  /** So much time passed in which nothing happened. */
  age(byMs: number): void {
    this.#lastSwitchMs -= byMs;
    this.#regain(byMs);
  }

  #positionMs(nowMs: number): number {
    return nowMs - this.#delayMs + this.#missingUs / 1_000;
  }

  #regain(passedMs: number): void {
    this.#missingUs = Math.max(0, this.#missingUs - REGAINED_US_PER_MS * passedMs);
  }

  /** Where nothing came for a while, what came next follows at once, if it is here already. */
  #playThroughStall(nowMs: number): void {
    const positionMs = this.#positionMs(nowMs);
    const playing = this.#plan.findLast(({ fromMs }) => fromMs <= positionMs)?.value ?? null;
    const carried = playing === null ? [] : (this.#carried.get(playing.id) ?? []);
    const at = carried.findLastIndex(({ fromMs }) => fromMs <= positionMs);
    const next = carried[at + 1];
    if (carried[at]?.value.is !== 'stalled' || next === undefined || next.value.is === 'refuses') return;
    this.#missingUs += Math.round((next.fromMs - positionMs) * 1_000);
  }

  /** The leg that is played when what has been planned is due; null: none. */
  get onAir(): Leg | null {
    return this.#plan.at(-1)?.value ?? null;
  }

  #note(leg: Leg, nowMs: number): void {
    const value = this.#heardOn(leg.server, leg.source);
    const kept = this.#carried.get(leg.id) ?? [];
    const last = kept.at(-1);
    if (last?.value.is === value.is && last.value.source === value.source) return;
    const fresh = kept.filter((_, index) => (kept[index + 1]?.fromMs ?? nowMs) > nowMs - KEPT_MS);
    // What comes first brings its burst, and so goes further back than to now.
    const fromMs = last === undefined ? Number.NEGATIVE_INFINITY : nowMs;
    this.#carried.set(leg.id, [...fresh, { fromMs, value }]);
  }

  #condition(state: StationState, leg: Leg) {
    return state.legs.get(leg.id)?.condition ?? { is: 'unknown' as const, sinceMs: 0 };
  }

  #isGood(state: StationState, leg: Leg, nowMs: number): boolean {
    const condition = this.#condition(state, leg);
    return condition.is === 'audible' && nowMs - condition.verifiedAtMs <= VERIFIED_WITHIN_MS;
  }

  #choose(
    state: StationState,
    current: Leg | null,
    nowMs: number,
    sinceSwitchMs = 0,
  ): { readonly leg: Leg | null; readonly trigger: RelayTrigger } | undefined {
    const hasBegun = this.#plan.length > 0;
    if (current === null) {
      // What is joined has to reach back to the position that is played.
      const leg = this.#order.find(
        (one) =>
          this.#isGood(state, one, nowMs) && this.#condition(state, one).sinceMs <= this.#positionMs(nowMs),
      );
      return leg === undefined ? undefined : { leg, trigger: hasBegun ? 'return' : 'start' };
    }
    const condition = this.#condition(state, current);
    if (condition.is === 'faulty') {
      if (condition.fault === 'stalled' && this.#positionMs(nowMs) < condition.sinceMs) return undefined;
      const good = this.#order.filter((leg) => leg !== current && this.#isGood(state, leg, nowMs));
      const leg = good.find((one) => this.#isRestored(state, one, nowMs)) ?? good[0] ?? null;
      return { leg, trigger: 'fault' };
    }
    if (nowMs - this.#lastSwitchMs + sinceSwitchMs < this.#agent.policy.dwellMs) return undefined;
    for (const leg of this.#order) {
      if (leg === current) return undefined;
      const reachesBack = this.#condition(state, leg).sinceMs <= this.#positionMs(nowMs);
      if (reachesBack && this.#isGood(state, leg, nowMs) && this.#isRestored(state, leg, nowMs))
        return { leg, trigger: 'return' };
    }
    return undefined;
  }

  #isRestored(state: StationState, leg: Leg, nowMs: number): boolean {
    const { policy } = this.#agent;
    return nowMs - this.#condition(state, leg).sinceMs >= requiredLegHealthMs(state, leg.id, nowMs, policy);
  }

  /** The position where the leg on air is left: where its fault began, or what is played next. */
  #leaveAtMs(current: Leg | null, nowMs: number): number {
    const nextMs = this.#positionMs(nowMs);
    const condition = current === null ? null : this.#condition(this.#agent.state, current);
    if (condition?.is !== 'faulty') return nextMs;
    // A mount that is gone is missed later than its last proven sound.
    return Math.max(nextMs, Math.min(condition.sinceMs, this.#provenToMs));
  }
}
