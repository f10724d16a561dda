import { describe, expect, it } from 'vitest';
import { choose } from '../../../src/relay/choice.ts';
import type { LegSight } from '../../../src/relay/situation.ts';
import {
  CURSOR_MS,
  copy,
  DIFFERENT,
  faulty,
  frameOf,
  good,
  legOf,
  NOW_MS,
  silentSince,
  situation,
  switched,
  takeOf,
  UNKNOWN,
} from './situations.ts';

/** On air with so much in hand, after its encoder stood still for the rest of the delay. */
const withInHand = (name: string, inHandMs: number, ageMs = 0): LegSight => {
  const take = takeOf(name, { toMs: CURSOR_MS + inHandMs - ageMs });
  const laterMs = NOW_MS - ageMs - take.endFrame / 48;
  const timeOf = (frame: number) => frame / 48 + laterMs;
  return good(name, [{ ...take, timeOf, frameAt: (ms) => Math.round(frameOf(ms - laterMs)) }]);
};
const inStep = { relationOf: () => copy(0) };

describe('a leg on air with too little in hand', () => {
  it('is left for a copy in step that holds more, at the same moment of the programme', () => {
    const primary = withInHand('primary', 3_000);
    const choice = switched(choose(situation([primary, good('secondary')], primary, inStep)));
    expect(choice).toMatchObject({ trigger: 'fault', fadeFrames: 960, to: { take: { leg: 'secondary' } } });
    expect(choice.to?.frame).toBe(choice.atFrame);
    expect(choice.because).toBe(
      'only 3.0 s of primary are in hand; secondary carries the same programme and holds more',
    );
  });

  it.each([
    ['is hardly less than the delay', 6_200, good('secondary'), inStep],
    ['is hardly less than what the copy holds', 3_000, withInHand('secondary', 3_900), inStep],
    ['is a copy, but where isn’t known', 3_000, good('secondary'), { relationOf: () => UNKNOWN }],
    ['is another programme', 3_000, good('secondary'), { relationOf: () => DIFFERENT }],
    ['holds more, but fails soon', 3_000, silentSince('secondary', CURSOR_MS + 900), inStep],
    ['stands still itself', 3_000, withInHand('secondary', 7_000, 2_000), inStep],
    ['has only just been gone to', 3_000, good('secondary'), { ...inStep, lastSwitchAtMs: NOW_MS - 4_900 }],
    [
      'is asked for by an operator',
      3_000,
      good('secondary'),
      { ...inStep, hold: { author: 'eve', leg: null } },
    ],
    [
      'is held for a silence',
      3_000,
      good('secondary'),
      { ...inStep, hold: { author: 'two minutes', leg: null, isSilence: true } },
    ],
  ])('is kept where it or the other %s', (_, inHandMs, other, more) => {
    const primary = withInHand('primary', inHandMs);
    expect(choose(situation([primary, other], primary, more)).do).toBe('stay');
  });

  it('is kept while it stands still, as what was held back may come', () => {
    const primary = withInHand('primary', 7_000, 4_000);
    expect(choose(situation([primary, good('secondary')], primary, inStep)).do).toBe('stay');
  });

  it('is not left for one that has only just come back', () => {
    const primary = withInHand('primary', 3_000);
    const shaky = legOf('secondary', {
      conditions: [
        [NOW_MS - 60_000, faulty(NOW_MS - 70_000)],
        [NOW_MS, { is: 'audible', sinceMs: NOW_MS - 9_000, verifiedAtMs: NOW_MS - 400 }],
      ],
    });
    expect(choose(situation([primary, shaky], primary, inStep)).do).toBe('stay');
    const legs = [primary, shaky, good('secondary@dublin')];
    expect(switched(choose(situation(legs, primary, inStep))).to?.take.leg).toBe('secondary@dublin');
  });

  it('is gone back to when it holds nearly as much again, and not before', () => {
    const secondary = good('secondary');
    const comesBack = (inHandMs: number) => {
      const legs = [withInHand('primary', inHandMs), secondary];
      return choose(situation(legs, secondary, { ...inStep, latencyMs: 14_000 }));
    };
    expect(comesBack(3_000).do).toBe('stay');
    expect(comesBack(6_300).do).toBe('stay');
    expect(switched(comesBack(6_700))).toMatchObject({ trigger: 'return', correlation: 0.99 });
  });

  it('is gone back to with a jump where it would never hold as much in step', () => {
    const secondary = good('secondary');
    const choice = switched(choose(situation([withInHand('primary', 3_000), secondary], secondary, inStep)));
    expect(choice).toMatchObject({ trigger: 'return', correlation: 0, fadeFrames: 12_000 });
    expect((choice.to?.frame ?? 0) - choice.atFrame).toBe(frameOf(-4_000));
  });
});

describe('two copies of which each was left for having too little in hand', () => {
  it('are not gone between to and fro, whatever either holds', () => {
    for (let here = 600; here <= 9_000; here += 150)
      for (let there = 600; there <= 9_000; there += 150) {
        const [primary, secondary] = [withInHand('primary', here), withInHand('secondary', there)];
        const legs = [primary, secondary];
        const more = { ...inStep, latencyMs: 30_000 };
        const leaves = choose(situation(legs, primary, more)).do === 'switch';
        const returns = choose(situation(legs, secondary, more)).do === 'switch';
        expect(leaves && returns, `${here} ms and ${there} ms`).toBe(false);
      }
  });
});
