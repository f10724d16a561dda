import { describe, expect, test } from 'vitest';
import { type BlockFrames, measure } from './support/feed.ts';
import { render, stereo } from './support/signals.ts';

// EBU Tech 3342 (2023), Table 1, cases 1-4, synthesized: steps of 20 s and the loudness range they give.

const rates = [44_100, 48_000, 96_000] as const;
const blocks: readonly BlockFrames[] = [441, 4800, 'random'];
const ways = rates.flatMap((rateHz) => blocks.map((block) => ({ rateHz, block })));

describe.each(ways)('loudness range at $rateHz Hz in blocks of $block', ({ rateHz, block }) => {
  test.each([
    [1, [-20, -30], 10],
    [2, [-20, -15], 5],
    [3, [-40, -20], 20],
    [4, [-50, -35, -20, -35, -50], 15],
  ])('case %i: steps to %j give a range of %f LU, and so they do when repeated', (_, levels, expected) => {
    const once = levels.map((level) => stereo(20, level));
    for (const segments of [once, [...once, ...once]]) {
      const { summary } = measure(render(segments, rateHz, 2), { sampleRateHz: rateHz, channels: 2 }, block);
      expect(Math.abs(summary.loudnessRangeLu - expected)).toBeLessThanOrEqual(1);
    }
  });
});
