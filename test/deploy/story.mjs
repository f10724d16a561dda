// `npm run test:deploy`: on a bare Debian with its own systemd: the .deb, `sustain init`, two Icecasts, an encoder,
// a fault, a switch, a reload, an upgrade and the way back without a listener lost, a hang, and a purge. Real parts, real listeners.
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Explained, root, runQuietly } from '../../.dev/steps.mjs';
import { bareDebian, boot, checkMachine, everyPath, install, newFolder, nodePackage } from './machine.mjs';

const rig = await import(join(root, 'dist/src/demo/rig/index.js')).catch(() => null);
const { createEncoder, createProgramme, deadAirMsIn, loadMaterial, PILOTS_HZ, startListener, waitUntil } =
  rig ?? {};

const SERVERS = { london: '127.0.0.141', dublin: '127.0.0.142' };
const WEB = 'http://127.0.0.141:8088';
/** What the engineer writes into /etc/default/sustain. */
const SELF = 'SUSTAIN_SERVER=london';
const rows = [];
const stops = [];
/** What the agent said, for a story that failed. */
let journal = async () => '';
const startedAtMs = performance.now();

function say(text) {
  console.log(`${((performance.now() - startedAtMs) / 1000).toFixed(0).padStart(4)} s  ${text}`);
}

/** One line of the result; a bound that does not hold fails the whole. */
function row(what, measured, holds, unit = '') {
  rows.push({ what, measured: `${measured}${unit}`, holds });
  say(`${holds ? 'ok    ' : 'FAILED'} ${what}: ${measured}${unit}`);
}

const next = (version) => version.replace(/\d+$/, (patch) => String(Number(patch) + 1));

/**
 * The package to begin with and a newer one. `SUSTAIN_PREVIOUS_DEB` names that of the release before; without one it is this
 * build twice, under two versions.
 */
async function packages(folder) {
  const file = (one) => `sustain_${one}_amd64.deb`;
  const build = (one) =>
    runQuietly('node', ['.dev/package.mjs', '--quick', '--built', '--version', one, '--out', folder]);
  const previous = process.env.SUSTAIN_PREVIOUS_DEB;
  if (previous === undefined) {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const newer = next(version);
    for (const one of [version, newer]) await build(one);
    return { version, newer, file };
  }
  const version = (await runQuietly('dpkg-deb', ['-f', previous, 'Version'])).trim();
  copyFileSync(previous, join(folder, file(version)));
  await build(next(version));
  return { version, newer: next(version), file };
}

/** What an administrator does with the blocks that init wrote: into Debian's icecast.xml, one for each server. */
function writeIcecastXml(machine, name, host) {
  const blocks = readFileSync(machine.path(`etc/sustain/icecast-${name}.xml`), 'utf8');
  const block = (tag) => new RegExp(`<${tag}[ >][\\s\\S]*?</${tag}>`, 'g');
  let xml = readFileSync(machine.path('etc/icecast2/icecast.xml'), 'utf8').replace(/<!--[\s\S]*?-->/g, '');
  for (const tag of ['limits', 'authentication']) xml = xml.replace(block(tag), blocks.match(block(tag))[0]);
  const more = [...(blocks.match(block('mount')) ?? []), ...(blocks.match(block('relay')) ?? [])];
  const socket = `<listen-socket><port>8000</port><bind-address>${host}</bind-address></listen-socket>`;
  xml = xml.replace(block('listen-socket'), socket).replace('</icecast>', `${more.join('\n')}\n</icecast>`);
  xml = xml.replaceAll('/var/log/icecast2', `/var/log/icecast2-${name}`);
  writeFileSync(machine.path(`etc/icecast2/${name}.xml`), xml);
  writeFileSync(
    machine.path(`etc/systemd/system/icecast-${name}.service`),
    `[Service]\nUser=icecast2\nGroup=icecast\nLogsDirectory=icecast2-${name}\nExecStart=/usr/bin/icecast2 -c /etc/icecast2/${name}.xml\nExecReload=/bin/kill -HUP $MAINPID\n`,
  );
}

async function startEncoders(machine) {
  const password = readFileSync(machine.path('etc/sustain/secrets/icecast-source'), 'utf8').trim();
  const encoders = {};
  for (const name of ['primary', 'secondary']) {
    const material = await loadMaterial({ music: 'studio', pilotHz: PILOTS_HZ[name] });
    encoders[name] = createEncoder({
      name,
      programme: createProgramme({ name, material, delayMs: 0 }),
      targets: Object.values(SERVERS).map((host) => ({
        server: { host, port: 8000, user: 'source', password },
        mount: `/${name}`,
      })),
    });
    stops.push(() => encoders[name].stop());
    await encoders[name].start();
  }
  return encoders;
}

