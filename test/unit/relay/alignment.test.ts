import { beforeAll, describe, expect, it } from 'vitest';
import { correlateHeld } from '../../../src/audio/splice.ts';
import type { LegId } from '../../../src/domain/ids.ts';
import { Alignment, type Correlate } from '../../../src/relay/alignment.ts';
import { Take } from '../../../src/relay/take.ts';
import { CHANNELS, CODECS, frames, music, RATE_HZ, through } from './music.ts';

const LAG_FRAMES = 88_320;
let studio: Float32Array;
let mp3: Float32Array;
let aac: Float32Array;
let other: Float32Array;

beforeAll(async () => {
  studio = await music('studio', 40);
  mp3 = await through(studio, CODECS['MP3 128']);
  aac = await through(studio, CODECS['AAC 96']);
  other = await music('other', 40);
});

let nextId = 1;
interface Line {
  readonly take: Take;
  readonly pcm: Float32Array;
  /** Frames by which the leg is behind the first one. */
  readonly lagFrames: number;
}

const line = (pcm: Float32Array, lagFrames = 0): Line => ({
  take: new Take({ id: nextId++, leg: 'myfm/primary@london' as LegId, mostFrames: 30 * RATE_HZ }),
  pcm,
  lagFrames,
});

/** Searches that go on beside the event loop: the time of the tests waits for them, however long they take. */
let searches: Promise<unknown> = Promise.resolve();

const searchedFor: Correlate = (needle, haystack) => {
  const found = correlateHeld(needle, haystack);
  searches = found.catch(() => null);
  return found;
};

