import { type Desk, newDesk } from '../../../src/decide/desk.ts';
import { type LegState, newLeg } from '../../../src/decide/leg.ts';
import type { LegCondition, LegFault, UnknownReason } from '../../../src/domain/conditions.ts';
import type { AdminFailure, MountView, Presence, ServerLook } from '../../../src/domain/icecast.ts';
import {
  type MonitorId,
  makeLeg,
  monitorId,
  mount,
  type ServerName,
  type SourceName,
  serverName,
  sourceName,
  stationName,
} from '../../../src/domain/ids.ts';
import type { StationPolicy } from '../../../src/domain/policy.ts';
import type { LevelReading, Link, Pulse } from '../../../src/domain/readings.ts';

export const LONDON = serverName('london');
export const DUBLIN = serverName('dublin');
export const CORK = serverName('cork');
export const PRIMARY = sourceName('primary');
export const SECONDARY = sourceName('secondary');
export const AUTODJ = sourceName('autodj');
export const MYFM = stationName('myfm');
export const MONITOR = monitorId('a1');

const SOURCES = [PRIMARY, SECONDARY, AUTODJ] as const;

export function policyWith(changes: Partial<StationPolicy> = {}): StationPolicy {
  const servers = changes.servers ?? [LONDON, DUBLIN];
  return {
    station: MYFM,
    mode: 'guard',
    self: LONDON,
    servers,
    sources: SOURCES,
    legs: servers.flatMap((server) =>
      SOURCES.map((source) => makeLeg(MYFM, source, server, mount(`/${source}`))),
    ),
    silence: { thresholdDbfs: -50, tripMs: 5000, restoreMs: 20_000, soundMs: 1000 },
    programme: { preset: 'music', actOn: ['tone', 'channel-lost'] },
    stallMs: 2000,
    absentMs: 1000,
    dwellMs: 30_000,
    verifiedWithinMs: 5000,
    flap: { holdDownMs: 30_000, holdDownMaxMs: 1_800_000, halfLifeMs: 900_000 },
    processing: null,
    deputyAfterMs: 12_000,
    ...changes,
  };
}

export const POLICY = policyWith();

export const audible = (sinceMs: number, verifiedAtMs: number): LegCondition => ({
  is: 'audible',
  sinceMs,
  verifiedAtMs,
});
export const faulty = (sinceMs: number, fault: LegFault = 'silent'): LegCondition & { is: 'faulty' } => ({
  is: 'faulty',
  sinceMs,
  fault,
  detail: 'for the test',
});
export const unknown = (reason: UnknownReason = 'no-data', sinceMs = 0): LegCondition => ({
  is: 'unknown',
  sinceMs,
  reason,
});

export function viewOf(source: SourceName, changes: Partial<MountView> = {}): MountView {
  return {
    mount: mount(`/${source}`),
    contentType: 'audio/mpeg',
    sourceConnectedSeconds: 100,
    listeners: 0,
    clients: 1,
    fallback: null,
    maxListeners: null,
    monitors: [],
    audio: { sampleRateHz: null, channels: null, bitrateKbps: null },
    ...changes,
  };
}

export function legOf(source: SourceName, server: ServerName = LONDON): LegState {
  return newLeg(makeLeg(MYFM, source, server, mount(`/${source}`)), 0);
}

/** A leg as a desk sees it: what it is, and what its mount showed in the last look. */
export function legThat(
  source: SourceName,
  condition: LegCondition,
  view: Partial<MountView> = {},
  changes: Partial<LegState> = {},
): LegState {
  return { ...legOf(source), condition, view: viewOf(source, view), ...changes };
}

export function deskWith(changes: Partial<Desk> = {}): Desk {
  return { ...newDesk(LONDON, 0), onAir: PRIMARY, ...changes };
}

export function goodLook(
  startedAtMs: number,
  mounts: readonly MountView[],
  presences: readonly Presence[] = [],
): ServerLook & { ok: true } {
  return { ok: true, startedAtMs, atMs: startedAtMs + 10, mounts, presences };
}

export function failedLook(startedAtMs: number, failure: AdminFailure): ServerLook {
  return { ok: false, startedAtMs, atMs: startedAtMs + 10, failure, detail: `it was ${failure}` };
}

export function reading(atMs: number, audibleMs: number, monitor: MonitorId = MONITOR): LevelReading {
  return {
    monitor,
    atMs,
    arrivedAtMs: atMs,
    durationMs: 100,
    rmsDbfs: [-20, -20],
    samplePeakDbfs: -10,
    truePeakDbtp: -9.5,
    momentaryLufs: -18,
    shortTermLufs: -18.04,
    integratedLufs: Number.NaN,
    loudnessRangeLu: Number.NaN,
    correlation: 1,
    audibleMs,
    faults: [],
    warnings: [],
  };
}

export function pulse(atMs: number, changes: Partial<Pulse> = {}): Pulse {
  return {
    monitor: MONITOR,
    atMs,
    openedAtMs: 0,
    lastByteAtMs: atMs,
    lastPcmAtMs: atMs,
    decoder: 'running',
    ...changes,
  };
}

export function openLink(sinceMs: number, monitor: MonitorId = MONITOR): Link {
  return { is: 'open', sinceMs, monitor, contentType: 'audio/mpeg' };
}
