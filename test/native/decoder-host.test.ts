import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { decoderHostPath } from '../../native-bindings/decoder-host.ts';
import { decodeArguments } from '../../src/audio/decode-command.ts';
import { RawHost } from './support/decoder-host.ts';

const hosts: RawHost[] = [];
afterEach(() => {
  for (const host of hosts.splice(0)) host.kill();
});

function start(...how: ConstructorParameters<typeof RawHost>): RawHost {
  const host = new RawHost(...how);
  hosts.push(host);
  return host;
}

/** Tones of several heights in a little noise, different on both sides. */
function mp3(rateHz: number, channels: number, seconds = 6): Buffer {
  const side = (hz: number, seed: number) =>
    `0.2*sin(${hz}*2*PI*t)+0.2*sin(3150*2*PI*t)+0.05*random(${seed})`;
  const source = `aevalsrc=${side(440, 0)}${channels === 2 ? `|${side(610, 1)}` : ''}:s=${rateHz}`;
  const how = [
    '-c:a',
    'libmp3lame',
    '-b:a',
    rateHz < 32_000 ? '64k' : '128k',
    '-write_xing',
    '0',
    '-f',
    'mp3',
  ];
  return execFileSync(
    'ffmpeg',
    ['-v', 'error', '-f', 'lavfi', '-i', source, '-t', `${seconds}`, ...how, 'pipe:1'],
    {
      maxBuffer: 2 ** 28,
    },
  );
}

function byFfmpeg(bytes: Buffer): Float32Array {
  const out = execFileSync('ffmpeg', [...decodeArguments('mp3')], { input: bytes, maxBuffer: 2 ** 28 });
  return new Float32Array(Uint8Array.from(out).buffer);
}

async function byHost(bytes: Buffer): Promise<Float32Array> {
  const host = start();
  host.send('open', 1);
  host.send('bytes', 1, bytes);
  expect(await host.end()).toEqual({ code: 0, signal: null, stderr: '' });
  return host.pcm(1);
}

/** Over a second from `fromFrame` of `a`, and as much of `b` that lies `shift` frames later: RMS of both and of the difference. */
function compare(
  a: Float32Array,
  b: Float32Array,
  fromFrame: number,
  shift: number,
  frames: number,
  side: number,
) {
  const sums = [0, 0, 0] as [number, number, number];
  for (let frame = fromFrame; frame < fromFrame + frames; frame += 1) {
    const x = a[2 * frame + side] ?? 0;
    const y = b[2 * (frame + shift) + side] ?? 0;
    sums[0] += x * x;
    sums[1] += y * y;
    sums[2] += (x - y) ** 2;
  }
  const db = (sum: number) => 10 * Math.log10(sum / frames);
  return { a: db(sums[0]), b: db(sums[1]), difference: db(sums[2]) };
}

const FROM = 48_000;

/** Where the sound of `a` lies in `b`, within 60 ms either way. */
function shiftBetween(a: Float32Array, b: Float32Array): number {
  let best = { shift: 0, difference: Number.POSITIVE_INFINITY };
  for (let shift = -2_880; shift <= 2_880; shift += 1) {
    const { difference } = compare(a, b, FROM, shift, 2_400, 0);
    if (difference < best.difference) best = { shift, difference };
  }
  return best.shift;
}

describe('what the decoder process makes of MP3', () => {
  test.each([
    [44_100, 2, 0],
    [44_100, 1, 0],
    [48_000, 2, 0],
    [48_000, 1, 0],
    [22_050, 2, 0],
    [22_050, 1, 0],
    [44_100, 2, 20_011],
    [22_050, 1, 20_011],
  ])(
    'at %i Hz in %i channels, joined at byte %i, is what ffmpeg makes of it',
    async (rateHz, channels, joined) => {
      const bytes = mp3(rateHz, channels).subarray(joined);
      const [ours, theirs] = [await byHost(bytes), byFfmpeg(bytes)];
      const shift = shiftBetween(ours, theirs);
      const figures = [0, 1].map((side) => compare(ours, theirs, FROM, shift, 96_000, side));
      console.log(
        JSON.stringify({
          rateHz,
          channels,
          joined,
          shift,
          frames: [ours.length / 2, theirs.length / 2],
          figures,
        }),
      );
      for (const { a, b, difference } of figures) {
        expect(Math.abs(a - b)).toBeLessThan(0.05);
        // Two resamplers differ by fractions of a sample and at the edge of what can be heard, never in level.
        expect(difference - a).toBeLessThan(-45);
      }
      expect(Math.abs(shift)).toBeLessThan(2_400);
    },
  );

  test('comes as soon as its frame is complete', async () => {
    const bytes = mp3(44_100, 2, 2);
    const host = start();
    host.send('open', 1);
    for (let at = 0; at < 20_000; at += 418) {
      const { answers } = host;
      host.send('bytes', 1, bytes.subarray(at, at + 418));
      while (host.answers === answers) await new Promise((resolve) => setImmediate(resolve));
    }
    // 20,000 bytes at 128 kbit/s are 1.25 s; a frame of 26 ms may be incomplete, and one more is kept for its check.
    expect(host.frames.get(1)).toBeGreaterThan(48_000 * (1.25 - 0.06));
  });
});

