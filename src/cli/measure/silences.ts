import { BLOCK_MS, type HeardLevels } from '../../audio/programme-meter.ts';
import { hear, newSensor, type SoundSensor } from '../../decide/sound.ts';
import type { SilencePolicy } from '../../domain/policy.ts';
import type { Fault, Judgement } from './measurement.ts';

/** Sound that adds up to more than this ends a silence, as it does in the agent. */
const SOUND_MS = 1_000;
const RESTORE_MS = 20_000;

/** What was heard since a quiet run began, whether it becomes a silence or not. */
interface Run {
  readonly fromMs: number;
  /** Of the blocks without any sound: clicks, and the sound that ends it, are not its level. */
  power: number;
  blocks: number;
}

/** Finds the silences of a programme with the sensor that the agent decides by. */
export class Silences {
  readonly #policy: SilencePolicy;
  readonly #ended: Fault[] = [];
  #sensor: SoundSensor = newSensor(0);
  #run: Run | null = null;

  constructor({ thresholdDbfs, tripMs }: Pick<Judgement, 'thresholdDbfs' | 'tripMs'>) {
    this.#policy = { thresholdDbfs, tripMs, restoreMs: RESTORE_MS, soundMs: SOUND_MS };
  }

  push(levels: HeardLevels): void {
    const before = this.#sensor;
    const atMs = levels.endSeconds * 1000;
    const after = hear(before, { atMs, durationMs: BLOCK_MS, audibleMs: levels.audibleMs }, this.#policy);
    this.#sensor = after;
    if (before.verdict === 'silent' && after.verdict !== 'silent') this.#close(after.sinceMs);
    this.#follow(after, levels);
  }

  /** The silences so far; the last one's end is null while it lasts. */
  faults(): readonly Fault[] {
    return this.#sensor.verdict === 'silent' ? [...this.#ended, this.#faultUntil(null)] : this.#ended;
  }

  #follow(sensor: SoundSensor, levels: HeardLevels): void {
    const fromMs = sensor.quietFromMs;
    if (fromMs === null) this.#run = null;
    else if (this.#run?.fromMs !== fromMs) this.#run = { fromMs, power: 0, blocks: 0 };
    if (this.#run === null || levels.audibleMs > 0) return;
    this.#run.power += powerOf(levels.rmsDbfs);
    this.#run.blocks += 1;
  }

  #close(endMs: number): void {
    this.#ended.push(this.#faultUntil(endMs));
  }

  #faultUntil(endMs: number | null): Fault {
    const { fromMs, power, blocks } = this.#run ?? { fromMs: this.#sensor.sinceMs, power: 0, blocks: 0 };
    return {
      kind: 'silence',
      startSeconds: fromMs / 1000,
      endSeconds: endMs === null ? null : endMs / 1000,
      evidence: {
        levelDbfs: 10 * Math.log10(power / blocks),
        thresholdDbfs: this.#policy.thresholdDbfs,
      },
    };
  }
}

/** Of the louder channel, as quiet is when both are. */
function powerOf(rmsDbfs: readonly number[]): number {
  const loudest = Math.max(...rmsDbfs.filter((level) => !Number.isNaN(level)));
  return 10 ** (loudest / 10);
}
