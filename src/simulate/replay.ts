import { newState, type StationState } from '../decide/state.ts';
import { step } from '../decide/step.ts';
import type { StationEvent } from '../domain/events.ts';
import type { MountView } from '../domain/icecast.ts';
import { type LegId, type MonitorId, monitorId, type ServerName } from '../domain/ids.ts';
import type { Input } from '../domain/inputs.ts';
import type { StationPolicy } from '../domain/policy.ts';
import { readingOf } from './guard-agent.ts';

/** One second of the past: what each leg sounded like, in steps of equal length; a leg that is left out was not heard. */
export interface PastSecond {
  readonly unixMs: number;
  /** Levels in dBFS; under -127: nothing was heard in this step. */
  readonly legs: ReadonlyMap<LegId, readonly number[]>;
}

/** A leg that would have been called silent. */
export interface Trip {
  readonly leg: LegId;
  /** When the silence began. */
  readonly fromUnixMs: number;
  /** When the leg was good again; null: it lasted to the end. */
  readonly untilUnixMs: number | null;
}

export interface PastSwitch {
  readonly unixMs: number;
  readonly event: StationEvent & { readonly kind: 'switched' };
}

export interface Replayed {
  readonly trips: readonly Trip[];
  readonly switches: readonly PastSwitch[];
}

const NOT_HEARD = -127;
const SECOND_MS = 1_000;
/** With so much sound in each second nothing can trip. */
const SURE_MS = 600;
/** As long as the decision needs from its start to know every leg. */
const WARM_UP_S = 10;
/** A log without a second for this long was not written: the agent was off. */
const GAP_MS = 5_000;

/**
 * What a station would have done with other settings: levels of the past through the very decision that runs in the agent,
 * in guard mode. Stretches in which every leg sounded all the time are passed over, as nothing can happen in them; a hold-down
 * of relapses before such a stretch is forgotten.
 */
export function replay(policy: StationPolicy, seconds: Iterable<PastSecond>): Replayed {
  const run = new ReplayRun({ ...policy, mode: 'guard' });
  for (const second of seconds) run.take(second);
  return run.end();
}

class ReplayRun {
  readonly #policy: StationPolicy;
  readonly #calmAfterS: number;
  readonly #monitors: ReadonlyMap<LegId, MonitorId>;
  readonly #open = new Map<LegId, Trip>();
  readonly #trips: Trip[] = [];
  readonly #switches: PastSwitch[] = [];
  #state: StationState | null = null;
  #sureS = 0;
  /** Nothing can happen now, and the seconds are only counted. */
  #isPassing = false;
  #lastUnixMs: number | null = null;

  constructor(policy: StationPolicy) {
    this.#policy = policy;
    const { silence, dwellMs, flap } = policy;
    this.#calmAfterS = Math.ceil((silence.restoreMs + dwellMs + flap.holdDownMs) / SECOND_MS) + WARM_UP_S;
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
    this.#state = null;
    this.#isPassing = true;
  }

  end(): Replayed {
    for (const trip of this.#open.values()) this.#trips.push(trip);
    this.#trips.sort((a, b) => a.fromUnixMs - b.fromUnixMs);
    return { trips: this.#trips, switches: this.#switches };
  }

  #isSure({ legs }: PastSecond): boolean {
    const { thresholdDbfs, tripMs } = this.#policy.silence;
    const enoughMs = tripMs < 2 * SECOND_MS ? SECOND_MS : SURE_MS;
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
    return (
      [...desks.values()].every(({ onAir }) => onAir === first) &&
      [...legs.values()].every(({ condition }) => condition.is === 'audible')
    );
  }

  #begin(unixMs: number, wasSounding: boolean): void {
    const [first = null] = this.#policy.sources;
    const desks = wasSounding
      ? Object.fromEntries(
          this.#policy.servers.map((server) => [server, { onAir: first, away: [], hold: null }]),
        )
      : {};
    const fromUnixMs = wasSounding ? unixMs - WARM_UP_S * SECOND_MS : unixMs;
    this.#state = newState(this.#policy, { ageMs: 0, desks }, fromUnixMs);
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

  #forget(unixMs: number): void {
    for (const trip of this.#open.values()) this.#trips.push({ ...trip, untilUnixMs: unixMs });
    this.#open.clear();
    this.#state = null;
    this.#isPassing = false;
    this.#sureS = 0;
  }

  #play({ unixMs, legs }: PastSecond): void {
    const endMs = unixMs + SECOND_MS;
    for (const { id } of this.#policy.legs) {
      const monitor = this.#monitors.get(id);
      if (monitor === undefined) continue;
      const steps = legs.get(id) ?? [];
      const isHeard = steps.some((level) => level >= NOT_HEARD);
      const pulse = {
        monitor,
        atMs: endMs,
        openedAtMs: unixMs - 10 * SECOND_MS,
        lastByteAtMs: endMs,
        lastPcmAtMs: endMs,
        decoder: isHeard ? 'running' : 'restarting',
      } as const;
      this.#give({ kind: 'pulse', atMs: endMs, leg: id, pulse });
      this.#hear(id, monitor, unixMs, steps);
    }
    for (const server of this.#policy.servers) this.#look(server, endMs);
  }

  #hear(id: LegId, monitor: MonitorId, unixMs: number, steps: readonly number[]): void {
    const { thresholdDbfs } = this.#policy.silence;
    const stepMs = SECOND_MS / Math.max(1, steps.length);
    for (const [index, level] of steps.entries()) {
      if (level < NOT_HEARD) continue;
      const atMs = unixMs + (index + 1) * stepMs;
      const reading = readingOf(monitor, atMs, level > thresholdDbfs ? stepMs : 0, [], stepMs);
      this.#give({ kind: 'levels', atMs, leg: id, reading });
    }
  }

  #look(server: ServerName, atMs: number): void {
    const mounts = this.#policy.legs
      .filter((leg) => leg.server === server)
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
    if (event.kind === 'switched') this.#switches.push({ unixMs: event.atMs, event });
    if (event.kind !== 'leg-changed') return;
    const open = this.#open.get(event.leg);
    if (event.to.is === 'faulty' && event.to.fault === 'silent')
      this.#open.set(event.leg, { leg: event.leg, fromUnixMs: event.to.sinceMs, untilUnixMs: null });
    else if (open !== undefined) {
      this.#open.delete(event.leg);
      this.#trips.push({ ...open, untilUnixMs: event.to.sinceMs });
    }
  }
}

export interface Compared {
  /** Only with the new settings. */
  readonly more: readonly Trip[];
  /** Only with the old ones. */
  readonly fewer: readonly Trip[];
  readonly both: readonly Trip[];
}

/** Two runs over the same past: a trip is the same one when they overlap on one leg. */
export function compareTrips(before: readonly Trip[], after: readonly Trip[]): Compared {
  const isSame = (one: Trip, other: Trip) =>
    one.leg === other.leg &&
    one.fromUnixMs <= (other.untilUnixMs ?? Number.POSITIVE_INFINITY) &&
    other.fromUnixMs <= (one.untilUnixMs ?? Number.POSITIVE_INFINITY);
  return {
    more: after.filter((trip) => !before.some((one) => isSame(one, trip))),
    fewer: before.filter((trip) => !after.some((one) => isSame(one, trip))),
    both: after.filter((trip) => before.some((one) => isSame(one, trip))),
  };
}
