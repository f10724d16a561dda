import type { FailoverEvent, FailoverHold, Lease, PublishedRecord, ServerHealth } from './failover.ts';
import type { ServerName } from './ids.ts';

/** Where the station's name points and why, as `/api/v1/state` gives it under `dns`. Ages in ms. */
export interface FailoverView {
  readonly names: readonly string[];
  /** Null: not read yet. */
  readonly record: PublishedRecord | null;
  readonly epoch: number | null;
  readonly mode: 'alone' | 'cluster';
  /** Whether this agent would write now, and if not why. */
  readonly writes: { readonly may: true } | { readonly may: false; readonly because: string };
  /** How this agent stands to NATS; null without a cluster. */
  readonly cluster: {
    readonly link: 'connecting' | 'connected' | 'no-majority';
    readonly reason: string | null;
  } | null;
  readonly lease: Lease['is'] | null;
  readonly moving: { readonly to: ServerName; readonly forMs: number } | null;
  readonly hold: (Pick<FailoverHold, 'author' | 'server'> & { readonly remainingMs: number }) | null;
  readonly servers: readonly {
    readonly server: ServerName;
    /** As this agent hears it. */
    readonly health: ServerHealth['is'];
    readonly detail: string;
    /** As the witnesses together see it. */
    readonly verdict: 'unknown' | 'well' | 'ill';
    readonly forMs: number;
  }[];
  readonly agents: readonly { readonly agent: string; readonly seenAgoMs: number }[];
  readonly alerts: readonly { readonly code: string; readonly subject: string; readonly detail: string }[];
  readonly events: readonly { readonly time: string; readonly event: FailoverEvent }[];
}
