import { Backoff } from '../platform/backoff.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Random } from '../platform/random.ts';
import type {
  Cluster,
  ClusterLink,
  ClusterOptions,
  LeaseTimes,
  LeaseView,
  PeerObservation,
} from './cluster.ts';
import { Lease } from './lease.ts';
import type { Bucket, WatchedEntry, Wire, WireOptions } from './nats-store.ts';
import { decodeLease, decodePublished, encodeLease, encodePublished, isName, keyFor } from './wire.ts';

export const LEASE_TIMES: LeaseTimes = { lengthMs: 15_000, renewEveryMs: 2_000, skewMs: 500 };

/** What the cluster needs of the machine, injected for tests. */
export interface ClusterParts {
  readonly clock: Clock;
  readonly random: Random;
  open?(options: WireOptions): Promise<Wire>;
}

const TICK_MS = 250;
const REQUEST_MS = 2_000;
const REOPEN = { firstMs: 250, maxMs: 2_000 };
/** Our own writes come back over the watch; when they don't for this long, the watch is dead and is laid anew. */
const ECHO_WITHIN_MS = 3_000;
const CLOSE_WITHIN_MS = 1_500;
const MOST_PEERS = 64;
/** A word from further in the future than this tells that the clocks are wrong, and not how old it is. */
const MOST_AHEAD_MS = 60_000;

interface Peer<Observation> extends PeerObservation<Observation> {
  readonly session: string;
  readonly number: number;
}

class NatsCluster<Observation> implements Cluster<Observation> {
  readonly #options: ClusterOptions<Observation>;
  readonly #parts: ClusterParts;
  readonly #session: string;
  readonly #lease: Lease;
  readonly #prefix: string;
  readonly #reopen: Backoff;
  readonly #peers = new Map<string, Peer<Observation>>();
  readonly #cancelTick: Cancel;
  #wire: Wire | null = null;
  #bucket: Bucket | null = null;
  #stopWatch: (() => void) | null = null;
  #link: ClusterLink;
  #isOpening = false;
  #openAtMs = 0;
  /** Published, and not in the bucket yet. */
  #waiting: string | null = null;
  #published = 0;
  #isStoring = false;
  #leasing: Promise<void> | null = null;
  /** When the first write of ours was stored that hasn't come back over the watch. */
  #unechoedSinceMs: number | null = null;
  #isClosed = false;

  constructor(options: ClusterOptions<Observation>, parts: ClusterParts) {
    this.#options = options;
    this.#parts = parts;
    this.#session = parts.random.token(8);
    this.#prefix = keyFor(options.group);
    this.#reopen = new Backoff(REOPEN, parts.random);
    const times = options.lease ?? LEASE_TIMES;
    const nonce = () => parts.random.token(8);
    this.#lease = new Lease({ self: options.self, session: this.#session, times, nonce });
    this.#link = { is: 'connecting', sinceMs: parts.clock.nowMs(), reason: null };
    this.#cancelTick = parts.clock.every(TICK_MS, () => this.#tick());
    this.#tick();
  }

  link(): ClusterLink {
    return this.#link;
  }

