// System packages: what is needed, what of it is missing, and installing that with apt where it is allowed.
import { existsSync, readFileSync } from 'node:fs';
import { Explained, onPath, runQuietly, step, succeeds } from './steps.mjs';

const command = (name) => () => onPath(name);
const file = (path) => () => existsSync(path);
const LIBRARY_FOLDERS = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };
const library = (name) => file(`/usr/lib/${LIBRARY_FOLDERS[process.arch]}/${name}`);

const FOR_DEMO = [
  { name: 'icecast2', present: command('icecast2') },
  { name: 'ffmpeg', present: command('ffmpeg') },
  { name: 'libmpg123-0', present: library('libmpg123.so.0') },
  { name: 'g++', present: command('g++') },
  { name: 'asc-music', present: file('/usr/share/games/asc/music/frontiers.mp3') },
  { name: 'singularity-music', present: file('/usr/share/games/singularity/music/Through Space.ogg') },
  { name: 'planetblupi-music-ogg', present: file('/usr/share/planetblupi/music/music004.ogg') },
  { name: 'pdns-server', present: file('/usr/sbin/pdns_server') },
  {
    name: 'pdns-backend-sqlite3',
    present: file('/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql'),
  },
  { name: 'sqlite3', present: command('sqlite3') },
];

const FOR_TESTS = [
  ...FOR_DEMO,
  { name: 'ezstream', present: command('ezstream') },
  { name: 'liquidsoap', present: command('liquidsoap') },
  { name: 'python3', present: command('python3') },
  { name: 'libebur128-dev', present: file('/usr/include/ebur128.h') },
  { name: 'espeak-ng', present: command('espeak-ng') },
  { name: 'flite', present: command('flite') },
  { name: 'bind9', present: file('/usr/sbin/named') },
  { name: 'knot', present: file('/usr/sbin/knotd') },
  { name: 'bind9-dnsutils', present: command('dig') },
  { name: 'nats-server', present: file('/usr/sbin/nats-server') },
  { name: 'chromium', present: command('chromium') },
];

export const missingPackages = (purpose) =>
  (purpose === 'demo' ? FOR_DEMO : FOR_TESTS).filter(({ present }) => !present()).map(({ name }) => name);

/** These packages bring a service that the rig has no use for: it starts its own on loopback. */
const SERVICES = ['icecast2', 'pdns', 'named', 'knot', 'nats-server'];

const POLICY = '/usr/sbin/policy-rc.d';

// Keeps apt from starting services; a policy that the machine has already is left as it is.
const installScript = (names) => `set -e
export DEBIAN_FRONTEND=noninteractive
ours=no
if [ ! -e ${POLICY} ]; then
  printf '#!/bin/sh\\nexit 101\\n' > ${POLICY}; chmod 755 ${POLICY}; ours=yes
fi
trap '[ $ours = no ] || rm -f ${POLICY}' EXIT
install() { apt-get install -y -q -o DPkg::Lock::Timeout=60 --no-install-recommends ${names.join(' ')}; }
install || { apt-get update -q && install; }
`;

export async function installPackages(purpose) {
  const missing = missingPackages(purpose);
  if (missing.length === 0) return;
  const line = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (!onPath('apt-get')) {
    throw new Explained(
      `These are missing: ${missing.join(', ')}. Sustain's set-up knows Debian and Ubuntu; here, install them yourself.`,
    );
  }
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && !succeeds('sudo', ['-n', 'true'])) {
    throw new Explained(
      `These are missing: ${missing.join(', ')}. Install them once with\n\n    sudo ${line}\n`,
    );
  }
  const before = SERVICES.filter(isEnabled);
  await step(`apt-get install ${missing.join(' ')}`, async () => {
    const shell = ['sh', '-c', installScript(missing)];
    await (isRoot ? runQuietly('sh', shell.slice(1)) : runQuietly('sudo', ['-n', ...shell]));
  });
  await quietServices(before, isRoot);
  const still = missingPackages(purpose);
  if (still.length > 0)
    throw new Explained(`apt-get installed, but these can't be found: ${still.join(', ')}.`);
}

const usesSystemd = () => existsSync('/run/systemd/system');

function isEnabled(service) {
  return usesSystemd() && succeeds('systemctl', ['is-enabled', '--quiet', service]);
}

/** What our installation switched on is switched off again; what was on before is not ours. */
async function quietServices(before, isRoot) {
  for (const service of SERVICES) {
    if (before.includes(service) || !isEnabled(service)) continue;
    const args = ['systemctl', 'disable', '--now', service];
    await step(`the ${service} service that apt switched on is not needed: off`, () =>
      isRoot ? runQuietly(args[0], args.slice(1)) : runQuietly('sudo', ['-n', ...args]),
    );
  }
}

export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Explained(`Sustain needs Node 20.19 or later; this is ${process.versions.node}.`);
}

export const platformName = () => {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  } catch {
    return process.platform;
  }
};
