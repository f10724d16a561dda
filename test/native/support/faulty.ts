import { spawnSync } from 'node:child_process';
import { seededRandom } from './signals.ts';

/** Faulty programme at 48 kHz stereo, made from clean programme and from formulas. All levels are RMS. */

export const rateHz = 48_000;
const channels = 2;

export const gainOf = (dbfs: number): number => 10 ** (dbfs / 20);

function scaledTo(dbfs: number, mono: Float64Array): Float32Array {
  const power = mono.reduce((sum, x) => sum + x * x, 0) / mono.length;
  const gain = gainOf(dbfs) / Math.sqrt(power);
  const stereo = new Float32Array(mono.length * channels);
  for (let i = 0; i < mono.length; i++) stereo[2 * i] = stereo[2 * i + 1] = (mono[i] ?? 0) * gain;
  return stereo;
}

function monoOf(seconds: number, sample: (frame: number) => number): Float64Array {
  return Float64Array.from({ length: Math.round(seconds * rateHz) }, (_, i) => sample(i));
}

export function whiteNoise(seconds: number, dbfs: number): Float32Array {
  const random = seededRandom(21);
  return scaledTo(
    dbfs,
    monoOf(seconds, () => random() + random() + random() - 1.5),
  );
}

/** Each stage changes half as often as the one before. */
export function pinkNoise(seconds: number, dbfs: number): Float32Array {
  const random = seededRandom(22);
  const stages = new Float64Array(12);
  let sum = 0;
  return scaledTo(
    dbfs,
    monoOf(seconds, (i) => {
      // The lowest bit that is set says which stage it is the turn of.
      const stage = Math.min(31 - Math.clz32((i + 1) & -(i + 1)), stages.length - 1);
      const fresh = random() - 0.5;
      sum += fresh - (stages[stage] ?? 0);
      stages[stage] = fresh;
      return sum + random() - 0.5;
    }),
  );
}

/** Mains hum with harmonics; a rectifier's buzz has many, a ground loop few. */
export function hum(seconds: number, dbfs: number, mainsHz: number, harmonics: number): Float32Array {
  const period = Float64Array.from({ length: 9600 }, (_, i) => {
    let sum = 0;
    for (let n = 1; n <= harmonics; n++) sum += Math.sin((2 * Math.PI * n * i) / 9600 + n) / n ** 0.7;
    return sum;
  });
  return scaledTo(
    dbfs,
    monoOf(seconds, (i) => period[Math.floor(((i * mainsHz) / rateHz) * 9600) % 9600] ?? 0),
  );
}

export function tone(seconds: number, dbfs: number, hertz: number): Float32Array {
  return scaledTo(
    dbfs,
    monoOf(seconds, (i) => Math.sin((2 * Math.PI * hertz * i) / rateHz)),
  );
}

export function joined(...parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function mixed(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((x, i) => x + (b[i] ?? 0));
}

export function amplified(audio: Float32Array, db: number): Float32Array {
  const gain = gainOf(db);
  return audio.map((x) => x * gain);
}

/** Each frame through a function of left and right. */
export function remixed(
  audio: Float32Array,
  mix: (left: number, right: number, second: number) => readonly [number, number],
): Float32Array {
  const result = new Float32Array(audio.length);
  for (let i = 0; i < audio.length; i += 2) {
    const [left, right] = mix(audio[i] ?? 0, audio[i + 1] ?? 0, i / 2 / rateHz);
    result[i] = left;
    result[i + 1] = right;
  }
  return result;
}

export const seconds = (audio: Float32Array, from: number, to: number): Float32Array =>
  audio.subarray(Math.round(from * rateHz) * channels, Math.round(to * rateHz) * channels);

/** With noise of its own on each side, as a microphone's room or a converter's dither is: low bitrates can't keep it. */
export function withFloor(audio: Float32Array, dbfs: number): Float32Array {
  const left = whiteNoise(audio.length / channels / rateHz, dbfs);
  const right = Float32Array.from(left).reverse();
  return audio.map((x, i) => x + ((i % channels === 0 ? left : right)[i] ?? 0));
}

export function loopOf(part: Float32Array, times: number): Float32Array {
  return joined(...Array.from({ length: times }, () => part));
}

export const codecs = {
  'MP3 64k': ['-c:a', 'libmp3lame', '-b:a', '64k', '-f', 'mp3'],
  'MP3 128k': ['-c:a', 'libmp3lame', '-b:a', '128k', '-f', 'mp3'],
  'AAC 32k': ['-c:a', 'aac', '-b:a', '32k', '-f', 'adts'],
  'AAC 64k': ['-c:a', 'aac', '-b:a', '64k', '-f', 'adts'],
  'AAC 128k': ['-c:a', 'aac', '-b:a', '128k', '-f', 'adts'],
  'Opus 32k': ['-c:a', 'libopus', '-b:a', '32k', '-f', 'ogg'],
  'Opus 96k': ['-c:a', 'libopus', '-b:a', '96k', '-f', 'ogg'],
} as const;

export type Codec = keyof typeof codecs;

/** Encodes and decodes again; the result starts some milliseconds later, as every codec has it. */
export function through(codec: Codec, audio: Float32Array): Float32Array {
  const raw = ['-f', 'f32le', '-ac', String(channels), '-ar', String(rateHz)];
  const ffmpeg = (args: readonly string[], input: Uint8Array): Buffer => {
    const { status, stdout, stderr } = spawnSync('ffmpeg', ['-v', 'error', ...args], {
      input,
      maxBuffer: 2 ** 30,
    });
    if (status !== 0) throw new Error(`ffmpeg failed: ${stderr}`);
    return stdout;
  };
  const bytes = new Uint8Array(audio.buffer, audio.byteOffset, audio.byteLength);
  const encoded = ffmpeg([...raw, '-i', '-', ...codecs[codec], '-'], bytes);
  const decoded = ffmpeg(['-i', '-', ...raw, '-'], encoded);
  return new Float32Array(Uint8Array.from(decoded.subarray(0, decoded.length - (decoded.length % 8))).buffer);
}
