import { isIP } from 'node:net';
import { parseServerUrl } from '../../icecast/address.ts';
import { SustainError } from '../../platform/errors.ts';

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
}

/** All that has to be known for a config. */
export interface InitAnswers {
  /** The server that this machine is. */
  readonly self: string;
  readonly servers: readonly InitServer[];
  readonly station: string;
  /** Mounts without their slash, in order of preference. */
  readonly sources: readonly string[];
  readonly mode: 'relay' | 'guard';
  readonly codec: string;
  readonly webListen: string;
}

/** What an existing icecast.xml suggests. */
export interface Suggested {
  readonly port: number | null;
  readonly sources: readonly string[];
}

/** Asks a person, with what an empty answer means; gives the default where nobody can be asked. */
export type Ask = (question: string, fallback: string) => Promise<string>;

const NAME = /^[a-z][a-z0-9-]{0,62}$/;

const wrong = (message: string): SustainError => new SustainError('init-answer', message);

/**
 * Flags first, then questions.
 * @throws SustainError `init-answer` for what can't be used; the sentence says what would.
 */
export async function answersOf(flags: InitFlags, suggested: Suggested, ask: Ask): Promise<InitAnswers> {
  const port = suggested.port ?? 8000;
  const servers = serversOf(
    flags.servers ??
      (await ask(
        'The Icecast servers, as name=address by comma',
        `london=http://127.0.0.1:${port},dublin=http://127.0.0.2:${port}`,
      )),
  );
  const names = servers.map(({ name }) => name);
  const self = flags.server ?? (await ask('Which of them is this machine', names[0] ?? ''));
  if (!names.includes(self)) throw wrong(`${self} is not one of the servers: ${names.join(', ')}`);
  const addresses = addressesOf(
    flags.public ?? (await ask('Their public addresses, as name=IP by comma (for the DNS; empty: none)', '')),
    names,
  );
  const station = nameIn('station', flags.station ?? (await ask('A short name for the station', 'myfm')));
  const usual = suggested.sources.length >= 2 ? suggested.sources : ['primary', 'secondary', 'autodj'];
  const sources = sourcesOf(
    flags.sources ?? (await ask('The mounts of its encoders, the best first, by comma', usual.join(','))),
  );
  const mode = flags.mode ?? (await ask('relay (faults are never heard) or guard (lossless)', 'relay'));
  if (mode !== 'relay' && mode !== 'guard') throw wrong(`the mode is relay or guard, not ${mode}`);
  return {
    self,
    servers: servers.map((server) => ({ ...server, publicAddress: addresses.get(server.name) ?? null })),
    station,
    sources,
    mode,
    codec: flags.codec ?? 'mp3',
    webListen: flags.web ?? '127.0.0.1:8080',
  };
}

function nameIn(what: string, text: string): string {
  if (NAME.test(text)) return text;
  throw wrong(`${text} is no name for a ${what}: write small letters, digits and hyphens, such as myfm`);
}

function pairsOf(text: string): [string, string][] {
  return listOf(text).map((part) => {
    const at = part.indexOf('=');
    if (at < 1) throw wrong(`${part} is not name=value`);
    return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
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
    if (!names.includes(name)) throw wrong(`${name} is not one of the servers: ${names.join(', ')}`);
    if (isIP(address) === 0) throw wrong(`${address} is no IP address`);
  }
  return new Map(pairs);
}

function sourcesOf(text: string): string[] {
  const sources = listOf(text).map((mount) => mount.replace(/^\//, ''));
  for (const source of sources) nameIn('source', source);
  if (sources.length === 0) throw wrong('name at least one mount, such as primary,secondary,autodj');
  return sources;
}
