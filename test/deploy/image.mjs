// `npm run test:image`: no container engine is needed to know that the image works. This reads the Dockerfile, does what
// each stage says in a Debian in a folder, starts the result as an engine would (its user, a read-only root, tini as
// process 1), and waits for /readyz beside a real Icecast.
// What differs from an engine: the base images are Debian's own smallest installation, and Node's image is that with the
// Node, npm and headers of this machine in /usr/local, where the image has them.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Explained, root, runQuietly } from '../../.dev/steps.mjs';
import { parseDockerfile, stagesOf } from './dockerfile.mjs';
import { bareDebian, checkMachine, inRoot, newFolder } from './machine.mjs';

const rig = await import(join(root, 'dist/src/demo/rig/index.js')).catch(() => null);
const MOST_MIB = 350;
const WEB = 'http://127.0.0.151:8080';
const startedAtMs = performance.now();
const stops = [];

const say = (text) =>
  console.log(`${((performance.now() - startedAtMs) / 1000).toFixed(0).padStart(4)} s  ${text}`);

function expectThat(what, holds, shown = '') {
  say(`${holds ? 'ok    ' : 'FAILED'} ${what}${shown === '' ? '' : `: ${shown}`}`);
  if (!holds) throw new Explained(`${what} does not hold`);
}

const BASES = {
  'debian:bookworm-slim': bareDebian,
  async 'node:20-bookworm-slim'(folder) {
    await bareDebian(folder);
    const prefix = dirname(dirname(realpathSync(process.execPath)));
    const copy = (from, to) => cpSync(from, join(folder, to), { recursive: true, dereference: true });
    copy(process.execPath, 'usr/local/bin/node');
    copy(join(prefix, 'lib/node_modules/npm'), 'usr/local/lib/node_modules/npm');
    copy(join(prefix, 'include/node'), 'usr/local/include/node');
    await inRoot(folder, 'ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm');
  },
};

