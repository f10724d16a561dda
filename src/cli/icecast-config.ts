import { chmod, chown, copyFile, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { type Config, type Environment, loadConfig, printProblems } from '../config/index.ts';
import { safeMountOf } from '../domain/ids.ts';
import { parseServerUrl } from '../icecast/address.ts';
import { createAdminClient } from '../icecast/admin-client.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import { readIcecastXml } from './check/icecast-xml.ts';
import { withNets } from './icecast-config/into-xml.ts';
import {
  blocksForServer,
  explained,
  type Loopback,
  loopbackOf,
  type Net,
  netBlocks,
  remark,
} from './net-blocks.ts';
import { type PlannedNet, planNets, withoutNet } from './net-plan.ts';

export interface IcecastConfigOptions {
  /** Path of `sustain.yaml`. */
  readonly config: string;
  /** `--server`. */
  readonly server?: string | undefined;
  /** `--into`: the icecast.xml to write the blocks into; they are printed without it. */
  readonly into?: string | undefined;
  readonly env?: Environment;
  readonly clock?: Clock;
  readonly print?: (text: string) => void;
}

/** 0: printed or written. 1: the file can't be changed. 2: the config has faults, or no station in relay mode. */
export type IcecastConfigExitCode = 0 | 1 | 2;

/** `sustain icecast-config`: the blocks that keep listeners of the public mounts when the agent is gone. */
export async function runIcecastConfig(options: IcecastConfigOptions): Promise<IcecastConfigExitCode> {
  const print = options.print ?? ((text) => process.stdout.write(`${text}\n`));
  const loaded = await loadConfig(options.config, options.env ?? process.env, { server: options.server });
  if (!loaded.ok) {
    print(printProblems(options.config, loaded.faults));
    return 2;
  }
  const { config } = loaded;
  const own = config.servers.find(({ name }) => name === config.self);
  const planned = await planOf(config, options.clock ?? systemClock);
  if (own === undefined || planned.length === 0) {
    print('No station is in relay mode, so no public mount needs a net: nothing to write.');
    return 2;
  }
  const itself = loopbackOf(own.url);
  if (options.into === undefined) {
    print(
      blocksForServer(
        config.self,
        planned.map((one) => netText(one, itself)),
      ),
    );
    return 0;
  }
  return await writeInto(options.into, planned, own.url, print);
}

async function planOf(config: Config, clock: Clock): Promise<readonly PlannedNet[]> {
  const types = await sourceTypes(config, clock);
  return config.stations.flatMap((station) => planNets(station, types));
}

/** What each mount on our own server says that it is; empty when it can't be asked. */
async function sourceTypes(config: Config, clock: Clock): Promise<ReadonlyMap<string, string>> {
  const own = config.servers.find(({ name }) => name === config.self);
  const server = own === undefined ? null : parseServerUrl(own.url, own.ca);
  if (own === undefined || server === null) return new Map();
  const credentials = { user: own.admin.user, password: own.admin.password.reveal() };
  const listed = await createAdminClient({ clock, server, credentials }).listMounts();
  return new Map(listed.ok ? listed.value.map(({ mount, contentType }) => [mount, contentType]) : []);
}

function netText(planned: PlannedNet, itself: Loopback): string {
  const { mount, source, isGuess } = planned;
  if (source === null) return remark(withoutNet(planned));
  return netBlocks({ mount, source, ...itself }, { isGuess })
    .map(explained)
    .join('\n');
}

async function writeInto(
  path: string,
  planned: readonly PlannedNet[],
  url: string,
  print: (text: string) => void,
): Promise<IcecastConfigExitCode> {
  for (const one of planned) if (one.source === null) print(`${withoutNet(one)}.`);
  try {
    const text = await readFile(path, 'utf8');
    const xml = readIcecastXml(text);
    const itself = loopbackOf(url, xml?.ports);
    if (xml !== null && itself.isPortGuess) {
      print(`${path} has only the TLS port, over which Icecast relays nothing: add a plain <listen-socket>.`);
      return 1;
    }
    const nets = planned.flatMap(({ mount, source }) =>
      source === null ? [] : [{ mount, source, ...itself }],
    );
    const edited = xml === null ? null : withNets(text, nets);
    if (edited === null || !isRight(edited.text, nets)) {
      print(`${path} is no icecast.xml that can be changed safely; nothing was written. Add by hand:\n`);
      print(planned.map((one) => netText(one, itself)).join('\n\n'));
      return 1;
    }
    if (edited.changes.length === 0) {
      print(`${path} has it all already.`);
      return 0;
    }
    await replaceFile(path, edited.text);
    print([...edited.changes, `${path} is written; what it was is in ${path}.before-sustain.`].join('\n'));
    print('Now have Icecast read it: systemctl reload icecast2 (or send it SIGHUP). Listeners stay.');
    return 0;
  } catch (thrown) {
    const advice = ['EACCES', 'EPERM'].includes(codeOf(thrown)) ? '; run it as a user who may' : '';
    print(`${path} can't be changed: ${messageOf(thrown)}. Nothing was written${advice}.`);
    return 1;
  }
}

/** Reads what would be written as Icecast will. */
function isRight(text: string, nets: readonly Net[]): boolean {
  const xml = readIcecastXml(text);
  return nets.every(({ mount }) => {
    const block = xml?.mounts.find((one) => one.mount === mount);
    const relay = xml?.relays.find(({ localMount }) => localMount === safeMountOf(mount));
    return block?.fallback === safeMountOf(mount) && block.fallbackOverride && relay?.onDemand === true;
  });
}

/** In one step, with the owner and the mode that it had: Icecast may read it at any moment. */
async function replaceFile(path: string, text: string): Promise<void> {
  const { mode, uid, gid } = await stat(path);
  await copyFile(path, `${path}.before-sustain`);
  const next = `${path}.${process.pid}.sustain`;
  try {
    await writeFile(next, text, { mode: mode & 0o777 });
    await chmod(next, mode & 0o777);
    await chown(next, uid, gid);
    await rename(next, path);
  } catch (thrown) {
    // It has the passwords of Icecast in it.
    await rm(next, { force: true });
    throw thrown;
  }
}
