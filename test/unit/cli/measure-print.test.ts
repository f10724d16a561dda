import { describe, expect, it } from 'vitest';
import type { Measurement } from '../../../src/cli/measure/measurement.ts';
import { heardText, measurementJson, measurementText, timeText } from '../../../src/cli/measure/print.ts';
import { createProgress, progressText } from '../../../src/cli/progress.ts';

const MEASURED: Measurement = {
  summary: {
    durationSeconds: 3725.04,
    integratedLufs: -14.48649,
    loudnessRangeLu: 10.5,
    maxMomentaryLufs: -6.5,
    maxShortTermLufs: -8.4,
    truePeakDbtp: 1.157,
    samplePeakDbfs: 0.9,
    correlation: 0.585,
    clippedSamples: 3,
    invalidSamples: 0,
    rmsDbfs: [-15.8, -16.2],
    dcOffset: [0, 0],
  },
  faults: [
    {
      kind: 'silence',
      startSeconds: 61.5,
      endSeconds: 70,
      evidence: { levelDbfs: Number.NEGATIVE_INFINITY, thresholdDbfs: -50 },
    },
    {
      kind: 'tone',
      startSeconds: 3700.25,
      endSeconds: null,
      evidence: { levelDbfs: -26.01234, frequencyHz: 1000.04, share: 0.987 },
    },
  ],
  isMono: false,
};

describe('a measurement as JSON', () => {
  it('has exactly the promised names', () => {
    expect(Object.keys(measurementJson(MEASURED))).toEqual([
      'integratedLufs',
      'maxMomentaryLufs',
      'maxShortTermLufs',
      'loudnessRangeLu',
      'truePeakDbtp',
      'samplePeakDbfs',
      'rmsDbfs',
      'correlation',
      'durationSeconds',
      'faults',
    ]);
  });

  it('gives null for what is not finite, and for the end of what lasts', () => {
    const { summary } = MEASURED;
    const silent = {
      ...MEASURED,
      summary: {
        ...summary,
        integratedLufs: Number.NEGATIVE_INFINITY,
        correlation: Number.NaN,
        rmsDbfs: [Number.NEGATIVE_INFINITY, -60],
      },
    };
    expect(JSON.parse(JSON.stringify(measurementJson(silent)))).toMatchObject({
      integratedLufs: null,
      correlation: null,
      rmsDbfs: [null, -60],
      faults: [
        {
          kind: 'silence',
          startSeconds: 61.5,
          endSeconds: 70,
          evidence: { levelDbfs: null, thresholdDbfs: -50 },
        },
        { kind: 'tone', endSeconds: null },
      ],
    });
  });
});

describe('a measurement for a person', () => {
  const text = measurementText('music.mp3 (MP3)', MEASURED);

  it('names what was measured and gives every figure its unit', () => {
    expect(text).toContain('music.mp3 (MP3), 1:02:05.0 measured');
    expect(text).toMatch(/integrated loudness +-14\.5 LUFS/);
    expect(text).toMatch(/true peak +1\.2 dBTP/);
    expect(text).toMatch(/correlation +0\.58|0\.59/);
  });

  it('tells each fault with its times and its evidence in words', () => {
    expect(text).toMatch(/silence +1:01\.5 +1:10\.0 +level -inf dBFS, threshold -50 dBFS/);
    expect(text).toMatch(/tone +1:01:40\.3 +the end +level -26\.0 dBFS, frequency 1000\.0 Hz, share 0\.99/);
  });

  it('says so when there is no fault, and when both sides are the same', () => {
    const clean = measurementText('x', { ...MEASURED, faults: [], isMono: true });
    expect(clean).toContain('no faults');
    expect(clean).toContain('(mono)');
  });

  it('writes times as players do', () => {
    expect([0, 9.96, 59.96, 3599.99].map(timeText)).toEqual(['0:00.0', '0:10.0', '1:00.0', '1:00:00.0']);
  });
});

describe('the progress bar', () => {
  const clockAt = (times: number[]) => ({
    nowMs: () => times.shift() ?? 0,
    wallTime: () => new Date(0),
    after: () => () => {},
    every: () => () => {},
  });

  it('shows how much is done and how long the rest takes', () => {
    expect(progressText(0.25, heardText(120), 10_000, 80)).toBe(
      '[##########------------------------------]  25 %  2:00.0 heard, 30 s left',
    );
  });

  it('never is wider than the terminal', () => {
    for (const columns of [10, 20, 40, 60, 200]) {
      const text = progressText(0.5, heardText(36_000), 7_200_000, columns);
      expect(text.length).toBeLessThan(columns);
    }
  });

  it('shows only the time heard where nobody knows how much there is', () => {
    expect(progressText(null, heardText(61), 1_000, 80)).toBe('1:01.0 heard');
  });

  it('stays away from what is no terminal, and from what is done at once', () => {
    const written: string[] = [];
    const write = (text: string) => written.push(text);
    createProgress(clockAt([0, 5_000]), { isTTY: false, write }).show(0.5, heardText(1));
    createProgress(clockAt([0, 300]), { isTTY: true, write }).show(0.5, heardText(1));
    expect(written).toEqual([]);
  });

  it('is drawn a few times a second and wiped away in the end', () => {
    const written: string[] = [];
    const progress = createProgress(clockAt([0, 1_000, 1_050, 1_300]), {
      isTTY: true,
      columns: 80,
      write: (text) => written.push(text),
    });
    for (let time = 0; time < 3; time += 1) progress.show(0.5, heardText(1));
    progress.clear();
    expect(written).toHaveLength(3);
    expect(written[0]).toContain('50 %');
    expect(written.at(-1)).toBe('\r\u001b[K');
  });
});
