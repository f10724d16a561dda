// The ways of monitoring that are compared. Each says by itself how many legs it hears, as a bench of something that
// doesn't work is worth nothing.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAgentProcess } from '../../dist/src/demo/agent-process.js';
import { freePort, startProcess, temporaryDirectory, waitUntil } from '../../dist/src/demo/rig/index.js';

const UP_WITHIN_MS = 90_000;
const SOURCES_PER_STATION = 3;
/** Pino's number for warnings. */
const WARN = 40;

/**
 * @typedef {object} Running
 * @property {readonly number[]} pids  the processes to measure, with all below them
 * @property {(windowMs: number) => Promise<string | null>} fault  why the window just over doesn't count
 * @property {() => Promise<unknown>} stop
 * @typedef {{ url: string, host: string, admin: { user: string, password: string },
 *   source?: { user: string, password: string } }} Server
 * @typedef {(server: Server, mounts: readonly string[]) => Promise<Running>} Start
 */

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until all legs are heard; what failed to start is ended. */
async function upOrStopped(what, running, isUp, explain) {
  try {
    await waitUntil(
      `${what}: every leg heard`,
      UP_WITHIN_MS,
      async () => {
        if (await isUp()) return true;
        await pause(400);
        return false;
      },
      explain,
    );
    return running;
  } catch (thrown) {
    await running.stop();
    throw thrown;
  }
}

/** @type {Start} */
export function startSustain(server, mounts) {
  return startAgent(server, stationsText(mounts), mounts.length);
}

/**
 * One agent.
 *
 * @param {Server} server
 * @param {string} stations  its stations, as YAML
 * @param {number} legCount
 * @param {{ cli?: string, lacks?: (stations: readonly object[]) => string | null }} [more]  another build of the command
 *   than this tree's; what else is not yet, or no longer, as it should be
 * @returns {Promise<Running>}
 */
export async function startAgent(server, stations, legCount, { cli, lacks = () => null } = {}) {
  const directory = temporaryDirectory('bench', null);
  const secret = (name, text) => {
    const path = join(directory.path, name);
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    return path;
  };
  const viewerToken = randomBytes(16).toString('hex');
  const listen = `${server.host}:${await freePort(server.host)}`;
  const stateDirectory = join(directory.path, 'state');
  mkdirSync(stateDirectory, { mode: 0o700 });
  const configPath = join(directory.path, 'sustain.yaml');
  const files = {
    admin: secret('admin', server.admin.password),
    source: secret('source', server.source?.password ?? 'none'),
    viewer: secret('viewer', viewerToken),
  };
  writeFileSync(configPath, configText(server, stations, files, listen, stateDirectory));
  const agent = createAgentProcess({
    server: 'bench',
    configPath,
    webUrl: `http://${listen}`,
    viewerToken,
    operatorToken: '',
    ...(cli === undefined ? {} : { cli }),
  });
  const stop = async () => {
    await agent.stop();
    directory.remove();
  };
  const stationViews = async () => (await agent.state()).stations;
  const legsOf = (views) => views.flatMap(({ servers }) => servers.flatMap((one) => one.legs));
  const running = {
    get pids() {
      return [agent.pid()];
    },
    async fault(windowMs) {
      const views = await stationViews();
      const all = legsOf(views);
      // Asking during the window would be measured too, so the legs are asked since when they have been audible.
      const bad = all.find(({ condition, forMs }) => condition !== 'audible' || forMs < windowMs);
      if (all.length !== legCount) return `it has ${all.length} legs`;
      if (bad === undefined) return lacks(views);
      const warnings = agent.log().filter(({ level }) => level >= WARN);
      const said = warnings.slice(-3).map(({ msg, lostMs }) => (lostMs ? `${msg} (${lostMs} ms)` : msg));
      return `${bad.leg} is ${bad.condition} ${bad.reason} for ${bad.forMs} ms (${said.join('; ')})`;
    },
    stop,
  };
  try {
    await agent.start({ ready: false });
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  let left = [];
  const isUp = async () => {
    const views = await stationViews();
    left = legsOf(views)
      .filter(({ condition }) => condition !== 'audible')
      .map(({ leg, condition, reason }) => `${leg} is ${condition} ${reason}`);
    const lacking = lacks(views);
    if (lacking !== null) left.push(lacking);
    return left.length === 0;
  };
  const explain = () => left.join('\n');
  return upOrStopped('Sustain', running, isUp, explain);
}

function stationsText(mounts) {
  const names = ['primary', 'secondary', 'autodj'];
  const stations = [];
  for (let first = 0; first < mounts.length; first += SOURCES_PER_STATION) {
    const sources = mounts
      .slice(first, first + SOURCES_PER_STATION)
      .map((mount, index) => `      - { name: ${names[index]}, mount: ${mount} }`);
    stations.push(
      `  station-${1 + first / SOURCES_PER_STATION}:`,
      '    sources:',
      ...sources,
      '    serve: { mode: guard }',
    );
  }
  return stations.join('\n');
}

function configText(server, stations, files, listen, stateDirectory) {
  const users = [server.admin, server.source ?? { user: 'source' }].map(({ user }) => user);
  return `server: bench
servers:
  bench:
    url: "${server.url}"
    admin: { user: ${users[0]}, passwordFile: ${files.admin} }
    source: { user: ${users[1]}, passwordFile: ${files.source} }
stations:
${stations}
web: { listen: "${listen}", viewerTokenFile: ${files.viewer}, operatorTokenFile: ${files.viewer} }
state: { directory: ${stateDirectory} }
`;
}

/** A program that says `heard N` on stdout about once a second. */
async function startReporting(options) {
  const program = await startProcess({ ...options, stdout: 'pipe' });
  const report = { heard: 0, atMs: -Infinity, trouble: '', troubleAtMs: -Infinity };
  let rest = '';
  program.stdout?.setEncoding('utf8');
  program.stdout?.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const heard = /heard (\d+)/.exec(line);
      if (heard !== null) Object.assign(report, { heard: Number(heard[1]), atMs: performance.now() });
      if (/catchup|exception/i.test(line))
        Object.assign(report, { trouble: line, troubleAtMs: performance.now() });
    }
  });
  return { program, report };
}

