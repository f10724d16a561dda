import { type ByteSource, containerName, UnreadableSound } from '../audio/byte-source.ts';
import { findFfmpeg } from '../audio/ffmpeg-path.ts';
import { openSound } from '../audio/sound-file.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import { EXIT } from './exit-codes.ts';
import { damageOf, type Heard, hearSource } from './measure/hear.ts';
import { listenToProgramme, type ProgrammeListener } from './measure/listener.ts';
import { isUrl, openLive, parseLiveUrl, TitlesLied } from './measure/live-source.ts';
import { type MeasureOptions, parseOptions, type Wanted } from './measure/options.ts';
import { heardText, measurementJson, measurementText } from './measure/print.ts';
import { createProgress, type Terminal } from './progress.ts';

export type { MeasureOptions };

/** What the command has around it; replaced in tests. */
export interface MeasureSurroundings {
  readonly clock?: Clock;
  readonly env?: NodeJS.ProcessEnv;
  readonly terminal?: Terminal;
  /** Aborted when a person has heard enough. */
  readonly interrupted?: AbortSignal;
  readonly print?: (text: string) => void;
}

const LIVE_SECONDS = 30;

/** `sustain measure`: levels, loudness and faults of a file or a live mount, heard as the agent hears. */
export async function measure(
  what: string,
  options: MeasureOptions,
  surroundings: MeasureSurroundings = {},
): Promise<number> {
  const terminal = surroundings.terminal ?? process.stderr;
  const parsed = parseOptions(options);
  if (!parsed.ok) {
    terminal.write(`${parsed.message}\n`);
    return EXIT.unusable;
  }
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  const interrupted = AbortSignal.any([
    stop.signal,
    ...(surroundings.interrupted ? [surroundings.interrupted] : []),
  ]);
  try {
    return await new Measuring(what, options, parsed.value, { ...surroundings, terminal, interrupted }).run();
  } catch (thrown) {
    terminal.write(`${messageOf(thrown)}\n`);
    if (thrown instanceof UnreadableSound) return interrupted.aborted ? EXIT.failed : EXIT.unusable;
    return EXIT.failed;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
  }
}

class Measuring {
  readonly #what: string;
  readonly #options: MeasureOptions;
  readonly #wanted: Wanted;
  readonly #surroundings: MeasureSurroundings & { terminal: Terminal; interrupted: AbortSignal };
  readonly #clock: Clock;
  readonly #isLive: boolean;

  constructor(
    what: string,
    options: MeasureOptions,
    wanted: Wanted,
    surroundings: MeasureSurroundings & { terminal: Terminal; interrupted: AbortSignal },
  ) {
    this.#what = what;
    this.#options = options;
    this.#wanted = wanted;
    this.#surroundings = surroundings;
    this.#clock = surroundings.clock ?? systemClock;
    this.#isLive = isUrl(what);
  }

  async run(): Promise<number> {
    const { env, interrupted } = this.#surroundings;
    const search = await findFfmpeg({ clock: this.#clock, ...(env === undefined ? {} : { env }) });
    if (!search.ok) throw new UnreadableSound(search.error.message);
    const ffmpegPath = search.ffmpeg.path;
    if (!this.#isLive) return this.#hear(await openSound(this.#what, interrupted), this.#what, ffmpegPath);
    const address = parseLiveUrl(this.#what);
    const open = (titles: boolean) => openLive({ clock: this.#clock, address, titles, interrupted });
    try {
      return await this.#hear(await open(true), address.shown, ffmpegPath);
    } catch (thrown) {
      if (!(thrown instanceof TitlesLied)) throw thrown;
      return this.#hear(await open(false), address.shown, ffmpegPath);
    }
  }

  async #hear(source: ByteSource, shown: string, ffmpegPath: string): Promise<number> {
    const { terminal, interrupted } = this.#surroundings;
    const seconds = this.#wanted.durationSeconds ?? (this.#isLive ? LIVE_SECONDS : null);
    const listener = listenToProgramme(this.#wanted.judgement, seconds);
    const progress = createProgress(this.#clock, terminal);
    const heard = await hearSource({
      source,
      listener,
      ffmpegPath,
      clock: this.#clock,
      interrupted,
      onProgress: (bytes) =>
        progress.show(shareDone(listener, seconds, bytes, source), heardText(listener.heardSeconds)),
    }).finally(() => progress.clear());
    return this.#report(heard, listener, source, shown);
  }

  #report(heard: Heard, listener: ProgrammeListener, source: ByteSource, shown: string): number {
    const say = (text: string) => this.#surroundings.terminal.write(`${text}\n`);
    const kind = containerName(source.container);
    if (listener.heardSeconds === 0) throw new UnreadableSound(whyNothing(heard, shown, kind));
    if (heard.is === 'interrupted' && !this.#isLive) {
      say(`${shown}: stopped before its end, so nothing is said of it`);
      return EXIT.failed;
    }
    const result = listener.result();
    const print = this.#surroundings.print ?? ((text) => process.stdout.write(`${text}\n`));
    const isJson = this.#options.json === true;
    print(
      isJson
        ? JSON.stringify(measurementJson(result), null, 2)
        : measurementText(`${shown} (${kind})`, result),
    );
    if (heard.is === 'interrupted') return EXIT.ok;
    if (heard.is === 'broken-off') {
      say(`broken off after ${listener.heardSeconds.toFixed(1)} s: ${heard.because}`);
      return EXIT.failed;
    }
    // Whoever joins a stream joins in the middle of a frame, and ffmpeg says so; in a file it is damage.
    const damage = this.#isLive ? null : damageOf(heard);
    if (damage !== null) say(`${shown}: ${damage}`);
    return EXIT.ok;
  }
}

function shareDone(
  listener: ProgrammeListener,
  seconds: number | null,
  bytes: number,
  source: ByteSource,
): number | null {
  const ofTime = seconds === null ? null : listener.heardSeconds / seconds;
  const ofBytes = source.totalBytes === null ? null : bytes / source.totalBytes;
  return ofTime === null || ofBytes === null ? (ofTime ?? ofBytes) : Math.max(ofTime, ofBytes);
}

function whyNothing(heard: Heard, shown: string, kind: string): string {
  if (heard.is === 'interrupted') return `${shown}: stopped before anything was heard`;
  // What broke off a connection names it already.
  if (heard.is === 'broken-off' && heard.because.startsWith(shown)) return heard.because;
  const said = heard.complaints.at(-1);
  const because = said === undefined && heard.is === 'broken-off' ? heard.because : said;
  if (because === undefined) return `${shown} holds no sound`;
  return `${shown} cannot be decoded as ${kind}: ${because}`;
}
