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
import { openStore, type Store, type StoredEntry, type StoreOptions } from './nats-store.ts';
import { decodeLease, decodePublished, encodeLease, encodePublished, isName, keyFor } from './wire.ts';

export const LEASE_TIMES: LeaseTimes = { lengthMs: 15_000, renewEveryMs: 2_000, skewMs: 500 };

/** What the cluster needs of the machine, injected for tests. */
export interface ClusterParts {
  readonly clock: Clock;
  readonly random: Random;
  open?(options: StoreOptions): Promise<Store>;
}

const TICK_MS = 250;
const REQUEST_MS = 2_000;
const REOPEN = { firstMs: 250, maxMs: 5_000 };
/** Our own writes come back over the watch; when they don't for this long, the watch is dead and is laid anew. */
const ECHO_WITHIN_MS = 3_000;
const CLOSE_WITHIN_MS = 1_500;
const MOST_PEERS = 64;

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
  #store: Store | null = null;
  #stopWatch: (() => void) | null = null;
  #link: ClusterLink;
  #isOpening = false;
  #openAtMs = 0;
  #waiting: { readonly observation: Observation } | null = null;
  #published = 0;
  #isPublishing = false;
  #isLeasing = false;
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
    this.#waiting = { observation };
    void this.#publishNext();
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
    const store = this.#store;
    if (store === null) return;
    const leave = this.#tendLease()
      .then(() => store.close())
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
    if (this.#store?.isClosed()) this.#lose('the connection was lost');
    const unechoedMs = this.#unechoedSinceMs === null ? 0 : nowMs - this.#unechoedSinceMs;
    if (unechoedMs > ECHO_WITHIN_MS) this.#lose('changes no longer come in');
    if (this.#store === null && !this.#isOpening && nowMs >= this.#openAtMs) void this.#open();
    void this.#tendLease();
  }

  async #open(): Promise<void> {
    const { urls, login, self, replicas } = this.#options;
    this.#isOpening = true;
    let store: Store | null = null;
    try {
      store = await (this.#parts.open ?? openStore)({
        urls,
        login,
        name: `sustain ${self}`,
        replicas: replicas ?? (urls.length >= 3 ? 3 : 1),
        requestMs: REQUEST_MS,
      });
      await this.#readLease(store);
      const stopWatch = await store.watch(this.#prefix, (entry) => this.#take(entry));
      if (this.#isClosed) return await store.close();
      this.#store = store;
      this.#stopWatch = stopWatch;
      this.#reopen.succeeded();
      this.#setLink({ is: 'connected', sinceMs: this.#parts.clock.nowMs() });
    } catch (thrown) {
      store?.close().catch(() => undefined);
      this.#notOpened(store !== null || isWithoutMajority(thrown), messageOf(thrown));
    } finally {
      this.#isOpening = false;
    }
  }

  #notOpened(isAnswering: boolean, reason: string): void {
    this.#openAtMs = this.#parts.clock.nowMs() + this.#reopen.nextMs();
    const sinceMs = this.#parts.clock.nowMs();
    this.#setLink({ is: isAnswering ? 'no-majority' : 'connecting', sinceMs, reason });
  }

  #lose(reason: string): void {
    this.#stopWatch?.();
    this.#store?.close().catch(() => undefined);
    this.#store = null;
    this.#stopWatch = null;
    this.#unechoedSinceMs = null;
    this.#setLink({ is: 'connecting', sinceMs: this.#parts.clock.nowMs(), reason });
  }

  /** A state that goes on keeps the time since when it does. */
  #setLink(link: ClusterLink): void {
    const isSame = link.is === this.#link.is;
    this.#link = isSame ? { ...link, sinceMs: this.#link.sinceMs } : link;
    if (!isSame) this.#changed();
  }

  #take({ key, revision, value }: StoredEntry): void {
    const nowMs = this.#parts.clock.nowMs();
    const [kind, from, ...more] = key.slice(this.#prefix.length + 1).split('.');
    if (kind === 'lease' && from === undefined) {
      const record = value === null ? null : decodeLease(value);
      if (record?.session === this.#session) this.#unechoedSinceMs = null;
      this.#lease.saw(revision, record, nowMs);
      this.#changed();
    } else if (kind === 'observed' && from !== undefined && more.length === 0 && isName(from)) {
      this.#takeObservation(from, value, nowMs);
    }
  }

  #takeObservation(from: string, value: Uint8Array | null, nowMs: number): void {
    if (from === this.#options.self) {
      this.#unechoedSinceMs = null;
      return;
    }
    const published = value === null ? null : decodePublished(value);
    const observation = published === null ? null : this.#options.parse(published.observation);
    if (published === null || observation === null) return;
    const known = this.#peers.get(from);
    if (known === undefined && this.#peers.size >= MOST_PEERS) return;
    // A watch laid anew gives old values again, perhaps from a copy that lags.
    if (known?.session === published.session && known.number >= published.number) return;
    const { session, number } = published;
    this.#peers.set(from, { from, observation, seenAtMs: nowMs, session, number });
    this.#changed();
  }

  async #publishNext(): Promise<void> {
    const store = this.#store;
    const waiting = this.#waiting;
    if (store === null || waiting === null || this.#isPublishing || this.#isClosed) return;
    this.#waiting = null;
    this.#isPublishing = true;
    this.#published += 1;
    const { observation } = waiting;
    const text = encodePublished({ session: this.#session, number: this.#published, observation });
    const stored = await store.put(`${this.#prefix}.observed.${this.#options.self}`, text);
    this.#isPublishing = false;
    this.#judge(store, stored.is === 'failed' ? stored.reason : null);
    void this.#publishNext();
  }

  async #tendLease(): Promise<void> {
    const store = this.#store;
    if (store === null || this.#isLeasing) return;
    const attempt = this.#lease.due(this.#parts.clock.nowMs());
    if (attempt === null) return;
    this.#isLeasing = true;
    const key = `${this.#prefix}.lease`;
    const stored = await store.update(key, encodeLease(attempt.record), attempt.expectedRevision);
    try {
      if (stored.is === 'stored') {
        this.#lease.saw(stored.revision, attempt.record, this.#parts.clock.nowMs());
        this.#changed();
      } else if (stored.is === 'refused') await this.#readLease(store);
      this.#judge(store, stored.is === 'failed' ? stored.reason : null);
    } catch (thrown) {
      this.#judge(store, messageOf(thrown));
    } finally {
      this.#isLeasing = false;
    }
  }

  /** What the leader has, which settles what a copy or a lost answer left open. */
  async #readLease(store: Store): Promise<void> {
    const entry = await store.read(`${this.#prefix}.lease`);
    const record = entry?.value ? decodeLease(entry.value) : null;
    this.#lease.adopt(entry?.revision ?? 0, record, this.#parts.clock.nowMs());
    this.#changed();
  }

  /** A write tells how we stand to the majority. */
  #judge(store: Store, failure: string | null): void {
    if (this.#store !== store || this.#isClosed) return;
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

/** NATS answered the client and JetStream didn't, or said that it can't now. */
function isWithoutMajority(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    /jetstream|no responders|503|10008|timeout/i.test(`${thrown.name} ${thrown.message}`)
  );
}

/** Joins the others over NATS. It is there at once, and says by `link` how far it got. Throws nothing. */
export function openCluster<Observation>(
  options: ClusterOptions<Observation>,
  parts: ClusterParts,
): Cluster<Observation> {
  return new NatsCluster(options, parts);
}
