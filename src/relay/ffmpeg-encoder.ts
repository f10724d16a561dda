import { PCM_CHANNELS, PCM_RATE_HZ } from '../audio/decode-command.ts';
import { type Child, describeExit, startChild } from '../platform/child.ts';
import type { Cancel } from '../platform/clock.ts';
import { encodeArguments, needsHeaders, type OggLink, type OutputFormat } from './encode-command.ts';
import type { Encoder, EncoderOptions } from './encoder.ts';
import { PreRoll, PreSkip } from './opus-pre-roll.ts';

export interface FfmpegEncoderOptions extends EncoderOptions {
  /** What stands after the command; replaced in tests by a child that misbehaves. */
  argumentsFor?(format: OutputFormat, link: OggLink): readonly string[];
}

interface Held {
  readonly atMs: number;
  readonly pcm: Float32Array;
}

const WATCH_EVERY_MS = 100;
/** A watch that comes late counts as this at most: what didn't come out meanwhile may only not have been read by us. */
const MOST_WATCHED_MS = 150;
/** Less than this may wait inside of any encoder: more than one block of the relay. */
const LEAST_UNANSWERED_MS = 250;
/** Sound is inside and nothing came out for this long: it hangs. */
const HUNG_MS = 500;
/** The same before the first byte, which a busy machine may delay. */
const FIRST_BYTE_MS = 3_000;
/** What was written less than this before the last bytes came may still be inside the encoder. */
const INSIDE_MS = 120;
/** The most that is kept for an encoder to come, in ms of sound. */
const MOST_HELD_MS = 5_000;
const RESTART_AFTER_MS = 20;
/** A process that ends sooner than this after its start is not started again at once. */
const GOOD_AFTER_MS = 2_000;
const MOST_RESTART_MS = 1_000;
/** Titles that change faster than this are told no faster: each begins a process. */
const LEAST_LINK_MS = 1_000;
/** An encoder that was told that its sound is over has this long to give the last of it. */
const MOST_LINK_END_MS = 1_000;
/** More sound than is ever replayed at once waits for an encoder that doesn't keep up. */
const MOST_PENDING_BYTES = 8 * PCM_RATE_HZ * PCM_CHANNELS * Float32Array.BYTES_PER_ELEMENT;

/** An encoder in a process of its own: every codec that ffmpeg has. */
export function startFfmpegEncoder(options: FfmpegEncoderOptions): Encoder {
  return new FfmpegEncoder(options);
}

class FfmpegEncoder implements Encoder {
  readonly kind = 'ffmpeg';
  readonly #options: FfmpegEncoderOptions;
  readonly #cancelWatch: Cancel;
  readonly #ending = new Set<Promise<unknown>>();
  #child: Child | null = null;
  #startedAtMs = 0;
  #lastBytesAtMs: number | null = null;
  /** What was written while nothing came out, in ms of sound; and for how long nothing came, in ms of time. */
  #unansweredMs = 0;
  #silentMs = 0;
  #watchedAtMs: number;
  /** Written, and not certain to have come out. */
  #held: Held[] = [];
  #restartMs = RESTART_AFTER_MS;
  #cancelRestart: Cancel = () => {};
  #title: string | null = null;
  readonly #preRoll = new PreRoll();
  #preSkip: PreSkip | null = null;
  #links = 0;
  #linkedAtMs = Number.NEGATIVE_INFINITY;
  /** The title is another one than that of the link, which gives way with the next block. */
  #isLinkDue = false;
  /** The link of an Ogg chain that is being ended; what comes of the next one waits until all of it is out. */
  #lastLink: { readonly child: Child; readonly next: Buffer[]; readonly cancel: Cancel } | null = null;
  #rebuilds = 0;
  #stopped = false;

  constructor(options: FfmpegEncoderOptions) {
    this.#options = options;
    this.#watchedAtMs = options.clock.nowMs();
    this.#cancelWatch = options.clock.every(WATCH_EVERY_MS, () => this.#watch());
    this.#start();
  }

