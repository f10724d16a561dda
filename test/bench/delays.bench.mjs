// How the delays of the DNS decision fare over simulated years: `npm run bench -- delays`. SUSTAIN_YEARS sets how many.
import { usualCauses } from '../../dist/src/simulate/faults.js';
import { DUBLIN, LONDON } from '../../dist/src/simulate/station.js';
import { simulateKeepers } from '../../dist/src/simulate/threads.js';

const years = Number(process.env.SUSTAIN_YEARS ?? 30);
/** What only the DNS decision can cure, and what can mislead it; the source switch has no part in these. */
const OF_SERVERS = [
  'icecast-crash',
  'icecast-hang',
  'server-silent',
  'machine-dead',
  'maintenance',
  'site-cut',
  'link-cut',
];
const MINUTE = 60_000;
const flap = (restoreMs) => ({ holdDownMs: restoreMs, holdDownMaxMs: 60 * MINUTE, halfLifeMs: 15 * MINUTE });
const restore = (restoreMs) => ({ restoreMs, flap: flap(restoreMs) });
const VARIANTS = [
  ['as it ships', {}, {}],
  ['interval 2 s', { intervalMs: 2_000 }, {}],
  ['interval 10 s', { intervalMs: 10_000 }, {}],
  ['fall 2', { fall: 2 }, {}],
  ['fall 6', { fall: 6 }, {}],
  ['restore 30 s', restore(30_000), {}],
  ['restore 10 min', restore(10 * MINUTE), {}],
  ['no hold-down', { flap: { ...flap(1), holdDownMs: 0 } }, {}],
  ['TTL 5 s', { endListenersAfterMs: 5_000 }, { ttlMs: 5_000 }],
  ['TTL 120 s', { endListenersAfterMs: 120_000 }, { ttlMs: 120_000 }],
  ['with a cluster', { mode: 'cluster' }, {}],
];
const PLAYERS = {
  ttlMs: 30_000,
  clampedShare: 0.15,
  clampMs: 300_000,
  stickyShare: 0.08,
  sessionMs: 7_200_000,
  bufferMs: 4_000,
  readTimeoutMs: 10_000,
  reconnectMs: 2_000,
};

const causes = usualCauses([LONDON, DUBLIN]).filter(({ id }) => OF_SERVERS.includes(id));
console.log(`${years} years of server faults, seed 1, per year`);
console.log('| delays | without sound, min | worst 5 %, min | name moved | without reason |');
console.log('| --- | ---: | ---: | ---: | ---: |');
const chosen = process.env.SUSTAIN_VARIANTS?.split(',');
for (const [name, failover, players] of VARIANTS) {
  if (chosen !== undefined && !chosen.includes(name)) continue;
  const [result] = await simulateKeepers(
    [{ is: 'sustain' }],
    {
      years,
      seed: 1,
      causes,
      players: { ...PLAYERS, ...players },
      playerCount: 100,
      station: {},
      // The listeners that are left are ended after the TTL, as the config has it.
      failover: { endListenersAfterMs: 30_000, ...failover },
      relayDelayMs: 8_000,
      encoderReconnectMs: 2_000,
    },
    () => {},
    new AbortController().signal,
  );
  const worst = (1 - result.availability.worst5Percent) * 365.25 * 24 * 60;
  const { moves, falseMoves } = result.perYear;
  console.log(
    `| ${name} | ${result.outageMinutes.toFixed(1)} | ${worst.toFixed(0)} | ${moves.toFixed(1)} | ${falseMoves.toFixed(1)} |`,
  );
}
