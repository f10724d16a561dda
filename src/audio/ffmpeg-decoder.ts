import type { DecoderState } from '../domain/readings.ts';
import { Backoff, type BackoffPolicy } from '../platform/backoff.ts';
import { BoundedQueue } from '../platform/bounded-queue.ts';
import { type Child, type ChildExit, describeExit, startChild } from '../platform/child.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { lookAtProcess } from '../platform/process-state.ts';
import type { Random } from '../platform/random.ts';
import { type Demuxer, decodeArguments } from './decode-command.ts';
import type { Decoder, DecoderFactory, DecoderOptions } from './decoder.ts';
import { PcmFrames } from './pcm-frames.ts';
import { letGo } from './sound-ring.ts';
import { StartGate } from './start-gate.ts';
import { type StreamHeaders, streamHeadersFor } from './stream-headers.ts';

export interface FfmpegDecodersOptions {
  readonly ffmpegPath: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly backoff?: BackoffPolicy;
  /** What stands after the command; replaced in tests by a child that misbehaves. */
  argumentsFor?(demuxer: Demuxer): readonly string[];
}

const BACKOFF: BackoffPolicy = { firstMs: 500, maxMs: 30_000 };
const QUEUE_BYTES = 256 * 1024;
/** Past this (and the kernel's own 200 KiB) what comes waits in our queue, where the oldest can still be dropped. */
const PIPE_PENDING_BYTES = 64 * 1024;
/** Bytes went in for this long and no sound came out. */
const NO_PCM_MS = 2_000;
/** The same for a decoder from which no sound has come yet, unless it has had more than `ENOUGH_BYTES`. */
const NO_FIRST_PCM_MS = 3_000;
const ENOUGH_BYTES = 64 * 1024;
/** A Matroska decoder that starts in the middle understands nothing before the next cluster, often 5 s away. */
const NO_FIRST_MATROSKA_PCM_MS = 12_000;
/** A pause in the bytes counts as this at most: a decoder isn't hung because its source paused. */
const LONGEST_STEP_MS = 500;
/** A decoder that gets no CPU is not helped by starting another; one that runs in circles ends here. */
const STARVED_MS = 10_000;
/** A process that is being started, or gets little CPU, is seen to wait now and then; one that has no work, always. */
const LOOKS_THAT_PROVE = 3;
const GOOD_AFTER_MS = 10_000;
const REJECTIONS_THAT_PROVE = 2;
const BLAMES_THE_BYTES = ['Invalid data found when processing input', 'does not contain any stream'];
const STARTS_AT_ONCE = 4;
const START_TAKES_MS = 1_000;

/** One ffmpeg per open decoder. */
export function ffmpegDecoders(options: FfmpegDecodersOptions): DecoderFactory {
  const gate = new StartGate({
    places: STARTS_AT_ONCE,
    placeMs: START_TAKES_MS,
    clock: options.clock,
  });
  return { open: (leg) => new FfmpegDecoder(options, gate, leg) };
}

/** One ffmpeg process, from its start until it is given up. */
interface Attempt {
  readonly frames: PcmFrames;
  readonly queue: BoundedQueue<Uint8Array>;
  /** Null while it waits for its turn to start. */
  child: Child | null;
  leaveGate: Cancel;
  fedBytes: number;
  lastWriteAtMs: number | null;
  /** How long bytes have gone in since sound last came out. */
  unansweredMs: number;
  firstPcmAtMs: number | null;
  /** How often in a row it was seen to wait for more although it had enough. */
  waitingLooks: number;
}

class FfmpegDecoder implements Decoder {
  readonly #shared: FfmpegDecodersOptions;
  readonly #gate: StartGate;
  readonly #leg: DecoderOptions;
  readonly #backoff: Backoff;
  readonly #headers: StreamHeaders;
  readonly #ending = new Set<Promise<ChildExit>>();
  #attempt: Attempt | null = null;
  #attempts = 0;
  #cancelPause: Cancel | null = null;
  #rejections = 0;
  #state: DecoderState = 'idle';
  #lastPcmAtMs: number | null = null;
  #droppedBytes = 0;
  #closed = false;

