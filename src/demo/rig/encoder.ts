import { systemClock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import { DEFAULT_FORMAT, type StreamFormat } from './encoder-format.ts';
import type { IcecastAddress } from './icecast-server.ts';
import { CHANNELS, SAMPLE_RATE_HZ } from './material.ts';
import {
  type EncoderTarget,
  ezstreamPipeline,
  ffmpegPipeline,
  liquidsoapPipeline,
  type Pipeline,
} from './pipelines.ts';
import { STARTS_WITHIN_MS, waitUntil } from './process.ts';
import type { Programme } from './programme.ts';

export type { StreamFormat } from './encoder-format.ts';
export type { EncoderTarget } from './pipelines.ts';

export type EncoderKind = 'ffmpeg' | 'ezstream' | 'liquidsoap';

export interface EncoderOptions {
  /** For messages and titles: `encoder 1`. */
  readonly name: string;
  readonly programme: Programme;
  readonly targets: readonly EncoderTarget[];
  readonly kind?: EncoderKind;
  readonly format?: Partial<StreamFormat>;
  /** A connection that ends by itself is made again after this long; null: never. Default 1 s. */
  readonly reconnectMs?: number | null;
  /** Sends a new title this often, as playout systems do. */
  readonly titlesEveryMs?: number;
}

/** An encoder as stations have them: one box, one programme, a mount on each of its servers. */
export interface Encoder {
  readonly name: string;
  readonly programme: Programme;
  readonly targets: readonly EncoderTarget[];
  /** Resolves when every mount is there. */
  readonly start: () => Promise<void>;
  /** An orderly end: the mounts go at once. */
  readonly stop: () => Promise<void>;
  /** SIGKILL, and no reconnection until `start`. */
  readonly kill: () => Promise<void>;
  /** SIGSTOP: the sockets stay open and nothing comes. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Sound that the servers were too slow to take, in ms over all targets. */
  readonly droppedMs: () => number;
  readonly lastWords: () => string;
}

const PCM_BYTES_PER_MS = (SAMPLE_RATE_HZ * CHANNELS * 2) / 1000;
const MAX_WAITING_BYTES = 1000 * PCM_BYTES_PER_MS;

/** One connection of the encoder, made again after it ended by itself. */
interface Lane {
  readonly open: () => Promise<void>;
  readonly end: (how: 'stop' | 'kill') => Promise<void>;
  readonly write: (pcm: Buffer) => void;
  readonly signal: (name: 'SIGSTOP' | 'SIGCONT') => void;
  readonly droppedBytes: () => number;
  readonly lastWords: () => string;
}

function createLane(build: () => Promise<Pipeline>, reconnectMs: number | null): Lane {
  let wanted = false;
  let pipeline: Pipeline | null = null;
  let droppedBytes = 0;
  let lastWords = '';

  const open = async () => {
    wanted = true;
    const built = await build();
    if (!wanted) return endPipeline(built, 'kill');
    pipeline = built;
    built.ended.then(() => afterEnd(built));
  };
  const afterEnd = async (ended: Pipeline) => {
    lastWords = ended.lastWords();
    if (pipeline !== ended) return;
    pipeline = null;
    await endPipeline(ended, 'kill');
    if (wanted && reconnectMs !== null) setTimeout(reopen, reconnectMs).unref();
  };
  const reopen = () => {
    if (!wanted || pipeline !== null) return;
    open().catch((thrown: unknown) => {
      lastWords = messageOf(thrown);
    });
  };
  return {
    open,
    async end(how) {
      wanted = false;
      const ending = pipeline;
      pipeline = null;
      if (ending !== null) await endPipeline(ending, how);
    },
    write(pcm) {
      if (pipeline === null) return;
      if (pipeline.pcmIn.writableLength > MAX_WAITING_BYTES) droppedBytes += pcm.length;
      else if (pipeline.pcmIn.writable) pipeline.pcmIn.write(pcm);
    },
    signal(name) {
      for (const part of pipeline?.processes ?? []) part.signal(name);
    },
    droppedBytes: () => droppedBytes,
    lastWords: () => pipeline?.lastWords() || lastWords,
  };
}

function lanesOf(options: EncoderOptions, format: StreamFormat): readonly Lane[] {
  const reconnectMs = options.reconnectMs === undefined ? 1000 : options.reconnectMs;
  const lane = (build: () => Promise<Pipeline>) => createLane(build, reconnectMs);
  switch (options.kind ?? 'ffmpeg') {
    case 'ffmpeg':
      return options.targets.map((target) => lane(() => ffmpegPipeline(target, format)));
    case 'ezstream':
      return options.targets.map((target) => lane(() => ezstreamPipeline(target, format)));
    case 'liquidsoap':
      return [lane(() => liquidsoapPipeline(options.targets, format))];
  }
}

export function createEncoder(options: EncoderOptions): Encoder {
  const { programme, targets, name } = options;
  const lanes = lanesOf(options, { ...DEFAULT_FORMAT, ...options.format });
  let started = false;
  let paused = false;
  let undo: (() => void)[] = [];

  const end = async (how: 'stop' | 'kill') => {
    started = false;
    paused = false;
    for (const step of undo) step();
    undo = [];
    await Promise.all(lanes.map((lane) => lane.end(how)));
  };
  const lastWords = () =>
    lanes
      .map((lane) => lane.lastWords())
      .filter(Boolean)
      .join('\n');
  const write = (pcm: Buffer) => {
    for (const lane of lanes) lane.write(pcm);
  };
  return {
    name,
    programme,
    targets,
    async start() {
      if (started) return;
      started = true;
      try {
        await Promise.all(lanes.map((lane) => lane.open()));
        undo.push(programme.take(write));
        if (options.titlesEveryMs !== undefined) undo.push(sendTitles(options, () => paused));
        await Promise.all(targets.map((target) => waitForMount(name, target, lastWords)));
      } catch (thrown) {
        await end('kill');
        throw thrown;
      }
    },
    stop: () => end('stop'),
    kill: () => end('kill'),
    pause() {
      paused = true;
      for (const lane of lanes) lane.signal('SIGSTOP');
    },
    resume() {
      paused = false;
      for (const lane of lanes) lane.signal('SIGCONT');
    },
    droppedMs: () => lanes.reduce((sum, lane) => sum + lane.droppedBytes(), 0) / PCM_BYTES_PER_MS,
    lastWords,
  };
}

async function endPipeline(pipeline: Pipeline, how: 'stop' | 'kill'): Promise<void> {
  if (how === 'kill') for (const part of pipeline.processes) part.signal('SIGKILL');
  await Promise.all(pipeline.processes.map((part) => (how === 'stop' ? part.stop() : part.exited)));
  pipeline.cleanUp();
}

async function waitForMount(name: string, target: EncoderTarget, explain: () => string): Promise<void> {
  await waitUntil(
    `${name} on http://${target.server.host}:${target.server.port}${target.mount}`,
    STARTS_WITHIN_MS,
    async () =>
      (await askSource(target.server, '/admin/listclients', {
        mount: target.mount,
      })) === 200,
    explain,
  );
}

/** A mount's source password opens the admin commands of that mount, which is all that an encoder ever has. */
async function askSource(
  server: IcecastAddress,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<number> {
  const authorization = `Basic ${Buffer.from(`${server.user}:${server.password}`).toString('base64')}`;
  const response = await fetch(`http://${server.host}:${server.port}${path}?${new URLSearchParams(query)}`, {
    headers: {
      authorization,
      'user-agent': 'sustain-rig',
      connection: 'close',
    },
    signal: AbortSignal.timeout(3000),
  });
  await response.arrayBuffer();
  return response.status;
}

function sendTitles(options: EncoderOptions, paused: () => boolean): () => void {
  let count = 0;
  return systemClock.every(options.titlesEveryMs ?? 3000, () => {
    if (paused()) return;
    count += 1;
    for (const target of options.targets) {
      const query = {
        mount: target.mount,
        mode: 'updinfo',
        charset: 'UTF-8',
        song: `${options.name} - ${count}`,
      };
      // A title that didn't arrive is followed by the next one.
      askSource(target.server, '/admin/metadata', query).catch(() => undefined);
    }
  });
}
