import { PCM_CHANNELS, PCM_FRAMES_PER_MS, PCM_RATE_HZ } from '../audio/decode-command.ts';
import { createMeter } from '../audio/meter.ts';
import { letGo } from '../audio/sound-ring.ts';
import { correlate, INTERPOLATOR_REACH_FRAMES, interpolate } from '../audio/splice.ts';
import type { StreamView } from '../domain/view.ts';
import type { Take } from '../relay/take.ts';

/** How what was heard of one public stream lies to what was heard of another. */
export type StreamMatch = Pick<StreamView, 'relation' | 'skewMs' | 'driftMsPerS' | 'louderDb' | 'why'>;

/** Where in our own sound a piece is taken from: 0 finds a stream that is far behind, 1 one that is far ahead. */
export interface MatchOptions {
  readonly places: readonly number[];
  /** Whether nothing found means another programme; else it is not said yet. */
  readonly isLast: boolean;
}

/** So short that it is found at a tempo which is off by half of the step between two that are tried. */
const PIECE_FRAMES = PCM_RATE_HZ / 2;
const ZONE_FRAMES = 3 * PCM_RATE_HZ;
/**
 * By how much faster than ours the other may be. A relay makes up for a delay by up to 0.4 %, and may do so while
 * another one slows down by as much.
 */
const TEMPI = [0, 0.004, -0.004, 0.002, -0.002, 0.006, -0.006, 0.008, -0.008];
/** What two pieces give is off by a little. */
const MOST_TEMPO = 0.01;
/** The second piece lies so far from the first that the two give the tempo. */
const APART_FRAMES = 2.5 * PCM_RATE_HZ;
const REACH_FRAMES = PCM_RATE_HZ / 100;
/** At the tempo that was found all of it is looked for anew, everywhere, which a chance likeness doesn't survive. */
const PROOF_FRAMES = 3 * PCM_RATE_HZ;
const PROOF_OFF_FRAMES = 3 * PCM_FRAMES_PER_MS;
/** What lies closer is the same place. */
const ELSEWHERE_FRAMES = PCM_RATE_HZ / 10;
const LEAST_PEAK = 0.5;
const PROVEN_PEAK = 0.6;
/** Nothing better is to be expected of any other tempo. */
const CERTAIN_PEAK = 0.95;
/** Above this a tone or a loop fits in several places. */
const AMBIGUOUS = 0.97;
/** RMS of -60 dBFS. */
const LEAST_RMS = 0.001;
const LEVEL_FRAMES = 10 * PCM_RATE_HZ;
const LEAST_LEVEL_FRAMES = 3 * PCM_RATE_HZ;
/** Less is the crystals of two machines. */
const LEAST_DRIFT_MS_PER_S = 0.3;

/** Our `frame` and their `theirFrame` are one moment of the programme, and they play it faster by `tempo`. */
interface Line {
  readonly frame: number;
  readonly theirFrame: number;
  readonly tempo: number;
}

interface Proven extends Line {
  readonly peak: number;
  readonly runnerUp: number;
}

const theirFrameAt = ({ frame, theirFrame, tempo }: Line, ours: number): number =>
  theirFrame + (ours - frame) / (1 + tempo);

/**
 * Finds a piece of our stream in the other at several tempi, as one of the two may be making up for a delay. What is
 * found is believed when a longer piece is found where the short ones said, and nowhere else. Null: not found yet.
 */
export async function matchStreams(
  ours: Take,
  theirs: Take,
  { places, isLast }: MatchOptions,
): Promise<StreamMatch | null> {
  const haystack = soundOf(theirs, theirs.startFrame, theirs.endFrame - theirs.startFrame);
  try {
    const pieces = places.flatMap((place) => pieceAt(ours, place) ?? []);
    if (pieces.length === 0 || isSilent(haystack))
      return isLast ? unknown(pieces.length === 0 ? 'silent-here' : 'silent-there') : null;
    let repeats = false;
    for (const piece of pieces) {
      let best: Proven | null = null;
      for (const tempo of TEMPI) {
        const found = await lineThrough(ours, theirs, haystack, piece, tempo);
        if (found === null) continue;
        if (found.runnerUp > AMBIGUOUS) repeats = true;
        else if (found.peak > (best?.peak ?? 0)) best = found;
        if (best !== null && best.peak >= CERTAIN_PEAK) break;
      }
      if (best !== null && !(await fitsElsewhere(ours, theirs, haystack, best)))
        return matchBy(ours, theirs, best);
      if (repeats || best !== null) return unknown('repeats');
    }
    return isLast ? DIFFERENT : null;
  } finally {
    letGo(haystack);
  }
}

const NOTHING = { skewMs: null, driftMsPerS: null, louderDb: null };
const DIFFERENT: StreamMatch = { ...NOTHING, relation: 'different', why: null };

export function unknown(why: NonNullable<StreamView['why']>): StreamMatch {
  return { ...NOTHING, relation: 'unknown', why };
}

