import { PCM_RATE_HZ } from '../audio/decode-command.ts';
import type { HeldSound } from '../audio/splice.ts';
import type { Take } from './take.ts';

/**
 * Where in the time that both hold the needle is taken from, search by search: its middle, its oldest end, which finds a
 * copy that is behind by all of that time but the needle, and its newest end for one that is ahead.
 */
const NEEDLE_PLACES = [0.5, 0, 1];
export const NEEDLE_MS = 2_000;
const NEEDLE_FRAMES = (NEEDLE_MS * PCM_RATE_HZ) / 1_000;
const TRACK_NEEDLE_FRAMES = PCM_RATE_HZ;
const TRACK_REACH_FRAMES = PCM_RATE_HZ / 20;
const LEAST_COMMON_FRAMES = 2 * PCM_RATE_HZ;
export const WIDE_MS = 8_000;
const WIDE_FRAMES = (WIDE_MS * PCM_RATE_HZ) / 1_000;
const MOST_HAYSTACK_FRAMES = 24 * PCM_RATE_HZ;

export interface Search {
  readonly needle: HeldSound;
  readonly haystack: HeldSound;
  /** Wide enough that a copy would have been found, so that finding none says something. */
  readonly isWide: boolean;
}

const held = ({ ring }: Take, fromFrame: number, frames: number): HeldSound => ({ ring, fromFrame, frames });

const isHeld = ({ ring, fromFrame, frames }: HeldSound): boolean =>
  fromFrame >= ring.startFrame && fromFrame + frames <= ring.endFrame;

function searchOf(needle: HeldSound, haystack: HeldSound, isWide: boolean): Search | null {
  if (haystack.frames < needle.frames || !isHeld(needle) || !isHeld(haystack)) return null;
  return { needle, haystack, isWide };
}

/** The second that is about to be played, within a tenth of a second of where it was last found. */
export function aroundWhere(
  reference: Take,
  take: Take,
  cursorFrame: number,
  offsetFrames: number,
): Search | null {
  const place = cursorFrame + offsetFrames;
  const fromFrame = Math.max(take.startFrame, place - TRACK_REACH_FRAMES);
  const toFrame = Math.min(take.endFrame, place + TRACK_NEEDLE_FRAMES + TRACK_REACH_FRAMES);
  return searchOf(
    held(reference, cursorFrame, TRACK_NEEDLE_FRAMES),
    held(take, fromFrame, toFrame - fromFrame),
    false,
  );
}

/** The take doesn't go as far as where it was last found: a stall may have moved that, in which it lost some of the programme. */
export function isPast(reference: Take, take: Take, cursorFrame: number, offsetFrames: number): boolean {
  const needle = held(reference, cursorFrame, TRACK_NEEDLE_FRAMES);
  return isHeld(needle) && cursorFrame + offsetFrames + TRACK_NEEDLE_FRAMES > take.endFrame;
}

/**
 * A piece out of the time that both takes sound in, or as long as that is too short, of what they hold. After a reconnect
 * that is only Icecast's burst, and a shorter one has to do.
 */
export function wherever(reference: Take, take: Take, misses: number): Search | null {
  const sounding = commonTime(reference, take, soundingTime);
  const { fromMs, toMs, frames } =
    sounding.frames >= LEAST_COMMON_FRAMES ? sounding : commonTime(reference, take, heldTime);
  if (!(frames >= LEAST_COMMON_FRAMES)) return null;
  const needleFrames = Math.min(NEEDLE_FRAMES, Math.floor(frames / 2));
  // A copy that was silent until a moment ago is not found in that silence.
  const isWide = sounding.frames >= WIDE_FRAMES;
  const place = isWide ? (NEEDLE_PLACES[misses % NEEDLE_PLACES.length] ?? 0.5) : 0.5;
  const beginsAt = reference.frameAt(fromMs + place * (toMs - fromMs - (1_000 * needleFrames) / PCM_RATE_HZ));
  if (beginsAt === null) return null;
  const needleFrame = Math.max(reference.startFrame, Math.min(beginsAt, reference.endFrame - needleFrames));
  const fromFrame = Math.max(take.startFrame, take.endFrame - MOST_HAYSTACK_FRAMES);
  const haystack = held(take, fromFrame, take.endFrame - fromFrame);
  return searchOf(held(reference, needleFrame, needleFrames), haystack, isWide);
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

function commonTime(
  one: Take,
  other: Take,
  spanOf: (take: Take) => Span,
): Span & { readonly frames: number } {
  const [a, b] = [spanOf(one), spanOf(other)];
  const fromMs = Math.max(a.fromMs, b.fromMs);
  const toMs = Math.min(a.toMs, b.toMs);
  return { fromMs, toMs, frames: ((toMs - fromMs) * PCM_RATE_HZ) / 1_000 };
}

const heldTime = (take: Take): Span => ({
  fromMs: take.timeOf(take.startFrame) ?? Number.POSITIVE_INFINITY,
  toMs: take.timeOf(take.endFrame) ?? Number.NEGATIVE_INFINITY,
});

function soundingTime(take: Take): Span {
  const { fromMs, toMs } = heldTime(take);
  return {
    fromMs: Math.max(fromMs, take.provenFromMs ?? fromMs),
    toMs: Math.min(toMs, take.provenToMs ?? toMs),
  };
}
