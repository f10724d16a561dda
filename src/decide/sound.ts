import type { SilencePolicy } from '../domain/policy.ts';

/** Sound heard in one reading, remembered while it can still end or start a quiet run. */
interface Sound {
  readonly atMs: number;
  readonly audibleMs: number;
}

/**
 * One sensor per leg: a verdict and how long it has been true. Clicks are not sound: sound has to add up to more
 * than `soundMs` within one trip delay before it ends a quiet run or a silence.
 */
export interface SoundSensor {
  readonly verdict: 'unheard' | 'sounding' | 'silent';
  /** When the verdict began: for `silent` the first quiet moment, for `sounding` the first sound that proved it. */
  readonly sinceMs: number;
  /** First moment of the present quiet run, or null while there is sound. */
  readonly quietFromMs: number | null;
  readonly recent: readonly Sound[];
  /** End of the last block heard; -Infinity before the first. */
  readonly heardToMs: number;
}

const NOTHING_RECENT: readonly Sound[] = [];

/** A sensor that knows nothing; what was heard up to `heardToMs` does not count. */
export function newSensor(atMs: number, heardToMs: number = Number.NEGATIVE_INFINITY): SoundSensor {
  return { verdict: 'unheard', sinceMs: atMs, quietFromMs: null, recent: [], heardToMs };
}

/** True while nothing has been heard since the sensor began. */
export function isUntouched({ verdict, quietFromMs, recent }: SoundSensor): boolean {
  return verdict === 'unheard' && quietFromMs === null && recent.length === 0;
}

/** A block of sound on the leg: it ended at `atMs`, lasted `durationMs`, and was over the threshold for `audibleMs`. */
export interface HeardBlock {
  readonly atMs: number;
  readonly durationMs: number;
  readonly audibleMs: number;
}

export function hear(sensor: SoundSensor, block: HeardBlock, policy: SilencePolicy): SoundSensor {
  // A new connection begins with a burst of what was heard already; only what is new counts.
  if (block.atMs <= sensor.heardToMs) return sensor;
  const fromMs = block.atMs - block.durationMs;
  const recent = recentSounds(sensor, block, policy);
  const soundMs = recent.reduce((sum, sound) => sum + sound.audibleMs, 0);
  const enough = soundMs > Math.min(policy.soundMs, policy.tripMs / 2);
  const next = { ...sensor, recent, heardToMs: block.atMs };
  switch (sensor.verdict) {
    case 'sounding':
      return hearWhileSounding(next, fromMs, block, enough, policy);
    case 'silent':
      return enough ? soundProven(next) : next;
    case 'unheard':
      return hearFirst(next, fromMs, enough, policy);
  }
}

/** While it sounds there is no quiet run that sound could end, and nothing has to be remembered. */
function recentSounds(sensor: SoundSensor, block: HeardBlock, policy: SilencePolicy): readonly Sound[] {
  if (sensor.verdict === 'sounding' && sensor.quietFromMs === null) return NOTHING_RECENT;
  return [...sensor.recent, ...(block.audibleMs > 0 ? [block] : [])].filter(
    (sound) => sound.atMs > block.atMs - policy.tripMs,
  );
}

function hearWhileSounding(
  sensor: SoundSensor,
  fromMs: number,
  block: HeardBlock,
  enough: boolean,
  policy: SilencePolicy,
): SoundSensor {
  if (sensor.quietFromMs === null) return block.audibleMs > 0 ? sensor : { ...sensor, quietFromMs: fromMs };
  if (enough) return { ...sensor, quietFromMs: null, recent: [] };
  if (block.atMs - sensor.quietFromMs < policy.tripMs || isComingBack(sensor, policy)) return sensor;
  return { ...sensor, verdict: 'silent', sinceMs: sensor.quietFromMs, recent: [] };
}

function hearFirst(sensor: SoundSensor, fromMs: number, enough: boolean, policy: SilencePolicy): SoundSensor {
  if (enough) return soundProven(sensor);
  const quietFromMs = sensor.quietFromMs ?? fromMs;
  const isTooSoon = sensor.heardToMs - quietFromMs < policy.tripMs || isComingBack(sensor, policy);
  if (isTooSoon) return { ...sensor, quietFromMs };
  return { ...sensor, verdict: 'silent', sinceMs: quietFromMs, quietFromMs, recent: [] };
}

/**
 * Whether sound has just set in, though it has not yet added up to enough: a pause a little shorter than the trip delay
 * is over, and must not trip while the words after it are being counted. Clicks come nowhere near a quarter.
 */
function isComingBack({ recent, heardToMs }: SoundSensor, policy: SilencePolicy): boolean {
  const windowMs = Math.min(policy.soundMs, policy.tripMs / 2);
  const latelyMs = recent
    .filter((sound) => sound.atMs > heardToMs - windowMs)
    .reduce((sum, sound) => sum + sound.audibleMs, 0);
  return latelyMs > windowMs / 4;
}

function soundProven(sensor: SoundSensor): SoundSensor {
  const first = sensor.recent[0];
  const sinceMs = first === undefined ? sensor.heardToMs : first.atMs - first.audibleMs;
  return { ...sensor, verdict: 'sounding', sinceMs, quietFromMs: null, recent: [] };
}
