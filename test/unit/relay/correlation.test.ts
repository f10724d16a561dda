import { beforeAll, describe, expect, it } from 'vitest';
import { createSoundRing } from '../../../src/audio/sound-ring.ts';
import { correlate, correlateHeld, interpolate } from '../../../src/audio/splice.ts';
import { CHANNELS, CODECS, drifted, frames, music, RATE_HZ, through } from './music.ts';

const LATER_FRAMES = 81_600;
let studio: Float32Array;
let other: Float32Array;
let reference: Float32Array;

/** 2 s of the leg that started later, searched in 10 s of the first one. */
const search = (leg: Float32Array, needleAt = 3 * RATE_HZ) =>
  correlate(frames(leg, needleAt, needleAt + 2 * RATE_HZ), frames(reference, 0, 10 * RATE_HZ));

beforeAll(async () => {
  studio = await music('studio', 20);
  other = await music('other', 20);
  reference = await through(studio, CODECS['MP3 128']);
});

describe('two legs of one programme', () => {
  const names = ['MP3 192', 'MP3 64', 'MP3 128', 'AAC 96', 'Opus 96'] as const;
  it.each(names)('are found in step through %s, whenever it was started', async (name) => {
    const leg = await through(frames(studio, LATER_FRAMES, 20 * RATE_HZ), CODECS[name]);
    const found = await search(leg);
    expect(found?.peak).toBeGreaterThan(0.95);
    // An encoder's own delay is part of the offset; it is the same for the listener.
    expect(Math.abs((found?.offsetFrames ?? 0) - 3 * RATE_HZ - LATER_FRAMES)).toBeLessThan(2_500);
    expect(found?.inverted).toBe(false);
    expect(found?.runnerUp).toBeLessThan(0.9);
  });

  it('are found in step to the sample when nothing else differs', async () => {
    const leg = await through(frames(studio, LATER_FRAMES, 20 * RATE_HZ), CODECS['MP3 192']);
    const found = await search(leg);
    expect(found?.offsetFrames).toBe(3 * RATE_HZ + LATER_FRAMES);
  });

  it('are found at 100 ppm of drift', async () => {
    const found = await search(await through(drifted(studio, 100), CODECS['MP3 192']), 7 * RATE_HZ);
    expect(found?.peak).toBeGreaterThan(0.95);
    // In the middle of the needle, 8 s in, the clocks are 38 frames apart.
    expect(Math.abs((found?.offsetFrames ?? 0) - 7 * RATE_HZ - 38)).toBeLessThanOrEqual(6);
  });

  it('are found when the polarity of one is inverted', async () => {
    const found = await search(reference.map((sample) => -sample));
    expect(found).toMatchObject({ inverted: true, offsetFrames: 3 * RATE_HZ });
    expect(found?.peak).toBeCloseTo(1, 4);
  });
});

it('another programme is not taken for the same one', async () => {
  const found = await search(other);
  expect(found?.peak).toBeLessThan(0.2);
});

it('nothing is claimed of silence', async () => {
  expect(await search(new Float32Array(20 * RATE_HZ * CHANNELS))).toBeNull();
});

it('a steady tone is told by a second place as good as the first', async () => {
  const tone = Float32Array.from(
    { length: 20 * RATE_HZ * CHANNELS },
    (_, i) => 0.3 * Math.sin((i >> 1) * 0.13),
  );
  const found = await correlate(frames(tone, 0, 2 * RATE_HZ), tone);
  expect(found?.runnerUp).toBeGreaterThan(0.98);
});

