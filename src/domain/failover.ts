import type { ServerName, StationName } from './ids.ts';
import type { FlapPolicy } from './policy.ts';

/** How far a new listener got before it failed. */
export type ProbeStage = 'resolve' | 'connect' | 'tls' | 'http' | 'first-byte';

/** One try to listen to a public mount as a new listener would. */
export type Probe =
  | { readonly ok: true }
  | { readonly ok: false; readonly stage: ProbeStage; readonly detail: string };

/**
 * Our standing connection to a public mount. `deaf`: our own decoder is broken, which says nothing of the server;
 * `quiet`: connected, and nothing has come for the stall time.
 */
export type PublicEar =
  | { readonly is: 'starting' }
  | { readonly is: 'hearing' }
  | { readonly is: 'quiet' }
  | { readonly is: 'undecodable' }
  | { readonly is: 'deaf' }
  | { readonly is: 'disconnected'; readonly detail: string };

/** Why a server gives listeners nothing: how far they get, or what is wrong with what they get. */
export type ServerIllness = ProbeStage | 'stalled' | 'undecodable' | 'silent';

/**
 * Whether a server gives listeners the stations' sound. Monotonic ms. `verifiedAtMs`: until when its sound is proven.
 * A server in doubt is not left yet, and nobody is sent there either.
 */
export type ServerHealth =
  | { readonly is: 'unknown'; readonly sinceMs: number }
  | { readonly is: 'well'; readonly sinceMs: number; readonly verifiedAtMs: number }
  | { readonly is: 'doubt'; readonly sinceMs: number; readonly wellSinceMs: number; readonly detail: string }
  | {
      readonly is: 'ill';
      readonly sinceMs: number;
      readonly illness: ServerIllness;
      readonly detail: string;
    };

/** What one agent says of one server; `verifiedAgoMs`: how long before it said so it had last heard sound there. */
export interface ServerWord {
  readonly is: ServerHealth['is'];
  readonly verifiedAgoMs: number | null;
}

/** What one agent says of every server; `heardAtMs`: when it reached us, by our own clock. */
export interface Observation {
  readonly agent: string;
  readonly heardAtMs: number;
  readonly servers: ReadonlyMap<ServerName, ServerWord>;
  /** Null: no operator has ordered anything yet, as far as that agent knows. */
  readonly order: OperatorOrder | null;
  /** Whether it could write, had it the lease. */
  readonly reachesDns: boolean;
}

/**
 * The last that an operator ordered, as agents hand it on to each other: the higher version is the newer, and of the same
 * version that of the agent whose name comes later. A hold of null is a release. The version is the time at which it was
 * ordered, in seconds, and always higher than that of the order that it replaced.
 */
export interface OperatorOrder {
  readonly version: number;
  /** The agent that was asked. */
  readonly by: string;
  readonly hold: FailoverHold | null;
}

/** The right to write, as the cluster gives it. Alone there is none, and a rule decides. */
export type Lease =
  | { readonly is: 'ours'; readonly epoch: number; readonly stepDownAtMs: number }
  | { readonly is: 'theirs'; readonly holder: string }
  | { readonly is: 'lost'; readonly detail: string };

/**
 * What stands in the DNS. `foreign`: an address of none of the servers, which somebody else must have written; `amiss`: what
 * is not as it would be written for this server (another TTL, a family or a name that is missing), null when nothing.
 */
export type PublishedRecord =
  | { readonly is: 'server'; readonly server: ServerName; readonly amiss: string | null }
  | { readonly is: 'missing' }
  | { readonly is: 'foreign'; readonly detail: string };

/** `repair`: the name stays where it is, and what is amiss is written anew. */
export type MoveTrigger = 'first' | 'fault' | 'return' | 'operator' | 'repair';

/**
 * How a publication ended. `behind`: what authorities that do not answer so yet say; null when every one does. `lapsed`:
 * the right to write ended before the provider took it; `failed`: the provider did not take it.
 */
