import { describe, expect, it } from 'vitest';
import { createSoundRing, type SoundRing } from '../../../src/audio/sound-ring.ts';
import { Playout, type Splice } from '../../../src/relay/playout.ts';
import { CHANNELS, RATE_HZ } from './music.ts';

const HZ = 440;
const toneAt = (frame: number) => 0.5 * Math.sin((2 * Math.PI * HZ * frame) / RATE_HZ);

/** A ring with a steady tone in it, whose phase says which frame is which. */
function toneRing(frames: number, options: { lagFrames?: number; gain?: number } = {}): SoundRing {
  const ring = createSoundRing(frames);
  const { lagFrames = 0, gain = 1 } = options;
  ring.push(Float32Array.from({ length: frames * CHANNELS }, (_, i) => gain * toneAt((i >> 1) - lagFrames)));
  return ring;
}

function play(playout: Playout, frames: number, rate = 1): Float32Array {
  const out = new Float32Array(frames * CHANNELS);
  playout.render(out, rate);
  return out;
}

const worstError = (out: Float32Array, wanted: (frame: number) => number) =>
  out.reduce((worst, sample, i) => Math.max(worst, Math.abs(sample - wanted(i >> 1))), 0);

const voice = (ring: SoundRing, frame: number, inverted = false) => ({
  source: ring,
  frame,
  inverted,
  gainDb: 0,
});
const started = (ring: SoundRing, frame: number) => {
  const spliced: Splice[] = [];
  const playout = new Playout((splice) => spliced.push(splice));
  playout.plan({ atFrame: 0, to: voice(ring, frame), fadeFrames: 1, correlation: 0 });
  return { playout, spliced };
};

describe('what is played', () => {
  it('is a noise floor of -90 dBFS when there is nothing, and never digital silence', () => {
    const out = play(new Playout(() => {}), RATE_HZ);
    const rmsDbfs = 10 * Math.log10(out.reduce((sum, sample) => sum + sample * sample, 0) / out.length);
    expect(rmsDbfs).toBeCloseTo(-90, 0);
    expect(out.filter((sample) => sample === 0).length).toBeLessThan(10);
  });

  it('is the leg itself, to the sample, at pace 1', () => {
    const { playout } = started(toneRing(RATE_HZ), 1_000);
    expect(worstError(play(playout, 9_600).subarray(2), (frame) => toneAt(1_001 + frame))).toBeLessThan(1e-4);
    expect(playout.voice?.frame).toBe(10_600);
  });

  it('is the same tone a little faster when latency is worked off', () => {
    const { playout } = started(toneRing(2 * RATE_HZ), 1_000);
    play(playout, 960);
    const out = play(playout, RATE_HZ, 1.004);
    expect(worstError(out, (frame) => toneAt(1_960 + frame * 1.004))).toBeLessThan(1e-3);
    expect(playout.voice?.frame).toBeCloseTo(1_960 + RATE_HZ * 1.004, 3);
  });

  it('is the leg itself to the sample again soon after latency was worked off, and the way there is not heard', () => {
    const { playout } = started(toneRing(4 * RATE_HZ), 1_000);
    play(playout, 960);
    play(playout, 4_700, 1.0035);
    const before = playout.voice?.frame ?? 0;
    expect(before % 1).toBeCloseTo(0.45, 2);
    const settling = play(playout, RATE_HZ);
    expect(playout.voice?.frame).toBe(Math.round(before) + RATE_HZ);
    // At no moment further from the tone at pace 1 than the half frame that it is brought on by.
    expect(worstError(settling, (frame) => toneAt(before + frame))).toBeLessThan(
      0.5 * 0.5 * ((2 * Math.PI * HZ) / RATE_HZ),
    );
    const steps = settling.map((sample, i) => sample - (settling[i - CHANNELS] ?? sample));
    expect(Math.max(...steps)).toBeLessThan(0.5 * ((2 * Math.PI * HZ) / RATE_HZ) * 1.005);
    const after = playout.voice?.frame ?? 0;
    expect(worstError(play(playout, 9_600), (frame) => toneAt(after + frame))).toBeLessThan(1e-4);
  });

  it('never hands rubbish of a decoder on to an encoder', () => {
    const ring = createSoundRing(9_600);
    ring.push(new Float32Array(9_600 * CHANNELS).fill(Number.NaN));
    const { playout } = started(ring, 0);
    expect(play(playout, 4_800).every(Number.isFinite)).toBe(true);
    expect(play(playout, 960, 1.001).every(Number.isFinite)).toBe(true);
  });

  it('counts what a leg could not give', () => {
    const { playout } = started(toneRing(4_800), 0);
    play(playout, 9_600);
    // To the block in which the leg ends.
    expect(playout.dryFrames).toBeGreaterThanOrEqual(4_800);
    expect(playout.dryFrames).toBeLessThan(4_800 + 960);
  });
});

