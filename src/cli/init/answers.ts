import { isIP } from 'node:net';
import { mountFault } from '../../config/index.ts';
import { safeMountOf } from '../../domain/ids.ts';
import { parseServerUrl } from '../../icecast/address.ts';
import { SustainError } from '../../platform/errors.ts';

/** What the agent feeds in relay mode. */
export const PUBLIC_MOUNT = '/stream';

/** The flags of `sustain init`, as they are given. */
export interface InitFlags {
  readonly config: string;
  readonly server?: string | undefined;
  readonly servers?: string | undefined;
  readonly public?: string | undefined;
  readonly station?: string | undefined;
  readonly sources?: string | undefined;
  readonly mode?: string | undefined;
  readonly codec?: string | undefined;
  readonly web?: string | undefined;
  readonly secrets?: string | undefined;
  readonly icecastXml?: string | undefined;
  readonly yes?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly check?: boolean | undefined;
}

export interface InitServer {
  readonly name: string;
  readonly url: string;
  readonly publicAddress: string | null;
  readonly adminUser: string;
}

export interface InitSource {
  readonly name: string;
  readonly mount: string;
}

/** All that has to be known for a config. */
export interface InitAnswers {
  /** The server that this machine is. */
  readonly self: string;
  readonly servers: readonly InitServer[];
  readonly station: string;
  /** In order of preference. */
  readonly sources: readonly InitSource[];
  readonly mode: 'relay' | 'guard';
  readonly codec: string;
  readonly webListen: string;
}

/** What an existing icecast.xml suggests; it is that of the server that this machine is. */
export interface Suggested {
  readonly port: number | null;
  readonly mounts: readonly string[];
  readonly adminUser: string;
}

export const NOTHING_SUGGESTED: Suggested = { port: null, mounts: [], adminUser: 'admin' };
const USUAL_SOURCES = ['primary', 'secondary', 'autodj'];

/** Asks a person, with what an empty answer means; gives the default where nobody can be asked. */
export type Ask = (question: string, fallback: string) => Promise<string>;

const NAME = /^[a-z][a-z0-9-]{0,31}$/;

const wrong = (message: string): SustainError => new SustainError('init-answer', message);

/** What is wrong with an answer, said to whoever can give another; null: nobody can. */
export type Complain = ((says: string) => void) | null;

/**
 * Flags first, then questions.
 * @throws SustainError `init-answer` for what can't be used and can't be asked again; the sentence says what would.
 */
export async function answersOf(
  flags: InitFlags,
  suggested: Suggested,
  ask: Ask,
  complain: Complain = null,
): Promise<InitAnswers> {
  const answer = async <Answer>(
    flag: string | undefined,
    [question, fallback]: readonly [string, string],
    read: (text: string) => Answer,
  ): Promise<Answer> => {
    if (flag !== undefined) return read(flag);
    for (;;) {
      try {
        return read(await ask(question, fallback));
      } catch (thrown) {
        if (complain === null || !isWrong(thrown)) throw thrown;
        complain(thrown.message);
      }
    }
  };
  const port = suggested.port ?? 8000;
  const servers = await answer(
    flags.servers,
    [
      'The Icecast servers, as name=address by comma',
      `london=http://127.0.0.1:${port},dublin=http://127.0.0.2:${port}`,
    ],
    serversOf,
  );
  const names = servers.map(({ name }) => name);
  const self = await answer(flags.server, ['Which of them is this machine', names[0] ?? ''], (text) =>
    oneOf(names, text),
  );
  const addresses = await answer(
    flags.public,
    ['Their public addresses, as name=IP by comma (for the DNS; empty: none)', ''],
    (text) => addressesOf(text, names),
  );
  const station = await answer(flags.station, ['A short name for the station', 'myfm'], (text) =>
    nameIn('station', text),
  );
  const mode = await answer(
    flags.mode,
    ['relay (faults are never heard) or guard (lossless)', 'relay'],
    modeOf,
  );
  const sources = await answer(
    flags.sources,
    ['The mounts of its encoders, the best first, by comma', usualSources(suggested.mounts, mode).join(',')],
    (text) => sourcesOf(text, mode),
  );
  return {
    self,
    servers: servers.map((server) => ({
      ...server,
      publicAddress: addresses.get(server.name) ?? null,
      adminUser: server.name === self ? suggested.adminUser : NOTHING_SUGGESTED.adminUser,
    })),
    station,
    sources,
    mode,
    codec: flags.codec ?? 'mp3',
    webListen: flags.web ?? '127.0.0.1:8080',
  };
}