const stateOf = async (machine) => {
  const token = readFileSync(machine.path('etc/sustain/secrets/viewer'), 'utf8').trim();
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${WEB}/api/v1/state`, { headers, signal: AbortSignal.timeout(2000) });
  return response.json();
};

const isReady = async () =>
  (await fetch(`${WEB}/readyz`, { signal: AbortSignal.timeout(1000) }).catch(() => null))?.status === 200;

const feeds = async (machine, version) => {
  const state = await stateOf(machine).catch(() => null);
  const outputs = state?.stations[0]?.relay?.outputs ?? [];
  const isFed = outputs.length > 0 && outputs.every((output) => output.state === 'feeding');
  return isFed && (version === undefined || state.version === version);
};

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Until what was decided has been played. */
const PLAYED_MS = 12_000;

/** What a listener hears while something is done. */
async function heardDuring(what, boundMs, act) {
  const listener = await startListener({ name: what, url: `http://${SERVERS.london}:8000/stream` });
  await wait(3000);
  await act();
  await wait(PLAYED_MS);
  const heard = await listener.stop();
  row(`${what}: times a listener was disconnected`, heard.disconnects, heard.disconnects === 0);
  const deadMs = Math.round(deadAirMsIn(heard, {}));
  row(`${what}: dead air`, deadMs, deadMs <= boundMs, ` ms (bound ${boundMs})`);
  if (deadMs > boundMs) console.error(await journal().catch(() => ''));
}

async function installAndWrite(machine, debs) {
  const before = everyPath(machine.path(''));
  await machine.run(`apt-get install -y -q /root/${debs.file(debs.version)} </dev/null`);
  row(
    'installed, and not started without a config',
    'inactive',
    !machine.succeeds('systemctl is-active -q sustain'),
  );
  row('it waits for one', 'active', machine.succeeds('systemctl is-active -q sustain.path'));
  const mayAsk = (await machine.run('dpkg -s sustain')).includes('Conffiles:');
  row('files that dpkg could ask about at an upgrade', mayAsk ? 'some' : 'none', !mayAsk);
  // As docs/tutorial.md has it: which machine this is goes before the config.
  await machine.run(`echo ${SELF} >> /etc/default/sustain`);
  const servers = Object.entries(SERVERS).map(([name, host]) => `${name}=http://${host}:8000`);
  const said = await machine.run(
    `cd /etc/sustain && sustain init --yes --config /etc/sustain/sustain.yaml --servers ${servers.join(',')} --sources primary,secondary --icecast-xml /etc/icecast2/icecast.xml --web 127.0.0.141:8088`,
  );
  row('sustain init says what Icecast needs', 'said', said.includes('/stream needs /stream-safe'));
  return before;
}

async function startIcecasts(machine) {
  for (const [name, host] of Object.entries(SERVERS)) writeIcecastXml(machine, name, host);
  await machine.run('systemctl daemon-reload && systemctl start icecast-london icecast-dublin');
}

async function lookAtService(machine) {
  await waitUntil('the service by itself', 15_000, async () =>
    machine.succeeds('systemctl is-active -q sustain'),
  );
  const facts = await machine.run(
    'systemctl show sustain -p MainPID -p WatchdogUSec -p StatusText -p NRestarts',
  );
  row(
    'started by the config alone, ready by notify',
    facts.match(/StatusText=(.*)/)[1],
    facts.includes('london'),
  );
  const said = await machine.run('journalctl -u sustain -o cat --no-pager');
  const isShared = said.includes('decoding MP3 in one process for all legs');
  row('MP3 is decoded in one process for all legs', isShared ? 'said' : said, isShared);
  const pid = facts.match(/MainPID=(\d+)/)[1];
  const status = await machine.run(`cat /proc/${pid}/status`);
  const field = (name) => status.match(new RegExp(`^${name}:\\s*(\\S+)`, 'm'))?.[1] ?? '';
  row('user', field('Uid'), Number(field('Uid')) > 1000);
  row('capabilities', field('CapEff'), /^0+$/.test(field('CapEff')));
  row('system calls are filtered', `Seccomp ${field('Seccomp')}`, field('Seccomp') === '2');
  await waitUntil('/readyz', 60_000, isReady);
  await waitUntil('the public mount', 60_000, () => feeds(machine));
  row('/readyz', 200, true);
  const check = await machine.run('sustain check --config /etc/sustain/sustain.yaml; echo "exit $?"');
  const isClean = check.endsWith('exit 0');
  row('sustain check', isClean ? 'exit 0' : check, isClean);
}

async function faultAndSwitch(machine, encoders) {
  const onAir = async () => (await stateOf(machine)).stations[0].relay.onAir;
  await heardDuring('the encoder falls silent, and comes back', 50, async () => {
    encoders.primary.programme.mute();
    await waitUntil('the switch', 30_000, async () => String(await onAir()).includes('secondary'));
    row('on air during the fault', await onAir(), true);
    encoders.primary.programme.unmute();
    await waitUntil('the return', 90_000, async () => String(await onAir()).includes('primary'));
  });
}

async function reloads(machine) {
  const path = machine.path('etc/sustain/sustain.yaml');
  const good = readFileSync(path, 'utf8');
  await heardDuring('a reload with a fault in it, and a good one', 50, async () => {
    writeFileSync(path, good.replace('trip: 5s', 'trip: 5'));
    await machine.run('systemctl reload sustain');
    await wait(2000);
    const errors = await machine.run('journalctl -u sustain -p err -o cat --no-pager');
    row('the journal has it as an error', 'found', errors.includes('the old one runs on'));
    writeFileSync(path, good.replace('trip: 5s', 'trip: 4s'));
    await machine.run('systemctl reload sustain');
    await wait(2000);
    const all = await machine.run('journalctl -u sustain -p info -o cat --no-pager');
    row('the good one is in use', 'said', all.includes('the new config is in use'));
  });
  writeFileSync(path, good);
  await machine.run('systemctl reload sustain');
}

