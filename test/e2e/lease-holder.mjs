// An agent of its own process, for tests that stop it: seeks the lease and prints what it believes, every 50 ms.
import { openCluster } from '../../dist/src/cluster/index.js';
import { systemClock } from '../../dist/src/platform/clock.js';
import { systemRandom } from '../../dist/src/platform/random.js';

const [self, times, ...urls] = process.argv.slice(2);
const cluster = openCluster(
  {
    urls,
    login: { by: 'nothing' },
    group: 'stream.myfm.example',
    self,
    lease: JSON.parse(times),
    parse: (wire) => wire,
  },
  { clock: systemClock, random: systemRandom },
);
cluster.seek();
setInterval(() => process.stdout.write(`${JSON.stringify(cluster.lease())}\n`), 50);
process.on('SIGTERM', () => cluster.close().then(() => process.exit(0)));
