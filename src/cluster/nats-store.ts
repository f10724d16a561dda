import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
} from '@nats-io/jetstream';
import { type KV, Kvm, type KvWatchEntry } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { messageOf } from '../platform/errors.ts';
import type { ClusterLogin } from './cluster.ts';

/** One key as it stands. Null: it was deleted. */
export interface StoredEntry {
  readonly key: string;
  readonly revision: number;
  readonly value: Uint8Array | null;
}

export type Stored =
  | { readonly is: 'stored'; readonly revision: number }
  /** The key is no longer at the expected revision. */
  | { readonly is: 'refused' }
  /** Not answered, or not by a majority: whether it was stored is unknown. */
  | { readonly is: 'failed'; readonly reason: string };

/** A key-value bucket, replicated. Writes never throw; a lost connection ends the store, and another is opened. */
export interface Store {
  readonly isClosed: () => boolean;
  readonly server: () => string;
  put(key: string, text: string): Promise<Stored>;
  /** Compare-and-set; 0: only if there is no such key. */
  update(key: string, text: string, expectedRevision: number): Promise<Stored>;
  /** From the leader, not from a copy. Throws when there is no answer. */
  read(key: string): Promise<StoredEntry | null>;
  /** The last value of every key under the prefix, then every change. Ends with the returned function. */
  watch(prefix: string, onEntry: (entry: StoredEntry) => void): Promise<() => void>;
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly urls: readonly string[];
  readonly login: ClusterLogin;
  readonly name: string;
  readonly replicas: number;
  readonly requestMs: number;
}

const BUCKET = 'sustain';

/** Connects to the first server that answers and opens the bucket, or makes it. Throws when that can't be done now. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { requestMs, replicas } = options;
  const connection = await connect({
    servers: [...options.urls],
    name: options.name,
    timeout: requestMs,
    // A server that hangs is left after two pings without an answer.
    pingInterval: Math.max(500, requestMs),
    maxPingOut: 2,
    // Another store is opened instead, so that there is one way back to a known state and not two.
    reconnect: false,
    ...loginOf(options.login),
  });
  try {
    const manager = await jetstreamManager(connection, { timeout: requestMs });
    const kv = await new Kvm(manager.jetstream()).create(BUCKET, {
      replicas,
      history: 1,
      timeout: requestMs,
      maxValueSize: 32 * 1024,
    });
    return storeOn(connection, manager, kv, requestMs);
  } catch (thrown) {
    await connection.close();
    throw thrown;
  }
}

function loginOf(login: ClusterLogin) {
  switch (login.by) {
    case 'nothing':
      return {};
    case 'token':
      return { token: login.token.reveal() };
    case 'password':
      return { user: login.user, pass: login.password.reveal() };
  }
}

function storeOn(connection: NatsConnection, manager: JetStreamManager, kv: KV, requestMs: number): Store {
  return {
    isClosed: () => connection.isClosed(),
    server: () => connection.getServer(),
    put: (key, text) => stored(() => kv.put(key, text, { timeout: requestMs })),
    update: (key, text, expectedRevision) =>
      stored(() => kv.put(key, text, { previousSeq: expectedRevision, timeout: requestMs })),
    async read(key) {
      const query = { last_by_subj: `$KV.${BUCKET}.${key}` };
      const message = await manager.streams.getMessage(`KV_${BUCKET}`, query);
      if (message === null) return null;
      const isGone = (message.header?.get('KV-Operation') ?? '') !== '';
      return { key, revision: message.seq, value: isGone ? null : message.data };
    },
    async watch(prefix, onEntry) {
      const entries = await kv.watch({ key: `${prefix}.>` });
      const run = async () => {
        for await (const entry of entries) onEntry(entryOf(entry));
      };
      // It ends with the connection; whoever watches finds out by hearing nothing.
      run().catch(() => undefined);
      return () => entries.stop();
    },
    close: () => connection.close(),
  };
}

function entryOf({ key, revision, operation, value }: KvWatchEntry): StoredEntry {
  return { key, revision, value: operation === 'PUT' ? value : null };
}

const REFUSED: readonly number[] = [
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
];

async function stored(write: () => Promise<number>): Promise<Stored> {
  try {
    return { is: 'stored', revision: await write() };
  } catch (thrown) {
    if (thrown instanceof JetStreamApiError && REFUSED.includes(thrown.code)) return { is: 'refused' };
    return { is: 'failed', reason: messageOf(thrown) };
  }
}
