// How well faults are found: precision, recall and time to trip over the labelled corpus of fixtures/corpus, heard as the
// agent hears it, beside ffmpeg's silencedetect and liquidsoap's blank.detect on the same files in the same run.
// `npm run bench -- faults`, or after `npm run build`: `node test/bench/faults.bench.mjs`. Writes docs/bench/faults.md.
import { spawnSync } from 'node:child_process';
import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FAULTS } from '../../fixtures/corpus/catalogue.mjs';
import { CORPUS_FOLDER, makeCorpus } from '../../fixtures/corpus/make.mjs';
import { faultsReport } from './faults-report.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const load = (path) => import(join(root, 'dist/src', path));
const { openDecodeStream } = await load('audio/decode-stream.js');
const { createProgrammeMeter } = await load('audio/programme-meter.js');
const { Silences } = await load('cli/measure/silences.js');
const { systemClock } = await load('platform/clock.js');

const TRIP_SECONDS = 5;
const THRESHOLD_DBFS = -50;
const DEMUXERS = { mp3: 'mp3', aac: 'aac', opus: 'ogg' };
/** Codecs delay the sound, and a window that ends a moment after a fault has seen little else. */
const GRACE_SECONDS = 1;
/** Warnings and notes: nothing is ever done about them, so they are no trips. */
const FAULT_KINDS = ['silence', 'noise-only', 'tone', 'channel-lost', 'phase-inverted', 'stuck-loop'];
/** Silence with a noise floor is both, by any name: each of them is right. */
const ALSO_RIGHT = { silence: ['noise-only'] };

/**
 * When the rule of a fault has all it asks for, from the start of the fault: the window that the evidence fills, and the
 * trip delay after that (fault_watch.cpp and fault_rules.cpp, whose figures these are). The error of a trip is how far
 * from this it was.
 */
const DUE_SECONDS = {
  silence: () => TRIP_SECONDS,
  'noise-only': ({ preset }) => 12 + (preset === 'talk' ? 2 : 3),
  tone: () => 8 + 2,
  'channel-lost': ({ preset }) => 1 + (preset === 'talk' ? 10 : 15),
  // Of the 20 s that are correlated, 13 have to be inverted for -0.3.
  'phase-inverted': () => 13 + 3,
  // The first time, five repeats of it, and those for 20 s at least.
  'stuck-loop': ({ fault }) => fault.make[1] + Math.max(5 * fault.make[1], 20),
};

const extensionOf = (file) => file.split('.').at(-1);

/** Trips of the agent's own chain: ffmpeg behind our supervisor, the native meter, the sensor of `decide`. */
async function sustainTrips({ file, preset }) {
  const silences = new Silences({ thresholdDbfs: THRESHOLD_DBFS, tripMs: TRIP_SECONDS * 1000 });
  const trips = [];
  const episodes = new Map();
  let heard = 0;
  const meter = createProgrammeMeter({
    thresholdDbfs: THRESHOLD_DBFS,
    preset,
    targetLufs: null,
    onBlock(levels) {
      silences.push(levels);
      const found = silences.faults();
      if (found.length === trips.length) return;
      trips.push({
        kind: 'silence',
        startSeconds: found.at(-1).startSeconds,
        tripSeconds: levels.endSeconds,
      });
    },
  });
  const collect = () => {
    for (const episode of meter.faultEpisodes())
      episodes.set(`${episode.kind} ${episode.startSeconds}`, episode);
  };
  const decoder = openDecodeStream({
    ffmpegPath: 'ffmpeg',
    container: DEMUXERS[extensionOf(file)],
    clock: systemClock,
    onPcm(pcm) {
      meter.push(pcm);
      heard += pcm.length;
      if (heard < 20 * 96_000) return;
      heard = 0;
      collect();
    },
  });
  for await (const chunk of createReadStream(join(CORPUS_FOLDER, file))) await decoder.write(chunk);
  await decoder.end();
  collect();
  return [...trips, ...episodes.values()].map((trip) => ({
    ...trip,
    endSeconds: trip.endSeconds ?? null,
  }));
}

/** Trips of silencedetect, which says where the silence began when it has lasted long enough. */
function silencedetectTrips({ file }) {
  const filter = `silencedetect=n=${THRESHOLD_DBFS}dB:d=${TRIP_SECONDS}`;
  const words = ['-hide_banner', '-nostdin', '-nostats', '-i', join(CORPUS_FOLDER, file), '-af', filter];
  const { stderr } = spawnSync('ffmpeg', [...words, '-f', 'null', '-'], { maxBuffer: 2 ** 28 });
  return [...stderr.toString().matchAll(/silence_start: (-?[\d.]+)/g)].map(([, start]) => ({
    kind: 'silence',
    startSeconds: Number(start),
    tripSeconds: Number(start) + TRIP_SECONDS,
  }));
}

