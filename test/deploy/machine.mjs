// A bare Debian with its own systemd, in namespaces of this machine: nothing in it can touch what is outside of it.
// The network is shared, so that the rig's encoders and listeners reach its Icecasts on loopback.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Explained, onPath, runQuietly, succeeds } from '../../.dev/steps.mjs';

const SUITE = 'bookworm';
const MIRROR = 'http://deb.debian.org/debian';
const CACHE = join(tmpdir(), 'sustain-debootstrap');

/** What the tests of this folder need of the machine they run on; the sentence says what is missing. */
export function checkMachine() {
  if (process.getuid?.() !== 0) throw new Explained('This builds a Debian in a folder and needs root.');
  for (const [command, name] of [
    ['debootstrap', 'debootstrap'],
    ['unshare', 'util-linux'],
    ['dpkg-deb', 'dpkg'],
  ])
    if (!onPath(command)) throw new Explained(`${command} is missing: apt-get install ${name}`);
  if (!succeeds('unshare', ['--mount', '--pid', '--fork', 'true']))
    throw new Explained('This kernel lets nobody make namespaces here, not even root.');
}

export const newFolder = (name) => mkdtempSync(join(tmpdir(), `sustain-${name}-`));

/** Debian's smallest installation, unpacked into a folder; it is downloaded once. */
export async function bareDebian(folder) {
  const archive = join(CACHE, `${SUITE}.tar`);
  if (!existsSync(archive)) {
    mkdirSync(CACHE, { recursive: true });
    const fresh = newFolder('debootstrap');
    const options = ['--variant=minbase', '--include=ca-certificates'];
    await runQuietly('debootstrap', [...options, SUITE, fresh, MIRROR]);
    await runQuietly('tar', ['-C', fresh, '-cf', `${archive}.new`, '.']);
    renameSync(`${archive}.new`, archive);
    rmSync(fresh, { recursive: true, force: true });
  }
  mkdirSync(folder, { recursive: true });
  await runQuietly('tar', ['-C', folder, '-xf', archive]);
  // A folder for passing files is its owner's alone, and this one is the root of users of its own.
  chmodSync(folder, 0o755);
  copyFileSync('/etc/resolv.conf', join(folder, 'etc/resolv.conf'));
  // Behind a proxy that signs for itself, this machine knows an authority that Debian does not.
  copyFileSync('/etc/ssl/certs/ca-certificates.crt', join(folder, 'etc/ssl/certs/ca-certificates.crt'));
}

/** Runs a shell line in the folder as its root, with /proc and the devices that programs expect. */
export function inRoot(folder, line, options = {}) {
  const script = `set -e
mount --make-rprivate /
mount -t proc proc "$1/proc"
mount -t tmpfs -o mode=755 dev "$1/dev"
for name in null zero full random urandom; do touch "$1/dev/$name"; mount --bind "/dev/$name" "$1/dev/$name"; done
ln -s /proc/self/fd "$1/dev/fd"
exec chroot ${options.user === undefined ? '' : `--userspec=${options.user}`} "$1" /usr/bin/env -i \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root \
  NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
  ${Object.entries(options.env ?? {})
    .map(([name, value]) => `${name}='${value}'`)
    .join(' ')} /bin/sh -c "$2"`;
  const flags = ['--mount', '--pid', '--fork', '--kill-child'];
  return runQuietly('unshare', [...flags, 'bash', '-c', script, 'in-root', folder, line]);
}

const NO_SERVICES = '#!/bin/sh\nexit 101\n';

/** Installs packages of Debian and files of our own, without starting anything. */
export async function install(folder, names, debs = []) {
  const policy = join(folder, 'usr/sbin/policy-rc.d');
  writeFileSync(policy, NO_SERVICES, { mode: 0o755 });
  const local = debs.map((deb) => {
    copyFileSync(deb, join(folder, 'root', deb.split('/').pop()));
    return `/root/${deb.split('/').pop()}`;
  });
  const packages = [...names, ...local].join(' ');
  await inRoot(folder, `apt-get update -q && apt-get install -y -q --no-install-recommends ${packages}`);
  rmSync(policy);
}

/**
 * The Node of this machine as a package: Debian 12 has Node 18, and people install a newer one from nodejs.org or
 * NodeSource, which is what this machine has.
 */
export async function nodePackage(folder) {
  const version = process.versions.node;
  const tree = join(folder, 'nodejs');
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  copyFileSync(process.execPath, join(tree, 'usr/bin/node'));
  writeFileSync(
    join(tree, 'DEBIAN/control'),
    `Package: nodejs\nVersion: ${version}-1sustain\nArchitecture: amd64\nMaintainer: the tests\nDescription: Node of the machine that tests\n`,
  );
  const file = join(folder, `nodejs_${version}_amd64.deb`);
  await runQuietly('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, file]);
  rmSync(tree, { recursive: true });
  return file;
}

/** Boots the folder's systemd and waits until it is up. */
export async function boot(folder) {
  const script = `set -e
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
mkdir sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 dev dev
for name in null zero full random urandom tty; do touch "dev/$name"; mount --bind "/dev/$name" "dev/$name"; done
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mkdir -p .before
pivot_root . .before
umount -l /.before
# As systemd does where it finds no container around it: credentials are mounted in one namespace and seen in others.
mount --make-rshared /
export container=sustain-test
exec /lib/systemd/systemd --system`;
  const flags = ['--mount', '--pid', '--uts', '--ipc', '--cgroup', '--fork', '--kill-child'];
  const outer = spawn('unshare', [...flags, 'bash', '-c', script, 'boot', folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH },
  });
  let words = '';
  outer.stderr.on('data', (bytes) => {
    words += bytes;
  });
  const init = () => {
    const path = `/proc/${outer.pid}/task/${outer.pid}/children`;
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split(' ')[0] : '';
  };
  const enter = (line) => ['-t', init(), '-m', '-p', '-u', '-i', '-C', '-r', '-w', '/bin/sh', '-c', line];
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C.UTF-8',
    HOME: '/root',
    DEBIAN_FRONTEND: 'noninteractive',
  };
  const machine = {
    /** Runs a shell line in it, and gives what it printed. */
    run: (line) => runQuietly('nsenter', enter(line), { cwd: '/', env }),
    succeeds: (line) => spawnSync('nsenter', enter(line), { cwd: '/', env, stdio: 'ignore' }).status === 0,
    /** The program of a service, as this machine numbers it. */
    path: (name) => join(folder, name),
    async stop() {
      const pid = init();
      if (pid !== '') execFileSync('kill', ['-KILL', pid]);
      await new Promise((resolve) => (outer.exitCode === null ? outer.once('exit', resolve) : resolve()));
      rmSync(join(folder, '.before'), { recursive: true, force: true });
    },
  };
  for (let tries = 0; tries < 60; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (outer.exitCode !== null) throw new Explained(`systemd did not start: ${words}`);
    if (init() !== '' && machine.succeeds('systemctl is-system-running | grep -qE "running|degraded"'))
      return machine;
  }
  await machine.stop();
  throw new Explained('systemd did not come up within 30 s');
}

/** Every path of the folder, but for what packages and the journal note down about themselves. */
export function everyPath(folder) {
  const ignored =
    /^\/(proc|sys|dev|run|tmp|root|\.before|var\/(cache|log|lib\/(apt|dpkg|systemd|dbus)|tmp|backups))(\/|$)/;
  const found = [];
  const walk = (path) => {
    for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
      const at = `${path}/${entry.name}`;
      if (ignored.test(at)) continue;
      found.push(at);
      if (entry.isDirectory()) walk(at);
    }
  };
  walk('');
  return found.sort();
}
