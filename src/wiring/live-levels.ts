import { LevelTap, SteadyTap } from '../audio/level-tap.ts';
import { createMeter, type Meter } from '../audio/meter.ts';
import type { LegId, Mount, ServerName } from '../domain/ids.ts';
import type { ChannelLevels, LevelChannel, StationLevels, StereoLevels } from '../domain/levels.ts';
import type { LevelReading, PlayedFigures, ProcessingReading } from '../domain/readings.ts';
import type { Clock } from '../platform/clock.ts';
import type { Station } from '../station.ts';
import { meterSettingsOf } from './meter-settings.ts';
import type { PublicMeters } from './public-ear.ts';

/** Levels without new sound for this long are no picture of now. */
const FRESH_MS = 500;
/** The meter's figures wait for the stream's clock, and so come later. */
const FIGURES_FRESH_MS = 1500;
/** Readings of the processing that wait for somebody who watches. */
const MOST_UNREAD = 5;

const NOTHING: StereoLevels = { rmsDbfs: [Number.NaN, Number.NaN], peakDbfs: [Number.NaN, Number.NaN] };

interface Heard {
  readonly tap: Pick<LevelTap, 'push' | 'take'>;
  newest: StereoLevels;
  atMs: number;
}

const newHeard = (tap: Heard['tap'] = new LevelTap()): Heard => ({
  tap,
  newest: NOTHING,
  atMs: Number.NEGATIVE_INFINITY,
});

/** The public mounts of another server, as a listener there hears them. */
interface HeardAfar extends Heard {
  newestReading: LevelReading | null;
  audibleAtMs: number;
}

/**
 * One station's meters: what its legs bring, what our own relay plays on the public mounts here, and what a listener hears
 * on those of the other servers. The public mounts of a server carry one sound, so that one of them is heard for all.
 */
export class LiveLevels implements StationLevels {
  #channels: readonly LevelChannel[];
  readonly #station: Station;
  readonly #clock: Clock;
  readonly #legs: ReadonlyMap<LegId, Heard>;
  readonly #played: Heard = newHeard(new SteadyTap());
  readonly #afar: ReadonlyMap<ServerName, HeardAfar>;
  /** Our own public mounts that Icecast takes sound for; null until somebody says. */
  #fed: readonly Mount[] | null = null;
  #playedMeter: Meter | null = null;
  #processed: ProcessingReading | null = null;
  #unread: ProcessingReading[] = [];
  /** In the readings of the block that was played last. */
  #loudestDbtp = Number.NEGATIVE_INFINITY;
  #playedFigures: { readonly reading: PlayedFigures; readonly atMs: number } | null = null;

