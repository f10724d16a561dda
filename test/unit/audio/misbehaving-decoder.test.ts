import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { fastClock } from '../platform/clocks.ts';
import { isAlive, misbehaving, rssMiB, until } from '../platform/processes.ts';
import { badDecoders, decoderBench, processes, realDecoders, wait } from './decoders.ts';

/** Four seconds pass in each real one, so that waits of seconds take as little as a loaded machine allows. */
const clock = fastClock(4);
const bench = decoderBench();
const { open, feeding } = bench;
const chunk = Buffer.alloc(1_400);

afterEach(async () => {
  await bench.clear();
  expect(processes('node')).toEqual([]);
});

describe('a decoder process that misbehaves', () => {
  it('and cuts frames in two still gives them whole and in order', async () => {
    const heard: number[] = [];
    const watched = open(badDecoders(clock, 'odd-pieces', ['20001']), 'mp3', (pcm) => heard.push(...pcm));
    watched.decoder.write(chunk);
    await until(() => heard.length >= 20_000);
    expect(heard).toEqual(Array.from({ length: 20_000 }, (_, index) => index));
  });

  it('is not started before there are bytes', async () => {
    const watched = open(badDecoders(clock, 'forever'), 'mp3');
    await wait(100);
    expect(processes('node')).toEqual([]);
    expect(watched.decoder).toMatchObject({ state: 'idle', lastPcmAtMs: null });
  });

  it('and hangs after some sound is killed and replaced, and again', async () => {
    const watched = open(badDecoders(clock, 'sound-then', ['5', 'hang']), 'mp3');
    feeding(watched, chunk);
    await until(() => watched.states.length >= 1);
    const [first] = processes('node');
    const lastSoundMs = () => clock.nowMs() - (watched.decoder.lastPcmAtMs ?? 0);
    await until(() => watched.states.length >= 2);
    expect(lastSoundMs()).toBeGreaterThanOrEqual(2_000);
    await until(() => watched.states.length >= 4);
    expect(watched.states.slice(0, 4)).toEqual(['running', 'restarting', 'running', 'restarting']);
    expect(first !== undefined && isAlive(first.pid)).toBe(false);
  });

  it('and crashes is our fault and never that of the bytes', async () => {
    const watched = open(badDecoders(clock, 'sound-then', ['0', 'crash']), 'mp3');
    feeding(watched, chunk);
    await wait(1_500);
    expect(watched.states).toEqual(['restarting']);
  });

  it('and gives up before it has had anything is our fault, and is tried less and less often', async () => {
    const startsMs: number[] = [];
    const counted = badDecoders(clock, 'exits-at-once', [], {
      argumentsFor: () => {
        startsMs.push(clock.nowMs());
        return [misbehaving('exits-at-once')];
      },
    });
    const watched = open(counted, 'mp3');
    feeding(watched, chunk);
    await until(() => startsMs.length >= 4);
    const gapsMs = startsMs.slice(1).map((startMs, index) => startMs - (startsMs[index] ?? 0));
    for (const [index, gapMs] of gapsMs.entries()) expect(gapMs).toBeGreaterThanOrEqual(495 * 2 ** index);
    expect(watched.states).toEqual(['restarting']);
  });

  it('and is broken itself, like every other, puts no blame on a burst of bytes', async () => {
    const watched = open(badDecoders(fastClock(8), 'exits-at-once'), 'mp3');
    feeding(watched, Buffer.alloc(200_000), { perWrite: 100_000, everyMs: 20 });
    await wait(1_200);
    expect(watched.states).toEqual(['restarting']);
  });

  it('that can not even be started says so in the state, and nothing breaks', async () => {
    const watched = open(realDecoders(clock, { ffmpegPath: '/no/ffmpeg' }), 'mp3');
    feeding(watched, chunk);
    await until(() => watched.states.length > 0);
    await wait(300);
    expect(watched.states).toEqual(['restarting']);
  });

  it('twice in a row with enough bytes and no sound proves that the bytes are at fault', async () => {
    const watched = open(badDecoders(clock, 'reads-and-says-nothing'), 'mp3');
    feeding(watched, chunk);
    const beganMs = clock.nowMs();
    await until(() => watched.decoder.state === 'rejecting');
    expect(watched.states).toEqual(['restarting', 'rejecting']);
    expect(clock.nowMs() - beganMs).toBeGreaterThan(6_000);
    expect(watched.decoder.lastPcmAtMs).toBe(null);
  });

  it('and only burns CPU may be starved by others: it is given 10 s, and the bytes no blame', async () => {
    const fast = fastClock(8);
    const circles = { ffmpegPath: misbehaving('runs-in-circles', 'sh'), argumentsFor: () => [] };
    const watched = open(realDecoders(fast, circles), 'mp3');
    feeding(watched, chunk);
    const beganMs = fast.nowMs();
    await until(() => watched.states.length > 0);
    expect(watched.states).toEqual(['restarting']);
    expect(fast.nowMs() - beganMs).toBeGreaterThan(9_000);
  });

  it('and closes its stdout or gives half a frame is replaced too', async () => {
    const watched = open(badDecoders(clock, 'closes-stdout'), 'mp3');
    feeding(watched, chunk);
    await until(() => watched.states.length >= 2);
    expect(watched.states.slice(0, 2)).toEqual(['running', 'restarting']);
  });

  it('is not replaced when the bytes pause: nothing can be decoded from nothing', async () => {
    const watched = open(badDecoders(clock, 'sound-then', ['5', 'hang']), 'mp3');
    const stop = feeding(watched, chunk);
    await until(() => watched.samples >= 5 * 20);
    stop();
    await wait(1_000);
    watched.decoder.write(chunk);
    await wait(100);
    expect(watched.states).toEqual(['running']);
  });

  it('and reads nothing costs a bounded queue, and what is lost is counted', async () => {
    const watched = open(badDecoders(systemClock, 'forever'), 'mp3');
    const before = rssMiB();
    for (let i = 0; i < 200; i += 1) {
      watched.decoder.write(Buffer.alloc(64 * 1024));
      await wait(2);
    }
    expect(watched.decoder.droppedBytes).toBeGreaterThan(11 * 2 ** 20);
    expect(rssMiB() - before).toBeLessThan(40);
  });

  it('tells nothing any more once it is closed, and is gone then', async () => {
    const watched = open(badDecoders(clock, 'sound-then', ['100000', 'hang']), 'mp3');
    feeding(watched, chunk);
    await until(() => watched.samples > 0);
    const { pid } = processes('node')[0] ?? { pid: 0 };
    const closing = watched.decoder.close();
    const { samples } = watched;
    await closing;
    expect(isAlive(pid)).toBe(false);
    await wait(200);
    expect(watched.samples).toBe(samples);
    expect(watched.states).toEqual(['running']);
  });
});