/** Trips of blank.detect, all files one behind the other in one liquidsoap, as fast as it can. */
function blankDetectTrips(items) {
  const script = [
    'settings.init.allow_root.set(true)',
    'log.level.set(1)',
    'settings.frame.audio.samplerate.set(48000)',
    'def hear(name, path) =',
    '  elapsed = ref(fun () -> 0.)',
    '  def trip() =',
    '    now = !elapsed',
    '    print("TRIP #{name} #{now()}")',
    '  end',
    '  s = once(single(path))',
    `  s = blank.detect(trip, max_blank=${TRIP_SECONDS}., threshold=${THRESHOLD_DBFS}., s)`,
    '  elapsed := {source.elapsed(s)}',
    '  s',
    'end',
    `s = sequence([${items.map(({ file }, at) => `hear("${at}", "${join(CORPUS_FOLDER, file)}")`).join(', ')}])`,
    'clock.assign_new(sync="none", [s])',
    'output.dummy(fallible=true, on_stop=shutdown, s)',
  ].join('\n');
  const { stdout, error } = spawnSync('liquidsoap', ['-'], {
    input: script,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (error) return null;
  const trips = items.map(() => []);
  for (const [, at, seconds] of stdout.matchAll(/^TRIP (\d+) ([\d.]+)/gm))
    trips[Number(at)].push({ kind: 'silence', tripSeconds: Number(seconds) });
  return trips;
}

const madeAs = (wanted) => FAULTS.find(({ what }) => what === wanted);
const newTally = () => ({
  instances: 0,
  found: 0,
  delaysSeconds: [],
  errorsSeconds: [],
  onsetsSeconds: [],
  missed: [],
});
const tallyOf = (map, key) => map.get(key) ?? map.set(key, newTally()).get(key);

/** What one detector found: per fault, and what it found where nothing was. */
class Score {
  byWhat = new Map();
  byKind = new Map();
  wrong = [];
  /** Trips on sound that nothing is wrong with. */
  falseTrips = [];
  #knowsNames;

  /** `knowsNames` false: it has one word for everything, and is not held to it. */
  constructor({ knowsNames }) {
    this.#knowsNames = knowsNames;
  }

  judge(item, trips) {
    for (const fault of item.faults) this.#find(item, fault, trips);
    for (const trip of trips.filter(({ kind }) => FAULT_KINDS.includes(kind))) this.#blame(item, trip);
  }

  #find({ programme, codec, file, preset }, fault, trips) {
    const hit = trips.find(
      (trip) => (trip.kind === fault.kind || !this.#knowsNames) && isWithin(trip, fault),
    );
    for (const tally of [tallyOf(this.byWhat, fault.what), tallyOf(this.byKind, fault.kind)]) {
      tally.instances += 1;
      if (hit === undefined)
        tally.missed.push(`${programme}, ${codec} (${file} at ${fault.startSeconds.toFixed(1)} s)`);
      else tally.found += 1;
      if (hit === undefined) continue;
      const delaySeconds = hit.tripSeconds - fault.startSeconds;
      tally.delaysSeconds.push(delaySeconds);
      tally.errorsSeconds.push(delaySeconds - DUE_SECONDS[fault.kind]({ preset, fault: madeAs(fault.what) }));
      if (hit.startSeconds !== undefined)
        tally.onsetsSeconds.push(Math.abs(hit.startSeconds - fault.startSeconds));
    }
  }

  #blame({ programme, codec, file, faults }, trip) {
    const fault = faults.find((one) => isWithin(trip, one));
    const where = `${programme}, ${codec} (${file} at ${trip.tripSeconds.toFixed(1)} s)`;
    const evidence = Object.entries(trip.evidence ?? {}).map(
      ([name, value]) => `${name} ${Number(value.toFixed(2))}`,
    );
    const line = { kind: trip.kind, where, evidence: evidence.join(', '), during: fault?.what ?? null };
    if (fault === undefined) this.falseTrips.push({ ...line, isCleanFile: faults.length === 0 });
    else if (fault.kind !== trip.kind && !ALSO_RIGHT[fault.kind]?.includes(trip.kind)) this.wrong.push(line);
  }
}

function isWithin({ tripSeconds }, { startSeconds, endSeconds }) {
  return tripSeconds > startSeconds && tripSeconds < endSeconds + GRACE_SECONDS;
}

const say = (text) => process.stderr.write(`${text}\n`);
const startedAtMs = performance.now();
const items = await makeCorpus(CORPUS_FOLDER, say);
const madeAtMs = performance.now();
const scores = {
  sustain: new Score({ knowsNames: true }),
  silencedetect: new Score({ knowsNames: false }),
  blankDetect: new Score({ knowsNames: false }),
};
for (const item of items) {
  say(`hearing ${item.file}: ${item.programme} in ${item.codec}`);
  scores.sustain.judge(item, await sustainTrips(item));
  scores.silencedetect.judge(item, silencedetectTrips(item));
}
say('hearing all of it in liquidsoap');
const blanks = blankDetectTrips(items);
for (const [at, item] of items.entries()) scores.blankDetect.judge(item, blanks?.[at] ?? []);
const { text, faults } = faultsReport({
  items,
  scores: { ...scores, blankDetect: blanks === null ? null : scores.blankDetect },
  kinds: FAULT_KINDS,
  tripSeconds: TRIP_SECONDS,
  command: 'npm run bench -- faults',
  seconds: { made: (madeAtMs - startedAtMs) / 1000, heard: (performance.now() - madeAtMs) / 1000 },
});
mkdirSync(join(root, 'docs', 'bench'), { recursive: true });
writeFileSync(join(root, 'docs', 'bench', 'faults.md'), text);
process.stdout.write(text);
for (const fault of faults) say(`NOT HELD: ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;
