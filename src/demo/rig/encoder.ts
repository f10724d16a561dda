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
import { waitUntil } from './process.ts';
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

interface Lane {
  pipeline: Pipeline | null;
  readonly build: () => Promise<Pipeline>;
  lastWords: string;
}

function lanesOf(options: EncoderOptions, format: StreamFormat): readonly Lane[] {
  const lane = (build: () => Promise<Pipeline>): Lane => ({
    pipeline: null,
    build,
    lastWords: '',
  });
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
  const reconnectMs = options.reconnectMs === undefined ? 1000 : options.reconnectMs;
  let wanted = false;
  let paused = false;
  let droppedBytes = 0;
  let stopFeeding: (() => void) | null = null;
  let stopTitles: (() => void) | null = null;

  const write = (pcm: Buffer) => {
    for (const { pipeline } of lanes) {
      if (pipeline === null) continue;
      if (pipeline.pcmIn.writableLength > MAX_WAITING_BYTES) droppedBytes += pcm.length;
      else if (pipeline.pcmIn.writable) pipeline.pcmIn.write(pcm);
    }
  };
  const open = async (lane: Lane) => {
    const pipeline = await lane.build();
    if (!wanted) return endPipeline(pipeline, 'kill');
    lane.pipeline = pipeline;
    pipeline.ended.then(async () => {
      lane.lastWords = pipeline.lastWords();
      if (lane.pipeline !== pipeline) return;
      lane.pipeline = null;
      await endPipeline(pipeline, 'kill');
      if (wanted && reconnectMs !== null) setTimeout(() => reopen(lane), reconnectMs).unref();
    });
  };
  const reopen = (lane: Lane) => {
    if (!wanted || lane.pipeline !== null) return;
    open(lane).catch((thrown: unknown) => {
      lane.lastWords = messageOf(thrown);
    });
  };
  const end = async (how: 'stop' | 'kill') => {
    wanted = false;
    paused = false;
    stopFeeding?.();
    stopTitles?.();
    stopFeeding = null;
    stopTitles = null;
    const pipelines = lanes.flatMap((lane) => lane.pipeline ?? []);
    for (const lane of lanes) lane.pipeline = null;
    await Promise.all(pipelines.map((pipeline) => endPipeline(pipeline, how)));
  };
  const lastWords = () =>
    lanes
      .map((lane) => lane.pipeline?.lastWords() || lane.lastWords)
      .filter(Boolean)
      .join('\n');
  const signal = (signalName: 'SIGSTOP' | 'SIGCONT') => {
    for (const lane of lanes) for (const part of lane.pipeline?.processes ?? []) part.signal(signalName);
  };

  return {
    name,
    programme,
    targets,
    async start() {
      if (wanted) return;
      wanted = true;
      try {
        await Promise.all(lanes.map(open));
        stopFeeding = programme.take(write);
        if (options.titlesEveryMs !== undefined) stopTitles = sendTitles(options, () => paused);
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
      signal('SIGSTOP');
    },
    resume() {
      paused = false;
      signal('SIGCONT');
    },
    droppedMs: () => droppedBytes / PCM_BYTES_PER_MS,
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
    20_000,
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
