import type { LegCondition, LegFault, UnknownReason } from '../domain/conditions.ts';
import type { MountView, ServerLook } from '../domain/icecast.ts';
import type { Leg, MonitorId } from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';
import type { LevelReading, Link, ProgrammeFault, Pulse } from '../domain/readings.ts';
import { hear, isUntouched, newSensor, type SoundSensor } from './sound.ts';

/** Readings wait here for a proof of position; 10 a second, and a burst brings some 16 s of them at the most. */
const MAX_PENDING = 300;
/** A connection must have brought bytes for this long before its sound counts: a dead mount still hands out its burst. */
const FLOWING_MS = 1000;
/** For this long after a source came back, the mounts of its fallback chain may hold its listeners, in ms. */
const RENEWED_MS = 5000;
/** Within this the meter finds every programme fault but the longest loops, in ms. */
const METER_FINDS_MS = 30_000;
const DOUBT_MS = 60_000;
/** Without news for this long nothing is claimed of a leg, in ms. */
const FRESH_MS = 3000;

/** A fault in the sound, and the connection that heard it. */
export interface ProgrammeState {
  readonly fault: ProgrammeFault;
  readonly monitor: MonitorId;
  /** When it began in the sound, as the meter that found it first has it. */
  readonly sinceMs: number;
  readonly seenAtMs: number;
}

export interface LegState {
  readonly leg: Leg;
  readonly link: Link;
  readonly pulse: Pulse | null;
  /** Heard, but not yet proven to come from this leg's mount. */
  readonly pending: readonly LevelReading[];
  readonly sensor: SoundSensor;
  /** Since when it has been quiet as it was planned to be; null while it is not. */
  readonly wantedQuietFromMs: number | null;
  /** The newest programme fault that was proven, until it is known to be over. */
  readonly programme: ProgrammeState | null;
  /** What the meter found in the newest proven block, acted on or not. */
  readonly found: readonly ProgrammeFault[];
  /** Latest moment at which `listclients` proved the present monitor on this leg's mount. */
  readonly provenAtMs: number | null;
  /** Consecutive looks in which the open monitor was found nowhere or on another mount. */
  readonly displaced: number;
  /** When a monitor of this leg was last found to have been carried off its mount. */
  readonly carriedOffAtMs: number | null;
  readonly missing: { readonly sinceMs: number; readonly looks: number } | null;
  readonly view: MountView | null;
  /** When a look showed a younger source client than the one before: between the two it was gone. */
  readonly renewedAtMs: number | null;
  /** When this agent last ended a standstill: what seems to have stopped before then may only be ourselves. */
  readonly stoodStillUntilMs: number;
  /** When the connection of now was last seen to stall: what it brings after that may be what the network held back. */
  readonly stalledUntilMs: number;
  /** When its newest fault began; null when it has had none. */
  readonly failedAtMs: number | null;
  readonly condition: LegCondition;
}

/** The legs of one server in the station's order of preference, and nothing else. */
export type Legs = readonly LegState[];

export function newLeg(leg: Leg, atMs: number): LegState {
  return {
    leg,
    link: { is: 'waiting' },
    pulse: null,
    pending: [],
    sensor: newSensor(atMs),
    wantedQuietFromMs: null,
    programme: null,
    found: [],
    provenAtMs: null,
    displaced: 0,
    carriedOffAtMs: null,
    missing: null,
    view: null,
    renewedAtMs: null,
    stoodStillUntilMs: Number.NEGATIVE_INFINITY,
    stalledUntilMs: Number.NEGATIVE_INFINITY,
    failedAtMs: null,
    condition: { is: 'unknown', sinceMs: atMs, reason: 'starting' },
  };
}

export function openMonitor(state: LegState): MonitorId | null {
  return state.link.is === 'open' ? state.link.monitor : null;
}

export function withLink(state: LegState, link: Link): LegState {
  if (link.is !== 'open') return { ...state, link, pulse: null };
  if (openMonitor(state) === link.monitor) return { ...state, link };
  return { ...state, link, pulse: null, pending: [], provenAtMs: null, displaced: 0 };
}

export function withPulse(state: LegState, pulse: Pulse): LegState {
  return pulse.monitor === openMonitor(state) ? { ...state, pulse } : state;
}

