// What metering a leg costs, beside libebur128 and ffmpeg on the same audio in the same run: `npm run bench -- meter`, or
// `node test/bench/meter.bench.mjs` after `npm run build`. Only CPU time (user and system) is compared; trust the ratios,
// not the absolutes. Writes docs/bench/meter.md and meter.svg.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONTENDERS, judge, meterMarkdown, meterPlot, meterTables } from './meter-report.mjs';
import { median } from './report.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const rounds = 5;
const audioSeconds = 300;
const rateHz = 48_000;
const blockSamples = (rateHz / 10) * 2;
const material = '/usr/share/games/singularity/music/Media Threat.ogg';

const { Meter } = await import(join(root, 'dist', 'native-bindings', 'index.js')).catch((error) => {
  throw new Error('dist/ is missing or old: run `npm run build` first', { cause: error });
});

/** How long each of so many legs is measured, in seconds of audio. */
const LEGS = [
  { count: 1, seconds: 300 },
  { count: 10, seconds: 150 },
  { count: 100, seconds: 60 },
  { count: 1000, seconds: 20 },
];
/** So long the finder of stuck loops looks back; before then there is less for it to do. */
const warmUpSeconds = 66;
const cpuSeconds = (since) => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
};

function decodeMaterial(path) {
  const raw = ['-ac', '2', '-ar', String(rateHz), '-f', 'f32le', '-y', path];
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-t', String(audioSeconds), '-i', material, ...raw]);
}

function readSamples(path) {
  const bytes = execFileSync('cat', [path], { maxBuffer: 2 ** 30 });
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

function ours(samples) {
  const meter = new Meter({ sampleRateHz: rateHz, channels: 2, targetLufs: -16 });
  const start = process.cpuUsage();
  for (let at = 0; at < samples.length; at += blockSamples)
    meter.push(samples.subarray(at, at + blockSamples));
  return cpuSeconds(start);
}

function buildReference(folder) {
  const program = join(folder, 'libebur128');
  const source = join(root, 'test', 'bench', 'libebur128.c');
  const { status, stderr } = spawnSync('gcc', ['-O3', '-o', program, source, '-lebur128', '-lm'], {
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new Error(`This needs gcc and libebur128: apt-get install gcc libebur128-dev\n${stderr}`);
  return (modes, pollsPerSecond) => (path) =>
    Number(execFileSync(program, [path, modes, String(pollsPerSecond)], { encoding: 'utf8' }));
}

function ffmpeg(filter) {
  return (path) => {
    const raw = ['-f', 'f32le', '-ac', '2', '-ar', String(rateHz)];
    const args = [
      '-nostdin',
      '-benchmark',
      '-threads',
      '1',
      ...raw,
      '-i',
      path,
      '-af',
      filter,
      '-f',
      'null',
      '-',
    ];
    const { stderr } = spawnSync('ffmpeg', args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
    const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr) ?? [];
    return Number(user) + Number(system);
  };
}

/**
 * CPU when many legs take turns, as they do in an agent: each hears another place of the programme, so caches are cold at
 * every turn.
 */
function legsCurve(samples) {
  const blocks = Math.floor(samples.length / blockSamples);
  return LEGS.map(({ count, seconds }) => {
    const before = process.memoryUsage.rss();
    const settings = { sampleRateHz: rateHz, channels: 2, targetLufs: -16, capacity: 16 };
    const meters = Array.from({ length: count }, () => new Meter(settings));
    const hear = (fromTick, toTick) => {
      for (let tick = fromTick; tick < toTick; tick++) {
        for (let leg = 0; leg < count; leg++) {
          const at = ((tick + leg * 7) % blocks) * blockSamples;
          meters[leg].push(samples.subarray(at, at + blockSamples));
        }
      }
    };
    hear(0, warmUpSeconds * 10);
    const start = process.cpuUsage();
    hear(warmUpSeconds * 10, (warmUpSeconds + seconds) * 10);
    const core = (100 * cpuSeconds(start)) / seconds;
    const memory = Math.max(0, process.memoryUsage.rss() - before) / 2 ** 20;
    return { count, core, memory };
  });
}

/** CPU seconds of each contender, in turn, so that whatever else the machine does hits all of them. */
function race(contenders) {
  const names = Object.keys(contenders);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const seconds = contenders[name]();
      // The first round warms up.
      if (round > 0) times[name].push(seconds);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])]));
}

const folder = mkdtempSync(join(tmpdir(), 'sustain-bench-'));
try {
  const path = join(folder, 'audio.f32');
  decodeMaterial(path);
  const samples = readSamples(path);
  const reference = buildReference(folder);
  const { baseline, ffmpegBoth, ...others } = race({
    sustain: () => ours(samples),
    ebur128: () => reference('MSIT', 1)(path),
    ebur128Often: () => reference('MSIT', 10)(path),
    ebur128Loudness: () => reference('MSI', 1)(path),
    ffmpegBoth: () => ffmpeg('silencedetect=n=-50dB:d=2,ebur128=peak=true')(path),
    baseline: () => ffmpeg('anull')(path),
  });
  // ffmpeg's own cost of starting, reading and throwing away is not that of its filters.
  const cpu = { ...others, ffmpegBoth: ffmpegBoth - baseline };
  const audio = samples.length / 2 / rateHz;
  const rows = Object.keys(CONTENDERS).map((name) => ({
    name,
    perHour: (cpu[name] * 3600) / audio,
    core: (100 * cpu[name]) / audio,
    ratio: cpu[name] / cpu.sustain,
  }));
  const legs = legsCurve(samples);
  const failures = judge(rows, legs);
  const run = { command: 'npm run bench -- meter', rounds, audio, warmUpSeconds, failures };
  console.log(meterTables(rows, legs));
  const docs = join(root, 'docs', 'bench');
  mkdirSync(docs, { recursive: true });
  writeFileSync(join(docs, 'meter.md'), meterMarkdown(rows, legs, run));
  writeFileSync(join(docs, 'meter.svg'), meterPlot(legs));
  console.log('written: docs/bench/meter.md and meter.svg');
  for (const failure of failures) console.error(`NOT HELD: ${failure}`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
