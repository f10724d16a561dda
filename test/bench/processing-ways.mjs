// The same files through our chain, ffmpeg and Liquidsoap. Interleaved stereo floats at 48 kHz in and out.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const load = (path) =>
  import(join(root, 'dist/src', path)).catch((error) => {
    throw new Error('dist/ is missing or old: run `npm run build` first', { cause: error });
  });
const { createProcessor } = await load('audio/processor.js');
const { resolveProcessing } = await load('domain/processing.js');

export const RATE_HZ = 48_000;
const RAW = ['-f', 'f32le', '-ar', String(RATE_HZ), '-ac', '2'];

export const chainValues = (preset, changes = {}) =>
  resolveProcessing({
    preset,
    changes,
    loudnessLufs: changes.loudness ?? null,
    ceilingDbtp: changes.ceiling ?? null,
    lowestBitrateKbps: null,
  });

export const readSamples = (path) => new Float32Array(Uint8Array.from(readFileSync(path)).buffer);
const bytesOf = (samples) => new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);

/** In step with what went in, and the readings. */
export function ours(values, input) {
  const readings = [];
  const processor = createProcessor({ values, onReading: (reading) => readings.push(reading) });
  const out = new Float32Array(input.length + 2 * processor.latencyFrames);
  out.set(input);
  for (let at = 0; at < out.length; at += 9_600) processor.process(out.subarray(at, at + 9_600));
  return { out: out.subarray(2 * processor.latencyFrames), readings, fingerprint: processor.fingerprint };
}

/** CPU seconds of the chain alone, in pieces of 100 ms. */
export function oursCpuSeconds(values, input) {
  const processor = createProcessor({ values });
  const piece = new Float32Array(9_600);
  const from = process.cpuUsage();
  for (let at = 0; at + 9_600 <= input.length; at += 9_600) {
    piece.set(input.subarray(at, at + 9_600));
    processor.process(piece);
  }
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e6;
}

export function run(command, words, input) {
  const { status, stdout, stderr, error } = spawnSync(command, words, { input, maxBuffer: 2 ** 31 - 1 });
  if (error || status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
  return stdout;
}

export function ffmpeg(filter, path) {
  const words = ['-v', 'error', '-nostdin', ...RAW, '-i', path, '-af', filter, ...RAW, 'pipe:1'];
  const bytes = run('ffmpeg', words);
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

/** User and system seconds of ffmpeg itself, which leaves what it made. */
export function ffmpegCpuSeconds(filter, path) {
  const words = [
    '-hide_banner',
    '-nostdin',
    '-benchmark',
    '-threads',
    '1',
    '-filter_threads',
    '1',
    ...RAW,
    '-i',
    path,
  ];
  const { status, stderr } = spawnSync('ffmpeg', [...words, '-af', filter, '-f', 'null', '-'], {
    encoding: 'utf8',
  });
  const [, user, system] = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr) ?? [];
  if (status !== 0 || user === undefined) throw new Error(`ffmpeg failed: ${stderr.slice(-400)}`);
  return Number(user) + Number(system);
}

/** Through Liquidsoap's operators, as fast as it can; `chain` wraps `s`. */
export function liquidsoap(chain, samples, folder) {
  const [input, output, script] = ['in.wav', 'out.wav', 'chain.liq'].map((name) => join(folder, name));
  run('ffmpeg', ['-v', 'error', '-y', ...RAW, '-i', 'pipe:0', '-c:a', 'pcm_f32le', input], bytesOf(samples));
  writeFileSync(
    script,
    `set("init.allow_root", true)
set("frame.audio.samplerate", ${RATE_HZ})
set("log.level", 2)
set("log.file", false)
s = once(single("${input}"))
s = ${chain}
output.file(fallible=true, on_stop=shutdown, %wav(stereo=true, samplesize=24, samplerate=${RATE_HZ}), "${output}", clock(sync="none", s))
`,
  );
  run('liquidsoap', [script]);
  return new Float32Array(
    Uint8Array.from(run('ffmpeg', ['-v', 'error', '-nostdin', '-i', output, ...RAW, 'pipe:1'])).buffer,
  );
}

/** What libebur128 reads of sound in memory, or of sound that comes in pieces because it is too long for that. */
export function buildOracle(folder) {
  const program = join(folder, 'oracle');
  run('gcc', ['-O2', '-o', program, join(root, 'test/native/support/oracle.c'), '-lebur128', '-lm']);
  const words = [String(RATE_HZ), '2', 'brief'];
  return {
    brief: (samples) => JSON.parse(run(program, words, bytesOf(samples)).toString('utf8')),
    async briefOf(pieces) {
      const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
      const said = text(child.stdout);
      await pipeline(Readable.from(copiesOf(pieces), { objectMode: false }), child.stdin);
      return JSON.parse(await said);
    },
  };
}

function* copiesOf(pieces) {
  for (const samples of pieces) yield Buffer.from(bytesOf(samples));
}

/** A file second by second. */
export function* secondsOf(path) {
  const file = openSync(path, 'r');
  const second = new Float32Array(2 * RATE_HZ);
  const bytes = new Uint8Array(second.buffer);
  try {
    for (let read = readSync(file, bytes); read > 0; read = readSync(file, bytes))
      yield second.subarray(0, read / 4);
  } finally {
    closeSync(file);
  }
}

/** The same through a chain, in step with what went in. */
export function* oursBySeconds(values, path) {
  const processor = createProcessor({ values });
  let skip = 2 * processor.latencyFrames;
  for (const samples of secondsOf(path)) {
    processor.process(samples);
    const skipped = Math.min(skip, samples.length);
    skip -= skipped;
    yield samples.subarray(skipped);
  }
}

/** Encoded and decoded again. */
export function throughCodec(words, samples) {
  const encoded = run(
    'ffmpeg',
    ['-v', 'error', ...RAW, '-i', 'pipe:0', ...words, 'pipe:1'],
    bytesOf(samples),
  );
  const decoded = run('ffmpeg', ['-v', 'error', '-i', 'pipe:0', ...RAW, 'pipe:1'], encoded);
  return new Float32Array(Uint8Array.from(decoded.subarray(0, decoded.length - (decoded.length % 8))).buffer);
}