/** Our own standstill looks like a stall; the next pulse and the next look say whether it was one. */
export function withGap(state: LegState, atMs: number): LegState {
  return { ...state, pulse: null, pending: [], provenAtMs: null, stoodStillUntilMs: atMs };
}

export function withReading(state: LegState, reading: LevelReading): LegState {
  if (reading.monitor !== openMonitor(state)) return state;
  const kept = state.pending.length < MAX_PENDING ? state.pending : state.pending.slice(1 - MAX_PENDING);
  return { ...state, pending: kept.concat(reading) };
}

/**
 * Takes one look at the leg's server. A reading counts only when a look that began after it was here finds its monitor on
 * the leg's mount: `moveclients` and fallbacks carry monitors away without a word (reference: Icecast 2.4.4 behaviour),
 * and sound that is late comes from there with the time of before.
 */
export function withLook(state: LegState, look: ServerLook & { ok: true }, policy: StationPolicy): LegState {
  if (look.startedAtMs < state.stoodStillUntilMs) return state;
  const view = look.mounts.find((candidate) => candidate.mount === state.leg.mount);
  if (view === undefined) {
    const missing = {
      sinceMs: state.missing?.sinceMs ?? look.startedAtMs,
      looks: (state.missing?.looks ?? 0) + 1,
    };
    const gone = missing.looks >= 2;
    const forgotten = gone ? { sensor: newSensor(look.atMs, look.atMs), programme: null } : {};
    return { ...state, missing, pending: [], ...forgotten };
  }
  const renewedAtMs = isYounger(view, state.view) ? look.atMs : state.renewedAtMs;
  const found = { ...state, view, renewedAtMs, missing: null };
  const monitor = openMonitor(state);
  if (monitor === null) return found;
  if (view.monitors.includes(monitor)) return release(found, look.startedAtMs, policy);
  const elsewhere = look.mounts.some((other) => other.monitors.includes(monitor));
  const openLongEnough = state.link.is === 'open' && state.link.sinceMs < look.startedAtMs - 500;
  if (!elsewhere && !openLongEnough) return found;
  const displaced = state.displaced + (elsewhere ? 2 : 1);
  const carriedOffAtMs = displaced >= 2 ? look.atMs : state.carriedOffAtMs;
  return { ...found, pending: [], displaced, carriedOffAtMs };
}

function isYounger(view: MountView, before: MountView | null): boolean {
  return (view.sourceConnectedSeconds ?? 0) < (before?.sourceConnectedSeconds ?? 0);
}

/** Whether Icecast has, or has lately had, no source here, so that its fallback carried the listeners off. */
export function wasGone(state: LegState, nowMs: number): boolean {
  return state.missing !== null || (state.renewedAtMs !== null && nowMs - state.renewedAtMs < RENEWED_MS);
}

/** Whether the monitor has to connect anew, because it sits where it does not belong. */
export function isDisplaced(state: LegState): boolean {
  return state.displaced >= 2;
}

/** The owner was told to reconnect; what is still arriving on the old connection is of no use. */
export function reconnecting(state: LegState): LegState {
  return { ...state, link: { is: 'waiting' }, pulse: null, pending: [], displaced: 0 };
}

function release(state: LegState, provenAtMs: number, policy: StationPolicy): LegState {
  const { pulse } = state;
  if (pulse === null || pulse.lastByteAtMs - pulse.openedAtMs < FLOWING_MS)
    return { ...state, provenAtMs, displaced: 0 };
  let { sensor, programme, found, wantedQuietFromMs } = state;
  const pending: LevelReading[] = [];
  for (const reading of state.pending) {
    if (reading.arrivedAtMs > provenAtMs) pending.push(reading);
    else {
      sensor = hear(afterHole(sensor, reading), reading, policy.silence);
      programme = hearProgramme(programme, reading, state.link, policy);
      found = faultsIn(reading);
      if (reading.isWantedQuiet) wantedQuietFromMs ??= reading.atMs - reading.durationMs;
      else if (reading.audibleMs > 0) wantedQuietFromMs = null;
    }
  }
  return { ...state, sensor, programme, found, wantedQuietFromMs, pending, provenAtMs, displaced: 0 };
}