export type PublishOutcome =
  | { readonly is: 'done'; readonly behind: string | null }
  | { readonly is: 'fenced'; readonly detail: string }
  | { readonly is: 'lapsed'; readonly detail: string }
  | { readonly is: 'failed'; readonly detail: string };

export type FailoverRequest =
  | { readonly do: 'hold'; readonly author: string; readonly forMs: number }
  | {
      readonly do: 'force';
      readonly server: ServerName;
      readonly author: string;
      readonly forMs: number;
      readonly override: boolean;
    }
  | { readonly do: 'release'; readonly author: string };

/** What became of a request. */
export type RequestAnswer =
  | { readonly is: 'taken' }
  | { readonly is: 'refused'; readonly detail: string }
  | { readonly is: 'no-dns' };

/** "Don't touch the DNS": `server` is set when the name was sent there by hand, `override` when heard or not. */
export interface FailoverHold {
  readonly author: string;
  readonly untilMs: number;
  readonly server: ServerName | null;
  readonly override: boolean;
}

export type FailoverInput =
  | { readonly kind: 'tick'; readonly atMs: number }
  | {
      readonly kind: 'probe';
      readonly atMs: number;
      readonly beganAtMs: number;
      readonly server: ServerName;
      readonly station: StationName;
      readonly probe: Probe;
    }
  | {
      readonly kind: 'ear';
      readonly atMs: number;
      readonly server: ServerName;
      readonly station: StationName;
      readonly ear: PublicEar;
    }
  | {
      readonly kind: 'heard';
      readonly atMs: number;
      readonly server: ServerName;
      readonly station: StationName;
      /** When the last sample of the block was on air, how long it is, and how much of it was sound, in ms. */
      readonly block: { readonly atMs: number; readonly durationMs: number; readonly audibleMs: number };
    }
  /** Whether the agent beside a server was seen alive there just now. */
  | { readonly kind: 'colleague'; readonly atMs: number; readonly server: ServerName; readonly seen: boolean }
  | { readonly kind: 'observation'; readonly atMs: number; readonly observation: Observation }
  | { readonly kind: 'lease'; readonly atMs: number; readonly lease: Lease }
  | {
      readonly kind: 'record';
      readonly atMs: number;
      readonly record: PublishedRecord;
      readonly epoch: number | null;
    }
  | { readonly kind: 'record-unread'; readonly atMs: number; readonly detail: string }
  /** What the authorities answered when they were asked again after a publication. */
  | { readonly kind: 'authorities'; readonly atMs: number; readonly behind: string | null }
  | {
      readonly kind: 'published';
      readonly atMs: number;
      readonly server: ServerName;
      readonly epoch: number;
      readonly outcome: PublishOutcome;
    }
  | {
      readonly kind: 'operator';
      readonly atMs: number;
      /** The same moment by the clock on the wall, as the agents compare when they were asked. */
      readonly unixMs: number;
      readonly request: FailoverRequest;
    }
  /** What an operator ordered from another agent, as that one says without a cluster. */
  | { readonly kind: 'heard-order'; readonly atMs: number; readonly order: OperatorOrder }
  /** This agent itself stood still: what it last knew is not known any more. */
  | { readonly kind: 'gap'; readonly atMs: number; readonly lostMs: number };

export type FailoverCommand =
  | {
      readonly kind: 'publish';
      readonly server: ServerName;
      readonly epoch: number;
      /** The epoch that was read last; the write is refused when somebody has written another one since. */
      readonly expectedEpoch: number | null;
      readonly because: string;
      /** Monotonic: no write may begin after this. */
      readonly deadlineMs: number;
    }
  /** `isAnew`: also when one is under way, which may hang since before something changed. */
  | {
      readonly kind: 'probe';
      readonly server: ServerName;
      readonly station: StationName;
      readonly isAnew: boolean;
    }
  | { readonly kind: 'end-listeners'; readonly server: ServerName; readonly because: string };

