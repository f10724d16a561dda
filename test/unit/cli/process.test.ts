import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeFileArguments } from '../../../src/audio/encode-file.ts';
import { parseProcessOptions } from '../../../src/cli/process/options.ts';
import { type ProcessOptions, processFile } from '../../../src/cli/process.ts';

let folder: string;
let input: string;
const inFolder = (name: string) => join(folder, name);
const ffmpeg = (...words: string[]) =>
  spawnSync('ffmpeg', ['-nostdin', '-hide_banner', ...words], { encoding: 'utf8' });

/** By ffmpeg's ebur128, which knows nothing of ours. */
function measured(path: string) {
  const { stderr } = ffmpeg('-i', path, '-af', 'ebur128=peak=true', '-f', 'null', '-');
  const figure = (pattern: RegExp) => Number(pattern.exec(stderr)?.[1]);
  return {
    lufs: figure(/I:\s+(-?[\d.]+) LUFS\s+Threshold/),
    peakDbtp: figure(/Peak:\s+(-?[\d.]+) dBFS/),
    seconds: Number(/Duration: 00:00:([\d.]+)/.exec(stderr)?.[1]),
  };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sustain-process-'));
  input = inFolder('in.flac');
  const music = '/usr/share/games/asc/music/time_to_strike.mp3';
  const made = ffmpeg(
    '-y',
    '-ss',
    '60',
    '-t',
    '25',
    '-i',
    music,
    '-af',
    'volume=-15dB',
    '-ar',
    '44100',
    input,
  );
  expect(made.status, made.stderr).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(output: string, options: ProcessOptions = {}, from = input) {
  const said: string[] = [];
  const printed: string[] = [];
  const code = await processFile({ input: from, output }, options, {
    terminal: { isTTY: true, columns: 80, write: (text: string) => said.push(text) },
    print: (text) => printed.push(text),
  });
  return { code, said: said.join(''), text: printed.join('\n') };
}

describe('sustain process', () => {
  test('brings a file to the target, as long as it was, and reports what an independent meter reads too', async () => {
    const output = inFolder('out.wav');
    const { code, text } = await run(output, { json: true });
    expect(code).toBe(0);
    const report = JSON.parse(text);
    const [before, after] = [measured(input), measured(output)];
    expect(Math.abs(after.lufs + 16)).toBeLessThan(1);
    expect(after.peakDbtp).toBeLessThanOrEqual(-1);
    expect(after.seconds).toBeCloseTo(before.seconds, 1);
    expect(report.before.integratedLufs).toBeCloseTo(before.lufs, 0);
    expect(report.after.integratedLufs).toBeCloseTo(after.lufs, 0);
    expect(report).toMatchObject({ preset: 'music', targetLufs: -16, ceilingDbtp: -1, afterCodec: null });
    expect(report.fingerprint).toMatch(/^[0-9a-f]{12}$/);
    expect(report.gainReduction.bands.length).toBe(5);
    expect(report.latencyMs).toBe(1516);
  });

  test('says of an encoded file what a decoder makes of it, in words and as JSON', async () => {
    const output = inFolder('out.mp3');
    const options = { preset: 'loud', target: 'platforms', bitrate: '64k' };
    const { code, text } = await run(output, options);
    expect(code).toBe(0);
    expect(text).toContain('target -14 LUFS, ceiling -2 dBTP');
    expect(text).toContain('decoded again');
    expect(text).toMatch(/the codec's peaks pass the ceiling by|stay under the ceiling after the codec/);
    const json = JSON.parse((await run(inFolder('again.mp3'), { ...options, json: true })).text);
    const decoded = measured(output).peakDbtp;
    expect(json.afterCodec.truePeakDbtp).toBeCloseTo(decoded, 0);
    expect(json.afterCodec.overshootDb).toBeCloseTo(json.afterCodec.truePeakDbtp + 2, 1);
  });

  test('does the same twice, to the bit', async () => {
    await run(inFolder('one.wav'));
    await run(inFolder('two.wav'));
    expect(readFileSync(inFolder('one.wav')).equals(readFileSync(inFolder('two.wav')))).toBe(true);
  });

  test('draws a bar on a terminal that grows and is gone at the end, and nothing of it where nobody watches', async () => {
    const long = inFolder('long.wav');
    expect(ffmpeg('-y', '-stream_loop', '14', '-i', input, '-c:a', 'pcm_s16le', long).status).toBe(0);
    const { code, said } = await run(inFolder('long.flac'), {}, long);
    expect(code).toBe(0);
    const percents = [...said.matchAll(/\[[#-]+\] +(\d+) % {2}[\d:.]+ heard, .+? left/g)].map(([, text]) =>
      Number(text),
    );
    expect(percents.length).toBeGreaterThan(0);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(said.endsWith('\r\u001b[K')).toBe(true);
    const unwatched: string[] = [];
    const terminal = { isTTY: false, write: (text: string) => unwatched.push(text) };
    await processFile({ input: long, output: inFolder('long.wav.flac') }, {}, { terminal, print: () => {} });
    expect(unwatched).toEqual([]);
  });

  test('a WAV of more than four hours is one, as RF64', () => {
    const words = encodeFileArguments({ path: 'out.wav', format: 'wav', bitrateKbps: 192 });
    expect(words.join(' ')).toContain('-rf64 auto');
  });

  test('off leaves the loudness as it was', async () => {
    await run(inFolder('off.wav'), { preset: 'off' });
    expect(measured(inFolder('off.wav')).lufs).toBeCloseTo(measured(input).lufs, 1);
  });
});

describe('what goes wrong', () => {
  test.each([
    ['out.xyz', {}, 'must end in one of .wav'],
    ['out.wav', { preset: 'opera' }, '"opera" is none of off, talk, music, classical, loud'],
    ['out.wav', { target: '-80' }, '--target: it may be from -36 LUFS to -8 LUFS'],
    ['out.wav', { ceiling: '3' }, '--ceiling: it may be from -12 dBTP to 0 dBTP'],
    ['out.wav', { preset: 'off', target: '-23' }, '--target: preset off leaves the sound as it is'],
    ['out.wav', { preset: 'off', ceiling: '-3' }, '--ceiling: preset off leaves the sound as it is'],
    ['out.mp3', { bitrate: '9000k' }, '--bitrate: 9000k is no bitrate of mp3 at 48000 Hz: write one of 32k'],
    ['out.mp3', { bitrate: '510k' }, '--bitrate: 510k is no bitrate of mp3'],
    ['out.ogg', { bitrate: '510k' }, '--bitrate: 510k is not what vorbis at 48000 Hz in stereo can do'],
  ])('%s with %j is refused in one line', (output, options, message) => {
    const parsed = parseProcessOptions(output, options);
    expect(parsed.ok ? '' : parsed.message).toContain(message);
  });

  test('an input that is no sound costs nothing that was there before', async () => {
    const output = inFolder('precious.wav');
    writeFileSync(output, 'from yesterday');
    const text = inFolder('notes.txt');
    writeFileSync(text, 'this is no sound\n'.repeat(500));
    const { code, said } = await run(output, {}, text);
    expect(code).not.toBe(0);
    expect(said).toContain('notes.txt');
    expect(readFileSync(output, 'utf8')).toBe('from yesterday');
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('damage in the input is told, and the rest of it is processed', async () => {
    const whole = inFolder('whole.mp3');
    expect(ffmpeg('-y', '-i', input, '-t', '5', '-b:a', '128k', whole).status).toBe(0);
    const bytes = readFileSync(whole);
    bytes.fill(0x55, 40_000, 42_000);
    const damaged = inFolder('damaged.mp3');
    writeFileSync(damaged, bytes);
    const { code, said, text } = await run(inFolder('mended.wav'), { json: true }, damaged);
    expect(code).toBe(0);
    expect(said).toContain('damaged.mp3: ffmpeg found damage in it: ');
    expect(JSON.parse(text).damage).toMatch(/\w/);
    expect((await run(inFolder('fine.wav'), {}, whole)).said).not.toContain('damage');
  });

  test('a WAV that ends before its header says is told, and nothing is when it does not say', async () => {
    const whole = inFolder('whole.wav');
    expect(ffmpeg('-y', '-i', input, '-t', '5', '-bitexact', whole).status).toBe(0);
    const bytes = readFileSync(whole);
    const cut = inFolder('cut.wav');
    writeFileSync(cut, bytes.subarray(0, bytes.length / 2));
    const { code, said } = await run(inFolder('half.wav'), {}, cut);
    expect(code).toBe(0);
    expect(said).toContain('cut.wav: it is cut off: by its header 2.5 s more are in it\n');
    expect((await run(inFolder('fine.wav'), {}, whole)).said).not.toContain('cut off');
    bytes.writeUInt32LE(0xffff_ffff, 40);
    writeFileSync(cut, bytes);
    expect((await run(inFolder('fine.wav'), {}, cut)).said).not.toContain('cut off');
  });

  test('what is there already stays until the new file is whole, and is replaced then', async () => {
    const output = inFolder('kept.wav');
    writeFileSync(output, 'from yesterday');
    expect((await run(output, { preset: 'off' }, inFolder('not-there.wav'))).code).toBe(2);
    expect(readFileSync(output, 'utf8')).toBe('from yesterday');
    expect((await run(output, { preset: 'off' })).code).toBe(0);
    expect(measured(output).seconds).toBeCloseTo(25, 0);
  });

  test('what a run that was killed left behind is taken away by the next, and nothing that may be in use', async () => {
    const output = inFolder('again.wav');
    const gone = spawnSync('true').pid;
    const parts = { old: `${output}.${gone}.part`, ours: `${output}.${process.ppid}.part` };
    const fresh = `${output}.${gone + 1_000_000_000}.part`;
    for (const path of [...Object.values(parts), fresh, `${output}.x.part`]) writeFileSync(path, 'half');
    for (const path of Object.values(parts)) utimesSync(path, 1, 1);
    expect((await run(output, { preset: 'off' })).code).toBe(0);
    const left = readdirSync(folder).filter((name) => name.startsWith('again.wav.'));
    expect(left.sort()).toEqual([parts.ours, fresh, `${output}.x.part`].map((path) => basename(path)).sort());
    for (const name of left) rmSync(inFolder(name));
  });

  test('a sound over full scale that no limiter holds is clipped in the file, and that is said', async () => {
    const hot = inFolder('hot.wav');
    expect(
      ffmpeg('-y', '-f', 'lavfi', '-i', 'aevalsrc=2*sin(2*PI*440*t):d=2', '-c:a', 'pcm_f32le', hot).status,
    ).toBe(0);
    const { said, text } = await run(inFolder('clipped.wav'), { preset: 'off' }, hot);
    expect(said).toMatch(/clipped\.wav is clipped: the sound goes 6\.0 dB over full scale, and preset off/);
    expect(text).toContain('preset off, the sound is left as it is');
    expect((await run(inFolder('held.wav'), {}, hot)).said).not.toContain('clipped');
  });

  test('the input itself is no output, and a folder that is not there is named', async () => {
    expect((await run(input)).said).toContain('is the input itself');
    expect((await run(inFolder('nowhere/out.wav'))).said).toContain('nowhere does not exist');
  });

  test('stopped in the middle, nothing is left half written', async () => {
    const stop = new AbortController();
    const output = inFolder('stopped.mp3');
    const said: string[] = [];
    const running = processFile(
      { input, output },
      {},
      {
        interrupted: stop.signal,
        terminal: { write: (text: string) => said.push(text) },
        print: () => {},
      },
    );
    setTimeout(() => stop.abort(), 30);
    expect(await running).not.toBe(0);
    expect(said.join('')).toContain('stopped before its end');
    expect(existsSync(output)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});
