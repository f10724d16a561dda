import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decoderHostPath } from '../../../native-bindings/decoder-host.ts';
import { legDecoders, type SharedDecodersOptions } from '../../../src/audio/shared-decoder.ts';
import type { Clock } from '../../../src/platform/clock.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { createLogger } from '../../../src/platform/logger.ts';
import { fastClock, manualClock } from '../platform/clocks.ts';
import { childrenOfOurs, misbehaving, openFds, until } from '../platform/processes.ts';
import { decoderBench, processes, steady, wait } from './decoders.ts';
import { encode, pieces, programme } from './sound.ts';

const clock = fastClock(4);
const bench = decoderBench();
const { open, feeding } = bench;
const HOST = 'sustain-decoder';
const HTML = Buffer.from('<html><body>It works!</body></html>\n'.repeat(8_000));
const chunk = Buffer.alloc(1_400);

afterEach(async () => {
  await bench.clear();
  expect(processes(HOST)).toEqual([]);
  expect(processes('ffmpeg')).toEqual([]);
  expect(processes('node')).toEqual([]);
});

function shared(on: Clock, more: Partial<SharedDecodersOptions> = {}) {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', destination: { write: (line) => lines.push(line) } });
  const command = decoderHostPath();
  if (command === null) throw new Error('sustain-decoder was not built');
  const decoders = legDecoders({
    host: { command },
    ffmpegPath: 'ffmpeg',
    clock: on,
    random: steady,
    logger,
    ...more,
  });
  return { open: decoders.open, lines };
}

/** The start of a process is in such a time, which a busy machine can only make later: the best of three, from the first. */
async function leastMs(boundMs: number, measure: () => Promise<number>): Promise<number> {
  const tookMs: number[] = [];
  while (Math.min(...tookMs) >= boundMs && tookMs.length < 3) {
    await bench.clear();
    tookMs.push(await measure());
  }
  return Math.min(...tookMs);
}

/** Decoders whose process is `fixtures/children/decoder-host.mjs`. */
const badlyShared = (on: Clock, requests: number, then: string) =>
  shared(on, {
    host: { command: process.execPath, args: [misbehaving('decoder-host'), `${requests}`, then] },
  });

