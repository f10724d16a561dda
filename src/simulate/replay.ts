import { newState, type StationState } from '../decide/state.ts';
import { step } from '../decide/step.ts';
import type { LegFault } from '../domain/conditions.ts';
import type { RelayTrigger, StationEvent, SwitchTrigger } from '../domain/events.ts';
import type { MountView } from '../domain/icecast.ts';
import { type LegId, type MonitorId, monitorId, type ServerName } from '../domain/ids.ts';
import type { Input } from '../domain/inputs.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { PROGRAMME_FAULTS, type ProgrammeFault } from '../domain/readings.ts';
import { readingOf } from './guard-agent.ts';
import {
  isAt,
  NOT_HEARD_DBFS,
  NOTHING_ELSE,
  type PastEvents,
  type PastFault,
  type PastSecond,
} from './past.ts';
import { ReplayRelay } from './replay-relay.ts';

/** A leg that would have been called faulty. */
export interface Trip {
  readonly leg: LegId;
  readonly fault: LegFault;
  /** When the fault began. */
  readonly fromUnixMs: number;
  /** When the leg was good again; null: it lasted to the end. */
  readonly untilUnixMs: number | null;
}

export interface PastSwitch {
  readonly unixMs: number;
  /** Where: in guard mode each server that the agent looks after, in relay mode its own public mounts. */
  readonly server: ServerName;
  /** Sources in guard mode, legs in relay mode; null: nothing but the emergency file or the noise floor. */
  readonly from: string | null;
  readonly to: string | null;
  readonly trigger: SwitchTrigger | RelayTrigger;
  readonly because: string;
}

export interface Replayed {
  readonly trips: readonly Trip[];
  readonly switches: readonly PastSwitch[];
  /** Relay mode: silences of 3 s and more that would have been played; null in guard mode. */
  readonly playedSilenceMs: number | null;
}

export interface ReplayOptions {
  /** Beside the levels. */
  readonly events?: PastEvents;
  /** In relay mode: how far behind the live sound it plays. Left out: guard mode. */
  readonly relayDelayMs?: number;
}

const SECOND_MS = 1_000;
/** With so much sound in each second nothing can trip. */
const SURE_MS = 600;
/** As long as the decision needs from its start to know every leg. */
const WARM_UP_S = 10;
/** A log without a second for this long was not written: the agent was off. */
const GAP_MS = 5_000;

/**
 * What a station would have done with other settings: the past through the very decision that runs in the agent. Stretches in
 * which every leg sounded all the time are passed over, as nothing can happen in them; a hold-down of relapses before such a
 * stretch is forgotten.
 */
export function replay(
  policy: StationPolicy,
  seconds: Iterable<PastSecond>,
  options: ReplayOptions = {},
): Replayed {
  const mode = options.relayDelayMs === undefined ? 'guard' : 'relay';
  const run = new ReplayRun({ ...policy, mode }, options);
  for (const second of seconds) run.take(second);
  return run.end();
}

class ReplayRun {
  readonly #policy: StationPolicy;
  readonly #events: PastEvents;
  readonly #relayDelayMs: number | null;
  readonly #calmAfterS: number;
  readonly #warmUpS: number;
  readonly #monitors: ReadonlyMap<LegId, MonitorId>;
  readonly #open = new Map<LegId, Trip>();
  readonly #trips: Trip[] = [];
  readonly #switches: PastSwitch[] = [];
  #state: StationState | null = null;
  #relay: ReplayRelay | null = null;
  #playedSilenceMs = 0;
  #sureS = 0;
  /** Nothing can happen now, and the seconds are only counted. */
  #isPassing = false;
  #lastUnixMs: number | null = null;

  constructor(policy: StationPolicy, { events = NOTHING_ELSE, relayDelayMs }: ReplayOptions) {
    this.#policy = policy;
    this.#events = events;
    this.#relayDelayMs = relayDelayMs ?? null;
    const { silence, dwellMs, flap } = policy;
    this.#warmUpS = WARM_UP_S + Math.ceil((relayDelayMs ?? 0) / SECOND_MS);
    this.#calmAfterS = Math.ceil((silence.restoreMs + dwellMs + flap.holdDownMs) / SECOND_MS) + this.#warmUpS;
    this.#monitors = new Map(policy.legs.map(({ id }, index) => [id, monitorId((index + 1).toString(16))]));
  }

