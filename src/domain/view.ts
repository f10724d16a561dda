import type { LegCondition, Role, ServerCondition } from './conditions.ts';
import type { AlertCode, StationEvent } from './events.ts';
import type { FailoverView } from './failover-view.ts';
import type { LegId, Mount, ServerName, SourceName, StationName } from './ids.ts';
import type { ProcessingValues } from './processing.ts';
import type { ProgrammeFault, ProgrammeWarning } from './readings.ts';
import type { AgentAlertCode } from './record.ts';

/** One agent's picture of everything, as `/api/v1/state` gives it. Ages in ms, as monotonic times mean nothing outside. */
export interface AgentView {
  readonly agent: ServerName;
  readonly version: string;
  readonly uptimeMs: number;
  /** Every Icecast, by scheme, host and port. */
  readonly servers: readonly { readonly server: ServerName; readonly url: string }[];
  readonly stations: readonly StationView[];
  /** Null where the config has no `dns`. */
  readonly dns: FailoverView | null;
}

export interface StationView {
  readonly station: StationName;
  readonly servers: readonly ServerView[];
  /** Null in guard mode. */
  readonly relay: RelayStatus | null;
  readonly alerts: readonly AlertView[];
  /** The newest last. */
  readonly events: readonly EventView[];
}

export interface ServerView {
  readonly server: ServerName;
  readonly role: Role;
  readonly condition: ServerCondition['is'];
  readonly detail: string;
  /** How long ago the agent beside it gave a sign of life; 0 for the one that is asked, null for one never seen. */
  readonly agentSeenMs: number | null;
  readonly onAir: SourceName | null;
  readonly hold: {
    readonly author: string;
    readonly remainingMs: number;
    readonly source: SourceName | null;
  } | null;
  readonly legs: readonly LegView[];
}

export interface LegView {
  readonly leg: LegId;
  readonly source: SourceName;
  readonly mount: Mount;
  readonly condition: LegCondition['is'];
  /** The fault, or why nothing is known; empty when audible. */
  readonly reason: string;
  readonly detail: string;
  readonly forMs: number;
  readonly listeners: number | null;
  readonly title: string | null;
  /** Per channel; null for digital silence and while nothing is heard. */
  readonly rmsDbfs: readonly (number | null)[];
  /** Null while unknown, and for digital silence. */
  readonly truePeakDbtp: number | null;
  readonly momentaryLufs: number | null;
  readonly shortTermLufs: number | null;
  readonly faults: readonly ProgrammeFault[];
  readonly warnings: readonly ProgrammeWarning[];
}

export interface AlertView {
  readonly code: AlertCode | AgentAlertCode;
  readonly subject: string;
  readonly detail: string;
}

export interface EventView {
  readonly time: string;
  readonly event: StationEvent;
}

/** What the public mounts of relay mode carry, and how far behind the live sound. */
export interface RelayStatus {
  /** Null when no leg is played: see `playing`. */
  readonly onAir: LegId | null;
  readonly playing: 'nothing' | 'leg' | 'emergency-file' | 'noise-floor';
  /** How far behind the live sound the encoders are fed, the processing's share included. */
  readonly latencyMs: number | null;
  readonly wantedLatencyMs: number;
  readonly legs: readonly {
    readonly leg: LegId;
    /** Whether it carries the programme that is on air. */
    readonly relation: string;
    /** How much later it carries the same moment. */
    readonly behindMs: number | null;
  }[];
  readonly outputs: readonly OutputStatus[];
  /** The public streams of the other servers beside our own, as listeners hear both; measured now and then. */
  readonly streams: readonly StreamView[];
  /** Decoded sound in memory. */
  readonly heldBytes: number;
  /** How much was to be played and wasn't there. */
  readonly dryMs: number;
  /** What is played on them; null while nothing is. */
  readonly sound: {
    readonly truePeakDbtp: number | null;
    readonly momentaryLufs: number | null;
    readonly shortTermLufs: number | null;
  } | null;
  /** Null: what is heard goes out as it is. */
  readonly processing: ProcessingStatus | null;
}

/** One public mount of relay mode on the agent's own server. */
export interface OutputStatus {
  readonly mount: Mount;
  /** `no-sound`: its encoder gives none, so that the mount was let go. */
  readonly state: 'connecting' | 'feeding' | 'no-sound' | 'failed';
  /** Why the server doesn't take it, and in its own words; empty unless it `failed`. */
  readonly reason: string;
  readonly detail: string;
  /** Accepted by the server since the start, and encoders that had to be replaced. */
  readonly connections: number;
  readonly rebuilds: number;
  /** `lame`: in the agent itself, and then without a pid. */
  readonly encoder: 'lame' | 'ffmpeg';
  readonly encoderPid: number | null;
}

/** How the public stream of another server lies to our own. */
export interface StreamView {
  readonly server: ServerName;
  readonly relation: 'same' | 'different' | 'unknown';
  /** How much later it carries the same moment; null unless it is the same programme. */
  readonly skewMs: number | null;
  /** How much later it gets each second: 0 as long as both run alike, up to 4 either way while one makes up for a delay. */
  readonly driftMsPerS: number | null;
  /** By how much it is louder over the same seconds of the programme, in dB. */
  readonly louderDb: number | null;
  /** Why the relation is unknown; null when it isn't. */
  readonly why: 'not-heard-here' | 'not-heard-there' | 'silent-here' | 'silent-there' | 'repeats' | null;
  readonly agoMs: number;
}

/** The processing chain of the public mounts and what it does now; null where nothing is known, or for silence. */
export interface ProcessingStatus {
  readonly preset: string;
  /** The same on every server whose chain does the same; where it isn't, `values` says why. */
  readonly fingerprint: string;
  readonly values: ProcessingValues;
  /** Its share of the relay's latency. */
  readonly latencyMs: number;
  readonly inMomentaryLufs: number | null;
  readonly inShortTermLufs: number | null;
  readonly outMomentaryLufs: number | null;
  readonly outShortTermLufs: number | null;
  readonly levellerGainDb: number | null;
  readonly makeupGainDb: number | null;
  readonly bandReductionDb: readonly (number | null)[];
  readonly limiterReductionDb: number | null;
}

/** Loudness and state of a station over the last hours, thinned to as many points as were asked for. */
export interface LoudnessView {
  readonly station: StationName;
  /** When the first point ends. */
  readonly from: string;
  readonly stepMs: number;
  readonly series: readonly LoudnessSeries[];
  /** What changed the sound on air meanwhile. */
  readonly switches: readonly EventView[];
}

export interface LoudnessSeries {
  /** A leg, or a public mount of relay mode with its server: `/stream@london`. */
  readonly channel: string;
  readonly kind: 'leg' | 'output';
  /** At the end of each step. Null where nothing was heard; -120 for digital silence. */
  readonly shortTermLufs: readonly (number | null)[];
  /** The worst of each step, a letter each: `a`udible, `f`aulty, `u`nknown. */
  readonly conditions: string;
}
