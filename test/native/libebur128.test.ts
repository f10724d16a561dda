import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Measured, measure } from './support/feed.ts';
import { decode, music, speech } from './support/material.ts';
import { buildOracle, type Oracle, type OracleFigures } from './support/oracle.ts';

const channels = 2;
let oracle: Oracle;
beforeAll(() => {
  oracle = buildOracle();
});
afterAll(() => oracle?.remove());

const cases = [
  ...music.map((material, i) => {
    const rateHz = [48_000, 44_100, 96_000, 44_100][i] ?? 48_000;
    const cut = { fromSeconds: 20, seconds: 60, rateHz, channels };
    return { name: material.name, rateHz, samples: () => decode(material, cut) };
  }),
  { name: 'speech (espeak-ng)', rateHz: 48_000, samples: () => speech('espeak-ng', 48_000, channels) },
  { name: 'speech (flite)', rateHz: 44_100, samples: () => speech('flite', 44_100, channels) },
];

describe.each(cases)('$name at $rateHz Hz', ({ rateHz, samples }) => {
  let ours: Measured;
  let theirs: OracleFigures;
  beforeAll(() => {
    const audio = samples();
    ours = measure([audio], { sampleRateHz: rateHz, channels }, 'random');
    theirs = oracle.measure(audio, rateHz, channels);
  });

  test.each(['integratedLufs', 'maxMomentaryLufs', 'maxShortTermLufs'] as const)(
    '%s equals libebur128 within 0.05 LU',
    (figure) => {
      expect(Math.abs(ours.summary[figure] - theirs[figure])).toBeLessThanOrEqual(0.05);
    },
  );

  test('momentary loudness equals libebur128 within 0.05 LU all along', () => {
    const pairs = ours.readings.map(
      (reading, i) => [reading.momentaryLufs, theirs.momentary[i] ?? -999] as const,
    );
    const audible = pairs.filter(([lufs]) => lufs > -70);
    expect(audible.length).toBeGreaterThan(200);
    for (const [lufs, expected] of audible) expect(Math.abs(lufs - expected)).toBeLessThanOrEqual(0.05);
  });

  // libebur128 samples short-term loudness once a second, where Tech 3342 asks for 10 Hz and more.
  test('loudness range is near that of libebur128', () => {
    expect(Math.abs(ours.summary.loudnessRangeLu - theirs.loudnessRangeLu)).toBeLessThanOrEqual(0.5);
  });

  test('loudness range is what Tech 3342 gives for the short-term readings', () => {
    const values = ours.readings.map((reading) => reading.shortTermLufs).filter((lufs) => lufs >= -70);
    const mean = 10 * Math.log10(values.reduce((sum, lufs) => sum + 10 ** (lufs / 10), 0) / values.length);
    const gated = values.filter((lufs) => lufs >= mean - 20).sort((a, b) => a - b);
    const percentile = (p: number) => gated[Math.round(((gated.length - 1) * p) / 100)] ?? Number.NaN;
    expect(Math.abs(ours.summary.loudnessRangeLu - (percentile(95) - percentile(10)))).toBeLessThanOrEqual(
      0.05,
    );
  });

  test('sample peak is the same, and true peak within 0.2 dB', () => {
    expect(ours.summary.samplePeakDbfs).toBeCloseTo(theirs.samplePeakDbfs, 4);
    expect(Math.abs(ours.summary.truePeakDbtp - theirs.truePeakDbtp)).toBeLessThanOrEqual(0.2);
  });
});