function matchBy(ours: Take, theirs: Take, line: Proven): StreamMatch {
  const skewMs = skewNow(ours, theirs, line);
  if (skewMs === null) return unknown('not-heard-here');
  // What is played faster gets earlier.
  const driftMsPerS = 1_000 * (1 / (1 + line.tempo) - 1);
  return {
    relation: 'same',
    skewMs: Math.round(skewMs),
    driftMsPerS: Math.abs(driftMsPerS) < LEAST_DRIFT_MS_PER_S ? 0 : tenths(driftMsPerS),
    louderDb: louderBy(ours, theirs, line),
    why: null,
  };
}

/** The loudest half second near a place of what is held, as a pause is found everywhere; null where all of it is silent. */
function pieceAt(take: Take, place: number): number | null {
  const fromFrame = take.startFrame + INTERPOLATOR_REACH_FRAMES;
  const spareFrames = take.endFrame - INTERPOLATOR_REACH_FRAMES - fromFrame - ZONE_FRAMES;
  if (spareFrames < 0) return null;
  return loudestIn(take, Math.round(fromFrame + place * spareFrames), ZONE_FRAMES);
}

function loudestIn(take: Take, fromFrame: number, frames: number): number | null {
  const sound = soundOf(take, fromFrame, frames);
  const stepFrames = PIECE_FRAMES / 4;
  let best: number | null = null;
  let most = LEAST_RMS;
  for (let at = 0; at + PIECE_FRAMES <= frames; at += stepFrames) {
    const rms = rmsOf(sound.subarray(at * PCM_CHANNELS, (at + PIECE_FRAMES) * PCM_CHANNELS));
    if (rms <= most) continue;
    most = rms;
    best = fromFrame + at;
  }
  letGo(sound);
  return best;
}

/** Where the other stream has the piece if its tempo is about this, and a second one, and all that lies about them. */
async function lineThrough(
  ours: Take,
  theirs: Take,
  haystack: Float32Array,
  piece: number,
  tempo: number,
): Promise<Proven | null> {
  const first = await search(ours, piece, PIECE_FRAMES, tempo, haystack, theirs.startFrame);
  if (first === null || first.peak < LEAST_PEAK) return null;
  const isTone = first.peak >= CERTAIN_PEAK && first.runnerUp > AMBIGUOUS;
  const second = await secondPiece(ours, theirs, first, piece);
  const found = second === null ? MOST_TEMPO : tempoBetween(first, second);
  if (second === null || Math.abs(found) >= MOST_TEMPO) return isTone ? first : null;
  const from = Math.round((first.frame + second.frame - PROOF_FRAMES) / 2);
  const proofFrame = Math.max(
    ours.startFrame + INTERPOLATOR_REACH_FRAMES,
    Math.min(from, ours.endFrame - INTERPOLATOR_REACH_FRAMES - Math.ceil(PROOF_FRAMES * (1 + found))),
  );
  const proof = await search(ours, proofFrame, PROOF_FRAMES, found, haystack, theirs.startFrame);
  if (proof === null || proof.peak < PROVEN_PEAK) return isTone ? first : null;
  const expected = theirFrameAt({ ...first, tempo: found }, proof.frame);
  const isThere = Math.abs(proof.theirFrame - expected) <= PROOF_OFF_FRAMES;
  return isThere || proof.runnerUp > AMBIGUOUS ? proof : null;
}

/**
 * Whether what was found is found as well away from there. The search tells by its runner-up, but that one by every eighth
 * frame only, between which the next turn of a loop may lie.
 */
async function fitsElsewhere(
  ours: Take,
  theirs: Take,
  haystack: Float32Array,
  found: Proven,
): Promise<boolean> {
  const needle = atTempo(
    ours,
    Math.round(found.frame - (PROOF_FRAMES / 2) * (1 + found.tempo)),
    PROOF_FRAMES,
    found.tempo,
  );
  if (needle === null) return false;
  const at = Math.round(found.theirFrame - theirs.startFrame - PROOF_FRAMES / 2);
  const before = haystack.subarray(0, Math.max(0, at + PROOF_FRAMES - ELSEWHERE_FRAMES) * PCM_CHANNELS);
  const after = haystack.subarray((at + ELSEWHERE_FRAMES) * PCM_CHANNELS);
  const others = await Promise.all([correlate(needle, before), correlate(needle, after)]);
  letGo(needle);
  return others.some((other) => other !== null && other.peak > AMBIGUOUS * found.peak);
}

const tempoBetween = (one: Line, other: Line): number =>
  (other.frame - one.frame) / (other.theirFrame - one.theirFrame) - 1;

/** Another piece, some seconds off, where the first one says that it is. */
async function secondPiece(ours: Take, theirs: Take, first: Line, piece: number): Promise<Line | null> {
  const isLate = piece + APART_FRAMES + ZONE_FRAMES / 2 > ours.endFrame - INTERPOLATOR_REACH_FRAMES;
  const zoneFrame = piece + (isLate ? -APART_FRAMES : APART_FRAMES) - PIECE_FRAMES / 2;
  if (zoneFrame < ours.startFrame + INTERPOLATOR_REACH_FRAMES) return null;
  const otherPiece = loudestIn(ours, zoneFrame, 2 * PIECE_FRAMES) ?? zoneFrame + PIECE_FRAMES / 2;
  const around = aroundWhere(theirs, theirFrameAt(first, otherPiece + PIECE_FRAMES / 2));
  if (around === null) return null;
  const found = await search(ours, otherPiece, PIECE_FRAMES, first.tempo, around.sound, around.fromFrame);
  letGo(around.sound);
  return found === null || found.peak < LEAST_PEAK ? null : found;
}

