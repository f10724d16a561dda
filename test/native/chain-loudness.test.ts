import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROCESSING_PRESETS } from '../../src/domain/processing.ts';
import { chainValues, gainOf, inStep, processed, RATE_HZ } from './support/chain.ts';
import { decode, music, speech } from './support/material.ts';
import { buildOracle, type Oracle } from './support/oracle.ts';
import { fromFunction, seededRandom } from './support/signals.ts';
import { gatedLufs, shortMix, windowsOf } from './support/windows.ts';

/*
 * By libebur128, which knows nothing of ours. The hour is in test/long/processing-hour.test.ts.
 */

let oracle: Oracle;
let mix: Float32Array;
beforeAll(() => {
  oracle = buildOracle();
  mix = shortMix();
  // It speaks seventy sentences, each by two processes, and on a machine that has much else to do they take a while.
}, 240_000);
afterAll(() => oracle?.remove());

const processing = PROCESSING_PRESETS.filter((preset) => preset !== 'off');

describe('loud pop, quiet classical music and speech 20 dB lower', () => {
  test('are far from each other before', () => {
    const { momentary, integratedLufs } = oracle.brief(mix, RATE_HZ, 2);
    const all = windowsOf(momentary).map(({ lufs }) => lufs);
    expect(Math.max(...all) - Math.min(...all)).toBeGreaterThan(15);
    // The windows are gated here, as libebur128 has none: so its own figure for the whole has to come out as well.
    expect(gatedLufs(momentary.slice(3))).toBeCloseTo(integratedLufs, 1);
  });

  test.each(processing)(
    '%s: every minute is within 1 LU of the target, no true peak over the ceiling',
    (preset) => {
      const out = inStep(processed(chainValues(preset), mix));
      const { momentary, truePeakDbtp } = oracle.brief(out, RATE_HZ, 2);
      for (const { fromSeconds, lufs } of windowsOf(momentary))
        expect(Math.abs(lufs + 16), `from ${fromSeconds} s: ${lufs.toFixed(2)} LUFS`).toBeLessThanOrEqual(1);
      expect(truePeakDbtp).toBeLessThanOrEqual(-1);
    },
  );
});

describe('what is no programme', () => {
  const noise = (dbfs: number, seconds: number) => {
    const random = seededRandom(9);
    return fromFunction(seconds * RATE_HZ, () => [
      gainOf(dbfs) * Math.sqrt(3) * (2 * random() - 1),
      gainOf(dbfs) * Math.sqrt(3) * (2 * random() - 1),
    ]);
  };

  const pauses = [
    { dbfs: Number.NEGATIVE_INFINITY, seconds: 20 },
    { dbfs: -75, seconds: 20 },
    { dbfs: -60, seconds: 20 },
    // Over the gate of -50 LUFS, but far under the words.
    { dbfs: -54, seconds: 4 },
  ];

  test.each(pauses)('a pause of $dbfs dBFS over $seconds s is not pumped up', ({ dbfs, seconds }) => {
    const words = speech('flite', RATE_HZ, 2);
    const pause = noise(dbfs, seconds);
    const input = new Float32Array(words.length + pause.length);
    input.set(words);
    input.set(pause, words.length);
    const { readings } = processed(chainValues('talk'), input);
    const before = readings[Math.floor(words.length / 2 / 4_800) - 2]?.levellerGainDb ?? Number.NaN;
    expect(readings.at(-1)?.levellerGainDb).toBeLessThan(before + 1);
  });
});

describe('the ceiling', () => {
  const random = seededRandom(4);
  const wild: Readonly<Record<string, Float32Array>> = {
    'a quarter of the rate at 45 degrees': fromFunction(
      4 * RATE_HZ,
      (i) => 2 * Math.sin((Math.PI / 2) * i + Math.PI / 4),
    ),
    'full-scale squares': fromFunction(4 * RATE_HZ, (i) => (Math.floor(i / 37) % 2 === 0 ? 1 : -1)),
    'white noise 12 dB over full scale': fromFunction(4 * RATE_HZ, () => [
      8 * random() - 4,
      8 * random() - 4,
    ]),
    'clicks in silence': fromFunction(4 * RATE_HZ, (i) => (i % 9_600 < 3 ? 3 * (i % 2 === 0 ? 1 : -1) : 0)),
    'bursts of a tone near the end of the spectrum': fromFunction(
      4 * RATE_HZ,
      (i) => (Math.floor(i / 4_800) % 2) * 2.5 * Math.sin(i * 2.6),
    ),
    'bass that the high-pass moves': fromFunction(4 * RATE_HZ, (i) => Math.sign(Math.sin(i / 300)) * 1.5),
  };
  const ceilings = [-1, -2, -6];

  test.each(Object.keys(wild))('%s stays under it, whatever it is', (name) => {
    const input = wild[name] ?? new Float32Array(0);
    for (const ceiling of ceilings) {
      const limiterOnly = processed(chainValues('off', { 'limiter.on': 1, ceiling }), input).out;
      expect(oracle.brief(limiterOnly, RATE_HZ, 2).truePeakDbtp).toBeLessThanOrEqual(ceiling);
      const all = processed(chainValues('loud', { ceiling, loudness: -8 }), input).out;
      expect(oracle.brief(all, RATE_HZ, 2).truePeakDbtp).toBeLessThanOrEqual(ceiling);
    }
  });

  test.each(music)('$name driven 12 dB into the limiter stays under it', (material) => {
    const input = decode(material, { fromSeconds: 60, seconds: 15, rateHz: RATE_HZ, channels: 2 });
    const driven = input.map((sample) => sample * 4);
    const { out } = processed(chainValues('off', { 'limiter.on': 1 }), driven);
    expect(oracle.brief(out, RATE_HZ, 2).truePeakDbtp).toBeLessThanOrEqual(-1);
  });
});
