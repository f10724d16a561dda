import type { MonitorId } from '../domain/ids.ts';
import type { DecoderState, LevelReading, Pulse, SoundFigures } from '../domain/readings.ts';
import type { Clock } from '../platform/clock.ts';
import { type Demuxer, PCM_CHANNELS, PCM_RATE_HZ } from './decode-command.ts';
import type { Decoder, DecoderFactory } from './decoder.ts';
import { createMeter, type Meter, type MeterSettings } from './meter.ts';
import { createStreamClock, type StreamClock } from './stream-clock.ts';

export interface LegEarOptions extends MeterSettings {
  readonly monitor: MonitorId;
  readonly demuxer: Demuxer;
  readonly openedAtMs: number;
  readonly decoders: DecoderFactory;
  readonly clock: Clock;
  /** In order of time. Those of a burst carry times before `openedAtMs`. */
  onReading(reading: LevelReading): void;
  /** Every 200 ms from now until `close()`, whether or not anything arrives. */
  onPulse(pulse: Pulse): void;
  /** Decoded sound, for others than the meter. */
  onPcm?(pcm: Float32Array): void;
  /** The decoder was replaced: what comes next doesn't follow on what came before. */
  onHole?(): void;
}

/** Hears one monitor connection: its bytes go in, what they sound like comes out. */
export interface LegEar {
  /** Body bytes, without ICY metadata. They must not be changed afterwards. */
  write(bytes: Uint8Array, atMs: number): void;
  readonly decoder: DecoderState;
  readonly lastPcmAtMs: number | null;
  /** From now on measured by these; nothing of the connection or of what is decoded is touched. */
  measureBy(settings: MeterSettings): void;
  close(): Promise<void>;
}

const PULSE_EVERY_MS = 200;
/** A minute of readings: more than a burst of 64 KiB brings at the lowest bitrate in use. */
const MOST_HELD = 600;

interface Held {
  readonly figures: SoundFigures;
  readonly endFrame: number;
  readonly arrivedAtMs: number;
}

/** One ear per connection, with a decoder of its own: the next connection may bring another codec, and new Ogg headers. */
export function openLegEar(options: LegEarOptions): LegEar {
  return new ConnectionEar(options);
}

class ConnectionEar implements LegEar {
  readonly #options: LegEarOptions;
  readonly #decoder: Decoder;
  #meter: Meter;
  readonly #streamClock: StreamClock;
  readonly #cancelPulse: () => void;
  #lastByteAtMs: number;
  #frames = 0;
  /** Heard before the meter of now began. */
  #framesBefore = 0;
  /** Measured, and waiting until the stream clock can say when they were heard. */
  #held: Held[] = [];
  #closed = false;

  constructor(options: LegEarOptions) {
    this.#options = options;
    this.#lastByteAtMs = options.openedAtMs;
    this.#streamClock = createStreamClock({ rateHz: PCM_RATE_HZ });
    this.#meter = this.#newMeter(options);
    this.#decoder = options.decoders.open({
      demuxer: options.demuxer,
      label: options.monitor,
      onPcm: (pcm) => this.#hear(pcm),
      onState: (state) => this.#decoderBecame(state),
    });
    this.#cancelPulse = options.clock.every(PULSE_EVERY_MS, () => this.#pulse());
  }

  get decoder(): DecoderState {
    return this.#decoder.state;
  }

  get lastPcmAtMs(): number | null {
    return this.#decoder.lastPcmAtMs;
  }

  write(bytes: Uint8Array, atMs: number): void {
    if (this.#closed) return;
    this.#lastByteAtMs = atMs;
    this.#decoder.write(bytes);
  }

  measureBy(settings: MeterSettings): void {
    if (this.#closed) return;
    this.#meter.reset();
    this.#meter = this.#newMeter(settings);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#cancelPulse();
    this.#meter.reset();
    return this.#decoder.close();
  }

  /** Its frames are counted on from those that came before it. */
  #newMeter(settings: MeterSettings): Meter {
    this.#framesBefore = this.#frames;
    return createMeter({
      ...settings,
      onReading: (figures, endFrame) =>
        this.#held.push({
          figures,
          endFrame: this.#framesBefore + endFrame,
          arrivedAtMs: this.#options.clock.nowMs(),
        }),
    });
  }

  #hear(pcm: Float32Array): void {
    if (this.#closed) return;
    const nowMs = this.#options.clock.nowMs();
    this.#frames += pcm.length / PCM_CHANNELS;
    this.#streamClock.arrived(this.#frames, nowMs);
    this.#meter.push(pcm);
    this.#options.onPcm?.(pcm);
    this.#release(nowMs);
  }

  /** A replaced decoder leaves a hole of unknown length, so what comes after it is timed and measured afresh. */
  #decoderBecame(state: DecoderState): void {
    if (state === 'running' || this.#closed) return;
    this.#options.onHole?.();
    this.#tell(this.#held.splice(0));
    this.#frames = 0;
    this.#framesBefore = 0;
    this.#meter.reset();
    this.#streamClock.reset();
  }

  #pulse(): void {
    const nowMs = this.#options.clock.nowMs();
    this.#release(nowMs);
    this.#options.onPulse({
      monitor: this.#options.monitor,
      atMs: nowMs,
      openedAtMs: this.#options.openedAtMs,
      lastByteAtMs: this.#lastByteAtMs,
      lastPcmAtMs: this.#decoder.lastPcmAtMs,
      decoder: this.#decoder.state,
    });
  }

  #release(nowMs: number): void {
    if (this.#held.length === 0) return;
    if (this.#streamClock.settled(nowMs)) this.#tell(this.#held.splice(0));
    else if (this.#held.length > MOST_HELD) this.#tell(this.#held.splice(0, this.#held.length - MOST_HELD));
  }

  #tell(readings: readonly Held[]): void {
    const { monitor, onReading } = this.#options;
    for (const { figures, endFrame, arrivedAtMs } of readings)
      onReading(readingOf(figures, monitor, this.#streamClock.timeOf(endFrame), arrivedAtMs));
  }
}

/** Field by field: so many of them spread into a literal make an object that V8 keeps as a table, five times as large. */
function readingOf(
  figures: SoundFigures,
  monitor: MonitorId,
  atMs: number,
  arrivedAtMs: number,
): LevelReading {
  return {
    monitor,
    atMs,
    arrivedAtMs,
    durationMs: figures.durationMs,
    rmsDbfs: figures.rmsDbfs,
    samplePeakDbfs: figures.samplePeakDbfs,
    truePeakDbtp: figures.truePeakDbtp,
    momentaryLufs: figures.momentaryLufs,
    shortTermLufs: figures.shortTermLufs,
    integratedLufs: figures.integratedLufs,
    loudnessRangeLu: figures.loudnessRangeLu,
    correlation: figures.correlation,
    audibleMs: figures.audibleMs,
    faults: figures.faults,
    warnings: figures.warnings,
  };
}
