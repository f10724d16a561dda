import { CHANNELS, PILOTS_HZ, SAMPLE_RATE_HZ } from './material.ts';

/** One short step of what a listener heard. `programme` is known by its pilot; null when there is none. */
export interface HeardStep {
  readonly atMs: number;
  readonly durationMs: number;
  readonly levelDbfs: number;
  readonly from: 'sound' | 'underrun';
}

export interface DeadAir {
  readonly atMs: number;
  readonly durationMs: number;
  readonly cause: 'silence' | 'underrun' | 'both';
}

/** A stretch in which one programme was heard; `unclear` is sound without a single clear pilot. */
export interface HeardProgramme {
  readonly programme: string;
  readonly atMs: number;
  readonly durationMs: number;
}

export interface DeadAirRule {
  readonly underDbfs: number;
  readonly atLeastMs: number;
  /** Sound shorter than this between two silences is a click and does not end the dead air. */
  readonly bridgeMs: number;
}

export const DEAD_AIR: DeadAirRule = {
  underDbfs: -60,
  atLeastMs: 50,
  bridgeMs: 150,
};

export const SILENT = 'silent';
export const UNCLEAR = 'unclear';

const STEP_FRAMES = SAMPLE_RATE_HZ / 100;
const STEP_MS = 10;
const WINDOW_STEPS = 5;
const WINDOW_MS = STEP_MS * WINDOW_STEPS;
const WINDOW_FRAMES = STEP_FRAMES * WINDOW_STEPS;
/** A pilot counts when it is this loud at least and this much over the next one. */
const PILOT_FLOOR_DBFS = -62;
const PILOT_LEAD_DB = 6;
/** Splices and frame borders blur one or two windows; longer unclear sound is told. */
const UNCLEAR_BRIDGE_MS = 150;

/** The louder channel's RMS of every full 10 ms. `atMs` is the time of the first sample. */
export function levelSteps(pcm: Int16Array, atMs: number): readonly HeardStep[] {
  const steps: HeardStep[] = [];
  for (let at = 0; at + STEP_FRAMES * CHANNELS <= pcm.length; at += STEP_FRAMES * CHANNELS) {
    const levelDbfs = louderRmsDbfs(pcm.subarray(at, at + STEP_FRAMES * CHANNELS));
    steps.push({
      atMs: atMs + steps.length * STEP_MS,
      durationMs: STEP_MS,
      levelDbfs,
      from: 'sound',
    });
  }
  return steps;
}

function louderRmsDbfs(pcm: Int16Array): number {
  let left = 0;
  let right = 0;
  for (let index = 0; index < pcm.length; index += CHANNELS) {
    left += (pcm[index] ?? 0) ** 2;
    right += (pcm[index + 1] ?? 0) ** 2;
  }
  const meanSquare = Math.max(left, right) / (pcm.length / CHANNELS);
  return meanSquare === 0 ? -Infinity : 10 * Math.log10(meanSquare / 32768 ** 2);
}

/** Dead air on a listener's time line: silence and underruns, clicks bridged. */
export function findDeadAir(steps: readonly HeardStep[], rule: DeadAirRule = DEAD_AIR): readonly DeadAir[] {
  const quiet: DeadAir[] = [];
  for (const step of steps) {
    if (step.from === 'sound' && step.levelDbfs >= rule.underDbfs) continue;
    const cause = step.from === 'sound' ? 'silence' : 'underrun';
    const last = quiet.at(-1);
    if (last && step.atMs - endOf(last) < 1) quiet[quiet.length - 1] = joined(last, step, cause);
    else quiet.push({ atMs: step.atMs, durationMs: step.durationMs, cause });
  }
  const runs: DeadAir[] = [];
  for (const run of quiet.filter(({ durationMs }) => durationMs >= rule.atLeastMs - 0.5)) {
    const last = runs.at(-1);
    if (last && run.atMs - endOf(last) < rule.bridgeMs) runs[runs.length - 1] = joined(last, run, run.cause);
    else runs.push(run);
  }
  return runs;
}

function endOf(stretch: { atMs: number; durationMs: number }): number {
  return stretch.atMs + stretch.durationMs;
}

function joined(last: DeadAir, next: { atMs: number; durationMs: number }, cause: DeadAir['cause']): DeadAir {
  return {
    atMs: last.atMs,
    durationMs: endOf(next) - last.atMs,
    cause: last.cause === cause ? cause : 'both',
  };
}

