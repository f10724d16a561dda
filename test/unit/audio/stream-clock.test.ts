import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStreamClock, type StreamClock } from '../../../src/audio/stream-clock.ts';

const RATE_HZ = 48_000;
const frames = (ms: number) => Math.round((ms * RATE_HZ) / 1_000);

/** One arrival: at this time everything up to this much sound (in ms since the stream's first sample) is here. */
interface Arrival {
  readonly atMs: number;
  readonly soundMs: number;
}

/** Jitter in ms for each of many arrivals. */
const jitters = (mostMs: number, count: number) =>
  fc.array(fc.double({ min: 0, max: mostMs, noNaN: true }), { minLength: count, maxLength: count });

/** Sound sent every 90 ms from `fromMs`, each late by its jitter; `offsetMs` is the time of the stream's sample 0. */
function paced(fromMs: number, delays: readonly number[], offsetMs: number, speed = 1): Arrival[] {
  let lastMs = 0;
  return delays.map((delayMs, index) => {
    const sentMs = fromMs + index * 90;
    lastMs = Math.max(lastMs, sentMs + delayMs);
    return { atMs: lastMs, soundMs: (sentMs - offsetMs) * speed };
  });
}

function hear(clock: StreamClock, arrivals: readonly Arrival[]): number[] {
  return arrivals.map(({ atMs, soundMs }) => {
    clock.arrived(frames(soundMs), atMs);
    return clock.timeOf(frames(soundMs));
  });
}

describe('the stream clock', () => {
  it('puts the sound of a burst before the connection, and paced sound at its arrival, within the jitter', () => {
    const cases = fc.record({
      burstMs: fc.integer({ min: 0, max: 20_000 }),
      jitterMs: fc.constantFrom(0, 20, 80, 150),
      seed: jitters(1, 200),
    });
    fc.assert(
      fc.property(cases, ({ burstMs, jitterMs, seed }) => {
        const clock = createStreamClock({ rateHz: RATE_HZ });
        const openMs = 50_000;
        // What the burst brings was on air before `openMs`: sample 0 then.
        const sampleZeroMs = openMs - burstMs;
        clock.arrived(frames(burstMs), openMs);
        expect(clock.timeOf(frames(burstMs / 2))).toBeCloseTo(openMs - burstMs / 2, 0);
        const delays = seed.map((share) => share * jitterMs);
        const arrivals = paced(openMs, delays, sampleZeroMs);
        hear(clock, arrivals).forEach((timeMs, index) => {
          const trueMs = sampleZeroMs + (arrivals[index]?.soundMs ?? 0);
          expect(Math.abs(timeMs - trueMs)).toBeLessThanOrEqual(jitterMs + 1);
        });
      }),
    );
  });

  it('never goes back and is never ahead of the newest arrival, whatever arrives', () => {
    const step = fc.record({
      waitMs: fc.oneof(
        fc.double({ min: 0, max: 200, noNaN: true }),
        fc.double({ min: 0, max: 8_000, noNaN: true }),
      ),
      soundMs: fc.oneof(
        fc.double({ min: 0, max: 200, noNaN: true }),
        fc.double({ min: 0, max: 9_000, noNaN: true }),
      ),
      reset: fc.integer({ min: 0, max: 30 }).map((dice) => dice === 0),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 300 }), (steps) => {
        const clock = createStreamClock({ rateHz: RATE_HZ });
        let [nowMs, soundMs, lastMs] = [0, 0, Number.NEGATIVE_INFINITY];
        for (const next of steps) {
          if (next.reset) clock.reset();
          soundMs = next.reset ? next.soundMs : soundMs + next.soundMs;
          nowMs += next.waitMs;
          clock.arrived(frames(soundMs), nowMs);
          for (const backMs of [next.soundMs / 2, 0]) {
            const timeMs = clock.timeOf(frames(soundMs - backMs));
            expect(timeMs).toBeGreaterThanOrEqual(lastMs);
            expect(timeMs).toBeLessThanOrEqual(nowMs);
            lastMs = timeMs;
          }
        }
      }),
    );
  });

  it('gives the sound that catches up after a pause the times of the pause, once it is settled', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2_000, max: 30_000 }), jitters(50, 60), (pauseMs, delays) => {
        const clock = createStreamClock({ rateHz: RATE_HZ });
        hear(clock, paced(0, delays, 0));
        const backMs = 60 * 90 + pauseMs;
        // The network hands over what it held back in pieces of a second.
        for (let soundMs = 60 * 90; soundMs <= backMs; soundMs += 1_000)
          clock.arrived(frames(soundMs), backMs + soundMs / 1e3);
        clock.arrived(frames(backMs), backMs + 50);
        expect(clock.settled(backMs + 60)).toBe(false);
        expect(clock.settled(backMs + 310)).toBe(true);
        const middleMs = backMs - pauseMs / 2;
        expect(Math.abs(clock.timeOf(frames(middleMs)) - middleMs)).toBeLessThanOrEqual(51);
      }),
    );
  });

  it('goes on at the live edge when the sender itself had stood still', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2_000, max: 30_000 }), jitters(50, 120), (pauseMs, delays) => {
        const clock = createStreamClock({ rateHz: RATE_HZ });
        hear(clock, paced(0, delays.slice(0, 60), 0));
        const later = paced(60 * 90 + pauseMs, delays.slice(60), pauseMs);
        hear(clock, later).forEach((timeMs, index) => {
          expect(Math.abs(timeMs - (later[index]?.atMs ?? 0))).toBeLessThanOrEqual(51);
        });
      }),
    );
  });

  it('follows a sender whose crystal is 200 ppm fast or slow for an hour', () => {
    for (const speed of [1.0002, 0.9998]) {
      const clock = createStreamClock({ rateHz: RATE_HZ });
      const arrivals = paced(0, Array(40_000).fill(0), 0, speed);
      const last = hear(clock, arrivals).at(-1) ?? 0;
      expect(Math.abs(last - 39_999 * 90)).toBeLessThan(5);
    }
  });

  it('is settled a quarter of a second after the last move, and at last after 2 s', () => {
    const clock = createStreamClock({ rateHz: RATE_HZ });
    expect(clock.settled(0)).toBe(false);
    clock.arrived(frames(100), 1_000);
    expect(clock.settled(1_200)).toBe(false);
    expect(clock.settled(1_251)).toBe(true);
    const slow = createStreamClock({ rateHz: RATE_HZ });
    for (let ms = 0; ms <= 3_000; ms += 100) {
      slow.arrived(frames(ms * 2), 1_000 + ms);
      expect(slow.settled(1_000 + ms)).toBe(ms >= 2_000);
    }
  });
});
