import { expect, test } from 'vitest';
import { monitorId } from '../../../src/domain/ids.ts';
import type { LevelReading } from '../../../src/domain/readings.ts';
import { LevelCollector, type LevelRow, NOT_HEARD, stepOf } from '../../../src/history/levels.ts';
import { LEG } from './support.ts';

function block(rmsDbfs: number, atMs: number): LevelReading {
  return {
    monitor: monitorId('a1'),
    atMs,
    arrivedAtMs: 0,
    durationMs: 100,
    rmsDbfs: [rmsDbfs, -90],
    samplePeakDbfs: rmsDbfs,
    truePeakDbtp: rmsDbfs + 3,
    momentaryLufs: Number.NEGATIVE_INFINITY,
    shortTermLufs: Number.NaN,
    integratedLufs: Number.NaN,
    loudnessRangeLu: 0,
    correlation: 1,
    audibleMs: rmsDbfs > -50 ? 100 : 0,
    faults: [],
    warnings: [],
  };
}

test('blocks of 100 ms become seconds with a level for each of them', () => {
  const rows: LevelRow[] = [];
  const collector = new LevelCollector((row) => rows.push(row));
  for (let index = 0; index < 12; index += 1)
    collector.take(LEG.id, block(index === 3 ? -10.4 : -80, index), 5000 + (index + 1) * 100, 'audible');
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({
    unixMs: 5000,
    spanS: 1,
    audibleMs: 100,
    truePeakDbtp: -7.4,
    momentaryLufs: null,
  });
  expect([...(rows[0]?.steps ?? [])]).toEqual([-80, -80, -80, -10, -80, -80, -80, -80, -80, -80]);
  collector.flush();
  expect([...(rows[1]?.steps ?? [])].slice(0, 3)).toEqual([-80, -80, NOT_HEARD]);
});

test('what the burst of a new connection repeats is not counted twice', () => {
  const rows: LevelRow[] = [];
  const collector = new LevelCollector((row) => rows.push(row));
  for (const endUnixMs of [5100, 5200, 5100, 5200, 5300])
    collector.take(LEG.id, block(-20, endUnixMs), endUnixMs, 'audible');
  collector.flush();
  expect(rows).toMatchObject([{ audibleMs: 300 }]);
});

test('levels are written down also when the wall clock was put back by an hour', () => {
  const rows: LevelRow[] = [];
  const collector = new LevelCollector((row) => rows.push(row));
  for (let atMs = 100; atMs <= 3000; atMs += 100)
    collector.take(LEG.id, block(-20, atMs), atMs + (atMs <= 1000 ? 3_600_000 : 0), 'audible');
  expect(rows.map(({ unixMs }) => unixMs)).toEqual([3_600_000, 1000]);
});

test('a level is the loudest channel in whole dB, and digital silence is not the same as nothing heard', () => {
  expect(stepOf([-30.6, -20.4])).toBe(-20);
  expect(stepOf([Number.NEGATIVE_INFINITY])).toBe(-127);
  expect(stepOf([3])).toBe(0);
});