  take(second: PastSecond): void {
    const { unixMs } = second;
    if (this.#lastUnixMs !== null && unixMs - this.#lastUnixMs > GAP_MS) this.#forget(this.#lastUnixMs);
    this.#lastUnixMs = unixMs + SECOND_MS;
    this.#sureS = this.#isSure(second) ? this.#sureS + 1 : 0;
    if (this.#state === null) {
      if (this.#isPassing && this.#sureS > 0) return;
      this.#begin(unixMs, this.#isPassing);
      this.#isPassing = false;
    }
    this.#play(second);
    if (this.#sureS <= this.#calmAfterS || !this.#isCalm()) return;
    this.#drop();
    this.#isPassing = true;
  }

  end(): Replayed {
    this.#drop();
    for (const trip of this.#open.values()) this.#trips.push(trip);
    this.#trips.sort((a, b) => a.fromUnixMs - b.fromUnixMs);
    const playedSilenceMs = this.#relayDelayMs === null ? null : this.#playedSilenceMs;
    return { trips: this.#trips, switches: this.#switches, playedSilenceMs };
  }

  #isSure({ unixMs, legs }: PastSecond): boolean {
    const { thresholdDbfs, tripMs } = this.#policy.silence;
    const enoughMs = tripMs < 2 * SECOND_MS ? SECOND_MS : SURE_MS;
    if (this.#events.faults.some((fault) => isAt(fault, unixMs))) return false;
    return this.#policy.legs.every(({ id }) => {
      const steps = legs.get(id);
      if (steps === undefined) return false;
      const loud = steps.filter((level) => level > thresholdDbfs).length;
      return (loud * SECOND_MS) / steps.length >= enoughMs;
    });
  }

  /** On the first source everywhere, and nothing wrong with any leg. */
  #isCalm(): boolean {
    if (this.#state === null) return false;
    const { desks, legs } = this.#state;
    const [first] = this.#policy.sources;
    const isOnFirst = this.#relay?.isOnFirst ?? [...desks.values()].every(({ onAir }) => onAir === first);
    return isOnFirst && [...legs.values()].every(({ condition }) => condition.is === 'audible');
  }

  #begin(unixMs: number, wasSounding: boolean): void {
    const [first = null] = this.#policy.sources;
    const desks = wasSounding
      ? Object.fromEntries(
          this.#policy.servers.map((server) => [server, { onAir: first, away: [], hold: null, order: null }]),
        )
      : {};
    const fromUnixMs = wasSounding ? unixMs - this.#warmUpS * SECOND_MS : unixMs;
    const state = newState(this.#policy, { ageMs: 0, desks }, fromUnixMs);
    this.#state = state;
    if (this.#relayDelayMs !== null) {
      const agent = {
        policy: this.#policy,
        stateNow: () => this.#state ?? state,
        feed: (input: Input) => this.#give(input),
      };
      this.#relay = new ReplayRelay(agent, this.#relayDelayMs, (one) => this.#switches.push(one));
    }
    for (const { id } of this.#policy.legs) {
      const monitor = this.#monitors.get(id);
      if (monitor === undefined) continue;
      const link = { is: 'open', sinceMs: fromUnixMs, monitor, contentType: 'audio/mpeg' } as const;
      this.#give({ kind: 'link', atMs: fromUnixMs, leg: id, link });
    }
    for (let atUnixMs = fromUnixMs; atUnixMs < unixMs; atUnixMs += SECOND_MS) {
      const legs = new Map(this.#policy.legs.map(({ id }) => [id, [0]]));
      this.#play({ unixMs: atUnixMs, legs });
    }
  }

  #drop(): void {
    this.#state = null;
    this.#playedSilenceMs += this.#relay?.playedSilenceMs ?? 0;
    this.#relay = null;
  }

  #forget(unixMs: number): void {
    for (const trip of this.#open.values()) this.#trips.push({ ...trip, untilUnixMs: unixMs });
    this.#open.clear();
    this.#drop();
    this.#isPassing = false;
    this.#sureS = 0;
  }

  #play({ unixMs, legs }: PastSecond): void {
    const endMs = unixMs + SECOND_MS;
    const faults = this.#events.faults.filter((fault) => isAt(fault, unixMs));
    this.#plan(unixMs);
    for (const { id } of this.#policy.legs) this.#pulse(id, endMs, legs.get(id) ?? [], faults);
    const count = Math.max(1, ...[...legs.values()].map((steps) => steps.length));
    for (let index = 0; index < count; index += 1) {
      for (const { id } of this.#policy.legs) {
        const steps = legs.get(id) ?? [];
        // A row that was thinned has one step where others have ten.
        if (index < steps.length) this.#hear(id, unixMs, steps, index, faults);
      }
      this.#relay?.advance(unixMs + (index * SECOND_MS) / count, SECOND_MS / count);
    }
    for (const server of this.#policy.servers) this.#look(server, endMs, faults);
  }

  #plan(unixMs: number): void {
    const silence = this.#events.silences.find((one) => isAt(one, unixMs));
    const { fromMs, untilMs } = this.#state?.silence ?? { fromMs: null, untilMs: null };
    if (silence === undefined || (fromMs === silence.fromUnixMs && untilMs === silence.untilUnixMs)) return;
    this.#give({
      kind: 'planned-silence',
      atMs: unixMs,
      fromMs: silence.fromUnixMs,
      untilMs: silence.untilUnixMs,
      says: 'planned then',
    });
  }

  #pulse(leg: LegId, atMs: number, steps: readonly number[], faults: readonly PastFault[]): void {
    const monitor = this.#monitors.get(leg);
    if (monitor === undefined) return;
    const of = faults.find((fault) => fault.leg === leg);
    const isHeard = steps.some((level) => level >= NOT_HEARD_DBFS);
    const pulse = {
      monitor,
      atMs,
      openedAtMs: atMs - 11 * SECOND_MS,
      lastByteAtMs: of?.fault === 'stalled' ? of.fromUnixMs : atMs,
      lastPcmAtMs: atMs,
      decoder: of?.fault === 'undecodable' ? 'rejecting' : isHeard ? 'running' : 'restarting',
    } as const;
    this.#give({ kind: 'pulse', atMs, leg, pulse });
  }

