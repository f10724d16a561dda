import { describe, expect, it } from 'vitest';
import {
  findDeadAir,
  findProgrammes,
  type HeardStep,
  levelSteps,
  pilotLevels,
  SILENT,
  toneLevelDbfs,
  UNCLEAR,
} from '../../../src/demo/rig/analysis.ts';

const RATE_HZ = 44_100;
const PILOTS = { primary: 6100, secondary: 6900, autodj: 7700 };

interface Part {
  readonly durationMs: number;
  readonly tones?: readonly { readonly frequencyHz: number; readonly levelDbfs: number }[];
  readonly noiseDbfs?: number;
  /** Only the left channel sounds. */
  readonly leftOnly?: boolean;
}

/** A repeatable source of noise: tests must not depend on chance. */
function createNoise(): () => number {
  let seed = 1;
  return () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return (seed / 2_147_483_647) * 2 - 1;
  };
}

function sound(parts: readonly Part[]): Int16Array {
  const noise = createNoise();
  const samples: number[] = [];
  for (const part of parts) {
    const frames = Math.round((part.durationMs / 1000) * RATE_HZ);
    const noisePeak = part.noiseDbfs === undefined ? 0 : 32767 * 10 ** (part.noiseDbfs / 20) * Math.sqrt(3);
    for (let frame = 0; frame < frames; frame += 1) {
      let value = noisePeak * noise();
      for (const { frequencyHz, levelDbfs } of part.tones ?? []) {
        const peak = 32767 * Math.SQRT2 * 10 ** (levelDbfs / 20);
        value += peak * Math.sin((2 * Math.PI * frequencyHz * frame) / RATE_HZ);
      }
      samples.push(Math.round(value), part.leftOnly ? 0 : Math.round(value));
    }
  }
  return Int16Array.from(samples);
}

const pilot = (name: keyof typeof PILOTS, levelDbfs = -38) => ({ frequencyHz: PILOTS[name], levelDbfs });

const programmesOf = (pcm: Int16Array) =>
  findProgrammes(pcm, 0, PILOTS).map(({ programme, durationMs }) => [programme, durationMs]);

describe('levels', () => {
  it('measures the RMS of the louder channel', () => {
    const steps = levelSteps(
      sound([{ durationMs: 100, tones: [{ frequencyHz: 1000, levelDbfs: -20 }], leftOnly: true }]),
      500,
    );
    expect(steps).toHaveLength(10);
    expect(steps[0]?.atMs).toBe(500);
    for (const step of steps) expect(step.levelDbfs).toBeCloseTo(-20, 0);
  });

  it('calls digital zero minus infinity', () => {
    expect(levelSteps(sound([{ durationMs: 10 }]), 0)[0]?.levelDbfs).toBe(-Infinity);
  });

  it('measures one tone under others', () => {
    const window = sound([
      { durationMs: 50, tones: [pilot('primary', -38), { frequencyHz: 1000, levelDbfs: -12 }] },
    ]);
    expect(toneLevelDbfs(window, PILOTS.primary)).toBeCloseTo(-38, 0);
    expect(toneLevelDbfs(window, PILOTS.autodj)).toBeLessThan(-80);
  });
});

describe('dead air', () => {
  const loud = { tones: [{ frequencyHz: 1000, levelDbfs: -20 }] };
  const deadAir = (parts: readonly Part[]) => findDeadAir(levelSteps(sound(parts), 0));

  it('is found with its place and length', () => {
    const found = deadAir([{ durationMs: 500, ...loud }, { durationMs: 730 }, { durationMs: 300, ...loud }]);
    expect(found).toEqual([{ atMs: 500, durationMs: 730, cause: 'silence' }]);
  });

  it('is not a pause of less than 50 ms', () => {
    expect(deadAir([{ durationMs: 500, ...loud }, { durationMs: 40 }, { durationMs: 300, ...loud }])).toEqual(
      [],
    );
  });

  it('is not soft sound over -60 dBFS, but is hiss under it', () => {
    expect(deadAir([{ durationMs: 500, noiseDbfs: -55 }])).toEqual([]);
    expect(deadAir([{ durationMs: 500, noiseDbfs: -65 }])).toHaveLength(1);
  });

  it('goes on through clicks, and ends with sound', () => {
    const click = { durationMs: 10, noiseDbfs: -12 };
    const found = deadAir([
      { durationMs: 500 },
      click,
      { durationMs: 500 },
      click,
      { durationMs: 500 },
      { durationMs: 200, ...loud },
      { durationMs: 100 },
    ]);
    expect(found.map(({ durationMs }) => durationMs)).toEqual([1520, 100]);
  });

  it('counts an underrun, alone and beside silence', () => {
    const underrun = (atMs: number): HeardStep => ({
      atMs,
      durationMs: 400,
      levelDbfs: -Infinity,
      from: 'underrun',
    });
    expect(findDeadAir([underrun(0)])).toEqual([{ atMs: 0, durationMs: 400, cause: 'underrun' }]);
    const silence = levelSteps(sound([{ durationMs: 100 }]), 400);
    expect(findDeadAir([underrun(0), ...silence])).toEqual([{ atMs: 0, durationMs: 500, cause: 'both' }]);
  });
});

describe('programmes', () => {
  it('are known by their pilots under louder music, window by window', () => {
    const music = [
      { frequencyHz: 440, levelDbfs: -14 },
      { frequencyHz: 3000, levelDbfs: -30 },
    ];
    const pcm = sound([
      { durationMs: 500, tones: [...music, pilot('primary')] },
      { durationMs: 300 },
      { durationMs: 450, tones: [...music, pilot('autodj')] },
    ]);
    expect(programmesOf(pcm)).toEqual([
      ['primary', 500],
      [SILENT, 300],
      ['autodj', 450],
    ]);
  });

  it('are unclear without a pilot, and with two', () => {
    expect(programmesOf(sound([{ durationMs: 300, tones: [{ frequencyHz: 440, levelDbfs: -14 }] }]))).toEqual(
      [[UNCLEAR, 300]],
    );
    expect(programmesOf(sound([{ durationMs: 300, tones: [pilot('primary'), pilot('autodj')] }]))).toEqual([
      [UNCLEAR, 300],
    ]);
  });

  it('take a short blur at a splice for themselves', () => {
    const pcm = sound([
      { durationMs: 500, tones: [pilot('primary')] },
      { durationMs: 50, tones: [pilot('primary'), pilot('secondary')] },
      { durationMs: 500, tones: [pilot('secondary')] },
    ]);
    expect(programmesOf(pcm)).toEqual([
      ['primary', 550],
      ['secondary', 500],
    ]);
  });

  it('are heard in one channel alone', () => {
    expect(programmesOf(sound([{ durationMs: 200, tones: [pilot('autodj')], leftOnly: true }]))).toEqual([
      ['autodj', 200],
    ]);
  });

  it('are ordered by the level of their pilots', () => {
    const levels = pilotLevels(sound([{ durationMs: 50, tones: [pilot('secondary')] }]), PILOTS);
    expect(levels[0]?.programme).toBe('secondary');
  });
});
