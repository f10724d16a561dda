import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSoundRing, letGo } from '../../../src/audio/sound-ring.ts';

/** Frame n is (n, -n) in steps of the ring, so that every sample says where it belongs. */
const stepOf = (frame: number) => (frame % 32_768) / 16_384;
const numbered = (from: number, frames: number) =>
  Float32Array.from({ length: frames * 2 }, (_, i) => (i % 2 === 0 ? 1 : -1) * stepOf(from + (i >> 1)));

describe('a ring of decoded sound', () => {
  it('gives back what was put in, by absolute frame', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 12 }),
        (pieces) => {
          const ring = createSoundRing(100_000);
          for (const frames of pieces) ring.push(numbered(ring.endFrame, frames));
          expect(ring.endFrame).toBe(pieces.reduce((sum, frames) => sum + frames, 0));
          expect(ring.endFrame - ring.startFrame).toBeLessThanOrEqual(100_000);
          const out = new Float32Array((ring.endFrame - ring.startFrame) * 2);
          expect(ring.read(ring.startFrame, out)).toBe(true);
          const wanted = numbered(ring.startFrame, out.length / 2);
          expect(out.every((sample, index) => sample === wanted[index])).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('refuses what it has forgotten and what has not come yet', () => {
    const ring = createSoundRing(50_000);
    ring.push(numbered(0, 40_000));
    ring.forgetBefore(30_000);
    const out = new Float32Array(200);
    expect(ring.read(29_999, out)).toBe(false);
    expect(ring.read(30_000, out)).toBe(true);
    expect(ring.read(39_901, out)).toBe(false);
    expect(out[0]).toBe(stepOf(30_000));
  });

  it('holds no more memory than it was told, however much goes through', () => {
    const ring = createSoundRing(96_000);
    const second = new Float32Array(96_000);
    for (let i = 0; i < 600; i += 1) ring.push(second);
    expect(ring.endFrame).toBe(600 * 48_000);
    expect(ring.heldBytes).toBeLessThanOrEqual((96_000 + 2 * 4_800) * 4);
  });

  it('forgets everything when told to, and goes on', () => {
    const ring = createSoundRing(96_000);
    ring.push(numbered(0, 48_000));
    ring.forgetBefore(1_000_000);
    expect(ring.startFrame).toBe(48_000);
    ring.push(numbered(48_000, 100));
    const out = new Float32Array(200);
    expect(ring.read(48_000, out)).toBe(true);
    expect(out).toEqual(numbered(48_000, 100));
  });

  it('keeps sound to -95 dBFS, what decoders overshoot too, and has no place for what is no number', () => {
    const ring = createSoundRing(1_000);
    const sound = Float32Array.from({ length: 200 }, (_, i) => 1.9 * Math.sin(i * 1.7));
    ring.push(sound);
    ring.push(Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 7));
    const out = new Float32Array(204);
    expect(ring.read(0, out)).toBe(true);
    const worst = Math.max(...sound.map((sample, i) => Math.abs(sample - (out[i] ?? 9))));
    expect(worst).toBeLessThan(1 / 32_000);
    expect([...out.subarray(200)].map((sample) => Math.round(sample))).toEqual([0, 2, -2, 2]);
  });

  it('refuses what is no stereo sound', () => {
    const ring = createSoundRing(1_000);
    expect(() => ring.push(new Float32Array(3))).toThrow(/stereo frames/);
    expect(() => createSoundRing(0)).toThrow(/number of frames/);
    expect(ring.read(Number.NaN, new Float32Array(2))).toBe(false);
  });
});

describe('memory that is let go of', () => {
  it('is empty afterwards, unless the chunk is only a part of it', () => {
    const whole = new Float32Array(100);
    letGo(whole);
    letGo(whole);
    expect(whole).toHaveLength(0);
    const part = new Uint8Array(100).subarray(10);
    letGo(part);
    expect(part).toHaveLength(90);
  });
});
