import { afterEach, describe, expect, test, vi } from 'vitest';
import { startHeartbeat } from '../../../src/alerts/heartbeat.ts';
import { noMemory } from '../../../src/decide/state.ts';
import { Station } from '../../../src/station.ts';
import { DecisionLoop } from '../../../src/wiring/decision-loop.ts';
import { POLICY } from '../decide/builders.ts';
import { type ManualClock, manualClock } from '../platform/clocks.ts';
import { until } from '../platform/processes.ts';
import { keptLog } from '../wiring/support.ts';
import { startReceiver } from './support.ts';

const EVERY_MS = 60_000;
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function heart(clock: ManualClock, isWell: () => boolean) {
  const receiver = await startReceiver();
  const { log, lines } = keptLog();
  const stop = startHeartbeat({ url: `${receiver.url}/beat`, everyMs: EVERY_MS, isWell, clock, log });
  stops.push(stop);
  return { receiver, lines, stop, beats: () => receiver.received.length };
}

/** Long enough for an answer to come back, and for a request that should not have been made. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 100));

describe('the heart of an agent', () => {
  test('beats at once and then each minute, until the agent stops', async () => {
    const clock = manualClock();
    const { beats, stop } = await heart(clock, () => true);
    for (let minute = 0; minute < 3; minute += 1) {
      await until(() => beats() === minute + 1);
      await settled();
      clock.advance(EVERY_MS);
    }
    await until(() => beats() === 4);
    await settled();
    stop();
    clock.advance(10 * EVERY_MS);
    await settled();
    expect(beats()).toBe(4);
  });

  test('stands still while no decision comes out of the loop, though its timers go on, and beats again', async () => {
    const clock = manualClock();
    const { log } = keptLog();
    const station = new Station(POLICY, noMemory, 0, { event: () => {}, command: () => {} });
    const loop = new DecisionLoop({ stations: () => [station], clock, log });
    const tick = () => {
      loop.push(null, { kind: 'tick', atMs: clock.nowMs() });
      loop.drain();
    };
    stops.push(clock.every(100, tick));
    const { beats } = await heart(clock, () => loop.decidedAgoMs < 10_000);
    await until(() => beats() === 1);
    await settled();
    clock.advance(EVERY_MS);
    await until(() => beats() === 2);
    await settled();
    const broken = vi.spyOn(station, 'take').mockImplementation(() => {
      throw new Error('a bug');
    });
    clock.advance(3 * EVERY_MS);
    await settled();
    expect(beats()).toBe(2);
    broken.mockRestore();
    clock.advance(EVERY_MS);
    await until(() => beats() === 3);
  });

  test('that nobody takes is said once, without its address, and once more when it is taken again', async () => {
    const clock = manualClock();
    const { receiver, lines, beats } = await heart(clock, () => true);
    await until(() => beats() === 1);
    await settled();
    receiver.answer = { status: 503 };
    for (let minute = 1; minute < 4; minute += 1) {
      clock.advance(EVERY_MS);
      await until(() => beats() === minute + 1);
      await settled();
    }
    receiver.answer = { status: 200 };
    clock.advance(EVERY_MS);
    await until(() => beats() === 5);
    await settled();
    expect(lines.map(({ msg }) => msg)).toEqual([
      'the heartbeat is not taken',
      'the heartbeat is taken again',
    ]);
    expect(JSON.stringify(lines)).not.toContain('beat"');
    expect(JSON.stringify(lines)).not.toContain('127.0.0.1');
  });
});
