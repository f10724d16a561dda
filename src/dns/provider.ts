/** Addresses that one name answers with, of one family. An empty list: there is no such RRset, or there is to be none. */
export interface AddressRecord {
  /** Lower case, without the dot at the end: `stream.myfm.example`. */
  readonly name: string;
  readonly type: AddressType;
  readonly addresses: readonly string[];
  readonly ttlSeconds: number;
}

export type AddressType = 'A' | 'AAAA';

/**
 * What stands in the TXT record at `_sustain.<first name>`: who wrote the addresses last, and under which epoch. A higher
 * epoch fences every lower one off; within one epoch only its writer may write.
 */
export interface EpochMark {
  /** Whole, from 0; goes up each time the right to write changes hands. */
  readonly epoch: number;
  /** The server of the agent that wrote: `london`. */
  readonly writer: string;
}

/** The part of the zone that is ours. */
export interface ZoneState {
  /** One entry for every name and family that has addresses. */
  readonly records: readonly AddressRecord[];
  /** Null: nobody has written yet. */
  readonly mark: EpochMark | null;
}

/** One write of all names at once, which only counts if `expected` still stands there. */
export interface DnsWrite {
  /** All names and both families; an entry without addresses removes what is there. */
  readonly records: readonly AddressRecord[];
  readonly mark: EpochMark;
  /** The state that the write was decided on, as `read` gave it. */
  readonly expected: ZoneState;
}

/** Why a provider did not do what it was asked. `text` says what to do and never holds a secret. */
export type DnsFailure =
  /** 401, 403, NOTAUTH, BADSIG, BADKEY, BADTIME: nothing gets better before a person acts. */
  | { readonly is: 'wrong-key'; readonly text: string }
  /** Understood, and not allowed or not valid. */
  | { readonly is: 'refused'; readonly text: string }
  /** Null: it was not said when to come again. */
  | { readonly is: 'rate-limited'; readonly text: string; readonly retryAfterMs: number | null }
  | { readonly is: 'unreachable'; readonly text: string }
  /** Ended by our own deadline: whether it was carried out is unknown. */
  | { readonly is: 'timeout'; readonly text: string }
  /** Somebody wrote since `expected` was read. */
  | { readonly is: 'conflict'; readonly text: string }
  | { readonly is: 'bad-answer'; readonly text: string }
  /** No such zone. */
  | { readonly is: 'not-found'; readonly text: string };

export type DnsFailureKind = DnsFailure['is'];

export type DnsRead = { readonly ok: true; readonly state: ZoneState } | DnsRefusal;
export type DnsWritten = { readonly ok: true } | DnsRefusal;
export interface DnsRefusal {
  readonly ok: false;
  readonly failure: DnsFailure;
}

/**
 * Who holds the zone. One call is one attempt, nothing is tried again in here, and nothing is ever thrown; an aborted call
 * ends at once as `timeout`.
 */
export interface DnsProvider {
  readonly name: ProviderName;
  read(signal: AbortSignal): Promise<DnsRead>;
  /** Whether "still stands there" is checked by the provider in one step with the write, or only right before it. */
  readonly fencing: 'atomic' | 'checked-before';
  write(write: DnsWrite, signal: AbortSignal): Promise<DnsWritten>;
  /**
   * Whether our key may change these names, found out without changing a record (PowerDNS counts the zone's serial up
   * all the same); null where there is no way to.
   */
  mayWrite(signal: AbortSignal): Promise<DnsWritten | null>;
}

export type ProviderName = 'powerdns' | 'rfc2136' | 'cloudflare' | 'route53' | 'command';

/** What an authority answers, held against what was written. */
export type AuthorityView =
  | { readonly is: 'converged'; readonly authority: string; readonly serial: number | null }
  | {
      readonly is: 'stale';
      readonly authority: string;
      readonly serial: number | null;
      /** The SOA serial is only evidence, told in the text: other records of the zone move it as well. */
      readonly reason: 'old-addresses' | 'old-epoch';
      readonly text: string;
    }
  | { readonly is: 'unreachable'; readonly authority: string; readonly text: string };

/** Anything that gives a secret away only when asked to, such as the config's `Secret`. */
export interface Key {
  reveal(): string;
}
