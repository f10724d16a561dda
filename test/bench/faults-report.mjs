// The table of faults.bench.mjs as Markdown, and which promises were not held.
import { execFileSync } from 'node:child_process';
import { cpus, release } from 'node:os';

const percent = (part, whole) =>
  whole === 0 ? '-' : `${((100 * part) / whole).toFixed(part === whole ? 0 : 1)} %`;
const seconds = (value) => (Number.isFinite(value) ? `${value.toFixed(2)} s` : '-');
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const signed = (value) => (Number.isFinite(value) && value > 0 ? `+${seconds(value)}` : seconds(value));
/** The one furthest from zero, with its sign. */
const furthest = (values) => values.toSorted((a, b) => Math.abs(a) - Math.abs(b)).at(-1) ?? Number.NaN;
const largest = (values) => Math.max(Number.NEGATIVE_INFINITY, ...values);

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function versionOf(command, pattern) {
  try {
    return pattern.exec(
      execFileSync(command, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    )?.[1];
  } catch {
    return undefined;
  }
}

function ffmpegVersion() {
  return /^ffmpeg version (\S+)/.exec(execFileSync('ffmpeg', ['-version'], { encoding: 'utf8' }))?.[1];
}

/** How far from the trip delay a silence was told, either way. */
function silenceErrors({ byKind }, tripSeconds) {
  return (byKind.get('silence')?.delaysSeconds ?? []).map((delay) => Math.abs(delay - tripSeconds));
}

function kindRows(score, kinds) {
  return kinds.map((kind) => {
    const tally = score.byKind.get(kind) ?? {};
    const { instances = 0, found = 0, delaysSeconds = [], errorsSeconds = [], onsetsSeconds = [] } = tally;
    const wrong = [...score.wrong, ...score.falseTrips].filter((line) => line.kind === kind).length;
    return [
      kind,
      String(instances),
      percent(found, found + wrong),
      percent(found, instances),
      seconds(median(delaysSeconds)),
      seconds(largest(delaysSeconds)),
      signed(median(errorsSeconds)),
      signed(furthest(errorsSeconds)),
      seconds(median(onsetsSeconds)),
    ];
  });
}

function whatRows(scores, items) {
  const whats = [...new Set(items.flatMap(({ faults }) => faults.map(({ what }) => what)))];
  const cell = (score, what) => {
    if (score === null) return 'not run';
    const { found = 0, instances = 0, delaysSeconds = [] } = score.byWhat.get(what) ?? {};
    return found === 0 ? `0 of ${instances}` : `${found} of ${instances}, ${seconds(median(delaysSeconds))}`;
  };
  return whats.map((what) => [
    what,
    cell(scores.sustain, what),
    cell(scores.silencedetect, what),
    cell(scores.blankDetect, what),
  ]);
}

function detectorRows(scores, hours, tripSeconds) {
  const row = (name, score) => {
    if (score === null) return [name, 'not run', '-', '-', '-'];
    const { found = 0, instances = 0 } = score.byKind.get('silence') ?? {};
    const onClean = score.falseTrips.length;
    return [
      name,
      percent(found, instances),
      seconds(largest(silenceErrors(score, tripSeconds))),
      String(onClean),
      (onClean / hours).toFixed(2),
    ];
  };
  return [
    row('Sustain', scores.sustain),
    row('ffmpeg `silencedetect=n=-50dB:d=5`', scores.silencedetect),
    row('liquidsoap `blank.detect(max_blank=5., threshold=-50.)`', scores.blankDetect),
  ];
}

function listed(title, lines) {
  return lines.length === 0 ? [`${title}: none.`] : [`${title}:`, '', ...lines.map((line) => `- ${line}`)];
}

const told = ({ kind, where, evidence, during }) =>
  `${kind}${during === null ? '' : ` during "${during}"`}: ${where}${evidence === '' ? '' : `, ${evidence}`}`;

function broken(score, tripSeconds) {
  const silence = score.byKind.get('silence') ?? { found: 0, instances: 0 };
  const error = largest(silenceErrors(score, tripSeconds));
  return [
    ...(silence.found < silence.instances
      ? [`recall of silence is ${percent(silence.found, silence.instances)}`]
      : []),
    ...(error > 0.5 ? [`a silence was told ${error.toFixed(2)} s from its time`] : []),
    ...[...score.byKind]
      .filter(([kind, { found, instances }]) => kind !== 'silence' && found < instances)
      .map(([kind, { found, instances }]) => `recall of ${kind} is ${percent(found, instances)}`),
    ...(score.falseTrips.length > 0 ? [`${score.falseTrips.length} false trips on clean programme`] : []),
  ];
}

export function faultsReport({ items, scores, kinds, tripSeconds, command, seconds: took }) {
  const { sustain } = scores;
  const total = items.reduce((sum, item) => sum + item.seconds, 0);
  const faulty = items.flatMap(({ faults }) => faults);
  const clean = total - faulty.reduce((sum, fault) => sum + fault.endSeconds - fault.startSeconds, 0);
  const versions = [
    `ffmpeg ${ffmpegVersion()}`,
    `liquidsoap ${versionOf('liquidsoap', /Liquidsoap (\S+)/) ?? 'absent'}`,
    `Node ${process.versions.node}`,
  ];
  const faults = broken(sustain, tripSeconds);
  const missed = [...sustain.byWhat].flatMap(([what, tally]) =>
    tally.missed.map((where) => `${what}: ${where}`),
  );
  const lines = [
    '# How well faults are found',
    '',
    `\`${command}\`, ${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? 'unknown CPU'} (${cpus().length} cores), Linux ${release()}, ${versions.join(', ')}.`,
    '',
    `${items.length} files, ${(total / 3600).toFixed(2)} hours, of which ${(clean / 3600).toFixed(2)} hours are clean; ${faulty.length} faults put in at known times; music and speech of Debian packages through MP3 at 64, 128 and 320, AAC and Opus at 32, 64 and 128 kbit/s (\`fixtures/corpus\`). ${took.made < 2 ? 'Made before' : `Made in ${took.made.toFixed(0)} s`}, heard in ${took.heard.toFixed(0)} s, one file at a time. Thresholds are those of a fresh config: -50 dBFS, 5 s; presets by kind of programme.`,
    '',
    faults.length === 0
      ? 'Every fault is found, every silence within 0.5 s of its trip delay, and nothing trips on clean programme.'
      : `**Not held: ${faults.join('; ')}.**`,
    '',
    '## Sustain',
    '',
    'A trip counts when the fault goes by its right name while it is there. The time is from where the fault was put in: it contains the trip delay (5 s for silence) and, for the others, the time that the evidence takes. The trip-time error is how much later than that a trip came (`DUE_SECONDS` in `test/bench/faults.bench.mjs` has what each rule asks for); all but silence are judged once a second. The last column is how far from the truth the start was that the trip gave: relay mode cuts back to it. A loop starts with its first repeat, one period after the piece that repeats.',
    '',
    table(
      [
        'fault',
        'put in',
        'precision',
        'recall',
        'median time to trip',
        'longest',
        'trip-time error, median',
        'furthest',
        'error of its start, median',
      ],
      kindRows(sustain, kinds),
    ),
    '',
    ...listed('Missed', missed),
    '',
    ...listed('Called by a wrong name', sustain.wrong.map(told)),
    '',
    ...listed('False trips on clean programme', sustain.falseTrips.map(told)),
    '',
    '## Beside others, on the same files',
    '',
    'Both know silence only. False trips are those on the clean programme between faults and in clean files.',
    '',
    table(
      ['', 'silences found', 'largest error of their trip time', 'false trips', 'false trips an hour'],
      detectorRows(scores, clean / 3600, tripSeconds),
    ),
    '',
    'Found, and the median time to trip. For the others any trip of theirs within the fault counts, whatever it calls it.',
    '',
    table(['what was done', 'Sustain', '`silencedetect`', '`blank.detect`'], whatRows(scores, items)),
    '',
  ];
  return { text: lines.join('\n'), faults };
}
