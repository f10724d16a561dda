import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { systemClock } from '../../platform/clock.ts';
import { type HeardReport, hear, type Recording } from './hearing.ts';
import { createIcySplitter } from './icy.ts';
import { ORDINARY_PLAYER, type PlayerBuffer } from './player.ts';
import { STARTS_WITHIN_MS, waitUntil } from './process.ts';

export interface ListenerOptions {
  readonly name: string;
  /** A function is asked again for every connection, as a player that resolves its name anew. */
  readonly url: string | (() => string);
  readonly userAgent?: string;
  /** Connect again this long after a connection ended or could not be made; null (the default): never. */
  readonly reconnectMs?: number | null;
  /** Give a connection up after this long without a byte, as many players do; null (the default): never. */
  readonly readTimeoutMs?: number | null;
  readonly buffer?: PlayerBuffer;
  /** Ask for titles in the stream, as most players do. */
  readonly titles?: boolean;
}

export interface HeardTitle {
  readonly atMs: number;
  readonly title: string;
}

/** A real listener on a real mount. Turn it off with `stop` and read what it heard. */
export interface Listener {
  readonly name: string;
  readonly userAgent: string;
  readonly connected: () => boolean;
  readonly disconnects: () => number;
  readonly titles: () => readonly HeardTitle[];
  /** Turns the player off and tells what came out of its loudspeaker. */
  readonly stop: () => Promise<HeardReport>;
  /** What was heard up to now, while the listener goes on. */
  readonly report: () => Promise<HeardReport>;
}

const ORDINARY_USER_AGENT = 'VLC/3.0.18 LibVLC/3.0.18';

/** The network side of a player: connects, records, and connects again where it should. */
function createReceiver(options: ListenerOptions, userAgent: string) {
  const recordings: Recording[] = [];
  const titles: HeardTitle[] = [];
  const counts = { disconnects: 0, refusals: 0 };
  let lastFailure = '';
  let open: ClientRequest | null = null;
  let receiving = false;
  let isOff = false;

  const ended = (why: string) => {
    if (open === null) return;
    open = null;
    if (receiving) counts.disconnects += 1;
    else counts.refusals += 1;
    receiving = false;
    lastFailure = why;
    const { reconnectMs } = options;
    if (!isOff && typeof reconnectMs === 'number') setTimeout(connect, reconnectMs);
  };
  const receive = (response: IncomingMessage) => {
    if (response.statusCode !== 200) {
      response.resume();
      return ended(`answered ${response.statusCode}`);
    }
    receiving = true;
    recordings.push(recordBody(response, (title) => titles.push({ atMs: systemClock.nowMs(), title })));
    response.once('close', () => ended('closed'));
    response.on('error', () => undefined);
  };
  const connect = () => {
    if (isOff) return;
    const url = typeof options.url === 'string' ? options.url : options.url();
    const headers = { 'user-agent': userAgent, ...(options.titles ? { 'icy-metadata': '1' } : {}) };
    const request = get(url, { agent: false, headers }, (response) => {
      if (request === open) receive(response);
      else response.destroy();
    });
    open = request;
    request.on('error', (error) => request === open && ended(error.message));
    if (options.readTimeoutMs) request.setTimeout(options.readTimeoutMs, () => request.destroy());
  };
  return {
    recordings,
    titles,
    counts,
    connect,
    receiving: () => receiving,
    lastFailure: () => lastFailure,
    turnOff() {
      isOff = true;
      receiving = false;
      const request = open;
      open = null;
      request?.destroy();
    },
  };
}

/** Resolves when the first sound arrives. */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const startedAtMs = systemClock.nowMs();
  const userAgent = options.userAgent ?? ORDINARY_USER_AGENT;
  const receiver = createReceiver(options, userAgent);
  let endedAtMs: number | null = null;
  const report = () =>
    hear({
      name: options.name,
      startedAtMs,
      endedAtMs: endedAtMs ?? systemClock.nowMs(),
      recordings: receiver.recordings,
      disconnects: receiver.counts.disconnects,
      refusals: receiver.counts.refusals,
      buffer: options.buffer ?? ORDINARY_PLAYER,
    });

  receiver.connect();
  try {
    await waitUntil(
      `${options.name} hears something`,
      STARTS_WITHIN_MS,
      () => receiver.recordings.some(({ arrivals }) => arrivals.length > 0),
      receiver.lastFailure,
    );
  } catch (thrown) {
    receiver.turnOff();
    throw thrown;
  }
  return {
    name: options.name,
    userAgent,
    connected: receiver.receiving,
    disconnects: () => receiver.counts.disconnects,
    titles: () => receiver.titles,
    report,
    stop() {
      endedAtMs ??= systemClock.nowMs();
      receiver.turnOff();
      return report();
    },
  };
}

function recordBody(response: IncomingMessage, onTitle: (title: string) => void): Recording {
  const intervalBytes = Number(response.headers['icy-metaint'] ?? 0);
  const soundOf = intervalBytes > 0 ? createIcySplitter(intervalBytes, onTitle) : (chunk: Buffer) => chunk;
  const recording: Recording = {
    connectedAtMs: systemClock.nowMs(),
    contentType: String(response.headers['content-type'] ?? ''),
    arrivals: [],
    chunks: [],
  };
  let byteEnd = 0;
  response.on('data', (chunk: Buffer) => {
    const sound = soundOf(chunk);
    if (sound.length === 0) return;
    byteEnd += sound.length;
    recording.chunks.push(sound);
    recording.arrivals.push({ atMs: systemClock.nowMs(), byteEnd });
  });
  return recording;
}
