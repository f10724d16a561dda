// What a change of the relay costs or saves: two builds of `sustain` run at the same time on the same mounts, so that what
// else the machine does meets both. A difference of 3 % shows within three minutes, where two runs of the bench of one
// build differ by more. Both are started with the options for Node of this tree.
//
//   node test/bench/two-builds.mjs OTHER/dist/src/cli/main.js [stations] [warm-up in s] [window in s] [windows]
import { fileURLToPath } from 'node:url';
import { startIcecast } from '../../dist/src/demo/rig/index.js';
import { createFeeder, encodeLoop } from './feeder.mjs';
import { mountsOf, startSustain } from './relay-ways.mjs';
import { measureCpu, measureMemory } from './usage.mjs';

const HOST = '127.0.0.47';
const [other, ...numbers] = process.argv.slice(2);
const [stations = 4, warmUpS = 30, windowS = 20, windows = 4] = numbers.map(Number);
if (other === undefined) {
  console.error('Which other build? node test/bench/two-builds.mjs OTHER/dist/src/cli/main.js');
  process.exit(2);
}
const here = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

// The rig ends what it started when this process exits.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const icecast = await startIcecast({ host: HOST, limits: { clients: 1000, sources: 6 * stations + 10 } });
const feeder = createFeeder({ server: icecast.source, loop: await encodeLoop() });
const builds = [];
try {
  await feeder.feed(Array.from({ length: stations }, (_, station) => mountsOf(station)).flat());
  const server = { url: icecast.url, host: HOST, admin: icecast.admin, source: icecast.source };
  const start = async ([what, cli]) => {
    const running = await startSustain(server, stations, '', { named: `/${what}`, cli });
    builds.push({ what, running, cores: [] });
  };
  await Promise.all(Object.entries({ other, here }).map(start));
  await pause(warmUpS);
  for (let window = 0; window < windows; window += 1) {
    await Promise.all(
      builds.map(async ({ running, cores }) =>
        cores.push((await measureCpu(running.pids, windowS * 1000)).core / stations),
      ),
    );
    console.log(builds.map(({ what, cores }) => `${what} ${cores.at(-1).toFixed(2)}`).join('  '));
  }
  for (const { what, running, cores } of builds) {
    const mean = cores.reduce((sum, core) => sum + core, 0) / cores.length;
    const memory = await measureMemory(running.pids);
    const fault = await running.fault(windowS * 1000);
    console.log(
      `${what}: ${mean.toFixed(2)} core% a station, ${memory.private.toFixed(0)} MiB private${fault ? `; NOT GOOD: ${fault}` : ''}`,
    );
    if (fault) process.exitCode = 1;
  }
} finally {
  for (const { running } of builds) await running.stop();
  feeder.stop();
  await icecast.stop();
}
