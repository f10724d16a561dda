import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PcmFrames } from '../../../src/audio/pcm-frames.ts';

describe('PCM from a pipe', () => {
  it('is the same wherever the pipe cut it and wherever in memory it lies', () => {
    const cuts = fc.array(
      fc.record({ size: fc.integer({ min: 0, max: 40 }), offset: fc.integer({ min: 0, max: 9 }) }),
    );
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true })), cuts, (samples, cutsAt) => {
        const sent = Buffer.from(Float32Array.from(samples).buffer);
        const frames = new PcmFrames();
        const got: number[] = [];
        let at = 0;
        for (const cut of [...cutsAt, { size: sent.length, offset: 0 }]) {
          const memory = new Uint8Array(cut.offset + cut.size);
          const part = sent.subarray(at, at + cut.size);
          memory.set(part, cut.offset);
          got.push(...frames.push(memory.subarray(cut.offset, cut.offset + part.length)));
          at += part.length;
        }
        expect(got).toEqual([...Float32Array.from(samples)].slice(0, samples.length - (samples.length % 2)));
      }),
    );
  });

  it('is not copied where whole frames come aligned', () => {
    const chunk = Buffer.from(new ArrayBuffer(64));
    expect(new PcmFrames().push(chunk).buffer).toBe(chunk.buffer);
  });
});
