// What is compared by the relay's bench: a public mount per station out of two mounts that carry the same programme.
import { startAgent, startLiquidsoapScripts } from './ways.mjs';

/** @typedef {import('./ways.mjs').Running} Running */

export const WAYS = {
  sustain: "Sustain, LAME's default quality (3)",
  'sustain-q2': 'Sustain, LAME quality 2',
  liquidsoap: 'liquidsoap, its LAME quality (2)',
  'liquidsoap-plain': 'liquidsoap without compress and limit',
  'liquidsoap-q3': 'liquidsoap, LAME quality 3',
  'liquidsoap-q3-each': 'liquidsoap, LAME quality 3, a process for each station',
};

const name = (station) => String(station + 1).padStart(2, '0');
/** @returns {readonly [string, string]} */
export const mountsOf = (station) => [`/a-${name(station)}`, `/b-${name(station)}`];
export const outputOf = (station) => `/out-${name(station)}`;

const range = (count) => Array.from({ length: count }, (_, index) => index);

/** `named`: what the names of its public mounts begin with, and `cli` another build of the command. */
export async function startSustain(server, stations, quality, { named = '/out', cli } = {}) {
  const text = range(stations).flatMap((station) => {
    const [primary, secondary] = mountsOf(station);
    return [
      `  station-${name(station)}:`,
      `    sources: [{ name: primary, mount: ${primary} }, { name: secondary, mount: ${secondary} }]`,
      `    serve: { mode: relay, processing: { preset: music }, outputs: [{ mount: ${named}-${name(station)}, codec: mp3, bitrate: 128k${quality} }] }`,
    ];
  });
  const lacks = (views) => {
    for (const { station, relay } of views) {
      if (relay?.playing !== 'leg') return `${station} plays ${relay?.playing}`;
      const bad = relay.outputs.find(({ state, rebuilds }) => state !== 'feeding' || rebuilds > 0);
      if (bad !== undefined) return `${bad.mount} is ${bad.state}, with ${bad.rebuilds} encoders replaced`;
      if (relay.dryMs > 0) return `${station} ran dry for ${relay.dryMs} ms`;
    }
    return null;
  };
  return await startAgent(server, text.join('\n'), 2 * stations, { cli, lacks });
}

function liquidsoapScript(server, stations, { encoder, processed }) {
  const { host, url, source } = server;
  const port = new URL(url).port;
  const lines = stations.map((station) => {
    const [primary, secondary] = mountsOf(station).map((mount) => `"${url}${mount}"`);
    return `station(${primary}, ${secondary}, "${outputOf(station)}")`;
  });
  return `settings.init.allow_root.set(true)
settings.log.stdout.set(true)
settings.log.file.set(false)
settings.log.level.set(3)
settings.scheduler.generic_queues.set(${2 + 2 * stations.length})
all = ref([])
def station(a, b, mount) =
  p = blank.strip(max_blank=5., threshold=-50., input.http(a))
  s = blank.strip(max_blank=5., threshold=-50., input.http(b))
  r = fallback(track_sensitive=false, [p, s])
  ${processed ? 'r = limit(compress(r))' : ''}
  output.icecast(${encoder}, fallible=true, host="${host}", port=${port}, user="${source.user}", password="${source.password}", mount=mount, r)
  all := list.add({ heard = fun () -> p.is_ready() and s.is_ready() }, !all)
end
${lines.join('\n')}
thread.run(every=1., fun () -> log("heard #{list.length(list.filter(fun (one) -> one.heard(), !all))}"))
`;
}

const QUALITY_2 = '%mp3(bitrate=128)';
const QUALITY_3 = '%mp3(bitrate=128, internal_quality=3)';

async function startLiquidsoap(server, stations, how) {
  return await startLiquidsoapScripts([liquidsoapScript(server, range(stations), how)], [stations]);
}

/** As panels run it that start a Liquidsoap for every station. */
async function startLiquidsoapEach(server, stations, how) {
  const each = range(stations);
  return await startLiquidsoapScripts(
    each.map((station) => liquidsoapScript(server, [station], how)),
    each.map(() => 1),
  );
}

/** @type {Record<keyof typeof WAYS, (server: object, stations: number) => Promise<Running>>} */
export const STARTS = {
  sustain: (server, stations) => startSustain(server, stations, ''),
  'sustain-q2': (server, stations) => startSustain(server, stations, ', quality: 2'),
  liquidsoap: (server, stations) =>
    startLiquidsoap(server, stations, { encoder: QUALITY_2, processed: true }),
  'liquidsoap-plain': (server, stations) =>
    startLiquidsoap(server, stations, { encoder: QUALITY_2, processed: false }),
  'liquidsoap-q3': (server, stations) =>
    startLiquidsoap(server, stations, { encoder: QUALITY_3, processed: true }),
  'liquidsoap-q3-each': (server, stations) =>
    startLiquidsoapEach(server, stations, { encoder: QUALITY_3, processed: true }),
};
