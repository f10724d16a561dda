import type { ChainSign } from './chain-sign.ts';
import type { MonitorId, Mount, ServerName, SourceName, StationName } from './ids.ts';

/**
 * Why Icecast's admin API gave no answer that can be used. `unauthorised` is a fault of our config and `name-not-found`
 * one of our resolver; neither says anything of the server.
 */
export type AdminFailure =
  | 'unauthorised'
  | 'overloaded'
  | 'name-not-found'
  | 'refused'
  | 'timed-out'
  | 'bad-answer';

/** Formats that Icecast moves listeners between; across kinds it answers "moved" and moves nobody (icecast.md 4.2). */
export type FormatKind = 'ogg' | 'ebml' | 'generic';

/** What a source client said of its sound, where it said it. */
export interface AudioInfo {
  readonly sampleRateHz: number | null;
  readonly channels: number | null;
  readonly bitrateKbps: number | null;
}

/** One mount as the admin API shows it. */
export interface MountView {
  readonly mount: Mount;
  readonly contentType: string;
  /** Null for a file fallback, which has no source client. */
  readonly sourceConnectedSeconds: number | null;
  /** Listeners that are not monitors of any Sustain agent. */
  readonly listeners: number;
  /** All connections, ours among them: these are what `max-listeners` counts and what a move carries along. */
  readonly clients: number;
  /** Where Icecast itself puts the listeners when the source goes; null when nowhere. */
  readonly fallback: Mount | null;
  /** Null: unlimited. */
  readonly maxListeners: number | null;
  /** Monitors of *this* agent that sit here. */
  readonly monitors: readonly MonitorId[];
  readonly audio: AudioInfo;
}

/** Sign of life that another agent leaves on a server: a listener connection renewed every few seconds. */
export interface Presence {
  readonly agent: ServerName;
  readonly connectedSeconds: number;
  /** What it says of itself to its colleagues: short words that mean something only to them. */
  readonly marks?: readonly string[];
  /** What it has on air, by station: for people only, as nothing proves it. */
  readonly onAir?: ReadonlyMap<StationName, SourceName>;
  /** The processing chains that it runs; left out where it runs none. */
  readonly chains?: readonly ChainSign[];
}

/** One look at a server over its admin API. `startedAtMs`..`atMs` brackets the moment it speaks of. */
export type ServerLook =
  | {
      readonly ok: true;
      readonly startedAtMs: number;
      readonly atMs: number;
      readonly mounts: readonly MountView[];
      /** Of every mount on the server that has one; left out where nobody asked. */
      readonly fallbacks?: ReadonlyMap<Mount, Mount>;
      readonly presences: readonly Presence[];
      /** Another agent shows that it lives, by the very name of the one that looks. */
      readonly isTwinThere?: true;
    }
  | {
      readonly ok: false;
      readonly startedAtMs: number;
      readonly atMs: number;
      readonly failure: AdminFailure;
      readonly detail: string;
    };
