// What metering a leg costs, beside libebur128 and ffmpeg on the same audio in the same run: `node test/bench/meter.bench.mjs`
// after `npm run build`. Only CPU time (user and system) is compared; trust the ratios, not the absolutes.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chartsSvg } from './plot.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const rounds = 5;
const audioSeconds = 300;
const rateHz = 48_000;
const blockSamples = (rateHz / 10) * 2;
const material = '/usr/share/games/singularity/music/Media Threat.ogg';

const { Meter } = await import(join(root, 'dist', 'native-bindings', 'index.js')).catch((error) => {
  throw new Error('dist/ is missing or old: run `npm run build` first', { cause: error });
});

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
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

/** CPU per leg when many legs take turns, as they do in an agent: caches are cold at every turn. */
function legsCurve(samples) {
  const rows = [];
  for (const count of [1, 3, 10, 30, 100, 300, 1000]) {
    const meters = Array.from(
      { length: count },
      () => new Meter({ sampleRateHz: rateHz, channels: 2, capacity: 16 }),
    );
    const seconds = Math.max(10, Math.min(200, Math.floor(5000 / count)));
    const start = process.cpuUsage();
    for (let tick = 0; tick < seconds * 10; tick++) {
      const block = samples.subarray(tick * blockSamples, (tick + 1) * blockSamples);
      for (const meter of meters) meter.push(block);
    }
    const percent = (100 * cpuSeconds(start)) / (seconds * count);
    const memory = process.memoryUsage.rss() / 2 ** 20;
    rows.push({ count, percent, memory: Math.round(memory) });
  }
  return rows;
}

function plot(rows) {
  const series = (name, figure) => ({ name, points: rows.map((row) => ({ x: row.count, y: figure(row) })) });
  return chartsSvg([
    {
      title: 'CPU per leg: metering and faults, 48 kHz stereo',
      xLabel: 'legs',
      yLabel: 'percent of one core per leg',
      series: [series('measured', ({ percent }) => percent), series('goal: 1000 legs on a core', () => 0.1)],
    },
  ]);
}

const folder = mkdtempSync(join(tmpdir(), 'sustain-bench-'));
try {
  const path = join(folder, 'audio.f32');
  decodeMaterial(path);
  const samples = readSamples(path);
  const reference = buildReference(folder);
  const contenders = {
    'sustain: everything, true peak and faults': () => ours(samples),
    'libebur128 M+S+I+true peak, S once a second': () => reference('MSIT', 1)(path),
    'libebur128 M+S+I+true peak, S ten times a second': () => reference('MSIT', 10)(path),
    'libebur128 M+S+I, S once a second': () => reference('MSI', 1)(path),
    'ffmpeg anull (baseline)': () => ffmpeg('anull')(path),
    'ffmpeg silencedetect,ebur128=peak=true': () =>
      ffmpeg('silencedetect=n=-50dB:d=2,ebur128=peak=true')(path),
  };
  const names = Object.keys(contenders);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    // The first round warms up.
    for (const name of names) {
      const seconds = contenders[name]();
      if (round > 0) times[name].push(seconds);
    }
  }
  const medians = Object.fromEntries(names.map((name) => [name, median(times[name])]));
  medians['ffmpeg silencedetect,ebur128=peak=true'] -= medians['ffmpeg anull (baseline)'];
  delete medians['ffmpeg anull (baseline)'];
  const own = medians[names[0]];
  const audio = samples.length / 2 / rateHz;
  console.log(
    `${cpus()[0]?.model}, Node ${process.versions.node}, ${audio.toFixed(0)} s of music, median of ${rounds}`,
  );
  console.log('CPU s per hour   % of a core   times sustain');
  for (const [name, seconds] of Object.entries(medians)) {
    const hour = ((seconds * 3600) / audio).toFixed(2).padStart(14);
    const percent = ((100 * seconds) / audio).toFixed(4).padStart(13);
    console.log(`${hour} ${percent} ${(seconds / own).toFixed(2).padStart(15)}   ${name}`);
  }
  const rows = legsCurve(samples);
  console.log('\nlegs   % of a core per leg   legs on a core   RSS of the process, MiB');
  for (const { count, percent, memory } of rows) {
    const fit = Math.floor(100 / percent);
    console.log(
      `${String(count).padStart(4)} ${percent.toFixed(4).padStart(21)} ${String(fit).padStart(16)} ${String(memory).padStart(25)}`,
    );
  }
  const output = join(root, 'test', 'output');
  mkdirSync(output, { recursive: true });
  writeFileSync(join(output, 'meter-legs.svg'), plot(rows));
  console.log('\nplot: test/output/meter-legs.svg');
} finally {
  rmSync(folder, { recursive: true });
}