async function watchdog(machine) {
  const restarts = async () =>
    Number((await machine.run('systemctl show sustain -p NRestarts')).split('=')[1]);
  const before = await restarts();
  const fromMs = performance.now();
  // Its connection stays open, so that Icecast waits for its source-timeout, 5 s, before the net; a player's buffer hides some.
  await heardDuring('the agent hangs (SIGSTOP)', 5000, async () => {
    await machine.run('kill -STOP $(systemctl show sustain -p MainPID --value)');
    await waitUntil('the watchdog', 60_000, async () => (await restarts()) > before);
    row('the watchdog ended it after', Math.round((performance.now() - fromMs) / 1000), true, ' s');
    await waitUntil('the agent again', 60_000, () => feeds(machine));
  });
}

async function upgrade(machine, debs, what, version) {
  await heardDuring(what, 500, async () => {
    await machine.run(`apt-get install -y -q --allow-downgrades /root/${debs.file(version)} </dev/null`);
    await waitUntil(`version ${version}`, 60_000, () => feeds(machine, version));
  });
  const state = await stateOf(machine);
  row(`${what}: it runs`, state.version, state.version === version);
  const isKept = readFileSync(machine.path('etc/default/sustain'), 'utf8').endsWith(`${SELF}\n`);
  row(`${what}: /etc/default/sustain`, isKept ? 'as it was written' : 'changed', isKept);
}

/** Whoever stops it means it. */
async function upgradeWhileStopped(machine, debs) {
  await machine.run('systemctl disable --now -q sustain.path sustain.service');
  await machine.run(`apt-get install -y -q /root/${debs.file(debs.newer)} </dev/null`);
  const isBack = ['is-active', 'is-enabled'].some((word) =>
    machine.succeeds(`systemctl ${word} -q sustain.service || systemctl ${word} -q sustain.path`),
  );
  row('upgraded while it is stopped and disabled', isBack ? 'started' : 'stays so', !isBack);
}

async function purge(machine, before) {
  await machine.run('systemctl stop icecast-london icecast-dublin');
  await machine.run('apt-get purge -y -q sustain </dev/null');
  const ours = /icecast-(london|dublin)|icecast2\/(london|dublin)\.xml/;
  const left = everyPath(machine.path('')).filter((path) => !before.includes(path) && !ours.test(path));
  row('purged: files left', left.length === 0 ? 'none' : left.join(' '), left.length === 0);
  row('purged: it is gone', 'gone', !machine.succeeds('systemctl cat sustain.service'));
}

/** A bare Debian with systemd, Icecast, ffmpeg and Node, and both packages lying in it. */
async function prepare(folder) {
  const debs = await packages(folder);
  say(`packages of ${debs.version} and ${debs.newer}`);
  const rootFolder = join(folder, 'root');
  await bareDebian(rootFolder);
  const names = ['systemd', 'systemd-sysv', 'dbus', 'procps', 'icecast2', 'ffmpeg'];
  await install(rootFolder, names, [await nodePackage(folder)]);
  for (const version of [debs.version, debs.newer])
    await runQuietly('cp', [join(folder, debs.file(version)), join(rootFolder, 'root')]);
  say('a bare Debian with systemd, Icecast, ffmpeg and Node');
  return debs;
}

async function story() {
  checkMachine();
  if (rig === null) throw new Explained('dist/ is missing: npm run build');
  const folder = newFolder('deploy');
  stops.push(() => rmSync(folder, { recursive: true, force: true }));
  const debs = await prepare(folder);
  const machine = await boot(join(folder, 'root'));
  stops.push(() => machine.stop());
  journal = () => machine.run('journalctl -u sustain --no-pager -n 40 -o short-precise');
  const before = await installAndWrite(machine, debs);
  await startIcecasts(machine);
  const encoders = await startEncoders(machine);
  await lookAtService(machine);
  await faultAndSwitch(machine, encoders);
  await reloads(machine);
  await upgrade(machine, debs, `upgrade to ${debs.newer}`, debs.newer);
  await upgrade(machine, debs, `back to ${debs.version}`, debs.version);
  await watchdog(machine);
  await upgradeWhileStopped(machine, debs);
  await purge(machine, before);
}

let failure = null;
try {
  await story();
} catch (thrown) {
  failure = thrown;
  console.error(await journal().catch(() => ''));
} finally {
  for (const stop of stops.reverse()) await Promise.resolve(stop()).catch(() => undefined);
}
const failed = rows.filter(({ holds }) => !holds).length;
if (failure !== null) console.error(failure instanceof Explained ? failure.message : failure);
console.log(`\n${rows.length - failed} of ${rows.length} hold.`);
process.exit(failure !== null || failed > 0 ? 1 : 0);
