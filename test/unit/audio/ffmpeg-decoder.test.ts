import { createServer } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DEMUXERS } from '../../../src/audio/decode-command.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { fastClock } from '../platform/clocks.ts';
import { childrenOfOurs, isAlive, openFds, rssMiB, until } from '../platform/processes.ts';
import { badDecoders, feed, realDecoders, type Watched, watch } from './decoders.ts';
import { type Codec, DEMUXER_OF, encode, pieces } from './sound.ts';

/** Four seconds pass in each real one, so that waits of seconds take as little as a loaded machine allows. */
const clock = fastClock(4);
const chunk = Buffer.alloc(1_400);
const asLive = { perWrite: 1_400, everyMs: 22 };

const opened: Watched[] = [];
const stops: (() => void)[] = [];

function open(...args: Parameters<typeof watch>): Watched {
  const watched = watch(...args);
  opened.push(watched);
  return watched;
}

function feeding(watched: Watched, bytes: Uint8Array = chunk, pace = asLive): () => void {
  const stop = feed(watched.decoder, bytes, pace);
  stops.push(stop);
  return stop;
}

const processes = (name: string) =>
  childrenOfOurs().filter((child) => child.name === name && child.state !== 'Z');
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await Promise.all(opened.splice(0).map((watched) => watched.decoder.close()));
  expect(processes('ffmpeg')).toEqual([]);
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

  it('and hangs after some sound is killed and replaced within some 2 s, and again', async () => {
    const watched = open(badDecoders(clock, 'sound-then', ['5', 'hang']), 'mp3');
    feeding(watched);
    await until(() => watched.states.length >= 1);
    const [first] = processes('node');
    const lastSoundMs = () => clock.nowMs() - (watched.decoder.lastPcmAtMs ?? 0);
    await until(() => watched.states.length >= 2);
    expect(lastSoundMs()).toBeGreaterThanOrEqual(2_000);
    expect(lastSoundMs()).toBeLessThan(3_500);
    await until(() => watched.states.length >= 4);
    expect(watched.states.slice(0, 4)).toEqual(['running', 'restarting', 'running', 'restarting']);
    expect(first !== undefined && isAlive(first.pid)).toBe(false);
  });

  it('and crashes is our fault and never that of the bytes', async () => {
    const watched = open(badDecoders(clock, 'sound-then', ['0', 'crash']), 'mp3');
    feeding(watched);
    await wait(2_500);
    expect(watched.states).toEqual(['restarting']);
  });

  it('and gives up before it has had anything is our fault, and is tried less and less often', async () => {
    let starts = 0;
    const counted = badDecoders(clock, 'exits-at-once', [], {
      argumentsFor: () => {
        starts += 1;
        return ['-e', 'process.exit(3)'];
      },
    });
    const watched = open(counted, 'mp3');
    feeding(watched);
    await wait(3_000);
    expect(watched.states).toEqual(['restarting']);
    // 0.5 s, 1 s, 2 s, 4 s, 8 s: the fifth pause is not over after 12 s.
    expect(starts).toBeGreaterThanOrEqual(3);
    expect(starts).toBeLessThanOrEqual(5);
  });

  it('that can not even be started says so in the state, and nothing breaks', async () => {
    const watched = open(realDecoders(clock, { ffmpegPath: '/no/ffmpeg' }), 'mp3');
    feeding(watched);
    await until(() => watched.states.length > 0);
    await wait(300);
    expect(watched.states).toEqual(['restarting']);
  });

  it('twice in a row with enough bytes and no sound proves that the bytes are at fault', async () => {
    const watched = open(badDecoders(clock, 'reads-and-says-nothing'), 'mp3');
    feeding(watched);
    const beganMs = clock.nowMs();
    await until(() => watched.decoder.state === 'rejecting');
    expect(watched.states).toEqual(['restarting', 'rejecting']);
    expect(clock.nowMs() - beganMs).toBeGreaterThan(6_000);
    expect(clock.nowMs() - beganMs).toBeLessThan(10_000);
    expect(watched.decoder.lastPcmAtMs).toBe(null);
  });

  it('and closes its stdout or gives half a frame is replaced too', async () => {
    const watched = open(badDecoders(clock, 'closes-stdout'), 'mp3');
    feeding(watched);
    await until(() => watched.states.length >= 2);
    expect(watched.states.slice(0, 2)).toEqual(['running', 'restarting']);
  });

  it('is not replaced when the bytes pause: nothing can be decoded from nothing', async () => {
    const watched = open(badDecoders(clock, 'sound-then', ['5', 'hang']), 'mp3');
    const stop = feeding(watched);
    await until(() => watched.samples >= 5 * 20);
    stop();
    await wait(1_500);
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
    feeding(watched);
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
      // Once through, never again from its headers: 10 s of sound in 2.5 s.
      const stop = feed(watched.decoder, sound(codec), {
        perWrite: Math.ceil(sound(codec).length / 120),
        everyMs: 21,
      });
      stops.push(stop);
      await until(() => watched.samples > 96_000);
      process.kill(ffmpegPid(), 'SIGKILL');
      await until(() => watched.states.length === 2);
      watched.energy = 0;
      await until(() => watched.energy > 0, 3_000);
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
    while (stopped.size < 4) {
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
    await until(() => watched.states.length >= 3, 15_000);
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
      const watched = open(realDecoders(clock), demuxer);
      feeding(watched, bytes);
      await until(() => watched.decoder.state === 'rejecting', 15_000);
      expect(watched.samples).toBe(0);
    },
  );

  it('that rejected what came hears the sound that follows', async () => {
    const watched = open(realDecoders(clock, { backoff: { firstMs: 500, maxMs: 2_000 } }), 'mp3');
    const stop = feeding(watched, Buffer.from('<html>'.repeat(30_000)));
    await until(() => watched.decoder.state === 'rejecting', 15_000);
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
    await until(() => legs.every((leg) => leg.samples > 0), 15_000);
    expect(legs.map((leg) => leg.states)).toEqual(legs.map(() => ['running']));
  });
});

