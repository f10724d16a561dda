import { type Child, describeExit, startChild } from '../platform/child.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { lookAtProcess, type ProcessState } from '../platform/process-state.ts';
import { type HostAnswer, HostAnswers, hostRequests } from './host-messages.ts';
import type { DecoderWorker, WorkerEvents } from './leg-decoder.ts';
import { letGo } from './sound-ring.ts';

export interface DecoderHostOptions {
  readonly command: string;
  readonly args?: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The bytes of all legs within this time go to the process in one write, which wakes it once. */
const BATCH_MS = 20;
const MOST_BATCH_BYTES = 64 * 1024;
/** A process that answers nothing to bytes for so long is not at work. */
const NO_ANSWER_MS = 1_500;
/** One that lived so long was no failure. */
const GOOD_AFTER_MS = 10_000;
/** So many failures one after another, and it is not started again. */
const MOST_FAILURES = 4;
const COMPLAINT_CHARS = 500;
/** `native-bindings/src/decoder-host/watchdog.h` */
const CULPRIT = /culprit: stream +(\d+)/;

/** A leg's place in the process; `isCulprit` ends with its own bytes having brought the process down. */
export interface HostEvents extends Omit<WorkerEvents, 'onEnd'> {
  onEnd(end: { readonly because: string; readonly blamesBytes: boolean; readonly isCulprit: boolean }): void;
}

interface Place {
  readonly events: HostEvents;
  /** Since when bytes are with the process that it has not answered to. */
  unansweredSinceMs: number | null;
}

/** All that the process needs to know of ours. */
function libraryPath(): NodeJS.ProcessEnv {
  const { LD_LIBRARY_PATH } = process.env;
  return LD_LIBRARY_PATH === undefined ? {} : { LD_LIBRARY_PATH };
}

/** One life of the process. */
interface Life {
  readonly child: Child;
  readonly answers: HostAnswers;
  readonly startedAtMs: number;
}

/**
 * The process that decodes for many legs. It runs while there is a leg; when it ends by itself all legs are told, and the
 * next one that opens a place starts it again.
 */
export class DecoderHost {
  readonly #options: DecoderHostOptions;
  readonly #places = new Map<number, Place>();
  #life: Life | null = null;
  #lastStream = 0;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #cancelFlush: Cancel | null = null;
  #failures = 0;

  constructor(options: DecoderHostOptions) {
    this.#options = options;
  }

  /** It failed again and again: nobody should open a place any more. */
  get isGivenUp(): boolean {
    return this.#failures >= MOST_FAILURES;
  }

  open(events: HostEvents): DecoderWorker {
    this.#life ??= this.#start();
    this.#lastStream += 1;
    const stream = this.#lastStream;
    const { child } = this.#life;
    const place: Place = { events, unansweredSinceMs: null };
    this.#places.set(stream, place);
    this.#send(hostRequests('open', stream));
    const pending = () => this.#batchBytes + child.pendingBytes;
    return {
      get pendingBytes() {
        return pending();
      },
      write: (bytes) => {
        if (this.#places.get(stream) !== place) return 'closed';
        place.unansweredSinceMs ??= this.#options.clock.nowMs();
        this.#send(hostRequests('bytes', stream, bytes));
        return 'ok';
      },
      look: () => this.#look(place, child),
      complaint: () => child.stderrTail().slice(-COMPLAINT_CHARS),
      end: (hung) => this.#leave(stream, child, hung),
    };
  }

  #start(): Life {
    const { command, args = [], clock } = this.#options;
    const answers = new HostAnswers();
    const child = startChild({
      command,
      args,
      clock,
      // Secrets may be in ours, and strangers' bytes are at work there.
      env: libraryPath(),
      onStdout: (chunk) => this.#hear(child, answers, chunk),
      onDrain: () => {
        for (const { events } of [...this.#places.values()]) events.onDrain();
      },
      onExit: (exit) => this.#ended(child, describeExit(exit)),
    });
    return { child, answers, startedAtMs: clock.nowMs() };
  }

  #send(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.#batch.push(part);
      this.#batchBytes += part.length;
    }
    if (this.#batchBytes >= MOST_BATCH_BYTES) this.#flush();
    else this.#cancelFlush ??= this.#options.clock.after(BATCH_MS, () => this.#flush());
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    const parts = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#life?.child.write(Buffer.concat(parts));
  }

  #hear(child: Child, answers: HostAnswers, chunk: Buffer): void {
    // What comes from one that was given up may no longer mean the streams of now.
    if (child !== this.#life?.child) return;
    if (!answers.push(chunk, (answer) => this.#answered(answer))) child.kill('SIGKILL');
    letGo(chunk);
  }

  #answered(answer: HostAnswer): void {
    const place = this.#places.get(answer.stream);
    if (place === undefined) return;
    place.unansweredSinceMs = null;
    if (answer.is === 'sound') place.events.onPcm(answer.pcm);
    if (answer.is !== 'rejected') return;
    this.#places.delete(answer.stream);
    place.events.onEnd({ because: answer.because, blamesBytes: true, isCulprit: false });
    this.#endIfIdle();
  }

  /** Told of this one place: a process that answers is waiting for better bytes. */
  #look({ unansweredSinceMs }: Place, { pid }: Child): ProcessState {
    const nowMs = this.#options.clock.nowMs();
    if (pid === null || unansweredSinceMs === null || nowMs - unansweredSinceMs < NO_ANSWER_MS)
      return 'waiting';
    const process = lookAtProcess(pid);
    return process === 'waiting' ? 'stopped' : process;
  }

  #leave(stream: number, child: Child, hung: boolean): Promise<unknown> {
    if (this.#places.delete(stream) && child === this.#life?.child) this.#send(hostRequests('close', stream));
    if (hung) {
      child.kill('SIGKILL');
      this.#ended(child, 'did nothing any more');
    }
    this.#endIfIdle();
    return child === this.#life?.child ? Promise.resolve() : child.exited;
  }

  #endIfIdle(): void {
    if (this.#places.size > 0 || this.#life === null) return;
    const { child } = this.#life;
    this.#life = null;
    this.#forgetBatch();
    child.kill('SIGKILL');
  }

  #forgetBatch(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    this.#batch = [];
    this.#batchBytes = 0;
  }

  #ended(child: Child, because: string): void {
    if (this.#life?.child !== child) return;
    const { clock, logger } = this.#options;
    const livedMs = clock.nowMs() - this.#life.startedAtMs;
    this.#life = null;
    this.#forgetBatch();
    this.#failures = livedMs >= GOOD_AFTER_MS ? 1 : this.#failures + 1;
    const stderr = child.stderrTail().slice(-COMPLAINT_CHARS);
    const culprit = Number(CULPRIT.exec(stderr)?.[1] ?? 0);
    const places = [...this.#places];
    this.#places.clear();
    logger.warn(
      { because, legs: places.length, livedMs: Math.round(livedMs), stderr },
      'the MP3 decoder ended',
    );
    if (this.isGivenUp)
      logger.error({ failures: this.#failures }, 'the MP3 decoder fails: from now on each leg has an ffmpeg');
    for (const [stream, { events }] of places)
      events.onEnd({ because, blamesBytes: false, isCulprit: stream === culprit });
  }
}
