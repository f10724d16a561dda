import { describe, expect, it } from 'vitest';
import type { LegId } from '../../../src/domain/ids.ts';
import { nextPace, STEADY } from '../../../src/relay/pace.ts';
import { Take } from '../../../src/relay/take.ts';

const LEG = 'myfm/primary@london' as LegId;
const newTake = () => new Take({ id: 1, leg: LEG, mostFrames: 48_000 * 30 });

/** Icecast's burst of 4 s at once, and then 100 ms of sound every 100 ms. */
function heard(take: Take, fromMs: number, seconds: number): number {
  take.push(new Float32Array(2 * 48_000 * 4), fromMs);
  let nowMs = fromMs;
  for (let i = 0; i < seconds * 10; i += 1) {
    nowMs += 100;
    take.push(new Float32Array(2 * 4_800), nowMs);
  }
  return nowMs;
}

describe('the time line of a take', () => {
  it('puts the sound of a burst before its arrival', () => {
    const take = newTake();
    heard(take, 10_000, 5);
    expect(take.timeOf(48_000 * 4)).toBeCloseTo(10_000, 0);
    expect(take.timeOf(48_000)).toBeCloseTo(7_000, 0);
    expect(take.frameAt(12_000)).toBe(48_000 * 6);
    expect(take.frameAt(7_000)).toBe(48_000);
  });

  it('says nothing while the burst is still coming', () => {
    const take = newTake();
    take.push(new Float32Array(2 * 48_000), 10_000);
    expect(take.timeOf(0)).toBeNull();
    take.settle(10_400);
    expect(take.timeOf(48_000)).toBeCloseTo(10_000, 0);
  });

  it.each([
    ['is all there when the network brings what it held back', 3_000, true],
    ['may lack some when sound goes on where it was', 0, false],
  ])('after a pause %s', (_, caughtUpMs, isWhole) => {
    const take = newTake();
    let nowMs = heard(take, 10_000, 5);
    const before = take.endFrame;
    nowMs += 3_000;
    take.push(new Float32Array(2 * 48 * (caughtUpMs + 100)), nowMs + 100);
    expect(take.wholeTo(before - 48_000)).toBe(before);
    for (let i = 2; i <= 10; i += 1) take.push(new Float32Array(2 * 4_800), nowMs + 100 * i);
    expect(take.wholeTo(before - 48_000)).toBe(isWhole ? Number.POSITIVE_INFINITY : before);
    expect(take.wholeTo(take.endFrame - 4_800)).toBe(Number.POSITIVE_INFINITY);
  });

  it('knows which title belongs to which sound', () => {
    const take = newTake();
    take.noteTitle('one');
    heard(take, 0, 1);
    take.noteTitle('two');
    expect([take.titleAt(0), take.titleAt(100_000), take.titleAt(48_000 * 5)]).toEqual(['one', 'one', 'two']);
  });

  it('puts titles that came within the burst where their bytes were, though none of them was decoded yet', () => {
    const take = newTake();
    take.noteTitle('one');
    take.noteBytes(48_000);
    take.noteTitle('two');
    take.noteBytes(16_000);
    heard(take, 10_000, 1);
    expect([take.titleAt(0), take.titleAt(48_000 * 2), take.titleAt(48_000 * 4)]).toEqual([
      'one',
      'one',
      'two',
    ]);
  });

  it('tells what was here at a moment from what was live then and came later', () => {
    const take = newTake();
    const nowMs = heard(take, 10_000, 5);
    take.push(new Float32Array(2 * 48 * 300), nowMs + 700);
    expect(take.frameAt(nowMs + 300)).toBe(48_000 * 9 + 48 * 300);
    expect(take.hereBy(nowMs + 300)).toBe(48_000 * 9);
    expect(take.hereBy(nowMs + 700)).toBe(48_000 * 9 + 48 * 300);
    expect(take.hereBy(9_999)).toBe(0);
  });

  it('knows the time of all that it holds for long, and what is older by the rate', () => {
    const take = new Take({ id: 1, leg: LEG, mostFrames: 48_000 * 2 });
    const nowMs = heard(take, 0, 600);
    expect(take.startFrame).toBeGreaterThan(48_000 * 600);
    for (let backMs = 0; backMs < 2_000; backMs += 37) {
      const frame = take.endFrame - 48 * backMs;
      expect(take.timeOf(frame)).toBeCloseTo(nowMs - backMs, 0);
      expect(take.frameAt(nowMs - backMs)).toBe(frame);
    }
    expect(take.timeOf(0)).toBeCloseTo(-4_000, 0);
    expect(take.hereBy(nowMs - 150)).toBe(take.endFrame - 9_600);
  });

  it('takes nothing more once it is closed, neither sound nor proof', () => {
    const take = newTake();
    heard(take, 0, 1);
    expect(take.provenToMs).toBeNull();
    take.noteProof(0, 900);
    take.close();
    take.push(new Float32Array(200), 2_000);
    take.noteProof(0, 1_900);
    expect(take.endFrame).toBe(48_000 * 5);
    expect(take.provenToMs).toBe(900);
  });
});

describe('the pace of the playout', () => {
  /** Simulates hours in steps of 100 ms and tells the rates and the largest error that were seen. */
  function run(options: { lateMs: number; driftPpm: number; seconds: number }) {
    let { lateMs } = options;
    let pace = STEADY;
    let least = 1;
    let most = 1;
    for (let step = 0; step < options.seconds * 10; step += 1) {
      pace = nextPace(pace, lateMs, 100);
      lateMs += 100 * (1 + options.driftPpm / 1e6 - pace.rate);
      least = Math.min(least, pace.rate);
      most = Math.max(most, pace.rate);
    }
    return { lateMs, least, most };
  }

  it('leaves jitter alone and every sample as it is', () => {
    expect(nextPace(STEADY, 30, 100).rate).toBe(1);
    expect(nextPace(STEADY, -30, 100).rate).toBe(1);
  });

  it('works a second of latency off without ever passing half a percent', () => {
    const { lateMs, most, least } = run({ lateMs: 1_000, driftPpm: 0, seconds: 1_200 });
    expect(Math.abs(lateMs)).toBeLessThan(41);
    expect(most).toBeLessThanOrEqual(1.004);
    expect(least).toBeGreaterThan(0.999);
  });

  it.each([100, -100])('follows a clock that is %i ppm off for a day', (driftPpm) => {
    const { lateMs, most, least } = run({ lateMs: 0, driftPpm, seconds: 24 * 3600 });
    expect(Math.abs(lateMs)).toBeLessThan(60);
    expect(Math.max(most - 1, 1 - least)).toBeLessThan(0.001);
  });
});
