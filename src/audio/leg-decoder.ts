import type { DecoderState } from '../domain/readings.ts';
import { Backoff, type BackoffPolicy } from '../platform/backoff.ts';
import { BoundedQueue } from '../platform/bounded-queue.ts';
import type { WriteOutcome } from '../platform/child.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { ProcessState } from '../platform/process-state.ts';
import type { Random } from '../platform/random.ts';
import type { Demuxer } from './decode-command.ts';
import type { Decoder, DecoderOptions } from './decoder.ts';
import { letGo } from './sound-ring.ts';
import { type StreamHeaders, streamHeadersFor } from './stream-headers.ts';

export interface WorkerEvents {
  /** Whole frames. */
  onPcm(pcm: Float32Array): void;
  /** What was pending has been taken. */
  onDrain(): void;
  /** It ended by itself. `blamesBytes`: because of what it was given, as it says. */
  onEnd(end: { readonly because: string; readonly blamesBytes: boolean }): void;
}

/** What decodes for one leg until it is given up: a process of its own, or a place in one that decodes for many. */
export interface DecoderWorker {
  /** Written but not yet taken. */
  readonly pendingBytes: number;
  write(bytes: Uint8Array): WriteOutcome;
  /** What it is about, when no sound comes. `watched`: it owes an answer, and who runs the process sees to that. */
  look(): ProcessState | 'watched';
  /** The last that it complained about. */
  complaint(): string;
  /** At once: there is nothing to finish. Resolves when it is gone. */
  end(): Promise<unknown>;
}

/** Where workers come from. */
export interface WorkerSource {
  /** Calls back, now or later, when one may be started; the answer gives up that place. */
  whenFree(start: () => void): Cancel;
  start(demuxer: Demuxer, events: WorkerEvents): DecoderWorker;
}

export interface LegDecoderOptions {
  /** Asked before each start. */
  source(): WorkerSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly backoff?: BackoffPolicy | undefined;
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
/** Sound may lie unread for as long as we stood still ourselves: what is there is read before the worker is looked at. */
const LOOK_AFTER_MS = 100;
const GOOD_AFTER_MS = 10_000;
const REJECTIONS_THAT_PROVE = 2;

/** One worker, from its start until it is given up. */
interface Attempt {
  readonly queue: BoundedQueue<Uint8Array>;
  /** Null while it waits for its turn to start. */
  worker: DecoderWorker | null;
  leaveGate: Cancel;
  fedBytes: number;
  lastWriteAtMs: number | null;
  /** How long bytes have gone in since sound last came out. */
  unansweredMs: number;
  firstPcmAtMs: number | null;
  /** How often in a row it was seen to wait for more although it had enough. */
  waitingLooks: number;
  cancelLook: Cancel | null;
}

/** One leg's decoder, whatever its workers are: it feeds them, judges them, and replaces them. */
export class LegDecoder implements Decoder {
  readonly #shared: LegDecoderOptions;
  readonly #leg: DecoderOptions;
  readonly #backoff: Backoff;
  readonly #headers: StreamHeaders;
  readonly #ending = new Set<Promise<unknown>>();
  #attempt: Attempt | null = null;
  #attempts = 0;
  #cancelPause: Cancel | null = null;
  #rejections = 0;
  #state: DecoderState = 'idle';
  #lastPcmAtMs: number | null = null;
  #droppedBytes = 0;
  #closed = false;