describe('one decoder process for all MP3 legs', () => {
  let mp3: Buffer = Buffer.alloc(0);
  const hostPid = () => processes(HOST)[0]?.pid ?? 0;

  beforeAll(() => {
    mp3 = encode('mp3', 10);
  });

  it('decodes all of the sound of every leg at its level, and is one process', async () => {
    const decoders = shared(systemClock);
    const legs = Array.from({ length: 24 }, () => open(decoders, 'mp3'));
    for (const leg of legs) for (const piece of pieces(mp3, 1_400)) leg.decoder.write(piece);
    await until(() => legs.every((leg) => leg.samples / 96_000 > 9.8));
    expect(processes(HOST)).toHaveLength(1);
    expect(processes('ffmpeg')).toEqual([]);
    for (const leg of legs) {
      expect(leg.samples / 96_000).toBeLessThan(10.2);
      expect(10 * Math.log10(leg.energy / leg.samples)).toBeCloseTo(-23, 0);
      expect(leg.states).toEqual(['running']);
    }
  });

  it('gives the first sound of a stream joined in its middle from the bytes of a second', async () => {
    const bytes = encode('mp3', 10, programme()).subarray(30_011);
    expect(
      await leastMs(1_500, async () => {
        const watched = open(shared(systemClock), 'mp3');
        feeding(watched, bytes, { perWrite: 1_400, everyMs: 88 });
        const beganMs = performance.now();
        await until(() => watched.samples > 0);
        return performance.now() - beganMs;
      }),
    ).toBeLessThan(1_500);
  });

  /** All of the sound of a leg that was fed to its end in pieces, with what was done to the process on the way. */
  async function heardOf(bytes: Buffer, halfway: () => void): Promise<Float32Array> {
    const heard: number[] = [];
    const watched = open(shared(systemClock), 'mp3', (pcm) => {
      for (const sample of pcm) heard.push(sample);
    });
    const parts = [...pieces(bytes, 1_400)];
    for (const [index, piece] of parts.entries()) {
      watched.decoder.write(piece);
      await wait(5);
      if (index === Math.floor(parts.length / 2)) halfway();
    }
    await until(() => heard.length / 96_000 > 9.8);
    await wait(100);
    expect(watched.states).toEqual(['running']);
    await bench.clear();
    return Float32Array.from(heard);
  }

  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    'that gets %s is replaced, and no leg misses a sample',
    async (signal) => {
      const whole = await heardOf(mp3, () => {});
      let hit = 0;
      const heard = await heardOf(mp3, () => {
        hit = hostPid();
        process.kill(hit, signal);
      });
      expect(hit).toBeGreaterThan(0);
      expect(heard.length).toBe(whole.length);
      const differing = heard.findIndex((sample, at) => Math.abs(sample - (whole[at] ?? 0)) > 1e-6);
      expect(differing).toBe(-1);
    },
  );

  it('that is killed is heard again on all legs, and none is told', async () => {
    const heardAgainMs = await leastMs(500, async () => {
      const decoders = shared(systemClock);
      const legs = [open(decoders, 'mp3'), open(decoders, 'mp3'), open(decoders, 'mp3')];
      for (const leg of legs) feeding(leg, mp3, { perWrite: 1_400, everyMs: 88 });
      await until(() => legs.every((leg) => leg.samples > 96_000));
      process.kill(hostPid(), 'SIGKILL');
      const killedMs = performance.now();
      const samples = legs.map((leg) => leg.samples);
      await until(() => legs.every((leg, index) => leg.samples > (samples[index] ?? 0) + 9_600));
      const tookMs = performance.now() - killedMs;
      expect(legs.map((leg) => leg.states)).toEqual(legs.map(() => ['running']));
      expect(processes(HOST)).toHaveLength(1);
      return tookMs;
    });
    expect(heardAgainMs).toBeLessThan(500);
  });

  it('that is killed again and again within seconds is told to the legs: the bytes may be at fault', async () => {
    const decoders = shared(systemClock);
    const legs = [open(decoders, 'mp3'), open(decoders, 'mp3')];
    for (const leg of legs) feeding(leg, mp3);
    for (let kills = 0; kills < 3; kills += 1) {
      const samples = legs.map((leg) => leg.samples);
      await until(() => legs.every((leg, index) => leg.samples > (samples[index] ?? 0)));
      expect(legs.map((leg) => leg.states)).toEqual(legs.map(() => ['running']));
      const hit = hostPid();
      process.kill(hit, 'SIGKILL');
      await until(() => hostPid() !== hit);
    }
    await until(() => legs.every((leg) => leg.states.length === 3));
    expect(legs.map((leg) => leg.states)).toEqual(legs.map(() => ['running', 'restarting', 'running']));
  });

  it('is not judged by a time in which we stood still and left its answers unread', async () => {
    const manual = manualClock();
    const decoders = shared(manual);
    const [good, mute] = [open(decoders, 'mp3'), open(decoders, 'mp3')];
    const turn = async () => {
      manual.advance(25);
      await wait(20);
    };
    // Enough work that the process is not taken for one that is being started; more than it can take at once would be lost.
    for (let round = 1; round <= 6; round += 1) {
      for (const piece of pieces(mp3, 4_096)) good.decoder.write(piece);
      for (let turns = 0; turns < 300 && good.samples <= round * 8.4 * 96_000; turns += 1) await turn();
    }
    expect(good.samples).toBeGreaterThan(50 * 96_000);
    const worker = hostPid();
    for (let written = 0; written < 7; written += 1) {
      mute.decoder.write(Buffer.alloc(100));
      await turn();
      manual.advance(475);
    }
    mute.decoder.write(Buffer.alloc(100));
    manual.advance(25);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    manual.standStill(5_000);
    for (let burst = 0; burst < 5; burst += 1) mute.decoder.write(Buffer.alloc(100));
    await turn();
    expect(good.states).toEqual(['running']);
    expect(hostPid()).toBe(worker);
  });

  it('rejects a web page without a hole in the leg beside it, and hears the sound that follows', async () => {
    const decoders = shared(fastClock(8), { backoff: { firstMs: 500, maxMs: 2_000 } });
    const good = open(decoders, 'mp3');
    feeding(good, mp3, { perWrite: 1_400, everyMs: 11 });
    const page = open(decoders, 'mp3');
    const stop = feeding(page, HTML);
    await until(() => page.decoder.state === 'rejecting');
    expect(page.samples).toBe(0);
    expect(page.states).toEqual(['restarting', 'rejecting']);
    stop();
    feeding(page, mp3, { perWrite: 1_400, everyMs: 11 });
    await until(() => page.decoder.state === 'running');
    expect(good.states).toEqual(['running']);
  });

  it('finds no sound in zeros', async () => {
    const watched = open(shared(fastClock(8)), 'mp3');
    feeding(watched, Buffer.alloc(200_000));
    await until(() => watched.decoder.state === 'rejecting');
    expect(watched.samples).toBe(0);
  });

  it('does not decode what is not MP3: that has its ffmpeg', async () => {
    const watched = open(shared(systemClock), 'aac');
    feeding(watched, encode('aac', 5), { perWrite: 1_400, everyMs: 22 });
    await until(() => watched.samples > 0);
    expect(processes('ffmpeg')).toHaveLength(1);
    expect(processes(HOST)).toEqual([]);
  });

  it('is not started before there are bytes, and ends with the last leg', async () => {
    const decoders = shared(systemClock);
    const [first, second] = [open(decoders, 'mp3'), open(decoders, 'mp3')];
    await wait(100);
    expect(processes(HOST)).toEqual([]);
    for (const leg of [first, second]) feeding(leg, mp3);
    await until(() => first.samples > 0 && second.samples > 0);
    await first.decoder.close();
    expect(processes(HOST)).toHaveLength(1);
    await second.decoder.close();
    expect(processes(HOST)).toEqual([]);
  });

  it('leaves nothing behind in 20 restarts', async () => {
    const decoders = shared(fastClock(40), { backoff: { firstMs: 1, maxMs: 1 } });
    const watched = open(decoders, 'mp3');
    feeding(watched, mp3, { perWrite: 1_400, everyMs: 5 });
    let fds = 0;
    for (let restart = 0; restart < 20; restart += 1) {
      const { samples } = watched;
      await until(() => watched.samples > samples && processes(HOST).length === 1);
      // Ten seconds of this clock, after which an end is no failure any more.
      await wait(260);
      if (restart === 2) fds = openFds();
      const killed = hostPid();
      process.kill(killed, 'SIGKILL');
      await until(() => ![0, killed].includes(hostPid()));
    }
    expect(watched.states).toEqual(['running']);
    expect(processes('ffmpeg')).toEqual([]);
    expect(openFds()).toBeLessThanOrEqual(fds + 1);
    expect(childrenOfOurs().filter((child) => child.state === 'Z')).toEqual([]);
  });

  it('reads slowly: what waits is bounded, and what is lost is counted', async () => {
    const watched = open(badlyShared(systemClock, 0, 'hang'), 'mp3');
    for (let i = 0; i < 100; i += 1) {
      watched.decoder.write(Buffer.alloc(64 * 1024));
      await wait(2);
    }
    expect(watched.decoder.droppedBytes).toBeGreaterThan(5 * 2 ** 20);
  });
});

