import { type Child, describeExit, startChild } from '../platform/child.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { type HostAnswer, HostAnswers, hostRequests } from './host-messages.ts';
import { type HostEvents, HostPlace } from './host-place.ts';
import { HostWatch } from './host-watch.ts';
import type { DecoderWorker } from './leg-decoder.ts';
import { letGo } from './sound-ring.ts';

export interface DecoderHostOptions {
  readonly command: string;
  readonly args?: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The bytes of all legs go to the process in one write when the clock's next timers are due, which wakes it once. */
const BATCH_MS = 1;
const MOST_BATCH_BYTES = 64 * 1024;
const WATCH_EVERY_MS = 100;
/** One that was at work for so long was no failure. */
const GOOD_AFTER_MS = 10_000;
/** After more failures one after another the bytes of the legs may be at fault: the next one is not given them again. */
const MOST_GONE_ON = 2;
/** So many failures one after another, and it is not started again. */
const MOST_FAILURES = 4;
const COMPLAINT_CHARS = 500;
/** `native-bindings/src/decoder-host/watchdog.h` */
const CULPRIT = /culprit: stream +(\d+)/;

/** All that the process needs to know of ours. */
function libraryPath(): NodeJS.ProcessEnv {
  const { LD_LIBRARY_PATH } = process.env;
  return LD_LIBRARY_PATH === undefined ? {} : { LD_LIBRARY_PATH };
}

/** One life of the process. */
interface Life {
  readonly child: Child;
  readonly watch: HostWatch;
  readonly cancelWatch: Cancel;
  readonly startedAtMs: number;
  answeredAtMs: number;
}

/**
 * The process that decodes for many legs. It runs while there is a leg; when it ends by itself, or is seen to be at work no
 * more, another one goes on where it was, and no leg misses a sample. Only when that one fails as well are the legs told.
 */
export class DecoderHost {
  readonly #options: DecoderHostOptions;
  readonly #places = new Map<number, HostPlace>();
  #life: Life | null = null;
  /** The newest, also when it has ended. */
  #child: Child | null = null;
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
    const place = new HostPlace(stream, events);
    this.#places.set(stream, place);
    this.#send(hostRequests('open', stream));
    const pending = () => this.#batchBytes + (this.#child?.pendingBytes ?? 0);
    return {
      get pendingBytes() {
        return pending();
      },
      write: (bytes) => {
        if (this.#places.get(stream) !== place) return 'closed';
        this.#send(place.take(bytes));
        return 'ok';
      },
      // As long as there is no room for more, a leg may owe its bytes to the process instead.
      look: () => (this.#child?.pendingBytes ? 'watched' : place.look()),
      complaint: () => this.#child?.stderrTail().slice(-COMPLAINT_CHARS) ?? '',
      end: () => this.#leave(stream),
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
    this.#child = child;
    const startedAtMs = clock.nowMs();
    return {
      child,
      watch: new HostWatch(WATCH_EVERY_MS, startedAtMs),
      cancelWatch: clock.every(WATCH_EVERY_MS, () => this.#watch()),
      startedAtMs,
      answeredAtMs: startedAtMs,
    };
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
    const parts = this.#batch;
    this.#forgetBatch();
    this.#life?.child.write(Buffer.concat(parts));
  }

  #hear(child: Child, answers: HostAnswers, chunk: Buffer): void {
    // What comes from one that was given up was asked of another one again.
    if (child !== this.#life?.child) return;
    this.#life.watch.answered();
    this.#life.answeredAtMs = this.#options.clock.nowMs();
    if (!answers.push(chunk, (answer) => this.#answered(answer))) child.kill('SIGKILL');
    letGo(chunk);
  }

  #answered(answer: HostAnswer): void {
    const place = this.#places.get(answer.stream);
    if (place === undefined) return;
    if (answer.is === 'rejected') {
      this.#places.delete(answer.stream);
      place.events.onEnd({ because: answer.because, blamesBytes: true, isCulprit: false });
      this.#endIfIdle();
      return;
    }
    place.answered(answer.is === 'sound' ? answer.pcm.length : 0);
    if (answer.is === 'sound') place.events.onPcm(answer.pcm);
  }

  #watch(): void {
    const life = this.#life;
    if (life === null || life.child.pid === null) return;
    const isOwed = [...this.#places.values()].some((place) => place.isOwed);
    const because = life.watch.look(life.child.pid, isOwed, this.#options.clock.nowMs());
    if (because === null) return;
    life.child.kill('SIGKILL');
    this.#ended(life.child, because);
  }

  #leave(stream: number): Promise<unknown> {
    if (this.#places.delete(stream)) this.#send(hostRequests('close', stream));
    this.#endIfIdle();
    return this.#life === null && this.#child !== null ? this.#child.exited : Promise.resolve();
  }

  #endIfIdle(): void {
    if (this.#places.size > 0) return;
    this.#endLife()?.child.kill('SIGKILL');
  }

  #endLife(): Life | null {
    const life = this.#life;
    this.#life = null;
    life?.cancelWatch();
    this.#forgetBatch();
    return life;
  }

  #forgetBatch(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    this.#batch = [];
    this.#batchBytes = 0;
  }

  #ended(child: Child, because: string): void {
    if (this.#life?.child !== child) return;
    const { logger } = this.#options;
    const livedMs = this.#life.answeredAtMs - this.#life.startedAtMs;
    this.#endLife();
    this.#failures = livedMs >= GOOD_AFTER_MS ? 1 : this.#failures + 1;
    const stderr = child.stderrTail().slice(-COMPLAINT_CHARS);
    const culprit = Number(CULPRIT.exec(stderr)?.[1] ?? 0);
    const all = [...this.#places.values()];
    const left = this.#failures > MOST_GONE_ON ? all : all.filter(({ stream }) => stream === culprit);
    for (const { stream } of left) this.#places.delete(stream);
    logger.warn(
      { because, legs: all.length, goesOn: this.#places.size, livedMs: Math.round(livedMs), stderr },
      'the MP3 decoder ended',
    );
    if (this.isGivenUp)
      logger.error({ failures: this.#failures }, 'the MP3 decoder fails: from now on each leg has an ffmpeg');
    if (this.#places.size > 0) this.#goOn();
    for (const { stream, events } of left)
      events.onEnd({ because, blamesBytes: false, isCulprit: stream === culprit });
  }

  /** Another process takes over all that is there. */
  #goOn(): void {
    this.#life = this.#start();
    for (const place of this.#places.values()) this.#send(place.again());
    this.#flush();
  }
}