describe('a process that takes over from one that ended', () => {
  const PIECE = 1_000;
  const PAST = 8_192;

  /** All of the bytes in pieces, each with its answer before the next: the sound that had come by the end of each. */
  async function inPieces(host: RawHost, bytes: Buffer): Promise<readonly number[]> {
    const framesBy: number[] = [];
    for (let at = 0; at < bytes.length; at += PIECE) {
      const { answers } = host;
      host.send('bytes', 1, bytes.subarray(at, at + PIECE));
      while (host.answers === answers) await new Promise((resolve) => setImmediate(resolve));
      framesBy.push(host.frames.get(1) ?? 0);
    }
    return framesBy;
  }

  test.each([
    [44_100, 2, 17],
    [44_100, 2, 40],
    [44_100, 1, 33],
    [48_000, 2, 25],
    [22_050, 1, 21],
    [32_000, 2, 18],
  ])('at %i Hz in %i channels goes on to the sample, after %i pieces', async (rateHz, channels, piece) => {
    const bytes = mp3(rateHz, channels);
    const whole = start();
    whole.send('open', 1);
    const framesBy = await inPieces(whole, bytes);
    const heard = framesBy[piece - 1] ?? 0;
    expect(heard).toBeGreaterThan(0);
    const next = start();
    next.send('open', 1);
    const end = piece * PIECE;
    for (let at = Math.max(0, end - PAST); at < end; at += PIECE)
      next.send('past', 1, bytes.subarray(at, Math.min(end, at + PIECE)));
    next.send('go-on', 1, new Uint8Array(Uint32Array.of(heard).buffer));
    next.send('bytes', 1, bytes.subarray(end));
    expect(await next.end()).toEqual({ code: 0, signal: null, stderr: '' });
    const expected = whole.pcm(1).subarray(2 * heard);
    const got = next.pcm(1);
    expect(got.length).toBe(expected.length);
    let greatest = 0;
    for (const [index, sample] of got.entries())
      greatest = Math.max(greatest, Math.abs(sample - (expected[index] ?? 0)));
    expect(greatest).toBeLessThan(1e-6);
  });
});

/** A generator of the same numbers each time. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The bytes with some of them replaced, left out or put in. */
function spoiled(bytes: Buffer, rate: number, random: () => number): Buffer {
  const out: number[] = [];
  for (const byte of bytes) {
    const lot = random() < rate ? Math.floor(random() * 3) : null;
    if (lot === null) out.push(byte);
    if (lot === 1) out.push(Math.floor(random() * 256));
    if (lot === 2) for (let more = random() * 40; more > 0; more -= 1) out.push(Math.floor(random() * 256));
  }
  return Buffer.from(out);
}

