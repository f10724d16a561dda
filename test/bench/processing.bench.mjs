// What the processing chain costs and how it sounds, beside ffmpeg and Liquidsoap on the same files in the same run:
// `npm run bench -- processing`, or after `npm run build`: `node test/bench/processing.bench.mjs`.
// Writes docs/bench/processing.md and its plots. `--brief` leaves out the hour.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mixOf, SHORT, writeMixed } from '../../fixtures/corpus/mixed.mjs';
import { chartsSvg } from './plot.mjs';
import { processingMarkdown, windowFigures } from './processing-report.mjs';
import { allCases, judged, STEP, step, stepReduction } from './processing-signals.mjs';
import {
  buildOracle,
  chainValues,
  ffmpeg,
  ffmpegCpuSeconds,
  liquidsoap,
  ours,
  oursBySeconds,
  oursCpuSeconds,
  RATE_HZ,
  readSamples,
  secondsOf,
  throughCodec,
} from './processing-ways.mjs';
import { machine, median } from './report.mjs';

const docs = fileURLToPath(new URL('../../docs/bench', import.meta.url));
const isBrief = process.argv.includes('--brief');
const HOUR_SEED = 15;
const ROUNDS = 3;
const PRESETS = ['talk', 'music', 'classical', 'loud'];
const TARGETS_LUFS = [-16, -23, -18, -14];
const LIMITER = chainValues('off', { 'limiter.on': 1 });
const LIQUIDSOAP = 'limit(threshold=-1., compress(threshold=-10., ratio=2., s))';
const FILTERS = {
  'ffmpeg mcompand,alimiter': 'mcompand,alimiter=limit=0.891:level=0',
  'ffmpeg acompressor,alimiter': 'acompressor,alimiter=limit=0.891:level=0',
  'ffmpeg loudnorm': 'loudnorm=I=-16:TP=-1:LRA=11,aresample=48000:osf=flt',
};
const CODECS = {
  'MP3 128k': { words: ['-c:a', 'libmp3lame', '-b:a', '128k', '-f', 'mp3'], ceiling: -1 },
  'MP3 64k': { words: ['-c:a', 'libmp3lame', '-b:a', '64k', '-f', 'mp3'], ceiling: -2 },
  'AAC 128k': { words: ['-c:a', 'aac', '-b:a', '128k', '-f', 'adts'], ceiling: -1 },
  'AAC 64k': { words: ['-c:a', 'aac', '-b:a', '64k', '-f', 'adts'], ceiling: -2 },
  'Opus 96k': { words: ['-c:a', 'libopus', '-b:a', '96k', '-f', 'ogg'], ceiling: -1 },
  'Opus 48k': { words: ['-c:a', 'libopus', '-b:a', '48k', '-f', 'ogg'], ceiling: -2 },
  'Vorbis 128k': { words: ['-c:a', 'libvorbis', '-b:a', '128k', '-f', 'ogg'], ceiling: -1 },
};

const told = (text) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);

/** Medians of the rounds, all ways in turn. ffmpeg's reading of the file is taken off what its filters cost. */
function cpu(path, samples) {
  const seconds = samples.length / 2 / RATE_HZ;
  const ways = {
    ...Object.fromEntries(
      ['music', 'talk', 'loud'].map((preset) => [
        `Sustain ${preset}`,
        () => oursCpuSeconds(chainValues(preset), samples),
      ]),
    ),
    ...Object.fromEntries(
      Object.entries(FILTERS).map(([name, filter]) => [
        name,
        () => ffmpegCpuSeconds(filter, path) - ffmpegCpuSeconds('anull', path),
      ]),
    ),
  };
  const taken = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, way] of Object.entries(ways)) taken[name].push((way() * 3_600) / seconds);
  }
  const fading = new Float32Array(2 * 60 * RATE_HZ);
  for (let i = 0; i < 2 * RATE_HZ; i += 1) fading[i] = Math.sin(i / 40) * Math.exp(-i / 4_000);
  const music = samples.subarray(0, fading.length);
  const silent = median(Array.from({ length: ROUNDS }, () => oursCpuSeconds(chainValues('music'), fading)));
  const sounding = median(Array.from({ length: ROUNDS }, () => oursCpuSeconds(chainValues('music'), music)));
  return {
    perHour: Object.fromEntries(Object.entries(taken).map(([name, all]) => [name, median(all)])),
    silenceRatio: silent / sounding,
  };
}

function limiters(folder) {
  const input = allCases();
  const path = join(folder, 'cases.f32');
  writeFileSync(path, new Uint8Array(input.buffer));
  return {
    'Sustain limiter': judged(input, ours(LIMITER, input).out),
    'ffmpeg acompressor,alimiter': judged(input, ffmpeg(FILTERS['ffmpeg acompressor,alimiter'], path)),
    'ffmpeg loudnorm': judged(input, ffmpeg(FILTERS['ffmpeg loudnorm'], path)),
    'liquidsoap compress,limit': judged(input, liquidsoap(LIQUIDSOAP, input, folder)),
  };
}

