import { PCM_CHANNELS, PCM_FRAMES_PER_MS } from '../audio/decode-command.ts';
import { correlateHeld } from '../audio/splice.ts';
import type { LegCondition } from '../domain/conditions.ts';
import type { StationEvent } from '../domain/events.ts';
import type { Leg, LegId } from '../domain/ids.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Random } from '../platform/random.ts';
import { Alignment } from './alignment.ts';
import { choose } from './choice.ts';
import type { Emergency } from './emergency.ts';
import { type LegFeed, RelayLegs, soundEndNear } from './legs.ts';
import { type Loudness, matchingGainDb } from './loudness.ts';
import { BLOCK_FRAMES, OutputClock, TICK_MS } from './output-clock.ts';
import {
  type OutputsOptions,
  type OutputView,
  openOutputs,
  type RelayOutput,
  type RelayOutputs,
} from './outputs.ts';
import { nextPace, STEADY } from './pace.ts';
import { Playout, type Voice } from './playout.ts';
import { type RelayLegView, relationViews, sentenceOf } from './relations.ts';
import type { ChoicePolicy, RelayChoice, RelayHold, Situation } from './situation.ts';
import type { SoundProcessing } from './sound-processing.ts';
import type { Take } from './take.ts';
import { TitleLine } from './title-line.ts';

/** What the relay did, for the log, the history and the dashboard. */
export type RelayEvent = Extract<StationEvent, { readonly kind: 'relay-switched' | 'relay-aligned' }>;

export interface RelayOptions {
  /** In order of preference, as `legsInOrder` gives them. */
  readonly legs: readonly Leg[];
  readonly outputs: readonly RelayOutput[];
  /** How far playout runs behind the live edge: longer than the slowest fault takes to be found. */
  readonly delayMs: number;
  readonly restoreMs: number;
  readonly dwellMs: number;
  readonly thresholdDbfs: number;
  readonly sameFadeMs?: number;
  readonly differentFadeMs?: number;
  readonly ffmpegPath: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  conditionOf(leg: LegId): LegCondition;
  /** The restore delay of a leg and what flapping adds to it; `restoreMs` when left out. */
  requiredHealthMs?(leg: LegId): number;
  /** An operator's hold that lasts now. */
  holdOf?(): RelayHold | null;
  onEvent?(event: RelayEvent): void;
  /** What is played when no leg is audible, as soon as it is there; the noise floor without it. */
  emergency?(): Emergency | null;
  readonly processing?: SoundProcessing;
  /** What goes to the encoders, which must not be changed any more. */
  onPlayed?(pcm: Float32Array): void;
  /** Replaced in tests, where nothing has to be encoded. */
  openOutputs?(options: OutputsOptions): RelayOutputs;
}

export interface RelayView {
  readonly onAir: LegId | null;
  readonly playing: 'nothing' | 'leg' | 'emergency-file' | 'noise-floor';
  readonly latencyMs: number | null;
  readonly wantedLatencyMs: number;
  readonly rate: number;
  readonly legs: readonly RelayLegView[];
  readonly outputs: readonly OutputView[];
  readonly heldBytes: number;
  readonly dryMs: number;
}

/** One station's public stream. */
export interface Relay {
  /** One for each connection to a leg and each decoder on it. */
  openFeed(leg: LegId): LegFeed;
  readonly view: RelayView;
  stop(): Promise<void>;
}

const START_WITHIN_MS = 8_000;
/** First words are kept over a restore delay up to this. */
const MOST_RESTORE_KEPT_MS = 60_000;

export function startRelay(options: RelayOptions): Relay {
  return new StationRelay(options);
}

class StationRelay implements Relay {
  readonly #options: RelayOptions;
  readonly #legs: RelayLegs;
  readonly #alignment = new Alignment(correlateHeld);
  readonly #playout = new Playout(() => this.#spliced());
  readonly #cancel: Cancel;
  readonly #startedAtMs: number;
  readonly #mostLatencyMs: number;
  /** When each copy carries a moment of the programme, relative to each other, in ms. */
  readonly #placesMs = new Map<LegId, number>();
  #copiesLateMs = 0;
  readonly #told = new Map<LegId, string>();
  readonly #titles = new TitleLine();
  readonly #output = new OutputClock();
  #outputs: RelayOutputs | null = null;
  #onAir: Take | null = null;
  #planned: (RelayChoice & { do: 'switch' }) | null = null;
  #lastSwitchAtMs: number | null = null;
  /** The splice that begins it all has been made, and not only planned. */
  #hasSpliced = false;
  #isPrimed = false;
  #pace = STEADY;
  #wantedLatencyMs: number;
  #lastPlanAtMs: number;

