import type { AddressRecord, AuthorityView, DnsFailure, DnsRead, EpochMark } from './provider.ts';

/** What the names are to answer, and under whose authority. */
export interface WantedRecords {
  /** One entry for every name and family; without addresses: the RRset is to be removed. */
  readonly records: readonly AddressRecord[];
  readonly mark: EpochMark;
}

export interface ApplyOptions {
  /** After this long the outcome is given as it stands then. */
  readonly deadlineMs: number;
  /**
   * Asked right before each write: until when, in monotonic ms of our clock, this agent may write. The past: not at all; a
   * lease's `heldUntilMs`; or Infinity, where nobody else writes. A write is broken off when that time comes.
   */
  writeUntilMs(): number;
  /** The epoch that stood there when this was decided on: what came since fences it. */
  readonly expectedEpoch?: number | null;
  /** Told on the way of each read that failed, and why. */
  unread?(text: string): void;
  /** Ends the work as `stopped`. A write that is under way may still be carried out. */
  readonly signal?: AbortSignal;
}

/** How an apply ended. */
export type ApplyOutcome =
  /** Every authority answers what was wanted. `writes` is 0 where it did so already. */
  | { readonly is: 'converged'; readonly writes: number; readonly authorities: readonly AuthorityView[] }
  /** The provider took it; authorities are behind or out of reach at the deadline. */
  | { readonly is: 'half-applied'; readonly writes: number; readonly authorities: readonly AuthorityView[] }
  /** A higher epoch, another writer of ours, or one that was not expected stands there: this agent must not write. */
  | { readonly is: 'fenced'; readonly standing: EpochMark }
  /** `writeUntilMs` lies in the past, and no write was under way when that came. */
  | { readonly is: 'not-allowed' }
  /** `writeUntilMs` came while a write was under way: whether it was carried out is not known. */
  | { readonly is: 'broken-off' }
  /** The deadline came before the provider took it, which it was still allowed to. */
  | { readonly is: 'failed'; readonly failure: DnsFailure }
  /** A later `apply` took its place. */
  | { readonly is: 'superseded' }
  | { readonly is: 'stopped' };

/** What happens on the way, for logs and alerts. Texts never hold a secret. */
export type DnsEvent =
  | { readonly event: 'dns-written'; readonly mark: EpochMark; readonly records: readonly AddressRecord[] }
  | { readonly event: 'dns-retry'; readonly failure: DnsFailure; readonly inMs: number }
  /** Said once each time the set of authorities that are not there yet changes. */
  | { readonly event: 'dns-half-applied'; readonly authorities: readonly AuthorityView[] }
  | { readonly event: 'dns-converged'; readonly tookMs: number; readonly writes: number }
  | { readonly event: 'dns-fenced'; readonly standing: EpochMark; readonly ours: EpochMark };

/** Brings the zone to what is wanted and says how it went. Never throws. */
export interface DnsWriter {
  /** One read at the provider, within `deadlineMs`: the standing epoch before a lease is taken, for example. */
  look(deadlineMs: number): Promise<DnsRead>;
  /** Reads, checks the fence, writes what differs, reads back at every authority, and again with back-off. */
  apply(wanted: WantedRecords, options: ApplyOptions): Promise<ApplyOutcome>;
  /** One round of real DNS queries, without writing. */
  verify(wanted: WantedRecords, deadlineMs: number): Promise<readonly AuthorityView[]>;
  /** Ends what is under way as `stopped`. */
  stop(): void;
}