/** The build context as an engine gets it: what .dockerignore lets through. */
function contextOf() {
  const folder = newFolder('context');
  const rules = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n').filter(Boolean);
  for (const rule of rules.filter((one) => one.startsWith('!'))) {
    const path = rule.slice(1);
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  for (const rule of rules.filter((one) => /^[^!*]/.test(one)))
    rmSync(join(folder, rule), { recursive: true, force: true });
  return folder;
}

/** Does what a stage says; gives what an engine would keep of it for the start. */
async function buildStage(stage, folder, built, context) {
  await BASES[stage.base](folder);
  const config = { env: {}, workdir: '/', user: '0', entrypoint: [], cmd: [], healthcheck: [] };
  const doing = {
    SHELL: () => undefined,
    EXPOSE: () => undefined,
    STOPSIGNAL: () => undefined,
    VOLUME: ({ json }) => json.forEach((path) => void mkdirSync(join(folder, path), { recursive: true })),
    ENV({ words }) {
      for (const word of words) config.env[word.split('=')[0]] = word.slice(word.indexOf('=') + 1);
    },
    WORKDIR({ body }) {
      config.workdir = body;
      mkdirSync(join(folder, body), { recursive: true });
    },
    USER({ body }) {
      config.user = body;
    },
    COPY({ words, flags }) {
      const from = flags.from === undefined ? context : built.get(flags.from);
      const to = words.at(-1);
      const target = to.startsWith('/') ? join(folder, to) : join(folder, config.workdir, to);
      for (const path of words.slice(0, -1)) {
        const into = to.endsWith('/') ? join(target, path.split('/').pop()) : target;
        mkdirSync(dirname(into), { recursive: true });
        cpSync(join(from, path), into, { recursive: true });
      }
    },
    RUN: ({ body }) =>
      inRoot(folder, `cd ${config.workdir} && ${body}`, { env: config.env }).then((text) => text.slice(-300)),
    HEALTHCHECK({ body }) {
      config.healthcheck = JSON.parse(/CMD\s+(\[.*\])/.exec(body)[1]);
    },
    ENTRYPOINT({ json }) {
      config.entrypoint = json;
    },
    CMD({ json }) {
      config.cmd = json;
    },
  };
  for (const step of stage.steps) {
    const act = doing[step.keyword];
    if (act === undefined) throw new Explained(`Dockerfile:${step.line}: ${step.keyword} is not known here`);
    const fromMs = performance.now();
    await act(step);
    say(
      `${stage.name}: ${step.keyword} ${step.body.slice(0, 60)} (${Math.round(performance.now() - fromMs)} ms)`,
    );
  }
  return config;
}

async function build() {
  const stages = stagesOf(parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8')));
  const context = contextOf();
  stops.push(() => rmSync(context, { recursive: true, force: true }));
  const built = new Map();
  let result = null;
  for (const stage of stages) {
    const folder = newFolder(`stage-${stage.name}`);
    stops.push(() => rmSync(folder, { recursive: true, force: true }));
    const config = await buildStage(stage, folder, built, context);
    built.set(stage.name, folder);
    result = { folder, config };
  }
  return result;
}

/** A station with sound on a real Icecast, for the image to stand beside. */
async function station() {
  const { createEncoder, createProgramme, loadMaterial, PILOTS_HZ, startIcecast } = rig;
  const icecast = await startIcecast({
    host: '127.0.0.151',
    port: 8000,
    mounts: [{ mount: '/primary' }, { mount: '/secondary' }],
    relays: [],
    limits: { clients: 100, sources: 8 },
  });
  stops.push(() => icecast.stop());
  const material = await loadMaterial({ music: 'studio', pilotHz: PILOTS_HZ.primary });
  const encoder = createEncoder({
    name: 'primary',
    programme: createProgramme({ name: 'primary', material, delayMs: 0 }),
    targets: [{ server: icecast.source, mount: '/primary' }],
  });
  stops.push(() => encoder.stop());
  await encoder.start();
  return icecast;
}

/** What the engine mounts: a config and secrets, readable by the image's user. */
function configFor(folder, icecast) {
  const put = (path, text) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: 0o644 });
  };
  put('run/secrets/icecast-admin', `${icecast.admin.password}\n`);
  put(
    'etc/sustain/sustain.yaml',
    `server: london
servers: { london: { url: "${icecast.url}", admin: { passwordFile: /run/secrets/icecast-admin } } }
stations: { myfm: { sources: [ { name: primary, mount: /primary }, { name: secondary, mount: /secondary } ] } }
web: { listen: "127.0.0.151:8080", viewerTokenFile: /run/secrets/icecast-admin }
`,
  );
}

/** Starts it as an engine would: own process numbers, root read-only, /tmp and the volume writable, no new rights. */
function start({ folder, config }) {
  const variables = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    SUSTAIN_HEALTH_URL: `${WEB}/readyz`,
    ...config.env,
  };
  const env = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const drop = '--clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all';
  // chroot needs a right that the program must not have, so the rights are dropped behind it.
  const script = `set -e
folder="$1"; shift
mount --make-rprivate /
mount --bind "$folder" "$folder"
mount --bind "$folder/var/lib/sustain" "$folder/var/lib/sustain"
mount -o remount,ro,bind "$folder"
mount -t proc proc "$folder/proc"
mount -t tmpfs tmpfs "$folder/tmp"
mount -t tmpfs -o mode=755 dev "$folder/dev"
for name in null zero random urandom; do touch "$folder/dev/$name"; mount --bind "/dev/$name" "$folder/dev/$name"; done
exec chroot "$folder" /usr/bin/setpriv --reuid ${config.user} --regid ${config.user} ${drop} \
  /usr/bin/env -i ${env.join(' ')} /bin/sh -c 'cd ${config.workdir} && exec "$@"' sh "$@"`;
  const flags = ['--mount', '--pid', '--fork', '--kill-child'];
  const words = [...config.entrypoint, ...config.cmd];
  const child = spawn('unshare', [...flags, 'bash', '-c', script, 'start', folder, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => {
      said = (said + bytes).slice(-100_000);
    });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    said: () => said,
    running: () => child.exitCode === null,
    pid: async () =>
      (await runQuietly('cat', [`/proc/${child.pid}/task/${child.pid}/children`])).trim().split(' ')[0],
    async stop() {
      const fromMs = performance.now();
      const pid = await this.pid().catch(() => '');
      if (pid !== '') process.kill(Number(pid), 'SIGTERM');
      await ended;
      return performance.now() - fromMs;
    },
  };
}

