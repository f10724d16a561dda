import type { Cluster, LeaseView } from '../cluster/index.ts';
import { isStillWanted } from '../decide/failover/choice.ts';
import { leaseWish } from '../decide/failover/lease-rule.ts';
import {
  type FailoverMemory,
  type FailoverState,
  failoverMemoryOf,
  newFailover,
} from '../decide/failover/state.ts';
import { failoverStep } from '../decide/failover/step.ts';
import type { AddressRecord, ApplyOutcome, AuthorityView, DnsWriter, EpochMark } from '../dns/index.ts';
import type {
  FailoverCommand,
  FailoverEvent,
  FailoverInput,
  FailoverPolicy,
  Lease,
  PublishOutcome,
} from '../domain/failover.ts';
import type { ServerName, StationName } from '../domain/ids.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { AddressProofs } from './address-proofs.ts';
import { heardFrom, observationFrom, type WireObservation } from './observation.ts';
import { type Names, publishedIn, recordsFor, standingOf } from './zone.ts';

const TICK_MS = 200;
/** A tick this late means that the whole process stood still. */
const GAP_MS = 1_000;
const READ_EVERY_MS = 5_000;
const READ_WITHIN_MS = 4_000;
const OBSERVE_EVERY_MS = 1_000;
/** An authority that is left behind is found before the name has to move, and the next write would be answered by half. */
const COMPARE_EVERY_MS = 60_000;
/** An authority that is restarted, or asked while another agent writes, is not behind. */
const BEHIND_FOR_MS = 12_000;
/** While a write is being tried, so that what it publishes stays proven. */
const PROVE_EVERY_MS = 2_000;

export interface NameDeskOptions {
  readonly policy: FailoverPolicy;
  readonly names: Names;
  readonly proofs: AddressProofs;
  readonly memory: FailoverMemory;
  readonly writer: DnsWriter;
  /** Null: this agent is alone with its rule. */
  readonly cluster: Cluster<WireObservation> | null;
  readonly clock: Clock;
  readonly log: Logger;
  event(event: FailoverEvent): void;
  probe(server: ServerName, station: StationName, isAnew: boolean): void;
  endListeners(server: ServerName): void;
}

/** The station's name: everything that bears on where it points goes in here, is decided on, and done. */
export class NameDesk {
  readonly #options: NameDeskOptions;
  readonly #cancels: readonly Cancel[];
  #state: FailoverState;
  #lastTickAtMs: number;
  #isReading = false;
  #comparedAtMs: number;
  /** Since when authorities have not answered what stands at the provider. */
  #behindSinceMs: number | null = null;

