import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PcmRing } from '../../../src/relay/ring.ts';

/** Frame n is (n, -n), so that every sample says where it belongs. */
const numbered = (from: number, frames: number) =>
  Float32Array.from({ length: frames * 2 }, (_, i) => (i % 2 === 0 ? 1 : -1) * (from + (i >> 1)));

describe('a ring of decoded sound', () => {
  it('gives back what was put in, by absolute frame', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 12 }),
        (pieces) => {
          const ring = new PcmRing(100_000);
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
    const ring = new PcmRing(50_000);
    ring.push(numbered(0, 40_000));
    ring.forgetBefore(30_000);
    const out = new Float32Array(200);
    expect(ring.read(29_999, out)).toBe(false);
    expect(ring.read(30_000, out)).toBe(true);
    expect(ring.read(39_901, out)).toBe(false);
    expect(out[0]).toBe(30_000);
  });

  it('holds no more memory than it was told, however much goes through', () => {
    const ring = new PcmRing(96_000);
    const second = new Float32Array(96_000);
    for (let i = 0; i < 600; i += 1) ring.push(second);
    expect(ring.endFrame).toBe(600 * 48_000);
    expect(ring.heldBytes).toBeLessThanOrEqual((96_000 + 2 * 24_000) * 8);
  });

  it('forgets everything when told to, and goes on', () => {
    const ring = new PcmRing(96_000);
    ring.push(numbered(0, 48_000));
    ring.forgetBefore(1_000_000);
    expect(ring.startFrame).toBe(48_000);
    ring.push(numbered(48_000, 100));
    const out = new Float32Array(200);
    expect(ring.read(48_000, out)).toBe(true);
    expect(out).toEqual(numbered(48_000, 100));
  });
});
