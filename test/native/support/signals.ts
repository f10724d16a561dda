/** Test signals as recipes, rendered a second at a time so that long ones need no memory. */

/** Sines at 1 kHz, in phase in all channels; `dbfs` is the peak level of each channel, -Infinity being silence. */
export interface Segment {
  readonly seconds: number;
  readonly dbfs: number | readonly number[];
}

export const stereo = (seconds: number, dbfs: number): Segment => ({ seconds, dbfs });
export const silence = (seconds: number): Segment => ({ seconds, dbfs: -Infinity });
export const repeated = (times: number, ...segments: readonly Segment[]): Segment[] =>
  Array.from({ length: times }, () => segments).flat();

export const secondsOf = (segments: readonly Segment[]): number =>
  segments.reduce((sum, segment) => sum + segment.seconds, 0);

const gainOf = (dbfs: number): number => 10 ** (dbfs / 20);

/** Yields interleaved pieces of at most one second. The sine runs on through the changes of level. */
export function* render(
  segments: readonly Segment[],
  rateHz: number,
  channels: number,
): Generator<Float32Array> {
  // Ten periods of 1 kHz last 10 ms, a whole number of samples at every rate used here.
  const table = Float64Array.from({ length: rateHz / 100 }, (_, i) =>
    Math.sin((2 * Math.PI * 1000 * i) / rateHz),
  );
  let frame = 0;
  let endSeconds = 0;
  for (const segment of segments) {
    endSeconds += segment.seconds;
    const end = Math.round(endSeconds * rateHz);
    const gains = Array.from({ length: channels }, (_, c) =>
      gainOf(typeof segment.dbfs === 'number' ? segment.dbfs : (segment.dbfs[c] ?? -Infinity)),
    );
    const period = new Float32Array(table.length * channels);
    for (let i = 0; i < period.length; i++) {
      period[i] = (table[Math.floor(i / channels)] ?? 0) * (gains[i % channels] ?? 0);
    }
    while (frame < end) {
      const count = Math.min(rateHz, end - frame);
      yield repeatedPeriod(period, (frame % table.length) * channels, count * channels);
      frame += count;
    }
  }
}

function repeatedPeriod(period: Float32Array, from: number, length: number): Float32Array {
  const piece = new Float32Array(length);
  let start = from;
  for (let at = 0; at < length; ) {
    const part = period.subarray(start, start + length - at);
    piece.set(part, at);
    at += part.length;
    start = 0;
  }
  return piece;
}

/** A stereo signal from a function of the frame number. */
export function fromFunction(
  frames: number,
  sample: (frame: number) => number | readonly [number, number],
): Float32Array {
  const samples = new Float32Array(frames * 2);
  for (let i = 0; i < frames; i++) {
    const value = sample(i);
    samples[2 * i] = typeof value === 'number' ? value : value[0];
    samples[2 * i + 1] = typeof value === 'number' ? value : value[1];
  }
  return samples;
}

/** Reproducible numbers from 0 to 1 (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