const isWrong = (thrown: unknown): thrown is SustainError =>
  thrown instanceof SustainError && thrown.code === 'init-answer';

function oneOf(names: readonly string[], text: string): string {
  if (names.includes(text)) return text;
  throw wrong(`${text} is not one of the servers: ${names.join(', ')}`);
}

function modeOf(text: string): InitAnswers['mode'] {
  if (text === 'relay' || text === 'guard') return text;
  throw wrong(`the mode is relay or guard, not ${text}`);
}

function nameIn(what: string, text: string): string {
  if (NAME.test(text)) return text;
  throw wrong(`${text} is no name for a ${what}: write small letters, digits and hyphens, such as myfm`);
}

function pairsOf(text: string): [string, string][] {
  const pairs = listOf(text).map((part): [string, string] => {
    const at = part.indexOf('=');
    if (at < 1) throw wrong(`${part} is not name=value`);
    return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
  const twice = pairs.find(([name], index) => pairs.findIndex(([other]) => other === name) !== index);
  if (twice !== undefined) throw wrong(`${twice[0]} is named twice`);
  return pairs;
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function serversOf(text: string): { name: string; url: string }[] {
  const servers = pairsOf(text).map(([name, written]) => {
    const url = written.includes('://') ? written : `http://${written}`;
    if (parseServerUrl(url) === null)
      throw wrong(`${written} is no address of an Icecast: write one such as http://10.0.0.1:8000`);
    return { name: nameIn('server', name), url };
  });
  if (servers.length === 0) throw wrong('name at least one server, such as london=http://10.0.0.1:8000');
  return servers;
}

function addressesOf(text: string, names: readonly string[]): Map<string, string> {
  const pairs = pairsOf(text);
  for (const [name, address] of pairs) {
    oneOf(names, name);
    if (isIP(address) === 0) throw wrong(`${address} is no IP address`);
  }
  return new Map(pairs);
}

/** A station has two encoders at least, so one mount that is there is not all. */
function usualSources(there: readonly string[], mode: InitAnswers['mode']): readonly string[] {
  const mounts = there.filter((mount) => mode === 'guard' || mount !== PUBLIC_MOUNT);
  return mounts.length >= 2 ? mounts : [...mounts, ...USUAL_SOURCES.slice(mounts.length)];
}

function sourcesOf(text: string, mode: InitAnswers['mode']): InitSource[] {
  const sources: InitSource[] = [];
  for (const written of listOf(text)) {
    const mount = written.replace(/^\/*/, '/');
    const fault = mountFault(mount);
    if (fault !== null) throw wrong(`${mount} ${fault}`);
    if (mode === 'relay' && (mount === PUBLIC_MOUNT || mount === safeMountOf(PUBLIC_MOUNT)))
      throw wrong(
        `${mount} belongs to what the agent feeds in relay mode: let that encoder send to another mount, such as /primary`,
      );
    if (sources.some((other) => other.mount === mount)) throw wrong(`${mount} is named twice`);
    sources.push({ name: sourceName(mount, sources), mount });
  }
  if (sources.length === 0) throw wrong(`name at least one mount, such as ${USUAL_SOURCES.join(',')}`);
  return sources;
}

/** What a mount can be called in the config, where names are small letters, digits and hyphens: `/live.mp3` is `live`. */
function sourceName(mount: string, others: readonly InitSource[]): string {
  const wordOf = (text: string) =>
    text
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^[^a-z]+|-$/g, '')
      .slice(0, 28)
      .replace(/-$/, '');
  const word = wordOf(mount.replace(/\.[a-z0-9]{1,4}$/i, '')) || `source-${others.length + 1}`;
  const isFree = (name: string) => others.every((other) => other.name !== name);
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? word : `${word}-${count}`;
    if (isFree(name)) return name;
  }
}
