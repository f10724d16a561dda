import { describe, expect, it } from 'vitest';
import type { DecoderFactory, DecoderOptions } from '../../../src/audio/decoder.ts';
import { type LegEar, openLegEar } from '../../../src/audio/leg-ear.ts';
import { monitorId } from '../../../src/domain/ids.ts';
import type { DecoderState, LevelReading, Pulse } from '../../../src/domain/readings.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { type ManualClock, manualClock } from '../platform/clocks.ts';
import { until } from '../platform/processes.ts';
import { realDecoders } from './decoders.ts';
import { encode, tone } from './sound.ts';

/** A decoder that the test speaks for. */
function puppet(clock: ManualClock) {
  let leg: DecoderOptions | null = null;
  let state: DecoderState = 'idle';
  let lastPcmAtMs: number | null = null;
  const written: Uint8Array[] = [];
  const decoders: DecoderFactory = {
    open(options) {
      leg = options;
      return {
        write: (bytes) => written.push(bytes),
        get state() {
          return state;
        },
        get lastPcmAtMs() {
          return lastPcmAtMs;
        },
        droppedBytes: 0,
        close: () => Promise.resolve(),
      };
    },
  };
  const become = (next: DecoderState) => {
    state = next;
    leg?.onState(next);
  };
  return {
    decoders,
    written,
    become,
    /** This much of a loud square wave comes out of the decoder now. */
    sound(ms: number) {
      if (state !== 'running') become('running');
      lastPcmAtMs = clock.nowMs();
      leg?.onPcm(Float32Array.from({ length: ms * 96 }, (_, at) => (at % 96 < 48 ? 0.5 : -0.5)));
    },
  };
}

function ear(openedAtMs = 100_000) {
  const clock = manualClock(openedAtMs);
  const decoder = puppet(clock);
  const readings: LevelReading[] = [];
  const pulses: Pulse[] = [];
  const leg: LegEar = openLegEar({
    monitor: monitorId('m1'),
    demuxer: 'mp3',
    openedAtMs,
    thresholdDbfs: -50,
    preset: 'music',
    decoders: decoder.decoders,
    clock,
    onReading: (reading) => readings.push(reading),
    onPulse: (pulse) => pulses.push(pulse),
  });
  return { clock, decoder, readings, pulses, leg };
}