describe('a gain', () => {
  it('that another programme begins with is released so slowly that nobody hears it go', () => {
    const ring = createSoundRing(40 * RATE_HZ);
    ring.push(new Float32Array(30 * RATE_HZ * CHANNELS).fill(0.5));
    const playout = new Playout(() => {});
    playout.plan({
      atFrame: 0,
      to: { source: ring, frame: 0, inverted: false, gainDb: -6 },
      fadeFrames: 1,
      correlation: 0,
    });
    const levels = Array.from({ length: 25 }, () => 20 * Math.log10(play(playout, RATE_HZ).at(-1) ?? 0));
    const wanted = levels.map((_, index) => Math.min(0, -6 + 0.3 * (index + 1)) + 20 * Math.log10(0.5));
    for (const [index, level] of levels.entries()) expect(level).toBeCloseTo(wanted[index] ?? 0, 1);
    expect(playout.voice?.gainDb).toBeCloseTo(0, 9);
  });
});

describe('a splice', () => {
  it('between aligned copies of one programme is not to be heard at all', () => {
    const { playout, spliced } = started(toneRing(RATE_HZ), 0);
    play(playout, 960);
    const later = toneRing(RATE_HZ, { lagFrames: 4_800 });
    playout.plan({ atFrame: 5_000, to: voice(later, 9_800), fadeFrames: 960, correlation: 1 });
    expect(worstError(play(playout, 20_000), (frame) => toneAt(960 + frame))).toBeLessThan(2e-4);
    expect(spliced).toHaveLength(2);
  });

  it('keeps its place at any pace, to fractions of a frame', () => {
    const { playout } = started(toneRing(RATE_HZ), 0);
    play(playout, 960);
    const later = toneRing(RATE_HZ, { lagFrames: 4_800 });
    playout.plan({ atFrame: 5_000, to: voice(later, 9_800), fadeFrames: 960, correlation: 1 });
    expect(worstError(play(playout, 20_000, 1.003), (frame) => toneAt(960 + frame * 1.003))).toBeLessThan(
      1e-3,
    );
  });

  it('to a copy with its polarity inverted is not to be heard either', () => {
    const { playout } = started(toneRing(RATE_HZ), 0);
    play(playout, 960);
    const inverted = toneRing(RATE_HZ, { gain: -1 });
    playout.plan({ atFrame: 5_000, to: voice(inverted, 5_000, true), fadeFrames: 960, correlation: 1 });
    expect(worstError(play(playout, 20_000), (frame) => toneAt(960 + frame))).toBeLessThan(2e-4);
  });

  it('between different programmes is as loud in its middle as before and after', () => {
    const noise = (seed: number) => {
      let state = seed;
      const ring = createSoundRing(4 * RATE_HZ);
      const next = () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return state / 0x80000000 - 1;
      };
      ring.push(Float32Array.from({ length: 4 * RATE_HZ * CHANNELS }, () => 0.3 * next()));
      return ring;
    };
    const { playout } = started(noise(7), 0);
    play(playout, 960);
    playout.plan({ atFrame: 960, to: voice(noise(99), 0), fadeFrames: RATE_HZ, correlation: 0 });
    const rms = (pcm: Float32Array) =>
      Math.sqrt(pcm.reduce((sum, sample) => sum + sample ** 2, 0) / pcm.length);
    const during = play(playout, RATE_HZ);
    const after = play(playout, RATE_HZ);
    expect(rms(during.subarray(40_000, 56_000)) / rms(after)).toBeCloseTo(1, 1);
  });

  it('whose place is past already is made at once, as far on as the old voice is', () => {
    const { playout } = started(toneRing(RATE_HZ), 0);
    play(playout, 9_600);
    playout.plan({ atFrame: 5_000, to: voice(toneRing(RATE_HZ), 5_000), fadeFrames: 960, correlation: 1 });
    expect(worstError(play(playout, 9_600), (frame) => toneAt(9_600 + frame))).toBeLessThan(2e-4);
  });

  it('can be taken back until it begins', () => {
    const { playout, spliced } = started(toneRing(RATE_HZ), 0);
    play(playout, 960);
    playout.plan({ atFrame: 5_000, to: null, fadeFrames: 960, correlation: 0 });
    playout.plan(null);
    play(playout, 9_600);
    expect(spliced).toHaveLength(1);
  });
});
