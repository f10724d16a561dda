import { PCM_CHANNELS, PCM_RATE_HZ } from '../../audio/decode-command.ts';
import { createProgrammeMeter, type FaultEpisode, type ProgrammeMeter } from '../../audio/programme-meter.ts';
import type { Fault, Judgement, Measurement } from './measurement.ts';
import { Silences } from './silences.ts';

/** The meter keeps the last 64 faults that ended; asked this often none of them is lost. */
const ASK_EVERY_SECONDS = 10;
/** The least share of the sound in which both sides are the same for the whole to be called mono. */
const MONO_SHARE = 0.9;

export interface ProgrammeListener {
  /** Takes as much of it as is still wanted. */
  push(pcm: Float32Array): void;
  readonly heardSeconds: number;
  /** As much was heard as was wanted. */
  readonly isFull: boolean;
  /** What was measured so far. */
  result(): Measurement;
}

/** Hears decoded sound from its beginning, up to `mostSeconds` of it. */
export function listenToProgramme(judgement: Judgement, mostSeconds: number | null): ProgrammeListener {
  const silences = new Silences(judgement);
  const meter = createProgrammeMeter({
    thresholdDbfs: judgement.thresholdDbfs,
    preset: judgement.preset,
    targetLufs: judgement.targetLufs,
    onBlock: (levels) => silences.push(levels),
  });
  const mostFrames = mostSeconds === null ? Number.POSITIVE_INFINITY : Math.round(mostSeconds * PCM_RATE_HZ);
  const episodes = new EpisodeList(meter);
  let frames = 0;
  return {
    push(pcm) {
      const wanted = pcm.subarray(0, Math.min(pcm.length, (mostFrames - frames) * PCM_CHANNELS));
      frames += wanted.length / PCM_CHANNELS;
      meter.push(wanted);
      episodes.ask(frames / PCM_RATE_HZ);
    },
    get heardSeconds() {
      return frames / PCM_RATE_HZ;
    },
    get isFull() {
      return frames >= mostFrames;
    },
    result() {
      const all = episodes.all();
      const faults = [...silences.faults(), ...faultsOf(all)].sort((a, b) => a.startSeconds - b.startSeconds);
      const monoSeconds = all
        .filter(({ kind }) => kind === 'mono')
        .reduce((sum, one) => sum + (one.endSeconds ?? frames / PCM_RATE_HZ) - one.startSeconds, 0);
      const isMono = frames > 0 && monoSeconds >= (MONO_SHARE * frames) / PCM_RATE_HZ;
      return { summary: meter.summary(), faults, isMono };
    },
  };
}

class EpisodeList {
  readonly #meter: ProgrammeMeter;
  readonly #found = new Map<string, FaultEpisode>();
  #askedAtSeconds = 0;

  constructor(meter: ProgrammeMeter) {
    this.#meter = meter;
  }

  ask(heardSeconds: number): void {
    if (heardSeconds - this.#askedAtSeconds < ASK_EVERY_SECONDS) return;
    this.#askedAtSeconds = heardSeconds;
    this.#collect();
  }

  all(): readonly FaultEpisode[] {
    this.#collect();
    return [...this.#found.values()];
  }

  #collect(): void {
    for (const episode of this.#meter.faultEpisodes())
      this.#found.set(`${episode.kind} ${episode.startSeconds}`, episode);
  }
}

/** Mono is no fault; and a loop that was suspected and then proven is told once. */
export function faultsOf(episodes: readonly FaultEpisode[]): readonly Fault[] {
  const proven = episodes.filter(({ kind }) => kind === 'stuck-loop');
  return episodes
    .filter(({ kind }) => kind !== 'mono')
    .filter((one) => one.kind !== 'loop-suspected' || !proven.some((loop) => overlap(one, loop)))
    .map(({ kind, startSeconds, endSeconds, evidence }) => ({ kind, startSeconds, endSeconds, evidence }));
}

function overlap(a: FaultEpisode, b: FaultEpisode): boolean {
  const endOf = (one: FaultEpisode) => one.endSeconds ?? Number.POSITIVE_INFINITY;
  return a.startSeconds <= endOf(b) && b.startSeconds <= endOf(a);
}