/** What was not heard for so long is not known to have gone on. */
function afterHole(sensor: SoundSensor, { atMs, durationMs }: LevelReading): SoundSensor {
  const fromMs = atMs - durationMs;
  const isHole = fromMs - sensor.heardToMs > FRESH_MS && sensor.heardToMs > Number.NEGATIVE_INFINITY;
  return isHole ? newSensor(fromMs, fromMs) : sensor;
}

const NO_FAULTS: readonly ProgrammeFault[] = [];

function faultsIn({ faults }: LevelReading): readonly ProgrammeFault[] {
  return faults.length === 0 ? NO_FAULTS : faults.map(({ fault }) => fault);
}

/**
 * A programme fault stays until the connection that heard it hears it end, or another one has listened for as long as
 * the meter may take to find it again. Where moves carry our monitor off time and again, it is given the benefit of the
 * doubt in the end.
 */
function hearProgramme(
  known: ProgrammeState | null,
  reading: LevelReading,
  link: Link,
  policy: StationPolicy,
): ProgrammeState | null {
  const { monitor, atMs } = reading;
  const heard = reading.faults.find(({ fault }) => policy.programme.actOn.includes(fault));
  if (heard !== undefined) {
    const sinceMs = known?.fault === heard.fault ? known.sinceMs : atMs - heard.lastedMs;
    return { fault: heard.fault, monitor, sinceMs, seenAtMs: atMs };
  }
  if (known === null || known.monitor === monitor) return null;
  const listenedMs = link.is === 'open' ? atMs - link.sinceMs : 0;
  return listenedMs >= METER_FINDS_MS || atMs - known.seenAtMs >= DOUBT_MS ? null : known;
}

/** What is known of the server when a leg on it is judged. */
export interface ServerEvidence {
  readonly down: { readonly sinceMs: number; readonly detail: string } | null;
  readonly lastGoodLookAtMs: number | null;
  readonly unauthorised: boolean;
}

/**
 * The leg with its condition at this moment, which keeps its `sinceMs` while it stays what it was; the same leg when
 * nothing in it changed. Health is continuous: after a fault or a time of not knowing, sound has to be proven anew, and
 * not by an old burst.
 */
export function withCondition(
  state: LegState,
  server: ServerEvidence,
  nowMs: number,
  policy: StationPolicy,
): LegState {
  const fresh = judge(state, server, nowMs, policy);
  const condition = keep(state, fresh, nowMs);
  const failedAtMs = condition.is === 'faulty' ? condition.sinceMs : state.failedAtMs;
  // What the network held back is live from before the stall was over, and comes on no other connection.
  if (state.programme === null && isStalledOn(state.link, condition))
    return {
      ...state,
      condition,
      failedAtMs,
      stalledUntilMs: nowMs,
      sensor: newSensor(nowMs, state.sensor.heardToMs),
    };
  const sensor = sensorAfter(state, condition, fresh, nowMs);
  const isSame = condition === state.condition && failedAtMs === state.failedAtMs && sensor === state.sensor;
  return isSame ? state : { ...state, condition, failedAtMs, sensor };
}

function isStalledOn(link: Link, condition: LegCondition): boolean {
  const isStalled = condition.is === 'faulty' && condition.fault === 'stalled';
  return isStalled && link.is === 'open' && link.sinceMs <= condition.sinceMs;
}

function sensorAfter(
  { sensor, programme, stoodStillUntilMs }: LegState,
  condition: LegCondition,
  fresh: LegCondition,
  nowMs: number,
): SoundSensor {
  const lost =
    condition.is === 'faulty'
      ? condition.fault !== 'silent'
      : fresh.is === 'unknown' && fresh.reason !== 'starting';
  // At a start the burst is all there is to hear of the past, and nothing was lost yet.
  const isNew = sensor.heardToMs === Number.NEGATIVE_INFINITY;
  if (!lost || (condition.is === 'unknown' && isNew)) return sensor;
  // What came while we stood still is about to be heard, and a silence in it began before.
  if (condition.is === 'unknown' && nowMs - stoodStillUntilMs < FRESH_MS) return sensor;
  // A programme fault is something heard: when nothing is heard any more, it is not known to go on.
  return newSensor(nowMs, programme === null ? nowMs : sensor.heardToMs);
}