  #hear(
    leg: LegId,
    unixMs: number,
    steps: readonly number[],
    index: number,
    faults: readonly PastFault[],
  ): void {
    const { thresholdDbfs } = this.#policy.silence;
    const monitor = this.#monitors.get(leg);
    const level = steps[index] ?? NOT_HEARD_DBFS - 1;
    const isQuiet = level <= thresholdDbfs;
    const of = faults.find((fault) => fault.leg === leg);
    const isGone = of !== undefined && !isProgrammeFault(of.fault);
    const isSilent = isGone || (level >= NOT_HEARD_DBFS && isQuiet);
    this.#relay?.carries(leg, of?.fault === 'stalled' ? 'stalled' : isSilent ? 'silent' : 'sound');
    if (level < NOT_HEARD_DBFS || monitor === undefined) return;
    const stepMs = SECOND_MS / steps.length;
    const atMs = unixMs + (index + 1) * stepMs;
    const found =
      of === undefined || !isProgrammeFault(of.fault) || atMs < of.foundUnixMs
        ? []
        : [{ fault: of.fault, lastedMs: atMs - of.fromUnixMs }];
    const reading = readingOf(monitor, atMs, isQuiet ? 0 : stepMs, found, stepMs);
    this.#give({ kind: 'levels', atMs, leg, reading });
  }

  #look(server: ServerName, atMs: number, faults: readonly PastFault[]): void {
    const absent = faults.filter(({ fault }) => fault === 'absent').map(({ leg }) => leg);
    const mounts = this.#policy.legs
      .filter((leg) => leg.server === server && !absent.includes(leg.id))
      .map((leg): MountView => {
        const monitor = this.#monitors.get(leg.id);
        return {
          mount: leg.mount,
          contentType: 'audio/mpeg',
          sourceConnectedSeconds: 3600,
          listeners: 0,
          clients: 1,
          fallback: null,
          maxListeners: null,
          monitors: monitor === undefined ? [] : [monitor],
          audio: { sampleRateHz: null, channels: null, bitrateKbps: null },
        };
      });
    const presences = [{ agent: server, connectedSeconds: 1 }];
    const look = { ok: true, startedAtMs: atMs, atMs, mounts, presences } as const;
    this.#give({ kind: 'look', atMs, server, look });
  }

  #give(input: Input): void {
    if (this.#state === null) return;
    const { state, events } = step(this.#state, input, this.#policy);
    this.#state = state;
    for (const event of events) this.#note(event);
  }

  /** The decision's own clock is wall time here. */
  #note(event: StationEvent): void {
    if (event.kind === 'switched' && this.#relay === null) {
      const { atMs, server, from, to, trigger, because } = event;
      this.#switches.push({ unixMs: atMs, server, from, to, trigger, because });
    }
    if (event.kind !== 'leg-changed') return;
    const open = this.#open.get(event.leg);
    if (open !== undefined) {
      this.#open.delete(event.leg);
      this.#trips.push({ ...open, untilUnixMs: event.to.sinceMs });
    }
    if (event.to.is !== 'faulty') return;
    const { fault, sinceMs } = event.to;
    this.#open.set(event.leg, { leg: event.leg, fault, fromUnixMs: sinceMs, untilUnixMs: null });
  }
}

const isProgrammeFault = (fault: LegFault): fault is ProgrammeFault =>
  PROGRAMME_FAULTS.some((one) => one === fault);

export interface Compared {
  /** Only with the new settings. */
  readonly more: readonly Trip[];
  /** Only with the old ones. */
  readonly fewer: readonly Trip[];
  readonly both: readonly Trip[];
}

/** Two runs over the same past: a trip is the same one when they overlap on one leg, with one fault. */
export function compareTrips(before: readonly Trip[], after: readonly Trip[]): Compared {
  const isSame = (one: Trip, other: Trip) =>
    one.leg === other.leg &&
    one.fault === other.fault &&
    one.fromUnixMs <= (other.untilUnixMs ?? Number.POSITIVE_INFINITY) &&
    other.fromUnixMs <= (one.untilUnixMs ?? Number.POSITIVE_INFINITY);
  return {
    more: after.filter((trip) => !before.some((one) => isSame(one, trip))),
    fewer: before.filter((trip) => !after.some((one) => isSame(one, trip))),
    both: after.filter((trip) => before.some((one) => isSame(one, trip))),
  };
}
