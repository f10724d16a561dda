import { chmod, chown, copyFile, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { type Config, type Environment, loadConfig, printProblems } from '../config/index.ts';
import { safeMountOf } from '../domain/ids.ts';
import { parseServerUrl } from '../icecast/address.ts';
import { createAdminClient } from '../icecast/admin-client.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import { readIcecastXml } from './check/icecast-xml.ts';
import { withNets } from './icecast-config/into-xml.ts';
import { blocksForServer, explained, loopbackOf, type Net, netBlocks, remark } from './net-blocks.ts';

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

/** A public mount, and the source it can fall back on; null where none of its codec is known. */
interface Planned {
  readonly mount: string;
  readonly codec: string;
  readonly source: string | null;
  /** Nobody could say what the sources are encoded as. */
  readonly isGuess: boolean;
}

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
  return await writeInto(options.into, planned, itself, print);
}

/** Listeners can only be carried over to the same codec: players go by what the stream was when they joined. */
const TYPES_OF: Readonly<Record<string, RegExp>> = {
  mp3: /^audio\/(mpeg|mp3|x-mp3)/i,
  aac: /^audio\/aacp?/i,
  opus: /ogg|opus/i,
  vorbis: /ogg|vorbis/i,
};

async function planOf(config: Config, clock: Clock): Promise<readonly Planned[]> {
  const types = await sourceTypes(config, clock);
  return config.stations
    .filter(({ serve }) => serve.mode === 'relay')
    .flatMap(({ sources, serve }) =>
      serve.outputs.map(({ mount, codec }) => {
        const known = sources.filter((source) => types.has(source.mount));
        const fits = known.find((source) => TYPES_OF[codec]?.test(types.get(source.mount) ?? ''));
        const isGuess = known.length === 0;
        const source = isGuess && codec === 'mp3' ? sources[0] : fits;
        return { mount, codec, source: source?.mount ?? null, isGuess };
      }),
    );
}

/** What each mount on our own server says that it is; empty when it can't be asked. */
async function sourceTypes(config: Config, clock: Clock): Promise<ReadonlyMap<string, string>> {
  const own = config.servers.find(({ name }) => name === config.self);
  const server = own === undefined ? null : parseServerUrl(own.url);
  if (own === undefined || server === null) return new Map();
  const credentials = { user: own.admin.user, password: own.admin.password.reveal() };
  const listed = await createAdminClient({ clock, server, credentials }).listMounts();
  return new Map(listed.ok ? listed.value.map(({ mount, contentType }) => [mount, contentType]) : []);
}

function netText({ mount, codec, source, isGuess }: Planned, itself: Pick<Net, 'host' | 'port'>): string {
  if (source === null) return remark(withoutNet(mount, codec, isGuess));
  return netBlocks({ mount, source, ...itself }, { isGuess })
    .map(explained)
    .join('\n');
}

function withoutNet(mount: string, codec: string, isGuess: boolean): string {
  const why = isGuess ? 'what its sources are could not be asked' : `no source is ${codec}`;
  return `${mount} gets no net: listeners can only be carried over to the same codec, and ${why}`;
}

async function writeInto(
  path: string,
  planned: readonly Planned[],
  itself: Pick<Net, 'host' | 'port'>,
  print: (text: string) => void,
): Promise<IcecastConfigExitCode> {
  const nets = planned.flatMap(({ mount, source }) =>
    source === null ? [] : [{ mount, source, ...itself }],
  );
  for (const { mount, codec, source, isGuess } of planned) {
    if (source === null) print(`${withoutNet(mount, codec, isGuess)}.`);
  }
  try {
    const text = await readFile(path, 'utf8');
    const edited = readIcecastXml(text) === null ? null : withNets(text, nets);
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
    print(`${path} can't be changed: ${messageOf(thrown)}. Nothing was written; run it as a user who may.`);
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
  await writeFile(next, text, { mode: mode & 0o777 });
  await chmod(next, mode & 0o777);
  await chown(next, uid, gid);
  await rename(next, path);
}
