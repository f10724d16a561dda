import type { StationLevels } from '../../domain/levels.ts';
import type { Cancel, Clock } from '../../platform/clock.ts';
import { encodeFrame, FRAMES_PER_SECOND, type LevelsHello } from './frame.ts';
import { encodeProcessing } from './processing-frame.ts';

/** Somebody who watches. */
export interface LevelReader {
  /** What was sent and hasn't left this process yet. */
  readonly bufferedBytes: number;
  send(message: Uint8Array | string): void;
}

export interface LevelsHubOptions {
  readonly stations: readonly StationLevels[];
  readonly clock: Clock;
}

const FRAME_MS = 1000 / FRAMES_PER_SECOND;
/** A reader that has this much to fetch yet loses frames until it has fetched it. */
const MOST_BUFFERED_BYTES = 64 * 1024;

/** Each frame is made once for all who watch, and none of a station that nobody watches. */
export class LevelsHub {
  readonly #options: LevelsHubOptions;
  #channels: readonly StationLevels['channels'][] = [];
  #hello = '';
  /** Which station each wants, by its place in the hello; null: all of them. */
  readonly #readers = new Map<LevelReader, number | null>();
  readonly #sequences: number[];
  #cancel: Cancel | null = null;
  #sent = 0;
  #dropped = 0;

  constructor(options: LevelsHubOptions) {
    this.#options = options;
    this.#sequences = options.stations.map(() => 0);
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Frames handed to readers, and frames that slow readers didn't get, since the start. */
  get frames(): { readonly sent: number; readonly dropped: number } {
    return { sent: this.#sent, dropped: this.#dropped };
  }

  /** Its place in the hello; null when there is no such station. */
  placeOf(station: string): number | null {
    const place = this.#options.stations.findIndex((one) => one.station === station);
    return place === -1 ? null : place;
  }

  /** Sends the hello at once, and from now on each frame: of the station at that place, or of all. */
  add(reader: LevelReader, place: number | null = null): Cancel {
    this.#meetAnew();
    reader.send(this.#hello);
    this.#readers.set(reader, place);
    if (this.#cancel === null) this.#frameAt(this.#options.clock.nowMs() + FRAME_MS);
    return () => {
      this.#readers.delete(reader);
      if (this.#readers.size === 0) this.stop();
    };
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Each frame is due 50 ms after the one before was, not after it came, so that there are 20 in a second. */
  #frameAt(dueMs: number): void {
    const { clock } = this.#options;
    const delayMs = Math.max(0, dueMs - clock.nowMs());
    this.#cancel = clock.after(delayMs, () => {
      this.#frameAt(Math.max(dueMs, clock.nowMs() - FRAME_MS) + FRAME_MS);
      this.#frame();
    });
  }

  /** A reload may change what the hello says, and then everybody is told it again. */
  #meetAnew(): void {
    const { stations } = this.#options;
    const channels = stations.map((one) => one.channels);
    if (this.#hello !== '' && channels.every((one, index) => one === this.#channels[index])) return;
    this.#channels = channels;
    const hello: LevelsHello = {
      version: 1,
      framesPerSecond: FRAMES_PER_SECOND,
      stations: stations.map((one) => ({ station: one.station, channels: one.channels })),
    };
    this.#hello = JSON.stringify(hello);
    for (const reader of this.#readers.keys()) reader.send(this.#hello);
  }

  #frame(): void {
    this.#meetAnew();
    const wanted = new Set(this.#readers.values());
    this.#options.stations.forEach((levels, station) => {
      if (!wanted.has(null) && !wanted.has(station)) return;
      const sequence = this.#sequences[station] ?? 0;
      this.#sequences[station] = sequence + 1;
      this.#send(station, encodeFrame({ station, sequence, channels: levels.read() }));
      for (const reading of levels.processed()) this.#send(station, encodeProcessing(station, reading));
    });
  }

  #send(station: number, frame: Uint8Array): void {
    for (const [reader, place] of this.#readers) {
      if (place !== null && place !== station) continue;
      if (reader.bufferedBytes > MOST_BUFFERED_BYTES) this.#dropped += 1;
      else {
        reader.send(frame);
        this.#sent += 1;
      }
    }
  }
}
