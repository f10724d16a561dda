import { get } from 'node:http';
import { type Correlation, correlate, interpolate } from '../../src/audio/splice.ts';
import { type Material, runFfmpeg } from '../../src/demo/rig/material.ts';
import { type OggTitle, titlesOf } from './ogg-time.ts';

const RATE_HZ = 48_000;
const CHANNELS = 2;

/** Everything that came on one mount, for looking at the sound itself. */
export interface Capture {
  readonly disconnects: () => number;
  /** The longest time without a byte. */
  readonly longestGapMs: () => number;
  /** The titles that an Ogg stream brought, each with the time of the sound that it stands before. */
  readonly oggTitles: () => readonly OggTitle[];
  /** Hangs up; what was heard can still be asked for. */
  readonly close: () => void;
  readonly stop: () => Promise<Heard>;
}

export interface Heard {
  /** Interleaved stereo at 48 kHz. */
  readonly pcm: Float32Array;
  readonly complaints: readonly string[];
  readonly seconds: number;
}

export function capture(url: string, demuxer = 'mp3'): Promise<Capture> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const arrivedAtMs: number[] = [];
    let disconnects = 0;
    let [lastAtMs, longestGapMs] = [Number.POSITIVE_INFINITY, 0];
    const request = get(url, { agent: false, headers: { 'user-agent': 'VLC/3.0.18' } }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`${url} answered ${response.statusCode}`));
      response.on('data', (chunk: Buffer) => {
        const atMs = performance.now();
        longestGapMs = Math.max(longestGapMs, atMs - lastAtMs);
        lastAtMs = atMs;
        chunks.push(chunk);
        arrivedAtMs.push(atMs);
      });
      response.once('close', () => {
        disconnects += 1;
      });
      response.on('error', () => {});
      resolve({
        disconnects: () => disconnects,
        longestGapMs: () => longestGapMs,
        oggTitles: () => titlesOf(chunks, arrivedAtMs),
        close: () => request.destroy(),
        async stop() {
          request.destroy();
          return decodeRecording(chunks, demuxer);
        },
      });
    });
    request.on('error', reject);
  });
}

/** `keepSound` false: only what the decoder has to complain about is wanted. */
export async function decodeRecording(
  chunks: readonly Buffer[],
  demuxer: string,
  keepSound = true,
): Promise<Heard> {
  const sound = ['-f', 'f32le', '-ar', String(RATE_HZ), '-ac', String(CHANNELS), 'pipe:1'];
  const args = ['-f', demuxer, '-i', 'pipe:0', ...(keepSound ? sound : ['-f', 'null', '-'])];
  const { output, complaints } = await runFfmpeg(args, Buffer.concat(chunks));
  const pcm = floatsOf(output);
  return {
    pcm,
    complaints: complaints.split('\n').filter((line) => line.trim() !== ''),
    seconds: pcm.length / CHANNELS / RATE_HZ,
  };
}

const floatsOf = (bytes: Buffer) =>
  new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length - (bytes.length % 8)),
  );

/** The longest run of sound under -60 dBFS in both channels, in steps of 10 ms; the decoder's own start left out. */
export function longestQuiet(pcm: Float32Array): { readonly atMs: number; readonly durationMs: number } {
  const step = (RATE_HZ / 100) * CHANNELS;
  let longest = { atMs: 0, durationMs: 0 };
  let runMs = 0;
  for (let at = step * 20; at + step <= pcm.length; at += step) {
    let square = 0;
    for (let i = at; i < at + step; i += 1) square += (pcm[i] ?? 0) ** 2;
    runMs = 10 * Math.log10(square / step + 1e-20) < -60 ? runMs + 10 : 0;
    if (runMs > longest.durationMs) longest = { atMs: (at / step) * 10 + 10 - runMs, durationMs: runMs };
  }
  return longest;
}

export const longestQuietMs = (pcm: Float32Array): number => longestQuiet(pcm).durationMs;

/** How the place in the programme goes on: one entry per half second that was found in it. */
export interface Place {
  readonly atMs: number;
  readonly programmeMs: number;
  readonly peak: number;
}

/** How much sound a place is found by. */
export const PLACE_MS = 400;

