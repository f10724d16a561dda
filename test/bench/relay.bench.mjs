// What one public stream per station costs: Sustain's relay beside liquidsoap on the same mounts of one real Icecast, in
// one run. SUSTAIN_BENCH_QUICK=1 for a look that takes two minutes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startIcecast, waitUntil } from '../../dist/src/demo/rig/index.js';
import { createFeeder, encodeLoop } from './feeder.mjs';
import { floorCores } from './floor.mjs';
import { reportMarkdown, reportPlot, rowsOf, tableText } from './relay-report.mjs';
import { mountsOf, outputOf, STARTS } from './relay-ways.mjs';
import { measureCpu, measureMemory } from './usage.mjs';

const { env } = process;
const isQuick = env.SUSTAIN_BENCH_QUICK === '1';
const seconds = (name, usual) => 1000 * Number(env[name] ?? usual);
const run = {
  sizes: (env.SUSTAIN_BENCH_STATIONS ?? (isQuick ? '1,5' : '1,5,20')).split(',').map(Number),
  rounds: Number(env.SUSTAIN_BENCH_ROUNDS ?? (isQuick ? 1 : 2)),
  warmUpMs: seconds('SUSTAIN_BENCH_WARM_UP', isQuick ? 5 : 15),
  windowMs: seconds('SUSTAIN_BENCH_WINDOW', isQuick ? 10 : 20),
  boundMs: seconds('SUSTAIN_BENCH_BOUND', isQuick ? 300 : 1_500),
  ways: (
    env.SUSTAIN_BENCH_WAYS ?? (isQuick ? 'sustain,sustain-q2,liquidsoap' : Object.keys(STARTS).join(','))
  ).split(','),
  folder:
    env.SUSTAIN_BENCH_OUT ??
    fileURLToPath(new URL(isQuick ? '../output/bench' : '../../docs/bench', import.meta.url)),
};
const HOST = '127.0.0.46';
/** Liquidsoap runs its streams in one thread: past this it can't keep up, whatever the machine. */
const LARGEST_FOR_LIQUIDSOAP = 24;

/** @type {import('./relay-report.mjs').Cell[]} */
const cells = [];
/** @type {string[]} */
const failures = [];
const say = (text) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);

async function measure(way, server, stations, icecast) {
  const running = await STARTS[way](server, stations);
  try {
    const outputs = Array.from({ length: stations }, (_, station) => outputOf(station));
    await waitUntil('the public mounts', 60_000, async () => {
      const mounts = await icecast.mounts();
      return outputs.every((mount) => mounts.includes(mount));
    });
    await new Promise((resolve) => setTimeout(resolve, run.warmUpMs));
    const cpu = await measureCpu(running.pids, run.windowMs);
    const fault = await running.fault(cpu.windowMs);
    return { usage: { ...cpu, memory: await measureMemory(running.pids) }, fault };
  } finally {
    await running.stop();
  }
}

async function measureRound(icecast, feeder, stations, round) {
  const ways = run.ways.filter((way) => {
    if (way.startsWith('sustain')) return true;
    return stations <= LARGEST_FOR_LIQUIDSOAP && (stations > 1 || !way.endsWith('-each'));
  });
  for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
    const server = { url: icecast.url, host: HOST, admin: icecast.admin, source: icecast.source };
    const measured = await measure(way, server, stations, icecast).catch((thrown) => ({
      failure: thrown.message,
    }));
    if (feeder.failure() !== null) throw new Error(feeder.failure());
    if (icecast.crashes() > 0) throw new Error('Icecast crashed: run the bench again');
    if ('failure' in measured) {
      failures.push(`${way} with ${stations} stations, round ${round + 1}: ${measured.failure}`);
      say(failures.at(-1));
      continue;
    }
    const { usage, fault } = measured;
    cells.push({ stations, way, round, usage, fault });
    const cost = `${(usage.core / stations).toFixed(2)} core% a station (Node ${(usage.nodeCore / stations).toFixed(2)})`;
    const memory = `${usage.memory.private.toFixed(0)} MiB private, ${usage.memory.pss.toFixed(0)} PSS`;
    say(
      `${stations} stations, round ${round + 1}, ${way}: ${cost}, ${memory}${fault ? `; NOT GOOD: ${fault}` : ''}`,
    );
  }
}

// The rig kills what it started when this process exits, so a bench that hangs leaves nothing behind.
setTimeout(() => {
  if (cells.length > 0) console.log(`\n${tableText(rowsOf(cells))}\n`);
  say(`not done within ${run.boundMs / 1000} s: given up`);
  process.exit(1);
}, run.boundMs).unref();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const most = Math.max(...run.sizes);
const icecast = await startIcecast({ host: HOST, limits: { clients: 1000, sources: 4 * most + 10 } });
say(`Icecast on ${icecast.url}; ${run.sizes.join(', ')} stations, ${run.rounds} rounds`);
const loop = await encodeLoop();
const floor = floorCores(loop, [3, 2]);
for (const [quality, { encoder, all }] of Object.entries(floor))
  say(
    `the least at LAME quality ${quality}: ${all.toFixed(2)} core% a station, of that LAME ${encoder.toFixed(2)}`,
  );
const feeder = createFeeder({ server: icecast.source, loop });
try {
  for (const stations of run.sizes) {
    await feeder.feed(Array.from({ length: stations }, (_, station) => mountsOf(station)).flat());
    for (let round = 0; round < run.rounds; round += 1) await measureRound(icecast, feeder, stations, round);
  }
  const rows = rowsOf(cells);
  console.log(`\n${tableText(rows)}\n`);
  mkdirSync(run.folder, { recursive: true });
  const set = Object.entries(env).filter(
    ([name]) => name.startsWith('SUSTAIN_BENCH_') && name !== 'SUSTAIN_BENCH_OUT',
  );
  const command = `${set.map(([name, value]) => `${name}=${value} `).join('')}npm run bench -- relay`;
  writeFileSync(
    join(run.folder, 'relay.md'),
    reportMarkdown(rows, cells, { ...run, command, floor, failures }),
  );
  writeFileSync(join(run.folder, 'relay.svg'), reportPlot(rows));
  say(`written: ${run.folder}/relay.md and relay.svg`);
  for (const row of rows)
    for (const fault of row.faults) failures.push(`${row.way} with ${row.stations} stations: ${fault}`);
  for (const failure of failures) console.error(`FAILED: ${failure}`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  feeder.stop();
  await icecast.stop();
}
