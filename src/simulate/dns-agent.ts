import { isStillWanted } from '../decide/failover/choice.ts';
import { leaseWish } from '../decide/failover/lease-rule.ts';
import { earOnAir } from '../decide/failover/on-air.ts';
import { type FailoverState, failoverMemoryOf, newFailover } from '../decide/failover/state.ts';
import { failoverStep } from '../decide/failover/step.ts';
import type { FailoverCommand, FailoverEvent, FailoverPolicy, PublicEar } from '../domain/failover.ts';
import type { ServerName } from '../domain/ids.ts';

/** The functions of the DNS decision; the mutation check puts broken ones here. */
export interface FailoverCore {
  readonly newFailover: typeof newFailover;
  readonly failoverMemoryOf: typeof failoverMemoryOf;
  readonly failoverStep: typeof failoverStep;
  readonly isStillWanted: typeof isStillWanted;
  readonly leaseWish: typeof leaseWish;
  readonly earOnAir: typeof earOnAir;
}

/** The DNS decision as it ships. */
export const failoverCore: FailoverCore = {
  newFailover,
  failoverMemoryOf,
  failoverStep,
  isStillWanted,
  leaseWish,
  earOnAir,
};

/** What is true of a server: `hung` takes connections and gives nothing, `mute` gives silence, `dead` refuses. */
export type Truth = 'fine' | 'mute' | 'hung' | 'dead';

/** How the provider takes a write: `unanswered` carries it out and never says so. */
export type Writing = 'well' | 'refused' | 'unanswered';

export interface DnsAgent {
  readonly name: string;
  readonly policy: FailoverPolicy;
  state: FailoverState;
  isAlive: boolean;
  isPaused: boolean;
  /** Its decoders are broken: it is connected everywhere and hears nothing. */
  isDeaf: boolean;
  seeksLease: boolean;
  /** Servers whose probe has not come back yet: one at a time, as a probe that hangs is the finding. */
  readonly probing: Set<ServerName>;
  /** `quietSinceMs`: until when anything has been heard there. */
  readonly ears: Map<ServerName, { ear: PublicEar['is']; quietSinceMs: number }>;
  readonly later: { readonly atMs: number; readonly run: () => void }[];
  lastTickMs: number;
}

export interface Write {
  readonly atMs: number;
  readonly by: string;
  readonly server: ServerName;
  readonly epoch: number;
}

export type Publish = FailoverCommand & { readonly kind: 'publish' };

/** Who wants to see what agents do: at the order of a publication, and when its write begins. */
export interface DnsWatch {
  ordered(agent: DnsAgent, command: Publish, events: readonly FailoverEvent[]): void;
  writing(agent: DnsAgent, command: Publish): void;
}
