import { beforeAll, describe, expect, it, test } from 'vitest';
import { INTERPOLATOR_REACH_FRAMES, interpolate } from '../../../src/audio/splice.ts';
import type { LegId } from '../../../src/domain/ids.ts';
import { Take } from '../../../src/relay/take.ts';
import { matchStreams } from '../../../src/wiring/stream-match.ts';
import { CHANNELS, CODECS, frames, music, RATE_HZ, through } from '../relay/music.ts';

const CLOSE_BY = { places: [0.5], isLast: false };
const ANYWHERE = { places: [0, 1, 0.5], isLast: true };
const BURST_S = 3;
/** Of the programme, at which our own listener arrives. */
const FROM_S = 40;

let studio: Float32Array;
let calm: Float32Array;
let other: Float32Array;

beforeAll(async () => {
  [studio, calm, other] = await Promise.all([music('studio', 110), music('calm', 60), music('other', 60)]);
});

let nextId = 1;

/** What a listener has after so many seconds: Icecast's burst at once, and then sound as time passes. */
function heard(pcm: Float32Array, seconds: number): Take {
  const take = new Take({ id: nextId++, leg: 'myfm/public@london' as LegId, mostFrames: 50 * RATE_HZ });
  let at = 0;
  const arrive = (count: number, atMs: number) => {
    take.push(frames(pcm, at, at + count), atMs);
    at += count;
  };
  arrive(BURST_S * RATE_HZ, 0);
  for (let ms = 50; ms <= seconds * 1_000; ms += 50) arrive(RATE_HZ / 20, ms);
  return take;
}

interface Apart {
  /** How much later the other listener hears the programme, in the end. */
  readonly skewMs?: number;
  /** How fast the other stream is played. */
  readonly rate?: number;
  readonly seconds?: number;
  readonly ours?: keyof typeof CODECS | null;
  readonly theirs?: keyof typeof CODECS | null;
  readonly change?: (left: number, right: number) => readonly [number, number];
}

async function pair(programme: Float32Array, apart: Apart): Promise<[Take, Take]> {
  const { skewMs = 0, rate = 1, seconds = 8, ours = 'MP3 128', theirs = ours, change } = apart;
  const heldS = seconds + BURST_S;
  const endFrame = Math.round((FROM_S + heldS - skewMs / 1_000) * RATE_HZ);
  const there = played(programme, endFrame, heldS, rate);
  if (change !== undefined) {
    for (let i = 0; i < there.length; i += 2)
      [there[i], there[i + 1]] = change(there[i] ?? 0, there[i + 1] ?? 0) as [number, number];
  }
  const here = frames(programme, FROM_S * RATE_HZ, (FROM_S + heldS + 1) * RATE_HZ);
  const encoded = (pcm: Float32Array, codec: keyof typeof CODECS | null) =>
    codec === null ? pcm : through(pcm, CODECS[codec]);
  return [heard(await encoded(here, ours), seconds), heard(await encoded(there, theirs), seconds)];
}

/** The programme at another tempo, so that it is at `endFrame` after `seconds`; and some more for the encoder. */
function played(programme: Float32Array, endFrame: number, seconds: number, rate: number): Float32Array {
  const out = new Float32Array((seconds + 1) * RATE_HZ * CHANNELS);
  const start = endFrame - seconds * RATE_HZ * rate;
  if (rate === 1) return frames(programme, start, start + out.length / CHANNELS);
  const first = Math.floor(start) - INTERPOLATOR_REACH_FRAMES;
  const window = frames(
    programme,
    first,
    endFrame + Math.ceil(1.01 * RATE_HZ) + 2 * INTERPOLATOR_REACH_FRAMES,
  );
  interpolate(window, start - first, rate, out);
  return out;
}

