import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Real music and speech that Debian packages. */

export interface Material {
  readonly name: string;
  readonly path: string;
  readonly debianPackage: string;
}

export const music: readonly Material[] = [
  {
    name: 'ambient electronics',
    path: '/usr/share/games/singularity/music/Nebula.ogg',
    debianPackage: 'singularity-music',
  },
  {
    name: 'loud electronics',
    path: '/usr/share/games/singularity/music/Media Threat.ogg',
    debianPackage: 'singularity-music',
  },
  {
    name: 'orchestral march',
    path: '/usr/share/games/asc/music/time_to_strike.mp3',
    debianPackage: 'asc-music',
  },
  {
    name: 'synthesizer band',
    path: '/usr/share/planetblupi/music/music004.ogg',
    debianPackage: 'planetblupi-music-ogg',
  },
];

/** Its first minute is one pattern with a slowly opening filter: the hardest there is to tell from a stuck loop. */
export const danceMusic: Material = {
  name: 'dance music',
  path: '/usr/share/games/singularity/music/Enemy Unknown.ogg',
  debianPackage: 'singularity-music',
};

export const sequencedMusic: Material = {
  name: 'sequenced music',
  path: '/usr/share/games/singularity/music/By-Product.ogg',
  debianPackage: 'singularity-music',
};

/** Three paragraphs, so that the voices have sentences and pauses to speak. */
const text = `Good evening. This is the news at ten o'clock, read to you from the studio by the sea.
The harbour was closed this morning after a ferry lost its rudder in fog. Nobody was hurt, and by noon the boats went again.
Farmers in the valley expect a late harvest. It rained for nineteen days; the river rose, and then, on Sunday, it stopped.
Now the weather. Tonight, clear in the north, some cloud in the south. Tomorrow, wind from the west, and a little sun at last.`;

function run(command: string, args: readonly string[], input?: Buffer, debianPackage = command): Buffer {
  const result = spawnSync(command, [...args], { input, maxBuffer: 2 ** 30 });
  if (result.error) throw new Error(`The material needs ${command}: apt-get install ${debianPackage}`);
  if (result.status !== 0) throw new Error(`${command} failed: ${result.stderr.toString()}`);
  return result.stdout;
}

function floatsOf(bytes: Buffer): Float32Array {
  const copy = new Uint8Array(bytes.byteLength - (bytes.byteLength % 4));
  copy.set(bytes.subarray(0, copy.length));
  return new Float32Array(copy.buffer);
}

export interface Cut {
  readonly fromSeconds?: number;
  readonly seconds: number;
  readonly rateHz: number;
  readonly channels: number;
}

export function decode(material: Material, cut: Cut): Float32Array {
  if (!existsSync(material.path)) {
    throw new Error(`${material.name} is missing: apt-get install ${material.debianPackage}`);
  }
  const { fromSeconds = 0, seconds, rateHz, channels } = cut;
  const place = ['-ss', String(fromSeconds), '-t', String(seconds), '-i', material.path];
  const format = ['-ac', String(channels), '-ar', String(rateHz), '-f', 'f32le', '-'];
  return floatsOf(run('ffmpeg', ['-v', 'error', '-nostdin', ...place, ...format]));
}

/** About 40 s of a synthetic newsreader. */
export function speech(voice: 'espeak-ng' | 'flite', rateHz: number, channels: number): Float32Array {
  const wav =
    voice === 'espeak-ng'
      ? run('espeak-ng', ['-s', '150', '--stdout', text])
      : run(
          'sh',
          ['-c', 'f=$(mktemp) && flite -t "$0" -o "$f" && cat "$f"; rm -f "$f"', text],
          undefined,
          'flite',
        );
  const format = ['-ac', String(channels), '-ar', String(rateHz), '-f', 'f32le', '-'];
  return floatsOf(run('ffmpeg', ['-v', 'error', '-f', 'wav', '-i', '-', ...format], wav));
}