describe('a hostile stream', () => {
  let visits = 0;
  const canary = createServer((socket) => {
    visits += 1;
    socket.destroy();
  });
  let url = '';

  beforeAll(async () => {
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
    const address = canary.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/x.ts`;
    return () => canary.close();
  });

  const playlists = () => [
    `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:5,\n${url}\n#EXTINF:5,\n${url}\n#EXT-X-ENDLIST\n`,
    `ffconcat version 1.0\nfile '${url}'\nfile 'file:///etc/passwd'\n`,
    `<?xml version="1.0"?><MPD><Period><AdaptationSet><BaseURL>${url}</BaseURL></AdaptationSet></Period></MPD>`,
    `[playlist]\nFile1=${url}\nNumberOfEntries=1\n`,
  ];

  it('would be followed by an ffmpeg without our arguments', async () => {
    const args = [
      '-v',
      'quiet',
      '-protocol_whitelist',
      'pipe,http,tcp,crypto',
      '-i',
      'pipe:0',
      '-f',
      'null',
      '-',
    ];
    const child = (await import('node:child_process')).spawn('ffmpeg', args, {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin.end(playlists()[0]);
    await new Promise((resolve) => child.on('exit', resolve));
    expect(visits).toBeGreaterThan(0);
  });

  it('that is a playlist makes us go nowhere', async () => {
    visits = 0;
    const legs = DEMUXERS.flatMap((demuxer) =>
      playlists().map((text) => {
        const watched = open(realDecoders(clock), demuxer);
        for (const piece of pieces(Buffer.from(text.repeat(300)), 5_000)) watched.decoder.write(piece);
        return watched;
      }),
    );
    await wait(2_000);
    expect(visits).toBe(0);
    expect(legs.every((leg) => leg.samples === 0)).toBe(true);
  });
});

describe('first sound', () => {
  it('of MP3 and AAC without a burst is there within 0.5 s, with Icecast’s burst within 0.3 s', async () => {
    for (const [codec, burst, withinMs] of [
      ['mp3', 0, 500],
      ['aac', 0, 500],
      ['mp3', 65_536, 300],
      ['aac', 65_536, 300],
    ] as const) {
      const bytes = encode(codec, 10).subarray(30_011);
      const watched = open(realDecoders(systemClock), DEMUXER_OF[codec]);
      const beganMs = performance.now();
      watched.decoder.write(bytes.subarray(0, burst + 1));
      feeding(watched, bytes.subarray(burst + 1), { perWrite: 1_400, everyMs: 88 });
      await until(() => watched.samples > 0);
      expect(performance.now() - beganMs).toBeLessThan(withinMs);
      await watched.decoder.close();
    }
  });
});
