import { describe, expect, test } from 'vitest';
import { type BlockFrames, type Measured, measure } from './support/feed.ts';
import { render, repeated, type Segment, silence, stereo } from './support/signals.ts';

// EBU Tech 3341 (2023), Table 1, cases 1-6 and 9-14, synthesized. Each case starts with a new meter.

const rates = [44_100, 48_000, 96_000] as const;
const blocks: readonly BlockFrames[] = [441, 4800, 'random'];
const numbers = Array.from({ length: 20 }, (_, i) => i);

interface Way {
  readonly rateHz: number;
  readonly block: BlockFrames;
}

const ways: readonly Way[] = [
  ...rates.flatMap((rateHz) => blocks.map((block) => ({ rateHz, block }))),
  { rateHz: 48_000, block: 1 },
];
const severalFrameWays = ways.filter((way) => way.block !== 1);

function heard(segments: readonly Segment[], way: Way, channels = 2): Measured {
  return measure(render(segments, way.rateHz, channels), { sampleRateHz: way.rateHz, channels }, way.block);
}

function expectLufs(actual: number, expected: number, what: string): void {
  expect(
    Math.abs(actual - expected),
    `${what}: ${actual} LUFS, not ${expected} within 0.1`,
  ).toBeLessThanOrEqual(0.1);
}

describe.each(ways)('at $rateHz Hz in blocks of $block', (way) => {
  test.each([
    [1, -23],
    [2, -33],
  ])('case %i: a steady tone reads %f on every scale', (_, level) => {
    const { readings, summary } = heard([stereo(20, level)], way);
    const last = readings.at(-1);
    expectLufs(last?.momentaryLufs ?? Number.NaN, level, 'M');
    expectLufs(last?.shortTermLufs ?? Number.NaN, level, 'S');
    expectLufs(summary.integratedLufs, level, 'I');
  });

  test('case 9: short-term loudness stays at -23 through a pattern of 3 s', () => {
    const { readings } = heard(repeated(5, stereo(1.34, -20), stereo(1.66, -30)), way);
    const settled = readings.filter((reading) => reading.endSeconds > 3.05);
    expect(settled.length).toBeGreaterThan(110);
    for (const reading of settled) expectLufs(reading.shortTermLufs, -23, `S at ${reading.endSeconds} s`);
  });

  test('case 12: momentary loudness stays at -23 through a pattern of 400 ms', () => {
    const { readings } = heard(repeated(25, stereo(0.18, -20), stereo(0.22, -30)), way);
    const settled = readings.filter((reading) => reading.endSeconds > 1);
    expect(settled.length).toBeGreaterThan(85);
    for (const reading of settled) {
      expectLufs(reading.momentaryLufs, -23, `M at ${reading.endSeconds} s`);
      expectLufs(reading.momentaryMaxLufs, -23, `max M at ${reading.endSeconds} s`);
    }
  });

  test('case 13: a burst of 400 ms gives its whole level wherever it starts', () => {
    for (const i of numbers) {
      const { summary } = heard([silence(i * 0.02), stereo(0.4, -23), silence(1)], way);
      expectLufs(summary.maxMomentaryLufs, -23, `max M of file ${i}`);
    }
  });
});

describe.each(severalFrameWays)('integration at $rateHz Hz in blocks of $block', (way) => {
  test.each([
    [3, [stereo(10, -36), stereo(60, -23), stereo(10, -36)]],
    [4, [stereo(10, -72), stereo(10, -36), stereo(60, -23), stereo(10, -36), stereo(10, -72)]],
    [5, [stereo(20, -26), stereo(20.1, -20), stereo(20, -26)]],
  ])('case %i: gating leaves -23', (_, segments) => {
    expectLufs(heard(segments, way).summary.integratedLufs, -23, 'I');
  });

  test('case 6: five channels are weighted to -23', () => {
    const fiveChannels: Segment = { seconds: 20, dbfs: [-28, -28, -24, -30, -30] };
    expectLufs(heard([fiveChannels], way, 5).summary.integratedLufs, -23, 'I');
  });

  test('case 6 with an LFE channel: it does not count', () => {
    const sixChannels: Segment = { seconds: 20, dbfs: [-28, -28, -24, -6, -30, -30] };
    expectLufs(heard([sixChannels], way, 6).summary.integratedLufs, -23, 'I');
  });

  test('case 10: 3 s of tone reach -23 short-term wherever they start', () => {
    for (const i of numbers) {
      const { summary } = heard([silence(i * 0.15), stereo(3, -23), silence(1)], way);
      expectLufs(summary.maxShortTermLufs, -23, `max S of file ${i}`);
    }
  });

  test('case 11: live, each of twenty tones of 3 s shows its own level short-term', () => {
    const { readings } = heard(
      numbers.flatMap((i) => [silence(i * 0.15), stereo(3, -38 + i), silence(3 - i * 0.15)]),
      way,
    );
    for (const i of numbers) {
      const within = readings.filter(
        ({ endSeconds }) => endSeconds > i * 6 && endSeconds <= (i + 1) * 6 + 0.05,
      );
      const highest = Math.max(...within.map((reading) => reading.shortTermLufs).filter(Number.isFinite));
      expectLufs(highest, -38 + i, `max S of tone ${i}`);
    }
  });

  test('case 14: live, each of twenty bursts of 400 ms shows its own level momentarily', () => {
    const { readings } = heard(
      numbers.flatMap((i) => [silence(i * 0.02), stereo(0.4, -38 + i), silence(0.4 - i * 0.02)]),
      way,
    );
    for (const i of numbers) {
      const within = readings.filter(
        ({ endSeconds }) => endSeconds > i * 0.8 && endSeconds <= (i + 1) * 0.8 + 0.05,
      );
      const highest = Math.max(...within.map((reading) => reading.momentaryMaxLufs).filter(Number.isFinite));
      expectLufs(highest, -38 + i, `max M of burst ${i}`);
    }
  });
});