describe('a decoder process that misbehaves', () => {
  it('and runs in circles is given 10 s, then replaced, and the bytes are not blamed', async () => {
    const fast = fastClock(8);
    const watched = open(badlyShared(fast, 5, 'hang'), 'mp3');
    feeding(watched, chunk);
    const beganMs = fast.nowMs();
    await until(() => watched.states.length >= 2);
    expect(watched.states.slice(0, 2)).toEqual(['running', 'restarting']);
    expect(fast.nowMs() - beganMs).toBeGreaterThan(9_000);
  });

  it('and takes no more for a while is no fault of a leg whose bytes have to wait for the others', async () => {
    const manual = manualClock();
    const decoders = badlyShared(manual, 0, 'hang');
    const [flood, beside] = [open(decoders, 'mp3'), open(decoders, 'mp3')];
    for (let written = 0; written < 10; written += 1) {
      flood.decoder.write(Buffer.alloc(64 * 1024));
      manual.advance(25);
      await wait(written === 0 ? 300 : 5);
    }
    for (let written = 0; written < 16; written += 1) {
      beside.decoder.write(chunk);
      manual.advance(450);
      await wait(5);
    }
    expect(beside.states).toEqual([]);
  });

  it('and says what is no answer is replaced', async () => {
    const watched = open(badlyShared(clock, 5, 'babble'), 'mp3');
    feeding(watched, chunk);
    await until(() => watched.states.length >= 2);
    expect(watched.states.slice(0, 2)).toEqual(['running', 'restarting']);
  });

  it('and answers nothing any more is replaced: that is our fault, not one of the bytes', async () => {
    const watched = open(badlyShared(clock, 5, 'say-nothing'), 'mp3');
    feeding(watched, chunk);
    await until(() => watched.states.length >= 2);
    expect(watched.states.slice(0, 2)).toEqual(['running', 'restarting']);
  });

  it('and finds no sound is looked at over a while, and not once for each of the bytes of one burst', async () => {
    const manual = manualClock();
    const watched = open(badlyShared(manual, 0, 'mute'), 'mp3');
    for (let written = 0; written < 6; written += 1) {
      watched.decoder.write(chunk);
      manual.advance(500);
      await wait(written === 0 ? 500 : 50);
    }
    for (let burst = 0; burst < 5; burst += 1) watched.decoder.write(chunk);
    expect(watched.states).toEqual([]);
  });

  it('and finds no sound in what it takes has bytes that are at fault', async () => {
    const watched = open(badlyShared(clock, 0, 'mute'), 'mp3');
    feeding(watched, chunk);
    await until(() => watched.decoder.state === 'rejecting');
    expect(watched.states).toEqual(['restarting', 'rejecting']);
  });

  it.each([
    ['ends again and again', { command: process.execPath, args: [misbehaving('decoder-host'), '0', 'exit'] }],
    ['can not be started', { command: '/no/sustain-decoder' }],
  ] as const)('and %s is given up for an ffmpeg per leg, which is said once', async (_what, host) => {
    const decoders = shared(clock, { host });
    const legs = [open(decoders, 'mp3'), open(decoders, 'mp3')];
    for (const leg of legs) feeding(leg, encode('mp3', 5));
    await until(() => legs.every((leg) => leg.decoder.state === 'running'));
    expect(processes('ffmpeg')).toHaveLength(2);
    expect(decoders.lines.filter((line) => line.includes('each leg has an ffmpeg'))).toHaveLength(1);
  });

  it('because of the bytes of one leg leaves that leg to an ffmpeg, and goes on with the others', async () => {
    const mp3 = encode('mp3', 5);
    const decoders = badlyShared(clock, 6, 'blame');
    const culprit = open(decoders, 'mp3');
    const stop = feeding(culprit, mp3);
    await until(() => culprit.samples > 0 && processes('ffmpeg').length === 1);
    await until(() => culprit.decoder.state === 'running');
    const other = open(decoders, 'mp3');
    other.decoder.write(chunk);
    await until(() => other.samples > 0);
    expect(processes('node')).toHaveLength(1);
    expect(processes('ffmpeg')).toHaveLength(1);
    stop();
  });
});
