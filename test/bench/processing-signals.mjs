// Signals for limiters, and what is wrong with them afterwards. All frequencies are whole numbers of Hz, so that one second
// holds whole periods of everything and nothing leaks.
import { RATE_HZ } from './processing-ways.mjs';

export const gainOf = (db) => 10 ** (db / 20);
const SECONDS = 12;

const stereo = (seconds, sample) => {
  const out = new Float32Array(seconds * RATE_HZ * 2);
  for (let frame = 0; frame < out.length / 2; frame += 1)
    out[2 * frame] = out[2 * frame + 1] = sample(frame / RATE_HZ);
  return out;
};
const sin = (hertz, t) => Math.sin(2 * Math.PI * hertz * t);

/** The peak is so many dB over full scale. */
export const SIGNALS = {
  'THD+N at 60 Hz': { make: (peak) => stereo(SECONDS, (t) => peak * sin(60, t)), wanted: [60] },
  'THD+N at 1 kHz': { make: (peak) => stereo(SECONDS, (t) => peak * sin(1_000, t)), wanted: [1_000] },
  'SMPTE, 60 Hz and 7 kHz 4:1': {
    make: (peak) => stereo(SECONDS, (t) => peak * (0.8 * sin(60, t) + 0.2 * sin(7_000, t))),
    wanted: [60, 7_000],
    products: [1, 2].flatMap((n) => [7_000 - 60 * n, 7_000 + 60 * n]),
    relativeTo: [7_000],
  },
  'CCIF, 18 and 19 kHz': {
    make: (peak) => stereo(SECONDS, (t) => (peak / 2) * (sin(18_000, t) + sin(19_000, t))),
    wanted: [18_000, 19_000],
    products: [1_000, 17_000, 20_000],
    relativeTo: [18_000, 19_000],
  },
};

export const DRIVES_DB = [3, 6, 10];
export const CEILING_DB = -1;

/** Every signal at every drive, one behind the other, so that each way has to be run once. */
export const CASES = Object.entries(SIGNALS).flatMap(([name, signal]) =>
  DRIVES_DB.map((driveDb) => ({ name, signal, driveDb })),
);

export function allCases() {
  const parts = CASES.map(({ signal, driveDb }) => signal.make(gainOf(CEILING_DB + driveDb)));
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => {
    all.set(part, at);
    return at + part.length;
  }, 0);
  return all;
}

const caseOf = (samples, index) =>
  samples.subarray(2 * index * SECONDS * RATE_HZ, 2 * (index + 1) * SECONDS * RATE_HZ);

/** Distortion in percent and how much lower the tones came out in dB, case by case. */
export const judged = (input, output) =>
  CASES.map(({ signal }, index) => ({
    percent: distortionPercent(signal, caseOf(output, index)),
    reductionDb: reductionDb(signal, caseOf(input, index), caseOf(output, index)),
  }));

/** The last whole second but one of the left side. */
function middle(samples) {
  const from = samples.length / 2 - 2 * RATE_HZ;
  return Float64Array.from({ length: RATE_HZ }, (_, i) => samples[2 * (from + i)]);
}

function amplitudeAt(second, hertz) {
  let real = 0;
  let imaginary = 0;
  for (let i = 0; i < second.length; i += 1) {
    const angle = (2 * Math.PI * ((hertz * i) % RATE_HZ)) / RATE_HZ;
    real += second[i] * Math.cos(angle);
    imaginary += second[i] * Math.sin(angle);
  }
  return (2 * Math.hypot(real, imaginary)) / second.length;
}

/** In percent: everything but the wanted tones, or only the products where the signal names them. */
function distortionPercent({ wanted, products, relativeTo }, samples) {
  const second = middle(samples);
  const sumOf = (frequencies) => Math.hypot(...frequencies.map((hertz) => amplitudeAt(second, hertz)));
  if (products !== undefined) return (100 * sumOf(products)) / sumOf(relativeTo);
  const mean = second.reduce((sum, x) => sum + x, 0) / second.length;
  const power = second.reduce((sum, x) => sum + (x - mean) ** 2, 0) / second.length;
  const tone = sumOf(wanted) ** 2 / 2;
  return 100 * Math.sqrt(Math.max(0, power - tone) / tone);
}

/** How much lower the tones came out, in dB. */
function reductionDb({ wanted }, input, samples) {
  const [before, after] = [input, samples].map((some) =>
    Math.hypot(...wanted.map((hertz) => amplitudeAt(middle(some), hertz))),
  );
  return 20 * Math.log10(before / after);
}

/** 1 kHz that jumps up by 16 dB, to 10 dB over the ceiling, and back. */
export const STEP = { upMs: 2_000, downMs: 2_600, endMs: 4_000 };
export const step = () =>
  stereo(STEP.endMs / 1_000, (t) => {
    const isUp = t * 1_000 >= STEP.upMs && t * 1_000 < STEP.downMs;
    return gainOf(isUp ? 9 : -7) * sin(1_000, t);
  });

/** How much is taken away in each whole period of 1 kHz, in dB; the samples begin `lateFrames` late. */
export function stepReduction(input, samples, lateFrames = 0) {
  const periods = [];
  for (let ms = STEP.upMs - 100; ms < STEP.endMs - 100; ms += 4) {
    const levelOf = (some, late) => {
      let sum = 0;
      for (let i = 0; i < 48; i += 1) sum += some[2 * (ms * 48 + i + late)] ** 2;
      return 10 * Math.log10(sum / 48);
    };
    periods.push({ x: ms - STEP.upMs, y: Math.max(0, levelOf(input, 0) - levelOf(samples, lateFrames)) });
  }
  return periods;
}