export type Pilots = Readonly<Record<string, number>>;

/** Which programme is heard in every 50 ms, as runs. */
export function findProgrammes(
  pcm: Int16Array,
  atMs: number,
  pilots: Pilots = PILOTS_HZ,
): readonly HeardProgramme[] {
  const found: HeardProgramme[] = [];
  for (let at = 0; at + WINDOW_FRAMES * CHANNELS <= pcm.length; at += WINDOW_FRAMES * CHANNELS) {
    const programme = programmeIn(pcm.subarray(at, at + WINDOW_FRAMES * CHANNELS), pilots);
    const windowAtMs = atMs + (at / CHANNELS / SAMPLE_RATE_HZ) * 1000;
    found.push({ programme, atMs: windowAtMs, durationMs: WINDOW_MS });
  }
  return joinProgrammes(found);
}

/** Joins neighbours of one programme and lets short unclear sound go to the programme before it. */
export function joinProgrammes(found: readonly HeardProgramme[]): readonly HeardProgramme[] {
  const plain = joinSame(found);
  const cleared = plain.map((run, index) => {
    const before = plain[index - 1];
    const isBlur = run.programme === UNCLEAR && run.durationMs < UNCLEAR_BRIDGE_MS;
    return isBlur && before ? { ...run, programme: before.programme } : run;
  });
  return joinSame(cleared);
}

function joinSame(found: readonly HeardProgramme[]): readonly HeardProgramme[] {
  const runs: HeardProgramme[] = [];
  for (const next of found) {
    const last = runs.at(-1);
    if (last?.programme === next.programme && next.atMs - endOf(last) < 1) {
      runs[runs.length - 1] = { ...last, durationMs: endOf(next) - last.atMs };
    } else runs.push(next);
  }
  return runs;
}

/** The programme of one window. */
export function programmeIn(window: Int16Array, pilots: Pilots): string {
  if (louderRmsDbfs(window) < DEAD_AIR.underDbfs) return SILENT;
  const [first, second] = pilotLevels(window, pilots);
  if (!first || first.levelDbfs < PILOT_FLOOR_DBFS) return UNCLEAR;
  return first.levelDbfs - (second?.levelDbfs ?? -Infinity) >= PILOT_LEAD_DB ? first.programme : UNCLEAR;
}

export interface PilotLevel {
  readonly programme: string;
  readonly levelDbfs: number;
}

/** How loud each pilot is in one window, the loudest first. */
export function pilotLevels(window: Int16Array, pilots: Pilots): readonly PilotLevel[] {
  return Object.entries(pilots)
    .map(([programme, frequencyHz]) => ({
      programme,
      levelDbfs: toneLevelDbfs(window, frequencyHz),
    }))
    .sort((a, b) => b.levelDbfs - a.levelDbfs);
}

const hannWindows = new Map<number, Float64Array>();

function hann(length: number): Float64Array {
  const known = hannWindows.get(length);
  if (known) return known;
  const made = Float64Array.from(
    { length },
    (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (index + 0.5)) / length),
  );
  hannWindows.set(length, made);
  return made;
}

/** Goertzel under a Hann window; the RMS level of a tone of that frequency in the louder channel. */
export function toneLevelDbfs(pcm: Int16Array, frequencyHz: number): number {
  const frames = pcm.length / CHANNELS;
  const weights = hann(frames);
  const turn = 2 * Math.cos((2 * Math.PI * frequencyHz) / SAMPLE_RATE_HZ);
  let power = 0;
  for (let channel = 0; channel < CHANNELS; channel += 1) {
    let before = 0;
    let beforeThat = 0;
    for (let frame = 0; frame < frames; frame += 1) {
      const now = (pcm[frame * CHANNELS + channel] ?? 0) * (weights[frame] ?? 0) + turn * before - beforeThat;
      beforeThat = before;
      before = now;
    }
    power = Math.max(power, before ** 2 + beforeThat ** 2 - turn * before * beforeThat);
  }
  const peak = (Math.sqrt(Math.max(power, 0)) * 4) / frames;
  return peak === 0 ? -Infinity : 20 * Math.log10(peak / Math.SQRT2 / 32768);
}