/** Where in the material what was heard every half second lies; short pieces, as the tempo may be off by 0.4 %. What isn't found in it is left out. */
export async function placesIn(pcm: Float32Array, material: Material): Promise<readonly Place[]> {
  const bytes = new Uint8Array(
    material.samples.buffer,
    material.samples.byteOffset,
    material.samples.byteLength,
  );
  const { output } = await runFfmpeg(
    [
      '-f',
      's16le',
      '-ar',
      '44100',
      '-ac',
      '2',
      '-i',
      'pipe:0',
      '-f',
      'f32le',
      '-ar',
      String(RATE_HZ),
      'pipe:1',
    ],
    bytes,
  );
  const once = floatsOf(output);
  // The material is a loop, so it is laid down twice.
  const twice = new Float32Array(once.length * 2);
  twice.set(once);
  twice.set(once, once.length);
  const loopFrames = once.length / CHANNELS;
  const places: Place[] = [];
  let expected: number | null = null;
  const piece = (PLACE_MS / 1_000) * RATE_HZ;
  const hop = RATE_HZ / 2;
  for (let frame = hop; (frame + piece) * CHANNELS <= pcm.length; frame += hop) {
    const from: number = expected === null ? 0 : Math.max(0, expected - 3 * RATE_HZ);
    const to = expected === null ? loopFrames + 2 * RATE_HZ : expected + 3 * RATE_HZ + piece;
    const haystack = twice.slice(from * CHANNELS, to * CHANNELS);
    const found = await findAtAnyTempo(pcm, frame, piece, haystack, expected !== null);
    if (found === null || found.peak < 0.6) {
      expected = null;
      continue;
    }
    const place = from + found.offsetFrames;
    places.push({ atMs: frame / 48, programmeMs: place / 48, peak: found.peak });
    expected = (place + hop) % loopFrames;
  }
  return places;
}

/** Latency is worked off with up to 0.4 % of tempo. A note that is held looks more like itself a moment later than at a tempo that is off by 0.1 %. */
const TEMPOS = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((steps) =>
  steps === 0 ? [1] : [1 + steps * 0.0005, 1 - steps * 0.0005],
);

/** Where it is expected in the haystack, it is looked for at every tempo, though bright sound at another looks like nothing. */
async function findAtAnyTempo(
  pcm: Float32Array,
  frame: number,
  frames: number,
  haystack: Float32Array,
  isExpected: boolean,
) {
  let best: Correlation | null = null;
  for (const tempo of TEMPOS) {
    const reach = 64;
    const around = pcm.slice(
      (frame - reach) * CHANNELS,
      (frame + Math.ceil(frames * 1.005) + reach) * CHANNELS,
    );
    const needle = new Float32Array(frames * CHANNELS);
    if (around.length / CHANNELS < frames * 1.005 + 2 * reach) return best;
    interpolate(around, reach, tempo, needle);
    const found = await correlate(needle, haystack);
    if (found !== null && found.peak > (best?.peak ?? 0)) best = found;
    if (best !== null && best.peak > 0.97) break;
    const isAnotherProgramme = !isExpected && (best === null || best.peak < 0.4);
    if (isAnotherProgramme) break;
  }
  return best;
}

/** Latency is worked off by so much in a second: 0.4 % of tempo. */
const TEMPO_MS_PER_S = 4;

/** Where the programme jumped by more than `overMs` and the tempo: what a listener hears as a repeat or a hole. */
export function jumpsIn(places: readonly Place[], loopMs: number, overMs = 3): readonly string[] {
  return places.flatMap((place, index) => {
    const before = places[index - 1];
    if (before === undefined) return [];
    const raw = place.programmeMs - before.programmeMs - (place.atMs - before.atMs);
    const jumpMs = raw - loopMs * Math.round(raw / loopMs);
    const byTempoMs = ((place.atMs - before.atMs) / 1_000) * TEMPO_MS_PER_S;
    if (Math.abs(jumpMs) <= overMs + byTempoMs) return [];
    const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
    return [
      `${jumpMs.toFixed(1)} ms at ${seconds(place.atMs)}, ${seconds(place.programmeMs)} into the programme (peak ${place.peak.toFixed(2)})`,
    ];
  });
}

/** How much of it is little else than one tone, in steps of 100 ms (Goertzel). */
export function secondsOfTone(pcm: Float32Array, frequencyHz: number): number {
  const frames = RATE_HZ / 10;
  const turn = 2 * Math.cos((2 * Math.PI * frequencyHz) / RATE_HZ);
  let seconds = 0;
  for (let at = 0; at + frames * CHANNELS <= pcm.length; at += frames * CHANNELS) {
    let [before, last, energy] = [0, 0, 0];
    for (let i = at; i < at + frames * CHANNELS; i += CHANNELS) {
      const sample = pcm[i] ?? 0;
      energy += sample * sample;
      [before, last] = [last, sample + turn * last - before];
    }
    const power = (2 * (before * before + last * last - turn * before * last)) / frames;
    if (power > 0.8 * energy && energy > 0) seconds += 0.1;
  }
  return seconds;
}