  get rebuilds(): number {
    return this.#rebuilds;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  write(pcm: Float32Array): void {
    if (this.#stopped) return;
    const atMs = this.#options.clock.nowMs();
    if (this.#isLinkDue && atMs - this.#linkedAtMs >= LEAST_LINK_MS) this.#link();
    this.#held.push({ atMs, pcm });
    while ((this.#held[0]?.atMs ?? atMs) < atMs - MOST_HELD_MS) this.#held.shift();
    this.#feed(pcm);
    if (this.#options.format.codec === 'opus') this.#preRoll.note(pcm);
  }

  /**
   * An Ogg stream says what it is called at its beginning, so another title is another link of the chain: the encoder
   * is told that its sound is over, and a fresh one goes on from the very next sample.
   */
  setTitle(title: string): void {
    if (title === this.#title || this.#stopped) return;
    this.#title = title;
    if (!needsHeaders(this.#options.format.codec)) return;
    this.#isLinkDue = true;
  }

  renew(): void {
    this.#held = [];
    this.#dropLastLink();
    this.#drop();
    this.#restartMs = RESTART_AFTER_MS;
    this.#start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelWatch();
    this.#cancelRestart();
    this.#dropLastLink();
    this.#drop();
    await Promise.all(this.#ending);
  }

  #link(): void {
    const child = this.#child;
    // One that is to be started will know the new title; one that is still ending has to be out first.
    if (child === null || this.#lastLink !== null) return;
    const cancel = this.#options.clock.after(MOST_LINK_END_MS, () => child.kill('SIGKILL'));
    this.#lastLink = { child, next: [], cancel };
    this.#held = [];
    child.endInput();
    this.#start(this.#options.format.codec === 'opus' ? this.#preRoll.take() : null);
  }

  #lastLinkEnded(): void {
    const ended = this.#lastLink;
    if (ended === null) return;
    this.#lastLink = null;
    ended.cancel();
    for (const bytes of ended.next) this.#options.onBytes(bytes);
  }

  #dropLastLink(): void {
    const dropped = this.#lastLink;
    this.#lastLink = null;
    dropped?.cancel();
    dropped?.child.kill('SIGKILL');
  }

  #start(preRoll: Float32Array | null = null): void {
    if (this.#stopped) return;
    this.#cancelRestart();
    const { ffmpegPath, clock, format, argumentsFor } = this.#options;
    this.#startedAtMs = clock.nowMs();
    this.#lastBytesAtMs = null;
    this.#unansweredMs = 0;
    this.#silentMs = 0;
    this.#links += 1;
    this.#linkedAtMs = this.#startedAtMs;
    this.#isLinkDue = false;
    const child = startChild({
      command: ffmpegPath,
      args: (argumentsFor ?? encodeArguments)(format, { serial: this.#links, title: this.#title }),
      clock,
      onStdout: (bytes) => this.#came(child, bytes),
      onExit: (exit) => {
        if (child === this.#child) this.#replace(describeExit(exit));
        else if (child === this.#lastLink?.child) this.#lastLinkEnded();
      },
    });
    this.#child = child;
    const gone: Promise<unknown> = child.exited.finally(() => this.#ending.delete(gone));
    this.#ending.add(gone);
    this.#preSkip = preRoll === null ? null : new PreSkip();
    if (preRoll !== null) this.#feed(preRoll);
    for (const { pcm } of this.#held) this.#feed(pcm);
  }

  #feed(pcm: Float32Array): void {
    if (this.#child === null) return;
    this.#unansweredMs += pcm.length / PCM_CHANNELS / (PCM_RATE_HZ / 1_000);
    this.#child.write(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
  }

  #came(child: Child, bytes: Buffer): void {
    if (this.#stopped) return;
    if (child === this.#lastLink?.child) this.#options.onBytes(bytes);
    if (child !== this.#child) return;
    const nowMs = this.#options.clock.nowMs();
    this.#lastBytesAtMs = nowMs;
    this.#unansweredMs = 0;
    this.#silentMs = 0;
    if (nowMs - this.#startedAtMs > GOOD_AFTER_MS) this.#restartMs = RESTART_AFTER_MS;
    while ((this.#held[0]?.atMs ?? nowMs) < nowMs - INSIDE_MS) this.#held.shift();
    const passed = this.#preSkip?.pass(bytes) ?? bytes;
    if (this.#lastLink === null) this.#options.onBytes(passed);
    else this.#lastLink.next.push(passed);
  }

  #watch(): void {
    const nowMs = this.#options.clock.nowMs();
    const passedMs = Math.min(nowMs - this.#watchedAtMs, MOST_WATCHED_MS);
    this.#watchedAtMs = nowMs;
    const child = this.#child;
    if (child === null) return;
    if (this.#unansweredMs > LEAST_UNANSWERED_MS) this.#silentMs += passedMs;
    const patienceMs = this.#lastBytesAtMs === null ? FIRST_BYTE_MS : HUNG_MS;
    if (this.#silentMs >= patienceMs) this.#replace(`gave nothing for ${Math.round(this.#silentMs)} ms`);
    else if (child.pendingBytes > MOST_PENDING_BYTES) this.#replace('does not keep up');
  }

  #replace(because: string): void {
    if (this.#stopped) return;
    const stderr = this.#child?.stderrTail().slice(-500) ?? '';
    this.#drop();
    this.#rebuilds += 1;
    const restartMs = this.#restartMs;
    this.#restartMs = Math.min(MOST_RESTART_MS, restartMs * 4);
    this.#options.log.warn(
      { because, restartMs, stderr, codec: this.#options.format.codec },
      'an encoder is rebuilt',
    );
    this.#cancelRestart = this.#options.clock.after(restartMs, () => this.#start());
  }

  #drop(): void {
    const child = this.#child;
    this.#child = null;
    child?.kill('SIGKILL');
  }
}