  constructor(shared: FfmpegDecodersOptions, gate: StartGate, leg: DecoderOptions) {
    this.#shared = shared;
    this.#gate = gate;
    this.#leg = leg;
    this.#backoff = new Backoff(shared.backoff ?? BACKOFF, shared.random);
    this.#headers = streamHeadersFor(leg.demuxer);
  }

  get state(): DecoderState {
    return this.#state;
  }

  get lastPcmAtMs(): number | null {
    return this.#lastPcmAtMs;
  }

  get droppedBytes(): number {
    return this.#droppedBytes + (this.#attempt?.queue.lost.weight ?? 0);
  }

  write(bytes: Uint8Array): void {
    if (this.#closed || bytes.length === 0) return;
    if (this.#cancelPause !== null) {
      // Sound that a later decoder would find in old bytes would be judged as if it were new.
      this.#droppedBytes += bytes.length;
      this.#headers.push(bytes);
      return;
    }
    const attempt = this.#attempt ?? this.#begin();
    this.#headers.push(bytes);
    this.#feed(attempt, bytes);
    if (attempt.unansweredMs >= patienceMs(attempt, this.#leg.demuxer)) this.#suspect(attempt);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelPause?.();
    if (this.#attempt !== null) this.#dispose(this.#attempt);
    await Promise.all(this.#ending);
  }

  #begin(): Attempt {
    const attempt: Attempt = {
      frames: new PcmFrames(),
      queue: new BoundedQueue<Uint8Array>({
        capacity: QUEUE_BYTES,
        whenFull: 'drop-oldest',
        weigh: (bytes) => bytes.length,
        onOverflow: (lost) =>
          this.#shared.logger.warn({ label: this.#leg.label, bytes: lost.weight }, 'a decoder is too slow'),
        clock: this.#shared.clock,
      }),
      child: null,
      leaveGate: () => {},
      fedBytes: 0,
      lastWriteAtMs: null,
      unansweredMs: 0,
      firstPcmAtMs: null,
      waitingLooks: 0,
    };
    this.#attempt = attempt;
    const replay = this.#attempts > 0 ? this.#headers.replay() : new Uint8Array(0);
    this.#attempts += 1;
    if (replay.length > 0) attempt.queue.push(replay);
    attempt.leaveGate = this.#gate.enter(() => this.#start(attempt));
    return attempt;
  }

  #start(attempt: Attempt): void {
    const { ffmpegPath, argumentsFor, clock } = this.#shared;
    const child = startChild({
      command: ffmpegPath,
      args: (argumentsFor ?? decodeArguments)(this.#leg.demuxer),
      clock,
      onStdout: (chunk) => this.#hear(attempt, chunk),
      onDrain: () => this.#pump(attempt),
      onExit: (exit) => this.#ended(attempt, exit),
    });
    attempt.child = child;
    const gone = child.exited.finally(() => this.#ending.delete(gone));
    this.#ending.add(gone);
    this.#pump(attempt);
  }

  #feed(attempt: Attempt, bytes: Uint8Array): void {
    attempt.queue.push(bytes);
    attempt.fedBytes += bytes.length;
    if (attempt.child === null) return;
    const nowMs = this.#shared.clock.nowMs();
    attempt.unansweredMs += Math.min(nowMs - (attempt.lastWriteAtMs ?? nowMs), LONGEST_STEP_MS);
    attempt.lastWriteAtMs = nowMs;
    this.#pump(attempt);
  }

  #pump(attempt: Attempt): void {
    const { child, queue } = attempt;
    if (child === null) return;
    while (child.pendingBytes < PIPE_PENDING_BYTES) {
      const bytes = queue.shift();
      if (bytes === undefined || child.write(bytes) === 'closed') return;
    }
  }

  #hear(attempt: Attempt, chunk: Buffer): void {
    if (attempt !== this.#attempt) return;
    const pcm = attempt.frames.push(chunk);
    if (pcm.length === 0) return;
    const nowMs = this.#shared.clock.nowMs();
    if (attempt.firstPcmAtMs === null) {
      attempt.firstPcmAtMs = nowMs;
      attempt.leaveGate();
    }
    attempt.unansweredMs = 0;
    attempt.waitingLooks = 0;
    this.#lastPcmAtMs = nowMs;
    this.#rejections = 0;
    if (nowMs - attempt.firstPcmAtMs >= GOOD_AFTER_MS) this.#backoff.succeeded();
    this.#become('running');
    this.#leg.onPcm(pcm);
    letGo(pcm);
  }

  #suspect(attempt: Attempt): void {
    const pid = attempt.child?.pid ?? null;
    const process = pid === null ? 'waiting' : lookAtProcess(pid);
    // Its exit is about to be told, with the reason.
    if (process === 'gone') return;
    attempt.waitingLooks = process === 'waiting' ? attempt.waitingLooks + 1 : 0;
    if (process === 'waiting' && attempt.waitingLooks < LOOKS_THAT_PROVE) return;
    if (process === 'starved' && attempt.unansweredMs < STARVED_MS) return;
    const rejected = process === 'waiting' && attempt.firstPcmAtMs === null;
    const because = `took bytes for ${Math.round(attempt.unansweredMs)} ms and gave no sound, ${process}`;
    this.#giveUp(attempt, because, rejected);
  }

  /** An ffmpeg that ends may be broken itself, on every leg at once, so the bytes are blamed only if it blames them. */
  #ended(attempt: Attempt, exit: ChildExit): void {
    if (attempt !== this.#attempt) return;
    const said = attempt.child?.stderrTail() ?? '';
    const rejected =
      exit.is === 'exited' &&
      attempt.firstPcmAtMs === null &&
      BLAMES_THE_BYTES.some((words) => said.includes(words));
    this.#giveUp(attempt, describeExit(exit), rejected);
  }

  /** The next write after a pause starts a fresh one. Two fresh ones in a row without sound prove the bytes at fault. */
  #giveUp(attempt: Attempt, because: string, rejected: boolean): void {
    this.#rejections = rejected ? this.#rejections + 1 : 0;
    const stderr = attempt.child?.stderrTail().slice(-500) ?? '';
    this.#dispose(attempt);
    const pauseMs = this.#backoff.nextMs();
    this.#cancelPause = this.#shared.clock.after(pauseMs, () => {
      this.#cancelPause = null;
    });
    const details = {
      demuxer: this.#leg.demuxer,
      because,
      rejected,
      pauseMs: Math.round(pauseMs),
      stderr,
    };
    this.#shared.logger.warn(details, 'a decoder is replaced');
    this.#become(this.#rejections >= REJECTIONS_THAT_PROVE ? 'rejecting' : 'restarting');
  }

  /** KILL at once: a decoder has nothing to finish, and one that hangs would not hear anything softer. */
  #dispose(attempt: Attempt): void {
    this.#attempt = null;
    attempt.leaveGate();
    this.#droppedBytes += attempt.queue.weight + attempt.queue.lost.weight;
    attempt.queue.close();
    attempt.child?.kill('SIGKILL');
  }

  #become(state: DecoderState): void {
    if (this.#closed || this.#state === state) return;
    this.#state = state;
    this.#leg.onState(state);
  }
}

function patienceMs(attempt: Attempt, demuxer: Demuxer): number {
  if (attempt.firstPcmAtMs !== null) return NO_PCM_MS;
  if (demuxer === 'matroska') return NO_FIRST_MATROSKA_PCM_MS;
  return attempt.fedBytes > ENOUGH_BYTES ? NO_PCM_MS : NO_FIRST_PCM_MS;
}