  constructor(options: NameDeskOptions) {
    const { clock } = options;
    this.#options = options;
    this.#lastTickAtMs = clock.nowMs();
    this.#comparedAtMs = this.#lastTickAtMs;
    this.#state = newFailover(options.policy, options.memory, this.#lastTickAtMs);
    this.#cancels = [
      clock.every(TICK_MS, () => this.#tick()),
      clock.every(READ_EVERY_MS, () => void this.#read()),
      clock.every(OBSERVE_EVERY_MS, () => this.#observe()),
    ];
    void this.#read();
  }

  get state(): FailoverState {
    return this.#state;
  }

  memory(): FailoverMemory {
    return failoverMemoryOf(this.#state, this.#options.clock.nowMs());
  }

  /** Decides and acts on it at once; gives what happened. */
  take(input: FailoverInput): readonly FailoverEvent[] {
    const { policy, log } = this.#options;
    try {
      const { state, commands, events } = failoverStep(this.#state, input, policy);
      this.#state = state;
      for (const event of events) this.#options.event(event);
      for (const command of commands) this.#carryOut(command);
      return events;
    } catch (thrown) {
      log.error({ input: input.kind, err: messageOf(thrown) }, 'a DNS decision failed; the name stays');
      return [];
    }
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel();
  }

  #tick(): void {
    const { clock } = this.#options;
    const atMs = clock.nowMs();
    const lostMs = atMs - this.#lastTickAtMs - TICK_MS;
    this.#lastTickAtMs = atMs;
    if (lostMs > GAP_MS) this.take({ kind: 'gap', atMs, lostMs });
    this.#hearCluster(atMs);
    this.take({ kind: 'tick', atMs });
  }

  #hearCluster(atMs: number): void {
    const { cluster } = this.#options;
    if (cluster === null) return;
    for (const { from, observation, seenAtMs } of cluster.peers()) {
      if (this.#state.observations.get(from)?.heardAtMs === seenAtMs) continue;
      this.take({ kind: 'observation', atMs, observation: heardFrom(from, observation, seenAtMs) });
    }
    const wish = leaseWish(this.#state, atMs, this.#options.policy);
    if (wish === 'seek') cluster.seek();
    if (wish === 'yield') cluster.yield();
    this.take({ kind: 'lease', atMs, lease: leaseOf(cluster.lease(), cluster) });
    if (this.#state.leaseSinceMs === atMs) void this.#read();
  }

  #observe(): void {
    const { cluster, clock } = this.#options;
    cluster?.publish(observationFrom(this.#state, clock.nowMs()));
  }

  async #read(): Promise<void> {
    if (this.#isReading || this.#state.publishing !== null) return;
    this.#isReading = true;
    const { writer, clock, names, proofs, cluster } = this.#options;
    const looked = await writer.look(READ_WITHIN_MS);
    this.#isReading = false;
    // What was read before a write of ours says nothing of what stands there since.
    if (this.#state.publishing !== null) return;
    const atMs = clock.nowMs();
    if (!looked.ok) {
      this.take({ kind: 'record-unread', atMs, detail: looked.failure.text });
      return;
    }
    const { mark } = looked.state;
    if (mark !== null) cluster?.noteMark(mark);
    const record = publishedIn(names, looked.state, (server, address) => proofs.isSilent(server, address));
    this.take({ kind: 'record', atMs, record, epoch: mark?.epoch ?? null });
    if (record.is === 'server' && mark !== null && this.#isCompareDue(record.amiss, atMs))
      await this.#verify(recordsFor(names, standingOf(names, record.server, looked.state)), mark);
  }

  /** What has to be written anew is no authority's fault. */
  #isCompareDue(amiss: string | null, nowMs: number): boolean {
    if (this.#state.behind !== null) return true;
    if (amiss !== null) return false;
    return this.#behindSinceMs !== null || nowMs - this.#comparedAtMs >= COMPARE_EVERY_MS;
  }

  async #verify(records: readonly AddressRecord[], mark: EpochMark): Promise<void> {
    const { writer, clock } = this.#options;
    this.#comparedAtMs = clock.nowMs();
    const views = await writer.verify({ records, mark }, READ_WITHIN_MS);
    const atMs = clock.nowMs();
    if (this.#state.publishing !== null) return;
    const behind = behindIn(views);
    this.#behindSinceMs = behind === null ? null : (this.#behindSinceMs ?? atMs);
    const isNews = this.#state.behind === null && behind !== null;
    if (isNews && atMs - (this.#behindSinceMs ?? atMs) < BEHIND_FOR_MS) return;
    this.take({ kind: 'authorities', atMs, behind });
  }

  #carryOut(command: FailoverCommand): void {
    switch (command.kind) {
      case 'probe':
        this.#options.probe(command.server, command.station, command.isAnew);
        return;
      case 'end-listeners':
        this.#options.endListeners(command.server);
        return;
      case 'publish':
        void this.#publish(command);
    }
  }

  async #publish({
    server,
    epoch,
    expectedEpoch,
    deadlineMs,
  }: FailoverCommand & { kind: 'publish' }): Promise<void> {
    const { writer, clock, names, policy, proofs } = this.#options;
    const addresses = await this.#publishable(server);
    const stopProving = clock.every(PROVE_EVERY_MS, () => void proofs.try(server));
    const applied = await writer.apply(
      { records: recordsFor(names, addresses), mark: { epoch, writer: policy.self } },
      {
        deadlineMs: Math.max(1, deadlineMs - clock.nowMs()),
        expectedEpoch,
        writeUntilMs: () => this.#writeUntilMs(server, epoch, addresses),
        unread: (detail) => this.take({ kind: 'record-unread', atMs: clock.nowMs(), detail }),
      },
    );
    stopProving();
    const outcome = outcomeOf(applied);
    const atMs = clock.nowMs();
    this.take({ kind: 'published', atMs, server, epoch, outcome });
    if (outcome.is !== 'done') void this.#read();
  }

  /** Sent there by an operator, whether it is heard or not. */
  #isOverridden(server: ServerName): boolean {
    const { hold } = this.#state;
    return hold?.server === server && hold.override;
  }

  async #publishable(server: ServerName): Promise<readonly string[]> {
    const { proofs, log } = this.#options;
    const all = proofs.all(server);
    if (this.#isOverridden(server)) return all;
    const addresses = await proofs.publishable(server);
    const leftOut = all.filter((address) => !addresses.includes(address));
    if (leftOut.length > 0)
      log.warn({ server, leftOut }, 'not published, as no sound was heard from here at this address');
    return addresses;
  }

  /** Asked at the last moment before each write: much may have changed while an answer was waited for. */
  #writeUntilMs(server: ServerName, epoch: number, addresses: readonly string[]): number {
    const { cluster, clock, policy, proofs } = this.#options;
    if (!isStillWanted(this.#state, server, clock.nowMs(), policy)) return Number.NEGATIVE_INFINITY;
    const isOverridden = this.#isOverridden(server);
    const provenUntilMs = isOverridden ? Number.POSITIVE_INFINITY : proofs.provenUntilMs(server, addresses);
    if (cluster === null) return provenUntilMs;
    const lease = cluster.lease();
    const isOurs = lease.is === 'ours' && lease.epoch === epoch;
    return isOurs ? Math.min(lease.heldUntilMs, provenUntilMs) : Number.NEGATIVE_INFINITY;
  }
}

function leaseOf(view: LeaseView, cluster: Cluster<WireObservation>): Lease {
  switch (view.is) {
    case 'ours':
      return { is: 'ours', epoch: view.epoch, stepDownAtMs: view.heldUntilMs };
    case 'theirs':
      return { is: 'theirs', holder: view.holder };
    case 'free':
    case 'unknown': {
      const link = cluster.link();
      if (link.is === 'connected') return { is: 'lost', detail: 'nobody holds the lease yet' };
      if (link.is === 'no-majority')
        return { is: 'lost', detail: `NATS answers, but not most of its servers (${link.reason})` };
      return { is: 'lost', detail: link.reason ?? 'NATS does not answer' };
    }
  }
}

/** Which authorities do not answer what was written, and what they answer; null when all do. */
function behindIn(authorities: readonly AuthorityView[]): string | null {
  const texts = authorities.flatMap((view) => (view.is === 'converged' ? [] : [view.text]));
  return texts.length === 0 ? null : texts.join('; ');
}

function outcomeOf(applied: ApplyOutcome): PublishOutcome {
  switch (applied.is) {
    case 'converged':
      return { is: 'done', behind: null };
    case 'half-applied':
      return { is: 'done', behind: behindIn(applied.authorities) };
    case 'fenced':
      return { is: 'fenced', detail: `${applied.standing.writer} wrote epoch ${applied.standing.epoch}` };
    case 'failed':
      return { is: 'failed', detail: applied.failure.text };
    case 'not-allowed':
      return { is: 'lapsed', detail: 'the right to write ended' };
    case 'broken-off':
      return { is: 'lapsed', detail: 'the right to write ended while the write was under way' };
    case 'superseded':
    case 'stopped':
      return { is: 'lapsed', detail: `the write was ${applied.is}` };
  }
}