async function prove() {
  checkMachine();
  if (rig === null) throw new Explained('dist/ is missing: npm run build');
  const image = await build();
  const { folder, config } = image;
  const apt = ['var/lib/apt/lists', 'var/cache/apt'];
  for (const path of apt) rmSync(join(folder, path), { recursive: true, force: true });
  const unpacked = Math.round(Number((await runQuietly('du', ['-sm', folder])).split('\t')[0]));
  const packed =
    Number(await runQuietly('sh', ['-c', `tar -C ${folder} -c . | gzip -6 | wc -c`])) / 1024 / 1024;
  expectThat(
    `pulled, it is under ${MOST_MIB} MiB`,
    packed < MOST_MIB,
    `${packed.toFixed(0)} MiB (${unpacked} unpacked)`,
  );
  expectThat(
    'no compiler and no npm are in it',
    !existsSync(join(folder, 'usr/bin/g++')) && !existsSync(join(folder, 'usr/local/bin/npm')),
  );
  const madeOf = ['sbom.cdx.json', 'licences.txt', 'LICENSE'].map((name) => `usr/lib/sustain/${name}`);
  expectThat(
    'what it is made of and its licences are in it',
    [...madeOf, 'usr/share/doc/ffmpeg/copyright'].every((path) => existsSync(join(folder, path))),
  );

  const icecast = await station();
  configFor(folder, icecast);
  const running = start(image);
  stops.push(() => running.stop());
  const seen = await rig
    .waitUntil('/readyz', 60_000, async () => {
      if (!running.running()) throw new Explained(`it ended: ${running.said().slice(-4000)}`);
      return (await fetch(`${WEB}/readyz`, { signal: AbortSignal.timeout(1000) })).status === 200;
    })
    .then(
      () => true,
      () => false,
    );
  if (!seen) say(running.said().slice(-4000));
  expectThat('/readyz answers 200', seen);
  expectThat(
    'MP3 is decoded in one process for all legs',
    running.said().includes('decoding MP3 in one process for all legs'),
  );
  const init = await running.pid();
  const first = (await runQuietly('cat', [`/proc/${init}/cmdline`])).split('\0')[0];
  expectThat('process 1 is tini', first.endsWith('tini'), first);
  const status = await runQuietly('cat', [`/proc/${init}/status`]);
  expectThat('its user is not root', /^Uid:\s+10001\s/m.test(status));
  expectThat(
    'it has no capability and can get none',
    /^CapBnd:\s+0+$/m.test(status) && /^NoNewPrivs:\s+1$/m.test(status),
  );
  const enter = ['-t', init, '-m', '-p', '-r', '-w', '--setuid', config.user, '--setgid', config.user];
  const health = await runQuietly(
    'nsenter',
    [...enter, 'env', `SUSTAIN_HEALTH_URL=${WEB}/readyz`, ...config.healthcheck],
    {
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      cwd: '/',
    },
  ).then(
    () => true,
    () => false,
  );
  expectThat('its HEALTHCHECK says healthy', health);
  const written = await runQuietly('nsenter', [...enter.slice(0, -4), 'touch', '/usr/lib/sustain/x'], {
    cwd: '/',
  }).then(
    () => true,
    () => false,
  );
  expectThat('its root is read-only, even for root', !written);
  const stoppedAfterMs = await running.stop();
  expectThat('SIGTERM ends it within 6 s', stoppedAfterMs < 6000, `${Math.round(stoppedAfterMs)} ms`);
}

let failure = null;
try {
  await prove();
} catch (thrown) {
  failure = thrown;
} finally {
  for (const stop of stops.reverse()) await Promise.resolve(stop()).catch(() => undefined);
}
if (failure !== null) console.error(failure instanceof Explained ? failure.message : failure);
process.exit(failure === null ? 0 : 1);
