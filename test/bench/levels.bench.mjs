// What live meters cost an agent: `npm run bench -- levels`. Writes docs/bench/levels.md.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { measureCpu, measureMemory } from './usage.mjs';

const READERS = [0, 100, 500];
const WINDOW_MS = Number(process.env.SUSTAIN_BENCH_WINDOW_MS ?? 15_000);
const BOUND_CORE = 50;
const STALL_MS = 30_000;

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const answerOf = async (child, message) => {
  const answer = once(child, 'message');
  if (message !== undefined) child.send(message);
  return (await answer)[0];
};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const end = async (child) => {
  child.disconnect();
  await once(child, 'exit');
};

async function measure(readers) {
  const server = fork(here('levels-server.mjs'));
  const { url } = await answerOf(server);
  const watching = fork(here('levels-readers.mjs'), [url, String(readers)]);
  await answerOf(watching);
  await pause(2000);
  const before = await answerOf(watching, 'count');
  const { core, windowMs } = await measureCpu([server.pid], WINDOW_MS);
  const after = await answerOf(watching, 'count');
  const { rss } = await measureMemory([server.pid]);
  const each = (what) => (readers === 0 ? 0 : ((after[what] - before[what]) * 1000) / windowMs / readers);
  const row = {
    readers,
    core,
    rss,
    framesPerSecond: each('frames'),
    processingPerSecond: each('processing'),
    lost: after.lost - before.lost,
    bytesPerSecond: each('bytes'),
  };
  if (readers === Math.max(...READERS)) {
    await answerOf(watching, 'stall');
    await pause(STALL_MS);
    row.stalledRss = (await measureMemory([server.pid])).rss;
  }
  await end(watching);
  await end(server);
  return row;
}

const rows = [];
for (const readers of READERS) {
  rows.push(await measure(readers));
  console.log(rows.at(-1));
}
const most = rows.at(-1);
const failures = [
  ...(most.processingPerSecond > 9 ? [] : ['the readers did not get what the processing did']),
  ...(most.core < BOUND_CORE ? [] : [`${most.readers} readers took ${most.core.toFixed(1)} % of a core`]),
  ...(most.stalledRss < most.rss + 64 ? [] : ['readers that fetch nothing cost memory']),
];
const table = rows.map(
  (row) =>
    `| ${row.readers} | ${row.core.toFixed(1)} | ${row.framesPerSecond.toFixed(1)} | ${row.processingPerSecond.toFixed(1)} | ${row.lost} | ${row.rss.toFixed(0)} |`,
);
writeFileSync(
  here('../../docs/bench/levels.md'),
  `# What live meters cost an agent
${failures.length === 0 ? '' : `\n**This run failed, so don't quote it:** ${failures.join('; ')}\n`}
\`npm run bench -- levels\`, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC. ${cpus().length} x ${cpus()[0]?.model}, Node ${process.version.slice(1)}.

One process with the agent's HTTP side and meters of a relayed station that always move: seven channels, and what
the processing does each 100 ms. The readers are in another process and fetch everything. CPU is user and system time of the server in percent of one core over ${WINDOW_MS / 1000} s. Decoding and
metering are not in it: [monitor.md](monitor.md) has those.

| readers | core% | frames/s each | processing/s each | frames lost | RSS MiB |
|--:|--:|--:|--:|--:|--:|
${table.join('\n')}

- ${most.readers} readers take ${most.core < BOUND_CORE ? 'under' : 'over'} half a core.
- A reader takes ${(most.bytesPerSecond / 1024).toFixed(1)} KiB a second.
- When half of the ${most.readers} fetched nothing for ${STALL_MS / 1000} s, the server had ${most.stalledRss.toFixed(0)} MiB instead of ${most.rss.toFixed(0)}; what
  the kernel doesn't take for them is not made, and who answers no ping is closed within 40 s.
`,
);
for (const failure of failures) console.error(failure);
process.exit(failures.length === 0 ? 0 : 1);
