// A child of levels.bench.mjs: the HTTP side with meters that always move, as one agent has them for a station of relay mode.
import { PROCESSING_BANDS } from '../../dist/src/domain/processing.js';
import { systemClock } from '../../dist/src/platform/clock.js';
import { startWeb } from '../../dist/src/web/server.js';

const SERVERS = ['london', 'dublin'];
const SOURCES = ['primary', 'secondary', 'autodj'];
const channels = [
  { kind: 'output', server: 'london', mount: '/stream', thresholdDbfs: -50 },
  ...SERVERS.flatMap((server) =>
    SOURCES.map((source) => ({
      kind: 'leg',
      leg: `myfm/${source}@${server}`,
      server,
      source,
      mount: `/${source}`,
      thresholdDbfs: -50,
    })),
  ),
];
let frame = 0;
const read = () => {
  frame += 1;
  return channels.map((_, index) => {
    const dbfs = -20 + 10 * Math.sin(frame / 7 + index);
    return {
      rmsDbfs: [dbfs, dbfs - 1],
      peakDbfs: [dbfs + 9, dbfs + 8],
      truePeakDbtp: dbfs + 9.5,
      momentaryLufs: dbfs,
      shortTermLufs: -18,
      condition: 'audible',
      gainReductionDb: 2,
    };
  });
};
/** What the chain of the public mounts tells of each 100 ms: with every second frame. */
const processed = () => {
  if (frame % 2 !== 0) return [];
  const reduction = 4 + 3 * Math.sin(frame / 5);
  return [
    {
      endSeconds: frame / 20,
      inMomentaryLufs: -20 + reduction,
      inShortTermLufs: -19,
      outMomentaryLufs: -16,
      outShortTermLufs: -16,
      levellerGainDb: 3,
      makeupGainDb: 2,
      limiterReductionDb: reduction / 4,
      bandReductionDb: Array.from({ length: PROCESSING_BANDS }, (_, band) => reduction - band),
      invalidTotal: 0,
    },
  ];
};
const view = { agent: 'london', version: '0', uptimeMs: 0, servers: [], stations: [] };
const figures = { decisions: { count: 0, delayMs: 0, longestMs: 0 }, queuedInputs: 0, stations: [] };
const web = await startWeb({
  source: {
    view: () => view,
    isReady: () => true,
    request: () => false,
    loudness: () => null,
    figures: () => figures,
    levels: [{ station: 'myfm', channels, read, processed }],
  },
  clock: systemClock,
  host: '127.0.0.1',
  port: 0,
  viewerToken: 'bench',
  operatorToken: null,
  users: [],
  proxies: [],
  tls: null,
});
process.send({ url: web.url });
process.on('disconnect', () => process.exit(0));
