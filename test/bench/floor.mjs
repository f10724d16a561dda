// What no relay of two legs can leave out, measured from memory: the floor under every way of the relay's bench.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMeter } from '../../dist/src/audio/meter.js';
import { chainValues, oursCpuSeconds, RATE_HZ, readSamples } from './processing-ways.mjs';

const SECONDS = 180;
const LEGS = 2;
const PIECE_SAMPLES = (2 * RATE_HZ) / 10;

/**
 * Percent of one core for one station, by LAME's quality (its own scale): `encoder`, one MP3 encoded at 44.1 kHz, and `all`,
 * that with two legs decoded and metered and one chain of processing. No network, no delay line, no decision.
 *
 * @param {Buffer} loop MP3 of the programme
 * @param {readonly number[]} qualities
 * @returns {Record<number, { encoder: number, all: number }>}
 */
export function floorCores(loop, qualities) {
  const folder = mkdtempSync(join(tmpdir(), 'sustain-bench-'));
  try {
    const [mp3, wav, raw] = ['loop.mp3', 'sound.wav', 'sound.f32'].map((name) => join(folder, name));
    writeFileSync(mp3, loop);
    ffmpegSeconds(['-i', mp3, '-ar', '44100', '-c:a', 'pcm_f32le', wav]);
    ffmpegSeconds(['-i', mp3, '-ar', String(RATE_HZ), '-ac', '2', '-f', 'f32le', raw]);
    const sound = readSamples(raw);
    const loopSeconds = sound.length / 2 / RATE_HZ;
    const decoding = ffmpegSeconds([
      '-stream_loop',
      '-1',
      '-i',
      mp3,
      '-t',
      String(SECONDS),
      '-f',
      'null',
      '-',
    ]);
    const metering = (meterSeconds(sound) / loopSeconds) * SECONDS;
    const chain = (oursCpuSeconds(chainValues('music'), sound) / loopSeconds) * SECONDS;
    const core = (seconds) => (100 * seconds) / SECONDS;
    return Object.fromEntries(
      qualities.map((quality) => {
        const codec = ['-c:a', 'libmp3lame', '-b:a', '128k', '-compression_level', String(quality)];
        const whole = ['-stream_loop', '-1', '-i', wav, '-t', String(SECONDS)];
        const encoding = ffmpegSeconds([...whole, ...codec, '-f', 'null', '-']);
        return [
          quality,
          { encoder: core(encoding), all: core(encoding + LEGS * (decoding + metering) + chain) },
        ];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** CPU seconds of one leg's meter, as the agent has it. */
function meterSeconds(sound) {
  const meter = createMeter({ thresholdDbfs: -50, preset: 'music', onReading: () => {} });
  const from = process.cpuUsage();
  for (let at = 0; at < sound.length; at += PIECE_SAMPLES) meter.push(sound.subarray(at, at + PIECE_SAMPLES));
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e6;
}

/** User and system seconds. */
function ffmpegSeconds(args) {
  const words = ['-hide_banner', '-nostdin', '-y', '-benchmark', '-threads', '1', ...args];
  const { status, stderr } = spawnSync('ffmpeg', words, { encoding: 'utf8' });
  const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr) ?? [];
  if (status !== 0 || user === undefined) throw new Error(`ffmpeg ${args.join(' ')}: ${stderr.slice(-500)}`);
  return Number(user) + Number(system);
}
