// What the memory of an agent costs: `npm run bench -- history`. Writes docs/bench/history.md.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LevelCollector } from '../../dist/src/history/levels.js';
import { historyFile, openHistory } from '../../dist/src/history/open.js';
import { KEEP } from '../../dist/src/wiring/chronicle.js';

const DAY_S = 86_400;
const DAY_MS = DAY_S * 1000;
const LEGS = ['london', 'dublin'].flatMap((server) =>
  ['primary', 'secondary', 'autodj'].map((source) => `myfm/${source}@${server}`),
);
/** The day of which the CPU is measured is cut to this; every commit is on the disk before it counts, and so takes its time. */
const MEASURED_S = Number(process.env.SUSTAIN_BENCH_SECONDS ?? DAY_S / 12);
const COMMIT_S = 5;
const TIDY_S = 60;
/** Of one core, for the six legs of a station on two servers. */
const BOUND_CORE = 2;
const NOW = Date.UTC(2026, 10, 27);

const directory = mkdtempSync(join(tmpdir(), 'sustain-bench-history-'));
const { store } = openHistory(directory, new Date(NOW));
const bytesNow = () =>
  ['', '-wal'].reduce(
    (sum, end) => sum + (statSync(historyFile(directory) + end, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
/** Programme: levels that never stand still, as a meter gives them. */
const levelAt = (block, leg) =>
  -14 - 9 * Math.abs(Math.sin(block / 7 + leg)) - 4 * Math.sin(block / 3 + leg * 2);

/** The rows of one leg over some seconds, as the running agent collects them. */
function collected(leg, fromS, lengthS, done) {
  const collector = new LevelCollector(done);
  const index = LEGS.indexOf(leg);
  for (let block = 0; block < lengthS * 10; block += 1) {
    const dbfs = levelAt(fromS * 10 + block, index);
    const reading = {
      durationMs: 100,
      rmsDbfs: [dbfs, dbfs - 1],
      audibleMs: 100,
      truePeakDbtp: dbfs + 9,
      momentaryLufs: dbfs,
    };
    collector.take(leg, reading, fromS * 1000 + (block + 1) * 100, 'audible');
  }
  collector.flush();
}

/** A stretch that is as old as its rows are wide, without having been lived through. */
function fill(fromS, lengthS, spanS) {
  for (const [index, leg] of LEGS.entries()) {
    const togetherS = 3_600 * spanS;
    for (let start = fromS; start < fromS + lengthS; start += togetherS) {
      const rows = [];
      for (let at = start; at < Math.min(start + togetherS, fromS + lengthS); at += spanS) {
        const steps = Int8Array.from({ length: Math.max(10, spanS) }, (_, step) =>
          Math.round(levelAt(at * 10 + step, index)),
        );
        const figures = {
          truePeakDbtp: Math.round((steps[0] + 9.3) * 10) / 10,
          momentaryLufs: Math.round((steps[1] + 0.4) * 10) / 10,
        };
        rows.push({
          leg,
          unixMs: at * 1000,
          spanS,
          steps: steps.slice(0, spanS === 1 ? 10 : spanS),
          audibleMs: spanS * 1000,
          ...figures,
          condition: 'audible',
        });
      }
      store.addLevels(rows);
    }
  }
}

const ages = [
  { is: 'seconds', days: KEEP.tiers[0].afterMs / DAY_MS, spanS: 1 },
  {
    is: `${KEEP.tiers[0].spanS} s`,
    days: (KEEP.tiers[1].afterMs - KEEP.tiers[0].afterMs) / DAY_MS,
    spanS: KEEP.tiers[0].spanS,
  },
  {
    is: `${KEEP.tiers[1].spanS} s`,
    days: (KEEP.levelsMs - KEEP.tiers[1].afterMs) / DAY_MS,
    spanS: KEEP.tiers[1].spanS,
  },
];
const nowS = NOW / 1000;
let endS = nowS;
for (const age of ages) {
  const before = bytesNow();
  const lengthS = age.days * DAY_S;
  fill(endS - lengthS, lengthS, age.spanS);
  endS -= lengthS;
  age.bytesPerLegDay = (bytesNow() - before) / LEGS.length / age.days;
  console.log(age);
}
const fullBytes = bytesNow();

let tidied = 0;
const cpu = process.cpuUsage();
const wallMs = performance.now();
for (let second = 0; second < MEASURED_S; second += COMMIT_S) {
  const rows = [];
  for (const leg of LEGS) collected(leg, nowS + second, COMMIT_S, (row) => rows.push(row));
  store.addLevels(rows);
  if (second % TIDY_S === 0) {
    while (store.tidy(NOW + second * 1000, KEEP));
    tidied += 1;
  }
}
const used = process.cpuUsage(cpu);
const cpuMs = (used.user + used.system) / 1000;
const core = (cpuMs / 1000 / MEASURED_S) * 100;
const diskMs = performance.now() - wallMs - cpuMs;
const afterBytes = bytesNow();
console.log({ core, cpuMs, diskMs, tidied, fullBytes, afterBytes });

const event = {
  kind: 'switched',
  atMs: 1,
  server: 'london',
  from: 'primary',
  to: 'secondary',
  trigger: 'fault',
  because: 'primary on london is silent: under -50 dBFS for 5.0 s',
};
const beforeEvents = bytesNow();
const EVENTS = 20_000;
for (let at = 0; at < EVENTS; at += 500)
  store.apply({
    events: Array.from({ length: 500 }, (_, index) => ({ unixMs: NOW + at + index, station: 'myfm', event })),
    incidents: [],
    outbox: [],
  });
const bytesPerEvent = (bytesNow() - beforeEvents) / EVENTS;
store.close();
rmSync(directory, { recursive: true, force: true });

const mib = (bytes) => (bytes / 1024 / 1024).toFixed(1);
const kib = (bytes) => (bytes / 1024).toFixed(0);
const failures = [
  ...(core < BOUND_CORE ? [] : [`it took ${core.toFixed(2)} % of a core`]),
  // What is thinned and forgotten makes room for what comes.
  ...(afterBytes < fullBytes * 1.1
    ? []
    : [`a full history grew from ${mib(fullBytes)} to ${mib(afterBytes)} MiB`]),
];
writeFileSync(
  fileURLToPath(new URL('../../docs/bench/history.md', import.meta.url)),
  `# What the memory of an agent costs
${failures.length === 0 ? '' : `\n**This run failed, so don't quote it:** ${failures.join('; ')}\n`}
\`npm run bench -- history\`, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC. ${cpus().length} x ${cpus()[0]?.model}, Node ${process.version.slice(1)}.

The history of one station with ${LEGS.length} legs (three sources on two servers), full: ${KEEP.levelsMs / DAY_MS} days of levels that never stand still. Then
${(MEASURED_S / 3600).toFixed(1)} h more are lived through as fast as the disk lets them: ten readings a second of each leg are added up to rows, a commit
every ${COMMIT_S} s that is on the disk before it counts, and what has become old is thinned each minute.

| levels | days | KiB a day for each leg |
|---|--:|--:|
${ages.map(({ is, days, bytesPerLegDay }) => `| rows of ${is} | ${days} | ${kib(bytesPerLegDay)} |`).join('\n')}

- All ${KEEP.levelsMs / DAY_MS} days of ${LEGS.length} legs take ${mib(fullBytes)} MiB: ${mib(fullBytes / LEGS.length)} MiB for a leg, however long the agent runs. After the measured time it was ${mib(afterBytes)} MiB.
- It takes ${core.toFixed(2)} % of a core: ${((cpuMs / MEASURED_S / LEGS.length) * 86.4).toFixed(1)} s of CPU a day for each leg, in a thread of its own but for the adding up.
- A commit waits ${(diskMs / (MEASURED_S / COMMIT_S)).toFixed(1)} ms for this machine's disk, where nothing waits for it.
- An event takes ${bytesPerEvent.toFixed(0)} bytes, and is kept for ${KEEP.eventsMs / DAY_MS} days.
`,
);
for (const failure of failures) console.error(failure);
process.exit(failures.length === 0 ? 0 : 1);