function steps(folder) {
  const input = step();
  const path = join(folder, 'step.f32');
  writeFileSync(path, new Uint8Array(input.buffer));
  const series = [
    { name: 'Sustain limiter', points: stepReduction(input, ours(LIMITER, input).out) },
    {
      name: 'ffmpeg acompressor,alimiter',
      points: stepReduction(input, ffmpeg(FILTERS['ffmpeg acompressor,alimiter'], path)),
    },
    {
      name: 'liquidsoap compress,limit',
      points: stepReduction(input, liquidsoap(LIQUIDSOAP, input, folder)),
    },
  ].map(({ name, points }) => ({ name, points: points.map(({ x, y }) => ({ x: x + 100, y })) }));
  const near = (from, to, { name, points }) => ({
    name,
    points: points.filter(({ x }) => x >= from && x <= to).map(({ x, y }) => ({ x: x - from, y })),
  });
  const yLabel = 'taken away, dB';
  return chartsSvg([
    {
      title: '16 dB up at 100 ms, to 10 dB over',
      xLabel: 'ms',
      yLabel,
      series: series.map((one) => near(0, 400, one)),
    },
    {
      title: 'and back at 100 ms',
      xLabel: 'ms',
      yLabel,
      series: series.map((one) => near(STEP.downMs - STEP.upMs, STEP.downMs - STEP.upMs + 1_000, one)),
    },
  ]);
}

/** What the stages do over half a minute in which pop gives way to speech and to an orchestra. */
function reductions(readings, fromSeconds) {
  const some = readings.slice(fromSeconds * 10, (fromSeconds + 40) * 10);
  const line = (name, of) => ({
    name,
    points: some.map((reading, index) => ({ x: index / 10, y: of(reading) })),
  });
  const chart = (title, series) => ({ title, xLabel: 's', yLabel: 'dB', series });
  return chartsSvg([
    chart('Taken away, band 1 / limiter', [
      line('left: band 1, middle: band 3, right: the leveller, from its most', (r) => r.bandReductionDb[0]),
      line('limiter', (r) => r.limiterReductionDb),
    ]),
    chart('Taken away, band 3 / limiter', [
      line('', (r) => r.bandReductionDb[2]),
      line('', (r) => r.limiterReductionDb),
    ]),
    chart('Taken away by the leveller / limiter', [
      line('', (r) => 24 - r.levellerGainDb),
      line('', (r) => r.limiterReductionDb),
    ]),
  ]);
}

const folder = mkdtempSync(join(tmpdir(), 'sustain-processing-'));
try {
  const oracle = buildOracle(folder);
  const shortPath = join(folder, 'short.f32');
  writeMixed(shortPath, SHORT);
  const short = readSamples(shortPath);
  told('CPU');
  const costs = cpu(shortPath, short);
  console.log(costs);
  told('limiters');
  const distortion = limiters(folder);
  told('steps');
  writeFileSync(join(docs, 'processing-steps.svg'), steps(folder));
  const music = ours(chainValues('music'), short);
  writeFileSync(join(docs, 'processing-reductions.svg'), reductions(music.readings, 35));
  told('codecs');
  const loud = ours(chainValues('loud', { loudness: -14, ceiling: 0 }), short.subarray(0, 2 * 60 * RATE_HZ));
  const overshoots = Object.entries(CODECS).map(([codec, { words, ceiling }]) => {
    const { out } = ours(chainValues('loud', { loudness: -14, ceiling }), short.subarray(0, loud.out.length));
    const [before, after] = [out, throughCodec(words, out)].map((some) => oracle.brief(some).truePeakDbtp);
    return { codec, ceiling, before, after };
  });
  const hour = [];
  if (!isBrief) {
    told('an hour of mixed programme');
    const path = join(folder, 'hour.f32');
    writeMixed(path, mixOf(3_600, HOUR_SEED));
    const before = windowFigures(await oracle.briefOf(secondsOf(path)), -16);
    hour.push({ what: 'before', target: -16, ...before });
    for (const preset of PRESETS) {
      const figures = TARGETS_LUFS.map(async (target) => {
        const pieces = oursBySeconds(chainValues(preset, { loudness: target }), path);
        return { what: preset, target, ...windowFigures(await oracle.briefOf(pieces), target) };
      });
      hour.push(...(await Promise.all(figures)));
      told(preset);
    }
  }
  const command = 'npm run bench -- processing';
  const { text, failures } = processingMarkdown({
    command,
    machine: machine(),
    costs,
    distortion,
    overshoots,
    hour,
  });
  writeFileSync(join(docs, 'processing.md'), text);
  console.log(text);
  for (const failure of failures) console.error(`FAILED: ${failure}`);
  process.exitCode = failures.length > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true });
}