  constructor(shared: LegDecoderOptions, leg: DecoderOptions) {
    this.#shared = shared;
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
    if (this.#isSuspect(attempt))
      attempt.cancelLook ??= this.#shared.clock.after(LOOK_AFTER_MS, () => this.#look(attempt));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelPause?.();
    if (this.#attempt !== null) this.#dispose(this.#attempt);
    await Promise.all(this.#ending);
  }

  #begin(): Attempt {
    const attempt: Attempt = {
      queue: new BoundedQueue<Uint8Array>({
        capacity: QUEUE_BYTES,
        whenFull: 'drop-oldest',
        weigh: (bytes) => bytes.length,
        onOverflow: (lost) =>
          this.#shared.logger.warn({ label: this.#leg.label, bytes: lost.weight }, 'a decoder is too slow'),
        clock: this.#shared.clock,
      }),
      worker: null,
      leaveGate: () => {},
      fedBytes: 0,
      lastWriteAtMs: null,
      unansweredMs: 0,
      firstPcmAtMs: null,
      waitingLooks: 0,
      cancelLook: null,
    };
    this.#attempt = attempt;
    const replay = this.#attempts > 0 ? this.#headers.replay() : new Uint8Array(0);
    this.#attempts += 1;
    if (replay.length > 0) attempt.queue.push(replay);
    const source = this.#shared.source();
    const leave = source.whenFree(() => this.#start(attempt, source));
    attempt.leaveGate = leave;
    return attempt;
  }

  #start(attempt: Attempt, source: WorkerSource): void {
    attempt.worker = source.start(this.#leg.demuxer, {
      onPcm: (pcm) => this.#hear(attempt, pcm),
      onDrain: () => this.#pump(attempt),
      onEnd: ({ because, blamesBytes }) => {
        // It may be broken itself, on every leg at once, so the bytes are blamed only if it blames them.
        if (attempt === this.#attempt)
          this.#giveUp(attempt, because, blamesBytes && attempt.firstPcmAtMs === null);
      },
    });
    this.#pump(attempt);
  }

  #feed(attempt: Attempt, bytes: Uint8Array): void {
    attempt.queue.push(bytes);
    attempt.fedBytes += bytes.length;
    if (attempt.worker === null) return;
    const nowMs = this.#shared.clock.nowMs();
    attempt.unansweredMs += Math.min(nowMs - (attempt.lastWriteAtMs ?? nowMs), LONGEST_STEP_MS);
    attempt.lastWriteAtMs = nowMs;
    this.#pump(attempt);
  }

  #pump(attempt: Attempt): void {
    const { worker, queue } = attempt;
    if (worker === null) return;
    while (worker.pendingBytes < PIPE_PENDING_BYTES) {
      const bytes = queue.shift();
      if (bytes === undefined || worker.write(bytes) === 'closed') return;
    }
  }

  #hear(attempt: Attempt, pcm: Float32Array): void {
    if (attempt !== this.#attempt) return;
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

  #isSuspect(attempt: Attempt): boolean {
    return attempt.unansweredMs >= patienceMs(attempt, this.#leg.demuxer);
  }

  #look(attempt: Attempt): void {
    attempt.cancelLook = null;
    if (!this.#isSuspect(attempt)) return;
    const process = attempt.worker?.look() ?? 'waiting';
    // Of one that is gone the exit is about to be told, with the reason.
    if (process === 'gone' || process === 'watched') return;
    attempt.waitingLooks = process === 'waiting' ? attempt.waitingLooks + 1 : 0;
    if (process === 'waiting' && attempt.waitingLooks < LOOKS_THAT_PROVE) return;
    if (process === 'starved' && attempt.unansweredMs < STARVED_MS) return;
    const rejected = process === 'waiting' && attempt.firstPcmAtMs === null;
    const because = `took bytes for ${Math.round(attempt.unansweredMs)} ms and gave no sound, ${process}`;
    this.#giveUp(attempt, because, rejected);
  }

  /** The next write after a pause starts a fresh one. Two fresh ones in a row without sound prove the bytes at fault. */
  #giveUp(attempt: Attempt, because: string, rejected: boolean): void {
    this.#rejections = rejected ? this.#rejections + 1 : 0;
    const stderr = attempt.worker?.complaint() ?? '';
    this.#dispose(attempt);
    const pauseMs = this.#backoff.nextMs();
    this.#cancelPause = this.#shared.clock.after(pauseMs, () => {
      this.#cancelPause = null;
    });
    const details = {
      label: this.#leg.label,
      demuxer: this.#leg.demuxer,
      because,
      rejected,
      pauseMs: Math.round(pauseMs),
      stderr,
    };
    this.#shared.logger.warn(details, 'a decoder is replaced');
    this.#become(this.#rejections >= REJECTIONS_THAT_PROVE ? 'rejecting' : 'restarting');
  }

  #dispose(attempt: Attempt): void {
    this.#attempt = null;
    attempt.cancelLook?.();
    attempt.leaveGate();
    this.#droppedBytes += attempt.queue.weight + attempt.queue.lost.weight;
    attempt.queue.close();
    if (attempt.worker === null) return;
    const gone: Promise<unknown> = attempt.worker.end().finally(() => this.#ending.delete(gone));
    this.#ending.add(gone);
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