describe('the decoder process bears', () => {
  test('random, spoiled and lying bytes on streams beside one that is heard without a hole', async () => {
    const random = chance(7);
    const clean = mp3(44_100, 2, 4);
    const noise = Buffer.from(Array.from({ length: 100_000 }, () => Math.floor(random() * 256)));
    const tag = Buffer.concat([Buffer.from('ID3\x04\x00\x00\x7f\x7f\x7f\x7f', 'latin1'), clean]);
    const hostile: Buffer[] = [
      noise,
      Buffer.alloc(100_000),
      Buffer.alloc(100_000, 0xff),
      tag,
      Buffer.from('<html>'.repeat(20_000)),
    ];
    for (const rate of [0.0001, 0.001, 0.01, 0.1]) hostile.push(spoiled(clean, rate, random));
    const host = start();
    host.send('open', 1);
    for (const [index] of hostile.entries()) host.send('open', index + 2);
    for (let at = 0; at < clean.length; at += 1_000) {
      host.send('bytes', 1, clean.subarray(at, at + 1_000));
      for (const [index, bytes] of hostile.entries())
        host.send('bytes', index + 2, bytes.subarray(2 * at, 2 * at + 2_000));
    }
    expect(await host.end()).toEqual({ code: 0, signal: null, stderr: '' });
    expect((host.frames.get(1) ?? 0) / 48_000).toBeGreaterThan(3.95);
    console.log(JSON.stringify({ frames: [...host.frames], rejected: [...host.rejected] }));
    expect(host.rejected.get(3)).toBe('no MP3 in it');
    expect(host.rejected.get(6)).toBe('no MP3 in it');
    for (const stream of [1, 7, 8]) expect([...host.pcm(stream)].every(Number.isFinite)).toBe(true);
  });

  test('a thousand streams opened and closed, and its memory stays flat', async () => {
    const bytes = mp3(44_100, 2, 1);
    const host = start(false);
    const rounds = async (count: number, from: number) => {
      for (let stream = from; stream < from + count; stream += 1) {
        host.send('open', stream);
        host.send('bytes', stream, bytes);
        host.send('close', stream);
        await host.drained();
      }
      while (!host.frames.has(from + count - 1)) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await rounds(100, 1);
    const before = host.residentKib;
    await rounds(1_000, 101);
    console.log(JSON.stringify({ before, after: host.residentKib }));
    expect(host.residentKib - before).toBeLessThan(1_024);
    expect(host.frames.size).toBe(1_100);
  });

  test('requests for streams that are not, and a second opening', async () => {
    const host = start();
    host.send('bytes', 9, Buffer.alloc(100));
    host.send('close', 9);
    host.send('open', 1);
    host.send('open', 1);
    host.send('bytes', 1, mp3(44_100, 2, 1));
    expect(await host.end()).toMatchObject({ code: 0 });
    expect(host.frames.get(1)).toBeGreaterThan(40_000);
  });

  test.each([
    ['of no kind', Uint32Array.of(77, 1, 0)],
    ['too long', Uint32Array.of(2, 1, 5_000)],
    ['of all ones', new Uint32Array(3).fill(0xffff_ffff)],
  ])('no request %s: it ends in order and says why', async (_what, head) => {
    const host = start();
    host.raw(new Uint8Array(head.buffer));
    expect(await host.ended()).toEqual({ code: 2, signal: null, stderr: 'a request that is none\n' });
  });

  test('half a request at the end', async () => {
    const host = start();
    host.send('open', 1);
    host.raw(Uint8Array.of(2, 0, 0, 0, 1));
    expect(await host.end()).toMatchObject({ code: 0, signal: null });
  });

  test('a reader that does not read: it holds what is bounded', async () => {
    const bytes = mp3(44_100, 2, 30);
    const host = start(false);
    const before = host.residentKib;
    host.pause();
    for (let stream = 1; stream <= 20; stream += 1) {
      host.send('open', stream);
      host.send('bytes', stream, bytes);
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(host.residentKib - before).toBeLessThan(12 * 1_024);
  });
});

test('Ctrl-C in a terminal is for the agent: the decoder process ends when that is done with it', async () => {
  const host = start();
  host.send('open', 1);
  host.send('bytes', 1, mp3(44_100, 2, 1));
  while (!host.frames.has(1)) await new Promise((resolve) => setTimeout(resolve, 5));
  host.kill('SIGINT');
  expect(await host.end()).toEqual({ code: 0, signal: null, stderr: '' });
});

test('the decoder process can open no file, whoever took it over', async () => {
  const host = start();
  host.send('open', 1);
  while (!/^Max open files +3 +3 /m.test(host.limits)) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await host.end()).toMatchObject({ code: 0 });
});

describe('a libmpg123 that is broken', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sustain-mpg123-'));
    const source = fileURLToPath(new URL('support/bad-mpg123.c', import.meta.url));
    execFileSync('gcc', ['-shared', '-fPIC', '-o', join(folder, 'libmpg123.so.0'), source]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    ['crashes', 'C', { code: null, signal: 'SIGSEGV' }],
    ['runs in circles', 'L', { code: 4, signal: null }],
  ])('and %s ends the process, which names the stream whose bytes did it', async (_what, byte, end) => {
    const host = start(true, { ...process.env, LD_LIBRARY_PATH: folder });
    for (const stream of [41, 42, 43]) host.send('open', stream);
    for (const stream of [41, 43]) host.send('bytes', stream, Buffer.from('good'));
    host.send('bytes', 42, Buffer.from(`bad ${byte}`));
    const ended = await host.ended();
    expect(ended).toMatchObject(end);
    expect(ended.stderr).toMatch(/^culprit: stream +42\n$/);
  });

  test('or is no libmpg123 at all is told by the check before anything is decoded', () => {
    const empty = join(folder, 'empty');
    execFileSync('sh', ['-c', `mkdir ${empty} && echo | gcc -x c -shared -o ${empty}/libmpg123.so.0 -`]);
    const { status, stderr } = spawnSync(decoderHostPath() ?? '', ['--check'], {
      env: { LD_LIBRARY_PATH: empty },
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 3, stderr: 'libmpg123 has no mpg123_init\n' });
  });
});