it('a search of 2 s in 13 s leaves the event loop free', async () => {
  let turns = 0;
  const count = () => {
    turns += 1;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  await correlate(frames(reference, RATE_HZ, 3 * RATE_HZ), frames(reference, 0, 13 * RATE_HZ));
  clearImmediate(timer);
  // Were it searched on this thread, the answer would be here before the loop had turned once.
  expect(turns).toBeGreaterThan(1);
});

it('arrays that are no stereo sound are refused, and nothing is searched', () => {
  const wrong = new Float64Array(200) as unknown as Float32Array;
  expect(() => correlate(wrong, new Float32Array(400))).toThrow(/needle must be a Float32Array/);
  expect(() => correlate(new Float32Array(200), new Float32Array(401))).toThrow(/stereo frames/);
});

it('a needle longer than the haystack, or no sound at all, is found nowhere', async () => {
  expect(await correlate(new Float32Array(4000).fill(0.5), new Float32Array(400).fill(0.5))).toBeNull();
  expect(await correlate(new Float32Array(0), new Float32Array(0))).toBeNull();
  const rubbish = new Float32Array(8000).fill(Number.NaN);
  expect(await correlate(rubbish, rubbish)).toBeNull();
});

describe('what rings hold', () => {
  const ringOf = (pcm: Float32Array, seconds: number) => {
    const ring = createSoundRing(seconds * RATE_HZ);
    ring.push(pcm);
    return ring;
  };

  it('is found where it is found in arrays of the same sound, also when the oldest of it was forgotten', async () => {
    const ring = ringOf(reference, 12);
    const needle = { ring, fromFrame: ring.endFrame - 5 * RATE_HZ, frames: 2 * RATE_HZ };
    const haystack = { ring, fromFrame: ring.startFrame, frames: 12 * RATE_HZ };
    const found = await correlateHeld(needle, haystack);
    expect(ring.startFrame).toBeGreaterThan(0);
    expect(found?.offsetFrames).toBe(7 * RATE_HZ);
    expect(found?.peak).toBeGreaterThan(0.999);
    const inArrays = await correlate(
      frames(reference, needle.fromFrame, needle.fromFrame + needle.frames),
      frames(reference, haystack.fromFrame, haystack.fromFrame + haystack.frames),
    );
    expect(inArrays?.offsetFrames).toBe(found?.offsetFrames);
    expect(inArrays?.runnerUp).toBeCloseTo(found?.runnerUp ?? 0, 2);
  });

  it('is searched as it was, though it is forgotten meanwhile', async () => {
    const ring = ringOf(reference, 12);
    const held = { ring, fromFrame: ring.startFrame, frames: 4 * RATE_HZ };
    const finding = correlateHeld({ ...held, frames: 2 * RATE_HZ }, held);
    ring.forgetBefore(ring.endFrame);
    expect((await finding)?.offsetFrames).toBe(0);
    expect(await correlateHeld({ ...held, frames: 2 * RATE_HZ }, held)).toBeNull();
  });

  it('is found nowhere when one of the two does not hold all of it', async () => {
    const ring = ringOf(reference, 12);
    const whole = { ring, fromFrame: ring.startFrame, frames: 4 * RATE_HZ };
    for (const fromFrame of [ring.startFrame - 1, ring.endFrame - 4 * RATE_HZ + 1, Number.NaN])
      expect(await correlateHeld(whole, { ...whole, fromFrame })).toBeNull();
    expect(await correlateHeld({ ...whole, frames: -1 }, whole)).toBeNull();
  });

  it('is looked for in rings, and in nothing that only looks like one', () => {
    const ring = ringOf(reference, 12);
    const part = { ring, fromFrame: ring.startFrame, frames: RATE_HZ };
    const { startFrame, endFrame, heldBytes } = ring;
    const no = { startFrame, endFrame, heldBytes, push() {}, read: () => false, forgetBefore() {} };
    expect(() => correlateHeld(part, { ...part, ring: no })).toThrow(/must be a SoundRing/);
  });
});

describe('reading between the frames', () => {
  it('keeps a tone of 15 kHz as it is', () => {
    const tone = Float32Array.from({ length: 4000 }, (_, i) =>
      Math.sin(2 * Math.PI * 15_000 * ((i >> 1) / RATE_HZ)),
    );
    const out = new Float32Array(2000);
    interpolate(tone, 100.37, 1.003, out);
    const worst = Math.max(
      ...out.map((sample, i) =>
        Math.abs(sample - Math.sin(2 * Math.PI * 15_000 * ((100.37 + (i >> 1) * 1.003) / RATE_HZ))),
      ),
    );
    expect(worst).toBeLessThan(0.002);
  });

  it('refuses positions outside of the source', () => {
    expect(() => interpolate(new Float32Array(200), 10, 1, new Float32Array(20))).toThrow(
      /within the source/,
    );
    expect(() => interpolate(new Float32Array(200), 20, 1, new Float32Array(200))).toThrow(
      /within the source/,
    );
  });
});
