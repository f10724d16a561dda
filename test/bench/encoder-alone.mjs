// What LAME takes of any relay's CPU: the floor under every way of the relay's bench.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SECONDS = 180;

/**
 * Percent of one core that one station's MP3 takes, encoded from sound that lies ready in memory at 44.1 kHz.
 * @param {Buffer} loop MP3 of the programme
 * @param {number} quality LAME's own scale
 * @returns {number}
 */
export function encoderAloneCore(loop, quality) {
  const folder = mkdtempSync(join(tmpdir(), 'sustain-bench-'));
  try {
    const wav = join(folder, 'sound.wav');
    run(['-i', 'pipe:0', '-ar', '44100', '-c:a', 'pcm_f32le', wav], loop);
    const sound = ['-stream_loop', '-1', '-i', wav, '-t', String(SECONDS)];
    const codec = ['-c:a', 'libmp3lame', '-b:a', '128k', '-compression_level', String(quality)];
    const said = run(['-benchmark', ...sound, ...codec, '-f', 'null', '-']);
    const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(said) ?? [];
    return (100 * (Number(user) + Number(system))) / SECONDS;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(args, input) {
  const { status, stderr } = spawnSync('ffmpeg', ['-hide_banner', '-y', ...args], {
    input,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`ffmpeg ${args.join(' ')}: ${stderr.slice(-500)}`);
  return stderr;
}
