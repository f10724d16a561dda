import type { LeaseTimes, LeaseView } from './cluster.ts';

/** What stands under the lease's key. */
export interface LeaseRecord {
  /** Null: given back. */
  readonly holder: string | null;
  /** One run of one agent; a restarted agent is another. */
  readonly session: string;
  readonly epoch: number;
  /** Unlike any other write's, so that a write whose answer was lost can be known again. */
  readonly nonce: string;
}

/** A write to try: it must only succeed if the key is still at that revision (0: it is not there). */
export interface LeaseAttempt {
  readonly expectedRevision: number;
  readonly record: LeaseRecord;
}

export interface LeaseOptions {
  readonly self: string;
  readonly session: string;
  readonly times: LeaseTimes;
  nonce(): string;
}

interface Seen {
  readonly revision: number;
  readonly record: LeaseRecord | null;
  /** When we saw it change, on our clock. */
  readonly atMs: number;
}

interface Sent {
  readonly atMs: number;
  /** Nobody else's write of the same moment can come after it. */
  isSettled: boolean;
}

interface Held {
  readonly epoch: number;
  readonly renewedAtMs: number;
  readonly heldUntilMs: number;
}

const MOST_ATTEMPTS = 8;

/**
 * One lease as seen by one agent, without a clock or a network of its own: it is told what was seen and asked what to
 * try. Others count a lease from when they saw its last change, we count ours from before we sent it: so ours ends first
 * however long either message took.
 */
export class Lease {
  readonly #options: LeaseOptions;
  #isSought = false;
  #seen: Seen | null = null;
  #held: Held | null = null;
  /** By nonce, writes of ours whose outcome may still turn up. */
  readonly #attempts = new Map<string, Sent>();
  #highestEpoch = 0;
  #isFencedOff = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  get isSought(): boolean {
    return this.#isSought;
  }

  seek(isSought: boolean): void {
    this.#isSought = isSought;
  }

  noteMark(mark: { readonly epoch: number; readonly writer: string }): void {
    this.#highestEpoch = Math.max(this.#highestEpoch, mark.epoch);
    const held = this.#held;
    if (held === null) return;
    this.#isFencedOff =
      mark.epoch > held.epoch || (mark.epoch === held.epoch && mark.writer !== this.#options.self);
  }

  /** The key is, or has become, this. Old news counts for nothing. */
  saw(revision: number, record: LeaseRecord | null, atMs: number): void {
    if (this.#seen === null || revision > this.#seen.revision) this.adopt(revision, record, atMs);
  }

  /**
   * The same from the store's leader itself, which is right even where it knows less than we: a store that was lost and
   * made anew begins to count anew. 0 and null: the key is not there.
   */
  adopt(revision: number, record: LeaseRecord | null, atMs: number): void {
    if (this.#seen !== null && revision === this.#seen.revision) return;
    const sent = record === null ? undefined : this.#attempts.get(record.nonce);
    this.#seen = { revision, record, atMs };
    this.#highestEpoch = Math.max(this.#highestEpoch, record?.epoch ?? 0);
    if (record === null || record.holder === null || !sent?.isSettled) this.#held = null;
    else this.#hold(record, sent.atMs);
  }

  /**
   * The nonce of the last change where it is our taking of the lease, as long as another's may come right after it: NATS
   * compares a write with what it has stored, and not with what it is about to store.
   */
  get unsettled(): string | null {
    const record = this.#seen?.record ?? null;
    if (record === null || record.holder === null) return null;
    return this.#attempts.get(record.nonce)?.isSettled === false ? record.nonce : null;
  }

  /** The lease that we took stood when all was stored that was sent before we knew that ours was. */
  settle(nonce: string): void {
    const sent = this.#attempts.get(nonce);
    const record = this.#seen?.record ?? null;
    if (sent === undefined || record === null || this.unsettled !== nonce) return;
    sent.isSettled = true;
    this.#hold(record, sent.atMs);
  }

  view(nowMs: number): LeaseView {
    if (this.#seen === null) return { is: 'unknown' };
    const held = this.#held;
    if (held !== null && nowMs < held.heldUntilMs && !this.#isFencedOff) {
      return { is: 'ours', epoch: held.epoch, heldUntilMs: held.heldUntilMs };
    }
    const { record, atMs } = this.#seen;
    const freeAtMs = atMs + this.#options.times.lengthMs;
    const isOurs = record?.session === this.#options.session;
    if (record === null || record.holder === null || isOurs || nowMs >= freeAtMs) {
      return { is: 'free', lastEpoch: this.#highestEpoch };
    }
    return { is: 'theirs', holder: record.holder, epoch: record.epoch, freeAtMs };
  }

  /** What to try now, or null. Not to be asked again before the outcome, or its time-out. */
  due(nowMs: number): LeaseAttempt | null {
    if (this.#seen === null) return null;
    const { record, revision } = this.#seen;
    const isOurs = record?.session === this.#options.session && record.holder !== null;
    if (!this.#isSought) return isOurs ? this.#attempt(revision, null, record.epoch, nowMs) : null;
    const view = this.view(nowMs);
    if (view.is === 'ours') {
      const dueAtMs = (this.#held?.renewedAtMs ?? 0) + this.#options.times.renewEveryMs;
      return nowMs >= dueAtMs ? this.#attempt(revision, this.#options.self, view.epoch, nowMs) : null;
    }
    // One of ours that lapsed is free as well, and taken anew.
    if (view.is !== 'free' || this.unsettled !== null) return null;
    return this.#attempt(revision, this.#options.self, this.#highestEpoch + 1, nowMs);
  }

  #attempt(expectedRevision: number, holder: string | null, epoch: number, nowMs: number): LeaseAttempt {
    const record = { holder, session: this.#options.session, epoch, nonce: this.#options.nonce() };
    const isRenewal = holder !== null && this.view(nowMs).is === 'ours';
    this.#attempts.set(record.nonce, { atMs: nowMs, isSettled: isRenewal });
    for (const nonce of [...this.#attempts.keys()].slice(0, -MOST_ATTEMPTS)) this.#attempts.delete(nonce);
    return { expectedRevision, record };
  }

  #hold(record: LeaseRecord, sentAtMs: number): void {
    const { lengthMs, skewMs } = this.#options.times;
    if (record.epoch !== this.#held?.epoch) this.#isFencedOff = false;
    this.#held = {
      epoch: record.epoch,
      renewedAtMs: sentAtMs,
      heldUntilMs: sentAtMs + lengthMs - 2 * skewMs,
    };
  }
}