  constructor(options: RelayOptions) {
    const { clock, delayMs, restoreMs } = options;
    this.#options = options;
    this.#startedAtMs = clock.nowMs();
    this.#lastPlanAtMs = this.#startedAtMs;
    this.#wantedLatencyMs = delayMs;
    this.#mostLatencyMs = 2 * delayMs + Math.min(restoreMs, MOST_RESTORE_KEPT_MS);
    this.#legs = new RelayLegs({
      legs: options.legs,
      clock,
      mostKeptMs: this.#mostLatencyMs + 10_000,
      conditionOf: (leg) => options.conditionOf(leg),
      requiredHealthMs: (leg) => options.requiredHealthMs?.(leg) ?? restoreMs,
    });
    // What is played is decided right before, by all that is known then.
    this.#cancel = clock.every(TICK_MS, () => {
      this.#plan();
      this.#render();
    });
  }

  openFeed(leg: LegId): LegFeed {
    return this.#legs.open(leg);
  }

  get view(): RelayView {
    const latencyMs = this.#latencyMs();
    return {
      onAir: this.#onAir?.leg ?? null,
      playing: this.#playing,
      latencyMs: latencyMs === null ? null : Math.round(latencyMs + this.#processingMs),
      wantedLatencyMs: Math.round(this.#wantedLatencyMs + this.#processingMs),
      rate: this.#pace.rate,
      legs: relationViews(this.#options.legs, this.#legs.audible, this.#onAir, this.#alignment),
      outputs: this.#outputs?.view ?? [],
      heldBytes: this.#legs.heldBytes,
      dryMs: this.#playout.dryFrames / PCM_FRAMES_PER_MS,
    };
  }

  async stop(): Promise<void> {
    this.#cancel();
    await this.#outputs?.stop();
  }

  #plan(): void {
    const nowMs = this.#options.clock.nowMs();
    const passedMs = nowMs - this.#lastPlanAtMs;
    this.#lastPlanAtMs = nowMs;
    this.#legs.judge();
    this.#align(nowMs);
    const latencyMs = this.#latencyMs();
    if (latencyMs !== null) this.#pace = nextPace(this.#pace, latencyMs - this.#wantedLatencyMs, passedMs);
    this.#choose(nowMs);
    // What is faded out may lie far behind what is played.
    if (!this.#playout.isFading) {
      const needed = this.#alignment.needs(this.#options.delayMs, this.#cursorFrame(), this.#legs.audible);
      this.#legs.tidy(this.#onAir, this.#cursorMs() ?? nowMs - this.#wantedLatencyMs, needed);
    }
    this.#alignment.keepOnly((id) => this.#legs.takeOf(id) !== null);
    this.#announce();
  }

  /** Looks how the other legs lie to the one on air, or before the start to the one that is likely to be. */
  #align(nowMs: number): void {
    const others = this.#legs.audible;
    const reference = this.#onAir ?? others[0] ?? null;
    this.#alignment.setReference(reference);
    if (reference === null) return;
    const frame = this.#cursorFrame() ?? reference.frameAt(nowMs - this.#options.delayMs);
    if (frame !== null) this.#alignment.tick(nowMs, frame, others);
    this.#tellRelations(nowMs, this.#wantLatency(reference));
  }

  /** Says how the other legs lie, which the latency that is wanted follows from. */
  #wantLatency(reference: Take): readonly RelayLegView[] {
    const views = relationViews(this.#options.legs, this.#legs.audible, this.#onAir, this.#alignment);
    this.#wantedLatencyMs = this.#options.delayMs + this.#copiesBehindMs(reference, views);
    return views;
  }

  /**
   * How far the last of the copies is behind the leg on air: it has to have been judged, too, when it is needed. A copy
   * that is away for a while keeps its place, so that the latency doesn't follow every reconnect.
   */
  #copiesBehindMs(reference: Take, views: readonly RelayLegView[]): number {
    const copies = views.filter((view) => view.relation === 'same' && view.leg !== reference.leg);
    // While another programme is on air the copies wait for its end, with the latency that they will need then.
    if (copies.length === 0 && !this.#placesMs.has(reference.leg)) return this.#copiesLateMs;
    const known = copies.find(({ leg }) => this.#placesMs.has(leg));
    const fromCopy = (this.#placesMs.get(known?.leg ?? reference.leg) ?? 0) - (known?.behindMs ?? 0);
    const here = this.#placesMs.get(reference.leg) ?? fromCopy;
    this.#placesMs.set(reference.leg, here);
    for (const { leg, behindMs } of copies) this.#placesMs.set(leg, here + (behindMs ?? 0));
    for (const view of views) if (view.relation === 'different') this.#placesMs.delete(view.leg);
    let lateMs = 0;
    for (const placeMs of this.#placesMs.values()) lateMs = Math.max(lateMs, placeMs - here);
    this.#copiesLateMs = Math.min(this.#options.delayMs, lateMs);
    return this.#copiesLateMs;
  }

  #choose(nowMs: number): void {
    if (this.#playout.isFading) return;
    const onAir = this.#onAir;
    const frame = this.#cursorFrame();
    const unfilledMs = this.#isPrimed ? 0 : this.#processingMs;
    const situation: Situation = {
      nowMs,
      startedAtMs: this.#startedAtMs,
      lastSwitchAtMs: this.#lastSwitchAtMs,
      legs: this.#legs.sights,
      onAir: onAir === null || frame === null ? null : { take: onAir, frame },
      hasPlayed: this.#hasSpliced,
      hasEmergency: this.#emergency !== null,
      policy: this.#policy(),
      hold: this.#options.holdOf?.() ?? null,
      // What has not been rendered yet is heard that much earlier than now.
      latencyMs: this.#wantedLatencyMs + (onAir === null ? this.#output.dueMs(nowMs) : 0) + unfilledMs,
      relationOf: (take, at) => this.#alignment.relationOf(take, at),
      soundEndNear: (take, at) => {
        const found = this.#legs.takeOf(take.id);
        return found === null ? at : soundEndNear(found, at, this.#options.thresholdDbfs);
      },
    };
    const choice = choose(situation);
    this.#planned = choice.do === 'switch' ? choice : null;
    if (choice.do === 'stay') {
      this.#playout.plan(null);
      return;
    }
    const { atFrame, fadeFrames, correlation } = choice;
    this.#playout.plan({
      // Nothing but the emergency file may be playing, whose frames are not those of a leg.
      atFrame: onAir === null ? (this.#playout.voice?.frame ?? 0) : atFrame,
      to: this.#voiceFor(choice),
      fadeFrames: Math.round(fadeFrames),
      correlation,
    });
    if (!this.#output.isRunning) this.#begin(nowMs);
  }

  /** A copy goes on at the gain that is there; another programme begins about as loud as what it follows. */
  #voiceFor({ to, atFrame, correlation }: RelayChoice & { do: 'switch' }): Voice | null {
    const playing = this.#playout.voice;
    const fromMs = this.#onAir?.timeOf(atFrame) ?? null;
    const leaving =
      this.#onAir === null ? this.#emergency?.loudness : this.#onAir.loudness.before(fromMs ?? 0);
    const gainFor = (joining: Loudness | null): number => {
      if (playing === null) return 0;
      if (correlation > 0) return playing.gainDb;
      return matchingGainDb(leaving ? { ...leaving, lufs: leaving.lufs + playing.gainDb } : null, joining);
    };
    if (to === null) {
      const emergency = this.#emergency;
      return emergency === null
        ? null
        : { source: emergency.source, frame: 0, inverted: false, gainDb: gainFor(emergency.loudness) };
    }
    const take = this.#legs.takeOf(to.take.id);
    if (take === null) return null;
    const joining = take.loudness.from(take.timeOf(to.frame) ?? 0);
    // How a copy lies to the one on air, which may be turned itself.
    const inverted = correlation > 0 && playing?.inverted ? !to.inverted : to.inverted;
    return { source: take.ring, frame: to.frame, inverted, gainDb: gainFor(joining) };
  }

  get #emergency(): Emergency | null {
    return this.#options.emergency?.() ?? null;
  }

  get #playing(): RelayView['playing'] {
    if (!this.#output.isRunning) return 'nothing';
    if (this.#onAir !== null) return 'leg';
    return this.#playout.voice === null ? 'noise-floor' : 'emergency-file';
  }

  #policy(): ChoicePolicy {
    const options = this.#options;
    return {
      delayMs: options.delayMs,
      dwellMs: options.dwellMs,
      startWithinMs: START_WITHIN_MS + 2 * options.delayMs,
      mostLatencyMs: this.#mostLatencyMs,
      sameFadeMs: options.sameFadeMs ?? 20,
      differentFadeMs: options.differentFadeMs ?? 250,
    };
  }

  /** There is sound: from now on the public mounts are fed, and never stop. */
  #begin(nowMs: number): void {
    const { outputs, ffmpegPath, clock, random, log } = this.#options;
    this.#output.begin(nowMs);
    this.#outputs = (this.#options.openOutputs ?? openOutputs)({ outputs, ffmpegPath, clock, random, log });
  }

  #spliced(): void {
    const choice = this.#planned;
    if (choice === null) return;
    this.#planned = null;
    this.#hasSpliced = true;
    const atMs = this.#options.clock.nowMs();
    const from = this.#onAir?.leg ?? null;
    this.#onAir = choice.to === null ? null : this.#legs.takeOf(choice.to.take.id);
    if (choice.trigger !== 'start') this.#lastSwitchAtMs = atMs;
    this.#alignment.setReference(this.#onAir);
    if (this.#onAir !== null) this.#wantLatency(this.#onAir);
    this.#options.onEvent?.({
      kind: 'relay-switched',
      atMs,
      from,
      to: this.#onAir?.leg ?? null,
      ...(this.#playing === 'emergency-file' ? { filler: this.#playing } : {}),
      trigger: choice.trigger,
      hitless: choice.correlation > 0,
      because: choice.because,
    });
  }

  #render(): void {
    this.#output.forgive(this.#options.clock.nowMs());
    const blocks = this.#output.blocksDue(this.#options.clock.nowMs());
    if (blocks > 0 && !this.#isPrimed) this.#prime();
    for (let block = 0; block < blocks; block += 1) {
      if (block > 0) this.#choose(this.#options.clock.nowMs());
      const pcm = new Float32Array(BLOCK_FRAMES * PCM_CHANNELS);
      this.#playout.render(pcm, this.#pace.rate);
      this.#options.processing?.process(pcm);
      this.#outputs?.write(pcm);
      this.#options.onPlayed?.(pcm);
      this.#output.gave(BLOCK_FRAMES);
    }
  }

  /** The silence that a chain begins with is not for listeners: it is filled at once, from sound that is there already. */
  #prime(): void {
    this.#isPrimed = true;
    const pcm = new Float32Array(Math.round(this.#processingMs * PCM_FRAMES_PER_MS) * PCM_CHANNELS);
    if (pcm.length === 0) return;
    this.#playout.render(pcm, 1);
    this.#options.processing?.process(pcm);
  }

  get #processingMs(): number {
    return this.#options.processing?.latencyMs ?? 0;
  }

  /** What is played next, as a frame of the take on air. */
  #cursorFrame(): number | null {
    return this.#onAir === null ? null : (this.#playout.voice?.frame ?? null);
  }

  /** When what is played next was live. */
  #cursorMs(): number | null {
    const frame = this.#cursorFrame();
    return frame === null ? null : (this.#onAir?.timeOf(frame) ?? null);
  }

  /** Of the playout alone, to which the processing adds. What a standstill of ours left owed is no latency. */
  #latencyMs(): number | null {
    const cursorMs = this.#cursorMs();
    const nowMs = this.#options.clock.nowMs();
    return cursorMs === null ? null : nowMs - cursorMs - this.#output.dueMs(nowMs);
  }

  /** Titles are told when the sound they belong to leaves for the encoders. */
  #announce(): void {
    if (this.#outputs === null) return;
    const frame = this.#cursorFrame();
    const title = frame === null ? null : (this.#onAir?.titleAt(frame) ?? null);
    const entering = this.#output.givenFrames + this.#processingMs * PCM_FRAMES_PER_MS;
    this.#titles.enter(entering, title ?? this.#options.outputs[0]?.words.name ?? null);
    const told = this.#titles.leaving(this.#output.givenFrames);
    if (told !== null) this.#outputs.setTitle(told);
  }

  /** Whether the backups are copies of the best leg; while another one is on air, it says nothing of that. */
  #tellRelations(atMs: number, views: readonly RelayLegView[]): void {
    if (this.#onAir === null || this.#onAir.leg !== this.#options.legs[0]?.id) return;
    for (const { leg, relation, behindMs } of views) {
      if (relation === 'unknown' || leg === this.#onAir.leg || this.#told.get(leg) === relation) continue;
      this.#told.set(leg, relation);
      this.#options.onEvent?.({ kind: 'relay-aligned', atMs, leg, detail: sentenceOf(relation, behindMs) });
    }
  }
}
