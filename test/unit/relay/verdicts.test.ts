import { describe, expect, it } from 'vitest';
import type { LegCondition } from '../../../src/domain/conditions.ts';
import { VerdictLine } from '../../../src/relay/verdicts.ts';

const audible = (sinceMs: number, verifiedAtMs: number): LegCondition => ({
  is: 'audible',
  sinceMs,
  verifiedAtMs,
});
const silent = (sinceMs: number): LegCondition => ({ is: 'faulty', sinceMs, fault: 'silent', detail: '' });

describe('the verdict on each moment of a leg', () => {
  it('is doubtful until sound is proven, and then proven up to the last proof', () => {
    const line = new VerdictLine(60_000);
    expect(line.at(500)).toBe('doubtful');
    line.note(audible(0, 2_000), 2_500);
    line.note(audible(0, 3_000), 3_500);
    expect([line.at(-1), line.at(0), line.at(2_999), line.at(3_000)]).toEqual([
      'doubtful',
      'proven',
      'proven',
      'doubtful',
    ]);
    expect(line.provenFrom(1_000)).toBe(3_000);
  });

  it('turns faulty from the moment the silence began, not from when it tripped', () => {
    const line = new VerdictLine(60_000);
    line.note(audible(0, 10_000), 14_900);
    line.note(silent(10_000), 15_000);
    expect([line.at(9_999), line.at(10_000), line.at(99_000)]).toEqual(['proven', 'faulty', 'faulty']);
    expect(line.faultAfter(5_000)).toEqual({
      goodToMs: 10_000,
      fromMs: 10_000,
      toMs: Number.POSITIVE_INFINITY,
      fault: 'silent',
    });
  });

  it('takes back what was taken for proven after a fault began that is only found later', () => {
    const line = new VerdictLine(60_000);
    line.note(audible(0, 10_000), 10_500);
    line.note({ is: 'unknown', sinceMs: 10_500, reason: 'unproven' }, 12_000);
    line.note(audible(12_000, 19_500), 20_000);
    line.note({ is: 'faulty', sinceMs: 9_000, fault: 'tone', detail: '' }, 20_000);
    expect([line.at(8_999), line.at(9_000), line.at(12_500)]).toEqual(['proven', 'faulty', 'faulty']);
    expect(line.faultAfter(5_000)).toMatchObject({ goodToMs: 9_000, fromMs: 9_000, fault: 'tone' });
  });

  it('ends a fault at the first proven sound', () => {
    const line = new VerdictLine(60_000);
    line.note(audible(0, 10_000), 14_900);
    line.note(silent(10_000), 15_000);
    line.note(audible(40_000, 41_000), 41_500);
    expect(line.faultAfter(0)).toMatchObject({ goodToMs: 10_000, fromMs: 10_000, toMs: 40_000 });
    expect(line.at(40_500)).toBe('proven');
    expect(line.faultAfter(40_000)).toBeNull();
  });

  it('leaves unproven sound before a fault out of what is good', () => {
    const line = new VerdictLine(60_000);
    line.note(audible(0, 10_000), 10_400);
    line.note({ is: 'faulty', sinceMs: 10_600, fault: 'absent', detail: '' }, 12_000);
    expect(line.faultAfter(0)).toMatchObject({ goodToMs: 10_000, fromMs: 10_600 });
    expect(line.at(10_300)).toBe('doubtful');
  });

  it('keeps a stall apart from what it turns into, whose good sound ends where the stall began', () => {
    const line = new VerdictLine(60_000);
    line.note(audible(0, 9_900), 10_400);
    line.note({ is: 'faulty', sinceMs: 10_000, fault: 'stalled', detail: '' }, 12_000);
    line.note({ is: 'faulty', sinceMs: 14_000, fault: 'absent', detail: '' }, 15_000);
    expect(line.faultAfter(0)).toMatchObject({ fault: 'stalled', fromMs: 10_000, toMs: 14_000 });
    expect(line.faultAfter(14_000)).toMatchObject({ fault: 'absent', fromMs: 14_000, goodToMs: 9_900 });
  });

  it('has sound that the network held back for good, up to where silence began in it', () => {
    const line = new VerdictLine(60_000);
    line.note(audible(0, 9_900), 10_400);
    line.note({ is: 'faulty', sinceMs: 10_000, fault: 'stalled', detail: '' }, 12_000);
    line.note({ is: 'unknown', sinceMs: 16_000, reason: 'starting' }, 16_000);
    line.note(audible(16_000, 13_000), 17_000);
    line.note(silent(13_000), 18_000);
    expect(line.faultAfter(0)).toMatchObject({ fault: 'stalled', fromMs: 10_000, toMs: 10_000 });
    expect(line.at(12_000)).toBe('proven');
    expect(line.faultAfter(10_000)).toMatchObject({ fault: 'silent', fromMs: 13_000, goodToMs: 13_000 });
  });

  it('forgets what is long past', () => {
    const line = new VerdictLine(1_000);
    line.note(audible(0, 10_000), 10_000);
    line.note(silent(10_000), 15_000);
    line.note(audible(20_000, 21_000), 22_000);
    expect(line.faultAfter(0)).toBeNull();
  });
});
