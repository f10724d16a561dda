// CPU and memory per monitored leg: Sustain beside one ffmpeg per leg and beside liquidsoap, on the same mounts of one
// real Icecast, in one run. SUSTAIN_BENCH_QUICK=1 for a look that takes under two minutes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startIcecast, waitUntil } from '../../dist/src/demo/rig/index.js';
import { createFeeder, encodeLoop } from './feeder.mjs';
import { reportMarkdown, reportPlot, rowOf, rowsOf, tableText } from './report.mjs';
import { measureCpu, measureMemory } from './usage.mjs';
import { startFfmpegs, startLiquidsoap, startLiquidsoapEach, startSustain } from './ways.mjs';

const { env } = process;
const isQuick = env.SUSTAIN_BENCH_QUICK === '1';
const seconds = (name, usual) => 1000 * Number(env[name] ?? usual);
const run = {
  sizes: (env.SUSTAIN_BENCH_LEGS ?? (isQuick ? '1,10' : '1,10,40,120')).split(',').map(Number),
  rounds: Number(env.SUSTAIN_BENCH_ROUNDS ?? (isQuick ? 1 : 2)),
  warmUpMs: seconds('SUSTAIN_BENCH_WARM_UP', isQuick ? 3 : 20),
  windowMs: seconds('SUSTAIN_BENCH_WINDOW', isQuick ? 5 : 10),
  boundMs: seconds('SUSTAIN_BENCH_BOUND', isQuick ? 120 : 720),
  ways: (env.SUSTAIN_BENCH_WAYS ?? `sustain,ffmpeg,liquidsoap${isQuick ? '' : ',liquidsoap-each'}`).split(
    ',',
  ),
  // A quick look leaves the published figures alone.
  folder:
    env.SUSTAIN_BENCH_OUT ??
    fileURLToPath(new URL(isQuick ? '../output/bench' : '../../docs/bench', import.meta.url)),
};
const STARTS = {
  sustain: startSustain,
  ffmpeg: startFfmpegs,
  liquidsoap: startLiquidsoap,
  'liquidsoap-each': startLiquidsoapEach,
};
/** A liquidsoap per leg takes 150 MiB and seconds to start each, so once is enough; at one leg it is as one for all. */
const EACH_AT = 10;
/** The number of legs at which Sustain promises to cost less CPU than an ffmpeg for each. */
const PROMISED_AT = 40;
const HOST = '127.0.0.41';

/** @type {import('./report.mjs').Cell[]} */
const cells = [];
/** What makes the bench fail. @type {string[]} */
const failures = [];
const say = (text) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
const mountsFor = (legs) =>
  Array.from({ length: legs }, (_, index) => `/leg-${String(index + 1).padStart(3, '0')}`);

/** Forwards in one round and backwards in the next, so that nobody is always the first. */
function waysFor(legs, round) {
  const ways = run.ways.filter((way) => way !== 'liquidsoap-each' || (legs === EACH_AT && round === 0));
  return round % 2 === 0 ? ways : ways.reverse();
}

async function measure(way, server, mounts) {
  const fromMs = performance.now();
  const running = await STARTS[way](server, mounts);
  try {
    const upMs = performance.now() - fromMs;
    await new Promise((resolve) => setTimeout(resolve, run.warmUpMs));
    const cpu = await measureCpu(running.pids, run.windowMs);
    const ended = cpu.changed === 0 ? null : `${cpu.changed} processes came or went`;
    const fault = (await running.fault(cpu.windowMs)) ?? ended;
    return { usage: { ...cpu, memory: await measureMemory(running.pids) }, upMs, fault };
  } finally {
    await running.stop();
  }
}

async function measureRound(icecast, feeder, legs, round) {
  const mounts = mountsFor(legs);
  for (const way of waysFor(legs, round)) {
    const server = { url: icecast.url, host: HOST, admin: icecast.admin };
    const measured = await measure(way, server, mounts).catch((thrown) => ({ failure: thrown.message }));
    if (feeder.failure() !== null) throw new Error(feeder.failure());
    if (icecast.crashes() > 0) throw new Error('Icecast crashed: run the bench again');
    if ('failure' in measured) {
      failures.push(`${way} at ${legs} legs, round ${round + 1}: ${measured.failure}`);
      say(`${failures.at(-1)}`);
      continue;
    }
    const { usage, upMs, fault } = measured;
    cells.push({ legs, way, round, usage, fault });
    const cost = `${usage.core.toFixed(1)} core%, ${usage.memory.private.toFixed(0)} MiB private`;
    const up = `all heard after ${(upMs / 1000).toFixed(1)} s`;
    say(`${legs} legs, round ${round + 1}, ${way}: ${cost} (${up}${fault ? `; NOT GOOD: ${fault}` : ''})`);
  }
}