  peers(): readonly PeerObservation<Observation>[] {
    return [...this.#peers.values()].map(({ from, observation, seenAtMs }) => ({
      from,
      observation,
      seenAtMs,
    }));
  }

  lease(): LeaseView {
    return this.#lease.view(this.#parts.clock.nowMs());
  }

  publish(observation: Observation): void {
    this.#published += 1;
    const text = encodePublished({ session: this.#session, number: this.#published, observation });
    this.#wire?.announce(this.#observedKey, text);
    this.#waiting = text;
    void this.#storeNext();
  }

  seek(): void {
    this.#lease.seek(true);
    void this.#tendLease();
  }

  yield(): void {
    this.#lease.seek(false);
    void this.#tendLease();
  }

  noteMark(mark: { readonly epoch: number; readonly writer: string }): void {
    this.#lease.noteMark(mark);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelTick();
    this.#lease.seek(false);
    const wire = this.#wire;
    if (wire === null) return;
    // Twice: the first may only be the end of a renewal that is under way.
    const leave = this.#tendLease()
      .then(() => this.#tendLease())
      .then(() => wire.close())
      .catch(() => undefined);
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.clock.after(CLOSE_WITHIN_MS, resolve);
      leave.then(() => {
        cancel();
        resolve();
      });
    });
  }

  #tick(): void {
    const nowMs = this.#parts.clock.nowMs();
    if (this.#wire?.isClosed()) this.#loseWire();
    const unechoedMs = this.#unechoedSinceMs === null ? 0 : nowMs - this.#unechoedSinceMs;
    if (unechoedMs > ECHO_WITHIN_MS) this.#loseBucket();
    if (this.#bucket === null && !this.#isOpening && nowMs >= this.#openAtMs) void this.#open();
    void this.#tendLease();
  }

  /** First the connection, over which agents hear each other at once; then the bucket, which needs a majority. */
  async #open(): Promise<void> {
    this.#isOpening = true;
    try {
      this.#wire ??= await this.#connect();
      await this.#openBucket(this.#wire);
    } catch (thrown) {
      const nowMs = this.#parts.clock.nowMs();
      this.#openAtMs = nowMs + this.#reopen.nextMs();
      const is = this.#wire === null ? 'connecting' : 'no-majority';
      this.#setLink({ is, sinceMs: nowMs, reason: messageOf(thrown) });
    } finally {
      this.#isOpening = false;
    }
    if (this.#isClosed) await this.#wire?.close().catch(() => undefined);
  }

  async #connect(): Promise<Wire> {
    const { urls, login, self, replicas } = this.#options;
    // More than a megabyte that an agent without a cluster has no use for.
    const open = this.#parts.open ?? (await import('./nats-store.ts')).openWire;
    const wire = await open({
      urls,
      login,
      name: `sustain ${self}`,
      replicas: replicas ?? (urls.length >= 3 ? 3 : 1),
      requestMs: REQUEST_MS,
    });
    wire.listen(this.#prefix, (key, value) => this.#heard(key, value, this.#parts.clock.nowMs()));
    return wire;
  }

  async #openBucket(wire: Wire): Promise<void> {
    const bucket = await wire.openBucket();
    await this.#readLease(bucket);
    const stopWatch = await bucket.watch(this.#prefix, (entry) => this.#take(entry));
    if (this.#wire !== wire || this.#isClosed) return stopWatch();
    this.#bucket = bucket;
    this.#stopWatch = stopWatch;
    this.#reopen.succeeded();
    this.#setLink({ is: 'connected', sinceMs: this.#parts.clock.nowMs() });
  }

  #loseWire(): void {
    this.#loseBucket();
    this.#wire = null;
    const sinceMs = this.#parts.clock.nowMs();
    this.#setLink({ is: 'connecting', sinceMs, reason: 'the connection was lost' });
  }

  #loseBucket(): void {
    this.#stopWatch?.();
    this.#bucket = null;
    this.#stopWatch = null;
    this.#unechoedSinceMs = null;
  }

  /** A state that goes on keeps the time since when it does. */
  #setLink(link: ClusterLink): void {
    const isSame = link.is === this.#link.is;
    this.#link = isSame ? { ...link, sinceMs: this.#link.sinceMs } : link;
    if (!isSame) this.#changed();
  }

  #take({ key, revision, value, storedAt }: WatchedEntry): void {
    if (key !== this.#leaseKey) {
      if (key === this.#observedKey) this.#unechoedSinceMs = null;
      else if (value !== null) this.#found(key, value, storedAt);
      return;
    }
    const record = value === null ? null : decodeLease(value);
    if (record?.session === this.#session) this.#unechoedSinceMs = null;
    this.#lease.saw(revision, record, this.#parts.clock.nowMs());
    this.#changed();
  }

  /** The bucket keeps the last word of agents that are long gone: it is as old as it is, whenever it is read. */
  #found(key: string, value: Uint8Array, storedAt: Date): void {
    const { clock } = this.#parts;
    const ageMs = clock.wallTime().getTime() - storedAt.getTime();
    if (ageMs >= -MOST_AHEAD_MS) this.#heard(key, value, clock.nowMs() - Math.max(0, ageMs));
  }

  #heard(key: string, value: Uint8Array, saidAtMs: number): void {
    const [kind, from = '', ...more] = key.slice(this.#prefix.length + 1).split('.');
    if (kind !== 'observed' || !isName(from) || more.length > 0 || from === this.#options.self) return;
    this.#takeObservation(from, value, saidAtMs);
  }

  #takeObservation(from: string, value: Uint8Array, seenAtMs: number): void {
    const published = decodePublished(value);
    const observation = published === null ? null : this.#options.parse(published.observation);
    if (published === null || observation === null) return;
    const known = this.#peers.get(from);
    if (known === undefined && this.#peers.size >= MOST_PEERS) return;
    // It comes over the wire and out of the bucket, and from a watch laid anew perhaps once more.
    if (known?.session === published.session && known.number >= published.number) return;
    if (known !== undefined && known.seenAtMs > seenAtMs) return;
    const { session, number } = published;
    this.#peers.set(from, { from, observation, seenAtMs, session, number });
    this.#changed();
  }

  async #storeNext(): Promise<void> {
    const bucket = this.#bucket;
    const text = this.#waiting;
    if (text === null || bucket === null || this.#isStoring || this.#isClosed) return;
    this.#waiting = null;
    this.#isStoring = true;
    const stored = await bucket.put(this.#observedKey, text);
    this.#isStoring = false;
    this.#judge(bucket, stored.is === 'failed' ? stored.reason : null);
    void this.#storeNext();
  }

  #tendLease(): Promise<void> {
    this.#leasing ??= this.#tryLease().finally(() => {
      this.#leasing = null;
    });
    return this.#leasing;
  }

  async #tryLease(): Promise<void> {
    const bucket = this.#bucket;
    if (bucket === null) return;
    const attempt = this.#lease.due(this.#parts.clock.nowMs());
    if (attempt === null) return this.#settleLease(bucket);
    const stored = await bucket.update(this.#leaseKey, encodeLease(attempt.record), attempt.expectedRevision);
    try {
      if (stored.is === 'stored') {
        this.#lease.saw(stored.revision, attempt.record, this.#parts.clock.nowMs());
        this.#changed();
      } else if (stored.is === 'refused') await this.#readLease(bucket);
      this.#judge(bucket, stored.is === 'failed' ? stored.reason : null);
    } catch (thrown) {
      this.#judge(bucket, messageOf(thrown));
    }
    await this.#settleLease(bucket);
  }

  /**
   * A write to another key is stored after all that was on its way when the lease became ours. What the leader has under
   * the lease's key then is how it stands.
   */
  async #settleLease(bucket: Bucket): Promise<void> {
    const nonce = this.#lease.unsettled;
    if (nonce === null || this.#bucket !== bucket) return;
    try {
      const stored = await bucket.put(`${this.#prefix}.settled.${this.#options.self}`, nonce);
      if (stored.is === 'stored') await this.#readLease(bucket, nonce);
      else if (stored.is === 'failed') this.#judge(bucket, stored.reason);
    } catch (thrown) {
      this.#judge(bucket, messageOf(thrown));
    }
  }

  get #observedKey(): string {
    return `${this.#prefix}.observed.${this.#options.self}`;
  }

  get #leaseKey(): string {
    return `${this.#prefix}.lease`;
  }

  /** What the leader has, which settles what a copy or a lost answer left open. */
  async #readLease(bucket: Bucket, settling: string | null = null): Promise<void> {
    const entry = await bucket.read(this.#leaseKey);
    const record = entry?.value ? decodeLease(entry.value) : null;
    if (settling !== null && record?.nonce === settling) this.#lease.settle(settling);
    else this.#lease.adopt(entry?.revision ?? 0, record, this.#parts.clock.nowMs());
    this.#changed();
  }

  /** A write tells how we stand to the majority. */
  #judge(bucket: Bucket, failure: string | null): void {
    if (this.#bucket !== bucket || this.#isClosed) return;
    const sinceMs = this.#parts.clock.nowMs();
    if (failure !== null) this.#setLink({ is: 'no-majority', sinceMs, reason: failure });
    else {
      this.#unechoedSinceMs ??= sinceMs;
      this.#setLink({ is: 'connected', sinceMs });
    }
  }

  #changed(): void {
    if (!this.#isClosed) this.#options.onChange?.();
  }
}

/** Joins the others over NATS. It is there at once, and says by `link` how far it got. Throws nothing. */
export function openCluster<Observation>(
  options: ClusterOptions<Observation>,
  parts: ClusterParts,
): Cluster<Observation> {
  return new NatsCluster(options, parts);
}
