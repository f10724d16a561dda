import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { SustainError } from '../../platform/errors.ts';

/** The rig's one PCM format: 16 bit little endian, interleaved. */
export const SAMPLE_RATE_HZ = 44_100;
export const CHANNELS = 2;

/** Decoded music with its pilot mixed in: a loop of whole seconds, so that the pilot has no seam. */
export interface Material {
  readonly samples: Int16Array;
  readonly pilotHz: number;
}

/** Music of Debian packages, each with a start that skips quiet intros. */
export const MUSIC = {
  studio: {
    path: '/usr/share/games/singularity/music/Through Space.ogg',
    fromSeconds: 40,
  },
  autodj: {
    path: '/usr/share/planetblupi/music/music004.ogg',
    fromSeconds: 30,
  },
  other: { path: '/usr/share/games/asc/music/frontiers.mp3', fromSeconds: 40 },
  calm: {
    path: '/usr/share/games/singularity/music/Coherence.ogg',
    fromSeconds: 40,
  },
} as const;

export type MusicName = keyof typeof MUSIC;

/**
 * Pilots: a soft tone under the music by which the analysis knows a programme again in every 50 ms.
 * Whole Hz, so they loop; all but one have a notch cut into the music, where the encoders keep 128 kbit/s MP3 clean.
 */
export const PILOTS_HZ = {
  primary: 6100,
  secondary: 6900,
  autodj: 7700,
  other: 8500,
} as const;
export const PILOT_LEVEL_DBFS = -38;

const NOTCH_WIDTH_HZ = 240;
const decoded = new Map<string, Promise<Int16Array>>();

/** Decodes once per process; programmes that differ in the pilot only share the work. */
export async function loadMaterial(options: {
  music: MusicName | { readonly path: string; readonly fromSeconds: number };
  pilotHz: number;
  loopSeconds?: number;
}): Promise<Material> {
  const { path, fromSeconds } = typeof options.music === 'string' ? MUSIC[options.music] : options.music;
  const loopSeconds = options.loopSeconds ?? 90;
  const key = `${path} ${fromSeconds} ${loopSeconds}`;
  const pending = decoded.get(key) ?? decodeMusic(path, fromSeconds, loopSeconds);
  decoded.set(key, pending);
  return {
    samples: withPilot(await pending, options.pilotHz),
    pilotHz: options.pilotHz,
  };
}

/** Several pilots may be given, for a test that needs a mixture. */
function withPilot(music: Int16Array, pilotHz: number): Int16Array {
  const mixed = new Int16Array(music);
  const peak = 32767 * Math.SQRT2 * 10 ** (PILOT_LEVEL_DBFS / 20);
  const period = new Int16Array(SAMPLE_RATE_HZ);
  for (let frame = 0; frame < SAMPLE_RATE_HZ; frame += 1) {
    period[frame] = Math.round(peak * Math.sin((2 * Math.PI * pilotHz * frame) / SAMPLE_RATE_HZ));
  }
  for (let index = 0; index < mixed.length; index += 1) {
    const pilot = period[(index >> 1) % SAMPLE_RATE_HZ] ?? 0;
    mixed[index] = Math.max(-32768, Math.min(32767, (mixed[index] ?? 0) + pilot));
  }
  return mixed;
}

async function decodeMusic(path: string, fromSeconds: number, loopSeconds: number): Promise<Int16Array> {
  if (!existsSync(path)) {
    throw new SustainError(
      'no-music',
      `${path} is missing: apt-get install asc-music singularity-music planetblupi-music-ogg`,
    );
  }
  const notches = Object.values(PILOTS_HZ).flatMap((pilotHz) =>
    Array<string>(2).fill(`bandreject=f=${pilotHz}:width_type=h:w=${NOTCH_WIDTH_HZ}`),
  );
  // Frames of a second: ffmpeg's own of 20 ms cost ten times the filtering itself in switches between threads.
  const oneSecond = `asetnsamples=n=${SAMPLE_RATE_HZ}`;
  const filters = [`aresample=${SAMPLE_RATE_HZ}`, oneSecond, 'volume=0.8', ...notches].join(',');
  const pcm = await runFfmpeg([
    ...[
      '-ss',
      String(fromSeconds),
      '-t',
      String(loopSeconds + 1),
      '-i',
      path,
      '-map',
      '0:a:0',
      '-af',
      filters,
    ],
    ...['-f', 's16le', '-ac', String(CHANNELS), '-ar', String(SAMPLE_RATE_HZ), 'pipe:1'],
  ]);
  const wantedBytes = loopSeconds * SAMPLE_RATE_HZ * CHANNELS * 2;
  if (pcm.output.length < wantedBytes)
    throw new SustainError('short-music', `${path} is shorter than ${loopSeconds} s.`);
  return new Int16Array(pcm.output.buffer.slice(pcm.output.byteOffset, pcm.output.byteOffset + wantedBytes));
}

/** Runs one ffmpeg to its end. `complaints` is what it wrote at level `error`. */
export function runFfmpeg(
  args: readonly string[],
  input?: Uint8Array,
): Promise<{ output: Buffer; complaints: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('ffmpeg', ['-nostdin', '-hide_banner', '-v', 'error', ...args], {
      stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    const output: Buffer[] = [];
    let complaints = '';
    child.stdout?.on('data', (bytes: Buffer) => output.push(bytes));
    child.stderr?.on('data', (bytes: Buffer) => {
      complaints += bytes.toString('utf8');
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
    child.once('error', (error) =>
      reject(new SustainError('no-ffmpeg', 'ffmpeg cannot be started: apt-get install ffmpeg', error)),
    );
    child.once('close', (code) => {
      if (code === 0 || output.length > 0) resolve({ output: Buffer.concat(output), complaints });
      else reject(new SustainError('ffmpeg-failed', `ffmpeg ended with ${code}: ${complaints.slice(-1000)}`));
    });
  });
}