async function measureAll(icecast, feeder) {
  for (const [index, legs] of run.sizes.entries()) {
    const mounts = mountsFor(legs);
    await feeder.feed(mounts);
    await waitUntil(`${legs} mounts`, 10_000, async () => (await icecast.mounts()).length === legs);
    // A busy machine takes long to start things; then one round of every size is worth more than two of some.
    const untilMs = (run.boundMs * (index + 1)) / run.sizes.length;
    for (let round = 0, lastMs = 0; round < run.rounds; round += 1) {
      const fromMs = performance.now();
      if (round > 0 && fromMs + lastMs > untilMs) {
        say(`${legs} legs: no time for round ${round + 1}`);
        break;
      }
      await measureRound(icecast, feeder, legs, round);
      lastMs = performance.now() - fromMs;
    }
  }
}

/** The ratios at the number of legs of the promise; what doesn't hold goes to `failures`. */
function judge(rows) {
  const verdicts = [];
  const legs = run.sizes.includes(PROMISED_AT) ? PROMISED_AT : Math.max(...run.sizes);
  const ours = rowOf(rows, legs, 'sustain');
  if (ours === undefined) failures.push(`Sustain was not measured at ${legs} legs`);
  for (const way of ['ffmpeg', 'liquidsoap']) {
    const theirs = rowOf(rows, legs, way);
    if (ours === undefined || theirs === undefined) continue;
    const cpu = (theirs.core / ours.core).toFixed(2);
    const memory = (theirs.private / ours.private).toFixed(2);
    verdicts.push(
      `At ${legs} legs ${way} takes ${cpu} times the CPU and ${memory} times the private memory.`,
    );
    if (way === 'ffmpeg' && legs === PROMISED_AT && ours.core > theirs.core)
      failures.push(`Sustain costs more CPU than ${way} at ${legs} legs`);
  }
  for (const row of rows.filter(({ way }) => way === 'sustain'))
    for (const fault of row.faults) failures.push(`Sustain at ${row.legs} legs: ${fault}`);
  return verdicts;
}

function write(rows, cells, verdicts) {
  const set = Object.entries(env).filter(([name]) => name.startsWith('SUSTAIN_BENCH_'));
  const shown = set
    .filter(([name]) => name !== 'SUSTAIN_BENCH_OUT')
    .map(([name, value]) => `${name}=${value} `);
  mkdirSync(run.folder, { recursive: true });
  const command = `${shown.join('')}npm run bench -- monitor`;
  writeFileSync(
    join(run.folder, 'monitor.md'),
    reportMarkdown(rows, cells, { ...run, command, verdicts, failures }),
  );
  writeFileSync(join(run.folder, 'monitor.svg'), reportPlot(rows));
  say(`written: ${run.folder}/monitor.md and monitor.svg`);
}

// The rig kills what it started when this process exits, so a bench that hangs leaves nothing behind.
setTimeout(() => {
  if (cells.length > 0) console.log(`\n${tableText(rowsOf(cells))}\n`);
  say(`not done within ${run.boundMs / 1000} s: given up`);
  process.exit(1);
}, run.boundMs).unref();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const icecast = await startIcecast({ host: HOST, limits: { clients: 1000, sources: 200 } });
say(`Icecast on ${icecast.url}; ${run.sizes.join(', ')} legs, ${run.rounds} rounds`);
const feeder = createFeeder({ server: icecast.source, loop: await encodeLoop() });
try {
  await measureAll(icecast, feeder);
  const rows = rowsOf(cells);
  const verdicts = judge(rows);
  console.log(`\n${tableText(rows)}\n`);
  for (const verdict of verdicts) console.log(verdict);
  write(rows, cells, verdicts);
  for (const failure of failures) console.error(`FAILED: ${failure}`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  feeder.stop();
  await icecast.stop();
}
