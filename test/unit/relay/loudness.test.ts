import { describe, expect, it } from 'vitest';
import { LoudnessLine, matchingGainDb } from '../../../src/relay/loudness.ts';

const at = (lufs: number, truePeakDbtp = -10) => ({ lufs, truePeakDbtp });

describe('another programme', () => {
  it('begins as loud as what it follows', () => {
    expect(matchingGainDb(at(-20), at(-16))).toBe(-4);
    expect(matchingGainDb(at(-16), at(-20))).toBe(4);
  });

  it('is changed by no more than 6 dB', () => {
    expect(matchingGainDb(at(-30), at(-12))).toBe(-6);
    expect(matchingGainDb(at(-12), at(-30, -40))).toBe(6);
  });

  it('is never made so loud that its peaks would be cut off', () => {
    expect(matchingGainDb(at(-14), at(-20, -3))).toBe(2);
    expect(matchingGainDb(at(-14), at(-20, 0))).toBe(0);
  });

  it('is left alone where one of the two is not known, or next to silent', () => {
    expect(matchingGainDb(null, at(-20))).toBe(0);
    expect(matchingGainDb(at(-20), null)).toBe(0);
    expect(matchingGainDb(at(Number.NEGATIVE_INFINITY), at(-20))).toBe(0);
    expect(matchingGainDb(at(Number.NaN), at(-20))).toBe(0);
    expect(matchingGainDb(at(-20), at(-60))).toBe(0);
  });
});

describe('the loudness of a leg', () => {
  const line = new LoudnessLine();
  for (let ms = 0; ms <= 60_000; ms += 100) line.note(ms, ms < 30_000 ? -24 : -14, ms === 33_000 ? -1 : -9);

  it('is known before and from any moment that may still be played', () => {
    expect(line.before(29_500)?.lufs).toBe(-24);
    expect(line.from(30_000)?.lufs).toBe(-14);
    expect(line.from(30_000)?.truePeakDbtp).toBe(-1);
  });

  it('is not known where nothing was measured', () => {
    expect(line.before(-5_000)).toBeNull();
    expect(line.before(90_000)).toBeNull();
  });

  it('is what has come so far where a moment is newer than three seconds', () => {
    expect(line.from(59_000)?.lufs).toBe(-14);
  });
});