  /** `outputs`: the public mounts of relay mode, the same on each server. */
  constructor(station: Station, outputs: readonly Mount[], clock: Clock) {
    const { legs, silence, self, servers } = station.policy;
    const { thresholdDbfs } = silence;
    const nearFirst = [...servers].sort((a, b) => Number(b === self) - Number(a === self));
    this.#station = station;
    this.#clock = clock;
    this.#legs = new Map(legs.map(({ id }) => [id, newHeard()]));
    this.#afar = new Map(
      nearFirst
        .filter((server) => outputs.length > 0 && server !== self)
        .map((server) => [
          server,
          { ...newHeard(), newestReading: null, audibleAtMs: Number.NEGATIVE_INFINITY },
        ]),
    );
    this.#channels = [
      ...nearFirst.flatMap((server) =>
        outputs.map((mount) => ({ kind: 'output' as const, server, mount, thresholdDbfs })),
      ),
      ...legs.map(({ id, server, source, mount }) => ({
        kind: 'leg' as const,
        leg: id,
        server,
        source,
        mount,
        thresholdDbfs,
      })),
    ];
  }

  /** The same until a reload changes the silence threshold. */
  get channels(): readonly LevelChannel[] {
    const { thresholdDbfs } = this.#station.policy.silence;
    if (this.#channels.some((channel) => channel.thresholdDbfs !== thresholdDbfs))
      this.#channels = this.#channels.map((channel) => ({ ...channel, thresholdDbfs }));
    return this.#channels;
  }

  get station(): StationLevels['station'] {
    return this.#station.policy.station;
  }

  /** Decoded sound of a leg, as it arrives. */
  heard(leg: LegId, pcm: Float32Array): void {
    this.#legs.get(leg)?.tap.push(pcm);
  }

  /** What goes to the encoders of the public mounts. */
  played(pcm: Float32Array): void {
    this.#played.tap.push(pcm);
    this.#playedMeter ??= createMeter({
      ...meterSettingsOf(this.#station.policy),
      // What is wrong with a programme is found before it is played, on its leg.
      findsFaults: false,
      onReading: (reading) => this.#notePlayed(reading),
    });
    this.#loudestDbtp = Number.NEGATIVE_INFINITY;
    this.#playedMeter.push(pcm);
  }

  /** A block is measured in several readings, and the loudest moment of any is to be seen. */
  #notePlayed(reading: PlayedFigures): void {
    this.#loudestDbtp = Math.max(this.#loudestDbtp, reading.truePeakDbtp);
    const { momentaryLufs, shortTermLufs } = reading;
    this.#playedFigures = {
      reading: { truePeakDbtp: this.#loudestDbtp, momentaryLufs, shortTermLufs },
      atMs: this.#clock.nowMs(),
    };
  }

  /** Which of our own public mounts are fed: what is played for the others, nobody gets. */
  fed(mounts: readonly Mount[]): void {
    this.#fed = mounts;
  }

  /** Takes what is heard of the public mounts of another server; null where they are ours, or there are none. */
  metersOf(server: ServerName): PublicMeters | null {
    const afar = this.#afar.get(server);
    if (afar === undefined) return null;
    return {
      heard: (pcm) => afar.tap.push(pcm),
      measured(reading) {
        afar.newestReading = reading;
        if (reading.audibleMs > 0) afar.audibleAtMs = reading.atMs;
      },
    };
  }

  /** What the processing of the public mounts did in another 100 ms. */
  noteProcessing(reading: ProcessingReading): void {
    this.#processed = reading;
    this.#unread.push(reading);
    if (this.#unread.length > MOST_UNREAD) this.#unread.shift();
  }

  processed(): readonly ProcessingReading[] {
    const unread = this.#unread;
    this.#unread = [];
    return unread;
  }

  /** The newest figures of what is played on the public mounts; null while nothing is. */
  get output(): PlayedFigures | null {
    const figures = this.#playedFigures;
    return figures !== null && this.#clock.nowMs() - figures.atMs <= FIGURES_FRESH_MS
      ? figures.reading
      : null;
  }

  read(): readonly ChannelLevels[] {
    const nowMs = this.#clock.nowMs();
    const played = newestOf(this.#played, nowMs);
    const afar = new Map([...this.#afar].map(([server, heard]) => [server, newestOf(heard, nowMs)]));
    const { channels } = this;
    return this.figures().map((figures, index): ChannelLevels => {
      const channel = channels[index];
      if (channel === undefined || this.#isUnfed(channel)) return { ...figures, ...NOTHING };
      if (channel.kind === 'output') return { ...figures, ...(afar.get(channel.server) ?? played) };
      const leg = this.#legs.get(channel.leg);
      return { ...figures, ...(leg === undefined ? NOTHING : newestOf(leg, nowMs)) };
    });
  }

  /** Of each channel in order, without what only the one reader of `read` may take. */
  figures(): readonly Omit<ChannelLevels, keyof StereoLevels>[] {
    const nowMs = this.#clock.nowMs();
    const { state, levels, policy } = this.#station;
    const onAir = state.desks.get(policy.self)?.onAir ?? null;
    return this.channels.map((channel) => {
      if (channel.kind === 'output') {
        const afar = this.#afar.get(channel.server);
        if (afar !== undefined) return figuresAfar(afar, policy.silence.tripMs, nowMs);
        if (this.#isUnfed(channel) && this.output !== null) return figuresOf(null, 'faulty');
        const condition = onAir === null ? 'faulty' : 'audible';
        const figures = figuresOf(this.output, this.output === null ? 'unknown' : condition);
        return { ...figures, gainReductionDb: reductionOf(this.#processed) };
      }
      const heard = levels.get(channel.leg);
      const fresh = heard !== undefined && nowMs - heard.atMs <= FIGURES_FRESH_MS ? heard : null;
      return figuresOf(fresh, state.legs.get(channel.leg)?.condition.is ?? 'unknown');
    });
  }

  #isUnfed(channel: LevelChannel): boolean {
    if (channel.kind === 'leg' || this.#afar.has(channel.server) || this.#fed === null) return false;
    return !this.#fed.includes(channel.mount);
  }
}

/** Whether it sounds is all that is known from afar: faulty when it has been quiet for the trip delay. */
function figuresAfar({ newestReading, audibleAtMs }: HeardAfar, tripMs: number, nowMs: number) {
  if (newestReading === null || nowMs - newestReading.atMs > FIGURES_FRESH_MS)
    return figuresOf(null, 'unknown');
  return figuresOf(newestReading, newestReading.atMs - audibleAtMs < tripMs ? 'audible' : 'faulty');
}

function figuresOf(figures: PlayedFigures | null, condition: ChannelLevels['condition']) {
  return {
    truePeakDbtp: figures?.truePeakDbtp ?? Number.NaN,
    momentaryLufs: figures?.momentaryLufs ?? Number.NaN,
    shortTermLufs: figures?.shortTermLufs ?? Number.NaN,
    condition,
    gainReductionDb: Number.NaN,
  };
}

/** The band that gives way most, and what the limiter takes on top of it. */
function reductionOf(reading: ProcessingReading | null): number {
  if (reading === null) return Number.NaN;
  return Math.max(0, ...reading.bandReductionDb) + reading.limiterReductionDb;
}

function newestOf(heard: Heard, nowMs: number): StereoLevels {
  const newest = heard.tap.take();
  if (newest !== null) {
    heard.newest = newest;
    heard.atMs = nowMs;
  }
  return nowMs - heard.atMs <= FRESH_MS ? heard.newest : NOTHING;
}
