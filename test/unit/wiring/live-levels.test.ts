import { describe, expect, test } from 'vitest';
import { noMemory } from '../../../src/decide/state.ts';
import { mount } from '../../../src/domain/ids.ts';
import { channelName } from '../../../src/domain/levels.ts';
import type { ProcessingReading } from '../../../src/domain/readings.ts';
import { Station } from '../../../src/station.ts';
import { LiveLevels } from '../../../src/wiring/live-levels.ts';
import { DUBLIN, LONDON, policyWith, reading } from '../decide/builders.ts';
import { manualClock } from '../platform/clocks.ts';

const TRIP_MS = policyWith().silence.tripMs;

/** The meters of london's agent, and what it hears of dublin's public mounts. */
function londonsLevels() {
  const clock = manualClock(0);
  const station = new Station(policyWith({ mode: 'relay' }), noMemory, 0, {
    event: () => {},
    command: () => {},
  });
  const levels = new LiveLevels(station, [mount('/stream'), mount('/stream.aac')], clock);
  const dublin = levels.metersOf(DUBLIN);
  if (dublin === null) throw new Error('dublin has no meters');
  return {
    clock,
    station,
    levels,
    dublin,
    /** The meter of one channel now. */
    meter(name: string) {
      const index = levels.channels.findIndex((channel) => channelName(channel) === name);
      return levels.read()[index];
    },
  };
}

/** A tenth of a second at -6.02 dBFS. */
const square = () => Float32Array.from({ length: 9600 }, (_, at) => (at % 96 < 48 ? 0.5 : -0.5));

const processed = (tenth: number): ProcessingReading => ({
  endSeconds: tenth / 10,
  inMomentaryLufs: -20,
  inShortTermLufs: -20,
  outMomentaryLufs: -16,
  outShortTermLufs: -16,
  levellerGainDb: 4,
  makeupGainDb: 1,
  bandReductionDb: [0, 1, 3, 2, 0.5],
  limiterReductionDb: 1.5,
  invalidTotal: 0,
});

describe('the meters of a station in relay mode', () => {
  test('are those of every public mount on every server, our own first, and of every leg', () => {
    expect(londonsLevels().levels.channels.map(channelName)).toEqual([
      '/stream@london',
      '/stream.aac@london',
      '/stream@dublin',
      '/stream.aac@dublin',
      ...['london', 'dublin'].flatMap((server) =>
        ['primary', 'secondary', 'autodj'].map((source) => `myfm/${source}@${server}`),
      ),
    ]);
  });

  test('have the silence threshold that a reload has brought', () => {
    const { levels, station } = londonsLevels();
    const before = levels.channels;
    expect(levels.channels).toBe(before);
    const { silence, ...policy } = station.policy;
    station.change({ ...policy, silence: { ...silence, thresholdDbfs: -40 } });
    expect(levels.channels.map(({ thresholdDbfs }) => thresholdDbfs)).toEqual(before.map(() => -40));
    expect(levels.channels.map(channelName)).toEqual(before.map(channelName));
  });

  test('show what a listener hears at the other server, and not as what is played here', () => {
    const { levels, dublin, clock, meter } = londonsLevels();
    dublin.heard(square());
    dublin.measured(reading(clock.nowMs(), 100));
    const there = meter('/stream@dublin');
    expect(there?.rmsDbfs[0]).toBeCloseTo(-6.02, 2);
    expect(there).toMatchObject({ shortTermLufs: -18.04, condition: 'audible', gainReductionDb: Number.NaN });
    expect(levels.metersOf(LONDON)).toBeNull();
    levels.played(square());
    dublin.heard(new Float32Array(9600));
    expect(meter('/stream@london')?.rmsDbfs[0]).toBeCloseTo(-6.02, 2);
  });

  test('call it faulty when it has been quiet for the trip delay, and not known when nothing comes', () => {
    const { dublin, clock, meter } = londonsLevels();
    expect(meter('/stream@dublin')?.condition).toBe('unknown');
    for (let passedMs = 0; passedMs < TRIP_MS; passedMs += 100) {
      dublin.measured(reading(clock.nowMs(), passedMs === 0 ? 100 : 0));
      expect(meter('/stream@dublin')?.condition).toBe('audible');
      clock.advance(100);
    }
    dublin.measured(reading(clock.nowMs(), 0));
    expect(meter('/stream@dublin')?.condition).toBe('faulty');
    clock.advance(2_000);
    expect(meter('/stream@dublin')).toMatchObject({ condition: 'unknown', shortTermLufs: Number.NaN });
  });

  test('show nothing of a public mount of ours that is not fed, whatever is played, and call it faulty', () => {
    const { levels, meter } = londonsLevels();
    levels.played(square());
    levels.fed([mount('/stream.aac')]);
    expect(meter('/stream@london')).toMatchObject({
      rmsDbfs: [Number.NaN, Number.NaN],
      shortTermLufs: Number.NaN,
      condition: 'faulty',
    });
    levels.played(square());
    expect(meter('/stream.aac@london')?.rmsDbfs[0]).toBeCloseTo(-6.02, 2);
    levels.fed([mount('/stream'), mount('/stream.aac')]);
    levels.played(square());
    expect(meter('/stream@london')?.rmsDbfs[0]).toBeCloseTo(-6.02, 2);
    // Before anything was played nobody expects a public mount to be fed.
    const before = londonsLevels();
    before.levels.fed([]);
    expect(before.meter('/stream@london')?.condition).toBe('unknown');
  });

  test('in guard mode are those of the legs, which are the public mounts', () => {
    const station = new Station(policyWith(), noMemory, 0, { event: () => {}, command: () => {} });
    const levels = new LiveLevels(station, [], manualClock(0));
    expect(levels.channels.every(({ kind }) => kind === 'leg')).toBe(true);
    expect(levels.metersOf(DUBLIN)).toBeNull();
  });

  test('hand on once what the processing did, and let the oldest of it go while nobody takes it', () => {
    const { levels } = londonsLevels();
    for (let tenth = 1; tenth <= 7; tenth += 1) levels.noteProcessing(processed(tenth));
    expect(levels.processed().map(({ endSeconds }) => endSeconds)).toEqual([0.3, 0.4, 0.5, 0.6, 0.7]);
    expect(levels.processed()).toEqual([]);
    levels.noteProcessing(processed(8));
    expect(levels.processed().map(({ endSeconds }) => endSeconds)).toEqual([0.8]);
  });

  test('show of our own public mount the band that gives way most and the limiter on top', () => {
    const { levels, meter } = londonsLevels();
    expect(meter('/stream@london')?.gainReductionDb).toBeNaN();
    levels.noteProcessing(processed(1));
    expect(meter('/stream@london')?.gainReductionDb).toBe(4.5);
    expect(meter('/stream@dublin')?.gainReductionDb).toBeNaN();
  });
});