async function startGroup(what, options, legsEach) {
  const all = await Promise.all(options.map(startReporting));
  const hearsAll = () =>
    all.every(({ report }, index) => {
      const isFresh = performance.now() - report.atMs < 5000;
      return report.heard === legsEach[index] && isFresh;
    });
  const heardNow = () => all.map(({ report }) => report.heard).join(', ');
  const running = {
    pids: all.map(({ program }) => program.pid),
    async fault(windowMs) {
      const fromMs = performance.now() - windowMs;
      const troubled = all.find(({ report }) => report.troubleAtMs >= fromMs);
      if (troubled) return troubled.report.trouble;
      return hearsAll() ? null : `legs heard by each process: ${heardNow()}`;
    },
    stop: () => Promise.all(all.map(({ program }) => program.stop(3000))),
  };
  const isUp = async () => {
    const dead = all.find(({ program }) => !program.running());
    if (dead) throw Object.assign(new Error(dead.program.lastWords()), { code: `${what}-ended` });
    return hearsAll();
  };
  return upOrStopped(what, running, isUp, () => `legs heard by each process: ${heardNow()}`);
}

const readerPath = fileURLToPath(new URL('ffmpeg-reader.mjs', import.meta.url));

/** @type {Start} */
export function startFfmpegs(server, mounts) {
  const args = [readerPath, ...mounts.map((mount) => `${server.url}${mount}`)];
  return startGroup('ffmpeg', [{ command: process.execPath, args }], [mounts.length]);
}

/** Liquidsoap's own number of queues. Each leg gets one more, or the legs would be opened two at a time. */
const QUEUES = 2;

function liquidsoapScript(urls) {
  const legs = urls.map((url, index) => `leg("leg-${index + 1}", "${url}")`);
  return `settings.init.allow_root.set(true)
settings.log.stdout.set(true)
settings.log.file.set(false)
settings.log.level.set(3)
settings.scheduler.generic_queues.set(${QUEUES + urls.length})
legs = ref([])
def leg(name, url) =
  s = input.http(id=name, url)
  s = blank.detect(max_blank=2., threshold=-50., fun () -> log("#{name} is blank"), s)
  output.dummy(fallible=true, s)
  legs := list.add({ heard = fun () -> s.is_ready() and not s.is_blank() }, !legs)
end
${legs.join('\n')}
thread.run(every=1., fun () -> log("heard #{list.length(list.filter(fun (one) -> one.heard(), !legs))}"))
`;
}

function startLiquidsoaps(server, groups) {
  const scripts = groups.map((mounts) => liquidsoapScript(mounts.map((mount) => `${server.url}${mount}`)));
  return startLiquidsoapScripts(
    scripts,
    groups.map((mounts) => mounts.length),
  );
}

/**
 * @param {readonly string[]} scripts  each says `heard N` in its log once a second
 * @param {readonly number[]} heardEach  the N of each when all is well
 */
export async function startLiquidsoapScripts(scripts, heardEach) {
  const directory = temporaryDirectory('bench-liquidsoap', null);
  const options = scripts.map((script, index) => {
    const path = join(directory.path, `${index}.liq`);
    writeFileSync(path, script);
    return { command: 'liquidsoap', args: [path] };
  });
  try {
    const running = await startGroup('liquidsoap', options, heardEach);
    return {
      ...running,
      async stop() {
        await running.stop();
        directory.remove();
      },
    };
  } catch (thrown) {
    directory.remove();
    throw thrown;
  }
}

/** @type {Start} */
export const startLiquidsoap = (server, mounts) => startLiquidsoaps(server, [mounts]);

/** @type {Start} */
export const startLiquidsoapEach = (server, mounts) =>
  startLiquidsoaps(
    server,
    mounts.map((mount) => [mount]),
  );
