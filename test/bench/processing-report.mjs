// What the bench of the processing chain found, as markdown, and what of it has to hold.
import { CASES, DRIVES_DB, SIGNALS } from './processing-signals.mjs';

const LEAST_TIMES_MCOMPAND = 8;
const MOST_SILENCE_RATIO = 1.2;

const table = (head, rows) =>
  [head, head.map((_, column) => (column === 0 ? '---' : '--:')), ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');

/** Gated loudness of every window of 60 s that begins 10 s or more after the start, relative to the target. */
export function windowFigures({ momentary, integratedLufs, truePeakDbtp }, target) {
  const errors = [];
  for (let from = 100; from + 600 <= momentary.length; from += 10) {
    const heard = momentary
      .slice(from + 3, from + 600)
      .filter((lufs) => lufs > -70)
      .map((lufs) => 10 ** (lufs / 10));
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const gate = mean(heard) / 10;
    errors.push(10 * Math.log10(mean(heard.filter((energy) => energy > gate))) - target);
  }
  return {
    windows: errors.length,
    lowest: Math.min(...errors),
    highest: Math.max(...errors),
    outside: errors.filter((error) => Math.abs(error) > 1).length,
    integratedLufs,
    truePeakDbtp,
  };
}

function costRows({ perHour }) {
  const ours = perHour['Sustain music'];
  return Object.entries(perHour).map(([name, seconds]) => [
    name,
    seconds.toFixed(2),
    `${(seconds / ours).toFixed(2)} x`,
  ]);
}

const percentText = (percent) => (percent < 0.1 ? percent.toFixed(4) : percent.toFixed(2));

function distortionTables(distortion) {
  return Object.keys(SIGNALS)
    .map((signal) => {
      const rows = Object.entries(distortion).map(([way, figures]) => [
        way,
        ...DRIVES_DB.map((driveDb) => {
          const { percent, reductionDb } =
            figures[CASES.findIndex((one) => one.name === signal && one.driveDb === driveDb)];
          return `${percentText(percent)} % (${reductionDb.toFixed(1)} dB)`;
        }),
      ]);
      return `${signal}:\n\n${table(['', ...DRIVES_DB.map((db) => `${db} dB over the ceiling`)], rows)}`;
    })
    .join('\n\n');
}

export function processingMarkdown({ command, machine, costs, distortion, overshoots, hour }) {
  const ours = Object.entries(costs.perHour).filter(([name]) => name.startsWith('Sustain'));
  const timesOf = ([, seconds]) => costs.perHour['ffmpeg mcompand,alimiter'] / seconds;
  const [least, most] = [Math.min, Math.max].map((of) => of(...ours.map(timesOf)));
  const failures = [];
  if (least < LEAST_TIMES_MCOMPAND)
    failures.push(`${least.toFixed(1)} times faster than mcompand,alimiter, not ${LEAST_TIMES_MCOMPAND}`);
  if (costs.silenceRatio > MOST_SILENCE_RATIO)
    failures.push(`silence costs ${costs.silenceRatio.toFixed(2)} times what music does`);
  for (const { what, target, outside, truePeakDbtp } of hour.slice(1)) {
    if (outside > 0) failures.push(`${what}: ${outside} minutes are not within 1 LU of ${target} LUFS`);
    if (truePeakDbtp > -1) failures.push(`${what}: true peak ${truePeakDbtp.toFixed(2)} dBTP`);
  }
  const hourRows = hour.map((row) => [
    row.what,
    String(row.target),
    `${row.lowest.toFixed(2)} to ${row.highest.toFixed(2)}`,
    `${row.outside} of ${row.windows}`,
    row.integratedLufs.toFixed(2),
    row.truePeakDbtp.toFixed(2),
  ]);
  const overshootRows = overshoots.map(({ codec, ceiling, before, after }) => [
    codec,
    String(ceiling),
    before.toFixed(2),
    after.toFixed(2),
    (after - ceiling).toFixed(2),
  ]);
  const text = `# The processing chain: loudness, sound and cost
${failures.length === 0 ? '' : `\n**This run failed, so don't quote it:**\n\n${failures.map((one) => `- ${one}`).join('\n')}\n`}
\`${command}\`, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC.
${machine}.

## Loudness over an hour of mixed programme

Pop at -8 LUFS, an orchestra at -30 with swells of 16 dB every 23 s, bands, ambient music and two voices at -28, hard up
against each other in parts of 20 s to 5 min (\`fixtures/corpus/mixed.mjs\`, seed 15). Measured by libebur128: the gated
loudness of every window of 60 s, one each second, from 10 s after the start, relative to the target.

${table(['', 'target, LUFS', 'minutes, LU from the target', 'beyond 1 LU', 'integrated, LUFS', 'true peak, dBTP'], hourRows)}

## After the codec

The loud preset at -14 LUFS, ceiling -1 dBTP, or -2 below 96 kbit/s. True peak by libebur128 before the encoder and after
a decoder.

${table(['', 'ceiling, dBTP', 'before, dBTP', 'after, dBTP', 'over the ceiling, dB'], overshootRows)}

## The limiter

Tones so many decibels over a ceiling of -1 dBTP, in the last two of twelve seconds; in brackets how much lower they came
out. THD+N is everything but the tone; of the intermodulation figures, the products 60 and 120 Hz beside 7 kHz, and those of
18 and 19 kHz at 1, 17 and 20 kHz. \`acompressor\` at its defaults before \`alimiter=limit=0.891:level=0\`;
\`loudnorm=I=-16:TP=-1:LRA=11\` brings a tone to its loudness, whatever the drive; Liquidsoap's \`limit(threshold=-1.)\` behind
\`compress(threshold=-10., ratio=2.)\`. They all turn down steady tones; only what is in brackets makes the figures
comparable.

${distortionTables(distortion)}

![Step responses](processing-steps.svg)

The music preset at work, on pop that gives way to speech after 10 s:

![Gain reduction](processing-reductions.svg)

## CPU

User and system seconds for an hour of stereo at 48 kHz, medians of three rounds in turn, the reading of the file taken off
what ffmpeg's filters cost. Ours is the whole chain: high-pass, leveller, five bands with phase compensation, true-peak
limiter, and its meters.

${table(['', 'CPU s per hour', 'to Sustain music'], costRows(costs))}

${least.toFixed(1)} to ${most.toFixed(1)} times faster than \`mcompand,alimiter\` (five bands without phase compensation, and no true peak); at least ${LEAST_TIMES_MCOMPAND} are wanted.
Digital silence after sound costs ${costs.silenceRatio.toFixed(2)} times what music does: denormal numbers don't slow it down.
`;
  return { text, failures };
}