/** Lets `seconds` pass: every leg brings its sound, and the alignment looks at them. */
async function pass(
  lines: readonly Line[],
  alignment: Alignment,
  fromS: number,
  seconds: number,
): Promise<void> {
  for (let step = 1; step <= seconds * 10; step += 1) {
    const nowMs = fromS * 1_000 + step * 100;
    const endFrame = (nowMs * RATE_HZ) / 1_000;
    for (const { take, pcm, lagFrames } of lines) {
      const piece = frames(pcm, Math.max(0, endFrame - 4_800 - lagFrames), Math.max(0, endFrame - lagFrames));
      const whole = new Float32Array(4_800 * CHANNELS);
      whole.set(piece, whole.length - piece.length);
      take.push(whole, nowMs);
    }
    const [first] = lines;
    if (first !== undefined) {
      alignment.tick(
        nowMs,
        Math.max(0, first.take.endFrame - 7 * RATE_HZ),
        lines.slice(1).map(({ take }) => take),
      );
    }
    await searches;
    // What the alignment makes of a search comes after the search.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('how the legs lie to the one on air', () => {
  it('is found for a copy that is 1.84 s behind, and for another programme', async () => {
    const alignment = new Alignment(searchedFor);
    const lines = [line(mp3), line(aac, LAG_FRAMES), line(other)] as const;
    alignment.setReference(lines[0].take);
    await pass(lines, alignment, 0, 20);
    const copy = alignment.relationOf(lines[1].take);
    expect(copy).toMatchObject({ is: 'same', inverted: false });
    // The AAC encoder adds some 90 frames of its own.
    expect(Math.abs((copy.is === 'same' ? copy.offsetFrames : 0) - LAG_FRAMES)).toBeLessThan(200);
    expect(alignment.relationOf(lines[2].take)).toMatchObject({ is: 'different' });
  });

  it('is carried over when another leg comes on air', async () => {
    const alignment = new Alignment(searchedFor);
    const lines = [line(mp3), line(mp3, 4_800), line(mp3, 9_600)] as const;
    alignment.setReference(lines[0].take);
    await pass(lines, alignment, 0, 15);
    alignment.setReference(lines[1].take);
    expect(alignment.relationOf(lines[0].take)).toMatchObject({ is: 'same', offsetFrames: -4_800 });
    expect(alignment.relationOf(lines[2].take)).toMatchObject({ is: 'same', offsetFrames: 4_800 });
  });

  it('is kept for the return while another programme is on air', async () => {
    const alignment = new Alignment(searchedFor);
    const lines = [line(mp3), line(mp3, 4_800), line(mp3, 9_600)] as const;
    alignment.setReference(lines[0].take);
    await pass(lines, alignment, 0, 15);
    alignment.setReference(line(other).take);
    expect(alignment.relationOf(lines[0].take).is).toBe('unknown');
    alignment.setReference(lines[1].take);
    expect(alignment.relationOf(lines[0].take)).toMatchObject({ is: 'same', offsetFrames: -4_800 });
    expect(alignment.relationOf(lines[2].take)).toMatchObject({ is: 'same', offsetFrames: 4_800 });
  });

  it('keeps the last good place while both are silent', async () => {
    const alignment = new Alignment(searchedFor);
    const quiet = new Float32Array(studio.length);
    quiet.set(frames(studio, 0, 15 * RATE_HZ));
    const lines = [line(quiet), line(quiet, 24_000)] as const;
    alignment.setReference(lines[0].take);
    await pass(lines, alignment, 0, 35);
    expect(alignment.relationOf(lines[1].take)).toMatchObject({ is: 'same', offsetFrames: 24_000 });
  });

  it('is not denied of a copy that is silent, as long as too little of its sound came after that', async () => {
    const alignment = new Alignment(searchedFor);
    const quiet = studio.slice();
    quiet.fill(0, 0, 20 * RATE_HZ * CHANNELS);
    const lines = [line(studio), line(quiet, LAG_FRAMES)] as const;
    for (const { take } of lines) take.noteProof(0, 10_000);
    alignment.setReference(lines[0].take);
    await pass(lines.slice(0, 1), alignment, 0, 10);
    for (let second = 10; second < 30; second += 1) {
      lines[0].take.noteProof(0, second * 1_000);
      lines[1].take.noteProof(22_000, Math.max(22_000, second * 1_000));
      await pass(lines, alignment, second, 1);
      expect(alignment.relationOf(lines[1].take).is, `after ${second} s`).not.toBe('different');
    }
    // Its take began ten seconds after the other one.
    expect(alignment.relationOf(lines[1].take)).toMatchObject({
      is: 'same',
      offsetFrames: LAG_FRAMES - 10 * RATE_HZ,
    });
  });

  it('is found anew for a copy that lost more of the programme in a stall than is in hand', async () => {
    const alignment = new Alignment(searchedFor);
    const lines = [line(studio), line(studio, 4_800)] as const;
    alignment.setReference(lines[0].take);
    await pass(lines, alignment, 0, 15);
    expect(alignment.relationOf(lines[1].take)).toMatchObject({ is: 'same', offsetFrames: 4_800 });
    await pass(lines.slice(0, 1), alignment, 15, 8);
    for (let second = 23; second < 35; second += 1) {
      // Health begins anew after a stall.
      lines[0].take.noteProof(0, second * 1_000);
      lines[1].take.noteProof(23_000, second * 1_000);
      await pass(lines, alignment, second, 1);
      for (const { take } of lines) take.ring.forgetBefore(take.frameAt((second - 7) * 1_000) ?? 0);
    }
    const lostFrames = 8 * RATE_HZ;
    expect(alignment.relationOf(lines[1].take)).toMatchObject({
      is: 'same',
      offsetFrames: 4_800 - lostFrames,
    });
  });

  it('is not guessed from a steady tone', async () => {
    const alignment = new Alignment(searchedFor);
    const tone = Float32Array.from(
      { length: 20 * RATE_HZ * CHANNELS },
      (_, i) => 0.2 * Math.sin((i >> 1) * 0.131),
    );
    const lines = [line(tone), line(tone, 24_000)] as const;
    alignment.setReference(lines[0].take);
    await pass(lines, alignment, 0, 15);
    expect(alignment.relationOf(lines[1].take).is).toBe('unknown');
  });
});