export type FailoverAlertCode =
  | 'dns-server-ill'
  | 'dns-no-server-well'
  | 'dns-held'
  | 'dns-not-written'
  | 'dns-not-read'
  | 'dns-not-everywhere'
  | 'dns-contested'
  | 'dns-foreign'
  | 'dns-no-lease';

export type FailoverEvent =
  | {
      readonly kind: 'health-changed';
      readonly atMs: number;
      readonly server: ServerName;
      readonly from: ServerHealth;
      readonly to: ServerHealth;
    }
  | {
      readonly kind: 'dns-moving';
      readonly atMs: number;
      readonly from: ServerName | null;
      readonly to: ServerName;
      readonly trigger: MoveTrigger;
      readonly because: string;
      /** To the first of `prefer`, from which nothing will bring it back. */
      readonly isHome?: true;
    }
  /** It points elsewhere than it did, and this agent has not written that: another one has, or a person. */
  | {
      readonly kind: 'dns-found';
      readonly atMs: number;
      readonly from: ServerName | null;
      readonly to: ServerName;
      readonly isHome?: true;
    }
  | {
      readonly kind: 'dns-moved';
      readonly atMs: number;
      readonly to: ServerName;
      readonly tookMs: number;
      /** Why it was ordered, or who asked for it; logs of before this was written have none. */
      readonly because?: string;
    }
  | {
      readonly kind: 'dns-hold-changed';
      readonly atMs: number;
      readonly detail: string;
      readonly author: string;
    }
  | { readonly kind: 'dns-refused'; readonly atMs: number; readonly detail: string; readonly author: string }
  | {
      readonly kind: 'listeners-ended';
      readonly atMs: number;
      readonly server: ServerName;
      readonly because: string;
    }
  | {
      readonly kind: 'dns-alert-opened' | 'dns-alert-closed';
      readonly atMs: number;
      readonly code: FailoverAlertCode;
      readonly subject: string;
      readonly detail: string;
    };

const OF_THE_NAME: Readonly<Record<FailoverEvent['kind'], true>> = {
  'health-changed': true,
  'dns-moving': true,
  'dns-found': true,
  'dns-moved': true,
  'dns-hold-changed': true,
  'dns-refused': true,
  'listeners-ended': true,
  'dns-alert-opened': true,
  'dns-alert-closed': true,
};
export const FAILOVER_EVENTS = Object.keys(OF_THE_NAME) as readonly FailoverEvent['kind'][];

export function isFailoverEvent(event: { readonly kind: string }): event is FailoverEvent {
  return event.kind in OF_THE_NAME;
}

/** Everything the DNS decision may know of what the station wants. Durations in ms. */
export interface FailoverPolicy {
  /** The agent's own name: that of the server it stands beside, or of a witness. */
  readonly self: string;
  /** In order of preference. */
  readonly servers: readonly ServerName[];
  readonly stations: readonly StationName[];
  /** From one probe of a healthy server to the next. */
  readonly intervalMs: number;
  /** The same once it is in doubt. */
  readonly fastIntervalMs: number;
  /** So many bad samples make it ill, so many good ones well. */
  readonly fall: number;
  readonly rise: number;
  /** Silence on a public mount counts after this: longer than the source switch inside the server needs. */
  readonly silenceMs: number;
  /** Clicks are no sound: see `SilencePolicy.soundMs`. */
  readonly soundMs: number;
  /** How long a server must be well before the name goes back to it. */
  readonly restoreMs: number;
  /** No address is published whose sound was not proven within this. */
  readonly verifiedWithinMs: number;
  /** What other agents say is used for this long. */
  readonly freshMs: number;
  /** A colleague that shows no life for this long does not write. */
  readonly colleagueMs: number;
  /** Alone: who finds its own write undone does not write again for this long, or while the other shows that it lives. */
  readonly contestedMs: number;
  readonly writeWithinMs: number;
  /** Null: listeners of a server that was left are not ended. Otherwise so long after the move. */
  readonly endListenersAfterMs: number | null;
  readonly flap: FlapPolicy;
  readonly mode: 'alone' | 'cluster';
}