/** A piece of ours as it would be at that tempo, searched in a stretch of theirs; the line goes through its middle. */
async function search(
  ours: Take,
  fromFrame: number,
  frames: number,
  tempo: number,
  haystack: Float32Array,
  haystackFrame: number,
): Promise<Proven | null> {
  const needle = atTempo(ours, fromFrame, frames, tempo);
  if (needle === null || needle.length > haystack.length) return null;
  const finding = correlate(needle, haystack);
  letGo(needle);
  const found = await finding;
  if (found === null) return null;
  return {
    frame: fromFrame + (frames / 2) * (1 + tempo),
    theirFrame: haystackFrame + found.offsetFrames + frames / 2,
    tempo,
    peak: found.peak,
    runnerUp: found.runnerUp,
  };
}

function atTempo(take: Take, fromFrame: number, frames: number, tempo: number): Float32Array | null {
  const reach = INTERPOLATOR_REACH_FRAMES;
  const sourceFrames = Math.ceil(frames * (1 + tempo)) + 2 * reach;
  const source = new Float32Array(sourceFrames * PCM_CHANNELS);
  if (!take.ring.read(fromFrame - reach, source)) return null;
  const out = new Float32Array(frames * PCM_CHANNELS);
  interpolate(source, reach, 1 + tempo, out);
  letGo(source);
  return out;
}

function aroundWhere(take: Take, frame: number): { sound: Float32Array; fromFrame: number } | null {
  const fromFrame = Math.round(frame) - PIECE_FRAMES / 2 - REACH_FRAMES;
  const frames = PIECE_FRAMES + 2 * REACH_FRAMES;
  if (fromFrame < take.startFrame || fromFrame + frames > take.endFrame) return null;
  return { sound: soundOf(take, fromFrame, frames), fromFrame };
}

function soundOf(take: Take, fromFrame: number, frames: number): Float32Array {
  const sound = new Float32Array(frames * PCM_CHANNELS);
  take.ring.read(fromFrame, sound);
  return sound;
}

/** How much later the other carries the newest moment that both have carried. Each is timed by its newest sound. */
function skewNow(ours: Take, theirs: Take, line: Line): number | null {
  const [here, there] = [ours.timeOf(ours.endFrame), theirs.timeOf(theirs.endFrame)];
  if (here === null || there === null) return null;
  const behindFrames = Math.max(0, theirFrameAt(line, ours.endFrame) - theirs.endFrame);
  const frame = ours.endFrame - behindFrames * (1 + line.tempo);
  const hereMs = here - (ours.endFrame - frame) / PCM_FRAMES_PER_MS;
  const thereMs = there - (theirs.endFrame - theirFrameAt(line, frame)) / PCM_FRAMES_PER_MS;
  return thereMs - hereMs;
}

/** By how much the other is louder over the same moments of the programme, in dB. */
function louderBy(ours: Take, theirs: Take, line: Line): number | null {
  const theirStart = line.frame + (theirs.startFrame - line.theirFrame) * (1 + line.tempo);
  const theirEnd = line.frame + (theirs.endFrame - line.theirFrame) * (1 + line.tempo);
  const end = Math.floor(Math.min(ours.endFrame, theirEnd));
  const start = Math.ceil(Math.max(ours.startFrame, theirStart, end - LEVEL_FRAMES));
  if (end - start < LEAST_LEVEL_FRAMES) return null;
  const [here, there] = [
    integratedLufs(ours, start, end - start),
    integratedLufs(theirs, Math.round(theirFrameAt(line, start)), end - start),
  ];
  const louderDb = there - here;
  return Number.isFinite(louderDb) ? tenths(louderDb) : null;
}

/** Never -0. */
const tenths = (value: number): number => Math.round(value * 10) / 10 + 0;

function integratedLufs(take: Take, fromFrame: number, frames: number): number {
  let lufs = Number.NaN;
  const meter = createMeter({
    thresholdDbfs: -60,
    preset: 'music',
    findsFaults: false,
    onReading: ({ integratedLufs }) => {
      lufs = integratedLufs;
    },
  });
  const sound = new Float32Array(frames * PCM_CHANNELS);
  const first = Math.max(take.startFrame, Math.min(fromFrame, take.endFrame - frames));
  if (take.ring.read(first, sound)) meter.push(sound);
  meter.reset();
  letGo(sound);
  return lufs;
}

const isSilent = (sound: Float32Array): boolean => rmsOf(sound) <= LEAST_RMS;

function rmsOf(sound: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < sound.length; i += 1) sum += (sound[i] ?? 0) ** 2;
  return Math.sqrt(sum / Math.max(1, sound.length));
}