describe('the ear of one connection', () => {
  it('gives a sign of life every 200 ms although nothing arrives', () => {
    const { clock, pulses } = ear();
    clock.advance(1_000);
    expect(pulses).toHaveLength(5);
    expect(pulses.at(-1)).toEqual({
      monitor: 'm1',
      atMs: 101_000,
      openedAtMs: 100_000,
      lastByteAtMs: 100_000,
      lastPcmAtMs: null,
      decoder: 'idle',
    });
  });

  it('says when the last byte and the last sound came, and what the decoder does', () => {
    const { clock, decoder, pulses, leg } = ear();
    clock.advance(50);
    leg.write(Buffer.from('abc'), 100_050);
    clock.advance(100);
    decoder.sound(20);
    clock.advance(50);
    expect(decoder.written).toEqual([Buffer.from('abc')]);
    expect(pulses).toMatchObject([{ lastByteAtMs: 100_050, lastPcmAtMs: 100_150, decoder: 'running' }]);
  });

  it('gives the sound of a burst the times before the connection', () => {
    const { clock, decoder, readings } = ear();
    clock.advance(70);
    for (let i = 0; i < 40; i += 1) decoder.sound(100);
    expect(readings).toEqual([]);
    clock.advance(400);
    expect(readings).toHaveLength(40);
    expect(readings[0]?.atMs).toBeCloseTo(100_070 - 3_900, 0);
    expect(readings.at(-1)?.atMs).toBeCloseTo(100_070, 0);
  });

  it('tells when sound was here from when it was live, also of what waited for the end of a burst', () => {
    const { clock, decoder, readings } = ear();
    clock.advance(70);
    decoder.sound(2_000);
    clock.advance(400);
    expect(new Set(readings.map(({ arrivedAtMs }) => arrivedAtMs))).toEqual(new Set([100_070]));
    decoder.sound(400);
    clock.advance(800);
    decoder.sound(200);
    const late = readings.at(-1);
    expect(late?.arrivedAtMs).toBe(101_270);
    expect(late?.atMs).toBeCloseTo(100_670, 0);
  });

  it('gives paced sound the times of its arrival, and at once after the start', () => {
    const { clock, decoder, readings } = ear();
    for (let i = 0; i < 50; i += 1) {
      clock.advance(100);
      decoder.sound(100);
      if (i > 5) expect(readings.at(-1)?.atMs).toBeCloseTo(clock.nowMs(), 3);
    }
    expect(readings).toHaveLength(50);
    expect(readings[10]).toMatchObject({ monitor: 'm1', durationMs: 100, audibleMs: 100 });
    expect(readings[10]).not.toHaveProperty('endFrame');
  });

  it('measures and times afresh after the decoder was replaced, and never goes back in time', () => {
    const { clock, decoder, readings } = ear();
    for (let i = 0; i < 20; i += 1) {
      clock.advance(100);
      decoder.sound(100);
    }
    decoder.sound(60);
    decoder.become('restarting');
    clock.advance(700);
    for (let i = 0; i < 10; i += 1) {
      clock.advance(100);
      decoder.sound(100);
    }
    expect(readings).toHaveLength(30);
    expect(readings.at(-1)?.atMs).toBeCloseTo(clock.nowMs(), 0);
    const times = readings.map((reading) => reading.atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('tells what it had measured when the decoder dies just after the burst', () => {
    const { decoder, readings } = ear();
    decoder.sound(4_000);
    expect(readings).toEqual([]);
    decoder.become('restarting');
    expect(readings).toHaveLength(40);
  });

  it('measures by another threshold from one block to the next, on the same connection and time line', () => {
    const { clock, decoder, readings, leg } = ear();
    for (let i = 0; i < 60; i += 1) {
      clock.advance(100);
      decoder.sound(100);
      // The square wave lies at -6 dBFS, which is quiet for a threshold that no config allows.
      if (i === 29) leg.measureBy({ thresholdDbfs: -1, preset: 'talk' });
    }
    expect(readings).toHaveLength(60);
    expect(readings[20]).toMatchObject({ audibleMs: 100 });
    expect(readings.at(-1)).toMatchObject({ audibleMs: 0 });
    const times = readings.map(({ atMs }) => atMs);
    for (const [index, atMs] of times.entries())
      if (index > 10) expect(atMs - (times[index - 1] ?? 0)).toBeCloseTo(100, 0);
    decoder.become('restarting');
    clock.advance(100);
    decoder.sound(100);
    clock.advance(1_500);
    expect(readings.at(-1)?.atMs).toBeLessThanOrEqual(clock.nowMs());
  });

  it('is silent once it is closed', async () => {
    const { clock, decoder, readings, pulses, leg } = ear();
    decoder.sound(1_000);
    await leg.close();
    decoder.sound(1_000);
    leg.write(Buffer.from('x'), clock.nowMs());
    clock.advance(5_000);
    expect([readings, pulses, decoder.written]).toEqual([[], [], []]);
  });

  it('hears a real MP3 with Icecast’s burst: its levels, and their times to within a few frames', async () => {
    const bytes = encode('mp3', 8, tone(-20));
    const openedAtMs = systemClock.nowMs();
    const readings: LevelReading[] = [];
    const leg = openLegEar({
      monitor: monitorId('m1'),
      demuxer: 'mp3',
      openedAtMs,
      thresholdDbfs: -50,
      preset: 'music',
      decoders: realDecoders(systemClock),
      clock: systemClock,
      onReading: (reading) => readings.push(reading),
      onPulse: () => {},
    });
    leg.write(bytes.subarray(0, 64_000), openedAtMs);
    let at = 64_000;
    const timer = setInterval(() => {
      const end = 64_000 + (systemClock.nowMs() - openedAtMs) * 16;
      for (; at + 1_400 <= end; at += 1_400) leg.write(bytes.subarray(at, at + 1_400), systemClock.nowMs());
    }, 20);
    await until(() => readings.length >= 55);
    clearInterval(timer);
    await leg.close();
    // The first frames of a decoder fade in, and the newest are a block of Icecast behind.
    const [first, second] = readings;
    expect((first?.atMs ?? 0) - openedAtMs).toBeGreaterThan(-4_000);
    expect((first?.atMs ?? 0) - openedAtMs).toBeLessThan(-3_300);
    // LAME takes 0.45 dB off by default.
    expect(second?.rmsDbfs[0]).toBeCloseTo(-23.46, 1);
    expect(readings.slice(1).every((reading) => reading.audibleMs === 100)).toBe(true);
  });
});
