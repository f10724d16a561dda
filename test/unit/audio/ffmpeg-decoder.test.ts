import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { fastClock } from '../platform/clocks.ts';
import { childrenOfOurs, openFds, until } from '../platform/processes.ts';
import { decoderBench, processes, realDecoders, wait } from './decoders.ts';
import { type Codec, DEMUXER_OF, encode, pieces, programme } from './sound.ts';

/** Four seconds pass in each real one, so that waits of seconds take as little as a loaded machine allows. */
const clock = fastClock(4);
const bench = decoderBench();
const { open, feeding } = bench;

afterEach(async () => {
  await bench.clear();
  expect(processes('ffmpeg')).toEqual([]);
});

describe('ffmpeg', () => {
  const made = new Map<Codec, Buffer>();
  const sound = (codec: Codec) => made.get(codec) ?? Buffer.alloc(0);
  const codecs = ['mp3', 'aac', 'vorbis', 'opus', 'flac', 'webm'] as const;
  const ffmpegPid = () => processes('ffmpeg')[0]?.pid ?? 0;

  beforeAll(() => {
    for (const codec of codecs) made.set(codec, encode(codec, 10));
  });

  it.each(codecs)('decodes %s to all of its sound at its level', async (codec) => {
    const watched = open(realDecoders(systemClock), DEMUXER_OF[codec]);
    for (const piece of pieces(sound(codec), 1_400)) watched.decoder.write(piece);
    // What a codec keeps back for its next frame, and Ogg for its next page, comes only with more bytes.
    await until(() => watched.samples / 96_000 > 8.9);
    await wait(100);
    expect(watched.samples / 96_000).toBeLessThan(10.2);
    expect(10 * Math.log10(watched.energy / watched.samples)).toBeCloseTo(-23, 0);
    expect(watched.states).toEqual(['running']);
  });

  it('keeps nothing back of what MP3 has brought, to fill a block with what comes next', async () => {
    const watched = open(realDecoders(systemClock), 'mp3');
    // ffmpeg reads MP3 by so much.
    const all = [...pieces(sound('mp3'), 1_024)];
    for (const piece of all.slice(0, 10)) watched.decoder.write(piece);
    await until(() => watched.samples > 0);
    const totals: number[] = [];
    for (const piece of all.slice(10, 30)) {
      await wait(30);
      totals.push(watched.samples);
      watched.decoder.write(piece);
    }
    expect(totals.every((samples) => samples % 4_800 === 0)).toBe(false);
  });

  it.each(['mp3', 'aac'] as const)('decodes %s that is joined in the middle of a frame', async (codec) => {
    const watched = open(realDecoders(systemClock), DEMUXER_OF[codec]);
    for (const piece of pieces(sound(codec).subarray(20_011), 1_400)) watched.decoder.write(piece);
    await until(() => watched.samples / 96_000 > 8);
    expect(watched.states).toEqual(['running']);
  });

  it.each(['mp3', 'aac', 'vorbis', 'opus', 'webm'] as const)(
    'killed by the system is replaced and goes on in %s',
    async (codec) => {
      const watched = open(realDecoders(clock), DEMUXER_OF[codec]);
      // Long enough that its headers don't come round again.
      const stop = feeding(watched, encode(codec, 30));
      await until(() => watched.samples > 96_000);
      process.kill(ffmpegPid(), 'SIGKILL');
      await until(() => watched.states.length === 2);
      watched.energy = 0;
      await until(() => watched.energy > 0);
      stop();
      expect(watched.states).toEqual(['running', 'restarting', 'running']);
    },
  );

  it('stopped by a signal is replaced, and is never taken for a fault of the bytes', async () => {
    const watched = open(realDecoders(clock, { backoff: { firstMs: 100, maxMs: 100 } }), 'mp3');
    feeding(watched, sound('mp3'));
    await until(() => watched.samples > 0);
    process.kill(ffmpegPid(), 'SIGSTOP');
    await until(() => watched.states.length === 2);
    const stopped = new Set<number>();
    while (stopped.size < 2) {
      const pid = ffmpegPid();
      if (pid > 0 && !stopped.has(pid)) {
        process.kill(pid, 'SIGSTOP');
        stopped.add(pid);
      }
      await wait(1);
    }
    const { samples } = watched;
    await until(() => watched.samples > samples);
    expect(watched.states).not.toContain('rejecting');
    expect(watched.states.at(-1)).toBe('running');
  });

  it('that goes silent at a change from Vorbis to Opus is replaced and hears the Opus', async () => {
    const watched = open(realDecoders(clock), 'ogg');
    const opus = encode('opus', 40);
    const chain = Buffer.concat([sound('vorbis').subarray(0, 60_000), opus]);
    feeding(watched, chain, { perWrite: 1_400, everyMs: 22 });
    await until(() => watched.states.length >= 3);
    expect(watched.states).toEqual(['running', 'restarting', 'running']);
  });

  it('goes through a chain of Vorbis links, as a station with titles sends them, without a break', async () => {
    const watched = open(realDecoders(systemClock), 'ogg');
    for (let link = 0; link < 4; link += 1) {
      for (const piece of pieces(sound('vorbis'), 4_000)) watched.decoder.write(piece);
    }
    await until(() => watched.samples / 96_000 > 38);
    expect(watched.states).toEqual(['running']);
  });

  it.each([
    ['a web page', 'mp3', Buffer.from('<html><body>It works!</body></html>\n'.repeat(8_000))],
    ['a web page', 'aac', Buffer.from('<html><body>It works!</body></html>\n'.repeat(8_000))],
    ['a web page', 'ogg', Buffer.from('<html><body>It works!</body></html>\n'.repeat(8_000))],
    ['zeros', 'mp3', Buffer.alloc(200_000)],
  ] as const)(
    'finds no sound in %s called %s, and says that it is rejected',
    async (_what, demuxer, bytes) => {
      const watched = open(realDecoders(fastClock(8)), demuxer);
      feeding(watched, bytes);
      await until(() => watched.decoder.state === 'rejecting');
      expect(watched.samples).toBe(0);
    },
  );

  it('that rejected what came hears the sound that follows', async () => {
    const watched = open(realDecoders(clock, { backoff: { firstMs: 500, maxMs: 2_000 } }), 'mp3');
    const stop = feeding(watched, Buffer.from('<html>'.repeat(30_000)));
    await until(() => watched.decoder.state === 'rejecting');
    stop();
    feeding(watched, sound('mp3'));
    await until(() => watched.decoder.state === 'running');
  });

  it('leaves nothing behind in 20 restarts', async () => {
    const watched = open(realDecoders(clock, { backoff: { firstMs: 1, maxMs: 1 } }), 'mp3');
    feeding(watched, sound('mp3'), { perWrite: 8_000, everyMs: 5 });
    let fds = 0;
    for (let restart = 0; restart < 20; restart += 1) {
      const { samples } = watched;
      await until(() => watched.samples > samples && processes('ffmpeg').length === 1);
      if (restart === 2) fds = openFds();
      process.kill(ffmpegPid(), 'SIGKILL');
      await until(() => watched.decoder.state === 'restarting');
    }
    await until(() => watched.decoder.state === 'running');
    expect(openFds()).toBeLessThanOrEqual(fds + 1);
    expect(childrenOfOurs().filter((child) => child.state === 'Z')).toEqual([]);
  });

  it('starts for 24 legs at once without one being taken for hung', async () => {
    const decoders = realDecoders(systemClock);
    const legs = Array.from({ length: 24 }, () => open(decoders, 'mp3'));
    for (const leg of legs) feeding(leg, sound('mp3'), { perWrite: 1_400, everyMs: 88 });
    await until(() => legs.every((leg) => leg.samples > 0));
    expect(legs.map((leg) => leg.states)).toEqual(legs.map(() => ['running']));
  });
});

describe('first sound', () => {
  it.each([
    ['mp3', 0],
    ['aac', 0],
    ['mp3', 65_536],
    ['aac', 65_536],
  ] as const)(
    'of %s joined in its middle with a burst of %i bytes comes from the bytes of a few seconds',
    async (codec, burst) => {
      const bytes = encode(codec, 10, programme()).subarray(30_011);
      const watched = open(realDecoders(systemClock), DEMUXER_OF[codec]);
      watched.decoder.write(bytes.subarray(0, burst + 1));
      feeding(watched, bytes.subarray(burst + 1), { perWrite: 1_400, everyMs: 88 });
      await until(() => watched.samples > 0);
      expect(watched.samples).toBeGreaterThan(0);
    },
  );
});