function keep(state: LegState, fresh: LegCondition, nowMs: number): LegCondition {
  const old = state.condition;
  if (fresh.is === 'unknown') {
    const isNoNews = fresh.reason === 'starting' && isUntouched(state.sensor);
    if (old.is === 'unknown' && (fresh.reason === old.reason || isNoNews)) return old;
    // A monitor that has just been carried away or connected anew has nothing to say against a fault.
    const isYoung = state.link.is === 'waiting' || nowMs - state.link.sinceMs < FRESH_MS;
    return old.is === 'faulty' && isYoung ? old : fresh;
  }
  if (fresh.is === 'faulty') return old.is === 'faulty' && fresh.fault === old.fault ? old : fresh;
  if (old.is !== 'audible') return fresh;
  return fresh.verifiedAtMs === old.verifiedAtMs ? old : { ...fresh, sinceMs: old.sinceMs };
}

function faulty(fault: LegFault, sinceMs: number, detail: string): LegCondition {
  return { is: 'faulty', sinceMs, fault, detail };
}

function judge(state: LegState, server: ServerEvidence, nowMs: number, policy: StationPolicy): LegCondition {
  const unknown = (reason: UnknownReason): LegCondition => ({ is: 'unknown', sinceMs: nowMs, reason });

  if (server.down !== null) return faulty('unresponsive', server.down.sinceMs, server.down.detail);
  if (server.lastGoodLookAtMs === null || nowMs - server.lastGoodLookAtMs > FRESH_MS) {
    return unknown(
      server.unauthorised
        ? 'admin-unauthorised'
        : server.lastGoodLookAtMs === null
          ? 'starting'
          : 'admin-silent',
    );
  }
  const { missing, pulse, sensor } = state;
  if (missing !== null) {
    const goneMs = server.lastGoodLookAtMs - missing.sinceMs;
    if (missing.looks >= 2 && goneMs >= policy.absentMs)
      return faulty('absent', missing.sinceMs, 'no source is connected');
    return stillKnown(state, nowMs) ?? unknown('no-data');
  }
  const isProven = state.provenAtMs !== null && nowMs - state.provenAtMs <= FRESH_MS;
  if (pulse !== null && isProven) {
    const lastByteAtMs = Math.max(pulse.lastByteAtMs, state.stoodStillUntilMs);
    if (nowMs - lastByteAtMs >= stallMsOf(state, policy)) {
      const quietS = ((nowMs - lastByteAtMs) / 1000).toFixed(1);
      return faulty('stalled', lastByteAtMs, `connected, but no byte for ${quietS} s`);
    }
    if (pulse.decoder === 'rejecting') return faulty('undecodable', nowMs, 'bytes arrive that are no sound');
  }
  if (nowMs - Math.max(sensor.heardToMs, state.stalledUntilMs) > FRESH_MS) {
    if (pulse?.decoder === 'restarting') return unknown('decoder');
    return unknown(isProven ? 'no-data' : 'unproven');
  }
  if (state.programme !== null)
    return faulty(state.programme.fault, state.programme.sinceMs, 'the meter found it in the sound');
  if (sensor.verdict === 'unheard') return unknown('starting');
  if (sensor.verdict === 'silent') {
    return faulty('silent', sensor.sinceMs, `under ${policy.silence.thresholdDbfs} dBFS`);
  }
  // Health begins anew after a stall, with sound that is newer than it.
  const { soundMs, tripMs } = policy.silence;
  if (sensor.heardToMs - state.stalledUntilMs < Math.min(soundMs, tripMs / 2)) return unknown('starting');
  const verifiedAtMs = state.wantedQuietFromMs ?? sensor.quietFromMs ?? sensor.heardToMs;
  return { is: 'audible', sinceMs: Math.max(sensor.sinceMs, state.stalledUntilMs), verifiedAtMs };
}

/** Where silence takes next to no bytes, as in AAC, Vorbis and Opus, no bytes for a moment may be a pause in the programme. */
function stallMsOf(state: LegState, policy: StationPolicy): number {
  const isSteady = state.link.is === 'open' && state.link.contentType === 'audio/mpeg';
  return isSteady ? policy.stallMs : Math.max(policy.stallMs, policy.silence.tripMs);
}

/** While a mount has been missing in one look only, what was known stands for a moment. */
function stillKnown(state: LegState, nowMs: number): LegCondition | null {
  const { condition, sensor } = state;
  if (condition.is === 'unknown') return null;
  return nowMs - sensor.heardToMs > FRESH_MS && condition.is === 'audible' ? null : condition;
}