describe('how far two public streams are apart is told as it is', () => {
  // [what, true skew in ms, tempo of the other, codecs, how far off the told skew may be: encoders add theirs]
  test.each([
    ['behind, MP3', 1_840, 1, 'MP3 128', 'MP3 64', 60],
    ['ahead, AAC, while ours makes up for a delay', -700, 0.996, 'AAC 96', 'AAC 96', 10],
    ['behind, Opus against Vorbis', 260, 1, 'Opus 96', 'Vorbis 96', 60],
    ['while it makes up for a delay', 1_200, 1.004, 'MP3 128', 'MP3 128', 10],
    ['at the end of that', 300, 1.0013, 'Opus 96', 'Opus 96', 10],
    ['while one makes up for a delay and the other has to wait', 500, 1.0079, 'Vorbis 96', 'Vorbis 96', 10],
  ] as const)('%s', async (_what, skewMs, rate, ours, theirs, offMs) => {
    const match = await matchStreams(...(await pair(studio, { skewMs, rate, ours, theirs })), CLOSE_BY);
    expect(match).toMatchObject({ relation: 'same', why: null });
    expect(Math.abs((match?.skewMs ?? Number.NaN) - skewMs)).toBeLessThanOrEqual(offMs);
    expect(match?.driftMsPerS).toBeCloseTo(-1_000 * (rate - 1), 0);
    expect(Math.abs(match?.louderDb ?? Number.NaN)).toBeLessThan(0.5);
  });

  it('of calm music too, which is like itself in many places', async () => {
    for (const rate of [0.996, 1.004]) {
      const match = await matchStreams(...(await pair(calm, { skewMs: 800, rate, seconds: 10 })), CLOSE_BY);
      expect(match?.relation).toBe('same');
      expect(match?.driftMsPerS).toBeCloseTo(-1_000 * (rate - 1), 0);
      expect(Math.abs((match?.skewMs ?? Number.NaN) - 800)).toBeLessThanOrEqual(10);
    }
  });

  test.each([
    [25_000, 1],
    [-25_000, 1],
    [14_000, 1.004],
  ])('when it is as much as %i ms', async (skewMs, rate) => {
    const apart = { skewMs, rate, seconds: 32, ours: null };
    const match = await matchStreams(...(await pair(studio, apart)), ANYWHERE);
    expect(match?.relation).toBe('same');
    expect(Math.abs((match?.skewMs ?? Number.NaN) - skewMs)).toBeLessThanOrEqual(10);
  });
});

describe('by how much the other is louder', () => {
  test.each([-12, 0.5, 3])('is told to a tenth: %f dB', async (louderDb) => {
    const gain = 10 ** (louderDb / 20);
    const change = (left: number, right: number) => [gain * left, gain * right] as const;
    const quieter = studio.map((sample) => 0.5 * sample);
    const match = await matchStreams(...(await pair(quieter, { skewMs: 300, ours: null, change })), CLOSE_BY);
    expect(match).toMatchObject({ relation: 'same', skewMs: 300, louderDb });
  });

  test.each([
    ['with its sides swapped', (left: number, right: number) => [right, left] as const],
    ['with its polarity inverted', (left: number, right: number) => [-left, -right] as const],
    ['in mono', (left: number, right: number) => [(left + right) / 2, (left + right) / 2] as const],
  ])('and how far apart they are is told of one %s', async (_what, change) => {
    const match = await matchStreams(...(await pair(studio, { skewMs: 300, ours: null, change })), CLOSE_BY);
    expect(match).toMatchObject({ relation: 'same', skewMs: 300 });
  });
});

describe('what can not be told is not guessed', () => {
  const looped = (seconds: number): Float32Array => {
    const period = seconds * RATE_HZ * CHANNELS;
    return Float32Array.from({ length: 60 * RATE_HZ * CHANNELS }, (_, i) => studio[i % period] ?? 0);
  };
  const tone = () =>
    Float32Array.from({ length: 60 * RATE_HZ * CHANNELS }, (_, i) => 0.3 * Math.sin((i >> 1) * 0.13));

  test.each([
    ['a steady tone, played faster', tone, 1.004],
    ['a loop of 4 s', () => looped(4), 1],
    ['a loop of 2 s, played faster', () => looped(2), 1.004],
  ] as const)('%s fits in several places', async (_what, sound, rate) => {
    const apart = { skewMs: 800, rate, ours: null };
    expect(await matchStreams(...(await pair(sound(), apart)), ANYWHERE)).toMatchObject({
      relation: 'unknown',
      why: 'repeats',
      skewMs: null,
    });
  });

  it('silence is told, and whose', async () => {
    const silence = new Float32Array(60 * RATE_HZ * CHANNELS);
    const [ours, theirs] = await pair(studio, { ours: null });
    const [quiet] = await pair(silence, { ours: null });
    const why = async (one: Take, two: Take) => (await matchStreams(one, two, ANYWHERE))?.why;
    expect(await why(ours, quiet)).toBe('silent-there');
    expect(await why(quiet, theirs)).toBe('silent-here');
  });

  it('another programme is told as such, and only after a whole search', async () => {
    const [ours] = await pair(studio, {});
    const [theirs] = await pair(other, {});
    expect(await matchStreams(ours, theirs, CLOSE_BY)).toBeNull();
    expect(await matchStreams(ours, theirs, ANYWHERE)).toMatchObject({ relation: 'different', skewMs: null });
  });
});
