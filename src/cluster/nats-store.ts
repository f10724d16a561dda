import { JetStreamApiCodes, JetStreamApiError, jetstreamManager } from '@nats-io/jetstream';
import { Kvm, type KvWatchEntry } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { messageOf } from '../platform/errors.ts';
import type { ClusterLogin } from './cluster.ts';

/** One key as it stands. Null: it was deleted. */
export interface StoredEntry {
  readonly key: string;
  readonly revision: number;
  readonly value: Uint8Array | null;
}

/** `storedAt`: when it was put there, by the clock of a NATS server. */
export interface WatchedEntry extends StoredEntry {
  readonly storedAt: Date;
}

export type Stored =
  | { readonly is: 'stored'; readonly revision: number }
  /** The key is no longer at the expected revision. */
  | { readonly is: 'refused' }
  /** Not answered, or not by a majority: whether it was stored is unknown. */
  | { readonly is: 'failed'; readonly reason: string };

/** A connection to one NATS server. It ends when it is lost; another is opened instead. */
export interface Wire {
  readonly isClosed: () => boolean;
  /** To whoever listens now, without a majority or a store. */
  announce(key: string, text: string): void;
  listen(prefix: string, onMessage: (key: string, value: Uint8Array) => void): void;
  /** Throws when JetStream can't open the bucket now. */
  openBucket(): Promise<Bucket>;
  /** Throws when the server has no JetStream for us. */
  storage(): Promise<void>;
  close(): Promise<void>;
}

/** The key-value bucket, replicated. Its writes never throw. */
export interface Bucket {
  put(key: string, text: string): Promise<Stored>;
  /** Compare-and-set; 0: only if there is no such key. */
  update(key: string, text: string, expectedRevision: number): Promise<Stored>;
  /** From the leader, not from a copy. Throws when there is no answer. */
  read(key: string): Promise<StoredEntry | null>;
  /** The last value of every key under the prefix, then every change. Ends with the returned function. */
  watch(prefix: string, onEntry: (entry: WatchedEntry) => void): Promise<() => void>;
}

export interface WireOptions {
  readonly urls: readonly string[];
  readonly login: ClusterLogin;
  readonly name: string;
  readonly replicas: number;
  readonly requestMs: number;
}

const BUCKET = 'sustain';

/** A hanging server is left after two of these without an answer. */
const PING_MS = 1_000;

/** Whether one NATS server can be used: null, or why it can't. */
export async function tryNats(url: string, login: ClusterLogin): Promise<string | null> {
  const options = { urls: [url], login, name: 'sustain check', replicas: 1, requestMs: TRY_MS };
  try {
    const wire = await openWire(options);
    try {
      await wire.storage();
      return null;
    } finally {
      await wire.close();
    }
  } catch (thrown) {
    return messageOf(thrown);
  }
}

const TRY_MS = 3_000;

/** Connects to the first server that answers. Throws when there is none. */
export async function openWire(options: WireOptions): Promise<Wire> {
  const connection = await connect({
    servers: [...options.urls],
    name: options.name,
    timeout: options.requestMs,
    pingInterval: PING_MS,
    maxPingOut: 2,
    // Another wire is opened instead, so that there is one way back to a known state and not two.
    reconnect: false,
    // Who writes tls:// means it; a server that offers none is not spoken to.
    ...(options.urls.some((url) => url.startsWith('tls:')) ? { tls: {} } : {}),
    ...loginOf(options.login),
  });
  return {
    isClosed: () => connection.isClosed(),
    announce(key, text) {
      if (!connection.isClosed()) connection.publish(`${BUCKET}.${key}`, text);
    },
    listen(prefix, onMessage) {
      connection.subscribe(`${BUCKET}.${prefix}.>`, {
        callback: (error, message) => {
          if (error === null) onMessage(message.subject.slice(BUCKET.length + 1), message.data);
        },
      });
    },
    openBucket: () => openBucket(connection, options),
    async storage() {
      const manager = await jetstreamManager(connection, { timeout: options.requestMs });
      await manager.getAccountInfo();
    },
    close: () => connection.close(),
  };
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

async function openBucket(connection: NatsConnection, options: WireOptions): Promise<Bucket> {
  const { requestMs, replicas } = options;
  const manager = await jetstreamManager(connection, { timeout: requestMs });
  const settings = { replicas, history: 1, timeout: requestMs, maxValueSize: 32 * 1024 };
  const kv = await new Kvm(manager.jetstream()).create(BUCKET, settings);
  return {
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
  };
}

function entryOf({ key, revision, operation, value, created }: KvWatchEntry): WatchedEntry {
  return { key, revision, value: operation === 'PUT' ? value : null, storedAt: created };
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
