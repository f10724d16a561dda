import { PCM_CHANNELS, PCM_FRAMES_PER_MS, PCM_RATE_HZ } from '../audio/decode-command.ts';
import type { LegCondition } from '../domain/conditions.ts';
import type { Leg, LegId } from '../domain/ids.ts';
import type { StationPolicy } from '../domain/policy.ts';
import type { Clock } from '../platform/clock.ts';
import type { Needed } from './alignment.ts';
import type { LegSight } from './situation.ts';
import { Take } from './take.ts';
import { VerdictLine } from './verdicts.ts';

/** Where one connection to one leg brings its decoded sound. */
export interface LegFeed {
  pcm(pcm: Float32Array): void;
  /** Encoded bytes went into the decoder. */
  bytes(count: number): void;
  /** What is announced now, with the sound that comes next. */
  title(title: string): void;
  /** Short-term loudness at a moment and the true peak since the one before, as the meter gives them. */
  loudness(atMs: number, shortTermLufs: number, truePeakDbtp: number): void;
  /** The connection or its decoder is gone; what comes after it opens a feed of its own. */
  close(): void;
}

/** Every source on every server: by source, and for each source our own server first. */
export function legsInOrder(policy: StationPolicy): readonly Leg[] {
  const servers = [policy.self, ...policy.servers.filter((server) => server !== policy.self)];
  return policy.sources.flatMap((source) =>
    servers.flatMap((server) => policy.legs.filter((leg) => leg.source === source && leg.server === server)),
  );
}

/** Verdicts are kept long enough for a leg to show that it failed a while ago. */
const VERDICTS_KEPT_MS = 300_000;
const SOUND_STEP_FRAMES = PCM_RATE_HZ / 100;
const SOUND_BEFORE_FRAMES = PCM_RATE_HZ / 4;
const SOUND_AFTER_FRAMES = PCM_RATE_HZ / 5;

/** What the choice sees of a leg, as `judge` has brought it up to date. */
interface RelayLeg extends LegSight {
  readonly verdicts: VerdictLine;
  condition: LegCondition;
  takes: readonly Take[];
  requiredHealthMs: number;
}

export interface RelayLegsOptions {
  readonly legs: readonly Leg[];
  readonly clock: Clock;
  readonly mostKeptMs: number;
  conditionOf(leg: LegId): LegCondition;
  requiredHealthMs(leg: LegId): number;
}

/** The decoded sound of every leg, with its verdicts; no more of it than somebody may still need. */
export class RelayLegs {
  readonly #options: RelayLegsOptions;
  readonly #legs: readonly RelayLeg[];
  #nextTake = 1;

  constructor(options: RelayLegsOptions) {
    this.#options = options;
    const sinceMs = options.clock.nowMs();
    this.#legs = options.legs.map(({ id }) => ({
      leg: id,
      verdicts: new VerdictLine(VERDICTS_KEPT_MS),
      condition: { is: 'unknown', sinceMs, reason: 'starting' },
      takes: [],
      requiredHealthMs: 0,
    }));
  }

  open(id: LegId): LegFeed {
    const { clock, mostKeptMs } = this.#options;
    const leg = this.#legs.find((one) => one.leg === id);
    const mostFrames = Math.ceil((mostKeptMs * PCM_RATE_HZ) / 1_000);
    const take = new Take({ id: this.#nextTake, leg: id, mostFrames });
    this.#nextTake += 1;
    if (leg !== undefined) {
      for (const old of leg.takes) old.close();
      leg.takes = [...leg.takes, take];
    }
    return {
      pcm: (pcm) => take.push(pcm, clock.nowMs()),
      bytes: (count) => take.noteBytes(count),
      title: (title) => take.noteTitle(title),
      loudness: (atMs, lufs, truePeakDbtp) => take.loudness.note(atMs, lufs, truePeakDbtp),
      close: () => take.close(),
    };
  }

  /** Takes over what is known now of every leg. */
  judge(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const leg of this.#legs) {
      leg.condition = this.#options.conditionOf(leg.leg);
      leg.requiredHealthMs = this.#options.requiredHealthMs(leg.leg);
      leg.verdicts.note(leg.condition, nowMs);
      for (const take of leg.takes) {
        take.settle(nowMs);
        if (leg.condition.is === 'audible') take.noteProof(leg.condition.sinceMs, leg.condition.verifiedAtMs);
      }
    }
  }

  get sights(): readonly LegSight[] {
    return this.#legs;
  }

  takeOf(id: number): Take | null {
    for (const { takes } of this.#legs) {
      const found = takes.find((take) => take.id === id);
      if (found !== undefined) return found;
    }
    return null;
  }

  /** Takes whose sound can be compared now. */
  get audible(): readonly Take[] {
    return this.#legs.flatMap(({ condition, takes }) =>
      condition.is === 'audible' ? takes.filter((take) => take.isOpen) : [],
    );
  }

  get heldBytes(): number {
    return this.#legs.reduce(
      (sum, { takes }) => sum + takes.reduce((held, take) => held + take.ring.heldBytes, 0),
      0,
    );
  }

  /**
   * Lets go of what nobody needs: sound well behind the cursor, and takes that are over. A leg that is waited for
   * keeps its first proven words.
   */
  tidy(onAir: Take | null, cursorMs: number, { behindMs, placeIn }: Needed): void {
    const rank = this.#legs.findIndex(({ leg }) => leg === onAir?.leg);
    const { clock, mostKeptMs } = this.#options;
    const oldestMs = clock.nowMs() - mostKeptMs;
    this.#legs.forEach((leg, index) => {
      const { condition } = leg;
      const isBetter = rank < 0 || index < rank;
      const isWaitedFor = isBetter && condition.is === 'audible' && condition.sinceMs > oldestMs;
      leg.takes = leg.takes.filter((take) => take.isOpen || take === onAir);
      for (const take of leg.takes) {
        const neededMs = cursorMs - behindMs;
        const frame = take.frameAt(isWaitedFor ? Math.min(neededMs, condition.sinceMs - 1_000) : neededMs);
        if (frame === null) continue;
        const inStep = (placeIn(take) ?? Number.POSITIVE_INFINITY) - behindMs * PCM_FRAMES_PER_MS;
        take.ring.forgetBefore(Math.min(frame, inStep));
      }
    });
  }
}

/** The end of the last 10 ms over the threshold around `frame`, where levels say that silence begins. */
export function soundEndNear(take: Take, frame: number, thresholdDbfs: number): number {
  const threshold = 10 ** (thresholdDbfs / 10);
  const from = Math.max(take.startFrame, Math.floor(frame) - SOUND_BEFORE_FRAMES);
  const to = Math.min(take.endFrame, Math.floor(frame) + SOUND_AFTER_FRAMES);
  const step = new Float32Array(SOUND_STEP_FRAMES * PCM_CHANNELS);
  for (let at = to - SOUND_STEP_FRAMES; at >= from; at -= SOUND_STEP_FRAMES) {
    if (!take.ring.read(at, step)) break;
    if (loudestSquare(step) > threshold) return at + SOUND_STEP_FRAMES;
  }
  return from;
}

function loudestSquare(pcm: Float32Array): number {
  const squares = [0, 0];
  const sums = [0, 0];
  pcm.forEach((sample, index) => {
    const channel = index % PCM_CHANNELS;
    squares[channel] = (squares[channel] ?? 0) + sample * sample;
    sums[channel] = (sums[channel] ?? 0) + sample;
  });
  const frames = pcm.length / PCM_CHANNELS;
  return Math.max(
    ...squares.map((square, channel) => square / frames - ((sums[channel] ?? 0) / frames) ** 2),
  );
}
